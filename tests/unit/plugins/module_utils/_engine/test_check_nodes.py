# SPDX-License-Identifier: GPL-3.0-or-later
"""CL-10, CA-02 and CA-03."""

from __future__ import annotations

from typing import Any

import pytest

from ansible_collections.weaveworks.wge.plugins.module_utils._engine.checks.podsecurity import violations
from ansible_collections.weaveworks.wge.plugins.module_utils._engine.model import Object, Release
from ansible_collections.weaveworks.wge.tests.unit.plugins.module_utils._engine.standin_products import (
    WGE_NAME,
    surroundings,
    thing,
    wge_objects,
)
from ansible_collections.weaveworks.wge.tests.unit.plugins.module_utils._engine.standin_world import World

ENFORCE = "pod-security.kubernetes.io/enforce"
RESTRICTED_POD: Object = {
    "securityContext": {"runAsNonRoot": True, "seccompProfile": {"type": "RuntimeDefault"}},
    "volumes": [{"name": "html", "emptyDir": {}}],
    "containers": [{"name": "a", "securityContext": {"allowPrivilegeEscalation": False, "capabilities": {"drop": ["ALL"]}}}],
}


def node(world: World, name: str, arch: str = "amd64", **spec: Any) -> Object:
    """One more node."""
    item = surroundings()[0]
    item["metadata"].update(name=name, labels={**item["metadata"]["labels"], "kubernetes.io/arch": arch})
    item["spec"] = spec
    item["status"]["nodeInfo"]["architecture"] = arch
    return world.cluster.put(item)


def with_pod(world: World, **spec: Any) -> None:
    """WGE's server with more in its pod's spec."""

    def render(release: Release) -> list[Object]:
        objects = wge_objects(release)
        server = next(item for item in objects if item["metadata"]["name"] == WGE_NAME and item["kind"] == "Deployment")
        server["spec"]["template"]["spec"].update(spec)
        return objects

    world.helm.render = render


def test_nodes_for_which_the_images_are_built_pass(world: World) -> None:
    found = world.findings()["CL-10"]
    assert (found.status, found.evidence) == (
        "pass",
        "WGE's server would land on 1 node of linux/amd64, for which its images are built.",
    )


def test_a_cluster_of_another_architecture_fails(world: World) -> None:
    node(world, "node-1", "arm64")
    found = world.findings()["CL-10"]
    assert found.status == "fail"
    assert found.evidence == "WGE's images are built for linux/amd64; what would take its server is 1 node of linux/arm64."
    assert "mirror images" in found.remedy


def test_a_mixed_cluster_is_warned_of(world: World) -> None:
    node(world, "node-2", "arm64")
    found = world.findings()["CL-10"]
    assert found.status == "warn"
    assert "(1 node of linux/amd64, 1 node of linux/arm64)" in found.evidence


def test_nodes_that_do_not_take_the_server_are_no_matter(world: World) -> None:
    node(world, "node-2", "arm64")
    with_pod(world, nodeSelector={"kubernetes.io/arch": "amd64"})
    assert world.findings()["CL-10"].status == "pass"


def test_without_a_node_that_takes_the_server_there_is_nothing_to_judge(world: World) -> None:
    world.cluster.remove("Node", "node-1")
    found = world.findings()
    assert found["CL-10"].status == "skip"
    assert (found["CA-02"].status, found["CA-02"].evidence) == (
        "fail",
        f"No node takes the pod of Deployment {WGE_NAME}: there is none.",
    )


def test_pods_that_a_node_takes_pass(world: World) -> None:
    assert world.findings()["CA-02"].evidence == "1 kind of pods in the chart: a node takes each, and its namespace allows it."


@pytest.mark.parametrize(
    ("pod", "spec", "reason"),
    [
        ({"nodeSelector": {"disk": "ssd"}}, {}, "it lacks the label disk=ssd (1 node)"),
        ({}, {"taints": [{"key": "team", "value": "a", "effect": "NoSchedule"}]}, "it has the taint team=a:NoSchedule (1 node)"),
        ({}, {"unschedulable": True}, "it is cordoned (1 node)"),
    ],
)
def test_a_pod_that_no_node_takes_fails_with_the_reasons(world: World, pod: Object, spec: Object, reason: str) -> None:
    node(world, "node-1", **spec)
    with_pod(world, **pod)
    found = world.findings()["CA-02"]
    assert (found.status, found.evidence) == ("fail", f"No node takes the pod of Deployment {WGE_NAME}: {reason}.")
    assert "tolerations" in found.remedy


