# SPDX-License-Identifier: GPL-3.0-or-later
"""S3: an archive of everything this run will touch, on the machine that runs the climb. PRIVATE.

The archive of an export, of what the upgrade touches; written under a temporary name, proven, and renamed, so half of one never counts.
Its name and digest go into the journal. Killed before the journal is written: an archive that no journal names, and the next run makes
its own. Whoever has exported before, or climbs from a bastion, names that archive instead: it is judged, and none is made.
"""

from __future__ import annotations

import os

from ..archive.fitness import require_way_back
from ..model import Object, Right, Rung
from ..situation import Situation
from ..work import Work
from ..writes import Write
from .base import Step


class Archive(Step):
    """S3: put the release, the kept objects, WG's own objects and the namespace's policies away before the first write."""

    id = "S3"
    title = "archive what will be touched"
    rung = Rung.PREPARED

    def writes(self, now: Situation) -> list[Write]:
        """Nothing goes to the cluster."""
        return []

    def done(self, now: Situation) -> bool:
        """Whether the journal names an archive, or the journal is not ours to begin (WG is parked already)."""
        return now.is_parked or bool(now.journal and now.journal.archive)

    def apply(self, work: Work) -> None:
        """Make the archive, or judge the one that was given, and note it. Raises InvalidSettings or Blocked when that cannot be done."""
        given = work.now.settings.archive
        work.journal.archive = _noted(work, given) if given else work.tools.archives.make(work.now.snapshot, work.now.run, work.guard)

    def further_rights(self, now: Situation) -> list[Right]:
        """The namespace itself is archived, and what a pod of WG names."""
        return [
            Right("get", "", "namespaces", name=now.namespace),
            Right("get", "", "secrets", now.namespace),
            Right("get", "", "configmaps", now.namespace),
        ]


def _noted(work: Work, given: str) -> Object:
    store = work.tools.archives
    contents = store.contents(given)
    require_way_back(work.now, given, contents)
    manifest = contents.manifest
    path = os.path.abspath(os.path.expanduser(given))
    return {"path": path, "digest": manifest["digest"], "vault_id": manifest["vault_id"], "copied": store.confirm(given), "given": True}
