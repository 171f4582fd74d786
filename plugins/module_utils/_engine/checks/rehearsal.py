# SPDX-License-Identifier: GPL-3.0-or-later
"""SA-07: the way back, tried on paper with what the cluster says now. PRIVATE."""

from __future__ import annotations

import copy
from collections import Counter
from collections.abc import Iterator
from typing import Any

from ..dig import dig, first
from ..model import Object, Operation
from ..names import HELM_RELEASE_ANNOTATION, JOURNAL_PREFIX, RUN_LABEL
from ..objects import annotations_of, labels_of, name_of, path_of
from ..patches import MISSING, guards_hold, value_at
from ..situation import Situation
from ..snapshot import pods_of
from ..writes import Write
from .evidence import Evidence, Judged, failed, passed

PULLS = ("ErrImagePull", "ImagePullBackOff", "InvalidImageName")


def way_back(evidence: Evidence) -> Judged:
    """SA-07. No request: each patch of the plan is made and taken back on the objects as they were read."""
    now, writes = evidence.now, evidence.plan.writes
    live = _objects(now)
    problems = [problem for write in writes if (problem := _stuck(write, live, now.target.release.name))]
    if problems:
        return failed("; ".join(problems) + ".", "Report this as a fault of the collection; do not upgrade this cluster with it.")
    waiting = sorted(set(_unpulled(now)))
    if waiting:
        return failed(
            f"WG's image {first(now.snapshot.installed.found.container, 'image')} is not pulled any more: {', '.join(waiting)}.",
            "Mirror the image where the nodes can reach it: after a rollback WG may land on a node that never had it.",
        )
    counts = Counter(write.verb for write in writes)
    words = {
        "patch": "patches, tried forth and back",
        "create": "new objects",
        "helm": "Helm release",
        "delete": "of our own objects deleted",
    }
    text = ", ".join(f"{counts[verb]} {words[verb]}" for verb in words if counts[verb]) or "nothing is left to write"
    return passed(f"Everything planned can be taken back: {text}. Whether a registry still has WG's image is not asked.")


def applied(operations: list[Operation] | tuple[Operation, ...], live: Object) -> Object:
    """An object after a patch of the forms this collection writes; its guards are looked at elsewhere."""
    result = copy.deepcopy(live)
    for operation in operations:
        if operation["op"] != "test":
            _apply(result, operation)
    return result


def _apply(item: Object, operation: Operation) -> None:
    way, _slash, last = operation["path"].rpartition("/")
    key = last.replace("~1", "/").replace("~0", "~")
    parent: Any = value_at(item, way)
    place: Any = int(key) if isinstance(parent, list) else key
    if operation["op"] == "remove":
        del parent[place]
    elif isinstance(parent, list) and operation["op"] == "add":
        parent.insert(place, operation["value"])
    else:
        parent[place] = copy.deepcopy(operation["value"])


def _stuck(write: Write, live: dict[str, Object], wge: str) -> str:
    """Why a write could not be taken back, empty when it can. What is of the release ``wge``, or of this run, goes with it."""
    before = live.get(write.path)
    if before is not None and (annotations_of(before).get(HELM_RELEASE_ANNOTATION) == wge or RUN_LABEL in labels_of(before)):
        return ""
    if write.verb != "patch" or JOURNAL_PREFIX in write.path or before is None:
        return ""  # what is created is deleted, a release is uninstalled
    if not write.reverse:
        return f"nothing takes back: {write.text}"
    if not guards_hold(write.operations, before):
        return f"the guards do not hold on what the cluster says: {write.text}"
    try:
        after = applied(write.operations, before)
        same = guards_hold(write.reverse, after) and _bare(applied(write.reverse, after)) == _bare(before)
    except (KeyError, IndexError, TypeError, ValueError):
        same = False
    return "" if same else f"the way back does not lead to what there was: {write.text}"


def _bare(item: Object) -> Object:
    """Empty maps of metadata are not stored."""
    meta = {key: value for key, value in item["metadata"].items() if value not in ({}, MISSING)}
    return {**item, "metadata": meta}


def _objects(now: Situation) -> dict[str, Object]:
    """Every object of the snapshot by its path."""
    snapshot = now.snapshot
    named = [item for item in snapshot.named.values() if item]
    everything = [*(item for items in snapshot.lists.values() for item in items), *snapshot.releases, *snapshot.kept, *named]
    return {path_of(item): item for item in everything}


def _unpulled(now: Situation) -> Iterator[str]:
    for pod in pods_of(now.snapshot, now.snapshot.installed.found.pod_labels):
        reasons = dig(pod, "status.containerStatuses.state.waiting.reason")
        yield from (f"pod {name_of(pod)} says {reason}" for reason in reasons if reason in PULLS)
