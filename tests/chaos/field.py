# SPDX-License-Identifier: GPL-3.0-or-later
"""The bed, its clusters as lanes, and all that is tried on them."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from integration.lab import Lab

from . import beside, table
from .cases import Case
from .lane import Lane
from .matrix import JOURNEYS, Matrix
from .points import Point
from .result import Result, key_of
from .runs import Launcher


class Field:
    """`with Field(folder, clusters=3) as field:` begins a bed and ends it."""

    def __init__(self, folder: Path, clusters: int, lab: Lab | None = None) -> None:
        folder = folder.resolve()
        self._own = lab is None
        self.lab = lab or Lab(folder)
        self._launcher = Launcher(self.lab, folder)
        names = [f"k{number}" for number in range(1, clusters + 1)]
        self._cases: list[Case] = []
        self._notes: list[str] = []
        self.left = 0
        """Journeys for which there was no time."""
        self.lanes: list[Lane] = []
        try:
            found = self.lab.clusters(*names)
            self.lanes += [Lane(self.lab, self._launcher, cluster, folder / cluster.name) for cluster in found]
        except BaseException:
            self.close()
            raise

    def __enter__(self) -> Field:
        return self

    def __exit__(self, *_error: object) -> None:
        self.close()

    def close(self) -> None:
        """End what was begun here."""
        self._launcher.close()
        for lane in self.lanes:
            lane.leave()
        if self._own:
            self.lab.close()

    def matrix(
        self,
        journeys: tuple[str, ...],
        step: int = 1,
        first: int = 0,
        deadline: float = float("inf"),
        only: str = "",
    ) -> None:
        """Kill at the writes of these journeys."""
        self._try(Matrix(self.lanes, journeys, step, first, deadline, only))

    def sample(self, points: Sequence[tuple[str, Point]]) -> None:
        """Kill at these points alone; and two runs meet each other."""
        self._try(Matrix(self.lanes, JOURNEYS, sample=points, second_climb=beside.contest))

    def _try(self, matrix: Matrix) -> None:
        matrix.run()
        self._cases += matrix.tried
        self._notes += [f"Not sent when it went on: {case.journey} {case.point.sent}." for case in matrix.unreached]
        self.left += matrix.left()
        if self.left:
            self._notes.append(f"For {self.left} journeys there was no time.")

    def others(self, names: str, deadline: float = float("inf")) -> None:
        """What is no point of the matrix: rivals, sleepers, dead holders, helm alone, a bastion."""
        self._cases += beside.tried(self.lanes, names, deadline)

    def result(self) -> Result:
        """What came of it. The witnesses leave."""
        found = Result(self._cases, notes=list(self._notes))
        for lane in self.lanes:
            lane.leave()
            found.learn({key_of(journey, write): step for (journey, write), step in lane.steps.items()})
            lost, asked = sum(seen.lost for seen in lane.seen), sum(seen.requests for seen in lane.seen)
            found.lost += lost
            found.asked += asked
            found.notes += table.attribute(self._cases, lane.cluster.name, lane.seen)
            empty = sum(replay.gaps for seen in lane.seen for replay in seen.endpoints.values())
            found.notes.append(f"{lane.cluster.name}: {asked} requests, {lost} lost, {empty} instants without an endpoint.")
        return found
