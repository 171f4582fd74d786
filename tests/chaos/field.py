# SPDX-License-Identifier: GPL-3.0-or-later
"""The bed, its clusters as lanes, and all that is tried on them."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from integration.lab import Lab

from . import beside, table
from .cases import Case, go
from .forms import FORMS, Form
from .lane import Lane
from .matrix import BACK, JOURNEYS, Matrix
from .points import Point
from .result import Result, key_of
from .runs import Launcher


class Field:
    """`with Field(folder, clusters=3) as field:` begins a bed and ends it."""

    def __init__(self, folder: Path, clusters: int, lab: Lab | None = None, form: Form = FORMS["A"]) -> None:
        folder = folder.resolve()
        self._form = form
        self._own = lab is None
        self.lab = lab or Lab(folder)
        self._launcher = Launcher(self.lab, folder)
        self._cases: list[Case] = []
        self._notes: list[str] = []
        self._foreseen: dict[str, int] = {}
        self.left = 0
        """Journeys for which there was no time."""
        self.lanes: list[Lane] = []
        try:
            found = self.lab.clusters(*form.clusters(clusters), wg=form.way)
            self.lanes += [Lane(self.lab, self._launcher, cluster, folder / cluster.name, form) for cluster in found]
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

    def brief(self, points: Sequence[tuple[str, Point]]) -> None:
        """As `sample`, without a clean round before: it is the way back that must leave what there was."""
        (lane,) = self.lanes
        lane.watch()
        lane.learn(BACK)
        for journey in dict.fromkeys(journey for journey, _point in points):
            trip = go(lane, journey, [Case(journey, point) for one, point in points if one == journey])
            self._cases += trip.tried
            self._notes += [f"Not sent: {case.journey} {case.point.sent}." for case in trip.unreached]

    def _try(self, matrix: Matrix) -> None:
        matrix.run()
        self._cases += matrix.tried
        self._foreseen |= matrix.foreseen
        self._notes += [f"Not sent when it went on: {case.journey} {case.point.sent}." for case in matrix.unreached]
        self.left += matrix.left()
        if self.left:
            self._notes.append(f"For {self.left} journeys there was no time.")

    def others(self, names: str, deadline: float = float("inf")) -> None:
        """What is no point of the matrix: rivals, sleepers, dead holders, helm alone, a bastion. They are tried on form A."""
        if self._form.with_others:
            self._cases += beside.tried(self.lanes, names, deadline)

    def result(self) -> Result:
        """What came of it. The witnesses leave."""
        for case in self._cases:
            case.form = self._form.letter
        found = Result(self._cases, notes=list(self._notes))
        found.foreseen = {f"{self._form.letter} {journey}": number for journey, number in self._foreseen.items()}
        for lane in self.lanes:
            lane.leave()
            found.learn({key_of(self._form.letter, journey, write): step for (journey, write), step in lane.steps.items()})
            lost, asked = sum(seen.lost for seen in lane.seen), sum(seen.requests for seen in lane.seen)
            found.lost += lost
            found.asked += asked
            found.notes += table.attribute(self._cases, lane.cluster.name, lane.seen)
            empty = sum(replay.gaps for seen in lane.seen for replay in seen.endpoints.values())
            found.notes.append(f"{lane.cluster.name}: {asked} requests, {lost} lost, {empty} instants without an endpoint.")
        found.counted = {self._form.letter: (found.asked, found.lost)}
        return found
