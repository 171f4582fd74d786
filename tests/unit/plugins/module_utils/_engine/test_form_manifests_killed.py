# SPDX-License-Identifier: GPL-3.0-or-later
"""WG without a Helm release (form D): runs that are killed, or meddled with, at any one of their writes."""

from __future__ import annotations

from pathlib import Path

import pytest

from ansible_collections.weaveworks.wge.plugins.module_utils._engine.model import Object, Rung
from ansible_collections.weaveworks.wge.plugins.module_utils._engine.plan import rung_of
from ansible_collections.weaveworks.wge.tests.unit.plugins.module_utils._engine.standin import path_of
from ansible_collections.weaveworks.wge.tests.unit.plugins.module_utils._engine.standin_faults import Fault
from ansible_collections.weaveworks.wge.tests.unit.plugins.module_utils._engine.standin_legacy import (
    DOOR,
    NAME,
    NAMESPACE,
    legacy,
)
from ansible_collections.weaveworks.wge.tests.unit.plugins.module_utils._engine.standin_runs import climb, finalise, roll_back, to_the_end
from ansible_collections.weaveworks.wge.tests.unit.plugins.module_utils._engine.standin_witness import Witness, content
from ansible_collections.weaveworks.wge.tests.unit.plugins.module_utils._engine.standin_world import World

CLIMB, BACK, END, RETURN = 17, 13, 13, 18
"""Writes of a climb, of its way back from ``parked``, of a removal, and of its way back out of the archive; each with those of the lock."""
INSTALL, UNINSTALL = 7, 5
"""The numbers of the writes that run helm, there and back."""
FLIPS = (11, 12)
LEASE = f"/apis/coordination.k8s.io/v1/namespaces/{NAMESPACE}/leases/wge-upgrade"


@pytest.fixture
def scene(tmp_path: Path) -> World:
    return legacy(tmp_path)


@pytest.fixture(scope="module")
def parked(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Object]:
    """What a climb that nobody disturbed leaves."""
    world = legacy(tmp_path_factory.mktemp("undisturbed"))
    climb(world)
    return content(world, runs=False)


@pytest.fixture(scope="module")
def finalised(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Object]:
    """What a removal that nobody disturbed leaves."""
    world = legacy(tmp_path_factory.mktemp("removed"))
    to_the_end(world)
    return content(world, runs=False)


def without_lock(found: dict[str, Object]) -> dict[str, Object]:
    return {path: item for path, item in found.items() if path != LEASE}


def every(number: int) -> list[tuple[int, str]]:
    return [(at, f"kill {when}") for at in range(number) for when in ("before", "after")]


# Killed


def test_the_numbers_below_cover_every_write(tmp_path: Path) -> None:
    world = legacy(tmp_path)
    there, back, end, again = Fault(), Fault(), Fault(), Fault()
    climb(world, there)
    roll_back(world, back)
    to_the_end(world, end)
    roll_back(world, again)
    assert [len(fault.sent) for fault in (there, back, end, again)] == [CLIMB, BACK, END, RETURN]
    assert (there.sent[INSTALL][0], back.sent[UNINSTALL][0]) == ("install", "uninstall")
    assert [there.sent[at][1].rsplit("/", 1)[1] for at in FLIPS] == [DOOR, NAME]


@pytest.mark.parametrize(("at", "kind"), [*every(CLIMB), (INSTALL, "kill within")])
def test_a_climb_killed_at_any_write_is_brought_to_its_end_by_the_next(scene: World, parked: dict[str, Object], at: int, kind: str) -> None:
    witness = Witness(scene, NAME, DOOR)
    assert climb(scene, Fault(at, kind)) is None
    outcome = climb(scene)
    assert outcome is not None
    assert outcome.verdict in ("upgraded", "already"), outcome.error
    assert rung_of(scene.look()) is Rung.PARKED
    assert without_lock(content(scene, runs=False)) == parked
    assert not witness.dark


@pytest.mark.parametrize(("at", "kind"), [*every(CLIMB), (INSTALL, "kill within")])
def test_a_climb_killed_at_any_write_can_be_taken_back(scene: World, at: int, kind: str) -> None:
    before, witness = content(scene), Witness(scene, NAME, DOOR)
    climb(scene, Fault(at, kind))
    outcome = roll_back(scene)
    assert outcome is not None
    assert (outcome.verdict, outcome.error) == ("rolled_back", None)
    assert without_lock(content(scene)) == before
    assert not witness.dark


@pytest.mark.parametrize(("at", "kind"), [*every(BACK), (UNINSTALL, "kill within")])
def test_a_way_back_killed_at_any_write_is_brought_to_its_end_by_the_next(scene: World, at: int, kind: str) -> None:
    before, witness = content(scene), Witness(scene, NAME, DOOR)
    climb(scene)
    assert roll_back(scene, Fault(at, kind)) is None
    outcome = roll_back(scene)
    assert outcome is not None
    assert (outcome.verdict, outcome.error) == ("rolled_back", None)
    assert without_lock(content(scene)) == before
    assert not witness.dark


@pytest.mark.parametrize(("at", "kind"), every(END))
def test_a_removal_killed_at_any_write_is_brought_to_its_end_by_the_next(
    scene: World, finalised: dict[str, Object], at: int, kind: str
) -> None:
    witness = Witness(scene, NAME, DOOR)
    to_the_end(scene, Fault(at, kind))
    outcome = finalise(scene)
    assert outcome is not None
    assert outcome.verdict in ("finalised", "already"), outcome.error
    assert content(scene, runs=False) == finalised
    assert not witness.dark


@pytest.fixture
def archived(tmp_path: Path) -> tuple[World, dict[str, Object]]:
    """A finalised cluster, its archive from before the upgrade, and what it was."""
    world = legacy(tmp_path)
    before = content(world, runs=False)
    to_the_end(world)
    return world, before


@pytest.mark.parametrize(("at", "kind"), every(RETURN))
def test_a_way_back_out_of_the_archive_killed_at_any_write_is_ended_by_the_next(
    archived: tuple[World, dict[str, Object]], at: int, kind: str
) -> None:
    world, before = archived
    witness = Witness(world, NAME, DOOR)
    assert roll_back(world, Fault(at, kind)) is None
    outcome = roll_back(world)
    assert outcome is not None
    assert outcome.verdict == "rolled_back", outcome.error
    assert content(world, runs=False) == before
    assert not witness.dark


@pytest.mark.parametrize("at", [at for at in range(CLIMB) if at != INSTALL])
def test_what_somebody_else_changed_is_never_overwritten(scene: World, at: int) -> None:
    witness, fault = Witness(scene, NAME, DOOR), Fault(at, "meddle")
    outcome = climb(scene, fault)
    assert outcome is not None
    assert outcome.verdict in ("safe_stop", "upgraded")
    live = scene.cluster.objects[path_of(fault.meddled)]
    assert {key: live[key] for key in live if key != "status"} == {key: fault.meddled[key] for key in live if key != "status"}
    if at not in FLIPS:  # there the selector itself was changed, by the somebody
        assert not witness.dark
