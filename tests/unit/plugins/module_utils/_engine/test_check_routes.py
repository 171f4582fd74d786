# SPDX-License-Identifier: GPL-3.0-or-later
"""NE-02, NE-03, NE-04 and NE-11."""

from __future__ import annotations

from typing import Any

import pytest

from ansible_collections.weaveworks.wge.plugins.module_utils._engine.checks.routes import address_of
from ansible_collections.weaveworks.wge.plugins.module_utils._engine.model import Object
from ansible_collections.weaveworks.wge.tests.unit.plugins.module_utils._engine.standin_edge import (
    arguments_of_wge,
    discover,
    forbid,
    foreign,
    gateway_route,
    note,
    speak_https,
)
from ansible_collections.weaveworks.wge.tests.unit.plugins.module_utils._engine.standin_products import NAMESPACE, WG_NAME, thing
from ansible_collections.weaveworks.wge.tests.unit.plugins.module_utils._engine.standin_world import World

INGRESS = f"Ingress {NAMESPACE}/{WG_NAME} (wg.example.com) -> {WG_NAME}"
OURS = f"Ingress {NAMESPACE}/{WG_NAME}"
FULL = f"{WG_NAME}.{NAMESPACE}.svc.cluster.local"
BACKEND = {"name": WG_NAME, "port": 9001}
ROUTES: list[tuple[str, str, str, Object, str]] = [
    ("gateway.networking.k8s.io/v1", "grpcroutes", "GRPCRoute", {"hostnames": ["h"], "rules": [{"backendRefs": [BACKEND]}]}, "h"),
    ("gateway.networking.k8s.io/v1alpha2", "tcproutes", "TCPRoute", {"rules": [{"backendRefs": [BACKEND]}]}, "*"),
    (
        "traefik.io/v1alpha1",
        "ingressroutes",
        "IngressRoute",
        {"routes": [{"match": "Host(`h`) && PathPrefix(`/`)", "services": [BACKEND]}]},
        "h",
    ),
    (
        "traefik.containo.us/v1alpha1",
        "ingressroutes",
        "IngressRoute",
        {"routes": [{"match": "Host(`h`)||Host(`i`)", "services": [BACKEND]}]},
        "h, i",
    ),
    ("traefik.io/v1alpha1", "ingressroutetcps", "IngressRouteTCP", {"routes": [{"match": "HostSNI(`h`)", "services": [BACKEND]}]}, "h"),
    ("traefik.io/v1alpha1", "traefikservices", "TraefikService", {"weighted": {"services": [BACKEND]}}, "*"),
    ("route.openshift.io/v1", "routes", "Route", {"host": "h", "to": {"kind": "Service", "name": WG_NAME}}, "h"),
    (
        "networking.istio.io/v1",
        "virtualservices",
        "VirtualService",
        {"hosts": ["h"], "http": [{"route": [{"destination": {"host": FULL}}]}]},
        "h",
    ),
    ("projectcontour.io/v1", "httpproxies", "HTTPProxy", {"virtualhost": {"fqdn": "h"}, "routes": [{"services": [BACKEND]}]}, "h"),
    ("elbv2.k8s.aws/v1beta1", "targetgroupbindings", "TargetGroupBinding", {"serviceRef": BACKEND, "targetType": "instance"}, "*"),
    ("getambassador.io/v3alpha1", "mappings", "Mapping", {"hostname": "h", "service": f"http://{WG_NAME}.{NAMESPACE}:9001"}, "h"),
    (
        "configuration.konghq.com/v1beta1",
        "tcpingresses",
        "TCPIngress",
        {"rules": [{"host": "h", "backend": {"serviceName": WG_NAME}}]},
        "h",
    ),
    (
        "apisix.apache.org/v2",
        "apisixroutes",
        "ApisixRoute",
        {"http": [{"match": {"hosts": ["h"]}, "backends": [{"serviceName": WG_NAME}]}]},
        "h",
    ),
    ("k8s.nginx.org/v1", "virtualservers", "VirtualServer", {"host": "h", "upstreams": [{"service": WG_NAME, "port": 9001}]}, "h"),
    ("cilium.io/v2", "ciliumenvoyconfigs", "CiliumEnvoyConfig", {"services": [{"name": WG_NAME, "namespace": NAMESPACE}]}, "*"),
]


