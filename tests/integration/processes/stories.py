# SPDX-License-Identifier: GPL-3.0-or-later
"""A worker and a controller, killed and interrupted on their way up, and the same command called again each time."""

from __future__ import annotations

import signal
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from testbed import Cluster
from witness.load import Load, Target

from integration.lab import FAST, Lab, Run

from . import system
from .watched import Aftermath, Watched, hit

TIMES: dict[str, Any] = {**FAST, "wge_rehearse_seconds": 3, "wge_soak_seconds": 4, "wge_quiet_seconds": 6, "wge_lock_seconds": 15}
"""Long enough at the places where a run is hit; the lock of a killed run is waited out."""


@dataclass
class Story:
    """What happened on one cluster: the hits by name, the last run, and what the dashboard's visitors saw meanwhile."""

    cluster: Cluster
    hits: dict[str, Aftermath] = field(default_factory=dict)
    last: Run | None = None
    visitors: dict[str, Any] = field(default_factory=dict)
    strays: set[str] = field(default_factory=set)
    failure: AssertionError | None = None

    def after(self, name: str) -> Aftermath:
        """What was there after this hit; why the story did not come so far, when it did not."""
        if name not in self.hits and self.failure:
            raise self.failure
        return self.hits[name]

    @property
    def end(self) -> Run:
        """The last run."""
        if self.last is None:
            raise self.failure or AssertionError("the story has no end")
        return self.last

    @property
    def lost(self) -> list[Any]:
        """Every request of a visitor that got no answer."""
        return [loss for stream in self.visitors["streams"] for loss in stream["losses"]]


def killed_worker(lab: Lab, cluster: Cluster) -> Story:
    """Its worker is killed before the flip, then while the flipped dashboard is watched."""
    return _told(
        lab,
        cluster,
        {
            "before the flip": ("WGE is asked again", lambda run: run.worker(), signal.SIGKILL),
            "after the flip": ("soaking", lambda run: run.worker(), signal.SIGKILL),
        },
    )


def killed_controller(lab: Lab, cluster: Cluster) -> Story:
    """Its controller is killed while helm is at work, then asked to end in both ways."""
    return _told(
        lab,
        cluster,
        {
            "killed": ("S7 install WGE beside WG: …", _controller_of_helm, signal.SIGKILL),
            "terminated": ("verifying the edge", lambda run: run.pid, signal.SIGTERM),
            "interrupted": ("soaking", lambda run: run.pid, signal.SIGINT),
        },
    )


Plan = dict[str, tuple[str, Callable[[Watched], int], signal.Signals]]


def _controller_of_helm(run: Watched) -> int:
    run.while_helm()
    return run.pid


def _told(lab: Lab, cluster: Cluster, plan: Plan) -> Story:
    story = Story(cluster)
    before = system.machine_temp()
    load = Load([Target("entry", cluster.entry_url)])
    load.start()
    try:
        for name, (place, victim, number) in plan.items():
            watched = _begun(lab, cluster)
            watched.until(place)
            story.hits[name] = hit(watched, cluster, victim(watched), number)
        story.last = _begun(lab, cluster).ended()
    except AssertionError as failure:
        story.failure = failure
    finally:
        story.visitors = load.stop()
    story.strays = system.machine_temp() - before
    return story


def _begun(lab: Lab, cluster: Cluster) -> Watched:
    archive = {"wge_archive_dir": str(lab.root / f"archive-{cluster.name}")}
    return Watched(lab, "upgrade", {cluster.name: lab.host(cluster)}, variables={**TIMES, **archive})
