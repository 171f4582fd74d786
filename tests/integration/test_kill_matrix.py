# SPDX-License-Identifier: GPL-3.0-or-later
"""A sample of the kill matrix: killed at two writes of each journey, a cluster ends where it was told to (all: `make chaos`)."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from chaos.beside import FLIP, LOCK, RIVAL, SCALE, WG_DEPLOYMENT
from chaos.field import Field
from chaos.matrix import BACK, CLIMB, FINAL
from chaos.points import AFTER, BEFORE, EVERYTHING, HELM, MIDDLE, Point, Sent
from chaos.result import Result

from integration.lab import Lab

pytestmark = [pytest.mark.bed, pytest.mark.slow]
SAMPLE = (
    (CLIMB, Point(Sent(HELM, "create", "deployments"), MIDDLE, EVERYTHING)),
    (CLIMB, Point(FLIP, AFTER)),
    (BACK, Point(SCALE, BEFORE)),
    (BACK, Point(FLIP, MIDDLE)),
    (FINAL, Point(Sent("wge", "delete", WG_DEPLOYMENT), AFTER)),
    (FINAL, Point(Sent("wge", "delete", "leases/wge-upgrade"), BEFORE)),
)
"""The same ones each time: Helm in its middle, both flips, WG's removal, the last write of all."""
TWO_AT_ONCE = (CLIMB, Point(LOCK, BEFORE, RIVAL))


@pytest.fixture(scope="module", name="result")
def _result(lab: Lab, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Result]:
    with Field(Path(tmp_path_factory.mktemp("chaos")), clusters=1, lab=lab) as field:
        field.sample(SAMPLE)
        yield field.result()


def test_every_point_of_the_sample_was_hit(result: Result) -> None:
    assert [(case.journey, case.point) for case in result.cases] == [TWO_AT_ONCE, *SAMPLE], result.notes


def test_every_journey_ends_where_it_was_to_or_stops_safely_and_then_does(result: Result) -> None:
    assert [f"{case.journey} {case.point}: {case.outcome} {case.wrong}" for case in result.cases if not case.safe] == []
    assert all(case.further <= 2 for case in result.cases)


def test_no_request_is_lost(result: Result) -> None:
    assert result.asked > 0
    assert result.lost == 0, result.notes
