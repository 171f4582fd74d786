# SPDX-License-Identifier: GPL-3.0-or-later
"""S3: a copy of everything this run will touch, on the machine that runs the climb. PRIVATE.

In this version a plain file of mode 0600; written under a temporary name and renamed, so half a file never counts. Its name
and hash go into the journal. Killed before the rename: a file ``….part``, which nobody reads.
"""

from __future__ import annotations

import hashlib
import json
import os

from ..._errors import InvalidSettings
from ..._files import write_whole
from ..model import Object, Rung
from ..objects import namespace_of
from ..situation import Situation
from ..work import Work
from ..writes import Write
from .base import Step


class Archive(Step):
    """S3: copy the release, the kept objects, WG's own objects and the namespace's policies before the first write."""

    id = "S3"
    title = "copy what will be touched"
    rung = Rung.PREPARED

    def writes(self, now: Situation) -> list[Write]:
        """Nothing goes to the cluster."""
        return []

    def done(self, now: Situation) -> bool:
        """Whether the journal names a copy, or the journal is not ours to begin (WG is parked already)."""
        return now.is_parked or bool(now.journal and now.journal.archive)

    def apply(self, work: Work) -> None:
        """Write the file, read it back, and note it in the journal. Raises InvalidSettings when that cannot be done."""
        now = work.now
        folder = os.path.expanduser(now.settings.archive_dir)
        path = os.path.join(folder, f"{now.snapshot.identity.uid}-{now.run}.json")
        content = json.dumps(content_of(now), indent=1, sort_keys=True).encode()
        try:
            write_whole(path, content)
            with open(path, "rb") as stored:
                same = stored.read() == content
        except OSError as problem:
            raise InvalidSettings(f"The archive {path} cannot be written ({problem.strerror}).", "Correct wge_archive_dir.") from problem
        if not same:
            raise InvalidSettings(f"The archive {path} reads back differently.", "Check the disk of wge_archive_dir.")
        work.journal.archive = {"path": os.path.abspath(path), "sha256": hashlib.sha256(content).hexdigest()}


def content_of(now: Situation) -> Object:
    """What the archive holds: objects as they were read, Secrets included."""
    snapshot = now.snapshot
    everything = [item for items in snapshot.lists.values() for item in items] + snapshot.kept + snapshot.releases
    everything += [item for item in snapshot.named.values() if item]
    return {
        "schema": 1,
        "cluster_uid": snapshot.identity.uid,
        "namespace": snapshot.namespace,
        "run": now.run,
        "objects": [item for item in everything if namespace_of(item) in ("", snapshot.namespace) or item.get("kind") == "Secret"],
    }
