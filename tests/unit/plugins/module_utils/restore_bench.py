# SPDX-License-Identifier: GPL-3.0-or-later
"""The front of putting back with a stand-in cluster behind it, and an archive in a file."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from ansible.parsing.vault import VaultSecret

from ansible_collections.weaveworks.wge.plugins.module_utils import _packing
from ansible_collections.weaveworks.wge.plugins.module_utils._argspec import RESTORE_SPEC
from ansible_collections.weaveworks.wge.plugins.module_utils._engine.archive.box import Box
from ansible_collections.weaveworks.wge.plugins.module_utils._engine.archive.making import Keys, Trial, make
from ansible_collections.weaveworks.wge.plugins.module_utils._engine.archive.manifest import About, digest_of, text_of
from ansible_collections.weaveworks.wge.plugins.module_utils._engine.archive.model import MANIFEST
from ansible_collections.weaveworks.wge.plugins.module_utils._engine.archive.served import Served
from ansible_collections.weaveworks.wge.plugins.module_utils._front import Surroundings, call, session
from ansible_collections.weaveworks.wge.plugins.plugin_utils._vault import ControllerVault
from ansible_collections.weaveworks.wge.tests.unit.plugins.module_utils._engine.restore.archived import AT, Archived, is_kept, managed
from ansible_collections.weaveworks.wge.tests.unit.plugins.module_utils._engine.standin import UID
from ansible_collections.weaveworks.wge.tests.unit.plugins.module_utils._engine.standin_products import NAMESPACE, RELEASE, secret

CANARY = "canary-5e7c1f"
ENCODED = base64.b64encode(CANARY.encode()).decode()
APPLIED = "kubectl.kubernetes.io/last-applied-configuration"
LOGIN = f"/api/v1/namespaces/{NAMESPACE}/secrets/login"
SEALED = "secrets/read-0001.yaml"
Ask = Callable[..., dict[str, Any]]


def vault(password: str) -> ControllerVault:
    """Ansible's own, with one secret."""
    return ControllerVault(SimpleNamespace(_vault=SimpleNamespace(secrets=[("prod", VaultSecret(password.encode()))])))


class Bench(Archived):
    """A cluster, its archive in a file, and the module's front."""

    def __init__(self, folder: Path) -> None:
        super().__init__()
        self.folder = folder
        item = secret("login", {"password": CANARY})
        item["metadata"]["annotations"] = {APPLIED: json.dumps({"stringData": {"password": CANARY}})}
        item["metadata"]["managedFields"] = [managed("helm", "data")]
        self.cluster.put(item)
        self.archive()
        self.path = self.write("archive")

    def write(self, name: str, *, uid: str = UID, hashes_only: bool = False) -> Path:
        """Archive all that is there now."""
        box, served, library = Box(), Served(self.cluster), vault("right")
        for item in filter(is_kept, self.cluster.objects.values()):
            kind = served.kind(item["apiVersion"], item["kind"])
            assert kind
            box.add(kind, item)
        keys = Keys("prod", None if hashes_only else library.writer("")[1], library.decrypt)
        about = About(uid, "v1.33.13", NAMESPACE, RELEASE, "r1", AT, "everything")
        made = make(box, about, {}, _packing.package(str(self.folder / name)), keys, Trial(None), lambda: None)
        self.cluster.requests.clear()
        return Path(made.path)

    def redo(self, **changes: Any) -> None:
        """Another manifest, with its own digest right."""
        manifest = {**json.loads((self.path / MANIFEST).read_text()), **changes}
        (self.path / MANIFEST).write_bytes(text_of({**manifest, "digest": digest_of(manifest)}))


def asking(monkeypatch: pytest.MonkeyPatch, bench: Bench) -> Ask:
    """Asks to restore with options by name; ``check`` and ``diff`` are Ansible's modes."""
    monkeypatch.setattr(session, "connection_from", lambda _params, _environment: SimpleNamespace(server="https://api"))
    monkeypatch.setattr(session, "KubeCluster", lambda _connection, **_more: bench.cluster)
    monkeypatch.setattr(session.Session, "tools", property(lambda _self: bench.world.tools))

    def ask(*, check: bool = False, diff: bool = False, password: str = "right", controller: bool = True, **given: Any) -> dict[str, Any]:
        params = {name: given.get(name, option.get("default")) for name, option in RESTORE_SPEC.items()}
        params["archive"] = str(given.get("archive", bench.path))
        known = vault(password) if controller else None
        return call("restore", params, Surroundings(lambda: "", lambda _e: None, check_mode=check, diff=diff, vault=known))

    return ask


def untouched(bench: Bench) -> bool:
    return bench.cluster.requests == []
