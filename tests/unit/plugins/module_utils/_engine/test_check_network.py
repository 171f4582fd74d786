# SPDX-License-Identifier: GPL-3.0-or-later
"""NE-01, NE-02 and NE-06."""

from __future__ import annotations

import pytest

from ansible_collections.weaveworks.wge.plugins.module_utils._engine.checks.network import selector_matches
from ansible_collections.weaveworks.wge.plugins.module_utils._engine.model import Object
from ansible_collections.weaveworks.wge.tests.unit.plugins.module_utils._engine.standin_products import (
    NAMESPACE,
    WG_LABELS,
    WG_NAME,
    pod,
    thing,
)
from ansible_collections.weaveworks.wge.tests.unit.plugins.module_utils._engine.standin_world import World

EXPRESSION = {"matchExpressions": [{"key": "app.kubernetes.io/name", "operator": "In", "values": ["weave-gitops"]}]}


def service(name: str, *ports: Object, selector: dict[str, str] | None = None) -> Object:
    return thing("v1", "Service", name, NAMESPACE, spec={"selector": selector or WG_LABELS, "ports": list(ports)})


def scaler(target: str) -> Object:
    reference = {"kind": "Deployment", "name": target}
    return thing("autoscaling/v2", "HorizontalPodAutoscaler", "hpa", NAMESPACE, spec={"scaleTargetRef": reference})


def budget(name: str, selector: Object) -> Object:
    return thing("policy/v1", "PodDisruptionBudget", name, NAMESPACE, spec={"selector": selector})


def add(world: World, *items: Object) -> None:
    for item in items:
        world.cluster.put(item)
    world.controllers.settle()


def test_every_kept_service_is_shown_with_its_ports(world: World) -> None:
    add(world, service("metrics-only", {"port": 2112, "targetPort": "http-metrics"}))
    found = world.findings()["NE-01"]
    assert found.status == "pass"
    assert found.evidence == (f"metrics-only (ClusterIP ): 2112 -> 8080; {WG_NAME} (NodePort 10.0.0.9): 9001 (node port 30901) -> 8000.")


def test_no_service_at_all_fails(world: World) -> None:
    world.cluster.remove("Service", WG_NAME)
    found = world.findings()["NE-01"]
    assert (found.status, found.evidence) == ("fail", "No Service leads to WG, so there is no address to keep.")


def test_a_port_that_leads_nowhere_in_wge_fails(world: World) -> None:
    world.cluster.one("Service", WG_NAME)["spec"]["ports"].append({"name": "debug", "port": 6060, "targetPort": 6060})
    found = world.findings()["NE-01"]
    assert (found.status, found.evidence) == ("fail", f"port 6060 of Service {WG_NAME} leads to 6060, for which WGE has nothing.")


def test_metrics_alone_are_no_dashboard(world: World) -> None:
    world.cluster.remove("Service", WG_NAME)
    add(world, service("metrics-only", {"port": 2112, "targetPort": 2112}))
    assert world.findings()["NE-01"].evidence == "no Service leads to WG's dashboard, only to its metrics."


def test_a_second_service_beside_the_releases_own_passes(world: World) -> None:
    add(world, service("extra", {"port": 80, "targetPort": 9001}))
    assert world.findings()["NE-01"].status == "pass"


def test_two_services_of_which_neither_is_the_releases_own_fail(world: World) -> None:
    world.cluster.remove("Service", WG_NAME)
    add(world, service("one", {"port": 80, "targetPort": 9001}), service("two", {"port": 80, "targetPort": "http"}))
    found = world.findings()["NE-01"]
    assert (found.status, found.evidence) == ("fail", "which Service is the dashboard's main one cannot be told: one, two.")


def test_a_service_that_leads_to_other_pods_as_well_fails(world: World) -> None:
    shared = {"app.kubernetes.io/instance": "ww-gitops"}
    world.cluster.put(pod("neighbour-1-0", shared))
    add(world, service("all", {"port": 80, "targetPort": 9001}, selector=shared))
    found = world.findings()["NE-01"]
    assert (found.status, found.evidence) == ("fail", "Service all leads to pods that are not WG's as well: neighbour-1-0.")


