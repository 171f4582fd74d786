# SPDX-License-Identifier: GPL-3.0-or-later
"""NE-05, NE-08, NE-09 and NE-10."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from ansible_collections.weaveworks.wge.plugins.module_utils._engine.checks.registry import Finding, run_all
from ansible_collections.weaveworks.wge.plugins.module_utils._engine.model import Answer, Object
from ansible_collections.weaveworks.wge.plugins.module_utils._errors import Unreachable
from ansible_collections.weaveworks.wge.tests.unit.plugins.module_utils._engine.standin_edge import foreign, gateway_route, note
from ansible_collections.weaveworks.wge.tests.unit.plugins.module_utils._engine.standin_products import NAMESPACE, WG_LABELS, WG_NAME, thing
from ansible_collections.weaveworks.wge.tests.unit.plugins.module_utils._engine.standin_world import World

URL = "https://wg.example.com"
PROMETHEUS = "monitoring.coreos.com/v1"


def said(world: World, name: str) -> tuple[str, str]:
    found = world.findings()[name]
    return found.status, found.evidence


def spec_of(world: World) -> Any:
    return world.cluster.one("Service", WG_NAME)["spec"]


class TestLoadBalancers:
    def test_a_node_port_that_every_node_serves_passes(self, world: World) -> None:
        assert said(world, "NE-05") == (
            "pass",
            "Services of type NodePort: every node leads to every pod, and nothing has pods as its targets.",
        )

    @pytest.mark.parametrize("kind", ["NodePort", "LoadBalancer"])
    def test_a_local_traffic_policy_is_warned_of(self, world: World, kind: str) -> None:
        spec_of(world).update(type=kind, externalTrafficPolicy="Local")
        status, evidence = said(world, "NE-05")
        assert (status, evidence) == (
            "warn",
            f"Service {WG_NAME} has externalTrafficPolicy Local, so callers reach it only on the nodes of its pods.",
        )
        assert "nodeSelector or affinity in wge_values" in world.findings()["NE-05"].remedy

    def test_so_is_one_for_callers_inside(self, world: World) -> None:
        spec_of(world)["internalTrafficPolicy"] = "Local"
        assert "internalTrafficPolicy Local" in said(world, "NE-05")[1]

    @pytest.mark.parametrize(
        ("kind", "key", "value", "words"),
        [
            ("Ingress", "alb.ingress.kubernetes.io/target-type", "ip", f"Ingress {NAMESPACE}/{WG_NAME} has pods as its targets"),
            (
                "Service",
                "service.beta.kubernetes.io/aws-load-balancer-nlb-target-type",
                "ip",
                f"the load balancer of Service {WG_NAME} has",
            ),
            ("Service", "cloud.google.com/neg", '{"ingress": true}', f"the load balancer of Service {WG_NAME} has pods as its targets"),
            ("Service", "cloud.google.com/neg", '{"exposed_ports": {"9001": {}}}', f"the load balancer of Service {WG_NAME} has"),
        ],
    )
    def test_targets_that_are_pods_are_warned_of(self, world: World, kind: str, key: str, value: str, words: str) -> None:
        note(world, kind, key, value)
        status, evidence = said(world, "NE-05")
        assert status == "warn"
        assert words in evidence

    def test_a_target_group_of_pods_is_warned_of(self, world: World) -> None:
        spec = {"serviceRef": {"name": WG_NAME, "port": 9001}, "targetType": "ip"}
        foreign(world, "elbv2.k8s.aws/v1beta1", "targetgroupbindings", "TargetGroupBinding", spec)
        assert said(world, "NE-05") == ("warn", f"TargetGroupBinding {NAMESPACE}/x has pods as its targets.")

    def test_googles_mark_on_a_service_without_an_ingress_is_none(self, world: World) -> None:
        note(world, "Service", "cloud.google.com/neg", '{"ingress": true}')
        world.cluster.remove("Ingress", WG_NAME)
        assert said(world, "NE-05")[0] == "pass"

    def test_the_proxy_of_a_mesh_is_warned_of(self, world: World) -> None:
        pod = next(item for item in world.cluster.all("Pod") if item["metadata"]["name"].startswith(WG_NAME))
        pod["spec"] = {"containers": [{"name": "weave-gitops"}, {"name": "istio-proxy"}]}
        assert said(world, "NE-05") == (
            "warn",
            "WG's pods carry the proxy of a mesh (istio-proxy), which learns of the change a moment later.",
        )

    def test_a_wish_for_the_mesh_that_wge_does_not_have_is_warned_of(self, world: World) -> None:
        template = world.cluster.one("Deployment", WG_NAME)["spec"]["template"]
        template["metadata"]["annotations"] = {"linkerd.io/inject": "enabled"}
        assert said(world, "NE-05")[1] == "WG's pods say linkerd.io/inject=enabled, which WGE's will not say."


class TestFamilies:
    def test_ipv4_passes(self, world: World) -> None:
        spec_of(world)["ipFamilies"] = ["IPv4"]
        assert said(world, "NE-08") == ("pass", "The Services have IPv4 addresses, on which WGE listens.")

    def test_ipv6_alone_fails(self, world: World) -> None:
        spec_of(world)["ipFamilies"] = ["IPv6"]
        assert said(world, "NE-08") == ("fail", f"Services of IPv6 alone: {WG_NAME}; WGE listens on IPv4 alone.")

    def test_both_pass_where_wg_does_not_answer_on_ipv6_either(self, world: World) -> None:
        spec_of(world)["ipFamilies"] = ["IPv4", "IPv6"]
        assert said(world, "NE-08") == ("pass", f"Services {WG_NAME} have IPv6 addresses too, on which WG does not answer either.")

    @pytest.mark.parametrize("words", [["--host", "::"], ["--host="]])
    def test_both_fail_where_wg_answers_on_ipv6(self, world: World, words: list[str]) -> None:
        spec_of(world)["ipFamilies"] = ["IPv4", "IPv6"]
        world.cluster.one("Deployment", WG_NAME)["spec"]["template"]["spec"]["containers"][0]["args"] += words
        assert said(world, "NE-08") == ("fail", f"WG answers on IPv6 as well, at Services {WG_NAME}; WGE listens on IPv4 alone.")


class TestMetrics:
    def monitor(self, world: World, kind: str, plural: str, spec: Object, namespace: str = NAMESPACE) -> tuple[str, str]:
        foreign(world, PROMETHEUS, plural, kind, spec, namespace=namespace)
        world.cluster.one("Service", WG_NAME)["metadata"]["labels"] = {"app": "wg"}
        return said(world, "NE-09")

    def test_nobody_who_collects_passes(self, world: World) -> None:
        assert said(world, "NE-09") == ("pass", "Nobody collects WG's metrics in a way that would miss WGE's.")

    def test_a_port_by_the_services_name_goes_on(self, world: World) -> None:
        spec = {"selector": {"matchLabels": {"app": "wg"}}, "endpoints": [{"port": "http-metrics"}]}
        assert self.monitor(world, "ServiceMonitor", "servicemonitors", spec)[0] == "pass"

    @pytest.mark.parametrize("port", [2112, "http-metrics"])
    def test_a_port_of_the_pods_is_lost(self, world: World, port: int | str) -> None:
        spec = {"selector": {"matchLabels": {"app": "wg"}}, "endpoints": [{"targetPort": port}]}
        assert self.monitor(world, "ServiceMonitor", "servicemonitors", spec) == (
            "warn",
            f"ServiceMonitor {NAMESPACE}/x collects from the pods of Service {WG_NAME} at {port}.",
        )

    @pytest.mark.parametrize(
        ("place", "status"),
        [({"any": True}, "warn"), ({"matchNames": [NAMESPACE]}, "warn"), ({"matchNames": ["web"]}, "pass"), ({}, "pass")],
    )
    def test_one_elsewhere_counts_when_it_looks_here(self, world: World, place: Object, status: str) -> None:
        spec = {"selector": {"matchLabels": WG_LABELS}, "namespaceSelector": place, "podMetricsEndpoints": [{"port": "http-metrics"}]}
        assert self.monitor(world, "PodMonitor", "podmonitors", spec, "monitoring")[0] == status

    def test_pods_that_wges_are_not_among_are_lost(self, world: World) -> None:
        spec = {"selector": {"matchLabels": WG_LABELS}, "podMetricsEndpoints": [{"port": "other"}]}
        assert self.monitor(world, "PodMonitor", "podmonitors", spec) == (
            "warn",
            f"PodMonitor {NAMESPACE}/x collects from WG's pods alone.",
        )

    def test_annotations_for_prometheus_are_read(self, world: World) -> None:
        note(world, "Service", "prometheus.io/scrape", "true")
        note(world, "Service", "prometheus.io/port", "2112")
        template = world.cluster.one("Deployment", WG_NAME)["spec"]["template"]
        template["metadata"]["annotations"] = {"prometheus.io/scrape": "true"}
        status, evidence = said(world, "NE-09")
        assert status == "warn"
        assert evidence == (
            f"Service {WG_NAME} has itself collected from at port 2112 of its pods; WG's pods have themselves collected from "
            "by the annotation prometheus.io/scrape, which WGE's do not have."
        )

    def test_junk_is_passed_over(self, world: World) -> None:
        foreign(world, PROMETHEUS, "servicemonitors", "ServiceMonitor", {"endpoints": "x"})
        foreign(world, PROMETHEUS, "podmonitors", "PodMonitor", {}).pop("spec")
        assert said(world, "NE-09")[0] == "pass"


class TestBaseline:
    def ask(self, world: World, answer: Callable[[str], Answer] | None) -> Finding:
        world.set(entry_urls=(URL,))
        evidence = world.evidence()
        evidence.ask = answer
        return next(finding for finding in run_all(evidence) if finding.id == "NE-10")

    def test_the_proxy_alone_passes(self, world: World) -> None:
        assert said(world, "NE-10") == (
            "pass",
            "Each place answers, the first page and one that needs a login: service proxy 200, 401.",
        )

    def test_each_entry_is_asked_four_times_and_no_more(self, world: World) -> None:
        asked: list[str] = []
        found = self.ask(world, lambda url: asked.append(url) or Answer(200, {}, b""))  # type: ignore[func-returns-value]
        assert (found.status, asked) == ("pass", [f"{URL}/", f"{URL}/v1/version"] * 2)
        assert found.evidence.endswith(f"service proxy 200, 401; {URL} 200, 200, 200, 200.")

    def test_an_entry_that_fails_blocks_and_is_not_asked_again(self, world: World) -> None:
        asked: list[str] = []
        found = self.ask(world, lambda url: asked.append(url) or Answer(502, {}, b""))  # type: ignore[func-returns-value]
        assert (found.status, found.blocks, len(asked)) == ("fail", True, 1)
        assert found.evidence == f"The dashboard fails already, before anything is changed: {URL}: / answers 502."
        assert found.remedy == "Repair the way to it first, or correct wge_entry_urls."

    def test_an_entry_that_does_not_answer_blocks_and_the_checks_after_it_are_made(self, world: World) -> None:
        def ask(url: str) -> Answer:
            raise Unreachable(f"{url} does not answer: connection refused.", "")

        found = self.ask(world, ask)
        assert found.evidence.endswith(f"{URL}: {URL}/ does not answer: connection refused.")
        evidence = world.evidence()
        evidence.ask = ask
        assert [f.status for f in run_all(evidence) if f.id == "SA-01"] == ["pass"]

    def test_an_entry_without_a_page_is_warned_of(self, world: World) -> None:
        found = self.ask(world, lambda _url: Answer(404, {}, b""))
        assert (found.status, found.evidence) == ("warn", f"These addresses have no page: {URL} (404).")

    def test_a_dashboard_that_fails_through_the_proxy_blocks(self, world: World) -> None:
        world.controllers.deaf.add(WG_NAME)
        status, evidence = said(world, "NE-10")
        assert status == "fail"
        assert "service proxy: the API server itself says 503" in evidence

    def test_without_a_way_out_it_is_skipped_and_never_passed(self, world: World) -> None:
        found = self.ask(world, None)
        assert (found.status, found.evidence) == ("skip", "1 entry URLs cannot be called from here: this is not the live cluster.")

    def test_after_the_switch_it_is_no_baseline_any_more(self, world: World) -> None:
        world.climb("flipped")
        assert said(world, "NE-10") == ("skip", "The cluster is flipped already.")


def test_a_route_beside_the_ingress_changes_nothing_of_this(world: World) -> None:
    gateway_route(world)
    world.cluster.put(thing("v1", "ConfigMap", "x", NAMESPACE))
    assert {name: said(world, name)[0] for name in ("NE-05", "NE-08", "NE-09", "NE-10")} == dict.fromkeys(
        ("NE-05", "NE-08", "NE-09", "NE-10"), "pass"
    )
