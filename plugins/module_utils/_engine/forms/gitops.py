# SPDX-License-Identifier: GPL-3.0-or-later
"""What a Flux Kustomization applies out of git: its inventory, the shield that keeps it off, and the proof of a run. PRIVATE.

Tried on kustomize-controller 1.7.3: owner labels alone prove nothing (orphans keep them), the token alone proves nothing
(it is acknowledged by a suspended Kustomization too), and ``Ready`` is written before the rest.
"""

from __future__ import annotations

import re
from collections.abc import Collection

from ..model import Object
from ..names import SHIELDED_ANNOTATION
from ..objects import annotations_of, labels_of, metadata, name_of, namespace_of
from ..who import wrote
from .flux import REQUESTED, condition, is_suspended
from .flux_api import KINDS, path_in

NAME_LABEL = "kustomize.toolkit.fluxcd.io/name"
NAMESPACE_LABEL = "kustomize.toolkit.fluxcd.io/namespace"
SHIELD = "kustomize.toolkit.fluxcd.io/reconcile"
SHIELDED = "disabled"
NO_PRUNE = "kustomize.toolkit.fluxcd.io/prune"
SHORTEST_RUN = 30.0
"""Kustomize-controller gives its health checks no less, whatever ``spec.timeout`` says (7a)."""

_DURATION = re.compile(r"([0-9.]+)(ms|h|m|s)")
_SECONDS = {"h": 3600.0, "m": 60.0, "s": 1.0, "ms": 0.001}


def entry_id(item: Object) -> str:
    """An object's id in an inventory: ``<namespace>_<name>_<group>_<Kind>``."""
    version = str(item.get("apiVersion", ""))
    group = version.rpartition("/")[0]
    return f"{namespace_of(item)}_{name_of(item).replace(':', '__')}_{group}_{item.get('kind')}"


def lists(kustomization: Object, item: Object) -> bool:
    """Whether the inventory has an object."""
    entries = ((kustomization.get("status") or {}).get("inventory") or {}).get("entries") or []
    return any(entry.get("id") == entry_id(item) for entry in entries)


def is_shielded(item: Object) -> bool:
    """Whether kustomize-controller neither applies nor prunes this live object; the value's case does not matter."""
    return any(str(marks.get(SHIELD, "")).lower() == SHIELDED for marks in (annotations_of(item), labels_of(item)))


def applies(kustomization: Object, item: Object) -> bool:
    """Whether git holds an object. One that is shielded leaves the inventory of some versions while git still renders it.

    One that we shielded counts as long as it says so, whoever took the shield off.
    """
    return lists(kustomization, item) or is_shielded(item) or SHIELDED_ANNOTATION in annotations_of(item)


def not_proven(kustomization: Object, token: str, revision: str) -> str:
    """Why a run with this token at this revision of the source is not proven by one read, empty when it is (K17)."""
    status = kustomization.get("status") or {}
    if is_suspended(kustomization):
        by = wrote(kustomization, "spec", "suspend")
        return f"it is suspended{f' (last written by {by})' if by else ''}"
    if (status.get("lastHandledReconcileAt") or "") != token:
        return "it has not taken up the request"
    ready = condition(kustomization, "Ready")
    if not ready or ready.get("status") != "True":
        return f"it is not ready ({(ready or {}).get('message') or 'it says nothing'})"
    if ready.get("observedGeneration", status.get("observedGeneration")) != metadata(kustomization).get("generation"):
        return "it is ready for an older state of itself"
    applied = status.get("lastAppliedRevision")
    return "" if applied == revision else f"it has applied {applied or 'nothing'}, and its source is at {revision or 'nothing'}"


def source_path(kustomization: Object, served: Collection[str]) -> str:
    """Where the source of a Kustomization is, empty when it names none that the cluster serves."""
    reference = (kustomization.get("spec") or {}).get("sourceRef") or {}
    if reference.get("kind") not in KINDS:
        return ""
    return path_in(reference["kind"], str(reference.get("name")), str(reference.get("namespace") or namespace_of(kustomization)), served)


def revision_of(source: Object | None) -> str:
    """The revision that a source has to offer, empty when it has none."""
    return str((((source or {}).get("status") or {}).get("artifact") or {}).get("revision") or "")


def last_request(kustomization: Object) -> str:
    """The newest token on a Kustomization, or the one it has handled when that was taken off again; empty when there was none."""
    handled = (kustomization.get("status") or {}).get("lastHandledReconcileAt")
    return str(annotations_of(kustomization).get(REQUESTED) or handled or "")


def run_seconds(kustomization: Object, otherwise: float) -> float:
    """How long one run may take: its own limit, twice the shortest one at least; ``otherwise`` where it states no limit."""
    stated = str((kustomization.get("spec") or {}).get("timeout") or "")
    limit = sum(float(number) * _SECONDS[unit] for number, unit in _DURATION.findall(stated)) if stated else otherwise
    return max(SHORTEST_RUN, limit) + SHORTEST_RUN
