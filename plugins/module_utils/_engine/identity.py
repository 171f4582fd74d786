# SPDX-License-Identifier: GPL-3.0-or-later
"""Proof that the kept Services are still themselves: what of them must be equal before and after. PRIVATE.

A Service has no ``metadata.generation``, so its uid and a digest of its spec without selector and target ports are compared
(docs/facts.md, 16).
"""

from __future__ import annotations

import copy

from .model import Object
from .objects import digest, name_of, uid_of
from .situation import Situation, ports_of


def identity_of(before: Situation, after: Situation) -> list[Object]:
    """One entry for each Service that was kept: its identity before and after, and whether they are the same."""
    late = {name_of(service): service for service in after.snapshot.of("Service")}
    entries = []
    for service in before.kept_services:
        now = late.get(name_of(service))
        first, last = facts_of(service), facts_of(now) if now else {}
        entries.append({"service": name_of(service), "before": first, "after": last, "same": first == last})
    return entries


def facts_of(service: Object) -> Object:
    """What callers of a Service rely on."""
    spec = service.get("spec", {})
    ports = [{key: port.get(key) for key in ("name", "port", "nodePort", "protocol")} for port in ports_of(service)]
    return {
        "uid": uid_of(service),
        "type": spec.get("type"),
        "cluster_ips": spec.get("clusterIPs") or [],
        "ports": ports,
        "load_balancer": (service.get("status") or {}).get("loadBalancer") or {},
        "spec_sha256": digest(_steady(spec)),
    }


def _steady(spec: Object) -> Object:
    steady = copy.deepcopy(spec)
    steady.pop("selector", None)
    for port in steady.get("ports") or []:
        port.pop("targetPort", None)
    return steady
