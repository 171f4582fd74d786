# SPDX-License-Identifier: GPL-3.0-or-later
"""A climb, or its way back, that is killed or whose answer gets lost, at any one of its writes."""

from __future__ import annotations

import pytest

from ansible_collections.weaveworks.wge.plugins.module_utils._engine.model import Rung
from ansible_collections.weaveworks.wge.plugins.module_utils._engine.objects import labels_of
from ansible_collections.weaveworks.wge.plugins.module_utils._engine.plan import rung_of
from ansible_collections.weaveworks.wge.tests.unit.plugins.module_utils._engine.standin_faults import FOREIGN, Fault
from ansible_collections.weaveworks.wge.tests.unit.plugins.module_utils._engine.standin_products import WG_NAME, WGE_NAME
from ansible_collections.weaveworks.wge.tests.unit.plugins.module_utils._engine.standin_runs import (
    BACK,
    CLIMB,
    INSTALL,
    UNINSTALL,
    climb,
    lived_in,
    roll_back,
)
from ansible_collections.weaveworks.wge.tests.unit.plugins.module_utils._engine.standin_witness import Witness, content
from ansible_collections.weaveworks.wge.tests.unit.plugins.module_utils._engine.standin_world import World


@pytest.fixture(scope="module")
def parked(tmp_path_factory: pytest.TempPathFactory) -> dict[str, object]:
    """What a climb that nobody disturbed leaves."""
    world = lived_in(tmp_path_factory.mktemp("undisturbed"))
    climb(world)
    return dict(content(world, runs=False))


def test_the_numbers_below_cover_every_write_there_and_back(scene: World) -> None:
    there, back = Fault(), Fault()
    climb(scene, there)
    roll_back(scene, back)
    assert (len(there.sent), len(back.sent)) == (CLIMB, BACK)
    assert (there.sent[INSTALL][0], back.sent[UNINSTALL][0]) == ("install", "uninstall")


# Killed


KILLS = [(at, f"kill {when}") for at in range(CLIMB) for when in ("before", "after")] + [(INSTALL, "kill within")]


@pytest.mark.parametrize(("at", "kind"), KILLS)
def test_a_climb_killed_at_any_write_is_brought_to_its_end_by_the_next_run(
    scene: World, parked: dict[str, object], at: int, kind: str
) -> None:
    witness = Witness(scene)
    assert climb(scene, Fault(at, kind)) is None
    outcome = climb(scene)
    assert outcome is not None
    assert outcome.verdict in ("upgraded", "already"), outcome.error
    assert rung_of(scene.look()) is Rung.PARKED
    assert not witness.dark
    assert content(scene, runs=False) == parked


@pytest.mark.parametrize("at", range(1, CLIMB, 5))
def test_a_climb_killed_twice_is_brought_to_its_end_by_the_run_after_that(scene: World, parked: dict[str, object], at: int) -> None:
    witness = Witness(scene)
    climb(scene, Fault(at, "kill after"))
    climb(scene, Fault(2, "kill before"))
    outcome = climb(scene)
    assert outcome is not None
    assert outcome.verdict in ("upgraded", "already"), outcome.error
    assert not witness.dark
    assert content(scene, runs=False) == parked


@pytest.mark.parametrize(("at", "kind"), KILLS[::6] + KILLS[-1:])
def test_a_climb_killed_at_any_write_can_be_taken_back(scene: World, at: int, kind: str) -> None:
    before, witness = content(scene), Witness(scene)
    climb(scene, Fault(at, kind))
    outcome = roll_back(scene)
    assert outcome is not None
    assert (outcome.verdict, outcome.error) == ("rolled_back", None)
    assert not witness.dark
    assert content(scene) == before


BACK_KILLS = [(at, f"kill {when}") for at in range(BACK) for when in ("before", "after")] + [(UNINSTALL, "kill within")]


