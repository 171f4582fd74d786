# SPDX-License-Identifier: GPL-3.0-or-later
"""CU-07: has somebody changed WG by hand since Helm wrote it? PRIVATE.

Two sides are looked at: what the release says and the cluster does not, and who else than Helm wrote parts of a spec. Only paths are
told, never what is there.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from ..model import Object, Rung
from ..names import FIELD_MANAGER
from ..objects import metadata, name_of
from ..situation import Situation
from .check import WARNING, Check
from .evidence import NO_RELEASE, Evidence, Judged, passed, skipped, warned

KINDS = ("Deployment", "Service", "Ingress", "NetworkPolicy")
NO_PERSONS = (FIELD_MANAGER, "kube-controller-manager", "cloud-controller-manager", "kubelet")
SHOWN = 6
RESTART = "spec.template.metadata.annotations.kubectl.kubernetes.io/restartedAt"
QUANTITIES = "resources"
"""The API server writes quantities in its own way (1000m is 1), so these are not compared."""


def manual_drift(evidence: Evidence) -> Judged:
    """CU-07. No request."""
    if not evidence.now.snapshot.installed.is_released:
        return skipped(NO_RELEASE)
    found = list(_drift(evidence.now))
    if found:
        more = f" and {len(found) - SHOWN} more" if len(found) > SHOWN else ""
        return warned(
            f"This is not as Helm wrote it: {'; '.join(found[:SHOWN])}{more}.",
            "Bring it into WG's values with helm upgrade if WGE shall inherit it, or drop it; Services and routes stay as they are.",
        )
    count = sum(item.get("kind") in KINDS for item in evidence.now.snapshot.installed.manifest)
    return passed(f"{count} objects of WG's release are as Helm wrote them.")


def _drift(now: Situation) -> Iterator[str]:
    scaled = {(item.get("spec", {}).get("scaleTargetRef") or {}).get("name") for item in now.snapshot.of("HorizontalPodAutoscaler")}
    for stored in now.snapshot.installed.manifest:
        if stored.get("kind") not in KINDS:
            continue
        live = now.snapshot.one(stored["kind"], name_of(stored))
        where = f"{stored['kind']} {name_of(stored)}"
        if live is None:
            yield f"{where} is gone"
            continue
        paths = set(_differences(stored.get("spec") or {}, live.get("spec") or {}, "spec")) if _comparable(stored, live) else set()
        if name_of(stored) in scaled:
            paths.discard("spec.replicas")
        yield from (f"{where} differs at {path}" for path in sorted(paths))
        told = stored.get("spec") if _comparable(stored, live) else None
        yield from (f"{where} was also written by {manager}" for manager in _writers(live, told) if not paths)


def _comparable(stored: Object, live: Object) -> bool:
    """An old API version names the same things otherwise."""
    return not live.get("apiVersion") or stored.get("apiVersion") == live.get("apiVersion")


def _differences(stored: Any, live: Any, path: str) -> Iterator[str]:
    """Where the cluster does not say what the release says; what the API server adds is no difference."""
    if (not stored and not live) or stored in (None, "", [], {}) or path.endswith(f".{QUANTITIES}"):
        return
    if isinstance(stored, dict) and isinstance(live, dict):
        for key, value in stored.items():
            yield from _differences(value, live.get(key), f"{path}.{key}")
    elif isinstance(stored, list) and isinstance(live, list) and len(stored) == len(live):
        for index, value in enumerate(stored):
            yield from _differences(value, live[index], f"{path}[{index}]")
    elif stored != live:
        yield path


def _writers(live: Object, told: Any) -> list[str]:
    """Who else has written parts of the spec of which the release says nothing (``told``: what it says; that has been compared)."""
    entries = metadata(live).get("managedFields") or []
    found = {
        str(entry.get("manager"))
        for entry in entries
        if not entry.get("subresource") and not _is_no_person(str(entry.get("manager"))) and _holds_more(entry.get("fieldsV1") or {}, told)
    }
    return sorted(found)


def _is_no_person(manager: str) -> bool:
    """Helm calls itself by the name of its program, which may be helm3 or a provider of Terraform; Flux's is told by FL-03."""
    return manager in NO_PERSONS or "helm" in manager.lower()


def _holds_more(fields: Object, told: Any) -> bool:
    """Whether a manager owns parts of the spec that nobody compared, besides the mark of a restart."""
    return any(path != RESTART for path in _beyond(fields.get("f:spec") or {}, told, "spec"))


def _beyond(fields: Object, told: Any, path: str) -> Iterator[str]:
    """The owned fields of which the release says nothing; a field that was changed and changed back is none."""
    for key, inner in fields.items():
        if key == ".":
            continue
        below, value = f"{path}.{key.partition(':')[2]}", _under(told, key)
        if inner:
            yield from _beyond(inner, value, below)
        elif value in (None, "", [], {}) or f".{QUANTITIES}." in f"{below}.":
            yield below


def _under(told: Any, key: str) -> Any:
    """What the release says at a step of managedFields: ``f:`` names a field, ``k:`` an item of a list by some of its fields."""
    kind, _colon, name = key.partition(":")
    if kind == "f" and isinstance(told, dict):
        return told.get(name)
    if kind == "k" and isinstance(told, list):
        wanted = json.loads(name).items()
        # The API server gives a port its protocol.
        return next((item for item in told if isinstance(item, dict) and wanted <= {"protocol": "TCP", **item}.items()), None)
    return None


CHECKS = (
    Check(
        "CU-07",
        "install",
        "changes by hand",
        WARNING,
        manual_drift,
        "WG's objects, against what Helm stored of them, and who else wrote them",
        "Carry the change over into WG's values, or drop it.",
        until=Rung.PREPARED,
    ),
)
