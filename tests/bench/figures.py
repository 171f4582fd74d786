# SPDX-License-Identifier: GPL-3.0-or-later
"""What was measured, and the ratios made of it. Pure."""

from __future__ import annotations

import statistics
from collections.abc import Sequence
from dataclasses import dataclass, field

REQUESTS_GOAL = 60
PEER_CPU_GOAL = 20.0
BARE_CPU_GOAL = 2.0


@dataclass(frozen=True)
class Cost:
    """Seconds of one run, children included."""

    cpu: float
    wall: float


@dataclass
class Measured:
    """All runs of one thing, for ``hosts`` clusters each."""

    name: str
    hosts: int
    runs: list[Cost] = field(default_factory=list)

    @property
    def cost(self) -> Cost:
        """The medians."""
        return Cost(statistics.median(run.cpu for run in self.runs), statistics.median(run.wall for run in self.runs))

    def per_host(self, start: Measured | None = None) -> Cost:
        """A cluster's share, with the start-up taken off when ``start`` is given."""
        base = start.cost if start else Cost(0.0, 0.0)
        return Cost((self.cost.cpu - base.cpu) / self.hosts, (self.cost.wall - base.wall) / self.hosts)


@dataclass(frozen=True)
class Figures:
    """The three, and the start-up of each."""

    ours: Measured
    ours_start: Measured
    peer: Measured
    peer_start: Measured
    bare: Measured
    bare_start: Measured
    nothing: Measured

    def dispatch(self) -> str:
        """How much of ours is Ansible's price of any task, whatever it does."""
        nothing, ours, bare = (
            self.nothing.per_host(self.ours_start),
            self.ours.per_host(self.ours_start),
            self.bare.per_host(self.bare_start),
        )
        return (
            f"of our {ours.cpu * 1000:.0f} ms CPU a cluster {nothing.cpu * 1000:.0f} ms are "
            f"what Ansible takes for a task that does nothing; the rest over the bare loop: {(ours.cpu - nothing.cpu) / bare.cpu:.2f}"
        )

    def ratios(self, *, subtracted: bool) -> dict[str, float]:
        """``peer_…`` is the peer over ours, ``bare_…`` is ours over the bare loop, each for one cluster."""
        pairs = ((self.ours, self.ours_start), (self.peer, self.peer_start), (self.bare, self.bare_start))
        ours, peer, bare = (thing.per_host(start if subtracted else None) for thing, start in pairs)
        return {
            "peer_cpu_ratio": peer.cpu / ours.cpu,
            "bare_cpu_ratio": ours.cpu / bare.cpu,
            "peer_wall_ratio": peer.wall / ours.wall,
            "bare_wall_ratio": ours.wall / bare.wall,
        }

    def table(self) -> list[str]:
        """Absolute figures."""
        lines = [f"{'median of runs':<32}{'runs':>5}{'clusters':>10}{'CPU s':>9}{'wall s':>9}{'CPU ms/cluster':>17}{'wall ms/cluster':>17}"]
        pairs = ((self.ours, self.ours_start), (self.peer, self.peer_start), (self.bare, self.bare_start))
        for thing, start in pairs:
            lines.append(_row(start, None))
            lines.append(_row(thing, thing.per_host(start)))
        return [*lines, _row(self.nothing, self.nothing.per_host(self.ours_start))]

    def goals(self, requests: int) -> list[str]:
        """One line for each goal, met or missed."""
        ratios = self.ratios(subtracted=True)
        peer, bare = ratios["peer_cpu_ratio"], ratios["bare_cpu_ratio"]
        return [
            _goal(requests <= REQUESTS_GOAL, f"requests of a preflight: {requests}, at most {REQUESTS_GOAL}"),
            _goal(peer >= PEER_CPU_GOAL, f"the peer's CPU over ours: {peer:.1f}, at least {PEER_CPU_GOAL:g}"),
            _goal(bare <= BARE_CPU_GOAL, f"our CPU over the bare loop's: {bare:.2f}, at most {BARE_CPU_GOAL:g}"),
        ]


def line_of(ratios: dict[str, float]) -> str:
    """``name=value`` for each."""
    return " ".join(f"{name}={value:.2f}" for name, value in ratios.items())


def spread(runs: Sequence[Cost]) -> str:
    """The least and the most CPU, to show how quiet the machine was."""
    return f"{min(run.cpu for run in runs):.2f} to {max(run.cpu for run in runs):.2f}"


def _row(thing: Measured, share: Cost | None) -> str:
    shares = f"{share.cpu * 1000:>17.1f}{share.wall * 1000:>17.1f}" if share else ""
    return f"{thing.name:<32}{len(thing.runs):>5}{thing.hosts:>10}{thing.cost.cpu:>9.2f}{thing.cost.wall:>9.2f}{shares}"


def _goal(met: bool, text: str) -> str:
    return f"goal {'met   ' if met else 'MISSED'} {text}"
