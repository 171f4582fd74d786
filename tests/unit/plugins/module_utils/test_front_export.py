# SPDX-License-Identifier: GPL-3.0-or-later
"""An export as a user sees it: what it makes, what it refuses in one sentence, and that nothing half is left."""

from __future__ import annotations

import base64
import errno
import json
import os
import stat
import sys
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from ansible_collections.weaveworks.wge.plugins.module_utils import _files, _packing
from ansible_collections.weaveworks.wge.plugins.module_utils._argspec import EXPORT_SPEC
from ansible_collections.weaveworks.wge.plugins.module_utils._engine.archive.reading import contents_of
from ansible_collections.weaveworks.wge.plugins.module_utils._errors import InvalidSettings, Rejected
from ansible_collections.weaveworks.wge.plugins.module_utils._front import Surroundings, call, session
from ansible_collections.weaveworks.wge.tests.unit.plugins.module_utils._engine.archive import pieces
from ansible_collections.weaveworks.wge.tests.unit.plugins.module_utils._engine.archive.pieces import CANARY, lived_in_with_secrets
from ansible_collections.weaveworks.wge.tests.unit.plugins.module_utils._engine.standin import UID
from ansible_collections.weaveworks.wge.tests.unit.plugins.module_utils._engine.standin_world import World

Ask = Callable[..., dict[str, Any]]


class ToyVault:
    """Hides what it is given; ``given`` is what the user was asked to name."""

    def __init__(self, problem: str = "") -> None:
        self.problem, self.given = problem, ""

    def writer(self, wanted: str) -> tuple[str, Callable[[bytes], bytes]]:
        self.given = wanted
        if self.problem:
            raise InvalidSettings(self.problem, "Give one.")
        return wanted or "only", pieces.encrypt

    def decrypt(self, content: bytes) -> bytes:
        return pieces.decrypt(content)


@pytest.fixture
def world(tmp_path: Path) -> World:
    return lived_in_with_secrets(tmp_path)


@pytest.fixture
def vault() -> ToyVault:
    return ToyVault()


@pytest.fixture
def export(monkeypatch: pytest.MonkeyPatch, world: World, vault: ToyVault, tmp_path: Path) -> Ask:
    monkeypatch.setattr(session, "connection_from", lambda _params, _environment: SimpleNamespace(server="https://api"))
    monkeypatch.setattr(session, "KubeCluster", lambda _connection, **_more: world.cluster)
    monkeypatch.setattr(session, "SystemClock", lambda: world.clock)

    def ask(*, check: bool = False, on_controller: bool = True, **given: Any) -> dict[str, Any]:
        params = {name: given.get(name, option.get("default")) for name, option in EXPORT_SPEC.items()}
        params["archive_dir"] = given.get("archive_dir", str(tmp_path / "archives"))
        around = Surroundings(lambda: world.stop, lambda _event: None, check, controller=True, vault=vault if on_controller else None)
        return call("export", params, around)

    return ask


def left(tmp_path: Path) -> list[str]:
    return sorted(path.name for path in (tmp_path / "archives").iterdir()) if (tmp_path / "archives").exists() else []


@pytest.mark.parametrize("form", ["folder", "tar.gz"])
def test_it_makes_an_archive_that_can_be_read(export: Ask, world: World, form: str) -> None:
    found = export(format=form, vault_id="prod")
    assert (found["changed"], found["verdict"], found["vault_id"], found["copied"]) == (True, "exported", "prod", False)
    assert Path(found["path"]).name.removesuffix(".tar.gz") == f"{UID}-{found['run']}"
    files = _packing.opened(found["path"])
    contents = contents_of(files, pieces.decrypt)
    assert len(contents.entries) == found["compared"] == found["tried"] == sum(found["objects"].values())
    assert contents.manifest["digest"] == found["digest"]
    assert world.cluster.count("create", "patch", "delete") == 0
    assert found["api"]["dry_runs"] == found["tried"]
    assert "warnings" in found
    assert not found["warnings"]


def test_no_byte_of_a_secret_is_in_the_result_or_outside_the_vault(export: Ask) -> None:
    found = export()
    assert CANARY not in json.dumps(found)
    files = _packing.opened(found["path"])
    raw = b"".join(files.read(name, 10**9) for name in files.names())
    for form in (CANARY.encode(), base64.b64encode(CANARY.encode())):
        assert form not in raw


def test_in_check_mode_it_reads_and_makes_nothing(export: Ask, tmp_path: Path) -> None:
    found = export(check=True)
    assert (found["changed"], found["verdict"], found["path"]) == (True, "planned", "")
    assert found["objects"]["Service"] == 3
    assert not left(tmp_path)


