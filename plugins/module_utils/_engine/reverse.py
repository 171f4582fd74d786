# SPDX-License-Identifier: GPL-3.0-or-later
"""The way back: every step the journal knows is taken back, the last one first. PRIVATE.

So WG is scaled up and ready before the Services lead to it again, and they lead to it before WGE goes. Killed anywhere, the next
run judges the cluster as any other and goes on, forwards or back.
"""

from __future__ import annotations

from collections.abc import Callable

from .._errors import SafeStop
from .gitdebt import require_out_of_git
from .journal import ROLLED_BACK
from .leftovers import leftovers
from .model import Cluster, Object
from .names import FIELD_MANAGER
from .objects import metadata
from .plan import Plan, Planned, steps_of
from .situation import Situation
from .steps.base import Step
from .steps.prepare import CloseJournal
from .work import Work
from .writes import Write


def plan_back(cluster: Cluster, now: Situation) -> Plan:
    """What would be taken back, in the order in which it would be. Each object that the journal speaks of is read."""
    require_out_of_git(now)
    found = []
    for step in reversed(steps_of(now)):
        entries = now.journal.entries.get(step.id) or [] if now.journal else []
        writes = [write for entry in reversed(entries) if (write := step.reversal(now, entry, _live(cluster, step, entry)))]
        if writes:
            found.append(Planned(step, tuple(writes)))
    if now.journal:
        last = Write("patch", now.journal.path, "note in the journal that everything was taken back")
        found.append(Planned(CloseJournal(), (last,)))  # without the time that will be in it
    return Plan(tuple(found), now.run)


def take_back(work: Work, record: Callable[[], None] | None = None) -> float | None:
    """Undo every step the journal knows, last first. The probes go on, so that what is lost meanwhile is counted.

    ``record`` puts helm's record of WG back, when it was removed: after WGE is gone, and before its parking is taken back.
    Returns when the kept Services led to WG again (monotonic), None when they had never led elsewhere. Raises SafeStop when
    something of ours is left at the end; the journal stays open then.
    """
    require_out_of_git(work.now)
    work.closing = True
    back: float | None = None
    had_traffic = work.flipped_at is not None or work.now.is_flipped or any(moved_by_us(service) for service in work.now.kept_services)
    work.flipped_at = None
    for step in reversed(steps_of(work.now)):
        entries = work.journal.entries.get(step.id) or []
        if record and step.after_record:
            record()
        if entries:
            work.tools.tell(step.event("undo"))
            step.undo(work, entries)
        if entries and step.id == "S12" and had_traffic:
            back = work.tools.clock.monotonic()
            _drain(work)
    _nothing_left(work)
    _close(work)
    return back


def moved_by_us(service: Object) -> bool:
    """Whether we have ever written a Service's selector: its managed fields say so, even to a run that did not see it."""
    ours = [e for e in metadata(service).get("managedFields") or [] if e.get("manager") == FIELD_MANAGER]
    return any("f:selector" in ((entry.get("fieldsV1") or {}).get("f:spec") or {}) for entry in ours)


def _live(cluster: Cluster, step: Step, entry: Object) -> Object | None:
    known = entry["verb"] == "create" or entry.get("reverse")
    return cluster.get(entry["path"]) if known else None


def _drain(work: Work) -> None:
    """A WGE that had traffic gets time for its last requests, with its policies in place; one that is not ready has none."""
    work.refresh()
    deployment = work.now.wge
    if deployment and deployment.get("status", {}).get("readyReplicas"):
        work.wait(work.now.settings.quiet_seconds, "leaving WGE's last connections time to end")


def _nothing_left(work: Work) -> None:
    left = leftovers(work.refresh())
    if left:
        raise SafeStop(
            f"WG serves, and this is left of the upgrade: {', '.join(left)}.",
            "Somebody removed what it was made by (helm's record of WGE, or a label): delete it by hand, then ask for rolled_back again.",
        )


def _close(work: Work) -> None:
    work.journal.state = ROLLED_BACK
    work.journal.notes["finished"] = work.tools.time().isoformat(timespec="seconds")
    live = work.tools.cluster.get(work.journal.path)
    if live is not None:
        work.save_journal()
