# SPDX-License-Identifier: GPL-3.0-or-later
"""SA-04, SA-05 and SA-06: is this the moment, and is it the plan that somebody agreed to? PRIVATE.

Each looks at an option and is skipped without it.
"""

from __future__ import annotations

import json
from datetime import timedelta

from ..._errors import Unreachable
from ..windows import windows_from
from .evidence import Evidence, Judged, failed, passed, skipped, warned

MOST_NAMES = 5


def window(evidence: Evidence) -> Judged:
    """SA-04. No request. A preflight may be made at any time, so it only asks whether a window is to come."""
    windows = windows_from(evidence.now.settings.change_windows)
    if not windows:
        return skipped("No change window is set.")
    time = evidence.time
    now = next((one for one in windows if one.holds(time)), None)
    if now:
        needs = timedelta(seconds=_longest(evidence))
        if now.end - time < needs:
            minutes = -(-int(needs.total_seconds()) // 60)
            return warned(f"The change window {now} ends sooner than an upgrade may take ({minutes} min).", "Begin earlier in a window.")
        return passed(f"This is within the change window {now}.")
    coming = next((one for one in windows if one.begin > time), None)
    if coming is None:
        return failed(f"All change windows are past; the last one was {windows[-1]}.", "Agree on a window, and set wge_change_windows.")
    if evidence.climbing:
        return failed(f"This is outside of every change window; the next one is {coming}.", "Begin in a window.")
    return passed(f"The next change window is {coming}.")


def plan(evidence: Evidence) -> Judged:
    """SA-05. No request. Compares the plan with the one that was reviewed."""
    reviewed, found = evidence.now.settings.plan_hash, evidence.plan.hash
    if not reviewed:
        return skipped("No hash of a reviewed plan was given.")
    if reviewed != found:
        return failed(
            f"The plan is not the one that was reviewed: its hash is {found}, not {reviewed}.",
            "Look at the plan once more (upgrade.yml --check --diff), and give the hash of the one you agree to in wge_plan_hash.",
        )
    return passed(f"The plan is the one that was reviewed ({found}).")


def alerts(evidence: Evidence) -> Judged:
    """SA-06. One request, to Alertmanager's list of alerts; what is silenced or inhibited does not count."""
    address = evidence.now.settings.alerts_url
    if not address:
        return skipped("No Alertmanager was named.")
    if evidence.ask is None:
        return skipped("Nothing but the API server may be asked here.")
    url = f"{address.rstrip('/')}/api/v2/alerts?active=true&silenced=false&inhibited=false"
    remedy = "Look at the alerts, or correct wge_alerts_url."
    try:
        answer = evidence.ask(url)
        firing = json.loads(answer.body)
        names = sorted({str(alert["labels"].get("alertname") or "?") for alert in firing})
    except Unreachable as problem:
        return warned(problem.what, remedy)
    except (ValueError, TypeError, KeyError, AttributeError):
        return warned(f"What the Alertmanager answers ({answer.status}) is not a list of alerts that can be read.", remedy)
    if names:
        more = f" and {len(names) - MOST_NAMES} more" if len(names) > MOST_NAMES else ""
        return warned(f"{len(firing)} alerts are firing: {', '.join(names[:MOST_NAMES])}{more}.", "Wait until it is quiet.")
    return passed("No alert is firing.")


def _longest(evidence: Evidence) -> float:
    """Seconds that a climb waits on purpose, and once for WGE to get ready."""
    settings = evidence.now.settings
    waits = (settings.baseline_seconds, settings.rehearse_seconds, settings.verify_seconds, settings.soak_seconds, settings.quiet_seconds)
    return sum(waits) + settings.ready_seconds
