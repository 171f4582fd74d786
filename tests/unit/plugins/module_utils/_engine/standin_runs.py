# SPDX-License-Identifier: GPL-3.0-or-later
"""A cluster that was lived in, and runs on it, each a process of its own."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from pathlib import Path

from ansible_collections.weaveworks.wge.plugins.module_utils._engine import finalising, ladder
from ansible_collections.weaveworks.wge.plugins.module_utils._engine.model import Object
from ansible_collections.weaveworks.wge.plugins.module_utils._engine.work import Tools

from .standin import NOW
from .standin_faults import Fault, FaultyCluster, FaultyHelm, Killed, short
from .standin_products import NAMESPACE, RELEASE, WG_LABELS, WG_NAME, release_secret, released, thing, wg_objects
from .standin_tools import StandInProbes, StandInWatcher
from .standin_world import QUICK, World

KEPT = (WG_NAME, "by-hand", "metrics")
RUNGS = ["prepared", "rehearsed", "flipped", "soaked", "parked"]
LOCK = f"/apis/coordination.k8s.io/v1/namespaces/{NAMESPACE}/leases/wge-upgrade"

CLIMB = 28
"""Writes of a climb of the lived-in cluster, with those of the lock."""

BACK = 24
"""Writes of its way back from ``parked``."""

INSTALL = 16
"""The number of the write that runs ``helm install``."""

UNINSTALL = 7
"""The number of the write that runs ``helm uninstall`` on the way back."""


def lived_in(folder: Path) -> World:
    """WG with revisions 6 and 7 (Helm pruned the older ones), and two Services that somebody made by hand."""
    world = World(settings=replace(QUICK, archive_dir=str(folder / "archive")))
    objects = wg_objects()
    for item in [released(item, RELEASE) for item in objects]:
        world.cluster.put(item)
    world.cluster.put(release_secret(RELEASE, objects, revision=6, status="superseded"))
    world.cluster.put(release_secret(RELEASE, objects, revision=7))
    world.cluster.put(_service("by-hand", {"port": 80, "targetPort": 9001}, {"name": "metrics", "port": 2112, "targetPort": 2112}))
    world.cluster.put(_service("metrics", {"port": 2112, "targetPort": "http-metrics"}))
    world.controllers.settle()
    return world


def _service(name: str, *ports: Object) -> Object:
    return thing("v1", "Service", name, NAMESPACE, spec={"selector": dict(WG_LABELS), "ports": list(ports)})


def start(world: World, fault: Fault | None = None) -> Fault:
    """Begin a new process on a cluster: it knows nothing of those before."""
    fault = fault or Fault()
    world.probes.stop()
    world.probes = StandInProbes(world.cluster, world.clock, world.entry)
    cluster, helm = FaultyCluster(world.cluster, fault), FaultyHelm(world.helm, fault)
    stop, tell = lambda: fault.keep_going() or world.stop, world.told.append
    world.watcher = StandInWatcher(world.cluster, world.clock)
    world.tools = Tools(cluster, helm, world.probes, world.clock, stop, tell, archives=world.archives, watcher=world.watcher)
    return fault


def later(world: World, *, days: float) -> None:
    """Days pass by the API server's clock."""
    world.cluster.server_time = NOW + timedelta(days=days)


def finalise(world: World, fault: Fault | None = None, *, check_mode: bool = False) -> ladder.Outcome | None:
    """One run of its own; None when it was killed."""
    start(world, fault)
    world.set(state="finalised")
    try:
        return finalising.finalise(world.tools, world.settings, check_mode=check_mode)
    except Killed:
        return None


def to_the_end(world: World, fault: Fault | None = None) -> None:
    """Upgraded, eight days later, removed; ``fault`` is in the removal."""
    climb(world)
    later(world, days=8)
    finalise(world, fault)


def climb(world: World, fault: Fault | None = None, goal: str = "parked") -> ladder.Outcome | None:
    """One run of its own; None when it was killed."""
    start(world, fault)
    try:
        return world.climb(goal)
    except Killed:
        return None


def roll_back(world: World, fault: Fault | None = None) -> ladder.Outcome | None:
    """One run back; None when it was killed."""
    start(world, fault)
    world.set(state="rolled_back")
    try:
        return ladder.roll_back(world.tools, world.settings, check_mode=False)
    except Killed:
        return None


def sent(world: World, goal: str = "parked") -> list[tuple[str, str]]:
    """The writes of a climb that ends well."""
    fault = Fault()
    outcome = climb(world, fault, goal)
    assert outcome is not None
    assert outcome.verdict == "upgraded", outcome.error
    return short(fault)
