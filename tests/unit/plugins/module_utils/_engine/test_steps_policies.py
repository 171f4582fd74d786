# SPDX-License-Identifier: GPL-3.0-or-later
"""S9: the twins, and the door."""

from __future__ import annotations

from typing import Any

import pytest

from ansible_collections.weaveworks.wge.plugins.module_utils._engine.edge import Ports, admits_everybody
from ansible_collections.weaveworks.wge.plugins.module_utils._engine.model import Object
from ansible_collections.weaveworks.wge.plugins.module_utils._engine.objects import name_of
from ansible_collections.weaveworks.wge.plugins.module_utils._engine.steps.policies import TwinPolicies
from ansible_collections.weaveworks.wge.tests.unit.plugins.module_utils._engine.standin_edge import foreign
from ansible_collections.weaveworks.wge.tests.unit.plugins.module_utils._engine.standin_products import (
    NAMESPACE,
    TARGET_RELEASE,
    WG_LABELS,
    thing,
)
from ansible_collections.weaveworks.wge.tests.unit.plugins.module_utils._engine.standin_world import World

WG = {"matchLabels": WG_LABELS}
WGE = {"matchLabels": {"app": "clusters-service", "app.kubernetes.io/instance": TARGET_RELEASE}}
ISTIO = "security.istio.io/v1beta1"
SERVER = Ports(frozenset({8000}), frozenset({"server"}))


def twin(world: World, name: str = "wge-twin-x") -> Any:
    return next(write.body for write in TwinPolicies().writes(world.look()) if name_of(write.body) == name)


def network(world: World, **spec: Any) -> Any:
    world.cluster.put(thing("networking.k8s.io/v1", "NetworkPolicy", "x", NAMESPACE, spec={"podSelector": WG, **spec}))
    return twin(world)["spec"]


class TestNetworkPolicies:
    def test_expressions_are_replaced_and_the_rules_kept(self, world: World) -> None:
        selector = {"matchExpressions": [{"key": "app.kubernetes.io/name", "operator": "In", "values": ["weave-gitops"]}]}
        found = network(world, podSelector=selector, ingress=[{"from": [{"podSelector": {}}], "ports": [{"port": 9001}]}])
        assert found == {"podSelector": WGE, "ingress": [{"from": [{"podSelector": {}}], "ports": [{"port": 8000}]}]}

    def test_a_range_that_opened_wgs_ports_opens_wges_beside_it(self, world: World) -> None:
        span = {"protocol": "TCP", "port": 9000, "endPort": 9100}
        assert network(world, ingress=[{"ports": [span]}])["ingress"] == [{"ports": [span, {"protocol": "TCP", "port": 8000}]}]

    def test_a_range_of_other_ports_stays(self, world: World) -> None:
        span = {"port": 443, "endPort": 500}
        assert network(world, ingress=[{"ports": [span]}])["ingress"] == [{"ports": [span]}]

    def test_ports_of_what_is_called_are_not_wgs(self, world: World) -> None:
        assert network(world, egress=[{"ports": [{"port": 9001}]}])["egress"] == [{"ports": [{"port": 9001}]}]


class TestIstio:
    def test_the_ports_of_an_authorization_policy_are_wges(self, world: World) -> None:
        rule = {
            "from": [{"source": {"namespaces": ["ingress"]}}],
            "to": [{"operation": {"ports": ["9001", "443"], "paths": ["/"]}}, {"operation": {"notPorts": ["2112"]}}, {}],
            "when": [{"key": "destination.port", "values": ["9001"]}, {"key": "source.ip", "values": ["9001"]}],
        }
        foreign(world, ISTIO, "authorizationpolicies", "AuthorizationPolicy", {"selector": WG, "action": "ALLOW", "rules": [rule]})
        found = twin(world)
        assert (found["apiVersion"], found["kind"], found["metadata"]["labels"]["app.kubernetes.io/managed-by"]) == (
            ISTIO,
            "AuthorizationPolicy",
            "wge",
        )
        assert found["spec"] == {
            "selector": WGE,
            "action": "ALLOW",
            "rules": [
                {
                    "from": [{"source": {"namespaces": ["ingress"]}}],
                    "to": [{"operation": {"ports": ["8000", "443"], "paths": ["/"]}}, {"operation": {"notPorts": ["8080"]}}, {}],
                    "when": [{"key": "destination.port", "values": ["8000"]}, {"key": "source.ip", "values": ["9001"]}],
                }
            ],
        }

    def test_the_port_of_a_peer_authentication_is_wges(self, world: World) -> None:
        spec = {"selector": WG, "mtls": {"mode": "STRICT"}, "portLevelMtls": {"9001": {"mode": "DISABLE"}}}
        foreign(world, ISTIO, "peerauthentications", "PeerAuthentication", spec)
        assert twin(world)["spec"] == {"selector": WGE, "mtls": {"mode": "STRICT"}, "portLevelMtls": {"8000": {"mode": "DISABLE"}}}

    @pytest.mark.parametrize("spec", [{}, {"targetRefs": [{"kind": "Service", "name": "x"}]}, {"selector": {"matchLabels": {"app": "y"}}}])
    def test_one_that_does_not_select_wgs_pods_gets_none(self, world: World, spec: Object) -> None:
        foreign(world, ISTIO, "requestauthentications", "RequestAuthentication", spec)
        assert not [write for write in TwinPolicies().writes(world.look()) if "istio" in write.path]


