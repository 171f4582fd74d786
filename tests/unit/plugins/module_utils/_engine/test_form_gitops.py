# SPDX-License-Identifier: GPL-3.0-or-later
"""Form C: WG kept by a HelmRelease that a Kustomization applies out of git."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from ansible_collections.weaveworks.wge.plugins.module_utils._engine import gitdebt
from ansible_collections.weaveworks.wge.plugins.module_utils._engine.forms.gitops import NO_PRUNE, SHIELD, entry_id
from ansible_collections.weaveworks.wge.plugins.module_utils._engine.model import Object, Rung
from ansible_collections.weaveworks.wge.plugins.module_utils._engine.plan import rung_of
from ansible_collections.weaveworks.wge.plugins.module_utils._errors import Blocked, SafeStop
from ansible_collections.weaveworks.wge.tests.unit.plugins.module_utils._engine.standin_faults import Fault, positions, short
from ansible_collections.weaveworks.wge.tests.unit.plugins.module_utils._engine.standin_flux import Flux
from ansible_collections.weaveworks.wge.tests.unit.plugins.module_utils._engine.standin_git import Git, lived_in, merge
from ansible_collections.weaveworks.wge.tests.unit.plugins.module_utils._engine.standin_products import RELEASE, WG_NAME
from ansible_collections.weaveworks.wge.tests.unit.plugins.module_utils._engine.standin_runs import climb, finalise, later, roll_back
from ansible_collections.weaveworks.wge.tests.unit.plugins.module_utils._engine.standin_witness import Witness, content, leads_to
from ansible_collections.weaveworks.wge.tests.unit.plugins.module_utils._engine.standin_world import World

Scene = tuple[World, Flux, Git]
WGE = "weave-gitops-enterprise"


@pytest.fixture
def scene(tmp_path: Path) -> Scene:
    return lived_in(tmp_path)


def climbed(world: World, goal: str = "parked") -> None:
    outcome = climb(world, goal=goal)
    assert outcome is not None
    assert (outcome.verdict, str(outcome.error or "")) == ("upgraded", "")


def debt(world: World) -> gitdebt.Debt:
    return gitdebt.of(world.look())


def specs(world: World) -> dict[str, Any]:
    return {path: (item["metadata"].get("uid"), item.get("spec")) for path, item in _without_tokens(content(world)).items()}


def wg(world: World) -> Object:
    return world.cluster.one("HelmRelease", RELEASE)


def test_it_climbs_and_git_owes(scene: Scene) -> None:
    world, _flux, _git = scene
    assert debt(world).state == "none" and debt(world).url == "https://git.example.org/fleet.git"
    witness = Witness(world)
    climbed(world)
    assert (rung_of(world.look()), witness.dark, leads_to(world)) == (Rung.PARKED, [], "wge")
    owed = debt(world)
    assert owed.state == "open" and owed.path == "./clusters/c1"
    assert {f"HelmRelease {WGE}", f"HelmRepository {WGE}", f"Service {WG_NAME}", f"Ingress {WG_NAME}"} <= set(owed.missing)
    assert not any(word.startswith(("Secret", "CustomResourceDefinition")) for word in owed.missing)
    assert "by-hand" not in str(owed.missing)
    assert "does not hold" in owed.sentence and "flux-system/flux-system" in owed.sentence


def test_a_second_run_writes_nothing(scene: Scene) -> None:
    world, _flux, _git = scene
    climbed(world)
    fault = Fault()
    outcome = climb(world, fault)
    assert outcome is not None and outcome.verdict == "already" and not fault.sent


def test_before_the_merge_git_changes_nothing_however_often_it_runs(scene: Scene) -> None:
    world, _flux, git = scene
    climbed(world)
    before = content(world)
    for _time in range(20):
        git.force()
        world.clock.sleep(1)
    assert _without_tokens(content(world)) == _without_tokens(before)


def test_after_the_merge_nothing_changes_that_serves_and_the_debt_is_paid(scene: Scene) -> None:
    world, _flux, git = scene
    witness = Witness(world)
    climbed(world)
    before = specs(world)
    merge(world, git)
    for _time in range(3):
        git.force()
        world.clock.sleep(1)
    after = specs(world)
    assert after == before and not witness.dark
    assert debt(world).state == "paid" and debt(world).sentence == ""
    fault = Fault()
    outcome = climb(world, fault)
    assert outcome is not None and outcome.verdict == "already" and not fault.sent


def test_a_revert_of_that_commit_deletes_nothing_that_serves(scene: Scene) -> None:
    world, _flux, git = scene
    old = dict(git.content)
    climbed(world)
    merge(world, git)
    witness = Witness(world)
    git.content = old
    git.commit()
    git.act()
    world.clock.sleep(5)
    assert leads_to(world) == "wge" and not witness.dark and debt(world).state == "open"
    outcome = roll_back(world)
    assert outcome is not None and (outcome.verdict, leads_to(world), witness.dark) == ("rolled_back", "wg", [])


def test_what_git_applies_is_not_taken_back_behind_its_back(scene: Scene) -> None:
    world, _flux, git = scene
    climbed(world)
    merge(world, git)
    with pytest.raises(SafeStop, match=r"Git says by now that WGE is here.*direction: back"):
        roll_back(world)
    assert leads_to(world) == "wge"


@pytest.mark.parametrize("goal", ["prepared", "rehearsed", "flipped", "soaked", "parked"])
def test_from_each_rung_it_goes_back_to_what_was(scene: Scene, goal: str) -> None:
    world, _flux, git = scene
    before = content(world)
    climbed(world, goal)
    outcome = roll_back(world)
    assert outcome is not None
    assert (outcome.verdict, str(outcome.error or "")) == ("rolled_back", "")
    world.clock.sleep(2)
    assert "suspend" not in wg(world)["spec"] and SHIELD not in (wg(world)["metadata"].get("annotations") or {})
    assert any(name.endswith("_HelmRelease") for name in git.inventory)
    assert leads_to(world) == "wg" and debt(world).state == "none"
    assert _without_tokens(content(world)).keys() == _without_tokens(before).keys()


def test_wg_is_removed_only_when_git_has_paid(scene: Scene) -> None:
    world, flux, git = scene
    climbed(world)
    later(world, days=8)
    with pytest.raises(Blocked, match="Git debt"):
        finalise(world)
    assert wg(world)
    merge(world, git)
    outcome = finalise(world)
    assert outcome is not None and (outcome.verdict, str(outcome.error or "")) == ("finalised", "")
    assert not [item for item in world.cluster.all("HelmRelease") if item["metadata"]["name"] == RELEASE]
    assert flux.uninstalled == [] and leads_to(world) == "wge"
    git.force()
    assert debt(world).state == "paid"
    again = finalise(world)
    assert again is not None and again.verdict == "already"


def test_a_git_that_still_renders_wg_is_told_and_cannot_install_it(scene: Scene) -> None:
    world, _flux, git = scene
    old = dict(git.content)
    climbed(world)
    merge(world, git)
    git.commit(*old.values())  # somebody puts WG back, beside WGE
    git.act()
    later(world, days=8)
    outcome = finalise(world)
    assert outcome is not None and outcome.verdict == "safe_stop"
    assert "Git still renders" in str(outcome.error) and "wge_git_changes" in str(outcome.error)
    world.clock.sleep(5)
    assert leads_to(world) == "wge"


def test_each_kept_object_that_git_will_hold_cannot_be_pruned(scene: Scene) -> None:
    world, _flux, _git = scene
    climbed(world)
    for kind, name in (("Service", WG_NAME), ("Ingress", WG_NAME), ("HelmRelease", WGE), ("HelmRepository", WGE)):
        assert world.cluster.one(kind, name)["metadata"]["annotations"][NO_PRUNE] == "disabled"


def test_a_shield_that_somebody_takes_off_is_seen(scene: Scene) -> None:
    world, _flux, _git = scene
    climbed(world, "prepared")
    del wg(world)["metadata"]["annotations"][SHIELD]
    outcome = climb(world, goal="prepared")
    assert outcome is not None and outcome.verdict == "upgraded"
    assert wg(world)["metadata"]["annotations"][SHIELD] == "disabled"


def test_a_way_back_killed_between_the_shield_and_its_request_is_ended_by_the_next(tmp_path: Path) -> None:
    """Otherwise the inventory is without WG until git runs by itself, and the next climb takes it for a HelmRelease applied by hand."""
    at = -1
    for kind in ("", "kill after"):
        world, _flux, git = lived_in(tmp_path)
        climbed(world)
        fault = Fault(at, kind)
        roll_back(world, fault)
        at = positions(short(fault), "patch", f"helmreleases/{RELEASE}")[-1]
    assert entry_id(wg(world)) not in git.inventory and SHIELD not in wg(world)["metadata"]["annotations"]
    outcome = roll_back(world)
    assert outcome is not None and outcome.verdict == "rolled_back"
    assert entry_id(wg(world)) in git.inventory
    assert world.look().form == "gitops"


def test_git_that_does_not_run_stops_before_the_first_change(scene: Scene) -> None:
    world, _flux, git = scene
    git.applier["spec"]["suspend"] = True
    before = wg(world)["spec"]
    outcome = climb(world)
    assert outcome is not None and outcome.verdict == "rolled_back" and "it is suspended" in str(outcome.error)
    assert wg(world)["spec"] == before and SHIELD not in (wg(world)["metadata"].get("annotations") or {})


def _without_tokens(found: dict[str, Any]) -> dict[str, Any]:
    """But for what Flux has asked for on the way, and its revisions of WG."""
    return {path: item for path, item in found.items() if "/kustomizations/" not in path and "/sh.helm.release" not in path}
