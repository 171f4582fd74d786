# SPDX-License-Identifier: GPL-3.0-or-later
"""S9: NetworkPolicies that let people through to WG let them through to WGE. PRIVATE.

WGE's own policy admits pods only, so a host-network ingress controller or a node port would be cut off by the flip (F12). Killed
here: policies that open a pod without traffic.
"""

from __future__ import annotations

from ..model import Object, Rung
from ..names import RUN_LABEL, TWIN_PREFIX
from ..objects import labels_of, metadata, name_of, object_path, selects
from ..situation import Situation
from ..writes import Write, create
from .base import Step


class TwinPolicies(Step):
    """S9: what a NetworkPolicy allowed to WG's pods, a twin allows to WGE's (F12)."""

    id = "S9"
    title = "let through to WGE what was let through to WG"
    rung = Rung.REHEARSED
    watched = True

    def writes(self, now: Situation) -> list[Write]:
        """One twin for each policy that selects WG's pods and not WGE's."""
        return [_twin(policy, now) for policy in shadowed_policies(now) if not _has_twin(policy, now)]


def shadowed_policies(now: Situation) -> list[Object]:
    """NetworkPolicies that select WG's pods by label and would not select WGE's."""
    old, new = now.snapshot.installed.found.pod_labels, now.target.pod_labels
    found = []
    for policy in now.snapshot.of("NetworkPolicy"):
        selector = policy.get("spec", {}).get("podSelector") or {}
        keys = selector.get("matchLabels") or {}
        by_labels = not selector.get("matchExpressions")  # NE-06 blocks on the others: their meaning is not copied
        if by_labels and selects(keys, old) and not selects(keys, new) and not name_of(policy).startswith(TWIN_PREFIX):
            found.append(policy)
    return found


def _has_twin(policy: Object, now: Situation) -> bool:
    twin = now.snapshot.one("NetworkPolicy", _twin_name(policy))
    return twin is not None and RUN_LABEL in labels_of(twin)


def _twin_name(policy: Object) -> str:
    return (TWIN_PREFIX + name_of(policy))[:253]


def _twin(policy: Object, now: Situation) -> Write:
    spec = dict(policy["spec"])
    spec["podSelector"] = {"matchLabels": now.target.selector}
    if spec.get("ingress"):
        spec["ingress"] = [_ported(rule, now) for rule in spec["ingress"]]
    body: Object = {
        "apiVersion": "networking.k8s.io/v1",
        "kind": "NetworkPolicy",
        "metadata": {"name": _twin_name(policy), "namespace": metadata(policy)["namespace"], "labels": now.labels()},
        "spec": spec,
    }
    path = object_path("NetworkPolicy", _twin_name(policy), now.namespace)
    return create(body, path, f"create the twin of NetworkPolicy {name_of(policy)}")


def _ported(rule: Object, now: Situation) -> Object:
    if not rule.get("ports"):
        return rule
    ports = [{**port, "port": now.wge_port(port["port"]) or port["port"]} if "port" in port else port for port in rule["ports"]]
    return {**rule, "ports": ports}
