# SPDX-License-Identifier: GPL-3.0-or-later
"""What outlives WG: it is kept, and everybody is told whose it is."""

from __future__ import annotations

from pathlib import Path

import pytest

from ansible_collections.weaveworks.wge.plugins.module_utils._engine.model import Object
from ansible_collections.weaveworks.wge.plugins.module_utils._engine.objects import path_of
from ansible_collections.weaveworks.wge.plugins.module_utils._engine.proofs import planned_paths
from ansible_collections.weaveworks.wge.tests.unit.plugins.module_utils._engine.finalising.parked import STAYS
from ansible_collections.weaveworks.wge.tests.unit.plugins.module_utils._engine.standin_products import (
    NAMESPACE,
    RELEASE,
    WG_NAME,
    WGE_NAME,
    binding,
    release_secret,
    released,
    thing,
    wg_objects,
)
from ansible_collections.weaveworks.wge.tests.unit.plugins.module_utils._engine.standin_runs import climb, finalise, later, lived_in
from ansible_collections.weaveworks.wge.tests.unit.plugins.module_utils._engine.standin_world import World


def release_says(world: World, *more: Object) -> None:
    """Further objects in WG's release and on the cluster, before the climb."""
    for item in more:
        world.cluster.put(released(item, RELEASE))
    world.cluster.put(release_secret(RELEASE, [*wg_objects(), *more], revision=7))


OPEN_TO_ALL = thing("networking.k8s.io/v1", "NetworkPolicy", "allow-all", NAMESPACE, spec={"podSelector": {}, "ingress": [{}]})
CLAIM = thing("v1", "PersistentVolumeClaim", "charts", NAMESPACE, spec={})
CRD = thing("apiextensions.k8s.io/v1", "CustomResourceDefinition", "apps.example.org", spec={})
ROLE = thing("rbac.authorization.k8s.io/v1", "ClusterRole", "wg-viewer", rules=[])
SETTINGS = thing("v1", "ConfigMap", "shared", NAMESPACE, data={})
KEPT_BY_CHART = thing("v1", "ConfigMap", "precious", NAMESPACE, data={})
KEPT_BY_CHART["metadata"]["annotations"] = {"helm.sh/resource-policy": "keep"}


@pytest.mark.parametrize(
    ("item", "reason"),
    [
        (OPEN_TO_ALL, "it binds WGE's pods as well"),
        (CLAIM, "it outlives WG"),
        (CRD, "it outlives WG"),
        (ROLE, "ClusterRoleBinding team names it"),
        (KEPT_BY_CHART, "its chart says that it is kept"),
    ],
    ids=["a policy of both", "a claim", "a CRD", "a role somebody uses", "kept by its chart"],
)
def test_what_somebody_still_needs_is_kept_and_the_reason_said(tmp_path: Path, item: Object, reason: str) -> None:
    made = lived_in(tmp_path)
    release_says(made, item)
    made.cluster.put(binding("team", "wg-viewer", "ada"))
    climb(made)
    later(made, days=8)
    outcome = finalise(made)
    assert outcome is not None
    assert outcome.verdict == "finalised", outcome.error
    assert path_of(item) in made.cluster.objects
    (owner,) = [entry["owner"] for entry in outcome.owners if entry["object"].endswith(item["metadata"]["name"])]
    assert reason in owner


def test_a_role_that_a_team_has_bound_in_its_own_namespace_is_kept(tmp_path: Path) -> None:
    made = lived_in(tmp_path)
    release_says(made, ROLE)
    theirs = {**binding("team", "wg-viewer", "ada"), "kind": "RoleBinding"}
    theirs["metadata"]["namespace"] = "shop"
    made.cluster.put(theirs)
    climb(made)
    later(made, days=8)
    outcome = finalise(made)
    assert outcome is not None
    assert outcome.verdict == "finalised", outcome.error
    assert path_of(ROLE) in made.cluster.objects
    assert {"object": "ClusterRole wg-viewer", "owner": "Helm release ww-gitops; RoleBinding team names it"} in outcome.owners


def test_a_role_whose_binding_somebody_took_over_is_kept(tmp_path: Path) -> None:
    made = lived_in(tmp_path)
    taken = binding("wg-viewers", "wg-viewer", "ada")
    release_says(made, ROLE, taken)
    labels = {"kustomize.toolkit.fluxcd.io/name": "apps", "kustomize.toolkit.fluxcd.io/namespace": "team"}
    made.cluster.one("ClusterRoleBinding", "wg-viewers")["metadata"]["labels"] = labels
    climb(made)
    later(made, days=8)
    finalise(made)
    assert path_of(taken) in made.cluster.objects
    assert path_of(ROLE) in made.cluster.objects


def test_what_wge_uses_is_kept(tmp_path: Path) -> None:
    made = lived_in(tmp_path)
    release_says(made, SETTINGS)
    climb(made)
    pod = made.cluster.one("Deployment", WGE_NAME)["spec"]["template"]["spec"]
    pod["volumes"] = [{"name": "x", "configMap": {"name": "shared"}}]
    made.controllers.settle()
    later(made, days=8)
    finalise(made)
    assert path_of(SETTINGS) in made.cluster.objects


def test_what_somebody_took_over_is_kept_and_it_is_said_whose_it_is(scene: World) -> None:
    account = scene.cluster.one("ServiceAccount", WG_NAME)
    account["metadata"]["labels"] = {"kustomize.toolkit.fluxcd.io/name": "apps", "kustomize.toolkit.fluxcd.io/namespace": "team"}
    outcome = finalise(scene)
    assert outcome is not None
    assert path_of(account) in scene.cluster.objects
    owners = {entry["object"]: entry["owner"] for entry in outcome.owners}
    assert owners[f"ServiceAccount {NAMESPACE}/{WG_NAME}"].startswith("Flux Kustomization team/apps")


def test_an_object_of_an_unknown_kind_is_left_alone_and_named(tmp_path: Path) -> None:
    made = lived_in(tmp_path)
    made.cluster.put(release_secret(RELEASE, [*wg_objects(), {"kind": "Gadget", "metadata": {"name": "g"}}], revision=7))
    climb(made)
    later(made, days=8)
    outcome = finalise(made)
    assert outcome is not None
    assert outcome.verdict == "finalised", outcome.error
    assert {"object": "Gadget g", "owner": "you; its kind is not known to this collection"} in outcome.owners


def test_every_kept_object_has_an_owner(scene: World) -> None:
    outcome = finalise(scene)
    assert outcome is not None
    owners = {entry["object"]: entry["owner"] for entry in outcome.owners}
    assert owners[f"Service {NAMESPACE}/{WG_NAME}"].startswith("you: no Helm release holds it any more")
    assert owners[f"Service {NAMESPACE}/by-hand"] == "you, as before"
    assert owners[f"Deployment {NAMESPACE}/{WGE_NAME}"] == "Helm release weave-gitops-enterprise"
    assert "made by run" in owners[f"NetworkPolicy {NAMESPACE}/wge-twin-allow-dashboard-ingress"]
    kept = {f"{kind} {NAMESPACE}/{name}" if not kind.startswith("Cluster") else f"{kind} {name}" for kind, name in STAYS}
    assert kept <= set(owners)


def test_the_proof_of_untouched_objects_leaves_out_what_was_planned(scene: World) -> None:
    outcome = finalise(scene)
    assert outcome is not None
    assert outcome.untouched.get("changed", []) == []
    work = type("W", (), {"now": scene.look()})()
    assert any(path.endswith(f"/deployments/{WG_NAME}") for path in planned_paths(work))
