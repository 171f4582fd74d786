# SPDX-License-Identifier: GPL-3.0-or-later
"""What WGE's server needs so that a start and an end cost no request, and its chart lacks (F5). PRIVATE.

Without a readiness probe a new pod gets requests before it listens; without a drain time an old one dies with requests in its
hands (docs/facts.md, 11).
"""

from __future__ import annotations

from .model import Object, Operation
from .objects import is_available
from .patches import MISSING, pointer, value_at
from .situation import Situation

PRE_STOP_SECONDS = 15
GRACE_SECONDS = 45
SLEEPS_SINCE = 30
"""The minor version of Kubernetes from which a container can sleep before SIGTERM without a shell."""


def wanted(route_prefix: str, *, tls: bool, minor: int) -> Object:
    """Readiness, liveness and start-up probes, and a sleep before SIGTERM: WGE dies at once on it."""

    def get(path: str, period: int, failures: int) -> Object:
        request = {"path": route_prefix + path, "port": "server", "scheme": "HTTPS" if tls else "HTTP"}
        return {"httpGet": request, "periodSeconds": period, "failureThreshold": failures, "timeoutSeconds": 2}

    probes: Object = {
        "startupProbe": get("/v1/featureflags", 1, 120),
        "readinessProbe": get("/v1/featureflags", 2, 2),
        "livenessProbe": get("/", 10, 6),
    }
    if minor >= SLEEPS_SINCE:
        probes["lifecycle"] = {"preStop": {"sleep": {"seconds": PRE_STOP_SECONDS}}}
    return probes


def probes_for(now: Situation) -> Object:
    """The probes of this WGE: below the route prefix it inherits, in its scheme."""
    return wanted(now.snapshot.installed.route_prefix, tls=now.target.uses_tls, minor=now.snapshot.identity.minor)


def operations(live: Object, index: int, name: str, probes: Object) -> list[Operation]:
    """The guarded part of a JSON Patch that gives a Deployment's container ``index``, called ``name``, those of ``probes`` it lacks."""
    container = pointer("spec", "template", "spec", "containers", index)
    missing: list[Operation] = []
    for key, probe in probes.items():
        path = container + pointer(key)
        if value_at(live, path) is MISSING:
            missing += [{"op": "test", "path": path, "value": None}, {"op": "add", "path": path, "value": probe}]
    if not missing:
        return []
    same: Operation = {"op": "test", "path": container + "/name", "value": name}
    grace: Operation = {"op": "add", "path": "/spec/template/spec/terminationGracePeriodSeconds", "value": GRACE_SECONDS}
    return [same, *missing, grace]


def not_rolled_out(live: Object | None) -> str:
    """Why a Deployment has not rolled out what it says, as its own conditions tell it; empty when it has."""
    if live is None:
        return "its Deployment is not there"
    if is_available(live):
        return ""
    conditions = live.get("status", {}).get("conditions") or []
    reasons = [c.get("message", "") for c in conditions if c.get("status") != "True" or c.get("type") == "ReplicaFailure"]
    return " ".join(reasons) or "its pods are not ready"
