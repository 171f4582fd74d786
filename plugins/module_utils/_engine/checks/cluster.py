# SPDX-License-Identifier: GPL-3.0-or-later
"""CL: is this the right API server, does it answer well, and does it serve what an upgrade needs? PRIVATE."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Sequence

from ..model import Object
from .check import BLOCK, Check
from .evidence import Evidence, Judged, failed, passed, warned

SLOW_SECONDS = 2.0
READY = "/readyz"
OLDEST = (1, 23)
"""From here on every API that is read here is served (autoscaling/v2 came last); WGE's own tests ran on nothing older."""
PAUSE_SINCE = (1, 30)
"""From here on a container can be given a pause before its end without a shell in its image."""
NEEDED = (
    "apps/v1",
    "authorization.k8s.io/v1",
    "coordination.k8s.io/v1",
    "discovery.k8s.io/v1",
    "networking.k8s.io/v1",
    "rbac.authorization.k8s.io/v1",
)


def api_reachable(evidence: Evidence) -> Judged:
    """CL-01. One request: /readyz; who may not read it is judged by the requests that were answered."""
    answer = evidence.answer(READY)
    if answer.status not in (200, 401, 403):
        broken = ", ".join(re.findall(r"^\[-\](\S+)", answer.body.decode(errors="replace"), re.MULTILINE))
        return failed(
            f"{READY} answers {answer.status}{f': {broken} not ready' if broken else ''}.", "Repair the control plane, then run again."
        )
    slow = percentile_95(evidence.latencies)
    text = f"{len(evidence.latencies)} reads answered, 95 % within {slow:.2f} s"
    if slow > SLOW_SECONDS:
        return warned(f"{text}, which is slow.", "Run from nearer to the cluster, or when the API server is less busy.")
    return passed(f"{text}.")


def right_cluster(evidence: Evidence) -> Judged:
    """CL-02. No request."""
    uid, wanted = evidence.now.snapshot.identity.uid, evidence.now.settings.cluster_uid
    if not wanted:
        return warned(
            f"The inventory does not say which cluster this should be; its UID is {uid}.",
            f"Write wge_cluster_uid: {uid} into the inventory, so that another cluster is refused.",
        )
    if uid != wanted:
        return failed(
            f"This is another cluster: its UID is {uid}, the inventory says {wanted}.",
            "Correct the kubeconfig, the context or wge_cluster_uid.",
        )
    return passed(f"The UID of kube-system is {uid}, as the inventory says.")


def kubernetes_version(evidence: Evidence) -> Judged:
    """CL-03. No request. What a chart's own ``kubeVersion`` says, helm has checked when it rendered."""
    version = evidence.now.snapshot.identity.version
    match = re.match(r"v?(\d+)\.(\d+)", version)
    if not match:
        return failed(f"The API server does not say its version (it says {version!r}).", "Look at what /version answers.")
    found = (int(match[1]), int(match[2]))
    if found < OLDEST:
        return failed(f"Kubernetes is {version}; it must be {_dotted(OLDEST)} or newer.", "Upgrade the cluster first.")
    if found < PAUSE_SINCE:
        return warned(
            f"Kubernetes is {version}; before {_dotted(PAUSE_SINCE)} WGE cannot be given a pause before its end.",
            "Expect some lost requests whenever WGE's pod is replaced, or upgrade the cluster first.",
        )
    return passed(f"Kubernetes is {version}.")


def served_apis(evidence: Evidence) -> Judged:
    """CL-04. No request: the API groups are part of the snapshot."""
    served, rendered = evidence.now.snapshot.identity.served, evidence.now.target.objects
    missing = [version for version in NEEDED if version not in served]
    if missing:
        return failed(f"The API server does not serve {', '.join(missing)}.", "Upgrade the cluster, or enable these APIs.")
    brought = {str(item.get("spec", {}).get("group")) for item in rendered if item.get("kind") == "CustomResourceDefinition"}
    unknown = sorted(_versions(rendered) - served - {v for v in _versions(rendered) if v.split("/")[0] in brought})
    if unknown:
        return failed(
            f"The chart makes objects of APIs that this cluster does not serve: {', '.join(unknown)}.",
            "Install what brings these APIs, or switch these objects off in wge_values.",
        )
    return passed(f"All {len(NEEDED)} APIs that are needed, and those of the chart, are served.")


def percentile_95(seconds: Sequence[float]) -> float:
    """The time within which 95 of 100 were answered, 0 when none was."""
    ordered = sorted(seconds)
    return ordered[math.ceil(0.95 * len(ordered)) - 1] if ordered else 0.0


def _versions(items: Iterable[Object]) -> set[str]:
    return {str(item["apiVersion"]) for item in items if item.get("apiVersion")}


def _dotted(version: tuple[int, int]) -> str:
    return f"{version[0]}.{version[1]}"


CHECKS = (
    Check(
        "CL-01",
        "cluster",
        "API server reachable",
        BLOCK,
        api_reachable,
        "`/readyz`, and how long the reads took",
        "Repair the kubeconfig, the proxy or the control plane.",
        waivable=False,
    ),
    Check(
        "CL-02",
        "cluster",
        "right cluster",
        BLOCK,
        right_cluster,
        "the UID of namespace `kube-system`, against the inventory",
        "Correct the inventory: the wrong cluster is the worst fault of a fleet run.",
        waivable=False,
    ),
    Check(
        "CL-03",
        "cluster",
        "Kubernetes version",
        BLOCK,
        kubernetes_version,
        "`/version`",
        "Upgrade the cluster, or choose another version of WGE.",
    ),
    Check(
        "CL-04",
        "cluster",
        "APIs served",
        BLOCK,
        served_apis,
        "API discovery, against what the upgrade and the chart use",
        "Enable the API, or upgrade the cluster.",
    ),
)