@pytest.mark.parametrize(("label", "maker"), [("karpenter.sh/nodepool", "Karpenter"), ("eks.amazonaws.com/compute-type", "EKS")])
def test_where_nodes_are_made_on_demand_a_pod_without_one_is_warned_of(world: World, label: str, maker: str) -> None:
    made = node(world, "node-1", unschedulable=True)
    made["metadata"]["labels"][label] = "x"
    found = world.findings()["CA-02"]
    assert found.status == "warn"
    assert found.evidence.endswith(f"it is cordoned (1 node); {maker} makes nodes here.")
    assert found.remedy == f"See that {maker} would make one for such a pod."


def test_a_level_that_forbids_the_pod_fails_with_what_it_forbids(world: World) -> None:
    world.cluster.one("Namespace", "flux-system")["metadata"]["labels"] = {ENFORCE: "restricted"}
    found = world.findings()["CA-02"]
    assert found.status == "fail"
    begin = f"Namespace flux-system enforces Pod Security level restricted, and in Deployment {WGE_NAME} container clusters-service does"
    assert found.evidence.startswith(begin)
    assert "securityContext" in found.remedy


@pytest.mark.parametrize("level", ["baseline", "privileged"])
def test_a_level_that_allows_the_pod_passes(world: World, level: str) -> None:
    world.cluster.one("Namespace", "flux-system")["metadata"]["labels"] = {ENFORCE: level}
    assert world.findings()["CA-02"].status == "pass"


def test_a_pod_made_for_it_passes_the_strictest_level() -> None:
    assert violations("restricted", RESTRICTED_POD) == []


@pytest.mark.parametrize(
    ("spec", "words"),
    [
        ({"hostNetwork": True}, "hostNetwork is true"),
        ({"volumes": [{"name": "a", "hostPath": {"path": "/"}}]}, "it mounts a hostPath volume"),
        ({"containers": [{"name": "a", "securityContext": {"privileged": True}}]}, "container a is privileged"),
        ({"containers": [{"name": "a", "securityContext": {"capabilities": {"add": ["NET_ADMIN"]}}}]}, "container a adds capabilities"),
        ({"initContainers": [{"name": "a", "ports": [{"hostPort": 80}]}]}, "container a takes a port of the node"),
        ({"securityContext": {"seccompProfile": {"type": "Unconfined"}}}, "its seccomp profile is Unconfined"),
    ],
)
def test_what_the_baseline_forbids_is_named(spec: Object, words: str) -> None:
    assert violations("baseline", spec) == [words]
    assert violations("", spec) == violations("privileged", spec) == []


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"volumes": [{"name": "a", "nfs": {}}]}, "it mounts volumes of other kinds than configuration, claims and emptyDir"),
        ({"securityContext": {"runAsNonRoot": True}}, "container a sets no seccomp profile"),
        ({"securityContext": {"seccompProfile": {"type": "Localhost"}}}, "container a does not set runAsNonRoot: true"),
        ({"securityContext": {**RESTRICTED_POD["securityContext"], "runAsUser": 0}}, "container a runs as user 0"),
    ],
)
def test_what_the_restricted_level_forbids_is_named(change: Object, words: str) -> None:
    assert violations("restricted", {**RESTRICTED_POD, **change}) == [words]


def test_nodes_that_are_well_pass(world: World) -> None:
    assert world.findings()["CA-03"].evidence == "1 node: ready and under no pressure; no pod was evicted within the last hour."


def test_nodes_that_are_not_well_are_warned_of_by_name(world: World) -> None:
    down = node(world, "node-2")
    down["status"]["conditions"][0]["status"] = "Unknown"
    pressed = node(world, "node-3")
    pressed["status"]["conditions"][2]["status"] = "True"
    node(world, "node-4", taints=[{"key": "ToBeDeletedByClusterAutoscaler", "effect": "NoSchedule"}])
    found = world.findings()["CA-03"]
    assert (found.status, found.evidence) == (
        "warn",
        "nodes not ready: node-2; nodes under pressure: node-3 (DiskPressure); nodes about to be removed by an autoscaler: node-4.",
    )


@pytest.mark.parametrize(
    ("status", "counts"),
    [
        ({"startTime": "2026-11-23T11:30:00Z"}, True),
        ({"startTime": "2026-11-20T11:30:00Z"}, False),
        (
            {
                "startTime": "2026-11-20T11:30:00Z",
                "conditions": [{"type": "DisruptionTarget", "lastTransitionTime": "2026-11-23T11:59:00Z"}],
            },
            True,
        ),
        ({}, False),
    ],
)
def test_recent_evictions_are_warned_of(world: World, status: Object, counts: bool) -> None:
    now = world.look()
    world.cluster.put(thing("v1", "Pod", "gone", "other", spec={}, status={"phase": "Failed", "reason": "Evicted", **status}))
    found = world.findings(now)["CA-03"]
    assert (found.status == "warn") is counts
    assert ("1 pod evicted within the last hour" in found.evidence) is counts
