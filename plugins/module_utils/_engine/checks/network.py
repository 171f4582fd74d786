# SPDX-License-Identifier: GPL-3.0-or-later
"""NE: which Services stay, which routes lead to them, and which policies treat WG's pods and WGE's differently? PRIVATE."""

from __future__ import annotations

from collections.abc import Iterator

from ..model import Object
from ..names import TWIN_PREFIX
from ..objects import labels_of, name_of
from ..situation import Situation, ports_of, target_port
from ..snapshot import ready_pods
from ..steps.owners import backends_of
from ..steps.policies import shadowed_policies
from .evidence import Evidence, Judged, failed, passed, warned

ROUTE_APIS = (
    "apisix.apache.org",
    "configuration.konghq.com",
    "elbv2.k8s.aws",
    "gateway.networking.k8s.io",
    "getambassador.io",
    "k8s.nginx.org",
    "networking.istio.io",
    "projectcontour.io",
    "route.openshift.io",
    "traefik.containo.us",
    "traefik.io",
)
"""API groups of routes that this version does not read."""


def services(evidence: Evidence) -> Judged:
    """NE-01. No request."""
    now = evidence.now
    if not now.kept_services:
        return failed(
            "No Service leads to WG, so there is no address to keep.", "Create the Service that users call, or correct its selector."
        )
    problems = [*_lost_ports(now), *_foreign_pods(now), *_ambiguous(now)]
    if problems:
        return failed("; ".join(problems) + ".", "Correct these Services first; what they lead to is all that the upgrade changes.")
    return passed("; ".join(_shown(service, now) for service in now.kept_services) + ".")


def routes(evidence: Evidence) -> Judged:
    """NE-02. No request."""
    now = evidence.now
    names = {name_of(service) for service in now.kept_services}
    found = [_route(item, names) for item in now.snapshot.of("Ingress") if names & backends_of(item)]
    text = "; ".join(found) if found else "No Ingress leads to the Services"
    groups = {version.split("/")[0] for version in now.snapshot.identity.served}
    unread = [group for group in ROUTE_APIS if group in groups]
    if unread:
        return warned(
            f"{text}; routes of {', '.join(unread)} are served here and not looked at by this version.",
            "Name the addresses of such routes in wge_entry_urls, so that they are probed during the switch.",
        )
    return passed(f"{text}.")


def policies(evidence: Evidence) -> Judged:
    """NE-06. No request."""
    now = evidence.now
    open_questions = _without_twin(now)
    if open_questions:
        return failed(
            f"NetworkPolicies select WG's pods by expressions and not WGE's, so no twin can be made: {', '.join(open_questions)}.",
            f"Write one of the same rules for pods with {_labels(now.target.selector)}, or select by matchLabels.",
        )
    bound = [*_disruption(now), *_scaling(now)]
    if bound:
        return warned(
            "; ".join(bound) + ".",
            "Delete what is bound to WG once it is parked; WGE has one replica, so a budget of its own would stop drains.",
        )
    twins = [name_of(policy) for policy in shadowed_policies(now)]
    return passed(f"Twins for WGE's pods: {', '.join(twins)}." if twins else "No policy treats WGE's pods differently from WG's.")


def selector_matches(selector: Object | None, labels: dict[str, str]) -> bool:
    """Whether a label selector (``matchLabels`` and ``matchExpressions``) matches; None matches nothing, an empty one all."""
    if selector is None:
        return False
    wanted: dict[str, str] = selector.get("matchLabels") or {}
    return wanted.items() <= labels.items() and all(_holds(e, labels) for e in selector.get("matchExpressions") or [])


def _holds(expression: Object, labels: dict[str, str]) -> bool:
    key, operator = expression["key"], expression["operator"]
    values: list[str] = expression.get("values") or []
    if operator == "In":
        return labels.get(key) in values
    if operator == "NotIn":
        return labels.get(key) not in values
    return bool((key in labels) == (operator == "Exists"))