@pytest.mark.parametrize(("at", "kind"), BACK_KILLS)
def test_a_way_back_killed_at_any_write_is_brought_to_its_end_by_the_next(scene: World, at: int, kind: str) -> None:
    before, witness = content(scene), Witness(scene)
    climb(scene)
    assert roll_back(scene, Fault(at, kind)) is None
    outcome = roll_back(scene)
    assert outcome is not None
    assert (outcome.verdict, outcome.error) == ("rolled_back", None)
    assert not witness.dark
    assert content(scene) == before


@pytest.mark.parametrize("at", range(1, BACK - 2, 4))
def test_after_a_killed_way_back_a_climb_reaches_parked_again(scene: World, parked: dict[str, object], at: int) -> None:
    climb(scene)
    witness = Witness(scene)
    roll_back(scene, Fault(at, "kill after"))
    outcome = climb(scene)
    assert outcome is not None
    assert outcome.verdict == "upgraded", outcome.error
    assert not witness.dark
    assert content(scene, runs=False) == parked


def test_a_climb_that_failed_and_was_killed_on_its_way_back_is_taken_back_by_the_next_run(scene: World) -> None:
    before = content(scene)
    scene.controllers.broken.add(WGE_NAME)
    climb(scene, Fault(INSTALL + 4, "kill after"))
    outcome = climb(scene)
    assert outcome is not None
    assert outcome.verdict == "rolled_back"
    assert content(scene) == before


# Answers that got lost


def lost(number: int) -> list[tuple[int, str]]:
    return [(at, f"lost {when}") for at in range(number) for when in ("before", "after")]


@pytest.mark.parametrize(("at", "kind"), [case for case in lost(CLIMB) if case[0] != INSTALL and case != (0, "lost before")])
def test_a_lost_answer_is_looked_up_and_the_climb_goes_on(scene: World, parked: dict[str, object], at: int, kind: str) -> None:
    witness = Witness(scene)
    outcome = climb(scene, Fault(at, kind))
    assert outcome is not None
    assert (outcome.verdict, outcome.error) == ("upgraded", None)
    assert not witness.dark
    assert content(scene, runs=False) == parked


def test_a_lock_that_may_not_have_been_taken_is_a_safe_stop(scene: World) -> None:
    before = content(scene)
    fault = Fault(0, "lost before")
    outcome = climb(scene, fault)
    assert outcome is not None
    assert outcome.verdict == "safe_stop"
    assert "The lock of this cluster could not be taken" in str(outcome.error)
    assert content(scene) == before
    assert fault.sent_after == []


@pytest.mark.parametrize("kind", ["lost before", "lost after"])
def test_a_helm_of_which_nothing_is_known_is_taken_back(scene: World, kind: str) -> None:
    before = content(scene)
    outcome = climb(scene, Fault(INSTALL, kind))
    assert outcome is not None
    assert outcome.verdict == "rolled_back"
    assert content(scene) == before


@pytest.mark.parametrize(("at", "kind"), [case for case in lost(BACK)[2:] if case[0] != UNINSTALL])
def test_a_lost_answer_on_the_way_back_is_looked_up_too(scene: World, at: int, kind: str) -> None:
    before = content(scene)
    climb(scene)
    outcome = roll_back(scene, Fault(at, kind))
    assert outcome is not None
    assert (outcome.verdict, outcome.error) == ("rolled_back", None)
    assert content(scene) == before


def test_a_run_killed_before_it_judged_the_rehearsal_judges_it_again(scene: World) -> None:
    """The shadow Service alone does not say that WGE answered through it."""
    scene.set(entitlement="")
    climb(scene, Fault(19, "kill after"))  # one write less: no entitlement
    assert scene.cluster.one("Service", f"{WG_NAME}-wge-shadow")
    witness = Witness(scene)
    outcome = climb(scene)
    assert outcome is not None
    assert outcome.verdict == "rolled_back"
    assert "finds no valid entitlement" in str(outcome.error)
    assert not witness.dark
    assert not [item for item in scene.cluster.all("Secret") if labels_of(item).get("owner") == FOREIGN]
