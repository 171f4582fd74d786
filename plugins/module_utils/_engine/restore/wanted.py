# SPDX-License-Identifier: GPL-3.0-or-later
"""What an object of the archive shall be on this cluster, and whether it is that already. PRIVATE.

The archive's own clean form, but for what only the cluster can know: the uid of its owner, what controllers write into its metadata,
and, on another cluster, its addresses.
"""

from __future__ import annotations

import copy
import re
from collections.abc import Callable

from ..archive.cleaned import cleaned
from ..model import Object
from ..objects import annotations_of, metadata

Owner = Callable[[Object], str]
"""The uid that the owner of a reference has on this cluster, empty when it is not there."""

CONTROLLERS_OWN = frozenset(("deployment.kubernetes.io/revision", "kubernetes.io/service-account.uid"))
"""Annotations that a controller writes anew; those of an object that is there stay as they are."""
OF_A_DELETION = frozenset(("foregroundDeletion", "orphan"))
"""Finalizers by which the API server ends a deletion; those of controllers are theirs to put back, and to compare is of no use."""
ADDRESSES = ("clusterIP", "clusterIPs")
HEADLESS = "None"
_TOKEN_MADE = re.compile(r"-(?:token|dockercfg)-[0-9a-z]{5}\Z")
"""So a controller names the Secrets that it makes for a ServiceAccount; it makes them anew, under other names."""


def wanted(clean: Object, live: Object | None, owner: Owner, *, foreign: bool) -> Object:
    """What is to be stored. ``live`` is what is there, ``foreign`` says that the archive is of another cluster."""
    item = copy.deepcopy(clean)
    meta = item["metadata"]
    _keep_annotations(meta, live)
    _set(meta, "finalizers", _finalizers(meta, live))
    _set(meta, "ownerReferences", _owners(meta, owner))
    if item.get("kind") == "ClusterRole" and item.get("aggregationRule") and live is not None:
        item["rules"] = live.get("rules")  # a controller collects them
    if item.get("kind") == "ServiceAccount":
        _set(item, "secrets", _tokens(item, live))
    if foreign and item.get("kind") == "Service":
        _take_addresses(item, live)
    return item


def same(item: Object, live: Object | None) -> bool:
    """Whether what is there is what is wanted."""
    return live is not None and not differences(item, live)


def differences(item: Object, live: Object) -> list[str]:
    """The parts in which they differ: keys of the object, or of its metadata."""
    have = cleaned(live)
    ours, theirs = metadata(item), metadata(have)
    parts = [key for key in sorted({*item, *have} - {"metadata"}) if item.get(key) != have.get(key)]
    return parts + [f"metadata.{key}" for key in sorted({*ours, *theirs}) if (ours.get(key) or None) != (theirs.get(key) or None)]


def _keep_annotations(meta: Object, live: Object | None) -> None:
    kept = {key: value for key, value in annotations_of(live or {}).items() if key in CONTROLLERS_OWN}
    others = {key: value for key, value in (meta.get("annotations") or {}).items() if key not in CONTROLLERS_OWN}
    _set(meta, "annotations", {**others, **kept})


def _finalizers(meta: Object, live: Object | None) -> list[str]:
    if live is not None:
        return list(metadata(live).get("finalizers") or [])
    return [name for name in meta.get("finalizers") or [] if name not in OF_A_DELETION]


def _owners(meta: Object, owner: Owner) -> list[Object]:
    """References to owners that are there, by their present uid: the cluster deletes what names an owner by another one."""
    found = ({**reference, "uid": owner(reference)} for reference in meta.get("ownerReferences") or [])
    return [reference for reference in found if reference["uid"]]


def _tokens(account: Object, live: Object | None) -> list[Object]:
    """Those that somebody has stated, where the account is made anew."""
    if live is not None:
        return list(live.get("secrets") or [])
    return [reference for reference in account.get("secrets") or [] if not _TOKEN_MADE.search(str(reference.get("name")))]


def _take_addresses(item: Object, live: Object | None) -> None:
    spec = item.get("spec") or {}
    if spec.get("clusterIP") == HEADLESS:
        return
    for key in ADDRESSES:
        _set(spec, key, (live or {}).get("spec", {}).get(key))


def _set(item: Object, key: str, value: object) -> None:
    if value:
        item[key] = value
    else:
        item.pop(key, None)