def _lost_ports(now: Situation) -> Iterator[str]:
    for service in now.kept_services:
        for port in ports_of(service):
            if not now.wge_port(target_port(port)):
                yield f"port {port['port']} of Service {name_of(service)} leads to {target_port(port)}, for which WGE has nothing"


def _foreign_pods(now: Situation) -> Iterator[str]:
    """A Service that leads to other pods beside WG's would take their traffic away when it is flipped."""
    own = (now.snapshot.installed.found.pod_labels, now.target.selector)
    pods = {name_of(pod): labels_of(pod) for pod in now.snapshot.of("Pod")}
    for service in now.kept_services:
        ready = ready_pods(now.snapshot.slices_of(name_of(service)))
        foreign = [name for name in sorted(ready & pods.keys()) if not any(labels.items() <= pods[name].items() for labels in own)]
        if foreign:
            yield f"Service {name_of(service)} leads to pods that are not WG's as well: {', '.join(foreign)}"


def _ambiguous(now: Situation) -> Iterator[str]:
    serving = [name_of(service) for service in now.kept_services if now.serves(service)]
    released = {name_of(item) for item in now.snapshot.installed.objects("Service")}
    if not serving:
        yield "no Service leads to WG's dashboard, only to its metrics"
    elif len(serving) > 1 and len(released.intersection(serving)) != 1:
        yield f"which Service is the dashboard's main one cannot be told: {', '.join(serving)}"


def _shown(service: Object, now: Situation) -> str:
    spec = service.get("spec", {})
    ports = ", ".join(_port(port, now) for port in ports_of(service))
    addresses = ", ".join(spec.get("clusterIPs") or [])
    return f"{name_of(service)} ({spec.get('type', 'ClusterIP')} {addresses}): {ports}"


def _port(port: Object, now: Situation) -> str:
    node = f" (node port {port['nodePort']})" if port.get("nodePort") else ""
    return f"{port['port']}{node} -> {now.wge_port(target_port(port))}"


def _route(ingress: Object, services_kept: set[str]) -> str:
    hosts = ", ".join(str(rule.get("host") or "*") for rule in ingress.get("spec", {}).get("rules") or []) or "*"
    return f"Ingress {name_of(ingress)} ({hosts}) -> {', '.join(sorted(services_kept & backends_of(ingress)))}"


def _without_twin(now: Situation) -> list[str]:
    old, new = now.snapshot.installed.found.pod_labels, now.target.pod_labels
    twinned = {name_of(policy) for policy in shadowed_policies(now)}
    found = []
    for policy in now.snapshot.of("NetworkPolicy"):
        name, selector = name_of(policy), policy.get("spec", {}).get("podSelector") or {}
        ours = name in twinned or name.startswith(TWIN_PREFIX)
        if not ours and selector_matches(selector, old) and not selector_matches(selector, new):
            found.append(name)
    return sorted(found)


def _disruption(now: Situation) -> Iterator[str]:
    """Budgets that hold WG's pods, as long as none holds WGE's."""
    budgets = {name_of(item): item.get("spec", {}).get("selector") for item in now.snapshot.of("PodDisruptionBudget")}
    if any(selector_matches(selector, now.target.pod_labels) for selector in budgets.values()):
        return
    for name, selector in sorted(budgets.items()):
        if selector_matches(selector, now.snapshot.installed.found.pod_labels):
            yield f"PodDisruptionBudget {name} holds WG's pods and not WGE's"


def _scaling(now: Situation) -> Iterator[str]:
    for item in now.snapshot.of("HorizontalPodAutoscaler"):
        reference = item.get("spec", {}).get("scaleTargetRef") or {}
        if reference.get("kind") == "Deployment" and reference.get("name") == name_of(now.wg):
            yield f"HorizontalPodAutoscaler {name_of(item)} scales WG and not WGE"


def _labels(labels: dict[str, str]) -> str:
    return ",".join(f"{key}={value}" for key, value in labels.items())
