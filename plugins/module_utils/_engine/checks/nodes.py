# SPDX-License-Identifier: GPL-3.0-or-later
"""CL-10, CA-02 and CA-03: which nodes can WGE run on, and are they well? PRIVATE."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator

from ..model import Object, Rung
from ..objects import collection_path, labels_of, name_of
from ..placement import condition, is_up, maker_of, pod_spec, refusal, workloads_of
from ..quantities import counted
from .apis import labels_of_namespace
from .check import BLOCK, WARNING, Check
from .evidence import Evidence, Judged, failed, passed, skipped, warned
from .pods import pods, seconds_since_eviction
from .podsecurity import ENFORCED, violations

IMAGES_FOR = ("linux", "amd64")
"""WGE's build made its images for this alone. A mirror could hold others: no registry is asked here (TA-04 does)."""
PRESSURES = ("MemoryPressure", "DiskPressure", "PIDPressure")
LEAVING = ("ToBeDeletedByClusterAutoscaler", "DeletionCandidateOfClusterAutoscaler", "karpenter.sh/disrupted")
RECENT_SECONDS = 3600
NAMES_SHOWN = 5


def architecture(evidence: Evidence) -> Judged:
    """CL-10. One list, of the nodes."""
    spec = pod_spec(evidence.now.target.deployment)
    fitting = [node for node in nodes(evidence) if not refusal(node, spec)]
    if not fitting:
        return skipped("No node takes WGE's server, so there is none whose architecture could be judged (see CA-02).")
    kinds = Counter("/".join(_platform(node)) for node in fitting)
    wanted, text = "/".join(IMAGES_FOR), ", ".join(f"{counted(count, 'node')} of {kind}" for kind, count in sorted(kinds.items()))
    if wanted not in kinds:
        return failed(
            f"WGE's images are built for {wanted}; what would take its server is {text}.",
            f"Add a node of {wanted}, or mirror images for these nodes and waive this check.",
        )
    if len(kinds) > 1:
        return warned(
            f"WGE's images are built for {wanted}; its server could also land on other nodes ({text}).",
            "Taint or label the other nodes so that WGE keeps off them, or mirror images for all of them.",
        )
    return passed(f"WGE's server would land on {text}, for which its images are built.")


def schedulable(evidence: Evidence) -> Judged:
    """CA-02. No request beyond the nodes and namespaces that others read. No pod is made."""
    unplaced = list(_unplaced(evidence))
    if unplaced and (maker := maker_of(nodes(evidence))):
        return warned("; ".join(unplaced) + f"; {maker} makes nodes here.", f"See that {maker} would make one for such a pod.")
    if unplaced:
        return failed(
            "; ".join(unplaced) + ".",
            "Give WGE's pods tolerations and a node selector that fit (wge_values), or give them a node.",
        )
    forbidden = list(_forbidden(evidence))
    if forbidden:
        return failed(
            "; ".join(forbidden) + ".",
            "Give WGE's pods a securityContext that the level allows (wge_values), or put the namespace on a lower level.",
        )
    number = counted(len(workloads_of(evidence.now.target)), "kind")
    return passed(f"{number} of pods in the chart: a node takes each, and its namespace allows it.")


def pressure(evidence: Evidence) -> Judged:
    """CA-03. No request beyond the nodes and pods that others read."""
    found = nodes(evidence)
    down = [name_of(node) for node in found if not is_up(node)]
    pressed = [f"{name_of(node)} ({kind})" for node in found for kind in PRESSURES if condition(node, kind) == "True"]
    leaving = [name_of(node) for node in found if any(taint.get("key") in LEAVING for taint in node["spec"].get("taints") or [])]
    evicted = sum(1 for pod in pods(evidence) if seconds_since_eviction(pod, evidence.time) < RECENT_SECONDS)
    words = [
        *_listed("not ready", down),
        *_listed("under pressure", pressed),
        *_listed("about to be removed by an autoscaler", leaving),
        *([f"{counted(evicted, 'pod')} evicted within the last hour"] if evicted else []),
    ]
    if words:
        return warned("; ".join(words) + ".", "Wait until the nodes are well, so that WGE's pod is not moved in the middle of the upgrade.")
    return passed(f"{counted(len(found), 'node')}: ready and under no pressure; no pod was evicted within the last hour.")


def nodes(evidence: Evidence) -> list[Object]:
    """Every node: labels, taints, conditions, platform and what it has to give."""
    return evidence.all(collection_path("Node"), keep=_kept)


def _unplaced(evidence: Evidence) -> Iterator[str]:
    found = nodes(evidence)
    for workload in workloads_of(evidence.now.target):
        why = [refusal(node, pod_spec(workload)) for node in found]
        if all(why):
            yield f"No node takes the pod of {workload['kind']} {name_of(workload)}: {_counted(why)}"


def _forbidden(evidence: Evidence) -> Iterator[str]:
    for workload in workloads_of(evidence.now.target):
        place = (workload.get("metadata") or {}).get("namespace") or evidence.now.target.release.namespace
        level = labels_of_namespace(evidence, place).get(ENFORCED, "")
        problems = violations(level, pod_spec(workload))
        if problems:
            text = f"Namespace {place} enforces Pod Security level {level}"
            yield f"{text}, and in {workload['kind']} {name_of(workload)} {', '.join(problems)}"


def _counted(reasons: Iterable[str]) -> str:
    found = Counter(reasons).most_common()
    return ", ".join(f"{reason} ({counted(count, 'node')})" for reason, count in found) or "there is none"


def _listed(what: str, names: list[str]) -> list[str]:
    more = f" and {len(names) - NAMES_SHOWN} more" if len(names) > NAMES_SHOWN else ""
    return [f"nodes {what}: {', '.join(sorted(names)[:NAMES_SHOWN])}{more}"] if names else []


def _platform(node: Object) -> tuple[str, str]:
    info, labels = node["status"].get("nodeInfo") or {}, labels_of(node)
    system = info.get("operatingSystem") or labels.get("kubernetes.io/os") or "unknown"
    return system, info.get("architecture") or labels.get("kubernetes.io/arch") or "unknown"


def _kept(item: Object) -> Object:
    """Without the list of images, which is the bulk of a node."""
    spec, status = item.get("spec") or {}, item.get("status") or {}
    info = status.get("nodeInfo") or {}
    return {
        "metadata": {"name": name_of(item), "labels": labels_of(item)},
        "spec": {key: spec[key] for key in ("unschedulable", "taints") if key in spec},
        "status": {
            "allocatable": status.get("allocatable") or {},
            "conditions": [{"type": c.get("type"), "status": c.get("status")} for c in status.get("conditions") or []],
            "nodeInfo": {key: info.get(key) for key in ("operatingSystem", "architecture")},
        },
    }


CHECKS = (
    Check(
        "CL-10",
        "cluster",
        "architecture of the nodes",
        BLOCK,
        architecture,
        "system and architecture of the nodes that take WGE's server, against what its images are built for",
        "Add a fitting node, or mirror other images.",
        until=Rung.REHEARSED,
    ),
)
SCHEDULING = (
    Check(
        "CA-02",
        "capacity",
        "pods can be placed",
        BLOCK,
        schedulable,
        "node selectors, affinity and tolerations of WGE's pods against the nodes; the namespace's Pod Security level",
        "Carry tolerations over, or lower the level.",
        until=Rung.REHEARSED,
    ),
    Check(
        "CA-03",
        "capacity",
        "pressure",
        WARNING,
        pressure,
        "conditions of the nodes, evictions, nodes about to be removed",
        "Wait.",
    ),
)
