# SPDX-License-Identifier: GPL-3.0-or-later
"""NE-01: which Services stay, and do they lead to WG and nothing else? PRIVATE."""

from __future__ import annotations

from collections.abc import Iterator

from ..model import Object
from ..objects import labels_of, name_of
from ..situation import Situation, ports_of, target_port
from ..snapshot import ready_pods
from .evidence import Evidence, Judged, failed, passed


def services(evidence: Evidence) -> Judged:
    """NE-01. No request."""
    now = evidence.now
    if not now.kept_services:
        return failed(
            "No Service leads to WG, so there is no address to keep.", "Create the Service that users call, or correct its selector."
        )
    problems = [*_lost_ports(now), *_foreign_pods(now), *_ambiguous(now)]
    if problems:
        return failed("; ".join(problems) + ".", "Correct these Services first; what they lead to is all that the upgrade changes.")
    return passed("; ".join(_shown(service, now) for service in now.kept_services) + ".")


def _lost_ports(now: Situation) -> Iterator[str]:
    for service in now.kept_services:
        for port in ports_of(service):
            if not now.wge_port(target_port(port)):
                yield f"port {port['port']} of Service {name_of(service)} leads to {target_port(port)}, for which WGE has nothing"


def _foreign_pods(now: Situation) -> Iterator[str]:
    """A Service that leads to other pods beside WG's would take their traffic away when it is flipped."""
    own = (now.snapshot.installed.found.pod_labels, now.target.selector)
    pods = {name_of(pod): labels_of(pod) for pod in now.snapshot.of("Pod")}
    for service in now.kept_services:
        ready = ready_pods(now.snapshot.slices_of(name_of(service)))
        foreign = [name for name in sorted(ready & pods.keys()) if not any(labels.items() <= pods[name].items() for labels in own)]
        if foreign:
            yield f"Service {name_of(service)} leads to pods that are not WG's as well: {', '.join(foreign)}"


def _ambiguous(now: Situation) -> Iterator[str]:
    serving = [name_of(service) for service in now.kept_services if now.serves(service)]
    if not serving:
        yield "no Service leads to WG's dashboard, only to its metrics"
    elif len(serving) > 1 and len(now.own_services.intersection(serving)) != 1:
        yield f"which Service is the dashboard's main one cannot be told: {', '.join(serving)}"


def _shown(service: Object, now: Situation) -> str:
    spec = service.get("spec", {})
    ports = ", ".join(_port(port, now) for port in ports_of(service))
    addresses = ", ".join(spec.get("clusterIPs") or [])
    return f"{name_of(service)} ({spec.get('type', 'ClusterIP')} {addresses}): {ports}"


def _port(port: Object, now: Situation) -> str:
    node = f" (node port {port['nodePort']})" if port.get("nodePort") else ""
    return f"{port['port']}{node} -> {now.wge_port(target_port(port))}"
