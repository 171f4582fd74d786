# SPDX-License-Identifier: GPL-3.0-or-later
"""Archives and wishes that are refused, each with one sentence, before anything is asked of the cluster."""

from __future__ import annotations

import io
import os
import tarfile
from pathlib import Path

import pytest

from ansible_collections.weaveworks.wge.plugins.module_utils._engine.archive.model import MANIFEST, SCHEMA
from ansible_collections.weaveworks.wge.plugins.plugin_utils._vault import ControllerVault
from ansible_collections.weaveworks.wge.tests.unit.plugins.module_utils._engine.standin import UID
from ansible_collections.weaveworks.wge.tests.unit.plugins.module_utils.restore_bench import SEALED, Ask, Bench, asking, untouched


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    return Bench(tmp_path)


@pytest.fixture
def restore(monkeypatch: pytest.MonkeyPatch, bench: Bench) -> Ask:
    return asking(monkeypatch, bench)


def test_an_archive_of_another_cluster(restore: Ask, bench: Bench) -> None:
    found = restore(archive=bench.write("other", uid="elsewhere"))
    assert found["message"] == f"The archive is of another cluster: its UID is elsewhere, that of this cluster is {UID}."
    assert "allow_other_cluster: true" in found["next_step"] and found["verdict"] == "blocked"


def test_another_cluster_than_the_one_that_was_named(restore: Ask) -> None:
    assert "This is another cluster" in restore(cluster_uid="prod")["message"]


def test_an_archive_of_a_newer_schema(restore: Ask, bench: Bench) -> None:
    bench.redo(schema=SCHEMA + 1)
    assert restore()["message"] == f"The archive has schema {SCHEMA + 1}; this version reads schema {SCHEMA}." and untouched(bench)


@pytest.mark.parametrize("name", [SEALED, "objects/clean/Service.yaml", MANIFEST])
def test_an_archive_with_one_byte_changed(restore: Ask, bench: Bench, name: str) -> None:
    content = bytearray((bench.path / name).read_bytes())
    place = len(content) // 2
    content[place] = content[place] ^ 1
    (bench.path / name).write_bytes(content)
    found = restore()
    assert found["message"].startswith("The archive's") and found["verdict"] == "blocked" and untouched(bench)


def test_a_manifest_that_was_made_to_fit(restore: Ask, bench: Bench) -> None:
    bench.redo(namespace="elsewhere")
    assert restore()["message"] == "The archive's manifest.json is not the one that its export sealed." and untouched(bench)


@pytest.mark.parametrize("name", [SEALED, "objects/clean/Service.yaml"])
def test_an_archive_with_a_member_missing(restore: Ask, bench: Bench, name: str) -> None:
    (bench.path / name).unlink()
    assert restore()["message"] == f"The archive's member {name} is missing." and untouched(bench)


def test_an_archive_that_was_not_finished(restore: Ask, bench: Bench) -> None:
    (bench.path / MANIFEST).unlink()
    assert restore()["message"].startswith("There is no manifest.json: this is not an archive") and untouched(bench)


def test_the_wrong_vault_password(restore: Ask, bench: Bench) -> None:
    found = restore(password="wrong")
    assert found["message"].startswith("A vault member of the archive does not open with the vault secrets that were given (prod).")
    assert "wrong" not in str(found) and untouched(bench)


def test_no_vault_password(restore: Ask, bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ControllerVault, "_secrets", lambda _self: [])
    assert restore()["message"] == "There is no vault secret to open the archive with." and untouched(bench)


def test_a_link_in_a_folder(restore: Ask, bench: Bench) -> None:
    member = bench.path / "objects/clean/Service.yaml"
    os.replace(member, bench.folder / "away")
    member.symlink_to(bench.folder / "away")
    assert "which is a link or a device" in restore()["message"] and untouched(bench)


@pytest.mark.parametrize(
    ("name", "words"),
    [("../evil", "which leads out of it"), ("/evil", "which leads out of it"), ("objects/../../evil", "which leads out of it")],
)
def test_a_name_that_leads_out_of_a_file(restore: Ask, bench: Bench, name: str, words: str) -> None:
    found = restore(archive=tar_with(bench, tarfile.TarInfo(name)))
    assert words in found["message"] and untouched(bench) and not (bench.folder.parent / "evil").exists()


def test_a_link_in_a_file(restore: Ask, bench: Bench) -> None:
    link = tarfile.TarInfo("objects/clean/Link.yaml")
    link.type, link.linkname = tarfile.SYMTYPE, "/etc/passwd"
    assert "which is a link or a device" in restore(archive=tar_with(bench, link))["message"] and untouched(bench)


def tar_with(bench: Bench, more: tarfile.TarInfo) -> Path:
    """The archive as one file, with one member more."""
    path = bench.folder / "crafted.tar.gz"
    with tarfile.open(path, "w:gz") as tar:
        tar.add(bench.path, arcname=".")
        tar.addfile(more, io.BytesIO(b""))
    return path


@pytest.mark.parametrize("share", [0.1, 0.5, 0.99])
def test_a_file_that_was_cut(restore: Ask, bench: Bench, share: float) -> None:
    path = bench.write("archive.tar.gz")
    content = path.read_bytes()
    path.write_bytes(content[: int(len(content) * share)])
    assert "is damaged or not whole" in restore(archive=path)["message"] and untouched(bench)


def test_an_archive_that_is_not_there(restore: Ask, bench: Bench) -> None:
    found = restore(archive=bench.folder / "nowhere")
    assert "cannot be read" in found["message"] and found["verdict"] == "blocked" and untouched(bench)


def test_it_is_the_controllers(restore: Ask, bench: Bench) -> None:
    found = restore(controller=False)
    assert found["message"] == "The vault's secrets are on the controller only." and untouched(bench)


def test_a_selection_that_fits_nothing(restore: Ask) -> None:
    assert restore(kinds=["Servise"])["message"] == "The archive holds no object of kind Servise."


def test_a_label_that_cannot_be_read(restore: Ask, bench: Bench) -> None:
    assert "cannot be read" in restore(label="a in (b)")["message"] and untouched(bench)
