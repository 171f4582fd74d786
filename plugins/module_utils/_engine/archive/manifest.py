# SPDX-License-Identifier: GPL-3.0-or-later
"""The manifest of an archive: what it is of, its members and their hashes; written last, and read first. PRIVATE.

It is one canonical JSON text with a digest of itself, so that no byte of it can change unseen. Where there is a vault, the same
digest lies in a vault member too (the seal): who has no vault secret cannot write another manifest that is believed.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ..._errors import InvalidSettings
from ..model import Object
from ..names import TOOL
from .model import HASHES_ONLY, MANIFEST, MEMBER_NAME, SCHEMA, SEAL, SECRETS, VAULT
from .served import Kind

DAMAGED = "Take another copy of the archive, or make a new one."
_SHAPE: Mapping[str, type] = {
    "tool_version": str,
    "made": str,
    "cluster": dict,
    "namespace": str,
    "run": str,
    "release": str,
    "secrets": str,
    "vault_id": str,
    "members": list,
    "kinds": list,
    "digest": str,
}


@dataclass(frozen=True, slots=True)
class About:
    """What an archive is of: ``scope`` says how much, ``made`` when."""

    cluster_uid: str
    cluster_version: str
    namespace: str
    release: str
    run: str
    made: str
    scope: str


@dataclass(frozen=True, slots=True)
class Member:
    """One file of an archive, as it is stored."""

    path: str
    sha256: str
    bytes: int


def member_of(path: str, content: bytes) -> Member:
    """The row of a file."""
    return Member(path, hashlib.sha256(content).hexdigest(), len(content))


def body_of(about: About, vault_id: str | None, counts: Mapping[Kind, int], more: Object) -> Object:
    """A manifest without members and digest; ``vault_id`` is None when the Secrets are left out."""
    return {
        "schema": SCHEMA,
        "tool_version": TOOL,
        "made": about.made,
        "cluster": {"uid": about.cluster_uid, "version": about.cluster_version},
        "namespace": about.namespace,
        "run": about.run,
        "release": about.release,
        "scope": about.scope,
        "secrets": HASHES_ONLY if vault_id is None else VAULT,
        "vault_id": vault_id or "",
        "kinds": [
            {"api_version": kind.api_version, "kind": kind.kind, "plural": kind.plural, "namespaced": kind.namespaced, "count": count}
            for kind, count in counts.items()
        ],
        **more,
    }


def finished(body: Object, members: Sequence[Member]) -> Object:
    """The manifest with its members and its digest."""
    rows = [{"path": member.path, "sha256": member.sha256, "bytes": member.bytes} for member in members]
    manifest = {**body, "members": rows}
    return {**manifest, "digest": digest_of(manifest)}


def digest_of(manifest: Mapping[str, Any]) -> str:
    """The digest of everything but the digest itself and the seal, which holds it."""
    counted = {key: value for key, value in manifest.items() if key != "digest"}
    counted["members"] = [row for row in manifest["members"] if row["path"] != SEAL]
    return hashlib.sha256(text_of(counted)).hexdigest()


def text_of(manifest: Mapping[str, Any]) -> bytes:
    """The one way in which a manifest is written."""
    return (json.dumps(manifest, indent=1, sort_keys=True, ensure_ascii=False) + "\n").encode()


def manifest_from(content: bytes) -> Object:
    """A manifest that holds what it should. Raises InvalidSettings."""
    try:
        manifest = json.loads(content)
    except (ValueError, RecursionError):
        raise InvalidSettings(f"The archive's {MANIFEST} is not JSON.", DAMAGED) from None
    if not isinstance(manifest, dict) or not isinstance(manifest.get("schema"), int):
        raise InvalidSettings(f"The archive's {MANIFEST} is not one of an archive.", "Give the folder or the file that an export made.")
    if manifest["schema"] != SCHEMA:
        raise InvalidSettings(
            f"The archive has schema {manifest['schema']}; this version reads schema {SCHEMA}.",
            "Use the version of weaveworks.wge that made it, or a newer one.",
        )
    _check_shape(manifest)
    if text_of(manifest) != content or digest_of(manifest) != manifest["digest"]:
        raise InvalidSettings(f"The archive's {MANIFEST} was changed after the export.", DAMAGED)
    return manifest


def members_of(manifest: Object) -> dict[str, Member]:
    """The members by their path."""
    return {row["path"]: Member(row["path"], row["sha256"], row["bytes"]) for row in manifest["members"]}


def kinds_of(manifest: Object) -> dict[tuple[str, str], Kind]:
    """The kinds by apiVersion and kind."""
    rows = [Kind(row["api_version"], row["kind"], row["plural"], row["namespaced"]) for row in manifest["kinds"]]
    return {(kind.api_version, kind.kind): kind for kind in rows}


def _check_shape(manifest: Object) -> None:
    wrong = [key for key, kind in _SHAPE.items() if not isinstance(manifest.get(key), kind)]
    if not wrong and manifest["secrets"] not in SECRETS:
        wrong = ["secrets"]
    if not wrong and not all(map(_is_member, manifest["members"])):
        wrong = ["members"]
    if not wrong and not all(map(_is_kind, manifest["kinds"])):
        wrong = ["kinds"]
    if wrong:
        raise InvalidSettings(f"The archive's {MANIFEST} has no valid {wrong[0]!r}.", DAMAGED)


def _is_member(row: Any) -> bool:
    """Whether this is a member with a name that stays inside."""
    if not isinstance(row, dict) or not isinstance(row.get("path"), str):
        return False
    if not MEMBER_NAME.match(row["path"]):
        raise InvalidSettings(f"The archive names a member {row['path']!r}, which no export makes.", DAMAGED)
    return isinstance(row.get("sha256"), str) and isinstance(row.get("bytes"), int)


def _is_kind(row: Any) -> bool:
    words = isinstance(row, dict) and all(isinstance(row.get(key), str) for key in ("api_version", "kind", "plural"))
    return bool(words and isinstance(row.get("namespaced"), bool) and isinstance(row.get("count"), int))
