# SPDX-License-Identifier: GPL-3.0-or-later
"""The addresses and ports that a Service had, and who holds them now. PRIVATE.

Kubernetes gives each of them to one Service only, and takes a wish for a certain one when it is free.
"""

from __future__ import annotations

from collections.abc import Iterator

from ..._errors import Forbidden
from ..model import Cluster, Object
from ..objects import collection_path, path_of
from .wanted import HEADLESS
from .words import told

REMEDY = "Delete or change what holds it, or leave this Service out of the selection."


class Addresses:
    """The Services of a cluster, listed when somebody first asks."""

    def __init__(self, cluster: Cluster) -> None:
        self._cluster = cluster
        self._services: list[Object] | None = None

    def taken(self, item: Object) -> str:
        """What of a Service's another one holds, as words after its name; empty when all is free, or nobody may look."""
        wanted = dict(given(item))
        for other in self._all() if wanted else []:
            if path_of(other) != path_of(item):
                for value, what in given(other):
                    if value in wanted:
                        return f"cannot have its {wanted[value]} back, which {told(other)} holds as its {what}"
        return ""

    def _all(self) -> list[Object]:
        if self._services is None:
            try:
                self._services = self._cluster.list(collection_path("Service"))
            except Forbidden:  # then the API server says that it is taken, and not by whom
                self._services = []
        return self._services


def given(item: Object) -> Iterator[tuple[str, str]]:
    """What was given to a Service: ``(value, what it is)``. Node ports and the port for health checks come from one range."""
    spec = item.get("spec") or {}
    for address in spec.get("clusterIPs") or [spec.get("clusterIP")]:
        if address and address != HEADLESS:
            yield str(address), f"ClusterIP {address}"
    for port in spec.get("ports") or []:
        if port.get("nodePort"):
            yield str(port["nodePort"]), f"nodePort {port['nodePort']}"
    if spec.get("healthCheckNodePort"):
        yield str(spec["healthCheckNodePort"]), f"healthCheckNodePort {spec['healthCheckNodePort']}"


def kept(read: Object, now: Object) -> Object:
    """What a Service has of that which it had, and what it has not: ``{"kept": […], "lost": […]}``."""
    before, after = dict(given(read)), dict(given(now))
    return {
        "kept": [what for value, what in before.items() if value in after],
        "lost": [what for value, what in before.items() if value not in after],
    }


def load_balancer(item: Object) -> str:
    """The addresses that a cloud gave a Service, as words."""
    rows = ((item.get("status") or {}).get("loadBalancer") or {}).get("ingress") or []
    return ", ".join(str(row.get("ip") or row.get("hostname")) for row in rows)
