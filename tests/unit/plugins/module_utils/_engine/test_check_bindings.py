# SPDX-License-Identifier: GPL-3.0-or-later
"""NE-06 and NE-07."""

from __future__ import annotations

from typing import Any

import pytest

from ansible_collections.weaveworks.wge.plugins.module_utils._engine.model import Object, Release
from ansible_collections.weaveworks.wge.tests.unit.plugins.module_utils._engine.standin_edge import forbid, foreign
from ansible_collections.weaveworks.wge.tests.unit.plugins.module_utils._engine.standin_products import (
    NAMESPACE,
    WG_LABELS,
    WG_NAME,
    thing,
    wge_objects,
)
from ansible_collections.weaveworks.wge.tests.unit.plugins.module_utils._engine.standin_world import World

WG = {"matchLabels": WG_LABELS}
BOTH = {"matchExpressions": [{"key": "weave.works/app", "operator": "Exists"}]}
SINGLE = {"matchLabels": {"weave.works/app": "weave-gitops-oss"}}
CALICO_WG, CALICO_BOTH = "app.kubernetes.io/name == 'weave-gitops'", "has(weave.works/app)"
ISTIO, LINKERD, CALICO = "security.istio.io/v1beta1", "policy.linkerd.io/v1beta3", "crd.projectcalico.org/v1"
TWINS = "NetworkPolicy allow-dashboard-ingress, NetworkPolicy allow-dashboard-egress"


def policy(name: str, **spec: Any) -> Object:
    return thing("networking.k8s.io/v1", "NetworkPolicy", name, NAMESPACE, spec=spec)


def scaler(target: str) -> Object:
    reference = {"kind": "Deployment", "name": target}
    return thing("autoscaling/v2", "HorizontalPodAutoscaler", "hpa", NAMESPACE, spec={"scaleTargetRef": reference})


def budget(name: str, selector: Object) -> Object:
    return thing("policy/v1", "PodDisruptionBudget", name, NAMESPACE, spec={"selector": selector})


def without_policies(world: World) -> None:
    for name in ("allow-dashboard-ingress", "allow-dashboard-egress"):
        world.cluster.remove("NetworkPolicy", name)


def six(world: World) -> tuple[str, str]:
    found = world.findings()["NE-06"]
    return found.status, found.evidence


def seven(world: World) -> tuple[str, str]:
    found = world.findings()["NE-07"]
    return found.status, found.evidence


class TestTwins:
    def test_policies_that_get_a_twin_pass_by_name(self, world: World) -> None:
        assert six(world) == ("pass", f"Twins for WGE's pods: {TWINS}.")

    def test_without_policies_nothing_differs(self, world: World) -> None:
        without_policies(world)
        assert six(world) == ("pass", "No policy treats WGE's pods differently from WG's.")

    @pytest.mark.parametrize("selector", [{}, BOTH])
    def test_a_policy_for_both_needs_no_twin(self, world: World, selector: Object) -> None:
        world.cluster.put(policy("all", podSelector=selector))
        assert six(world)[1] == f"Twins for WGE's pods: {TWINS}."

    def test_a_policy_that_selects_by_expressions_gets_a_twin_as_well(self, world: World) -> None:
        expression = {"key": "app.kubernetes.io/name", "operator": "In", "values": ["weave-gitops"]}
        world.cluster.put(policy("clever", podSelector={"matchExpressions": [expression]}))
        assert six(world)[1] == f"Twins for WGE's pods: {TWINS}, NetworkPolicy clever."

    @pytest.mark.parametrize(
        ("api", "plural", "kind", "spec"),
        [
            (ISTIO, "authorizationpolicies", "AuthorizationPolicy", {"selector": SINGLE}),
            (ISTIO, "peerauthentications", "PeerAuthentication", {"selector": SINGLE}),
            (ISTIO, "requestauthentications", "RequestAuthentication", {"selector": SINGLE}),
            ("cilium.io/v2", "ciliumnetworkpolicies", "CiliumNetworkPolicy", {"endpointSelector": SINGLE}),
        ],
    )
    def test_policies_of_istio_and_cilium_get_twins(self, world: World, api: str, plural: str, kind: str, spec: Object) -> None:
        foreign(world, api, plural, kind, spec)
        assert six(world) == ("pass", f"Twins for WGE's pods: {TWINS}, {kind} x.")
        assert any(f"{plural}/wge-twin-x" in write.path for write in world.evidence().plan.writes)

    def test_an_object_that_has_the_name_of_a_twin_and_is_not_ours_fails(self, world: World) -> None:
        world.cluster.put(policy("wge-twin-allow-dashboard-ingress", podSelector={"matchLabels": {"app": "x"}}))
        assert six(world) == (
            "fail",
            "Objects with the names of twins exist, and are not ours: NetworkPolicy wge-twin-allow-dashboard-ingress.",
        )

    def test_twins_that_are_there_are_ours(self, world: World) -> None:
        world.climb("flipped")
        assert six(world)[0] == "pass"


