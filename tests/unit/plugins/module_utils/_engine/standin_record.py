# SPDX-License-Identifier: GPL-3.0-or-later
"""A preflight of a stand-in cluster that is recorded, saved, and run again."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from ansible_collections.weaveworks.wge.plugins.module_utils._engine import ladder
from ansible_collections.weaveworks.wge.plugins.module_utils._engine.checks import registry
from ansible_collections.weaveworks.wge.plugins.module_utils._engine.look import look, require_chart
from ansible_collections.weaveworks.wge.plugins.module_utils._engine.model import Answer
from ansible_collections.weaveworks.wge.plugins.module_utils._engine.plan import rung_of
from ansible_collections.weaveworks.wge.plugins.module_utils._engine.recording import file
from ansible_collections.weaveworks.wge.plugins.module_utils._engine.recording.again import Replay, replay
from ansible_collections.weaveworks.wge.plugins.module_utils._engine.recording.live import (
    RecordingCluster,
    RecordingHelm,
    recording_ask,
)
from ansible_collections.weaveworks.wge.plugins.module_utils._engine.recording.notes import note_call, note_checks, note_look
from ansible_collections.weaveworks.wge.plugins.module_utils._engine.recording.record import Record
from ansible_collections.weaveworks.wge.plugins.module_utils._engine.work import Tools
from ansible_collections.weaveworks.wge.plugins.module_utils._errors import WgeError

from .standin import NOW
from .standin_world import World

Findings = dict[str, registry.Finding]


def recorded(world: World, ask: Callable[[str], Answer] | None = None) -> tuple[Record, registry.Evidence | None]:
    """The record of one preflight, and what it was judged by; None when it ended in an error."""
    world.cluster.latencies.clear()  # a preflight begins with a client of its own
    record, ended, evidence = Record(api="https://api"), None, None
    try:
        evidence = _asked(world, record, ask)
    except WgeError as problem:
        ended = problem
    note_call(record, world.settings, NOW, ended)
    return record, evidence


def _asked(world: World, record: Record, ask: Callable[[str], Answer] | None) -> registry.Evidence:
    cluster, helm = RecordingCluster(world.cluster, record), RecordingHelm(world.helm, record)
    tools = Tools(cluster, helm, world.probes, world.clock, lambda: "", world.told.append)
    now = look(tools, world.settings)
    note_look(record, now)
    require_chart(now)
    plan = ladder.plan_of(tools, now)
    asking = recording_ask(ask, record) if ask else None
    evidence = registry.Evidence(now, plan, rung_of(now), cluster, cluster.latencies, NOW, helm.version(), skew=0.25, ask=asking)
    evidence.archives = world.archives
    registry.run_all(evidence)
    note_checks(record, evidence)
    return evidence


def again(record: Record, path: Path) -> tuple[Replay, Findings]:
    """The record written, read and judged again."""
    file.save(record, str(path))
    found = replay(file.load(str(path)))
    return found, {finding.id: finding for finding in registry.run_all(found.evidence)}
