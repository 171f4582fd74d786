# SPDX-License-Identifier: GPL-3.0-or-later
"""A request that was on its way when its run died, and arrives after another run was there, changes nothing."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from ansible_collections.weaveworks.wge.plugins.module_utils._engine.ladder import Outcome
from ansible_collections.weaveworks.wge.plugins.module_utils._errors import Conflict
from ansible_collections.weaveworks.wge.tests.unit.plugins.module_utils._engine.standin_faults import Fault
from ansible_collections.weaveworks.wge.tests.unit.plugins.module_utils._engine.standin_products import WG_NAME
from ansible_collections.weaveworks.wge.tests.unit.plugins.module_utils._engine.standin_runs import KEPT, climb, finalise, later, roll_back
from ansible_collections.weaveworks.wge.tests.unit.plugins.module_utils._engine.standin_witness import Witness, content
from ansible_collections.weaveworks.wge.tests.unit.plugins.module_utils._engine.standin_world import World

Run = Callable[[World, Fault], Outcome | None]


def arrives_late(scene: World, fault: Fault) -> None:
    """Deliver the dead run's request; it must be refused, and everything be as it was."""
    witness, before = Witness(scene), content(scene)
    with pytest.raises(Conflict):
        fault.late()
    assert content(scene) == before
    assert not witness.dark


def held_up(scene: World, run: Run, verb: str, name: str, number: int = 0) -> Fault:
    """A run that dies when a write to an object of this name is on its way: its ``number``-th."""
    for at in range(60):
        fault = Fault(at, "kill before")
        if run(scene, fault) is not None:
            break
        matching = [sent for sent in fault.sent if sent[0] == verb and sent[1].endswith(f"/{name}")]
        if fault.sent[at] in matching and len(matching) > number:
            return fault
    raise AssertionError(f"{verb} {name} was never sent")


def to_finalised(scene: World, fault: Fault) -> Outcome | None:
    return finalise(scene, fault)


@pytest.mark.parametrize("service", KEPT)
def test_a_flip_after_another_run_took_everything_back(scene: World, service: str) -> None:
    climb(scene, goal="rehearsed")
    fault = held_up(scene, climb, "patch", f"services/{service}")
    roll_back(scene)
    arrives_late(scene, fault)


def test_a_flip_after_another_run_is_rehearsing_anew(scene: World) -> None:
    climb(scene, goal="rehearsed")
    fault = held_up(scene, climb, "patch", f"services/{WG_NAME}")
    roll_back(scene)
    climb(scene, goal="rehearsed")
    arrives_late(scene, fault)


def test_a_parking_after_another_run_took_everything_back(scene: World) -> None:
    climb(scene, goal="soaked")
    fault = held_up(scene, climb, "patch", f"deployments/{WG_NAME}")
    roll_back(scene)
    arrives_late(scene, fault)


@pytest.mark.parametrize("service", KEPT)
def test_a_flip_back_after_another_run_parked_wg(scene: World, service: str) -> None:
    climb(scene, goal="soaked")
    fault = held_up(scene, roll_back, "patch", f"services/{service}")
    climb(scene)
    arrives_late(scene, fault)


def test_the_removal_of_wg_after_another_run_has_it_serve_again(scene: World) -> None:
    climb(scene)
    later(scene, days=8)
    fault = held_up(scene, to_finalised, "delete", f"deployments/{WG_NAME}")
    roll_back(scene)
    arrives_late(scene, fault)


def test_a_lock_that_was_given_back_needs_no_fence(scene: World) -> None:
    climb(scene, goal="prepared")
    fault = Fault()
    roll_back(scene, fault)
    touched = [path.rsplit("/", 1)[1] for _verb, path in fault.sent if "/services/" in path]
    assert sorted(touched) == sorted(KEPT)  # each once, to take our mark away


def test_the_fence_leaves_nothing(scene: World) -> None:
    before = content(scene, runs=False)
    climb(scene, Fault(0, "kill after"))
    roll_back(scene)
    assert content(scene, runs=False) == before


@pytest.mark.parametrize("at", range(1, 7))
def test_a_run_killed_while_it_fences_is_followed_by_one_that_does_it_again(scene: World, at: int) -> None:
    before = content(scene, runs=False)
    climb(scene, Fault(0, "kill after"))
    assert roll_back(scene, Fault(at, "kill after")) is None
    roll_back(scene)
    assert content(scene, runs=False) == before