class TestOtherPolicies:
    @pytest.mark.parametrize(
        ("api", "plural", "kind", "alone", "both"),
        [
            (LINKERD, "servers", "Server", {"podSelector": WG}, {"podSelector": BOTH}),
            (
                "cilium.io/v2",
                "ciliumclusterwidenetworkpolicies",
                "CiliumClusterwideNetworkPolicy",
                {"endpointSelector": SINGLE},
                {"endpointSelector": BOTH},
            ),
            (CALICO, "networkpolicies", "NetworkPolicy", {"selector": CALICO_WG}, {"selector": CALICO_BOTH}),
            (CALICO, "globalnetworkpolicies", "GlobalNetworkPolicy", {"selector": CALICO_WG}, {"selector": "all()"}),
            ("projectcalico.org/v3", "networkpolicies", "NetworkPolicy", {"selector": CALICO_WG}, {"types": ["Ingress"]}),
            (
                "crd.antrea.io/v1beta1",
                "networkpolicies",
                "NetworkPolicy",
                {"appliedTo": [{"podSelector": WG}]},
                {"appliedTo": [{"podSelector": {}}]},
            ),
            ("vpcresources.k8s.aws/v1beta1", "securitygrouppolicies", "SecurityGroupPolicy", {"podSelector": WG}, {"podSelector": BOTH}),
        ],
    )
    def test_what_gets_no_twin_and_may_end_traffic_fails(
        self, world: World, api: str, plural: str, kind: str, alone: Object, both: Object
    ) -> None:
        place = "" if kind.startswith(("Global", "CiliumClusterwide")) else NAMESPACE
        item = foreign(world, api, plural, kind, both, namespace=place)
        assert six(world)[0] == "pass"
        item["spec"] = alone
        title = f"{kind} {place}/x" if place else f"{kind} x"
        found = world.findings()["NE-06"]
        assert (found.status, found.evidence) == ("fail", f"{title} holds WG's pods and not WGE's.")
        assert found.remedy.endswith("(app=clusters-service,app.kubernetes.io/instance=weave-gitops-enterprise).")

    def test_one_of_another_namespace_is_none_of_ours(self, world: World) -> None:
        foreign(world, LINKERD, "servers", "Server", {"podSelector": WG}, namespace="web")
        assert six(world)[0] == "pass"

    def test_the_meshs_root_namespace_binds_all_namespaces(self, world: World) -> None:
        foreign(world, ISTIO, "authorizationpolicies", "AuthorizationPolicy", {"selector": SINGLE}, namespace="istio-system")
        assert six(world) == ("fail", "AuthorizationPolicy istio-system/x holds WG's pods and not WGE's.")

    @pytest.mark.parametrize("selector", ["app ~ 'x'", 5])
    def test_a_selector_that_is_not_understood_fails(self, world: World, selector: object) -> None:
        foreign(world, CALICO, "networkpolicies", "NetworkPolicy", {"selector": selector})
        assert six(world) == ("fail", f"NetworkPolicy {NAMESPACE}/x has a selector that is not understood here.")

    def test_what_calico_shows_twice_is_read_once_and_a_copy_of_kubernetes_own_not_at_all(self, world: World) -> None:
        foreign(world, CALICO, "networkpolicies", "NetworkPolicy", {"selector": CALICO_WG})
        world.cluster.served.append("projectcalico.org/v3")
        assert six(world)[0] == "pass"
        foreign(world, "projectcalico.org/v3", "networkpolicies", "NetworkPolicy", {"selector": CALICO_WG}, name="knp.default.x")
        assert six(world)[0] == "pass"

    def test_a_subset_that_only_wg_belongs_to_fails(self, world: World) -> None:
        spec = {"host": WG_NAME, "subsets": [{"name": "all"}, {"name": "old", "labels": {"weave.works/app": "weave-gitops-oss"}}]}
        foreign(world, "networking.istio.io/v1", "destinationrules", "DestinationRule", spec)
        found = world.findings()["NE-06"]
        assert (found.status, found.evidence) == ("fail", f"subset old of DestinationRule {NAMESPACE}/x holds WG's pods and not WGE's.")
        assert found.remedy.startswith("Take these labels out of the subset")

    def test_a_kind_that_may_not_be_listed_is_an_error_that_blocks(self, world: World) -> None:
        foreign(world, LINKERD, "servers", "Server", {"podSelector": WG})
        forbid(world, "servers")
        found = world.findings()["NE-06"]
        assert (found.status, found.blocks) == ("error", True)

    def test_a_budget_and_a_scaler_that_hold_wg_alone_are_warned_of(self, world: World) -> None:
        world.cluster.put(budget("pdb", WG))
        world.cluster.put(scaler(WG_NAME))
        assert six(world) == (
            "warn",
            "PodDisruptionBudget pdb holds WG's pods and not WGE's; HorizontalPodAutoscaler hpa scales WG and not WGE.",
        )

    def test_scalers_of_other_makes_are_warned_of(self, world: World) -> None:
        foreign(world, "keda.sh/v1alpha1", "scaledobjects", "ScaledObject", {"scaleTargetRef": {"name": WG_NAME}})
        reference = {"kind": "Deployment", "name": WG_NAME}
        foreign(world, "autoscaling.k8s.io/v1", "verticalpodautoscalers", "VerticalPodAutoscaler", {"targetRef": reference})
        assert six(world) == ("warn", "ScaledObject x scales WG and not WGE; VerticalPodAutoscaler x scales WG and not WGE.")

    def test_a_filter_of_the_mesh_is_warned_of(self, world: World) -> None:
        spec = {"workloadSelector": {"labels": {"weave.works/app": "weave-gitops-oss"}}}
        foreign(world, "networking.istio.io/v1alpha3", "envoyfilters", "EnvoyFilter", spec)
        assert six(world) == ("warn", f"EnvoyFilter {NAMESPACE}/x holds WG's pods and not WGE's.")

    def test_a_budget_that_holds_both_and_a_scaler_of_something_else_pass(self, world: World) -> None:
        for item in (budget("pdb", WG), budget("all", {}), scaler("other")):
            world.cluster.put(item)
        assert six(world)[0] == "pass"


