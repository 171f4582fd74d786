# SPDX-License-Identifier: GPL-3.0-or-later
"""CU-07."""

from __future__ import annotations

import pytest

from ansible_collections.weaveworks.wge.plugins.module_utils._engine.checks.drift import manual_drift
from ansible_collections.weaveworks.wge.plugins.module_utils._engine.checks.evidence import Judged
from ansible_collections.weaveworks.wge.plugins.module_utils._engine.model import Object
from ansible_collections.weaveworks.wge.tests.unit.plugins.module_utils._engine.standin_products import (
    NAMESPACE,
    WG_NAME,
    thing,
    wg_objects,
)
from ansible_collections.weaveworks.wge.tests.unit.plugins.module_utils._engine.standin_world import World

OWN = 'k:{"name":"weave-gitops"}'
RESTART = {"f:spec": {"f:template": {"f:metadata": {"f:annotations": {".": {}, "f:kubectl.kubernetes.io/restartedAt": {}}}}}}


def judged(world: World) -> Judged:
    return manual_drift(world.evidence())


def managed(world: World, manager: str, fields: Object, **more: str) -> None:
    entries = world.cluster.one("Deployment", WG_NAME)["metadata"].setdefault("managedFields", [])
    entries.append({"manager": manager, "operation": "Update", "fieldsV1": fields, **more})


def test_objects_as_helm_wrote_them_pass(world: World) -> None:
    found = judged(world)
    assert (found.status, found.evidence) == ("pass", "5 objects of WG's release are as Helm wrote them.")


def test_what_the_api_server_adds_is_no_difference(world: World) -> None:
    world.cluster.one("Service", WG_NAME)["spec"]["sessionAffinity"] = "None"
    stored = wg_objects()
    stored[0]["spec"]["template"]["spec"].update(hostNetwork=False, nodeSelector={}, resources={"cpu": "1000m"})
    world.restore(stored)
    assert judged(world).status == "pass"


def test_a_change_by_hand_is_warned_of_by_its_path_alone(world: World) -> None:
    world.cluster.one("Deployment", WG_NAME)["spec"]["template"]["spec"]["containers"][0]["args"][1] = "canary"
    found = judged(world)
    assert (found.status, found.evidence) == (
        "warn",
        f"This is not as Helm wrote it: Deployment {WG_NAME} differs at spec.template.spec.containers[0].args[1].",
    )
    assert "canary" not in str(found)
    assert found.remedy.startswith("Bring it into WG's values with helm upgrade")


def test_a_list_of_another_length_is_one_difference(world: World) -> None:
    world.cluster.one("Service", WG_NAME)["spec"]["ports"].append({"name": "x", "port": 1})
    assert judged(world).evidence.endswith(f"Service {WG_NAME} differs at spec.ports.")


def test_an_object_that_is_gone_is_told(world: World) -> None:
    world.cluster.remove("NetworkPolicy", "allow-dashboard-egress")
    assert judged(world).evidence == "This is not as Helm wrote it: NetworkPolicy allow-dashboard-egress is gone."


def test_replicas_that_an_autoscaler_sets_are_no_drift(world: World) -> None:
    world.cluster.one("Deployment", WG_NAME)["spec"]["replicas"] = 3
    assert judged(world).status == "warn"
    target = {"kind": "Deployment", "name": WG_NAME}
    world.cluster.put(thing("autoscaling/v2", "HorizontalPodAutoscaler", "wg", NAMESPACE, spec={"scaleTargetRef": target}))
    assert judged(world).status == "pass"


def test_an_object_of_an_old_api_version_is_not_compared(world: World) -> None:
    stored = wg_objects()
    ingress = next(item for item in stored if item["kind"] == "Ingress")
    ingress.update(apiVersion="networking.k8s.io/v1beta1", spec={"rules": [{"host": "other"}]})
    world.restore(stored)
    assert judged(world).status == "pass"


@pytest.mark.parametrize(
    ("manager", "fields", "more", "status"),
    [
        ("kubectl-edit", {"f:spec": {"f:template": {"f:spec": {"f:priority": {}}}}}, {}, "warn"),
        ("kubectl-edit", {"f:spec": {"f:template": {"f:spec": {"f:containers": {'k:{"name":"other"}': {"f:image": {}}}}}}}, {}, "warn"),
        ("kubectl-patch", {"f:spec": {"f:template": {"f:spec": {"f:containers": {OWN: {".": {}, "f:image": {}}}}}}}, {}, "pass"),
        ("kubectl-patch", {"f:spec": {"f:template": {"f:spec": {"f:containers": {OWN: {"f:resources": {"f:limits": {}}}}}}}}, {}, "warn"),
        ("kubectl-edit", {"f:metadata": {"f:labels": {}}}, {}, "pass"),
        ("kubectl-rollout", RESTART, {}, "pass"),
        ("helm", {"f:spec": {"f:replicas": {}}}, {}, "pass"),
        ("terraform-provider-helm_v2.12.1_x5", {"f:spec": {"f:replicas": {}}}, {}, "pass"),
        ("kube-controller-manager", {"f:spec": {"f:replicas": {}}}, {}, "pass"),
        ("kubectl", {"f:spec": {"f:replicas": {}}}, {"subresource": "scale"}, "pass"),
    ],
)
def test_who_else_wrote_the_spec_is_told(world: World, manager: str, fields: Object, more: dict[str, str], status: str) -> None:
    managed(world, manager, fields, **more)
    found = judged(world)
    assert found.status == status
    if status == "warn":
        assert found.evidence.endswith(f"Deployment {WG_NAME} was also written by {manager}.")


def test_many_differences_are_counted_after_the_first(world: World) -> None:
    args = world.cluster.one("Deployment", WG_NAME)["spec"]["template"]["spec"]
    args["containers"][0].update(args=["a", "b", "c"], image="x/wego-app:v0.38.0", name="y")
    for service in ("Ingress", "Service"):
        world.cluster.one(service, WG_NAME)["spec"].update(rules=[], type="x", clusterIP="y", clusterIPs=["z"])
    assert " and " in judged(world).evidence
    assert judged(world).evidence.count(" differs at ") == 6
