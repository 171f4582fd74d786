# SPDX-License-Identifier: GPL-3.0-or-later
"""ResourceQuotas: would they still admit what WGE and its upgrade bring into the namespace? PRIVATE."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from decimal import Decimal

from ..model import Object
from ..objects import NAMESPACED, name_of, namespace_of
from ..placement import replicas_of
from ..quantities import Amounts, amounts, asked_by, shown, total
from ..rights import of_path
from .evidence import Evidence

COUNTED = ("pods", "services", "secrets", "configmaps", "persistentvolumeclaims")
"""What a quota counts under its bare name."""
COMPUTED = {
    "cpu": ("requests", "cpu"),
    "memory": ("requests", "memory"),
    **{f"{what}.{name}": (what, name) for what in ("requests", "limits") for name in ("cpu", "memory")},
}
Wanted = Sequence[tuple[Object, Object]]
"""Workloads, each with its pod as the LimitRanges fill it in."""


def broken_quotas(evidence: Evidence, wanted: Wanted, quotas: Sequence[Object]) -> Iterator[str]:
    """A sentence for each quota of WG's namespace that would refuse WGE's pods or the upgrade's objects."""
    now = evidence.now
    here = [(w, spec) for w, spec in wanted if (namespace_of(w) or now.target.release.namespace) == now.namespace]
    for quota in quotas:
        counted = [(w, spec) for w, spec in here if _covers(quota, spec)]
        yield from _unsaid(quota, counted)
        more = total([_of_pods(evidence, counted), {} if quota["spec"].get("scopes") else _of_objects(evidence)])
        yield from _exceeded(quota, more)


def _covers(quota: Object, spec: Object) -> bool:
    """Whether a quota counts such a pod. Scopes of priority classes are left aside: WGE's chart names none."""
    scopes, plain = (quota.get("spec") or {}).get("scopes") or [], not asked_by(spec) and not asked_by(spec, "limits")
    if (quota.get("spec") or {}).get("scopeSelector"):
        return False
    return not ("Terminating" in scopes or ("BestEffort" in scopes and not plain) or ("NotBestEffort" in scopes and plain))


def _unsaid(quota: Object, counted: Wanted) -> Iterator[str]:
    """A quota on CPU or memory refuses a pod whose containers do not say how much."""
    hard = (quota.get("spec") or {}).get("hard") or {}
    for name in (key for key in COMPUTED if key in hard):
        what, resource = COMPUTED[name]
        silent = [name_of(w) for w, spec in counted if any(resource not in _resources(c, what) for c in _containers(spec))]
        if silent:
            yield f"ResourceQuota {name_of(quota)} wants {name} to be given, and {', '.join(silent)} gives none"


def _exceeded(quota: Object, more: Amounts) -> Iterator[str]:
    status = quota.get("status") or {}
    hard, used = amounts(status.get("hard") or quota["spec"].get("hard")), amounts(status.get("used"))
    for name, most in hard.items():
        wanted = more.get(name, Decimal(0))
        if wanted and used.get(name, Decimal(0)) + wanted > most:
            taken = f"{shown(name, used.get(name, Decimal(0)))} of {shown(name, most)}"
            yield f"ResourceQuota {name_of(quota)}: {name} has {taken} taken, and {shown(name, wanted)} more are needed"


def _of_pods(evidence: Evidence, counted: Wanted) -> Amounts:
    """All pods of the chart, and one more of the server: it is rolled out again when it gets its probes."""
    parts: list[Amounts] = []
    for workload, spec in counted:
        count = Decimal(replicas_of(workload) + (name_of(workload) == evidence.now.target.name))
        asked = {name: asked_by(spec, what).get(resource, Decimal(0)) * count for name, (what, resource) in COMPUTED.items()}
        parts.append({**asked, "pods": count, "count/pods": count})
    return total(parts)


def _of_objects(evidence: Evidence) -> Amounts:
    """The objects that the chart and the plan bring into the namespace, by the names that quotas have for them."""
    now, found = evidence.now, Counter[str]()
    for item in now.target.objects:
        kind = str(item.get("kind"))
        if kind in NAMESPACED and (namespace_of(item) or now.target.release.namespace) == now.namespace:
            version, plural = NAMESPACED[kind]
            found[f"{plural}.{version.split('/')[0]}" if "/" in version else plural] += 1
    for write in evidence.plan.writes:
        right = of_path("create", write.path)
        if (write.verb == "create" or write.release) and right.namespace == now.namespace:
            found[f"{right.resource}.{right.group}" if right.group else right.resource] += 1
    named = {f"count/{name}": Decimal(count) for name, count in found.items()}
    return {**named, **{name: Decimal(found[name]) for name in COUNTED if found[name]}}


def _containers(spec: Object) -> list[Object]:
    return [*(spec.get("initContainers") or []), *(spec.get("containers") or [])]


def _resources(container: Object, what: str) -> Amounts:
    resources = container.get("resources") or {}
    limits = amounts(resources.get("limits"))
    return limits if what == "limits" else {**limits, **amounts(resources.get("requests"))}
