# SPDX-License-Identifier: GPL-3.0-or-later
"""The question ``keypair``: a pair of Ed25519 keys as files, made once and never overwritten. PRIVATE.

The private key is written first. Killed before the public one is, the next call writes that.
"""

from __future__ import annotations

import os
from typing import Any

from .._engine.entitlement.keys import LONGEST_PEM, PrivateKey, PublicKey, generate, private_key, public_keys
from .._errors import InvalidSettings
from .._files import PUBLIC, dies_with_the_job, is_exposed, read_if_there, read_limited, write_new, write_private
from .session import Session


def answer(session: Session) -> dict[str, Any]:
    """Make the pair, or say which one is there."""
    path = str(session.params["path"])
    public_path = str(session.params.get("public_path") or f"{path}.pub")
    passphrase = str(session.params.get("passphrase") or "")
    if os.path.abspath(path) == os.path.abspath(public_path):
        raise InvalidSettings("path and public_path are the same file.", "Give another public_path.")
    dry = session.surroundings.check_mode
    content = read_if_there(path, LONGEST_PEM)
    made = content is None
    if content is None:
        _check_no_orphan(path, public_path)
        content = b"" if dry else _make(path, passphrase)
    result = {"changed": made, "path": path, "public_path": public_path, "public_key": "", "key_id": "", "warnings": _warnings(path)}
    if made and dry:
        return result
    key = private_key(content.decode("utf-8", "replace"), passphrase, path)
    published = _publish(key, public_path, dry=dry)
    return {**result, "changed": made or published, "public_key": key.public.pem, "key_id": key.public.key_id}


def _make(path: str, passphrase: str) -> bytes:
    """A new private key; the one that another process has just made, when it was first."""
    content = generate().pem(passphrase).encode()
    return content if write_new(path, content) else read_limited(path, LONGEST_PEM)


def _publish(key: PrivateKey, path: str, *, dry: bool) -> bool:
    """Write the public key where it is missing; whether it was. Raises InvalidSettings when another key is there."""
    content = read_if_there(path, LONGEST_PEM)
    if content is None:
        if not dry:
            write_private(path, key.public.pem.encode(), PUBLIC)
        return True
    if [found.key_id for found in _keys_in(content, path)] != [key.public.key_id]:
        raise InvalidSettings(f"The public key in {path} does not belong to the private key.", "Remove the file, or correct the paths.")
    return False


def _keys_in(content: bytes, path: str) -> tuple[PublicKey, ...]:
    text = content.decode("utf-8", "replace")
    if not text.strip():  # no text means WGE's own key to public_keys
        raise InvalidSettings(f"The file {path} is empty.", "Remove it; it is written again.")
    return public_keys([text])


def _check_no_orphan(path: str, public_path: str) -> None:
    if os.path.lexists(public_path) and not os.path.lexists(path):  # another process may have made both meanwhile
        raise InvalidSettings(
            f"There is a public key {public_path}, but no private key {path}.",
            "Bring the private key back, or remove the public one, which verifies what was issued so far.",
        )


def _warnings(path: str) -> list[str]:
    found = []
    if is_exposed(path):
        found.append(f"The private key {path} can be read by others than its owner; make its mode 0600.")
    if dies_with_the_job(path, os.environ):
        found.append(f"The private key {path} is in this job's private folder, which is removed when the job ends.")
    return found
