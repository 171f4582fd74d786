# SPDX-License-Identifier: GPL-3.0-or-later
"""CA-01 and CA-04."""

from __future__ import annotations

import tracemalloc
from typing import Any

import pytest

from ansible_collections.weaveworks.wge.plugins.module_utils._engine.checks.pods import pods
from ansible_collections.weaveworks.wge.plugins.module_utils._engine.model import Object, Release
from ansible_collections.weaveworks.wge.tests.unit.plugins.module_utils._engine.standin_products import (
    NAMESPACE,
    WGE_NAME,
    secret,
    thing,
    wge_objects,
)
from ansible_collections.weaveworks.wge.tests.unit.plugins.module_utils._engine.standin_world import World


def quota(world: World, hard: Object, used: Object | None = None, **spec: Any) -> None:
    item = thing("v1", "ResourceQuota", "limited", NAMESPACE, spec={"hard": hard, **spec}, status={"hard": hard, "used": used or {}})
    world.cluster.put(item)


def limit(world: World, **rule: Object) -> None:
    world.cluster.put(thing("v1", "LimitRange", "range", NAMESPACE, spec={"limits": [{"type": "Container", **rule}]}))


def asking(world: World, resources: Object) -> None:
    """WGE's server with requests and limits."""

    def render(release: Release) -> list[Object]:
        objects = wge_objects(release)
        objects[-1]["spec"]["template"]["spec"]["containers"][0]["resources"] = resources
        return objects

    world.helm.render = render


def running(world: World, count: int, resources: Object, phase: str = "Running", name: str = "other") -> None:
    """Pods on the node."""
    for number in range(count):
        spec = {"nodeName": "node-1", "containers": [{"resources": {"requests": resources}}]}
        world.cluster.put(thing("v1", "Pod", f"{name}-{number}", "elsewhere", spec=spec, status={"phase": phase}))


def judged(world: World) -> tuple[str, str]:
    found = world.findings()["CA-01"]
    return found.status, found.evidence


def test_an_empty_cluster_has_room(world: World) -> None:
    assert judged(world) == ("pass", "WGE asks for nothing in particular in 1 pod: there is room for that beside WG.")


def test_a_node_with_room_takes_what_is_asked_for(world: World) -> None:
    asking(world, {"requests": {"cpu": "500m", "memory": "512Mi"}})
    running(world, 7, {"cpu": "1"})
    assert judged(world) == ("pass", "WGE asks for cpu 0.5, memory 512Mi in 1 pod: there is room for that beside WG.")


def test_no_node_with_room_fails_with_the_figures(world: World) -> None:
    asking(world, {"requests": {"cpu": "2", "memory": "1Gi"}})
    running(world, 7, {"cpu": "1", "memory": "1Gi"})
    status, evidence = judged(world)
    assert status == "fail"
    assert evidence == (
        f"No node has room for the pod of Deployment {WGE_NAME}, which asks for cpu 2 (at most 1 are free on a node), "
        "memory 1024Mi (at most 9216Mi are free on a node)."
    )


def test_a_node_that_is_full_of_pods_has_no_room(world: World) -> None:
    running(world, 110, {})
    status, evidence = judged(world)
    assert status == "fail"
    assert evidence.endswith("which asks for pods 1 (at most 0 are free on a node).")


def test_where_nodes_are_made_on_demand_full_ones_are_warned_of(world: World) -> None:
    running(world, 110, {})
    world.cluster.one("Node", "node-1")["metadata"]["labels"]["karpenter.sh/nodepool"] = "default"
    status, evidence = judged(world)
    assert status == "warn"
    assert evidence.endswith("; Karpenter makes nodes here.")


def test_pods_that_have_ended_take_no_room(world: World) -> None:
    running(world, 60, {}, "Succeeded", "done")
    running(world, 60, {}, "Failed", "broken")
    assert judged(world)[0] == "pass"


def test_a_quota_that_is_used_up_fails_with_the_figures(world: World) -> None:
    quota(world, {"pods": "10"}, {"pods": "9"})
    assert judged(world) == ("fail", "ResourceQuota limited: pods has 9 of 10 taken, and 2 more are needed.")


def test_a_quota_with_room_for_a_second_pod_during_the_roll_out_passes(world: World) -> None:
    quota(world, {"pods": "10", "count/deployments.apps": "5"}, {"pods": "8"})
    assert judged(world)[0] == "pass"


