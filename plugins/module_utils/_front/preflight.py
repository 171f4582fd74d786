# SPDX-License-Identifier: GPL-3.0-or-later
"""The question ``preflight``: may this cluster be upgraded? PRIVATE."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from .._engine import ladder, plan
from .._engine.checks import registry
from .._engine.checks.waivers import Waiver
from .._engine.look import look, require_chart
from .._engine.model import Object
from .._engine.preflight_report.short import short
from .._engine.recording.notes import note_checks, note_look
from . import offline
from .answers import counted, entitlement, failure, git, named
from .judging import blocked_by, evidence_of, waivers_of
from .session import Session


def answer(session: Session) -> dict[str, Any]:
    """Every check and the plan. Nothing is written to the cluster, and none is asked when there is a snapshot of it."""
    offline.check(session.params)
    waivers = waivers_of(session)  # what is wrong with them is said before the cluster is asked
    record = offline.source_of(session)
    if record is None:
        with offline.kept(session):
            result = _live(session, waivers)
        result |= offline.saved(session)
    else:
        found = offline.again(session, record)
        result = _judged(session, found.evidence, record.api, offline.waivers_of(session, record))
        result |= {"plan_hash": record.plan_hash, "snapshot": offline.told(found)}
    return short(result) if session.params.get("output") == "summary" else result


def _live(session: Session, waivers: Sequence[Waiver]) -> dict[str, Any]:
    tools = session.tools
    now = look(tools, session.settings)
    if session.record:
        note_look(session.record, now)
    require_chart(now)
    evidence = evidence_of(session, now, ladder.plan_of(tools, now))
    result = _judged(session, evidence, session.connection.server, waivers)
    if session.record:
        note_checks(session.record, evidence)
    return result


def _judged(session: Session, evidence: registry.Evidence, api: str, waivers: Sequence[Waiver]) -> dict[str, Any]:
    now = evidence.now
    findings = registry.run_all(evidence, waivers)
    return {
        "changed": False,
        "verdict": registry.verdict(findings),
        "rung": plan.rung_of(now).word,
        "checks": [finding.as_dict() for finding in findings],
        "summary": registry.summary(findings),
        "plan": evidence.plan.shown(),
        "plan_hash": evidence.plan.hash,
        "entitlement": entitlement(now),
        "git": git(now),
        "cluster": named(now, api),
        "api": counted(evidence.cluster),
        **_told(session, findings),
    }


def _told(session: Session, findings: list[registry.Finding]) -> Object:
    """What forbids the upgrade, in words; a failure unless it shall not be one."""
    blocking = registry.blocking(findings)
    if not blocking:
        return {}
    told = failure(blocked_by(blocking))
    fails = session.params.get("fail_on", "block") == "block"
    return told if fails else {name: told[name] for name in ("msg", "message", "next_step")}
