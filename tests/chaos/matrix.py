# SPDX-License-Identifier: GPL-3.0-or-later
"""All cases of all journeys, on a few clusters at once.

A cluster goes round: up to `parked`, hit on its way; back to WG, hit on its way; or on to `finalised`, after which WG is installed
anew. So what puts a cluster back is itself a case.
"""

from __future__ import annotations

import runpy
import threading
import time
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from integration.lab import ROOT

from . import anew
from .cases import Case, Journey, Trip, go, paired, points_of
from .lane import Lane
from .points import HELM, MOMENTS, Point, Sent

CLIMB, BACK, FINAL = "parked", "rolled_back", "finalised"
_KNOWN = runpy.run_path(str(ROOT / "plugins" / "module_utils" / "_argspec.py"))["CLIMB"]["state"]["choices"]
JOURNEYS = tuple(journey for journey in (CLIMB, BACK, FINAL) if journey in _KNOWN)
"""Those that the option knows."""


@dataclass
class Matrix:
    """What is still to be tried, and what was. Lanes share it."""

    lanes: list[Lane]
    journeys: tuple[str, ...]
    step: int = 1
    first: int = 0
    """Of the journeys every so-manieth is made from one of them on: a sample, or a part."""
    deadline: float = float("inf")
    only: str = ""
    """Points of writes in whose description these words are."""
    sample: Sequence[tuple[str, Point]] = ()
    """These points and no others, those of each journey in one."""
    second_climb: Callable[[Lane], Case] | None = None
    """A case that ends at `parked`, in place of a clean climb that would teach nothing more."""
    waiting: dict[str, deque[Journey]] = field(default_factory=dict)
    known: dict[str, set[Sent]] = field(default_factory=dict)
    foreseen: dict[str, int] = field(default_factory=dict)
    """How many points each journey has, whatever part of them is tried."""
    met: dict[tuple[str, Sent], Point] = field(default_factory=dict)
    tried: list[Case] = field(default_factory=list)
    unreached: list[Case] = field(default_factory=list)
    log: list[str] = field(default_factory=list)
    _lock: threading.RLock = field(default_factory=threading.RLock)
    _failures: list[BaseException] = field(default_factory=list)

    def run(self) -> None:
        """Until nothing is left to try, or the time is over."""
        self._at_once([lambda lane=lane: self._learn(lane) for lane in self.lanes])
        self._at_once([lambda lane=lane: self._rounds(lane) for lane in self.lanes])
        self._add_what_was_met()
        self._at_once([lambda lane=lane: self._rounds(lane) for lane in self.lanes])

    def left(self) -> int:
        """Journeys for which there was no time."""
        return sum(len(found) for found in self.waiting.values())

    # -- what to try

    def _learn(self, lane: Lane) -> None:
        """One clean round: what is written, and what it leaves."""
        lane.watch()
        writes = {}
        for journey in [CLIMB, BACK, *([CLIMB, FINAL] if FINAL in self.journeys else [])]:
            lane.tidy()
            if journey in writes and self.second_climb:
                self.tried.append(self.second_climb(lane))
                continue
            ran = lane.play(journey)
            if not ran.arrived(journey):
                raise AssertionError(f"a clean run to {journey} on {lane.cluster.name}: {ran.told}\n{ran.text[-3000:]}")
            lane.learn(journey)
            writes[journey] = ran.writes
            self._say(f"{lane.cluster.name}: a clean run to {journey}: {len(ran.writes)} writes, {ran.seconds:.1f} s")
        lane.over = FINAL in self.journeys
        with self._lock:
            if not self.waiting:
                points = {journey: points_of(found) for journey, found in writes.items()}
                self.foreseen = {journey: len(found) for journey, found in points.items()}
                self.known = {journey: {point.sent for point in found} for journey, found in points.items()}
                self.waiting = {j: deque(self._chosen(j, found)) for j, found in points.items() if j in self.journeys}

    def _chosen(self, journey: str, points: Sequence[Point]) -> list[Journey]:
        """The journeys of a part, of certain writes, or of a sample."""
        if self.sample:
            return [tuple(Case(journey, point) for point in points if (journey, point) in self.sample)]
        return paired(journey, [point for point in points if self.only in str(point.sent)])[self.first :: self.step]

    def _add_what_was_met(self) -> None:
        """Writes that only a run sends which goes on after a killed one: the way to them is the point that led there."""
        for (journey, write), way in self.met.items():
            cases = [(Case(journey, way, aside=True), Case(journey, Point(write, moment))) for moment in MOMENTS]
            self.waiting[journey].extend(cases[self.first % len(cases) :: min(self.step, len(cases))])
        self.waiting = {j: deque([*found, *((case,) for case in self.unreached if case.journey == j)]) for j, found in self.waiting.items()}
        self.unreached = []

    # -- trying

    def _rounds(self, lane: Lane) -> None:
        while self.left() and time.monotonic() < self.deadline:
            anew.ready(lane)
            self._one(lane, CLIMB)
            down = FINAL if self._more(FINAL) > self._more(BACK) else BACK
            self._one(lane, down)
            lane.over = down == FINAL
            lane.tidy()

    def _more(self, journey: str) -> int:
        with self._lock:
            return len(self.waiting.get(journey, ()))

    def _one(self, lane: Lane, journey: str) -> None:
        with self._lock:
            found = self.waiting.get(journey)
            cases: Journey = found.popleft() if found and time.monotonic() < self.deadline else ()
        trip = go(lane, journey, cases)
        self._note(lane, journey, trip)
        if trip.tried and not trip.safe:
            anew.mend(lane, journey)

    def _note(self, lane: Lane, journey: str, trip: Trip) -> None:
        with self._lock:
            self.tried += [case for case in trip.tried if not case.aside]
            self.unreached += [case for case in trip.unreached if not case.aside]
            for way, write in trip.later_writes:
                if write.by != HELM and write not in self.known[journey] and not self.sample:
                    self.met.setdefault((journey, write), way)
            for case in trip.tried:
                self._say(case.told)
            for case in trip.unreached:
                self._say(f"--- {lane.cluster.name} {case.journey} {case.point.sent} was not sent")

    def _say(self, text: str) -> None:
        with self._lock:
            self.log.append(text)
            print(text, flush=True)

    def _at_once(self, jobs: Sequence[object]) -> None:
        threads = [threading.Thread(target=self._guarded, args=(job,), daemon=True) for job in jobs]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        if self._failures:
            raise self._failures[0]

    def _guarded(self, job: object) -> None:
        try:
            assert callable(job)
            job()
        except BaseException as failure:
            self._failures.append(failure)
            self.deadline = 0.0
