# SPDX-License-Identifier: GPL-3.0-or-later
"""What is tried, and what came of it.

A case is a point at which a journey is hit. Two of them share a journey where they can: the run that goes on after the first is
hit at the second. So the first needs two further runs and the second one, which is within what is allowed.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import cycle, zip_longest
from typing import Any

from .lane import Lane, Ran, Strike, WayIn
from .points import CONTROLLER, EVERYTHING, HELM, MOMENTS, WORKER, Point, Sent

MOST_FURTHER_RUNS = 2
REACHED = "reached"
RENEWED = "leases/wge-upgrade (spec)"
HELM_AND_OTHERS = ("secrets", "deployments")
"""Kinds at which, while helm writes them, the worker and the controller die alone, too."""


@dataclass
class Case:
    """One point of one journey, and its outcome."""

    journey: str
    point: Point
    aside: bool = False
    """Only the way to the next one: it is tried elsewhere."""
    beside: str = ""
    """The name of what it belongs to, when that is no part of the matrix."""
    outcome: str = ""
    further: int = 0
    wrong: list[str] = field(default_factory=list)
    began: float = 0.0
    ended: float = 0.0
    lane: str = ""
    lost: int = 0
    form: str = "A"

    @property
    def safe(self) -> bool:
        """Whether it ended in one of the allowed outcomes."""
        return bool(self.outcome) and not self.wrong

    @property
    def told(self) -> str:
        """In a line."""
        words = f"{self.journey:11} {self.point.way:10} {self.point.moment:6} {self.point.sent}: {self.outcome} {self.wrong or ''}"
        return f"{'ok ' if self.safe else 'BAD'} {self.lane} {self.ended - self.began:5.1f} s {words}"


Journey = tuple[Case, ...]


@dataclass
class Trip:
    """What became of one journey."""

    tried: list[Case] = field(default_factory=list)
    unreached: list[Case] = field(default_factory=list)
    later_writes: list[tuple[Point, Sent]] = field(default_factory=list)
    """What the runs that went on wrote, and after what."""
    traceback: bool = False

    @property
    def safe(self) -> bool:
        """Whether the cluster is now where the journey was to end."""
        return all(case.safe for case in self.tried)


def points_of(writes: Sequence[Sent]) -> list[Point]:
    """Every write of ours in every moment, each once with the controller as the victim; of helm's each kind."""
    moments = cycle(MOMENTS)
    found: list[Point] = []
    for write in dict.fromkeys(writes):
        if write.what == RENEWED:
            continue  # only when the machine is slow; beside the matrix it is tried on purpose
        if write.by != HELM:
            found += [Point(write, moment) for moment in MOMENTS]
            found.append(Point(write, next(moments), CONTROLLER))
        elif write.number == 1 and write.what != "customresourcedefinitions":  # a CRD outlives a rollback: sent in the first run only
            found += [Point(write, moment, EVERYTHING) for moment in MOMENTS]
            others = (WORKER, CONTROLLER) if write.what in HELM_AND_OTHERS else ()
            found += [Point(write, next(moments), way) for way in others]
    return found


def paired(journey: str, points: Sequence[Point]) -> list[Journey]:
    """Two to a journey: one of its first half, one of its second."""
    half = (len(points) + 1) // 2
    pairs = zip_longest(points[:half], points[half:])
    return [tuple(Case(journey, point) for point in pair if point) for pair in pairs]


def go(lane: Lane, journey: str, cases: Sequence[Case], strike: Strike | None = None, way_in: WayIn | None = None, **more: Any) -> Trip:
    """One journey, hit at each of the cases in turn, and run again until it arrives."""
    trip = Trip()
    for case in cases:
        case.lane, case.began = lane.cluster.name, time.time()
        ran = lane.end(lane.begin(journey, case.point, strike, way_in, **more))
        trip.traceback |= "Traceback" in ran.text
        if trip.tried:
            trip.later_writes += [(trip.tried[-1].point, write) for write in ran.writes]
        if ran.hit:
            trip.tried.append(case)
            lane.forget_holder()
        else:
            trip.unreached.append(case)
    _to_the_end(lane, journey, trip, way_in)
    for case in trip.tried:
        case.ended = time.time()
    return trip


def _to_the_end(lane: Lane, journey: str, trip: Trip, way_in: WayIn | None) -> None:
    """Run again until the journey says that it has arrived, at most as often as is allowed; then look at the cluster."""
    hits = len(trip.tried)
    for number, case in enumerate(trip.tried):
        case.further = hits - 1 - number
    ran, stops = Ran(), []
    for _further in range(MOST_FURTHER_RUNS + 1 - max(1, hits)):
        ran = lane.play(journey, way_in=way_in)
        trip.later_writes += [(case.point, write) for case in trip.tried[-1:] for write in ran.writes]
        trip.traceback |= "Traceback" in ran.text
        for case in trip.tried:
            case.further += 1
        if ran.arrived(journey):
            break
        stops.append(ran.told)
        lane.forget_holder()
    wrong = [] if ran.arrived(journey) else [f"not {journey}: {' / '.join(stops)}"]
    wrong += ["a traceback was printed"] if trip.traceback else []
    wrong += lane.wrong(journey)
    for case in trip.tried:
        case.outcome = "not reached" if not ran.arrived(journey) else f"safe stop ({stops[-1]}), then {REACHED}" if stops else REACHED
        case.wrong = wrong