def two(world: World) -> tuple[str, str]:
    found = world.findings()["NE-02"]
    return found.status, found.evidence


class TestRoutes:
    def test_an_ingress_to_a_kept_service_is_shown_with_its_hosts(self, world: World) -> None:
        assert two(world) == ("pass", f"{INGRESS}.")

    def test_no_route_is_said_as_well(self, world: World) -> None:
        world.cluster.remove("Ingress", WG_NAME)
        assert two(world) == ("pass", "No route leads to the Services.")

    @pytest.mark.parametrize(("api", "plural", "kind", "spec", "hosts"), ROUTES, ids=[f"{kind} of {api}" for api, _, kind, _, _ in ROUTES])
    def test_every_known_kind_is_found_with_its_hosts(
        self, world: World, api: str, plural: str, kind: str, spec: Object, hosts: str
    ) -> None:
        foreign(world, api, plural, kind, spec)
        other = {"to": {"name": "other"}, "routes": [{"services": [{"name": "other"}]}], "rules": [{"backendRefs": [{"name": "other"}]}]}
        foreign(world, api, plural, kind, other, name="y")
        assert two(world) == ("pass", f"{INGRESS}; {kind} {NAMESPACE}/x ({hosts}) -> {WG_NAME}.")

    def test_a_route_of_another_namespace_to_a_service_of_the_same_name_there_is_none_of_ours(self, world: World) -> None:
        foreign(world, "projectcontour.io/v1", "httpproxies", "HTTPProxy", {"routes": [{"services": [BACKEND]}]}, namespace="web")
        assert two(world) == ("pass", f"{INGRESS}.")

    def test_a_route_from_another_namespace_needs_a_grant(self, world: World) -> None:
        gateway_route(world, namespace="web")
        world.cluster.served.append("gateway.networking.k8s.io/v1beta1")
        shown = f"HTTPRoute web/gitops (wg.example.com) -> {WG_NAME}"
        assert two(world)[1] == f"{INGRESS}; {shown} without a ReferenceGrant, so it leads nowhere."
        spec = {
            "from": [{"group": "gateway.networking.k8s.io", "kind": "HTTPRoute", "namespace": "web"}],
            "to": [{"group": "", "kind": "Service"}],
        }
        foreign(world, "gateway.networking.k8s.io/v1beta1", "referencegrants", "ReferenceGrant", spec)
        assert two(world)[1] == f"{INGRESS}; {shown}."

    def test_an_ingress_elsewhere_leads_here_by_a_service_that_stands_for_ours(self, world: World) -> None:
        alias = thing("v1", "Service", "alias", "web", spec={"type": "ExternalName", "externalName": FULL})
        rule = {"host": "far", "http": {"paths": [{"path": "/", "backend": {"service": {"name": "alias", "port": {"number": 9001}}}}]}}
        world.cluster.put(thing("networking.k8s.io/v1", "Ingress", "far", "web", spec={"rules": [rule]}))
        assert two(world)[1] == f"{INGRESS}."
        world.cluster.put(alias)
        assert two(world)[1] == f"{INGRESS}; Ingress web/far (far) -> {WG_NAME} by Service web/alias."

    def test_what_follows_annotations_is_said_to_stay(self, world: World) -> None:
        note(world, "Ingress", "cert-manager.io/cluster-issuer", "letsencrypt")
        note(world, "Service", "external-dns.alpha.kubernetes.io/hostname", "wg.example.com")
        assert two(world)[1] == (
            f"{INGRESS}; cert-manager goes by {OURS}, which stays; external-dns goes by Service {WG_NAME}, which stays."
        )

    def test_a_kind_that_may_not_be_listed_is_an_error_for_each_check_that_had_to_see_it(self, world: World) -> None:
        gateway_route(world)
        forbid(world, "httproutes")
        found = world.findings()
        assert two(world) == (
            "error",
            f"{INGRESS}. Not all was looked at: Listing /apis/gateway.networking.k8s.io/v1/httproutes is forbidden.",
        )
        assert {name: found[name].status for name in ("NE-02", "NE-03", "NE-04", "NE-05", "NE-11")} == dict.fromkeys(
            ("NE-02", "NE-03", "NE-04", "NE-05", "NE-11"), "error"
        )
        assert (found["NE-03"].blocks, found["NE-02"].blocks, found["NE-03"].remedy) == (True, False, "Grant it.")

    def test_each_list_is_asked_for_once(self, world: World) -> None:
        gateway_route(world)
        world.findings()
        asked = [path for verb, path in world.cluster.requests if verb == "list" and path.endswith(("/httproutes", "/v1/services"))]
        assert len(asked) == len(set(asked)) == 2

    @pytest.mark.parametrize("junk", [None, "text", {"rules": "x"}, {"rules": [{"backendRefs": [None, "x", {"name": None}]}]}])
    def test_junk_in_an_object_is_passed_over(self, world: World, junk: Any) -> None:
        gateway_route(world)["spec"] = junk
        assert two(world) == ("pass", f"{INGRESS}.")