class TestOutside:
    def test_whoever_gets_through_to_wg_gets_through_to_wge_by_the_twin(self, world: World) -> None:
        assert seven(world) == ("pass", "Everybody gets through to WG's port, nodes and the world outside included, and to WGE's too.")

    def test_where_wg_has_no_policy_and_the_chart_brings_one_the_upgrade_makes_a_door(self, world: World) -> None:
        without_policies(world)
        assert seven(world) == (
            "pass",
            "Everybody gets through to WG's port, and to WGE's by NetworkPolicy wge-allow-edge, which the upgrade makes.",
        )

    def test_a_door_that_is_not_ours_fails(self, world: World) -> None:
        without_policies(world)
        world.cluster.put(policy("wge-allow-edge", podSelector={"matchLabels": {"app": "x"}}))
        found = world.findings()["NE-07"]
        assert (found.status, found.remedy) == ("fail", "Rename or delete NetworkPolicy wge-allow-edge.")
        assert found.evidence == (
            "Everybody gets through to WG's port, and to WGE's only pods do; the NetworkPolicy wge-allow-edge of this cluster is not ours."
        )

    def test_where_the_chart_brings_no_policy_there_is_nothing_to_open(self, world: World) -> None:
        without_policies(world)

        def render(release: Release) -> list[Object]:
            return [item for item in wge_objects(release) if item["kind"] != "NetworkPolicy"]

        world.helm.render = render
        assert seven(world)[1].endswith("and to WGE's too.")

    def test_where_wg_lets_in_some_only_so_does_wge(self, world: World) -> None:
        world.cluster.one("NetworkPolicy", "allow-dashboard-ingress")["spec"]["ingress"][0]["from"] = [{"podSelector": {}}]
        assert seven(world) == ("pass", "WG's NetworkPolicies let through some callers only; the twins let through the same.")
