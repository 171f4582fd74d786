# SPDX-License-Identifier: GPL-3.0-or-later
"""A request that was on its way when its run died, and arrives after another run was there, changes nothing."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from ansible_collections.weaveworks.wge.plugins.module_utils._engine.ladder import Outcome
from ansible_collections.weaveworks.wge.plugins.module_utils._errors import Conflict
from ansible_collections.weaveworks.wge.tests.unit.plugins.module_utils._engine import standin_flux, standin_git
from ansible_collections.weaveworks.wge.tests.unit.plugins.module_utils._engine.standin_faults import Fault, positions, short
from ansible_collections.weaveworks.wge.tests.unit.plugins.module_utils._engine.standin_products import WG_NAME
from ansible_collections.weaveworks.wge.tests.unit.plugins.module_utils._engine.standin_runs import KEPT, climb, finalise, later, roll_back
from ansible_collections.weaveworks.wge.tests.unit.plugins.module_utils._engine.standin_witness import Witness, content
from ansible_collections.weaveworks.wge.tests.unit.plugins.module_utils._engine.standin_world import World

Run = Callable[[World, Fault], Outcome | None]
OWNER, OURS = "helmreleases/ww-gitops", "helmreleases/weave-gitops-enterprise"
APPLIER = "kustomizations/flux-system"


Make = Callable[[Path], World]


def by_flux(folder: Path) -> World:
    """Form B."""
    return standin_flux.lived_in(folder)[0]


def by_git(folder: Path) -> World:
    """Form C."""
    return standin_git.lived_in(folder)[0]


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


@pytest.mark.parametrize(
    ("make", "goal", "run", "write", "number", "other"),
    [
        pytest.param(by_flux, "", climb, ("patch", OWNER), 0, roll_back, id="a hand-over after a way back"),
        pytest.param(by_flux, "", climb, ("patch", OWNER), 1, roll_back, id="a suspend after a way back"),
        pytest.param(by_flux, "soaked", roll_back, ("patch", OWNER), 0, climb, id="a resume after a climb"),
        pytest.param(by_flux, "soaked", roll_back, ("delete", OURS), 0, climb, id="the removal of WGE after a climb"),
        pytest.param(by_git, "", climb, ("patch", OWNER), 0, roll_back, id="a shield after a way back"),
        pytest.param(by_git, "soaked", roll_back, ("patch", OWNER), -1, climb, id="a shield taken off after a climb"),
        pytest.param(by_git, "", climb, ("patch", APPLIER), 0, roll_back, id="a request for a run of git after a way back"),
    ],
)
def test_what_has_flux_act(tmp_path: Path, make: Make, goal: str, run: Run, write: tuple[str, str], number: int, other: Run) -> None:
    at = 0
    for fault in (Fault(), Fault(kind="kill before")):  # a run that nobody disturbs says which write it is
        scene = make(tmp_path)
        if goal:
            climb(scene, goal=goal)
        fault.at = at if fault.kind else -1
        run(scene, fault)
        at = positions(short(fault), *write)[number]
    other(scene, Fault())
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
