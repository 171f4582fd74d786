# SPDX-License-Identifier: GPL-3.0-or-later
"""FL-07 for WGE's own chart: can Flux log in where it is to fetch it? PRIVATE. The repository itself is not asked."""

from __future__ import annotations

from collections.abc import Callable

from ..deliveries import chosen
from ..deliveries.flux import place_of, repository_of
from ..objects import object_path
from .evidence import PASS, SKIP, Evidence, Judged, failed, passed

LOGINS = ({"username", "password"}, {".dockerconfigjson"}, {"tls.crt", "tls.key"}, {"certFile", "keyFile"}, {"ca.crt"}, {"caFile"})
"""Keys of a Secret with which Flux does something at a chart repository."""
_ADVICE = "Create it with username and password (flux create secret helm), or correct wge_chart_secret."

Judge = Callable[[Evidence], Judged]


def also(judge: Judge) -> Judge:
    """What is asked of the sources that are there, and after it the same of the one that will be made."""

    def both(evidence: Evidence) -> Judged:
        first = judge(evidence)
        if first.status not in (PASS, SKIP) or chosen(evidence.now) != "flux":
            return first
        second = login_there(evidence)
        return first if first.status == second.status == PASS else second

    return both


def login_there(evidence: Evidence) -> Judged:
    """One request, when a Secret is named."""
    now = evidence.now
    name, place, url = now.settings.chart_secret, place_of(now), repository_of(now)
    if not name:
        return passed(f"Flux fetches WGE's chart from {url or 'the repository it has been given'} without a Secret of the settings.")
    secret = evidence.cluster.get(object_path("Secret", name, place))
    if secret is None:
        return failed(f"Flux is to log in at {url} with Secret {name} in namespace {place}, which is not there.", _ADVICE)
    keys = set(secret.get("data") or {})
    if not any(wanted <= keys for wanted in LOGINS):
        return failed(f"Secret {name} in namespace {place} holds no login: its keys are {', '.join(sorted(keys)) or 'none'}.", _ADVICE)
    return passed(f"Flux logs in at {url} with Secret {name} in namespace {place}; whether it is let in was not asked.")
