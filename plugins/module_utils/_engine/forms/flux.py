# SPDX-License-Identifier: GPL-3.0-or-later
"""WG as a Flux HelmRelease: what the object says of the release it keeps, and whether Flux is at work on it. PRIVATE."""

from __future__ import annotations

import hashlib
from collections.abc import Collection
from dataclasses import dataclass

from ..model import Object
from ..objects import metadata, name_of, namespace_of
from .flux_api import HELM_RELEASE, path_in, path_of

NAME_LABEL = "helm.toolkit.fluxcd.io/name"
NAMESPACE_LABEL = "helm.toolkit.fluxcd.io/namespace"
REQUESTED = "reconcile.fluxcd.io/requestedAt"
FORCED = "reconcile.fluxcd.io/forceAt"
_LONGEST = 53
_SHORTENED = 40
_HASHED = 12


@dataclass(frozen=True, slots=True)
class Kept:
    """The Helm release that a HelmRelease keeps: its name, where its objects go, and where Helm stores it."""

    name: str
    namespace: str
    storage: str


def release_of(helm_release: Object) -> Kept:
    """Which release this is, as helm-controller works it out (docs/facts.md, 1.3)."""
    spec, own = helm_release.get("spec") or {}, namespace_of(helm_release)
    target = str(spec.get("targetNamespace") or "")
    given = str(spec.get("releaseName") or "")
    name = given or _shortened(f"{target}-{name_of(helm_release)}" if target else name_of(helm_release))
    return Kept(name, target or own, str(spec.get("storageNamespace") or own))


def delivered_paths(name: str, namespace: str, served: Collection[str]) -> list[str]:
    """Where the source and the HelmRelease are by which Flux delivers a release of that name; none where it cannot."""
    paths = [path_in(kind, name, namespace, served) for kind in ("HelmRepository", HELM_RELEASE)]
    return paths if all(paths) else []


def paths_of(helm_release: Object, served: Collection[str]) -> list[str]:
    """The paths of a HelmRelease and of the HelmChart that Flux made for it, when it says that there is one."""
    namespace, _slash, name = str((helm_release.get("status") or {}).get("helmChart") or "").partition("/")
    chart = path_in("HelmChart", name, namespace, served) if name else ""
    return [path for path in (path_of(helm_release), chart) if path]


def is_suspended(item: Object) -> bool:
    """Whether a HelmRelease or Kustomization is suspended, by whomever."""
    return (item.get("spec") or {}).get("suspend") is True


def in_flight(helm_release: Object) -> str:
    """What Flux is doing to a HelmRelease, empty when it is at rest and has seen what the object says now."""
    status = helm_release.get("status") or {}
    generation = metadata(helm_release).get("generation", 0)
    for word in ("Reconciling", "Stalled"):
        if found := condition(helm_release, word, "True"):
            return f"it is {word.lower()} ({found.get('reason') or 'no reason given'})"
    if status.get("observedGeneration", -1) < generation:
        return f"Flux has not seen its generation {generation}"
    ready = condition(helm_release, "Ready")
    return "" if ready and ready.get("status") != "Unknown" else "it is not known to be ready or failed"


def condition(item: Object, kind: str, status: str = "") -> Object | None:
    """A condition of an object's status by its type, and by its status when one is given."""
    found: list[Object] = (item.get("status") or {}).get("conditions") or []
    return next((c for c in found if c.get("type") == kind and status in ("", c.get("status"))), None)


def _shortened(name: str) -> str:
    """Helm takes 53 characters; helm-controller cuts longer names and puts a hash behind (from 0.37 on)."""
    if len(name) <= _LONGEST:
        return name
    return f"{name[:_SHORTENED]}-{hashlib.sha256(name.encode()).hexdigest()[:_HASHED]}"
