# SPDX-License-Identifier: GPL-3.0-or-later
"""The cluster's pods, as far as the room they take and their end concern the checks. PRIVATE.

Of a pod only a few fields are kept, its containers' requests summed up in one: there may be thousands.
"""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal

from ..model import Object
from ..objects import collection_path
from ..quantities import Amounts, amounts, asked_by
from .evidence import Evidence

EVICTED = "Evicted"
ENDED = ("Succeeded", "Failed")
RECKONED = ("cpu", "memory")


def pods(evidence: Evidence) -> list[Object]:
    """Every pod: its node, its phase and why it ended, and what it asks for."""
    return evidence.all(collection_path("Pod"), keep=_kept)


def room_left(node: Object, running: list[Object]) -> Amounts:
    """What a node has to give beyond what its pods ask for."""
    left = amounts(node["status"]["allocatable"])
    for pod in running:
        for name, value in asked_by(pod["spec"]).items():
            left[name] = left.get(name, Decimal(0)) - value
    left["pods"] = left.get("pods", Decimal(0)) - len(running)
    return left


def by_node(found: list[Object]) -> dict[str, list[Object]]:
    """The pods that take room on each node."""
    placed: dict[str, list[Object]] = {}
    for pod in found:
        node = pod["spec"].get("nodeName")
        if node and pod["status"].get("phase") not in ENDED:
            placed.setdefault(node, []).append(pod)
    return placed


def seconds_since_eviction(pod: Object, time: datetime) -> float:
    """How long ago a pod was evicted; infinite for one that was not, or does not tell."""
    status = pod["status"]
    if status.get("reason") != EVICTED:
        return float("inf")
    stamps = [c.get("lastTransitionTime") for c in status.get("conditions") or []] or [status.get("startTime")]
    try:
        return min((time - datetime.fromisoformat(str(stamp).replace("Z", "+00:00"))).total_seconds() for stamp in stamps)
    except ValueError:
        return float("inf")


def _kept(item: Object) -> Object:
    spec, status = item.get("spec") or {}, item.get("status") or {}
    asked = {name: str(value) for name, value in asked_by(spec).items() if name in RECKONED}
    ended = {key: status[key] for key in ("reason", "startTime") if key in status}
    if ended.get("reason") == EVICTED:
        marks = [c for c in status.get("conditions") or [] if c.get("type") == "DisruptionTarget"]
        ended["conditions"] = [{"type": c["type"], "lastTransitionTime": c.get("lastTransitionTime")} for c in marks]
    return {
        "spec": {"nodeName": spec.get("nodeName") or "", "containers": [{"resources": {"requests": asked}}] if asked else []},
        "status": {"phase": status.get("phase") or "", **ended},
    }
