# SPDX-License-Identifier: GPL-3.0-or-later
"""A restart of WGE's server that costs no request: when it is needed, and the one patch that begins it. PRIVATE.

WGE reads its entitlement once, when it starts (F6). Its chart gives it no probes and lets it die with requests in its hands, so the
patch that restarts it brings what is missing, and has the new pod ready before the old one goes.
"""

from __future__ import annotations

from datetime import datetime

from ..._errors import Blocked
from .. import readiness
from ..model import Object, Operation
from ..objects import annotations_of, is_available, name_of, pod_template, uid_of
from ..patches import pointer
from ..writes import Write, patch
from . import effect
from .server import Effect, Server, moment
from .stored import Stored
from .verify import Judgement, written

ANNOTATION = "kubectl.kubernetes.io/restartedAt"
"""As ``kubectl rollout restart`` notes it."""
STRATEGY: Object = {"type": "RollingUpdate", "rollingUpdate": {"maxSurge": 1, "maxUnavailable": 0}}
_NOTHING = (0, "0", "0%")


def reason(stored: Stored, judgement: Judgement, server: Server | None, shown: Effect) -> str:
    """Why the running WGE has to be restarted to know what is stored; empty when it need not be.

    ``judgement`` is of what is stored. Times in the same second count as older: better one restart too many.
    """
    if server is None or not judgement.valid:
        return ""
    started, changed = server.started(), stored.changed_at()
    if started is None or changed is None:
        return ""
    if started <= changed:
        return "WGE started before its entitlement was stored"
    if not judgement.expired and shown.state in (effect.NONE, effect.EXPIRED):
        return "WGE does not run with the entitlement that is stored"
    return ""


def is_begun(stored: Stored, server: Server) -> bool:
    """Whether a restart that began after the Secret was written is still rolling out: a killed run's."""
    text = _restarted_at(server.deployment)
    changed = stored.changed_at()
    if not text or changed is None or is_available(server.deployment):
        return False
    try:
        return moment(text) > changed
    except ValueError:
        return False


def write(server: Server, minor: int, now: datetime) -> Write:
    """The patch: a strategy without a gap, what the server lacks (``readiness``), and the mark that restarts it."""
    live = server.deployment
    if live.get("spec", {}).get("paused"):
        raise Blocked(
            f"The roll-out of Deployment {name_of(live)} is paused, so WGE cannot be restarted.", "Resume it, or give restart: false."
        )
    target = server.target
    probes = readiness.wanted(server.route_prefix, tls=server.tls, minor=minor)
    operations: list[Operation] = [{"op": "test", "path": "/metadata/uid", "value": uid_of(live)}]
    operations += _strategy(live)
    operations += readiness.operations(live, target.container_index, str(target.container["name"]), probes)
    operations += _mark(live, written(now))
    return patch(server.path, operations, [], f"restart {name_of(live)} without a gap")


def _restarted_at(deployment: Object) -> str:
    return str(annotations_of(pod_template(deployment)).get(ANNOTATION) or "")


def _strategy(live: Object) -> list[Operation]:
    present = live.get("spec", {}).get("strategy")
    rolling = (present or {}).get("rollingUpdate") or {}
    seamless = rolling.get("maxUnavailable") in _NOTHING and rolling.get("maxSurge") not in (*_NOTHING, None)
    if (present or {}).get("type") == "RollingUpdate" and seamless:
        return []
    guard: Operation = {"op": "test", "path": "/spec/strategy", "value": present}
    return [guard, {"op": "add" if present is None else "replace", "path": "/spec/strategy", "value": STRATEGY}]


def _mark(live: Object, stamp: str) -> list[Operation]:
    root = "/spec/template/metadata/annotations"
    present = annotations_of(pod_template(live))
    if not present:
        return [{"op": "test", "path": root, "value": None}, {"op": "add", "path": root, "value": {ANNOTATION: stamp}}]
    path = root + pointer(ANNOTATION)
    return [{"op": "test", "path": path, "value": present.get(ANNOTATION)}, {"op": "add", "path": path, "value": stamp}]
