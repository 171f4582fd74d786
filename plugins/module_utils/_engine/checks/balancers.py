# SPDX-License-Identifier: GPL-3.0-or-later
"""NE-05 and NE-08: what carries callers to the kept Services from outside, and in which family of addresses? PRIVATE."""

from __future__ import annotations

import re
from collections.abc import Iterator

from ..dig import dig, first
from ..discover import flag
from ..model import Object
from ..objects import annotations_of, labels_of, name_of, pod_template
from ..situation import Situation
from ..snapshot import pods_of
from .evidence import Evidence, Judged, failed, passed, warned
from .route_checks import ALB_TARGETS, NLB_TARGETS
from .routes import routes_of

NEG = "cloud.google.com/neg"
SIDECARS = re.compile(r"^(istio-proxy|linkerd-proxy|kuma-sidecar|consul-dataplane|osm-envoy|envoy-sidecar)$")
INJECTION = re.compile(r"^(sidecar\.istio\.io/inject|linkerd\.io/inject|kuma\.io/sidecar-injection|consul\.hashicorp\.com/connect-inject)$")
LOCAL = "Local"
IPV6 = "IPv6"


def load_balancers(evidence: Evidence) -> Judged:
    """NE-05. No request of its own. Where pods or nodes are targets, the change of the Service takes a while to arrive (K13)."""
    found = routes_of(evidence)
    slow = [*_pod_targets(evidence), *_local(evidence.now), *_mesh(evidence.now)]
    if slow:
        return warned(
            "; ".join(slow) + ".",
            "Watch the first such cluster closely with its address in wge_entry_urls: lost requests there turn the switch back by itself. "
            "Where nodes count, keep WGE on WG's node by nodeSelector or affinity in wge_values.",
        )
    unjudged = found.unjudged("Nothing that was read has pods as its targets.")
    kinds = sorted({str(first(service, "spec.type") or "ClusterIP") for service in evidence.now.kept_services})
    return unjudged or passed(
        f"Services of type {', '.join(kinds) or 'none'}: every node leads to every pod, and nothing has pods as its targets."
    )


def ip_families(evidence: Evidence) -> Judged:
    """NE-08. No request. WGE listens on IPv4 alone (F15), WG where --host says."""
    now = evidence.now
    closed = [name_of(service) for service in now.kept_services if set(dig(service, "spec.ipFamilies")) == {IPV6}]
    if closed:
        return failed(
            f"Services of IPv6 alone: {', '.join(closed)}; WGE listens on IPv4 alone.",
            "Give the Service an IPv4 address as well, or ask for a build of WGE that listens on IPv6.",
        )
    both = [name_of(service) for service in now.kept_services if IPV6 in dig(service, "spec.ipFamilies")]
    if both and _listens_on_ipv6(now):
        return failed(
            f"WG answers on IPv6 as well, at Services {', '.join(both)}; WGE listens on IPv4 alone.",
            "Lead callers to the IPv4 addresses first and take IPv6 out of the Services, or ask for a build of WGE that listens on IPv6.",
        )
    if both:
        return passed(f"Services {', '.join(both)} have IPv6 addresses too, on which WG does not answer either.")
    return passed("The Services have IPv4 addresses, on which WGE listens.")


def _pod_targets(evidence: Evidence) -> Iterator[str]:
    found = routes_of(evidence).routes
    for route in found:
        if annotations_of(route.item).get(ALB_TARGETS) == "ip" or first(route.item, "spec.targetType") == "ip":
            yield f"{route.title} has pods as its targets"
    for service in evidence.now.kept_services:
        notes = annotations_of(service)
        groups = notes.get(NEG, "").replace(" ", "")
        balanced = '"ingress":true' in groups and any(name_of(service) in route.services for route in found)
        if notes.get(NLB_TARGETS) == "ip" or "exposed_ports" in groups or balanced:
            yield f"the load balancer of Service {name_of(service)} has pods as its targets"


def _local(now: Situation) -> Iterator[str]:
    for service in now.kept_services:
        spec = service.get("spec") or {}
        if spec.get("type") in ("NodePort", "LoadBalancer") and spec.get("externalTrafficPolicy") == LOCAL:
            yield f"Service {name_of(service)} has externalTrafficPolicy Local, so callers reach it only on the nodes of its pods"
        if spec.get("internalTrafficPolicy") == LOCAL:
            yield f"Service {name_of(service)} has internalTrafficPolicy Local, so pods reach it only from the nodes of its pods"


def _mesh(now: Situation) -> Iterator[str]:
    found = {name for pod in pods_of(now.snapshot, now.snapshot.installed.found.pod_labels) for name in _sidecars(pod)}
    template = pod_template(now.wg)
    own = {**labels_of(template), **annotations_of(template)}
    coming = {**labels_of(pod_template(now.target.deployment)), **annotations_of(pod_template(now.target.deployment))}
    lost = sorted(key for key in own if INJECTION.match(key) and own[key] != coming.get(key))
    if lost:
        yield f"WG's pods say {', '.join(f'{key}={own[key]}' for key in lost)}, which WGE's will not say"
    elif found:
        yield f"WG's pods carry the proxy of a mesh ({', '.join(sorted(found))}), which learns of the change a moment later"


def _sidecars(pod: Object) -> Iterator[str]:
    names = [*dig(pod, "spec.containers.name"), *dig(pod, "spec.initContainers.name")]
    yield from (str(name) for name in names if SIDECARS.match(str(name)))


def _listens_on_ipv6(now: Situation) -> bool:
    arguments = now.snapshot.installed.found.arguments
    given = any(word == "--host" or word.startswith("--host=") for word in arguments)
    host = flag(arguments, "--host")
    return given and (":" in host or host == "")