class TestCilium:
    def test_its_ports_are_texts(self, world: World) -> None:
        ports = [{"port": "9001", "protocol": "TCP"}, {"port": "http"}, {"port": "9000", "endPort": 9002}]
        rule = {"fromEntities": ["world"], "toPorts": [{"ports": ports, "rules": {"http": [{}]}}]}
        spec = {
            "endpointSelector": {"matchLabels": {"k8s:app.kubernetes.io/name": "weave-gitops"}},
            "ingress": [rule, {"fromEntities": ["host"]}],
        }
        foreign(world, "cilium.io/v2", "ciliumnetworkpolicies", "CiliumNetworkPolicy", spec)
        wanted = [{"port": "8000", "protocol": "TCP"}, {"port": "8000"}, {"port": "9000", "endPort": 9002}, {"port": "8000"}]
        assert twin(world)["spec"] == {
            "endpointSelector": WGE,
            "ingress": [
                {"fromEntities": ["world"], "toPorts": [{"ports": wanted, "rules": {"http": [{}]}}]},
                {"fromEntities": ["host"]},
            ],
        }

    def test_of_several_specs_only_those_of_wg_are_copied(self, world: World) -> None:
        specs = [{"endpointSelector": WG, "ingress": [{}]}, {"endpointSelector": {}}, {"endpointSelector": WG, "egress": [{}]}]
        item = foreign(world, "cilium.io/v2", "ciliumnetworkpolicies", "CiliumNetworkPolicy", {}, specs=specs)
        del item["spec"]
        assert twin(world)["specs"] == [{"endpointSelector": WGE, "ingress": [{}]}, {"endpointSelector": WGE, "egress": [{}]}]


class TestDoor:
    def test_where_nobody_was_kept_out_of_wg_nobody_is_kept_out_of_wge(self, world: World) -> None:
        for name in ("allow-dashboard-ingress", "allow-dashboard-egress"):
            world.cluster.remove("NetworkPolicy", name)
        assert twin(world, "wge-allow-edge")["spec"] == {
            "podSelector": WGE,
            "policyTypes": ["Ingress"],
            "ingress": [{"ports": [{"protocol": "TCP", "port": 8000}, {"protocol": "TCP", "port": 8080}]}],
        }

    def test_it_is_made_once_and_goes_when_everything_is_taken_back(self, world: World) -> None:
        for name in ("allow-dashboard-ingress", "allow-dashboard-egress"):
            world.cluster.remove("NetworkPolicy", name)
        foreign(world, ISTIO, "authorizationpolicies", "AuthorizationPolicy", {"selector": WG, "rules": [{}]})
        assert world.climb("flipped").verdict == "upgraded"
        assert {name_of(item) for item in world.cluster.all("NetworkPolicy")} == {"mccp-allow-wge-ingress", "wge-allow-edge"}
        assert {name_of(item) for item in world.cluster.all("AuthorizationPolicy")} == {"x", "wge-twin-x"}
        assert TwinPolicies().writes(world.look()) == []
        assert world.climb("flipped").changed is False
        world.set(state="rolled_back")
        from ansible_collections.weaveworks.wge.plugins.module_utils._engine import ladder

        assert ladder.roll_back(world.tools, world.settings, check_mode=False).verdict == "rolled_back"
        assert world.cluster.all("NetworkPolicy") == []
        assert {name_of(item) for item in world.cluster.all("AuthorizationPolicy")} == {"x"}


@pytest.mark.parametrize(
    ("rules", "open_"),
    [
        ([], False),
        ([{}], True),
        ([{"ports": [{"port": 8000}]}], True),
        ([{"ports": [{"port": "server"}]}], True),
        ([{"ports": [{"port": 7000, "endPort": 9000}]}], True),
        ([{"ports": [{"port": 9001}]}], False),
        ([{"ports": [{"port": 8000, "protocol": "UDP"}]}], False),
        ([{"ports": [{"protocol": "TCP"}]}], True),
        ([{"from": [{"namespaceSelector": {}}]}], False),
        ([{"from": [{"ipBlock": {"cidr": "0.0.0.0/0"}}]}], True),
        ([{"from": [{"ipBlock": {"cidr": "0.0.0.0/0", "except": ["10.0.0.0/8"]}}]}], False),
    ],
)
def test_a_policy_lets_everybody_in_or_not(rules: list[Object], open_: bool) -> None:
    policy = {"spec": {"podSelector": {}, "ingress": rules}}
    assert admits_everybody([policy], {"app": "x"}, SERVER) is open_


def test_pods_that_no_policy_of_ingress_selects_are_open() -> None:
    egress = {"spec": {"podSelector": {}, "policyTypes": ["Egress"]}}
    other = {"spec": {"podSelector": {"matchLabels": {"app": "y"}}}}
    assert admits_everybody([egress, other], {"app": "x"}, SERVER) is True
