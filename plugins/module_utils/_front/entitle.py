# SPDX-License-Identifier: GPL-3.0-or-later
"""The question ``entitle``: put an entitlement where WGE looks for it, and have a running WGE read it. PRIVATE."""

from __future__ import annotations

from typing import Any

from .._engine.entitlement import effect
from .._engine.entitlement.advice import advice
from .._engine.entitlement.keys import public_keys
from .._engine.entitlement.renewal import Renewal
from .._engine.entitlement.source import SECRET, only
from .._engine.entitlement.wish import Outcome, Wish
from .._engine.model import Object
from .._engine.names import ENTITLEMENT_SECRET
from .._errors import InvalidSettings
from .answers import counted, failure
from .session import Session
from .verify import Entry, summary


def answer(session: Session) -> dict[str, Any]:
    """Do it, or show what would be done."""
    outcome = Renewal(session.tools, _wish(session.params)).run(check_mode=session.surroundings.check_mode)
    now = session.cluster.server_time or session.clock.wall()
    found = outcome.stored
    words = advice(outcome.judgement, outcome.effect, found)
    result: dict[str, Any] = {
        **summary([Entry(SECRET, f"in {found}", outcome.judgement)], outcome.effect, words, now),
        "changed": outcome.changed or (session.surroundings.check_mode and bool(outcome.writes)),
        "verdict": outcome.verdict,
        "restarted": outcome.restarted,
        "next_step": "",
        "plan": [write.shown() for write in outcome.writes],
        "cluster": {"name": "", "uid": outcome.identity.uid, "api": session.connection.server, "version": outcome.identity.version},
        "api": counted(session.cluster),
    }
    result["warnings"] += outcome.warnings
    if outcome.restarted and outcome.effect.state == effect.UNKNOWN:
        result["warnings"].append(f"WGE was restarted, and what it makes of its entitlement is not known: {outcome.effect.reason}.")
    if outcome.error:
        result |= failure(outcome.error)
    if session.surroundings.diff and outcome.writes:
        result["diff"] = _diff(outcome)
    return result


def _wish(params: dict[str, Any]) -> Wish:
    for name in ("ready_seconds", "skew_seconds"):
        if params[name] < 0:
            raise InvalidSettings(f"{name} is {params[name]:g}.", "Give 0 or more seconds.")
    handed = only(params)
    return Wish(
        name=params.get("secret_name") or ENTITLEMENT_SECRET,
        namespace=params["secret_namespace"],
        keys=public_keys(params.get("public_keys") or []),
        credentials=handed.credentials if handed else {},
        external=bool(params.get("external")),
        replace=bool(params.get("replace")),
        restart=bool(params.get("restart")),
        fail_if_expired=bool(params.get("fail_if_expired")),
        skew_seconds=params["skew_seconds"],
        server_namespace=params.get("namespace") or "",
        cluster_uid=params.get("cluster_uid") or "",
        ready_seconds=params["ready_seconds"],
    )


def _diff(outcome: Outcome) -> list[Object]:
    return [{"before_header": write.text, "after_header": write.path, "before": "", "after": write.shown()} for write in outcome.writes]