class TestUnknownRoutes:
    def test_an_unknown_kind_that_mentions_the_service_is_named_in_a_warning(self, world: World) -> None:
        discover(world, "gateway.example.org/v1", "doors")
        foreign(world, "gateway.example.org/v1", "doors", "Door", {"leadsTo": {"service": WG_NAME}})
        foreign(world, "gateway.example.org/v1", "doors", "Door", {"leadsTo": {"service": WG_NAME}}, name="away", namespace="web")
        found = world.findings()["NE-02"]
        assert (found.status, found.evidence) == (
            "warn",
            f"{INGRESS}; kinds that are not known here mention them as well: Door {NAMESPACE}/x.",
        )
        assert "wge_entry_urls" in found.remedy

    def test_from_another_namespace_only_the_whole_name_counts(self, world: World) -> None:
        discover(world, "gateway.example.org/v1", "doors")
        foreign(world, "gateway.example.org/v1", "doors", "Door", {"url": f"http://{FULL}:9001"}, namespace="web")
        assert "mention them as well: Door web/x." in two(world)[1]

    def test_what_mentions_nothing_passes(self, world: World) -> None:
        discover(world, "gateway.example.org/v1", "doors")
        foreign(world, "gateway.example.org/v1", "doors", "Door", {"leadsTo": {"service": "other"}})
        assert two(world) == ("pass", f"{INGRESS}.")

    def test_beyond_three_groups_and_six_lists_it_is_said_what_was_not_looked_at(self, world: World) -> None:
        for number in range(5):
            discover(world, f"g{number}.proxy.example.org/v1", "as", "bs", "cs")
        status, evidence = two(world)
        assert status == "warn"
        assert evidence == (
            f"{INGRESS}; not looked at (at most 3 unknown groups and 6 lists are): g3.proxy.example.org, g4.proxy.example.org, "
            "as.g2.proxy.example.org, bs.g2.proxy.example.org, cs.g2.proxy.example.org."
        )

    def test_a_group_that_does_not_answer_or_may_not_be_listed_is_named(self, world: World) -> None:
        world.cluster.served.append("dead.proxy.example.org/v1")
        discover(world, "gateway.example.org/v1", "doors")
        forbid(world, "doors")
        assert "dead.proxy.example.org, doors.gateway.example.org." in two(world)[1]

    def test_groups_that_have_nothing_to_do_with_routes_cost_no_request(self, world: World) -> None:
        world.cluster.served += ["cert-manager.io/v1", "metrics.k8s.io/v1beta1", "security.istio.io/v1"]
        before = world.cluster.count("raw")
        world.findings()
        assert not [path for verb, path in world.cluster.requests[before:] if verb == "raw" and path.startswith("/apis/")]


