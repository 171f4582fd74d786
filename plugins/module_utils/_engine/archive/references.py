# SPDX-License-Identifier: GPL-3.0-or-later
"""Which Secrets and ConfigMaps other objects name. PRIVATE. What names one is a row, not code, wherever that is possible."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from ..dig import dig
from ..discover import flag
from ..model import Object
from ..names import ENTITLEMENT_NAMESPACE, ENTITLEMENT_SECRET, LOGIN_SECRET, OIDC_SECRET
from ..objects import namespace_of, pod_template
from ..snapshot import Snapshot

SECRET, CONFIG_MAP = "Secret", "ConfigMap"
_POD = {
    SECRET: (
        "imagePullSecrets.name",
        "volumes.secret.secretName",
        "volumes.projected.sources.secret.name",
        "containers.env.valueFrom.secretKeyRef.name",
        "containers.envFrom.secretRef.name",
        "initContainers.env.valueFrom.secretKeyRef.name",
        "initContainers.envFrom.secretRef.name",
    ),
    CONFIG_MAP: (
        "volumes.configMap.name",
        "volumes.projected.sources.configMap.name",
        "containers.env.valueFrom.configMapKeyRef.name",
        "containers.envFrom.configMapRef.name",
        "initContainers.env.valueFrom.configMapKeyRef.name",
        "initContainers.envFrom.configMapRef.name",
    ),
}
_LISTS_WITH_KIND = ("valuesFrom", "substituteFrom", "varsFrom", "vars")


@dataclass(frozen=True, slots=True, order=True)
class Reference:
    """A Secret or a ConfigMap that something names."""

    kind: str
    namespace: str
    name: str


def in_pods(snapshot: Snapshot) -> set[Reference]:
    """What WG's pods, its command line and its Ingresses name."""
    place, wg = snapshot.namespace, snapshot.installed
    pod = pod_template(wg.found.deployment).get("spec") or {}
    found = {Reference(kind, place, name) for kind in _POD for name in named_in_pod(pod, kind)}
    oidc = flag(wg.found.arguments, "--oidc-secret-name") or OIDC_SECRET
    found |= {Reference(SECRET, place, name) for name in (oidc, LOGIN_SECRET)}
    found |= {Reference(SECRET, place, str(name)) for item in snapshot.of("Ingress") for name in dig(item, "spec.tls.secretName")}
    return found | {Reference(SECRET, ENTITLEMENT_NAMESPACE, ENTITLEMENT_SECRET)}


def named_in_pod(pod: Object, kind: str) -> Iterator[str]:
    """The names of the Secrets, or the ConfigMaps, that a pod's spec mentions."""
    return (str(name) for path in _POD[kind] for name in dig(pod, path))


def in_shown(item: Object) -> Iterator[Reference]:
    """What an object of Flux or of WG names, in its own namespace: every ``…secretRef``, and lists of values to be put in."""
    place = namespace_of(item)
    return (Reference(kind, place, name) for kind, name in _named(item.get("spec"))) if place else iter(())


def _named(value: Any) -> Iterator[tuple[str, str]]:
    if isinstance(value, list):
        for one in value:
            yield from _named(one)
    elif isinstance(value, dict):
        for key, one in value.items():
            yield from _entry(str(key), one)


def _entry(key: str, value: Any) -> Iterator[tuple[str, str]]:
    if key.lower().endswith("secretref") and isinstance(value, dict) and isinstance(value.get("name"), str):
        yield SECRET, value["name"]
    elif key in _LISTS_WITH_KIND and isinstance(value, list):
        yield from _with_kind(one for one in value if isinstance(one, dict))
    elif key not in ("values", "template", "templates", "resourcetemplates"):  # texts of others, not references of this object
        yield from _named(value)


def _with_kind(rows: Iterable[Object]) -> Iterator[tuple[str, str]]:
    for row in rows:
        if row.get("kind") in (SECRET, CONFIG_MAP) and isinstance(row.get("name"), str):
            yield row["kind"], row["name"]
