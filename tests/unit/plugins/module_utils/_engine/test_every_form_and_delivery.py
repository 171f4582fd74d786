# SPDX-License-Identifier: GPL-3.0-or-later
"""Every form of install with every delivery that goes with it: there, nothing the second time, back from each rung, and to the end."""

from __future__ import annotations

from pathlib import Path

import pytest

from ansible_collections.weaveworks.wge.plugins.module_utils._engine.model import Rung
from ansible_collections.weaveworks.wge.plugins.module_utils._engine.plan import rung_of
from ansible_collections.weaveworks.wge.tests.unit.plugins.module_utils._engine.standin_cells import CELLS, Cell, cell
from ansible_collections.weaveworks.wge.tests.unit.plugins.module_utils._engine.standin_faults import Fault
from ansible_collections.weaveworks.wge.tests.unit.plugins.module_utils._engine.standin_runs import RUNGS, climb, finalise, later, roll_back
from ansible_collections.weaveworks.wge.tests.unit.plugins.module_utils._engine.standin_witness import Witness, leads_to

FORGOTTEN = {"chart": "", "chart_version": "", "delivery": "", "chart_repository": ""}
"""The roles of the way back and of the end know neither the chart nor the delivery."""


@pytest.fixture(params=CELLS, ids=[" by ".join(pair) for pair in CELLS])
def scene(request: pytest.FixtureRequest, tmp_path: Path) -> Cell:
    return cell(*request.param, tmp_path)


def leads(scene: Cell) -> set[str]:
    """Where the Services of the dashboard lead."""
    return {leads_to(scene.world, name) for name in scene.kept}


def climbed(scene: Cell, goal: str = "parked") -> None:
    outcome = climb(scene.world, goal=goal)
    assert outcome is not None
    assert (outcome.verdict, str(outcome.error or "")) == ("upgraded", "")


def test_it_climbs_and_a_second_run_writes_nothing(scene: Cell) -> None:
    witness = Witness(scene.world, *scene.kept)
    climbed(scene)
    assert (rung_of(scene.world.look()), leads(scene)) == (Rung.PARKED, {"wge"})
    fault = Fault()
    outcome = climb(scene.world, fault)
    assert outcome is not None
    assert (outcome.verdict, fault.sent, witness.dark) == ("already", [], [])


@pytest.mark.parametrize("goal", RUNGS)
def test_from_each_rung_it_goes_back_to_what_was(scene: Cell, goal: str) -> None:
    before, witness = scene.left(), Witness(scene.world, *scene.kept)
    climbed(scene, goal)
    outcome = roll_back(scene.world)
    assert outcome is not None
    assert (outcome.verdict, str(outcome.error or "")) == ("rolled_back", "")
    scene.world.clock.sleep(2)
    assert scene.left() == before
    assert (leads(scene), witness.dark) == ({"wg"}, [])


def test_it_goes_to_the_end_and_a_second_call_writes_nothing(scene: Cell) -> None:
    witness = Witness(scene.world, *scene.kept)
    climbed(scene)
    scene.merge()
    later(scene.world, days=8)
    scene.world.set(**FORGOTTEN)
    outcome = finalise(scene.world)
    assert outcome is not None
    assert (outcome.verdict, str(outcome.error or "")) == ("finalised", "")
    fault = Fault()
    again = finalise(scene.world, fault)
    assert again is not None
    assert (again.verdict, fault.sent, leads(scene), witness.dark) == ("already", [], {"wge"}, [])


def test_without_a_chart_it_still_goes_back(scene: Cell) -> None:
    before = scene.left()
    climbed(scene)
    scene.world.set(**FORGOTTEN)
    outcome = roll_back(scene.world)
    assert outcome is not None
    assert (outcome.verdict, str(outcome.error or "")) == ("rolled_back", "")
    scene.world.clock.sleep(2)
    assert scene.left() == before
