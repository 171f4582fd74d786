# SPDX-License-Identifier: GPL-3.0-or-later
"""The words of an archive: its entries, what a reader gets, where members lie, and how its parts come in. PRIVATE.

A Secret has two members like every other object, but lies in the vault. In an archive made with ``hashes_only`` there are no
Secrets at all: their names and hashes are in the manifest, and nothing can be restored from those.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from ..model import Object

SCHEMA = 1
MANIFEST = "manifest.json"
VAULT, HASHES_ONLY = "vault", "hashes_only"
SECRETS = (VAULT, HASHES_ONLY)
READ, CLEAN = "read", "clean"
FORMS = (READ, CLEAN)
LONGEST_PLAINTEXT = 4 * 1024 * 1024
"""Of one member: Vault takes about 25 times that in memory, and 4 times on disk."""
LONGEST_MEMBER = 20 * 1024 * 1024
LONGEST_MANIFEST = 16 * 1024 * 1024
SEAL, VALUES = "secrets/seal.yaml", "secrets/values.yaml"
"""The hash of the manifest, and what WG was configured with: in the vault, and neither holds objects."""
MEMBER_NAME = re.compile(r"^(objects/(read|clean)/[A-Za-z0-9][A-Za-z0-9.-]*\.yaml|secrets/((read|clean)-[0-9]{4,6}|seal|values)\.yaml)\Z")
"""What a member may be called: nothing absolute, nothing with ``..``."""

Cipher = Callable[[bytes], bytes]
"""Vault's ``encrypt`` or ``decrypt``. Raises InvalidSettings with a sentence that holds no byte of either side."""


@dataclass(frozen=True, slots=True)
class Entry:
    """One object: its REST path, as the API server gave it, and as it can be applied."""

    path: str
    read: Object
    clean: Object


@dataclass(frozen=True, slots=True)
class Contents:
    """A whole archive that was read and checked. ``manifest`` is that of the file, every key of schema 1 there.

    ``opened`` is False where there was no vault: then its Secrets are not among the entries.
    """

    manifest: Object
    entries: tuple[Entry, ...]
    opened: bool = True


class Vault(Protocol):
    """Ansible's vault with the secrets that the user gave. Both raise InvalidSettings with a sentence, and quote nothing."""

    def writer(self, wanted: str) -> tuple[str, Cipher]:
        """The vault id to write with, and its ``encrypt``; ``wanted`` is the id the user named, or empty."""

    def decrypt(self, content: bytes) -> bytes:
        """What was encrypted with any of the secrets."""


class Files(Protocol):
    """The parts of an archive, by their names: a folder or a ``.tar.gz`` behind it."""

    def names(self) -> list[str]:
        """Every file below, with ``/``; raises InvalidSettings for a link or a name that leads out of it."""

    def read(self, name: str, limit: int) -> bytes:
        """One file. Raises InvalidSettings when it is missing, longer than ``limit`` or unreadable."""


class Sink(Protocol):
    """Where a new archive goes, member by member; nothing counts before the end."""

    def add(self, name: str, content: bytes) -> None:
        """Put one file. Raises InvalidSettings when that cannot be done."""
