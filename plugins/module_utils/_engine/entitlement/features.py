# SPDX-License-Identifier: GPL-3.0-or-later
"""Which values of WGE's chart an entitlement's features permit. PRIVATE.

WGE itself does not look at features (docs/facts.md, 4.4), so the upgrade does: what is not granted is switched off. What is granted
stays as the chart or the user has it: permission to run a policy agent is no wish to have its webhook in front of every workload.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, TypeAlias

from ..model import Object

Granted: TypeAlias = "tuple[str, ...] | None"
"""Names of features; None means all."""


@dataclass(frozen=True, slots=True)
class Feature:
    """One feature by the name vendors grant it, and the switches of the chart that turn it on."""

    name: str
    title: str
    switches: tuple[str, ...]


FEATURES: tuple[Feature, ...] = (
    Feature("cluster-bootstrap", "bootstrapping of new clusters", ("cluster-bootstrap-controller.enabled",)),
    Feature("cluster-discovery", "automated cluster discovery", ("cluster-reflector-controller.enabled",)),
    Feature("clusters", "management of leaf clusters", ("cluster-controller.enabled",)),
    Feature("explorer", "Explorer", ("explorer.enabled", "enableExplorer", "useQueryServiceBackend")),
    Feature("gitopssets", "GitOpsSets", ("gitopssets-controller.enabled",)),
    Feature("pipelines", "pipelines", ("enablePipelines", "enableNewPipelines")),
    Feature("policy-agent", "the policy agent", ("policy-agent.enabled",)),
    Feature("run", "GitOps Run pages", ("enableRunUI",)),
    Feature("templates", "templates", ("templates-controller.enabled",)),
    Feature("terraform", "Terraform pages", ("enableTerraformUI",)),
)
"""WGE's chart 0.38.1, and the names Explorer's switches had before 0.35 (docs/facts.md)."""

KNOWN = frozenset(feature.name for feature in FEATURES)


def unknown(granted: Granted) -> list[str]:
    """Granted names that this version has no switch for; they stay in the entitlement and mean nothing here."""
    return sorted(set(granted or ()) - KNOWN)


def withheld(granted: Granted) -> list[Feature]:
    """The features that an entitlement does not grant."""
    return [] if granted is None else [feature for feature in FEATURES if feature.name not in granted]


def limits(granted: Granted) -> Object:
    """Values that switch off what is not granted; to be laid over all others."""
    values: Object = {}
    for feature in withheld(granted):
        for switch in feature.switches:
            _set(values, switch.split("."))
    return values


def wished_in_vain(granted: Granted, user_values: Object) -> list[str]:
    """The withheld features that a user's values turn on."""
    return [feature.name for feature in withheld(granted) if any(_value(user_values, switch) is True for switch in feature.switches)]


def named(names: Iterable[str]) -> str:
    """Names for a sentence."""
    return ", ".join(names)


def _set(values: Object, path: list[str]) -> None:
    for key in path[:-1]:
        values = values.setdefault(key, {})
    values[path[-1]] = False


def _value(values: Any, switch: str) -> Any:
    for key in switch.split("."):
        values = values.get(key) if isinstance(values, dict) else None
    return values
