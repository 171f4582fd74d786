# SPDX-License-Identifier: GPL-3.0-or-later
"""The checks, asked for by two questions. PRIVATE."""

from __future__ import annotations

from datetime import datetime, timezone

from .._engine import plan
from .._engine.checks import registry
from .._engine.checks.waivers import Waiver, waivers_from
from .._engine.recording.live import recording_ask
from .._engine.situation import Situation
from .._errors import Blocked
from .._kube.lifetimes import end_of
from .._probe import ask
from .session import Session


def evidence_of(session: Session, now: Situation, planned: plan.Plan, *, climbing: bool = False) -> registry.Evidence:
    """What the checks are given."""
    return registry.Evidence(
        now=now,
        plan=planned,
        rung=plan.rung_of(now),
        cluster=session.asked,
        latencies=session.asked.latencies,
        controller_time=datetime.now(timezone.utc),
        helm_version=session.helm.version(),
        ask=recording_ask(ask, session.record) if session.record else ask,
        climbing=climbing,
        skew=session.cluster.skew,
        login_ends=end_of(session.connection.user, session.cluster.credentials.current()),
        archives=session.archives,
    )


def findings_of(session: Session, now: Situation, planned: plan.Plan, *, climbing: bool = False) -> list[registry.Finding]:
    """Every check, as it counts after the waivers that were given."""
    return registry.run_all(evidence_of(session, now, planned, climbing=climbing), waivers_of(session))


def waivers_of(session: Session) -> tuple[Waiver, ...]:
    """The waivers that were given. Raises InvalidSettings for one that cannot be."""
    return waivers_from(session.params.get("waivers") or [], registry.CHECKS)


def blocked_by(findings: list[registry.Finding]) -> Blocked:
    """The error that says which check forbids the upgrade."""
    first = findings[0]
    more = f" ({len(findings) - 1} more checks block)" if len(findings) > 1 else ""
    return Blocked(f"{first.id} {first.title}: {first.evidence}{more}", first.remedy)
