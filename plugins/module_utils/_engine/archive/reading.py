# SPDX-License-Identifier: GPL-3.0-or-later
"""An archive read and checked: its manifest, every hash, every name, and only then what is in it. PRIVATE."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from ..._errors import InvalidSettings
from ..model import Object
from ..objects import name_of, namespace_of
from .manifest import DAMAGED, digest_of, kinds_of, manifest_from, members_of
from .model import (
    LONGEST_MANIFEST,
    LONGEST_MEMBER,
    LONGEST_PLAINTEXT,
    MANIFEST,
    MEMBER_NAME,
    SEAL,
    VALUES,
    VAULT,
    Cipher,
    Contents,
    Entry,
    Files,
)
from .served import Kind
from .texts import documents

_WITHOUT_OBJECTS = (SEAL, VALUES)


@dataclass(frozen=True, slots=True)
class InMemory:
    """An archive whose files are in a mapping."""

    files: Mapping[str, bytes]

    def names(self) -> list[str]:
        """Every file."""
        return list(self.files)

    def read(self, name: str, limit: int) -> bytes:
        """One file. Raises InvalidSettings."""
        if name not in self.files:
            raise InvalidSettings(f"The archive has no file {name}.", DAMAGED)
        if len(self.files[name]) > limit:
            raise InvalidSettings(f"The archive's file {name} is longer than {limit} bytes.", DAMAGED)
        return self.files[name]


class Reader:
    """One archive. Making it checks the manifest, the names and the seal; ``entries`` checks each member as it comes."""

    def __init__(self, files: Files, decrypt: Cipher | None) -> None:
        """Without ``decrypt`` the vault stays shut: no seal is looked at, and no Secret is read.

        Raises InvalidSettings for what is not an archive, not whole, not of this schema, or was changed.
        """
        self._files = files
        self._decrypt = decrypt
        names = set(files.names())
        if MANIFEST not in names:
            raise InvalidSettings(
                f"There is no {MANIFEST}: this is not an archive, or one that was not finished.", "Give the path of a finished export."
            )
        self.manifest: Object = manifest_from(files.read(MANIFEST, LONGEST_MANIFEST))
        self._members = members_of(self.manifest)
        self._kinds = kinds_of(self.manifest)
        self._check_names(names - {MANIFEST})
        if self.has_secrets and decrypt:
            self._check_seal()

    @property
    def has_secrets(self) -> bool:
        """Whether the Secrets are in it, and not only their hashes."""
        return bool(self.manifest["secrets"] == VAULT)

    def check(self) -> None:
        """Compare every member with its hash. Raises InvalidSettings."""
        for name in self._members:
            self._stored(name)

    def entries(self) -> Iterator[Entry]:
        """Every object, two members at a time in memory. Raises InvalidSettings."""
        for name in self._members:
            if name.startswith(("objects/read/", "secrets/read-") if self._decrypt else "objects/read/"):
                yield from self._pairs(name, name.replace("/read", "/clean", 1))

    def plain(self, name: str) -> bytes:
        """A member's text, decrypted when it is in the vault. Raises InvalidSettings."""
        content = self._stored(name)
        if not name.startswith("secrets/"):
            return content
        if self._decrypt is None:
            raise InvalidSettings(
                f"The archive's member {name} is in the vault, and there is no vault secret here.", "Read it on the controller."
            )
        text = self._decrypt(content)
        if len(text) > LONGEST_PLAINTEXT:
            raise InvalidSettings(f"The archive's member {name} holds more than {LONGEST_PLAINTEXT} bytes.", DAMAGED)
        return text

    def _pairs(self, read: str, clean: str) -> Iterator[Entry]:
        firsts, seconds = documents(self.plain(read), read), documents(self.plain(clean), clean)
        for first in firsts:
            second = next(seconds, None)
            if second is None or _who(first) != _who(second):
                raise InvalidSettings(f"The archive's members {read} and {clean} do not hold the same objects.", DAMAGED)
            yield Entry(self._kind(first, read).path_of(first), first, second)
        if next(seconds, None) is not None:
            raise InvalidSettings(f"The archive's members {read} and {clean} do not hold the same objects.", DAMAGED)

    def _kind(self, item: Object, name: str) -> Kind:
        kind = self._kinds.get((str(item.get("apiVersion")), str(item.get("kind"))))
        if kind is None or not name_of(item):
            raise InvalidSettings(f"The archive's member {name} holds an object that its manifest does not name.", DAMAGED)
        return kind

    def _stored(self, name: str) -> bytes:
        if name not in self._members:
            raise InvalidSettings(f"The archive's {MANIFEST} names no member {name}.", DAMAGED)
        row, content = self._members[name], self._files.read(name, LONGEST_MEMBER)
        if len(content) != row.bytes:
            raise InvalidSettings(f"The archive's member {name} has {len(content)} bytes instead of {row.bytes}.", DAMAGED)
        if hashlib.sha256(content).hexdigest() != row.sha256:
            raise InvalidSettings(f"The archive's member {name} was changed after the export.", DAMAGED)
        return content

    def _check_names(self, names: set[str]) -> None:
        missing = sorted(set(self._members) - names)
        if missing:
            raise InvalidSettings(f"The archive's member {missing[0]} is missing.", DAMAGED)
        strange = sorted(name for name in names - set(self._members) if not name.startswith(".git") and "/.git" not in name)
        if strange and MEMBER_NAME.match(strange[0]):
            raise InvalidSettings(f"The archive holds {strange[0]}, which its {MANIFEST} does not name.", DAMAGED)
        if strange:
            raise InvalidSettings(f"The archive holds {strange[0]!r}, which no export makes.", "Take the file out of the archive.")

    def _check_seal(self) -> None:
        seal = next(documents(self.plain(SEAL), SEAL), {})
        if seal.get("digest") != digest_of(self.manifest):
            raise InvalidSettings(f"The archive's {MANIFEST} is not the one that its export sealed.", DAMAGED)


def contents_of(files: Files | Mapping[str, bytes], decrypt: Cipher | None) -> Contents:
    """The whole archive, checked. ``decrypt`` opens the vault members; without it they are only hashed. Raises InvalidSettings."""
    reader = Reader(InMemory(files) if isinstance(files, Mapping) else files, decrypt)
    reader.check()
    return Contents(reader.manifest, tuple(reader.entries()), opened=decrypt is not None)


def _who(item: Object) -> tuple[str, str, str, str]:
    return str(item.get("apiVersion")), str(item.get("kind")), namespace_of(item), name_of(item)
