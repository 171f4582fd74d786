# SPDX-License-Identifier: GPL-3.0-or-later
"""A cluster with WG on it, the tools of a climb, and short ways to what tests ask of them."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any

from ansible_collections.weaveworks.wge.plugins.module_utils._engine import ladder
from ansible_collections.weaveworks.wge.plugins.module_utils._engine.checks import registry
from ansible_collections.weaveworks.wge.plugins.module_utils._engine.look import look
from ansible_collections.weaveworks.wge.plugins.module_utils._engine.model import Object
from ansible_collections.weaveworks.wge.plugins.module_utils._engine.plan import rung_of
from ansible_collections.weaveworks.wge.plugins.module_utils._engine.settings import Settings
from ansible_collections.weaveworks.wge.plugins.module_utils._engine.situation import Situation
from ansible_collections.weaveworks.wge.plugins.module_utils._engine.work import Tools

from .standin import NOW, UID, StandInCluster
from .standin_archives import StandInArchives
from .standin_controllers import Controllers
from .standin_products import RELEASE, WG_NAME, release_secret, released, surroundings, wg_objects
from .standin_tools import StandInClock, StandInHelm, StandInProbes, StandInWatcher
from .standin_vendor import PUBLIC_KEY, TOKEN

QUICK = Settings(
    chart="repo/mccp",
    chart_version="0.38.1",
    cluster_uid=UID,
    entitlement=TOKEN,
    entitlement_public_keys=(PUBLIC_KEY,),
    baseline_seconds=1,
    rehearse_seconds=1,
    verify_seconds=1,
    soak_seconds=1,
    quiet_seconds=1,
    ready_seconds=5,
)


@dataclass
class World:
    """One cluster and everything around it. ``told`` is what the climb told, ``entry`` the Service that entry URLs lead to."""

    cluster: StandInCluster = field(default_factory=StandInCluster)
    clock: StandInClock = field(default_factory=StandInClock)
    settings: Settings = QUICK
    stop: str = ""
    told: list[Object] = field(default_factory=list)
    entry: str = WG_NAME

    def __post_init__(self) -> None:
        self.helm = StandInHelm(self.cluster)
        self.controllers = Controllers(self.cluster)
        self.probes = StandInProbes(self.cluster, self.clock, self.entry)
        self.archives = StandInArchives(self.cluster)
        self.watcher = StandInWatcher(self.cluster, self.clock)
        stop, tell = lambda: self.stop, self.told.append
        self.tools = Tools(self.cluster, self.helm, self.probes, self.clock, stop, tell, archives=self.archives, watcher=self.watcher)

    def install_wg(self, *, release: str = RELEASE, **options: Any) -> None:
        """Put WG's release there, as helm and the controllers leave it."""
        objects = wg_objects(**options)
        for item in [*surroundings(), *(released(item, release) for item in objects), release_secret(release, objects)]:
            self.cluster.put(item)
        self.controllers.settle()

    def restore(self, objects: list[Object]) -> None:
        """Change what WG's release says, without touching what runs."""
        self.cluster.put(release_secret(RELEASE, objects))

    def set(self, **settings: Any) -> None:
        """Other settings from here on."""
        self.settings = replace(self.settings, **settings)

    def look(self) -> Situation:
        """Read the cluster as a call does."""
        return look(self.tools, self.settings)

    def evidence(self, now: Situation | None = None) -> registry.Evidence:
        """What the checks are given."""
        now = now or self.look()
        plan, rung = ladder.plan_of(self.tools, now), rung_of(now)
        found = registry.Evidence(now, plan, rung, self.cluster, self.cluster.latencies, NOW, self.helm.version(), skew=0.0)
        found.archives = self.archives
        return found

    def findings(self, now: Situation | None = None) -> dict[str, registry.Finding]:
        """Every finding by its id."""
        return {finding.id: finding for finding in registry.run_all(self.evidence(now))}

    def climb(self, goal: str = "parked") -> ladder.Outcome:
        """Climb without a preflight."""
        self.set(state=goal)
        return ladder.climb(self.tools, self.settings, lambda _now, _plan: None, check_mode=False)
