# SPDX-License-Identifier: GPL-3.0-or-later
"""The checks about the Kustomization that applies WG out of git."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from ansible_collections.weaveworks.wge.plugins.module_utils._engine.checks.registry import Finding
from ansible_collections.weaveworks.wge.plugins.module_utils._engine.forms.flux import REQUESTED
from ansible_collections.weaveworks.wge.plugins.module_utils._engine.forms.gitops import SHIELD, entry_id
from ansible_collections.weaveworks.wge.tests.unit.plugins.module_utils._engine.standin_faults import Fault, positions, short
from ansible_collections.weaveworks.wge.tests.unit.plugins.module_utils._engine.standin_flux import Flux
from ansible_collections.weaveworks.wge.tests.unit.plugins.module_utils._engine.standin_git import Git, lived_in
from ansible_collections.weaveworks.wge.tests.unit.plugins.module_utils._engine.standin_products import NAMESPACE, RELEASE, thing
from ansible_collections.weaveworks.wge.tests.unit.plugins.module_utils._engine.standin_runs import climb, roll_back, start
from ansible_collections.weaveworks.wge.tests.unit.plugins.module_utils._engine.standin_world import World

Scene = tuple[World, Flux, Git]
Change = Callable[[World, Git], object]


@pytest.fixture
def scene(tmp_path: Path) -> Scene:
    made = lived_in(tmp_path)
    for chart in made[0].cluster.all("HelmChart"):
        chart["status"] = {"artifact": {"revision": "4.0.36"}}
    return made


def flux_findings(world: World) -> dict[str, Finding]:
    return {name: finding for name, finding in world.findings().items() if name.startswith("FL-")}


def test_a_healthy_cluster_passes_all(scene: Scene) -> None:
    found = flux_findings(scene[0])
    asked = ("FL-03", "FL-04", "FL-05", "FL-06", "FL-07", "FL-08")
    assert {name: found[name].evidence for name in asked if found[name].status != "pass"} == {}
    assert found["FL-09"].status == "skip" and "wge_git_changes sees all" in found["FL-09"].evidence
    assert "after the upgrade wge_git_changes makes what to merge" in found["FL-08"].evidence


def suspend(_world: World, git: Git) -> None:
    git.applier["spec"]["suspend"] = True


def shield(world: World, _git: Git) -> None:
    world.cluster.one("HelmRelease", RELEASE)["metadata"].setdefault("annotations", {})[SHIELD] = "disabled"


def mark(world: World, _git: Git) -> None:
    world.cluster.one("HelmRelease", RELEASE)["metadata"]["labels"]["kustomize.toolkit.fluxcd.io/ssa"] = "Ignore"


def force(_world: World, git: Git) -> None:
    git.applier["spec"]["force"] = True


def work(_world: World, git: Git) -> None:
    git.applier["status"]["conditions"].append({"type": "Reconciling", "status": "True"})


def behind(_world: World, git: Git) -> None:
    git.commit()


def no_artifact(_world: World, git: Git) -> None:
    git.source["status"] = {"conditions": [{"type": "Ready", "status": "False", "message": "cannot be fetched."}]}


def again(world: World, _git: Git) -> None:
    item = world.cluster.put(thing("kustomize.toolkit.fluxcd.io/v1", "Kustomization", "other", NAMESPACE, spec={}))
    item["status"] = {"inventory": {"entries": [{"id": entry_id(world.cluster.one("HelmRelease", RELEASE))}]}}


def forget(_world: World, git: Git) -> None:
    git.applier["status"]["inventory"] = {"entries": []}


def change_it(_world: World, git: Git) -> None:
    git.applier["spec"]["postBuild"] = {"substitute": {"a": "b"}}


@pytest.mark.parametrize(
    ("change", "name", "status", "words"),
    [
        (again, "FL-03", "fail", "HelmRelease ww-gitops by other"),
        (forget, "FL-03", "fail", "carries the labels of Kustomization flux-system, which does not list it"),
        (work, "FL-04", "fail", "is not at rest: it is at work"),
        (behind, "FL-04", "fail", "its source is at main@sha1:"),
        (suspend, "FL-05", "fail", "Kustomization flux-system is suspended"),
        (shield, "FL-05", "fail", "Somebody keeps git off HelmRelease ww-gitops"),
        (mark, "FL-05", "fail", "Somebody keeps git off HelmRelease ww-gitops"),
        (force, "FL-06", "fail", "make it anew (force)"),
        (no_artifact, "FL-07", "fail", "is not ready: cannot be fetched."),
        (change_it, "FL-08", "warn", "changes what it takes out of git (spec.postBuild)"),
    ],
)
def test_what_stands_in_the_way_is_said(scene: Scene, change: Change, name: str, status: str, words: str) -> None:
    world, _flux, git = scene
    change(world, git)
    found = flux_findings(world)[name]
    assert found.status == status and words in found.evidence


def test_a_run_of_git_that_a_killed_run_asked_for_is_no_reason_against_its_next(scene: Scene) -> None:
    world, _flux, _git = scene
    writes = Fault()
    climb(world, writes)
    at = positions(short(writes), "patch", "kustomizations/flux-system")[0]
    roll_back(world)
    climb(world, Fault(at, "kill after"))
    start(world)
    assert flux_findings(world)["FL-04"].status == "pass"
    world.cluster.one("Kustomization", "flux-system")["metadata"]["annotations"][REQUESTED] = "by-hand"
    assert flux_findings(world)["FL-04"].status == "fail"


def test_what_this_run_did_is_in_nobody_s_way(scene: Scene) -> None:
    world = scene[0]
    climb(world, goal="soaked")
    found = flux_findings(world)
    assert found["FL-05"].status == "pass"
    assert found["FL-08"].status == "warn" and "Git debt" in found["FL-08"].evidence
