# SPDX-License-Identifier: GPL-3.0-or-later
"""TA-07: will WGE's pod get traffic only when it can serve? PRIVATE. Its chart has no probes (F5); those it lacks are patched in."""

from __future__ import annotations

from collections.abc import Iterator

from ..model import Object, Rung
from ..objects import containers_of
from ..readiness import probes_for
from .check import BLOCK, Check
from .evidence import Evidence, Judged, failed, passed, skipped

PROBES = ("startupProbe", "readinessProbe", "livenessProbe")


def probes_present(evidence: Evidence) -> Judged:
    """TA-07. No request: the rendered container, or the live one, with what the plan adds to it."""
    now = evidence.now
    if not now.target.deployment:
        return skipped("There is no chart to look at.")
    live = containers_of(now.wge or now.target.deployment)[now.target.container_index]
    own = {key: live[key] for key in PROBES if live.get(key)}
    after = {**probes_for(now), **own}
    problems = [text for key in PROBES for text in _problems(key, after.get(key) or {}, live, now.target.uses_tls)]
    if problems:
        return failed("; ".join(problems) + ".", "Take these probes out of wge_values: those that are missing are added.")
    added = [key for key in PROBES if key not in own]
    has = [f"has its own {', '.join(own)}"] if own else []
    gets = [f"gets {', '.join(added)} by the plan"] if added else []
    return passed(f"WGE's server {' and '.join([*has, *gets])}.")


def _problems(key: str, probe: Object, container: Object, tls: bool) -> Iterator[str]:
    """What keeps a pod from ever being ready."""
    ports = {port.get("name") for port in container.get("ports") or []} | {
        port.get("containerPort") for port in container.get("ports") or []
    }
    request = probe.get("httpGet") or {}
    port = request.get("port", (probe.get("tcpSocket") or {}).get("port"))
    if port is not None and port not in ports and not (isinstance(port, str) and port.isdigit() and int(port) in ports):
        yield f"The {key} asks port {port}, which the container {container.get('name')} does not have"
    if request and port in ("server", _number(container, "server")) and request.get("scheme", "HTTP") != ("HTTPS" if tls else "HTTP"):
        yield f"The {key} speaks {request.get('scheme', 'HTTP')}, the server {'HTTPS' if tls else 'HTTP'}"


def _number(container: Object, name: str) -> int | None:
    return next((port.get("containerPort") for port in container.get("ports") or [] if port.get("name") == name), None)


CHECKS = (
    Check(
        "TA-07",
        "target",
        "probes",
        BLOCK,
        probes_present,
        "the container of the rendered server, with the probes that the plan adds",
        "Take probes that cannot succeed out of wge_values.",
        until=Rung.PARKED,
    ),
)
