# SPDX-License-Identifier: GPL-3.0-or-later
"""The question ``upgrade``: climb to a rung. PRIVATE."""

from __future__ import annotations

from typing import Any

from .._engine import finalising, ladder, plan
from .._engine.checks import registry
from .._engine.ladder import Outcome
from .._engine.model import Object, Rung
from .._engine.situation import Situation
from .answers import counted, differing, entitlement, failure, git, named, version, warnings
from .judging import blocked_by, findings_of, waivers_of
from .session import Session


def answer(session: Session) -> dict[str, Any]:
    """Climb, or show what a climb would do."""

    def check(now: Situation, planned: plan.Plan) -> None:
        blocking = registry.blocking(findings_of(session, now, planned, climbing=True))
        if blocking:
            raise blocked_by(blocking)

    waivers_of(session)  # what is wrong with them is said before the cluster is asked
    settings, check_mode = session.settings, session.surroundings.check_mode
    if settings.goal is Rung.ROLLED_BACK:
        outcome = ladder.roll_back(session.tools, settings, check_mode=check_mode)
    elif settings.goal is Rung.FINALISED:
        outcome = finalising.finalise(session.tools, settings, check_mode=check_mode)
    else:
        outcome = ladder.climb(session.tools, settings, check, check_mode=check_mode)
    result = _climbed(session, outcome)
    if session.surroundings.diff and outcome.changed:
        result["diff"] = _diff(outcome)
    return result


def _climbed(session: Session, outcome: Outcome) -> dict[str, Any]:
    now = outcome.after
    result: dict[str, Any] = {
        "git": git(now, None if outcome.error else session.cluster),
        "changed": outcome.changed,
        "verdict": outcome.verdict,
        "goal": session.settings.state,
        "message": "",
        "next_step": "",
        "rung": outcome.rung.word,
        "rung_before": outcome.rung_before.word,
        "versions": {"before": version(outcome.before), "after": version(now) if outcome.verdict != "planned" else ""},
        "traffic": outcome.traffic,
        "identity": outcome.identity,
        "guard": outcome.guard,
        "continuity": outcome.continuity,
        "untouched": outcome.untouched,
        "seconds": outcome.seconds,
        "api": counted(session.cluster),
        "plan": outcome.plan.shown(),
        "plan_hash": outcome.plan.hash,
        "run": now.run,
        "journal": now.journal.name if now.journal else "",
        "archive": (now.journal.archive.get("path") or "") if now.journal else "",
        "entitlement": entitlement(now),
        "cluster": named(now, session.connection.server),
    }
    if said := [*warnings(now), *differing(outcome.continuity)]:
        result["warnings"] = said
    if outcome.owners:
        result["owners"] = outcome.owners
    if outcome.error:
        result |= failure(outcome.error)
    return result


def _diff(outcome: Outcome) -> list[Object]:
    return [
        {
            "before_header": f"{entry.step.id} {entry.step.title}",
            "after_header": write.path,
            "before": "",
            "after": write.shown(),
        }
        for entry in outcome.plan.planned
        for write in entry.writes
    ]
