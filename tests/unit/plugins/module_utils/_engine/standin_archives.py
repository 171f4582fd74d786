# SPDX-License-Identifier: GPL-3.0-or-later
"""A stand-in for the place of archives.

Stands for: an archive of the cluster as it is when it is made, named like those of the front, that is there again for another process.
Left out: the scope (all that is on the stand-in cluster goes in), the vault, hashes and trials (test_front_export has them for real).
"""

from __future__ import annotations

import copy
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from ansible_collections.weaveworks.wge.plugins.module_utils._engine.archive.cleaned import cleaned
from ansible_collections.weaveworks.wge.plugins.module_utils._engine.archive.model import Contents, Entry
from ansible_collections.weaveworks.wge.plugins.module_utils._engine.model import Object
from ansible_collections.weaveworks.wge.plugins.module_utils._engine.snapshot import Snapshot
from ansible_collections.weaveworks.wge.plugins.module_utils._errors import InvalidSettings
from ansible_collections.weaveworks.wge.tests.unit.plugins.module_utils._engine.standin import StandInCluster


@dataclass
class StandInArchives:
    """What was made, by path. ``problem`` is why none can be made; ``fleeting`` whether the place goes with the job."""

    cluster: StandInCluster
    folder: Path = Path("/archives")
    problem: str = ""
    copies: list[str] = field(default_factory=list)
    made: dict[str, Contents] = field(default_factory=dict)

    def require(self) -> None:
        """Raises InvalidSettings when there is a problem."""
        if self.problem:
            raise InvalidSettings(self.problem, "Give one.")

    def make(self, snapshot: Snapshot, run: str, tick: Callable[[], None]) -> Object:
        """Keep all that is there."""
        self.require()
        tick()
        path = str(self.folder / f"{snapshot.identity.uid}-{run}")
        self.made[path] = archive_of(self.cluster, snapshot)
        return {"path": path, "digest": "d", "vault_id": "prod"}

    def exists(self, path: str) -> bool:
        """Whether one was made there."""
        return path in self.made

    def contents(self, path: str) -> Contents:
        """One that was made."""
        if path not in self.made:
            raise InvalidSettings(f"The file {path} cannot be read.", "Correct the path.")
        return self.made[path]

    def confirm(self, path: str) -> bool:
        """Note that a copy was asked for."""
        self.copies.append(path)
        return True


def archive_of(cluster: StandInCluster, snapshot: Snapshot) -> Contents:
    """Everything as it is now, as an export holds it."""
    items = [(path, copy.deepcopy(item)) for path, item in cluster.objects.items()]
    manifest = {
        "made": "2026-11-23T10:00:00Z",
        "digest": "d",
        "cluster": {"uid": snapshot.identity.uid},
        "namespace": snapshot.namespace,
        "release": snapshot.installed.found.release,
        "secrets": "vault",
        "vault_id": "prod",
    }
    return Contents(manifest, tuple(Entry(path, item, cleaned(item)) for path, item in items))
