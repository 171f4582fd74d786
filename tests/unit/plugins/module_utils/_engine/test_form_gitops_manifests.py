# SPDX-License-Identifier: GPL-3.0-or-later
"""Form D out of git: WG of before its chart, its manifests applied by a Kustomization."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from ansible_collections.weaveworks.wge.plugins.module_utils._engine import gitdebt
from ansible_collections.weaveworks.wge.plugins.module_utils._engine.forms.gitops import SHIELD
from ansible_collections.weaveworks.wge.plugins.module_utils._engine.gitpatch.manifest import text_for_git
from ansible_collections.weaveworks.wge.tests.unit.plugins.module_utils._engine.standin_flux import GROUPS, REPOSITORY, Flux
from ansible_collections.weaveworks.wge.tests.unit.plugins.module_utils._engine.standin_git import Git
from ansible_collections.weaveworks.wge.tests.unit.plugins.module_utils._engine.standin_legacy import NAME, legacy, legacy_objects
from ansible_collections.weaveworks.wge.tests.unit.plugins.module_utils._engine.standin_runs import climb, finalise, later, roll_back
from ansible_collections.weaveworks.wge.tests.unit.plugins.module_utils._engine.standin_witness import Witness, leads_to
from ansible_collections.weaveworks.wge.tests.unit.plugins.module_utils._engine.standin_world import World

GOING = {
    ("Deployment", NAME),
    ("ServiceAccount", "wego-app-service-account"),
    ("RoleBinding", "read-resources"),
    ("ClusterRole", "wego-helm-watcher-role"),
    ("ClusterRoleBinding", "wego-helm-watcher-rolebinding"),
    ("ConfigMap", "weave-gitops-config"),
}

Scene = tuple[World, Git]


@pytest.fixture
def scene(tmp_path: Path) -> Scene:
    world = legacy(tmp_path)
    world.cluster.served = list(GROUPS)
    Flux(world)
    world.set(chart_repository=REPOSITORY)
    return world, Git(world, *legacy_objects())


def climbed(world: World, goal: str = "parked") -> None:
    outcome = climb(world, goal=goal)
    assert outcome is not None
    assert (outcome.verdict, str(outcome.error or "")) == ("upgraded", "")


def shielded(world: World) -> set[tuple[str, str]]:
    found = [item for item in world.cluster.objects.values() if SHIELD in (item["metadata"].get("annotations") or {})]
    return {(item["kind"], item["metadata"]["name"]) for item in found}


def test_what_goes_and_the_service_are_shielded_and_nothing_else(scene: Scene) -> None:
    world, git = scene
    assert world.look().form == "gitops_manifests"
    witness = Witness(world, NAME)
    climbed(world)
    assert GOING | {("Service", NAME)} <= shielded(world)
    assert not {kind for kind, _name in shielded(world)} & {"CustomResourceDefinition", "Secret"}
    for _time in range(5):
        git.force()
        world.clock.sleep(1)
    assert (leads_to(world, NAME), witness.dark) == ("wge", [])


@pytest.mark.parametrize("goal", ["prepared", "flipped", "parked"])
def test_it_goes_back(scene: Scene, goal: str) -> None:
    world, git = scene
    climbed(world, goal)
    outcome = roll_back(world)
    assert outcome is not None and (outcome.verdict, str(outcome.error or "")) == ("rolled_back", "")
    assert shielded(world) == set() and leads_to(world, NAME) == "wg"
    assert f"wego-system_{NAME}_apps_Deployment" in git.inventory


def test_merged_it_pays_and_ends_and_what_is_wego_s_of_others_stays(scene: Scene) -> None:
    world, git = scene
    climbed(world)
    pieces = gitdebt.pieces(world.cluster, world.look())
    assert {(item["kind"], item["metadata"]["name"]) for item in pieces["drop"]} >= GOING
    witness = Witness(world, NAME)
    git.commit(*yaml.safe_load_all(text_for_git(pieces["objects"])), drop=tuple(pieces["drop"]))
    git.act()
    assert gitdebt.of(world.look()).state == "paid"
    later(world, days=8)
    outcome = finalise(world)
    assert outcome is not None and (outcome.verdict, str(outcome.error or "")) == ("finalised", "")
    kinds = {(item["kind"], item["metadata"]["name"]) for item in world.cluster.objects.values()}
    assert not kinds & GOING and ("CustomResourceDefinition", "apps.wego.weave.works") in kinds
    assert (leads_to(world, NAME), witness.dark) == ("wge", [])
