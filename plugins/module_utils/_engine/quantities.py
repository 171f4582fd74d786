# SPDX-License-Identifier: GPL-3.0-or-later
"""Kubernetes quantities as numbers, and what a pod asks for. PRIVATE."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from decimal import Decimal

from .model import Object

Amounts = dict[str, Decimal]
"""Amounts by resource name: cores, bytes, or a count."""

_QUANTITY = re.compile(r"([+-]?[0-9.]+)(?:[eE]([+-]?[0-9]+)|([numkMGTPE]|[KMGTPE]i)?)")
_BINARY = {f"{letter}i": Decimal(1024) ** power for power, letter in enumerate("KMGTPE", 1)}
_DECIMAL = {letter: Decimal(1000) ** power for power, letter in enumerate("kMGTPE", 1)}
_SMALL = {"n": Decimal("1e-9"), "u": Decimal("1e-6"), "m": Decimal("1e-3")}
_UNITS = {"": Decimal(1), **_BINARY, **_DECIMAL, **_SMALL}


def quantity(text: object) -> Decimal:
    """``1500m`` is 1.5, ``2Gi`` is 2147483648. Raises ValueError for what is no quantity."""
    match = _QUANTITY.fullmatch(str(text))
    if not match:
        raise ValueError(f"{text!r} is no quantity")
    number = Decimal(match[1])
    return number * Decimal(10) ** int(match[2]) if match[2] else number * _UNITS[match[3] or ""]


def amounts(given: Mapping[str, object] | None) -> Amounts:
    """All quantities of a map; those that cannot be read are left out."""
    found: Amounts = {}
    for name, text in (given or {}).items():
        try:
            found[name] = quantity(text)
        except (ValueError, ArithmeticError):
            continue
    return found


def asked_by(spec: Object, what: str = "requests") -> Amounts:
    """What the scheduler and a quota reckon for a pod: its containers together, or an init container that needs more."""
    running = total(_of(container, what) for container in _lasting(spec))
    for container in spec.get("initContainers") or []:
        for name, value in _of(container, what).items():
            running[name] = max(running.get(name, Decimal(0)), value)
    return total([running, amounts(spec.get("overhead"))])


def total(parts: Iterable[Amounts]) -> Amounts:
    """The sum of amounts."""
    found: Amounts = {}
    for part in parts:
        for name, value in part.items():
            found[name] = found.get(name, Decimal(0)) + value
    return found


def shown(name: str, value: Decimal) -> str:
    """An amount for people: ``0.25`` cores, ``512Mi``."""
    if name.split(".")[-1] in ("memory", "ephemeral-storage", "storage") and value:
        return f"{value / _BINARY['Mi']:.0f}Mi"
    text = f"{value:f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def counted(number: int, noun: str) -> str:
    """``1 node``, ``2 nodes``"""
    return f"{number} {noun}{'' if number == 1 else 's'}"


def _lasting(spec: Object) -> Iterable[Object]:
    """The containers that run beside each other: sidecars are init containers that are restarted."""
    yield from spec.get("containers") or []
    yield from (item for item in spec.get("initContainers") or [] if item.get("restartPolicy") == "Always")


def _of(container: Object, what: str) -> Amounts:
    """A request that is not given is the limit, as the API server sets it."""
    resources = container.get("resources") or {}
    limits = amounts(resources.get("limits"))
    return limits if what == "limits" else {**limits, **amounts(resources.get("requests"))}
