# SPDX-License-Identifier: GPL-3.0-or-later
"""What is on the cluster of that which is to be put back, and the owners that the archived objects name. PRIVATE.

Many objects of one collection are read by one list, of which only they are kept.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from ..archive.model import Entry
from ..archive.served import Served
from ..model import Cluster, Object
from ..objects import metadata, name_of, parent_path, uid_of

MANY = 20
"""More objects than this of one collection are listed, and not read one by one."""


def live_of(cluster: Cluster, entries: Sequence[Entry]) -> dict[str, Object]:
    """What is there, by its path. Raises what reading raises."""
    places: dict[str, list[Entry]] = {}
    for entry in entries:
        places.setdefault(parent_path(entry.path), []).append(entry)
    found: dict[str, Object] = {}
    for place, members in places.items():
        found |= _listed(cluster, place, members) if len(members) > MANY else _each(cluster, members)
    return found


def _each(cluster: Cluster, entries: Iterable[Entry]) -> dict[str, Object]:
    read = {entry.path: cluster.get(entry.path) for entry in entries}
    return {path: item for path, item in read.items() if item is not None}


def _listed(cluster: Cluster, place: str, entries: Iterable[Entry]) -> dict[str, Object]:
    paths = {name_of(entry.clean): entry.path for entry in entries}
    rows = cluster.list(place, keep=lambda item: item if name_of(item) in paths else {})
    return {paths[name_of(item)]: item for item in rows if item}


class Owners:
    """The present uids of the owners that archived objects name: by apiVersion, kind and name, since a uid is never given again."""

    def __init__(self, cluster: Cluster, live: dict[str, Object]) -> None:
        """``live`` is what was read already."""
        self._cluster = cluster
        self._served = Served(cluster)
        self._live: dict[str, Object | None] = dict(live)

    def uid(self, reference: Object, namespace: str) -> str:
        """The uid that the owner has now; empty when it is not there. ``namespace`` is that of the object that is owned."""
        kind = self._served.kind(str(reference.get("apiVersion")), str(reference.get("kind")))
        if kind is None:
            return ""
        path = kind.path(str(reference.get("name")), namespace)
        if path not in self._live:
            self._live[path] = self._cluster.get(path)
        found = self._live[path] or {}
        return "" if metadata(found).get("deletionTimestamp") else uid_of(found)
