# SPDX-License-Identifier: GPL-3.0-or-later
"""The archives of one call: how the user wants one made, and how it is made, copied and read. PRIVATE.

An export and the step of a climb that archives make theirs here alike; they differ in how much goes in, and in what a dry run that
is forbidden means.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from .. import _copying, _packing
from .._engine.archive import making
from .._engine.archive.box import Box
from .._engine.archive.making import Keys, Made, Trial
from .._engine.archive.model import HASHES_ONLY, VAULT, Contents, Vault
from .._engine.archive.reading import contents_of
from .._engine.archive.scope import INSTALL, Collector
from .._engine.model import Clock, Cluster, Object
from .._engine.snapshot import Snapshot
from .._errors import InvalidSettings
from .._files import dies_with_the_job

_NOTED = 3
"""So many sentences on what could not be tried are noted in a journal."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """How the user wants an archive: the options of an export, or those of an upgrade that begin with ``archive_``."""

    folder: str
    form: str = "folder"
    secrets: str = VAULT
    vault_id: str = ""
    copy_command: tuple[str, ...] = ()


def wanted_from(params: Mapping[str, Any]) -> Wanted:
    """Out of validated options."""

    def given(name: str) -> Any:
        return params.get(f"archive_{name}") or params.get(name)

    return Wanted(
        folder=os.path.abspath(os.path.expanduser(params.get("archive_dir") or "wge-archive")),
        form=given("format") or "folder",
        secrets=params.get("secrets") or VAULT,
        vault_id=given("vault_id") or "",
        copy_command=tuple(given("copy_command") or ()),
    )


@dataclass(frozen=True, slots=True)
class Archives:
    """Implements the engine's ``Store``. ``cluster`` is asked when it is needed; ``environment`` is the process's."""

    wanted: Wanted
    vault: Vault | None
    cluster: Callable[[], Cluster]
    clock: Clock
    keep_going: Callable[[], str]
    environment: Mapping[str, str]

    def require(self) -> None:
        """Raises InvalidSettings when Secrets could not be encrypted, or the archive would go with the job."""
        self.keys()
        self._require_lasting(self.wanted.folder)

    def make(self, snapshot: Snapshot, run: str, tick: Callable[[], None]) -> Object:
        """As in the port. A dry run that we are not allowed is no fault: who upgrades need not be allowed to create all of WG."""
        self.require()
        box = Collector(self.cluster(), snapshot, tick=tick).collect(INSTALL)
        made = self.written(snapshot, box, run, INSTALL, Trial(self.cluster(), allowed=False), tick)
        return {
            "path": made.path,
            "digest": made.manifest["digest"],
            "vault_id": made.manifest["vault_id"],
            "copied": self.copied(made.path),
            "tried": made.checked.tried,
            "untried": [*made.checked.untried[:_NOTED]],
        }

    def exists(self, path: str) -> bool:
        """As in the port."""
        return os.path.exists(os.path.expanduser(path))

    def contents(self, path: str) -> Contents:
        """As in the port."""
        return contents_of(_packing.opened(os.path.expanduser(path)), self.vault.decrypt if self.vault else None)

    def confirm(self, path: str) -> bool:
        """As in the port."""
        self._require_lasting(path)
        return self.copied(os.path.abspath(os.path.expanduser(path)))

    def keys(self) -> Keys:
        """How Secrets are encrypted. Raises InvalidSettings when they cannot be, and nobody said they need not."""
        if self.vault is None:
            raise InvalidSettings(
                "The vault's secrets are on the controller only.",
                "Export there (delegate_to: localhost), and name the archive here.",
            )
        if self.wanted.secrets == HASHES_ONLY:
            return Keys("", None, self.vault.decrypt)
        vault_id, encrypt = self.vault.writer(self.wanted.vault_id)
        return Keys(vault_id, encrypt, self.vault.decrypt)

    def path_of(self, name: str) -> str:
        """Where an archive of this name will lie."""
        return os.path.join(self.wanted.folder, f"{name}{_packing.SUFFIX if self.wanted.form == 'tar.gz' else ''}")

    def written(self, snapshot: Snapshot, box: Box, run: str, scope: str, trial: Trial, tick: Callable[[], None]) -> Made:
        """Write and prove an archive."""
        package = _packing.package(self.path_of(f"{snapshot.identity.uid}-{run}"))
        about = making.about_of(snapshot, run, self.clock.wall().isoformat(timespec="seconds"), scope)
        return making.make(box, about, making.configuration_of(snapshot), package, self.keys(), trial, tick)

    def copied(self, path: str) -> bool:
        """Whether the user's command has copied the archive elsewhere; False when there is none. Raises InvalidSettings when it fails."""
        command: Sequence[str] = self.wanted.copy_command
        if command:
            _copying.copy(command, path, self.keep_going)
        return bool(command)

    def goes_with_the_job(self, path: str) -> bool:
        """Whether the archive is gone when the job ends, with no copy of it."""
        return not self.wanted.copy_command and dies_with_the_job(path, self.environment)

    def _require_lasting(self, path: str) -> None:
        if self.goes_with_the_job(path):
            raise InvalidSettings(
                f"The archive's place {path} goes with the job: nobody could go back with it.",
                "Give wge_archive_copy_command, or a folder that outlives the job in wge_archive_dir.",
            )
