# SPDX-License-Identifier: GPL-3.0-or-later
"""WGE by its plain objects: runs that are killed, or meddled with, at any one of their writes."""

from __future__ import annotations

from pathlib import Path

import pytest

from ansible_collections.weaveworks.wge.plugins.module_utils._engine.model import Object, Rung
from ansible_collections.weaveworks.wge.plugins.module_utils._engine.plan import rung_of
from ansible_collections.weaveworks.wge.tests.unit.plugins.module_utils._engine.standin import path_of
from ansible_collections.weaveworks.wge.tests.unit.plugins.module_utils._engine.standin_cells import FIRST_FLIP, Cell, cell
from ansible_collections.weaveworks.wge.tests.unit.plugins.module_utils._engine.standin_faults import Fault, short
from ansible_collections.weaveworks.wge.tests.unit.plugins.module_utils._engine.standin_runs import climb, roll_back
from ansible_collections.weaveworks.wge.tests.unit.plugins.module_utils._engine.standin_witness import Witness

CLIMB, BACK = 37, 33
"""Writes of a climb of the lived-in cluster, and of its way back from ``parked``; each with those of the lock."""
FLIPS = ("services/by-hand", "services/metrics", "services/ww-gitops-weave-gitops")


@pytest.fixture
def scene(tmp_path: Path) -> Cell:
    return cell("helm", "manifests", tmp_path)


@pytest.fixture(scope="module")
def parked(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Object]:
    """What a climb that nobody disturbed leaves."""
    scene = cell("helm", "manifests", tmp_path_factory.mktemp("undisturbed"))
    climb(scene.world)
    return scene.left(runs=False)


def every(number: int) -> list[tuple[int, str]]:
    return [(at, f"kill {when}") for at in range(number) for when in ("before", "after")]


def test_the_numbers_below_cover_every_write(scene: Cell) -> None:
    there, back = Fault(), Fault()
    climb(scene.world, there)
    roll_back(scene.world, back)
    assert [len(there.sent), len(back.sent)] == [CLIMB, BACK]
    assert [at for at, (_verb, name) in enumerate(short(there)) if name in FLIPS][-len(FLIPS)] == FIRST_FLIP


@pytest.mark.parametrize(("at", "kind"), every(CLIMB))
def test_a_climb_killed_at_any_write_is_brought_to_its_end_by_the_next(scene: Cell, parked: dict[str, Object], at: int, kind: str) -> None:
    witness = Witness(scene.world)
    assert climb(scene.world, Fault(at, kind)) is None
    outcome = climb(scene.world)
    assert outcome is not None
    assert outcome.verdict in ("upgraded", "already"), outcome.error
    assert rung_of(scene.world.look()) is Rung.PARKED
    assert scene.left(runs=False) == parked
    assert not witness.dark


@pytest.mark.parametrize(("at", "kind"), every(CLIMB))
def test_a_climb_killed_at_any_write_can_be_taken_back(scene: Cell, at: int, kind: str) -> None:
    before, witness = scene.left(), Witness(scene.world)
    climb(scene.world, Fault(at, kind))
    outcome = roll_back(scene.world)
    assert outcome is not None
    assert (outcome.verdict, outcome.error) == ("rolled_back", None)
    assert scene.left() == before
    assert not witness.dark


@pytest.mark.parametrize(("at", "kind"), every(BACK))
def test_a_way_back_killed_at_any_write_is_brought_to_its_end_by_the_next(scene: Cell, at: int, kind: str) -> None:
    before, witness = scene.left(), Witness(scene.world)
    climb(scene.world)
    assert roll_back(scene.world, Fault(at, kind)) is None
    outcome = roll_back(scene.world)
    assert outcome is not None
    assert (outcome.verdict, outcome.error) == ("rolled_back", None)
    assert scene.left() == before
    assert not witness.dark


@pytest.mark.parametrize("at", range(CLIMB))
def test_what_somebody_else_changed_is_never_overwritten(scene: Cell, at: int) -> None:
    witness, fault = Witness(scene.world), Fault(at, "meddle")
    outcome = climb(scene.world, fault)
    assert outcome is not None
    assert outcome.verdict in ("safe_stop", "upgraded")
    live = scene.world.cluster.objects[path_of(fault.meddled)]
    assert {key: live[key] for key in live if key != "status"} == {key: fault.meddled[key] for key in live if key != "status"}
    if short(fault)[at][1] not in FLIPS:  # there the selector itself was changed, by the somebody
        assert not witness.dark