class TestScheme:
    def three(self, world: World) -> tuple[str, str]:
        found = world.findings()["NE-03"]
        return found.status, found.evidence

    def test_routes_that_say_nothing_speak_http_and_pass(self, world: World) -> None:
        assert self.three(world) == ("pass", "WGE will speak http, and no route or Service says anything else.")

    @pytest.mark.parametrize(
        ("api", "plural", "kind", "spec"),
        [
            ("traefik.io/v1alpha1", "ingressroutes", "IngressRoute", {"routes": [{"services": [{**BACKEND, "scheme": "https"}]}]}),
            ("route.openshift.io/v1", "routes", "Route", {"to": {"name": WG_NAME}, "tls": {"termination": "reencrypt"}}),
            ("route.openshift.io/v1", "routes", "Route", {"to": {"name": WG_NAME}, "tls": {"termination": "passthrough"}}),
            ("projectcontour.io/v1", "httpproxies", "HTTPProxy", {"routes": [{"services": [{**BACKEND, "protocol": "tls"}]}]}),
            ("networking.istio.io/v1", "destinationrules", "DestinationRule", {"host": FULL, "trafficPolicy": {"tls": {"mode": "SIMPLE"}}}),
            (
                "gateway.networking.k8s.io/v1",
                "backendtlspolicies",
                "BackendTLSPolicy",
                {"targetRefs": [{"kind": "Service", "name": WG_NAME}]},
            ),
            ("getambassador.io/v2", "mappings", "Mapping", {"service": f"https://{WG_NAME}"}),
            ("k8s.nginx.org/v1", "virtualservers", "VirtualServer", {"upstreams": [{"service": WG_NAME, "tls": {"enable": True}}]}),
            ("gateway.networking.k8s.io/v1alpha2", "tlsroutes", "TLSRoute", {"rules": [{"backendRefs": [BACKEND]}]}),
            (
                "traefik.io/v1alpha1",
                "ingressroutetcps",
                "IngressRouteTCP",
                {"routes": [{"services": [BACKEND]}], "tls": {"passthrough": True}},
            ),
        ],
    )
    def test_what_speaks_https_fails_when_wge_will_speak_http(self, world: World, api: str, plural: str, kind: str, spec: Object) -> None:
        foreign(world, api, plural, kind, spec)
        assert self.three(world) == ("fail", f"{kind} {NAMESPACE}/x speaks https to Service {WG_NAME}, while WGE will speak http.")
        assert world.findings()["NE-03"].remedy == "Correct the route, or give wge_values tls.enabled as it says."

    @pytest.mark.parametrize(
        ("kind", "key", "value"),
        [
            ("Ingress", "nginx.ingress.kubernetes.io/backend-protocol", "HTTPS"),
            ("Ingress", "nginx.ingress.kubernetes.io/backend-protocol", "GRPCS"),
            ("Ingress", "nginx.ingress.kubernetes.io/ssl-passthrough", "true"),
            ("Ingress", "haproxy.org/server-ssl", "true"),
            ("Ingress", "nginx.org/ssl-services", f"other,{WG_NAME}"),
            ("Service", "traefik.ingress.kubernetes.io/service.serversscheme", "https"),
            ("Service", "cloud.google.com/app-protocols", '{"http": "HTTPS"}'),
            ("Service", "projectcontour.io/upstream-protocol.tls", "http"),
        ],
    )
    def test_annotations_say_it_too(self, world: World, kind: str, key: str, value: str) -> None:
        note(world, kind, key, value)
        status, evidence = self.three(world)
        assert status == "fail"
        assert f"{kind} " in evidence
        assert evidence.endswith(f"speaks https to Service {WG_NAME}, while WGE will speak http.")

    def test_the_port_of_the_service_says_it_too(self, world: World) -> None:
        port = world.cluster.one("Service", WG_NAME)["spec"]["ports"][0]
        port["appProtocol"] = "kubernetes.io/h2c"
        assert self.three(world)[0] == "pass"
        port["appProtocol"] = "https"
        assert self.three(world) == (
            "fail",
            f"appProtocol of Service {WG_NAME} speaks https to Service {WG_NAME}, while WGE will speak http.",
        )

    @pytest.mark.parametrize(
        ("key", "value"), [("nginx.ingress.kubernetes.io/backend-protocol", "AUTO_HTTP"), ("haproxy.org/server-ssl", "false")]
    )
    def test_what_chooses_by_itself_passes(self, world: World, key: str, value: str) -> None:
        note(world, "Ingress", key, value)
        assert self.three(world)[0] == "pass"

    def test_a_sidecars_own_tls_says_nothing_about_the_server(self, world: World) -> None:
        spec = {"host": WG_NAME, "trafficPolicy": {"tls": {"mode": "ISTIO_MUTUAL"}}}
        foreign(world, "networking.istio.io/v1", "destinationrules", "DestinationRule", spec)
        assert self.three(world)[0] == "pass"

    def test_https_on_both_sides_passes(self, world: World) -> None:
        speak_https(world)
        assert self.three(world) == ("pass", "WGE will speak https, and no route or Service says anything else.")

    def test_a_route_that_speaks_http_to_https_fails(self, world: World) -> None:
        speak_https(world)
        foreign(world, "k8s.nginx.org/v1", "virtualservers", "VirtualServer", {"upstreams": [{"service": WG_NAME}]})
        assert self.three(world) == ("fail", f"VirtualServer {NAMESPACE}/x speaks http to Service {WG_NAME}, while WGE will speak https.")

    def test_a_route_that_verifies_the_certificate_fails_since_wge_makes_its_own(self, world: World) -> None:
        speak_https(world)
        note(world, "Ingress", "nginx.ingress.kubernetes.io/proxy-ssl-verify", "on")
        found = world.findings()["NE-03"]
        assert (found.status, found.evidence) == (
            "fail",
            f"{OURS} verifies the server's certificate; WGE serves a certificate that it makes itself, which nobody trusts.",
        )
        assert found.remedy == "End TLS at the route, or take the verification away, before the upgrade."

    def test_a_route_that_does_not_say_how_it_speaks_to_https_is_warned_of(self, world: World) -> None:
        speak_https(world)
        world.cluster.one("Ingress", WG_NAME)["metadata"]["annotations"].pop("nginx.ingress.kubernetes.io/backend-protocol")
        assert self.three(world) == (
            "warn",
            f"WGE will speak https, and nothing says how these speak to it: Ingress {NAMESPACE}/{WG_NAME}.",
        )