def test_without_a_vault_secret_it_stops_before_the_cluster_is_asked(export: Ask, world: World, vault: ToyVault, tmp_path: Path) -> None:
    vault.problem = "There is no vault secret."
    found = export()
    assert (found["failed"], found["changed"], found["verdict"], found["message"]) == (True, False, "blocked", "There is no vault secret.")
    assert not world.cluster.requests
    assert not left(tmp_path)


def test_hashes_alone_need_no_vault_secret_and_warn(export: Ask, vault: ToyVault) -> None:
    vault.problem = "There is no vault secret."
    found = export(secrets="hashes_only")
    assert found["verdict"] == "exported"
    assert any("holds hashes of Secrets only: they cannot be restored from it" in text for text in found["warnings"])
    assert not list(Path(found["path"]).rglob("secrets/*"))


def test_where_there_is_no_vault_it_says_so(export: Ask) -> None:
    assert export(on_controller=False)["message"] == "The vault's secrets are on the controller only."


def test_an_object_that_could_not_be_applied_again_leaves_no_archive(export: Ask, world: World, tmp_path: Path) -> None:
    def refuse(verb: str, path: str) -> None:
        if verb == "dry-run" and path.endswith("/deployments"):
            raise Rejected("spec is wrong.")

    world.cluster.before = refuse
    found = export()
    assert "could not be applied again, so the archive was not kept: spec is wrong." in found["message"]
    assert not left(tmp_path)
    assert export(dry_run=False)["verdict"] == "exported"


@pytest.mark.parametrize("form", ["folder", "tar.gz"])
def test_a_disk_that_reads_back_something_else_leaves_no_archive(
    export: Ask, tmp_path: Path, form: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    read = {"folder": _packing.FolderFiles.read, "tar.gz": _packing.TarFiles.read}[form]
    holder = {"folder": _packing.FolderFiles, "tar.gz": _packing.TarFiles}[form]
    monkeypatch.setattr(holder, "read", lambda self, name, limit: read(self, name, limit)[:-1])
    assert export(format=form)["failed"]
    assert not left(tmp_path)


@pytest.mark.parametrize(
    ("number", "sentence"),
    [(errno.ENOSPC, "No space left on device"), (errno.EROFS, "Read-only file system"), (errno.EACCES, "Permission denied")],
)
def test_a_disk_that_does_not_take_it_is_named_and_nothing_half_is_left(
    export: Ask, tmp_path: Path, number: int, sentence: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    written: list[str] = []

    def fail(path: str, content: bytes, mode: int = _files.PRIVATE) -> None:
        written.append(path)
        if len(written) == 4:
            raise OSError(number, os.strerror(number))
        _files.write_whole(path, content, mode)

    monkeypatch.setattr(_packing, "write_whole", fail)
    found = export()
    assert found["verdict"] == "blocked"
    assert f"cannot be written: {sentence}" in found["message"]
    assert found["next_step"]
    assert not left(tmp_path)


def test_somebody_who_stops_it_finds_nothing_half(export: Ask, world: World, tmp_path: Path) -> None:
    def stop(verb: str, _path: str) -> None:
        world.stop = "signal" if verb == "dry-run" else ""

    world.cluster.before = stop
    found = export()
    assert found["message"] == "Stopped on request (signal); no archive was made."
    assert not left(tmp_path)


def test_a_command_confirms_a_copy(export: Ask, tmp_path: Path) -> None:
    words = [sys.executable, "-c", "import shutil, sys; shutil.copytree(sys.argv[1], sys.argv[2])", "{path}", str(tmp_path / "copy")]
    found = export(copy_command=words)
    assert found["copied"] is True
    assert contents_of(_packing.opened(str(tmp_path / "copy")), pieces.decrypt).manifest["digest"] == found["digest"]


def test_a_command_that_fails_fails_the_export_and_the_archive_stays(export: Ask, tmp_path: Path) -> None:
    found = export(copy_command=["false"])
    assert found["failed"]
    (name,) = left(tmp_path)
    assert found["message"] == "copy_command 'false' ended with 1: it said nothing."
    assert name in found["next_step"]


def test_an_archive_that_goes_with_the_job_is_warned_of(export: Ask, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWX_ISOLATED_DATA_DIR", str(tmp_path / "artifacts" / "7"))
    assert any("goes with the job; give a copy_command" in text for text in export()["warnings"])
    assert not export(copy_command=["true"])["warnings"]


def test_the_archive_is_for_its_owner_alone(export: Ask) -> None:
    path = Path(export()["path"])
    modes = {stat.S_IMODE(one.stat().st_mode) for one in [path, *path.rglob("*")]}
    assert modes == {0o700, 0o600}
