# SPDX-License-Identifier: GPL-3.0-or-later
"""S9: policies that let people through to WG let them through to WGE. PRIVATE.

WGE's own policy admits pods only, so a host-network ingress controller or a node port would be cut off by the flip (F12). A twin has
the rules of a policy that selects WG's pods, for WGE's pods and ports. Policies of these kinds add up: a pod is bound by all
that select it, so a twin gives WGE what WG has and takes nothing away. Killed here: policies that open a pod without traffic.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from ..edge import Ports, admits_everybody, old_ports
from ..model import Object, Rung
from ..names import EDGE_POLICY, RUN_LABEL, TWIN_PREFIX
from ..objects import api_of, labels_of, metadata, name_of, object_path
from ..selectors import Labels, cilium_matches, selector_matches
from ..situation import Situation
from ..writes import Write, create
from .base import Step

Spec = Object
DESTINATION_PORT = "destination.port"


@dataclass(frozen=True, slots=True)
class TwinKind:
    """A kind of which twins are made: whether a spec binds pods with these labels, and the same spec for WGE's pods."""

    binds: Callable[[Spec, Labels, str], bool]
    copied: Callable[[Spec, Situation], Spec]


class TwinPolicies(Step):
    """S9: what a policy allowed to WG's pods, a twin allows to WGE's (F12)."""

    id = "S9"
    title = "let through to WGE what was let through to WG"
    rung = Rung.REHEARSED
    watched = True

    def writes(self, now: Situation) -> list[Write]:
        """One twin for each policy that selects WG's pods and not WGE's, and a door where WG had no wall."""
        twins = [_twin(policy, now) for policy in shadowed_policies(now) if not has_twin(policy, now)]
        return twins + ([_door(now)] if needs_door(now) and not _is_ours(now.snapshot.one("NetworkPolicy", EDGE_POLICY)) else [])


def shadowed_policies(now: Situation) -> list[Object]:
    """Policies that bind WG's pods and would not bind WGE's."""
    found = [policy for kind in TWIN_KINDS for policy in now.snapshot.of(kind)]
    return [policy for policy in found if _shadowed(policy, now) and not name_of(policy).startswith(TWIN_PREFIX)]


def has_twin(policy: Object, now: Situation) -> bool:
    """Whether the twin of a policy is there already."""
    return _is_ours(now.snapshot.one(policy["kind"], twin_name(policy)))


def twin_name(policy: Object) -> str:
    """The name of a policy's twin."""
    return (TWIN_PREFIX + name_of(policy))[:253]


def twin_of(policy: Object, now: Situation) -> Object:
    """The policy for WGE's pods, with the same rules."""
    kind = policy["kind"]
    copied = [TWIN_KINDS[kind].copied(spec, now) for spec in _shadowed(policy, now)]
    return {
        "apiVersion": api_of(kind)[0],
        "kind": kind,
        "metadata": {"name": twin_name(policy), "namespace": metadata(policy)["namespace"], "labels": now.labels()},
        **({"spec": copied[0]} if len(copied) == 1 else {"specs": copied}),
    }


def needs_door(now: Situation) -> bool:
    """Whether everybody gets through to WG and, even with all twins, not to WGE."""
    if not now.target.deployment:
        return False
    return admits_everybody(now.snapshot.of("NetworkPolicy"), wg_labels(now), old_ports(now)) and not admits_everybody(
        policies_to_come(now), now.target.pod_labels, Ports.of_target(now.target)
    )


def policies_to_come(now: Situation) -> list[Object]:
    """The NetworkPolicies of WGE's day: those that are here, the chart's, and the twins; not the door."""
    here = [policy for policy in now.snapshot.of("NetworkPolicy") if name_of(policy) != EDGE_POLICY]
    charted = [item for item in now.target.objects if item.get("kind") == "NetworkPolicy"]
    twins = [twin_of(policy, now) for policy in shadowed_policies(now) if policy["kind"] == "NetworkPolicy"]
    return here + charted + twins


def wg_labels(now: Situation) -> Labels:
    """The labels of WG's pods."""
    return now.snapshot.installed.found.pod_labels


def _shadowed(policy: Object, now: Situation) -> list[Spec]:
    """Those of a policy's specs that bind WG's pods and not WGE's."""
    binds = TWIN_KINDS[policy["kind"]].binds
    specs: list[Spec] = [policy["spec"]] if policy.get("spec") else []
    specs += policy.get("specs") or []
    new = now.target.pod_labels
    return [spec for spec in specs if binds(spec, wg_labels(now), now.namespace) and not binds(spec, new, now.namespace)]


def _is_ours(policy: Object | None) -> bool:
    return policy is not None and RUN_LABEL in labels_of(policy)


def _twin(policy: Object, now: Situation) -> Write:
    path = object_path(policy["kind"], twin_name(policy), now.namespace)
    return create(twin_of(policy, now), path, f"create the twin of {policy['kind']} {name_of(policy)}")


