# SPDX-License-Identifier: GPL-3.0-or-later
"""What `status` of a pod says: phase, conditions with their transition times, container statuses."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from .. import network
from .container import Container
from .node import now

Spec = dict[str, Any]


def _phase(pod: Spec, containers: list[Container]) -> str:
    states = [container.state for container in containers]
    if all("terminated" in state for state in states) and pod["spec"].get("restartPolicy", "Always") != "Always":
        return "Succeeded" if all(state["terminated"]["exitCode"] == 0 for state in states) else "Failed"
    begun = any("waiting" not in container.state or container.last for container in containers)
    return "Running" if begun else "Pending"


def _condition(kind: str, good: bool, reason: str, former: Iterable[Spec]) -> Spec:
    """Keeps the time of the last change."""
    status = "True" if good else "False"
    known = next((item for item in former if item["type"] == kind and item["status"] == status), None)
    found: Spec = {"type": kind, "status": status, "lastTransitionTime": known["lastTransitionTime"] if known else now()}
    return found if good else {**found, "reason": reason}


def is_ready(status: Spec) -> bool:
    """What the condition `Ready` says."""
    return any(item["type"] == "Ready" and item["status"] == "True" for item in status.get("conditions") or [])


def _init_containers(pod: Spec, began: str) -> list[Spec]:
    """They do nothing and have ended well."""
    done = {"terminated": {"exitCode": 0, "reason": "Completed", "startedAt": began, "finishedAt": began}}
    return [
        {
            "name": item["name"],
            "image": item["image"],
            "imageID": "",
            "restartCount": 0,
            "ready": True,
            "started": False,
            "state": done,
            "lastState": {},
        }
        for item in pod["spec"].get("initContainers") or []
    ]


def pod_status(pod: Spec, containers: list[Container], uid: str, address: str, began: str, never_ready: bool, former: Spec | None) -> Spec:
    """The part of the status that a node owns."""
    phase = _phase(pod, containers)
    statuses = [container.status(uid, never_ready) for container in containers]
    if phase in ("Succeeded", "Failed"):
        ready, reason = False, "PodCompleted" if phase == "Succeeded" else "PodFailed"
    else:
        ready, reason = all(item["ready"] for item in statuses), "ContainersNotReady"
    before = (former or pod.get("status") or {}).get("conditions") or []
    conditions = [
        _condition("PodReadyToStartContainers", True, "", before),
        _condition("Initialized", True, "", before),
        _condition("ContainersReady", ready, reason, before),
        _condition("Ready", ready, reason, before),
    ]
    return {
        "phase": phase,
        "conditions": conditions,
        "hostIP": network.NODE_ADDRESS,
        "hostIPs": [{"ip": network.NODE_ADDRESS}],
        "podIP": address,
        "podIPs": [{"ip": address}],
        "startTime": began,
        "containerStatuses": statuses,
        "initContainerStatuses": _init_containers(pod, began),
    }
