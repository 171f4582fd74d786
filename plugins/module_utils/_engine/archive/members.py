# SPDX-License-Identifier: GPL-3.0-or-later
"""Objects written as members: both forms side by side, a new pair of members whenever one would grow too long. PRIVATE."""

from __future__ import annotations

import hashlib
import secrets
from collections import Counter
from dataclasses import dataclass, field

from ..model import Object
from ..objects import digest, metadata
from .box import Box
from .cleaned import cleaned
from .manifest import About, Member, body_of, digest_of, finished, member_of, text_of
from .model import CLEAN, LONGEST_PLAINTEXT, MANIFEST, READ, SEAL, VALUES, Cipher, Sink
from .served import Kind
from .texts import text_of as yaml_of

VAULT_PLAINTEXT = 1024 * 1024
"""How much of one vault member is filled, well below the most there may be: Vault takes about 25 times that in memory."""
ROUNDS = 10_000
"""PBKDF2 rounds of a Secret's hash, as many as Vault itself takes for a password."""


@dataclass
class Writer:
    """Puts a box into a sink. ``encrypt`` is None when the Secrets are left out."""

    sink: Sink
    encrypt: Cipher | None
    members: list[Member] = field(default_factory=list)
    finalizers: Counter[str] = field(default_factory=Counter)
    hashes: dict[str, str] = field(default_factory=dict)
    salt: bytes = field(default_factory=lambda: secrets.token_bytes(16))

    def write(self, box: Box, about: About, vault_id: str, configuration: Object) -> Object:
        """Write every member, the manifest last; the manifest. Raises InvalidSettings."""
        for kind in box.kinds():
            self._kind(box, kind)
        if self.encrypt:
            self._add(VALUES, self.encrypt(yaml_of(configuration)))
        counts = {kind: len(box.paths(kind)) for kind in box.kinds()}
        body = body_of(about, vault_id if self.encrypt else None, counts, self._more())
        if self.encrypt:
            seal = {"digest": digest_of({**finished(body, self.members)})}
            self._add(SEAL, self.encrypt(yaml_of(seal)))
        manifest = finished(body, self.members)
        self.sink.add(MANIFEST, text_of(manifest))
        return manifest

    def _kind(self, box: Box, kind: Kind) -> None:
        hidden = kind.kind == "Secret" and not kind.group
        pair = _Pair(VAULT_PLAINTEXT if hidden else LONGEST_PLAINTEXT)
        number = 0
        for path, item in box.objects(kind):
            self.finalizers.update(metadata(item).get("finalizers") or [])
            if hidden and not self.encrypt:
                self.hashes[path] = hash_of(item, self.salt)
                continue
            texts = yaml_of(item), yaml_of(cleaned(item))
            if not pair.takes(*texts):
                number += 1
                self._flush(pair, kind, hidden, number)
            pair.add(*texts)
        if pair.read:
            self._flush(pair, kind, hidden, number + 1)

    def _flush(self, pair: _Pair, kind: Kind, hidden: bool, number: int) -> None:
        for form, text in ((READ, bytes(pair.read)), (CLEAN, bytes(pair.clean))):
            if hidden and self.encrypt:
                self._add(f"secrets/{form}-{number:04d}.yaml", self.encrypt(text))
            else:
                self._add(f"objects/{form}/{kind.stem}{f'.{number:04d}' if number > 1 else ''}.yaml", text)
        pair.clear()

    def _add(self, name: str, content: bytes) -> None:
        self.sink.add(name, content)
        self.members.append(member_of(name, content))

    def _more(self) -> Object:
        more: Object = {"finalizers": dict(sorted(self.finalizers.items()))}
        if self.hashes:
            more["hashes"] = {"salt": self.salt.hex(), "rounds": ROUNDS, "secrets": self.hashes}
        return more


def hash_of(secret: Object, salt: bytes) -> str:
    """The hash of what a Secret holds; slow, since a short content could be guessed from a fast one."""
    content = digest([secret.get("type"), secret.get("data"), secret.get("immutable")])
    return hashlib.pbkdf2_hmac("sha256", content.encode(), salt, ROUNDS).hex()


class _Pair:
    """The two forms of the objects of one pair of members."""

    def __init__(self, limit: int) -> None:
        self.read, self.clean = bytearray(), bytearray()
        self._limit = limit

    def takes(self, read: bytes, clean: bytes) -> bool:
        return not self.read or (len(self.read) + len(read) <= self._limit and len(self.clean) + len(clean) <= self._limit)

    def add(self, read: bytes, clean: bytes) -> None:
        self.read += read
        self.clean += clean

    def clear(self) -> None:
        self.read, self.clean = bytearray(), bytearray()
