# SPDX-License-Identifier: GPL-3.0-or-later
"""Whom NetworkPolicies let through to a port, host network and world outside included (F12). PRIVATE."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from .model import Object
from .selectors import Labels, selector_matches
from .situation import Situation
from .target import Target

_EVERYWHERE = ("0.0.0.0/0", "::/0")


@dataclass(frozen=True, slots=True)
class Ports:
    """Ports of a pod as a policy may write them."""

    numbers: frozenset[int]
    names: frozenset[str]

    @classmethod
    def of_target(cls, target: Target) -> Ports:
        """The port of UI and API of WGE."""
        names = {str(p["name"]) for p in target.container.get("ports") or [] if p.get("name") and p.get("containerPort") == target.port}
        return cls(frozenset({target.port}), frozenset(names))

    def within(self, entries: Iterable[Object] | None) -> bool:
        """Whether the port entries of a rule let traffic to these ports through; none at all is every port."""
        listed = list(entries or [])
        return not listed or any(self._matches(entry) for entry in listed)

    def _matches(self, entry: Object) -> bool:
        if entry.get("protocol", "TCP") != "TCP":
            return False
        port = entry.get("port")
        if isinstance(port, int):
            return any(port <= number <= (entry.get("endPort") or port) for number in self.numbers)
        return port is None or port in self.names


def old_ports(now: Situation, *, serving: bool = True) -> Ports:
    """The ports of WG that lead to UI and API; without ``serving`` also those of its metrics."""
    ports = now.snapshot.installed.found.container.get("ports") or []
    wanted = (now.target.port,) if serving else (now.target.port, now.target.metrics_port)
    found = [port for port in ports if now.wge_port(port.get("containerPort") or 0) in wanted]
    names = frozenset(str(port["name"]) for port in found if port.get("name"))
    return Ports(frozenset(int(port["containerPort"]) for port in found), names)


def binding(policies: Iterable[Object], labels: Labels) -> list[Object]:
    """The policies by which pods with these labels are closed to whom no rule names."""
    specs = [(policy, policy.get("spec") or {}) for policy in policies]
    return [
        policy
        for policy, spec in specs
        if "Ingress" in (spec.get("policyTypes") or ["Ingress"]) and selector_matches(spec.get("podSelector") or {}, labels)
    ]


def admits_everybody(policies: Iterable[Object], labels: Labels, ports: Ports) -> bool:
    """Whether anybody, from wherever, gets through to these ports of pods with these labels."""
    closed = binding(policies, labels)
    rules = [rule for policy in closed for rule in policy["spec"].get("ingress") or []]
    return not closed or any(_from_everywhere(rule) and ports.within(rule.get("ports")) for rule in rules)


def _from_everywhere(rule: Object) -> bool:
    sources = rule.get("from") or []
    blocks = [source.get("ipBlock") or {} for source in sources]
    return not sources or any(block.get("cidr") in _EVERYWHERE and not block.get("except") for block in blocks)