class TestNumericTargets:
    def four(self, world: World) -> tuple[str, str]:
        found = world.findings()["NE-04"]
        return found.status, found.evidence

    def test_names_pass(self, world: World) -> None:
        foreign(world, "route.openshift.io/v1", "routes", "Route", {"to": {"name": WG_NAME}, "port": {"targetPort": "http"}})
        assert self.four(world) == ("pass", "No route and no health check names WG's pod port.")

    def test_a_route_that_means_wgs_pod_port_fails_with_what_to_write_instead(self, world: World) -> None:
        foreign(world, "route.openshift.io/v1", "routes", "Route", {"to": {"name": WG_NAME}, "port": {"targetPort": 9001}})
        assert self.four(world) == ("fail", f"These name WG's pod port by its number: Route {NAMESPACE}/x (9001, of WGE 8000).")
        assert "spec.port.targetPort: http" in world.findings()["NE-04"].remedy

    def test_a_number_that_is_no_port_of_wg_is_passed_over(self, world: World) -> None:
        foreign(world, "route.openshift.io/v1", "routes", "Route", {"to": {"name": WG_NAME}, "port": {"targetPort": 8443}})
        assert self.four(world)[0] == "pass"

    def test_a_target_group_that_lets_in_only_wgs_port_fails(self, world: World) -> None:
        spec = {"serviceRef": BACKEND, "targetType": "ip", "networking": {"ingress": [{"ports": [{"port": 9001}]}]}}
        foreign(world, "elbv2.k8s.aws/v1beta1", "targetgroupbindings", "TargetGroupBinding", spec)
        assert "TargetGroupBinding flux-system/x (9001, of WGE 8000)" in self.four(world)[1]

    def test_a_health_check_at_wgs_port_fails_where_pods_are_the_targets(self, world: World) -> None:
        note(world, "Ingress", "alb.ingress.kubernetes.io/healthcheck-port", "9001")
        assert self.four(world)[0] == "pass"
        note(world, "Ingress", "alb.ingress.kubernetes.io/target-type", "ip")
        assert f"alb.ingress.kubernetes.io/healthcheck-port of Ingress {NAMESPACE}/{WG_NAME} (9001, of WGE 8000)" in self.four(world)[1]

    def test_googles_health_checks_are_looked_at(self, world: World) -> None:
        check = {"targetRef": {"kind": "Service", "name": WG_NAME}, "default": {"config": {"httpHealthCheck": {"port": 9001}}}}
        foreign(world, "networking.gke.io/v1", "healthcheckpolicies", "HealthCheckPolicy", check)
        foreign(world, "cloud.google.com/v1", "backendconfigs", "BackendConfig", {"healthCheck": {"port": 9001}}, name="cfg")
        note(world, "Service", "cloud.google.com/backend-config", '{"default": "cfg"}')
        assert self.four(world)[1] == (
            "These name WG's pod port by its number: HealthCheckPolicy flux-system/x (9001, of WGE 8000); "
            "BackendConfig flux-system/cfg (9001, of WGE 8000)."
        )

    @pytest.mark.parametrize("junk", ["", "text", "[]", '{"default": 5}'])
    def test_junk_in_the_annotation_is_passed_over(self, world: World, junk: str) -> None:
        world.cluster.served.append("cloud.google.com/v1")
        note(world, "Service", "cloud.google.com/backend-config", junk)
        assert self.four(world)[0] == "pass"


