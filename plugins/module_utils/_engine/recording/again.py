# SPDX-License-Identifier: GPL-3.0-or-later
"""A recorded preflight, run again: the same look, plan and checks on what was answered then. PRIVATE.

What needs a Secret's bytes, or what lies on the machine that asked, is not judged again: there stands what was found then.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timezone
from typing import Any

from ..._errors import SafeStop
from .. import ladder
from .. import snapshot as reading
from ..checks.evidence import Evidence
from ..compatibility_table import matrix_of
from ..look import require_chart, situation_from
from ..model import Object
from ..plan import Plan, rung_of
from ..situation import Situation
from ..work import Tools
from .record import Record, error_from, grant_of, judged_of, settings_of, time_of
from .replay import ADVICE, NoProbes, RecordedClock, RecordedCluster, RecordedHelm, recorded_ask


@dataclass(slots=True)
class Replay:
    """A record that is being judged again."""

    record: Record
    now: Situation
    plan: Plan
    evidence: Evidence

    def told(self, changed: list[str]) -> Object:
        """For results: what this rests on, and which checks judge otherwise than then."""
        record = self.record
        return {"taken": record.taken, "by": record.tool, "cluster": record.uid, "differs": changed}


def replay(record: Record, compatibility: Any = None) -> Replay:
    """Look at a record as ``look`` does at a cluster.

    Raises what ended the recorded preflight, if something did, and SafeStop when an object in it is none that an API server gives.
    """
    try:
        return _looked(record, compatibility)
    except (AttributeError, IndexError, KeyError, TypeError, ValueError) as problem:
        raise SafeStop(
            f"The objects in this snapshot cannot be read ({type(problem).__name__}): it was changed after it was taken.", ADVICE
        ) from problem


def _looked(record: Record, compatibility: Any) -> Replay:
    settings = settings_of(record.settings)
    if table := compatibility or record.compatibility:
        settings = replace(settings, compatibility=matrix_of(table))
    cluster, helm = RecordedCluster(record), RecordedHelm(record)
    tools = Tools(cluster, helm, NoProbes(), RecordedClock(_moment(record)), lambda: "", lambda _event: None)
    snapshot = reading.take(cluster, settings)
    now = situation_from(tools, settings, snapshot, grant=_grant(record), run=record.run)
    require_chart(now)
    plan = ladder.plan_of(tools, now)
    return Replay(record, now, plan, _evidence(record, now, plan, cluster, helm))


def _evidence(record: Record, now: Situation, plan: Plan, cluster: RecordedCluster, helm: RecordedHelm) -> Evidence:
    return Evidence(
        now=now,
        plan=plan,
        rung=rung_of(now),
        cluster=cluster,
        latencies=cluster.latencies,
        controller_time=_moment(record),
        helm_version=helm.version(),
        skew=record.skew,
        login_ends=time_of(record.login_ends),
        ask=recorded_ask(record),
        recorded=judged_of(record.judged),
    )


def _moment(record: Record) -> datetime:
    return time_of(record.controller_time) or time_of(record.taken) or datetime.now(timezone.utc)


def _grant(record: Record) -> Any:
    if record.grant is None:
        raise error_from(record.ended) if record.ended else SafeStop("This snapshot does not hold what the entitlement was.", ADVICE)
    return grant_of(record.grant)


def differing(judged: Mapping[str, list[str]], record: Record) -> list[str]:
    """The ids of checks that found something else then."""
    then = {name: tuple(texts) for name, texts in record.judged.items()}
    return sorted(name for name, texts in judged.items() if name in then and tuple(texts) != then[name])
