# SPDX-License-Identifier: GPL-3.0-or-later
"""NE-06 and NE-07: what is bound to WG's pods and will not be to WGE's, and can everybody in who could before? PRIVATE."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from ..dig import dig, first
from ..edge import admits_everybody, old_ports
from ..model import Object
from ..names import EDGE_POLICY, RUN_LABEL
from ..objects import labels_of, name_of, namespace_of
from ..selectors import NotUnderstood, selector_matches
from ..situation import Situation
from ..steps.policies import has_twin, needs_door, shadowed_policies, twin_name, wg_labels
from .binding_kinds import KINDS, SCALERS, BindingKind
from .evidence import Evidence, Judged, failed, passed, warned
from .routes import address_of, lean

DESTINATION_RULES = "networking.istio.io"
COPIED = "knp.default."
"""How Calico shows a NetworkPolicy of Kubernetes among its own."""


def policies(evidence: Evidence) -> Judged:
    """NE-06. One list for each kind that is served beside those of the snapshot."""
    now = evidence.now
    taken = _names_taken(now)
    if taken:
        return failed(f"Objects with the names of twins exist, and are not ours: {', '.join(taken)}.", "Rename or delete them.")
    closing = [(text, kind.remedy) for kind in KINDS if kind.closes for text in _bound(kind, evidence)]
    closing += [(text, "Take these labels out of the subset, or give them to WGE's pods in wge_values") for text in _subsets(evidence)]
    if closing:
        return failed("; ".join(text for text, _remedy in closing) + ".", f"{closing[0][1]} ({_labels(now.target.selector)}).")
    bound = [*_disruption(now), *_scaling(evidence), *(text for kind in KINDS if not kind.closes for text in _bound(kind, evidence))]
    if bound:
        return warned(
            "; ".join(bound) + ".",
            "Delete what is bound to WG once it is parked; WGE has one replica, so a budget of its own would stop drains.",
        )
    twins = [f"{policy['kind']} {name_of(policy)}" for policy in shadowed_policies(now)]
    return passed(f"Twins for WGE's pods: {', '.join(twins)}." if twins else "No policy treats WGE's pods differently from WG's.")


def outside(evidence: Evidence) -> Judged:
    """NE-07. No request. WGE's own policy admits pods only: not nodes, not the world outside (F12)."""
    now = evidence.now
    if not admits_everybody(now.snapshot.of("NetworkPolicy"), wg_labels(now), old_ports(now)):
        return passed("WG's NetworkPolicies let through some callers only; the twins let through the same.")
    door = now.snapshot.one("NetworkPolicy", EDGE_POLICY)
    if needs_door(now) and door is not None and RUN_LABEL not in labels_of(door):
        return failed(
            f"Everybody gets through to WG's port, and to WGE's only pods do; the NetworkPolicy {EDGE_POLICY} of this cluster is not ours.",
            f"Rename or delete NetworkPolicy {EDGE_POLICY}.",
        )
    if needs_door(now):
        return passed(f"Everybody gets through to WG's port, and to WGE's by NetworkPolicy {EDGE_POLICY}, which the upgrade makes.")
    return passed("Everybody gets through to WG's port, nodes and the world outside included, and to WGE's too.")


def _names_taken(now: Situation) -> list[str]:
    """Objects that stand where a twin is to be."""
    wanted = [(policy["kind"], twin_name(policy)) for policy in shadowed_policies(now) if not has_twin(policy, now)]
    return [f"{kind} {name}" for kind, name in wanted if now.snapshot.one(kind, name)]


def _bound(kind: BindingKind, evidence: Evidence) -> Iterator[str]:
    """The objects of a kind that hold WG's pods and not WGE's."""
    now = evidence.now
    path = kind.collection(now.snapshot.identity.served)
    for item in evidence.all(path, lean_specs) if path else ():
        place = namespace_of(item)
        if not name_of(item).startswith(COPIED) and _reaches(kind, place, now):
            title = f"{kind.kind} {place}/{name_of(item)}" if place else f"{kind.kind} {name_of(item)}"
            for selector in _selectors(kind, item):
                yield from _differs(kind, selector, title, now)


def _reaches(kind: BindingKind, place: str, now: Situation) -> bool:
    """Whether an object of that namespace may bind pods of WG's."""
    return kind.places is None or place in (kind.places or (now.namespace,))


def lean_specs(item: Object) -> Object:
    """What of a foreign policy is needed; some kinds hold several specs."""
    return {**lean(item), "specs": item.get("specs")}


def _selectors(kind: BindingKind, item: Object) -> list[Any]:
    return [value for path in kind.selectors for value in dig(item, path)]


def _differs(kind: BindingKind, selector: Any, title: str, now: Situation) -> Iterator[str]:
    try:
        old = kind.matches(selector, wg_labels(now), now.namespace)
        if old and not kind.matches(selector, now.target.pod_labels, now.namespace):
            yield f"{title} holds WG's pods and not WGE's"
    except (NotUnderstood, AttributeError, KeyError, TypeError):
        yield f"{title} has a selector that is not understood here"


def _subsets(evidence: Evidence) -> Iterator[str]:
    """Subsets of a DestinationRule are pods by their labels: WGE's must be among them too."""
    now = evidence.now
    versions = ("v1", "v1beta1", "v1alpha3")
    version = next((v for v in versions if f"{DESTINATION_RULES}/{v}" in now.snapshot.identity.served), "")
    kept = {(now.namespace, name_of(service)) for service in now.kept_services}
    for item in evidence.all(f"/apis/{DESTINATION_RULES}/{version}/destinationrules", lean) if version else ():
        if not item or address_of(str(first(item, "spec.host")), namespace_of(item)) not in kept:
            continue
        for subset in dig(item, "spec.subsets"):
            labels = (subset.get("labels") or {}).items()
            if labels <= wg_labels(now).items() and not labels <= now.target.pod_labels.items():
                yield f"subset {subset.get('name')} of DestinationRule {namespace_of(item)}/{name_of(item)} holds WG's pods and not WGE's"


def _disruption(now: Situation) -> Iterator[str]:
    """Budgets that hold WG's pods, as long as none holds WGE's."""
    budgets = {name_of(item): item.get("spec", {}).get("selector") for item in now.snapshot.of("PodDisruptionBudget")}
    if any(selector_matches(selector, now.target.pod_labels) for selector in budgets.values()):
        return
    for name, selector in sorted(budgets.items()):
        if selector_matches(selector, wg_labels(now)):
            yield f"PodDisruptionBudget {name} holds WG's pods and not WGE's"


def _scaling(evidence: Evidence) -> Iterator[str]:
    now = evidence.now
    found = [(item, "spec.scaleTargetRef") for item in now.snapshot.of("HorizontalPodAutoscaler")]
    for _kind, group, version, plural, where in SCALERS:
        if f"{group}/{version}" in now.snapshot.identity.served:
            found += [
                (item, where) for item in evidence.all(f"/apis/{group}/{version}/{plural}", lean) if namespace_of(item) == now.namespace
            ]
    for item, where in found:
        if first(item, f"{where}.kind") in ("Deployment", "") and first(item, f"{where}.name") == name_of(now.wg):
            yield f"{item.get('kind')} {name_of(item)} scales WG and not WGE"


def _labels(labels: dict[str, str]) -> str:
    return ",".join(f"{key}={value}" for key, value in labels.items())