class TestPaths:
    def eleven(self, world: World) -> tuple[str, str]:
        found = world.findings()["NE-11"]
        return found.status, found.evidence

    def test_a_route_to_everything_passes_and_says_what_it_sets(self, world: World) -> None:
        note(world, "Ingress", "nginx.ingress.kubernetes.io/proxy-body-size", "8m")
        assert self.eleven(world) == (
            "pass",
            f"The routes lead to all below /; what they set stays: {OURS}: nginx.ingress.kubernetes.io/proxy-body-size.",
        )

    def test_a_prefix_that_wge_does_not_get_fails(self, world: World) -> None:
        container = world.cluster.one("Deployment", WG_NAME)["spec"]["template"]["spec"]["containers"][0]
        container["args"] += ["--route-prefix", "/wg"]
        assert self.eleven(world) == ("fail", "WG serves below /wg, WGE would serve below /.")
        arguments_of_wge(world, "--route-prefix=/wg")
        world.cluster.one("Ingress", WG_NAME)["spec"]["rules"][0]["http"]["paths"][0]["path"] = "/wg"
        assert self.eleven(world) == ("pass", "The routes lead to all below /wg.")

    @pytest.mark.parametrize("path", ["/", "/(.*)", "/*", None])
    def test_all_ways_to_write_everything_pass(self, world: World, path: str | None) -> None:
        world.cluster.one("Ingress", WG_NAME)["spec"]["rules"][0]["http"]["paths"][0]["path"] = path
        assert self.eleven(world)[0] == "pass"

    def test_a_route_to_a_part_is_warned_of(self, world: World) -> None:
        world.cluster.one("Ingress", WG_NAME)["spec"]["rules"][0]["http"]["paths"][0]["path"] = "/v1"
        assert self.eleven(world) == (
            "warn",
            f"WG serves below /, and these routes lead to parts of it alone: Ingress {NAMESPACE}/{WG_NAME} (/v1).",
        )

    def test_a_login_at_the_edge_is_warned_of_since_probes_see_it_alone(self, world: World) -> None:
        note(world, "Ingress", "nginx.ingress.kubernetes.io/auth-url", "https://sso")
        assert self.eleven(world) == ("warn", f"These routes ask for a login of their own: Ingress {NAMESPACE}/{WG_NAME}.")


@pytest.mark.parametrize(
    ("host", "address"),
    [
        ("x", ("here", "x")),
        ("x.there", ("there", "x")),
        ("x.there.svc", ("there", "x")),
        ("x.there.svc.cluster.local.", ("there", "x")),
        ("https://x.there:8000/y", ("there", "x")),
        ("x:80", ("here", "x")),
    ],
)
def test_a_services_name_is_read_as_dns_does(host: str, address: tuple[str, str]) -> None:
    assert address_of(host, "here") == address