@pytest.mark.parametrize(("name", "more"), [("services", 2), ("count/services", 2), ("secrets", 4), ("count/deployments.apps", 1)])
def test_the_objects_of_chart_and_plan_are_counted(world: World, name: str, more: int) -> None:
    quota(world, {name: "3"}, {name: "3"})
    status, evidence = judged(world)
    assert status == "fail"
    assert evidence.startswith(f"ResourceQuota limited: {name} has 3 of 3 taken, and ")
    assert int(evidence.split("and ")[1].split()[0]) in range(1, more + 1)


def test_a_quota_on_cpu_refuses_pods_that_do_not_say_how_much(world: World) -> None:
    quota(world, {"requests.cpu": "10", "limits.memory": "10Gi"})
    status, evidence = judged(world)
    assert status == "fail"
    assert f"ResourceQuota limited wants requests.cpu to be given, and {WGE_NAME} gives none" in evidence
    assert f"ResourceQuota limited wants limits.memory to be given, and {WGE_NAME} gives none" in evidence


def test_a_limit_range_says_it_for_them(world: World) -> None:
    quota(world, {"requests.cpu": "10", "limits.memory": "10Gi"}, {"requests.cpu": "1"})
    limit(world, default={"memory": "1Gi"}, defaultRequest={"cpu": "100m"})
    assert judged(world) == ("pass", "WGE asks for memory 1024Mi, cpu 0.1 in 1 pod: there is room for that beside WG.")


def test_what_a_limit_range_says_counts_against_the_quota(world: World) -> None:
    quota(world, {"limits.memory": "2Gi"}, {"limits.memory": "1Gi"})
    limit(world, max={"memory": "1Gi"})
    assert judged(world) == ("fail", "ResourceQuota limited: limits.memory has 1024Mi of 2048Mi taken, and 2048Mi more are needed.")


@pytest.mark.parametrize(
    ("rule", "words"),
    [
        ({"max": {"memory": "256Mi"}}, "may take more memory than the LimitRange's maximum 256Mi"),
        ({"min": {"cpu": "1"}}, "asks for less cpu than the LimitRange's minimum 1"),
    ],
)
def test_a_limit_range_that_refuses_the_container_fails(world: World, rule: Object, words: str) -> None:
    asking(world, {"requests": {"cpu": "100m", "memory": "128Mi"}, "limits": {"memory": "512Mi", "cpu": "2"}})
    limit(world, **rule)
    assert judged(world) == ("fail", f"container clusters-service of {WGE_NAME} {words}.")


@pytest.mark.parametrize(
    ("spec", "counts"),
    [
        ({"scopes": ["BestEffort"]}, True),
        ({"scopes": ["NotBestEffort"]}, False),
        ({"scopes": ["Terminating"]}, False),
        ({"scopes": ["NotTerminating"]}, True),
        ({"scopeSelector": {"matchExpressions": [{"scopeName": "PriorityClass", "operator": "In", "values": ["high"]}]}}, False),
    ],
)
def test_a_quota_counts_only_the_pods_of_its_scope(world: World, spec: Object, counts: bool) -> None:
    quota(world, {"pods": "0"}, **spec)
    assert (judged(world)[0] == "fail") is counts


def test_of_thousands_of_pods_little_is_kept(world: World) -> None:
    running(world, 5000, {"cpu": "10m", "memory": "10Mi"})
    for item in world.cluster.all("Pod"):
        item["metadata"]["annotations"] = {"bulk": "x" * 100}
    evidence = world.evidence()
    tracemalloc.start()
    found = pods(evidence)
    kept, _peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert len(found) >= 5000
    assert kept < 20_000_000


def test_small_secrets_pass(world: World) -> None:
    found = world.findings()["CA-04"]
    assert found.status == "pass"
    assert found.evidence.startswith("The largest of 3 release and journal Secrets has 0.0")


def test_a_secret_that_is_nearly_too_large_is_warned_of(world: World) -> None:
    world.cluster.put(secret("sh.helm.release.v1.ww-gitops.v2", {"other": "x" * 900_000}, labels={"owner": "helm", "name": "ww-gitops"}))
    found = world.findings()["CA-04"]
    assert (found.status, found.evidence) == ("warn", "Secret sh.helm.release.v1.ww-gitops.v2 has 0.86 MiB of the 1 MiB.")