def test_after_the_flip_the_same_services_are_kept(world: World) -> None:
    world.climb("flipped")
    found = world.findings()["NE-01"]
    assert (found.status, found.evidence) == ("pass", f"{WG_NAME} (NodePort 10.0.0.9): 9001 (node port 30901) -> 8000.")


def test_an_ingress_that_leads_to_a_kept_service_is_named(world: World) -> None:
    found = world.findings()["NE-02"]
    assert (found.status, found.evidence) == ("pass", f"Ingress {WG_NAME} (wg.example.com) -> {WG_NAME}.")


def test_without_an_ingress_there_is_nothing_to_name(world: World) -> None:
    world.cluster.remove("Ingress", WG_NAME)
    assert world.findings()["NE-02"].evidence == "No Ingress leads to the Services."


def test_other_kinds_of_routes_that_are_served_are_warned_of(world: World) -> None:
    world.cluster.served += ["gateway.networking.k8s.io/v1", "route.openshift.io/v1"]
    found = world.findings()["NE-02"]
    assert found.status == "warn"
    assert found.evidence.endswith(
        "routes of gateway.networking.k8s.io, route.openshift.io are served here and not looked at by this version."
    )
    assert "wge_entry_urls" in found.remedy


def test_policies_that_get_a_twin_pass_by_name(world: World) -> None:
    assert world.findings()["NE-06"].evidence == "Twins for WGE's pods: allow-dashboard-ingress, allow-dashboard-egress."


def test_without_policies_nothing_differs(world: World) -> None:
    for name in ("allow-dashboard-ingress", "allow-dashboard-egress"):
        world.cluster.remove("NetworkPolicy", name)
    assert world.findings()["NE-06"].evidence == "No policy treats WGE's pods differently from WG's."


def test_a_policy_for_all_pods_needs_no_twin(world: World) -> None:
    add(world, thing("networking.k8s.io/v1", "NetworkPolicy", "all", NAMESPACE, spec={"podSelector": {}}))
    assert world.findings()["NE-06"].status == "pass"


def test_a_policy_that_selects_wg_by_expressions_fails_since_it_gets_no_twin(world: World) -> None:
    add(world, thing("networking.k8s.io/v1", "NetworkPolicy", "clever", NAMESPACE, spec={"podSelector": EXPRESSION}))
    found = world.findings()["NE-06"]
    assert found.status == "fail"
    assert found.evidence == "NetworkPolicies select WG's pods by expressions and not WGE's, so no twin can be made: clever."
    assert "app=clusters-service" in found.remedy


def test_a_budget_and_a_scaler_that_hold_wg_alone_are_warned_of(world: World) -> None:
    add(world, budget("pdb", {"matchLabels": WG_LABELS}), scaler(WG_NAME))
    found = world.findings()["NE-06"]
    assert found.status == "warn"
    assert found.evidence == "PodDisruptionBudget pdb holds WG's pods and not WGE's; HorizontalPodAutoscaler hpa scales WG and not WGE."


def test_a_budget_that_holds_both_and_a_scaler_of_something_else_pass(world: World) -> None:
    add(world, budget("pdb", {"matchLabels": WG_LABELS}), budget("all", {}), scaler("other"))
    assert world.findings()["NE-06"].status == "pass"


@pytest.mark.parametrize(
    ("operator", "values", "matches"),
    [
        ("In", ["a", "b"], True),
        ("In", ["b"], False),
        ("NotIn", ["b"], True),
        ("NotIn", ["a"], False),
        ("Exists", None, True),
        ("DoesNotExist", None, False),
    ],
)
def test_expressions_are_judged_as_the_api_server_does(operator: str, values: list[str] | None, matches: bool) -> None:
    assert selector_matches({"matchExpressions": [{"key": "k", "operator": operator, "values": values}]}, {"k": "a"}) is matches


def test_no_selector_matches_nothing_and_an_empty_one_everything() -> None:
    assert selector_matches(None, {"k": "a"}) is False
    assert selector_matches({}, {}) is True
