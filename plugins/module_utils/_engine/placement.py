# SPDX-License-Identifier: GPL-3.0-or-later
"""Whether a node takes a pod, as the scheduler's filters say: readiness, selector, required affinity, taints. PRIVATE.

Spread and affinity between pods are not judged: they depend on what else runs at that moment.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from .model import Object
from .objects import labels_of, name_of
from .target import Target

WORKLOADS = ("Deployment", "StatefulSet", "DaemonSet", "ReplicaSet", "Job")
ON_DEMAND = {
    "eks.amazonaws.com/compute-type": "EKS",
    "karpenter.sh/nodepool": "Karpenter",
    "karpenter.sh/provisioner-name": "Karpenter",
}
"""Labels of nodes that were made for their pods."""
REPELLING = ("NoSchedule", "NoExecute")


def workloads_of(target: Target) -> list[Object]:
    """The rendered objects that make pods, the server first."""
    made = [item for item in target.objects if item.get("kind") in WORKLOADS]
    return sorted(made, key=lambda item: name_of(item) != target.name)


def pod_spec(workload: Object) -> Object:
    """spec.template.spec"""
    found: Object = ((workload.get("spec") or {}).get("template") or {}).get("spec") or {}
    return found


def replicas_of(workload: Object) -> int:
    """How many pods a workload wants; one for a kind that counts otherwise."""
    wanted = (workload.get("spec") or {}).get("replicas")
    return 1 if wanted is None else int(wanted)


def refusal(node: Object, spec: Object) -> str:
    """Why a node does not take a pod, empty when it does."""
    if not is_up(node):
        return "it is not ready"
    if (node.get("spec") or {}).get("unschedulable"):
        return "it is cordoned"
    wanted = spec.get("nodeSelector") or {}
    if not wanted.items() <= labels_of(node).items():
        return f"it lacks the label {_missing(wanted, labels_of(node))}"
    if not _in_affinity(node, spec):
        return "it does not fit the pod's node affinity"
    taint = next((taint for taint in taints_of(node) if not _tolerated(taint, spec.get("tolerations") or [])), None)
    return f"it has the taint {_named(taint)}" if taint else ""


def maker_of(nodes: Iterable[Object]) -> str:
    """What makes nodes for pods that find none, as far as the nodes show it; empty when nothing does."""
    keys = {key for node in nodes for key in labels_of(node)}
    return next((maker for key, maker in ON_DEMAND.items() if key in keys), "")


def is_up(node: Object) -> bool:
    """Whether the node's Ready condition is true."""
    return condition(node, "Ready") == "True"


def condition(node: Object, kind: str) -> str:
    """The status of one condition, empty when the node does not tell."""
    conditions: list[Object] = (node.get("status") or {}).get("conditions") or []
    return next((str(item.get("status")) for item in conditions if item.get("type") == kind), "")


def taints_of(node: Object) -> list[Object]:
    """The taints that keep pods away."""
    return [taint for taint in (node.get("spec") or {}).get("taints") or [] if taint.get("effect") in REPELLING]


def expression_holds(expression: Object, labels: dict[str, str]) -> bool:
    """One ``matchExpressions`` entry of a node or label selector."""
    key, operator = str(expression.get("key")), expression.get("operator")
    values: list[str] = expression.get("values") or []
    if operator == "In":
        return labels.get(key) in values
    if operator == "NotIn":
        return labels.get(key) not in values
    if operator in ("Gt", "Lt"):
        return _compares(str(operator), labels.get(key, ""), values)
    return (key in labels) == (operator == "Exists")


def _compares(operator: str, have: str, values: Sequence[str]) -> bool:
    try:
        left, right = int(have), int(values[0])
    except (ValueError, IndexError):
        return False
    return left > right if operator == "Gt" else left < right


def _in_affinity(node: Object, spec: Object) -> bool:
    affinity = (spec.get("affinity") or {}).get("nodeAffinity") or {}
    required = affinity.get("requiredDuringSchedulingIgnoredDuringExecution")
    if not required:
        return True
    return any(_term_holds(term, node) for term in required.get("nodeSelectorTerms") or [])


def _term_holds(term: Object, node: Object) -> bool:
    by_label, by_field = term.get("matchExpressions") or [], term.get("matchFields") or []
    fields = {"metadata.name": name_of(node)}
    fits = all(expression_holds(e, labels_of(node)) for e in by_label) and all(expression_holds(e, fields) for e in by_field)
    return bool(by_label or by_field) and fits  # an empty term matches nothing


def _tolerated(taint: Object, tolerations: Iterable[Object]) -> bool:
    return any(_tolerates(toleration, taint) for toleration in tolerations)


def _tolerates(toleration: Object, taint: Object) -> bool:
    if toleration.get("effect") not in (None, "", taint.get("effect")):
        return False
    key, exists = toleration.get("key") or "", toleration.get("operator") == "Exists"
    if not key:
        return exists
    return key == taint.get("key") and (exists or (toleration.get("value") or "") == (taint.get("value") or ""))


def _missing(wanted: dict[str, str], labels: dict[str, str]) -> str:
    return ", ".join(f"{key}={value}" for key, value in sorted(wanted.items()) if labels.get(key) != value)


def _named(taint: Object) -> str:
    value = f"={taint['value']}" if taint.get("value") else ""
    return f"{taint.get('key')}{value}:{taint.get('effect')}"
