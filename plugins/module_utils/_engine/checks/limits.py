# SPDX-License-Identifier: GPL-3.0-or-later
"""LimitRanges: what they add to a container that says nothing, and what they refuse. PRIVATE."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from ..model import Object
from ..quantities import amounts, shown


def with_defaults(spec: Object, ranges: Sequence[Object]) -> Object:
    """A pod as it is once the namespace's LimitRanges have filled in what its containers leave out."""
    rules = list(_rules(ranges))
    filled = {key: [_filled(container, rules) for container in spec.get(key) or []] for key in ("initContainers", "containers")}
    return {**spec, **{key: containers for key, containers in filled.items() if containers}}


def broken_limits(name: str, spec: Object, ranges: Sequence[Object]) -> Iterator[str]:
    """A sentence for each container of a (filled) pod that is below a minimum or above a maximum."""
    for container in [*(spec.get("initContainers") or []), *(spec.get("containers") or [])]:
        resources = container.get("resources") or {}
        requests, limits = amounts(resources.get("requests")), amounts(resources.get("limits"))
        where = f"container {container.get('name')} of {name}"
        for rule in _rules(ranges):
            for resource, least in amounts(rule.get("min")).items():
                if resource in requests and requests[resource] < least:
                    yield f"{where} asks for less {resource} than the LimitRange's minimum {shown(resource, least)}"
            for resource, most in amounts(rule.get("max")).items():
                if resource in limits and limits[resource] > most:
                    yield f"{where} may take more {resource} than the LimitRange's maximum {shown(resource, most)}"


def _rules(ranges: Iterable[Object]) -> Iterator[Object]:
    for item in ranges:
        yield from (rule for rule in (item.get("spec") or {}).get("limits") or [] if rule.get("type") == "Container")


def _filled(container: Object, rules: Iterable[Object]) -> Object:
    """As the API server does: default limits, and requests from default requests or, without those, from the limits."""
    given = container.get("resources") or {}
    limits, requests = dict(given.get("limits") or {}), dict(given.get("requests") or {})
    for rule in rules:
        for name, value in {**(rule.get("max") or {}), **(rule.get("default") or {})}.items():
            limits.setdefault(name, value)
        for name, value in {**(rule.get("min") or {}), **(rule.get("default") or {}), **(rule.get("defaultRequest") or {})}.items():
            requests.setdefault(name, (given.get("limits") or {}).get(name, value))
    return {**container, "resources": {"limits": limits, "requests": {**limits, **requests}}}
