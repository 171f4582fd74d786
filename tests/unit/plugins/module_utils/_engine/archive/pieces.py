# SPDX-License-Identifier: GPL-3.0-or-later
"""A small archive in memory, a vault that is none but hides what it is given, and a cluster with secrets to look for."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ansible_collections.weaveworks.wge.plugins.module_utils._engine.archive.box import Box
from ansible_collections.weaveworks.wge.plugins.module_utils._engine.archive.manifest import About, digest_of, member_of, text_of
from ansible_collections.weaveworks.wge.plugins.module_utils._engine.archive.members import Writer
from ansible_collections.weaveworks.wge.plugins.module_utils._engine.archive.model import Cipher
from ansible_collections.weaveworks.wge.plugins.module_utils._engine.archive.scope import EVERYTHING, Collector
from ansible_collections.weaveworks.wge.plugins.module_utils._engine.archive.served import Kind
from ansible_collections.weaveworks.wge.plugins.module_utils._engine.archive.texts import text_of as yaml_of
from ansible_collections.weaveworks.wge.plugins.module_utils._engine.model import Object
from ansible_collections.weaveworks.wge.plugins.module_utils._errors import InvalidSettings
from ansible_collections.weaveworks.wge.tests.unit.plugins.module_utils._engine.standin import UID
from ansible_collections.weaveworks.wge.tests.unit.plugins.module_utils._engine.standin_products import secret
from ansible_collections.weaveworks.wge.tests.unit.plugins.module_utils._engine.standin_runs import lived_in
from ansible_collections.weaveworks.wge.tests.unit.plugins.module_utils._engine.standin_world import World

CANARY = "c4n4ry-that-nobody-may-ever-see"
ABOUT = About(UID, "v1.33.13", "flux-system", "ww-gitops", "20261123-101500-5f3a1c", "2026-11-23T10:15:00+00:00", EVERYTHING)
SECRET = Kind("v1", "Secret", "secrets", True)
CONFIG_MAP = Kind("v1", "ConfigMap", "configmaps", True)
_MARK = b"hidden:"


def encrypt(content: bytes) -> bytes:
    """Each bit turned over: it can be turned back, and nothing of it can be read."""
    return _MARK + base64.b64encode(bytes(255 - byte for byte in content))


def decrypt(content: bytes) -> bytes:
    """What was encrypted."""
    if not content.startswith(_MARK):
        raise InvalidSettings("This does not open.")
    return bytes(255 - byte for byte in base64.b64decode(content[len(_MARK) :]))


@dataclass
class Memory:
    """An archive being written, and what was written."""

    path: str = "nowhere"
    kept: dict[str, bytes] = field(default_factory=dict)

    def add(self, name: str, content: bytes) -> None:
        assert name not in self.kept
        self.kept[name] = content


def lived_in_with_secrets(folder: Path) -> World:
    """A WG whose Secrets all hold the canary."""
    world = lived_in(folder)
    for name in ("cluster-user-auth", "oidc-auth"):
        world.cluster.put(secret(name, {"username": "admin", "password": CANARY, "issuerURL": f"https://{CANARY}"}))
    return world


def thing(kind: Kind, name: str, **content: Any) -> Object:
    """An object of a kind."""
    return {
        "apiVersion": kind.api_version,
        "kind": kind.kind,
        "metadata": {"name": name, "namespace": "apps", "uid": f"u-{name}"},
        **content,
    }


def small_box(*more: Object) -> Box:
    """Two Secrets and a ConfigMap."""
    box = Box()
    box.add(CONFIG_MAP, thing(CONFIG_MAP, "settings", data={"a": "1"}))
    for name in ("one", "two"):
        box.add(SECRET, thing(SECRET, name, data={"password": base64.b64encode(CANARY.encode()).decode()}, type="Opaque"))
    for item in more:
        box.add(CONFIG_MAP, item)
    return box


def written(box: Box, cipher: Cipher | None = encrypt) -> dict[str, bytes]:
    """The files of a box's archive."""
    memory = Memory()
    Writer(memory, cipher).write(box, ABOUT, "prod", {"values": {"password": CANARY}})
    return memory.kept


def collected(world: World, scope: str = EVERYTHING, routes: tuple[tuple[str, str], ...] = ()) -> Box:
    """What an export of this cluster collects."""
    now = world.look()
    world.cluster.requests.clear()
    return Collector(world.cluster, now.snapshot, routes).collect(scope)


def resealed(files: dict[str, bytes], change: Callable[[Object], None], **replaced: bytes) -> dict[str, bytes]:
    """An archive changed by somebody who has the vault secret: manifest, digest and seal fit again."""
    kept = {**files, **{name.replace("__", "/") + ".yaml": content for name, content in replaced.items()}}
    manifest = json.loads(kept["manifest.json"])
    manifest["members"] = [vars_of(row["path"], kept.get(row["path"], b"")) for row in manifest["members"]]
    change(manifest)
    kept["secrets/seal.yaml"] = encrypt(yaml_of({"digest": digest_of(manifest)}))
    for row in manifest["members"]:
        if row["path"] == "secrets/seal.yaml":
            row.update(vars_of(row["path"], kept["secrets/seal.yaml"]))
    kept["manifest.json"] = text_of({**manifest, "digest": digest_of(manifest)})
    return kept


def vars_of(path: str, content: bytes) -> Object:
    """A row of the manifest."""
    member = member_of(path, content)
    return {"path": member.path, "sha256": member.sha256, "bytes": member.bytes}
