# SPDX-License-Identifier: GPL-3.0-or-later
"""WG without a Helm release (form D) at the end: what goes, what stays, and how it comes back out of its archive."""

from __future__ import annotations

from pathlib import Path

import pytest

from ansible_collections.weaveworks.wge.plugins.module_utils._engine.forms.manifests import objects_of
from ansible_collections.weaveworks.wge.plugins.module_utils._engine.model import Rung
from ansible_collections.weaveworks.wge.plugins.module_utils._engine.plan import rung_of
from ansible_collections.weaveworks.wge.plugins.module_utils._errors import Blocked, SafeStop
from ansible_collections.weaveworks.wge.tests.unit.plugins.module_utils._engine.standin_legacy import (
    ACCOUNT,
    ADMINS,
    APPS,
    DOOR,
    NAME,
    NAMESPACE,
    OLD_LOGIN,
    legacy,
    rendered,
)
from ansible_collections.weaveworks.wge.tests.unit.plugins.module_utils._engine.standin_products import (
    WG_NAME,
    WGE_NAME,
    binding,
    pod,
)
from ansible_collections.weaveworks.wge.tests.unit.plugins.module_utils._engine.standin_runs import (
    climb,
    finalise,
    later,
    roll_back,
    to_the_end,
)
from ansible_collections.weaveworks.wge.tests.unit.plugins.module_utils._engine.standin_witness import Witness, content
from ansible_collections.weaveworks.wge.tests.unit.plugins.module_utils._engine.standin_world import World


@pytest.fixture
def scene(tmp_path: Path) -> World:
    return legacy(tmp_path)


def names(world: World) -> set[tuple[str, str]]:
    return {(item["kind"], item["metadata"]["name"]) for item in world.cluster.objects.values()}


# The end


GONE = (
    ("Deployment", NAME),
    ("ServiceAccount", ACCOUNT),
    ("Role", "resources-reader"),
    ("RoleBinding", "read-resources"),
    ("ClusterRole", "wego-helm-watcher-role"),
    ("ClusterRoleBinding", "wego-helm-watcher-rolebinding"),
    ("ConfigMap", "weave-gitops-config"),
)
STAYS = (
    ("Service", NAME),
    ("Service", DOOR),
    ("Secret", "cluster-user-auth"),
    ("Namespace", NAMESPACE),
    ("CustomResourceDefinition", APPS),
    ("Deployment", WGE_NAME),
)


def test_wg_goes_and_the_kinds_of_its_users_objects_stay(scene: World) -> None:
    witness = Witness(scene, NAME, DOOR)
    climb(scene)
    later(scene, days=8)
    outcome = finalise(scene)
    assert outcome is not None
    assert (outcome.verdict, outcome.rung, outcome.error) == ("finalised", Rung.FINALISED, None)
    assert not set(GONE) & names(scene)
    assert set(STAYS) <= names(scene)
    assert rung_of(scene.look()) is Rung.FINALISED
    assert not witness.dark
    assert all("wge.weave.works/kept" not in (s["metadata"].get("annotations") or {}) for s in scene.cluster.all("Service"))


def test_rights_that_people_hold_stay_with_the_role_they_name(tmp_path: Path) -> None:
    world = legacy(tmp_path, OLD_LOGIN, ADMINS)
    to_the_end(world)
    assert {("Role", "resources-reader"), ("RoleBinding", "admin-read-resources"), ("Secret", "admin-password-hash")} <= names(world)
    assert ("RoleBinding", "read-resources") not in names(world)


def test_of_a_rendered_chart_the_login_and_the_admins_rights_stay(tmp_path: Path) -> None:
    world = rendered(tmp_path)
    to_the_end(world)
    left = names(world)
    assert not {("Deployment", WG_NAME), ("ServiceAccount", WG_NAME), ("NetworkPolicy", "allow-dashboard-ingress")} & left
    kept = {("Secret", "cluster-user-auth"), ("Ingress", WG_NAME), ("Role", "wego-admin-role")}
    assert kept | {("ClusterRoleBinding", "admin-user-read-resources-cr")} <= left


def test_an_account_as_which_others_run_stays(scene: World) -> None:
    other = pod("reporter-0", {"app": "reporter"})
    other["metadata"]["namespace"] = NAMESPACE
    scene.cluster.put({**other, "spec": {"serviceAccountName": ACCOUNT}})
    to_the_end(scene)
    assert ("ServiceAccount", ACCOUNT) in names(scene)
    assert ("Deployment", NAME) not in names(scene)


def test_the_account_that_every_namespace_has_is_nobodys(tmp_path: Path) -> None:
    deployment = rendered(tmp_path).cluster.one("Deployment", WG_NAME)
    deployment["spec"]["template"]["spec"]["serviceAccountName"] = "default"
    assert "ServiceAccount" not in [item["kind"] for item in objects_of(deployment, "admin")]


def test_somebody_elses_binding_keeps_the_role_it_names(tmp_path: Path) -> None:
    world = legacy(tmp_path, binding("team", "wego-helm-watcher-role", "ada"))
    to_the_end(world)
    assert ("ClusterRole", "wego-helm-watcher-role") in names(world)


def test_an_old_manifest_applied_after_the_end_is_a_safe_stop(scene: World) -> None:
    old = scene.cluster.one("Deployment", NAME)
    to_the_end(scene)
    old["metadata"].pop("uid")
    scene.cluster.put(old)
    selector = scene.cluster.one("Service", NAME)["spec"]["selector"]
    selector["app"] = NAME
    scene.controllers.settle()
    with pytest.raises(SafeStop, match=f"not every kept Service leads to WGE: {NAME}"):
        climb(scene)


def test_an_archive_that_was_made_while_wg_was_parked_is_refused(scene: World) -> None:
    climb(scene)
    noted = scene.archives.make(scene.look().snapshot, "later", lambda: None)
    later(scene, days=8)
    finalise(scene)
    scene.set(archive=noted["path"])
    with pytest.raises(Blocked, match="was made while WG was parked"):
        roll_back(scene)


def test_out_of_its_archive_the_cluster_becomes_what_it_was(tmp_path: Path) -> None:
    world = legacy(tmp_path)
    before = content(world, runs=False)
    to_the_end(world)
    witness = Witness(world, NAME, DOOR)
    outcome = roll_back(world)
    assert outcome is not None
    assert outcome.verdict == "rolled_back", outcome.error
    assert content(world, runs=False) == before
    assert not witness.dark