def _door(now: Situation) -> Write:
    ports = [{"protocol": "TCP", "port": port} for port in (now.target.port, now.target.metrics_port) if port]
    body: Object = {
        "apiVersion": api_of("NetworkPolicy")[0],
        "kind": "NetworkPolicy",
        "metadata": {"name": EDGE_POLICY, "namespace": now.namespace, "labels": now.labels()},
        "spec": {"podSelector": {"matchLabels": now.target.selector}, "policyTypes": ["Ingress"], "ingress": [{"ports": ports}]},
    }
    return create(body, object_path("NetworkPolicy", EDGE_POLICY, now.namespace), "let everybody through to WGE who gets through to WG")


def _network_binds(spec: Spec, labels: Labels, _namespace: str) -> bool:
    return selector_matches(spec.get("podSelector") or {}, labels)


def _network_copied(spec: Spec, now: Situation) -> Spec:
    copied = {**spec, "podSelector": {"matchLabels": now.target.selector}}
    if spec.get("ingress"):
        copied["ingress"] = [_ported(rule, now) for rule in spec["ingress"]]
    return copied


def _cilium_binds(spec: Spec, labels: Labels, namespace: str) -> bool:
    return cilium_matches(spec.get("endpointSelector"), labels, namespace)


def _cilium_copied(spec: Spec, now: Situation) -> Spec:
    copied = {**spec, "endpointSelector": {"matchLabels": now.target.selector}}
    for field in ("ingress", "ingressDeny"):
        if spec.get(field):
            copied[field] = [_cilium_rule(rule, now) for rule in spec[field]]
    return copied


def _cilium_rule(rule: Object, now: Situation) -> Object:
    return {**rule, "toPorts": [_ported(one, now, text=True) for one in rule["toPorts"]]} if rule.get("toPorts") else rule


def _istio_binds(spec: Spec, labels: Labels, _namespace: str) -> bool:
    if spec.get("targetRef") or spec.get("targetRefs"):
        return False  # it is bound to a Service or a Gateway, which stays
    return selector_matches(spec.get("selector") or {}, labels)


def _istio_copied(spec: Spec, now: Situation) -> Spec:
    copied = {**spec, "selector": {"matchLabels": now.target.selector}}
    if spec.get("rules"):
        copied["rules"] = [_istio_rule(rule, now) for rule in spec["rules"]]
    if spec.get("portLevelMtls"):
        copied["portLevelMtls"] = {_text_port(port, now): mode for port, mode in spec["portLevelMtls"].items()}
    return copied


def _istio_rule(rule: Object, now: Situation) -> Object:
    copied = dict(rule)
    if rule.get("to"):
        copied["to"] = [
            {**to, "operation": _with_ports(to["operation"], ("ports", "notPorts"), now)} if to.get("operation") else to
            for to in rule["to"]
        ]
    if rule.get("when"):
        copied["when"] = [
            _with_ports(when, ("values", "notValues"), now) if when.get("key") == DESTINATION_PORT else when for when in rule["when"]
        ]
    return copied


def _with_ports(item: Object, fields: tuple[str, ...], now: Situation) -> Object:
    return {key: [_text_port(port, now) for port in value] if key in fields else value for key, value in item.items()}


def _ported(rule: Object, now: Situation, *, text: bool = False) -> Object:
    """A rule whose port entries are those of WGE; where ports are written as texts they stay so."""
    if not rule.get("ports"):
        return rule
    return {**rule, "ports": [entry for port in rule["ports"] for entry in _entries(port, now, text=text)]}


def _entries(entry: Object, now: Situation, *, text: bool) -> list[Object]:
    """A port entry for WGE; a range of ports stays, and what it opened of WG is opened of WGE beside it."""
    if "port" not in entry:
        return [entry]
    if "endPort" not in entry:
        return [{**entry, "port": _text_port(entry["port"], now) if text else _port(entry["port"], now)}]
    low, high = int(entry["port"]), int(entry["endPort"])
    spanned = sorted(now.wge_port(number) for number in old_ports(now, serving=False).numbers if low <= number <= high)
    alone = {key: value for key, value in entry.items() if key != "endPort"}
    return [entry, *({**alone, "port": str(port) if text else port} for port in spanned)]


def _port(port: int | str, now: Situation) -> int | str:
    """A port of WG as WGE's, any other as it is."""
    return now.wge_port(port) or port


def _text_port(port: int | str, now: Situation) -> str:
    return str(_port(int(port) if str(port).isdigit() else port, now))


TWIN_KINDS = {
    "NetworkPolicy": TwinKind(_network_binds, _network_copied),
    "AuthorizationPolicy": TwinKind(_istio_binds, _istio_copied),
    "CiliumNetworkPolicy": TwinKind(_cilium_binds, _cilium_copied),
    "PeerAuthentication": TwinKind(_istio_binds, _istio_copied),
    "RequestAuthentication": TwinKind(_istio_binds, _istio_copied),
}
"""Each is read into the snapshot where it is served."""
