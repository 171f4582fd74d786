# SPDX-License-Identifier: GPL-3.0-or-later
"""An archive lies on the disk whole or not at all, for its owner alone, and nothing leads out of it."""

from __future__ import annotations

import errno
import io
import os
import stat
import tarfile
from pathlib import Path
from typing import Any

import pytest

from ansible_collections.weaveworks.wge.plugins.module_utils import _files, _packing
from ansible_collections.weaveworks.wge.plugins.module_utils._errors import InvalidSettings
from ansible_collections.weaveworks.wge.plugins.module_utils._packing import opened, package

FORMS = ("a", "a.tar.gz")


def filled(path: Path) -> Path:
    made = package(str(path))
    made.add("objects/read/Service.yaml", b"one")
    made.add("manifest.json", b"two")
    made.files()
    made.finish()
    made.abandon()
    return path


@pytest.mark.parametrize("form", FORMS)
def test_what_is_put_in_comes_out(tmp_path: Path, form: str) -> None:
    files = opened(str(filled(tmp_path / "deep" / form)))
    assert files.names() == ["manifest.json", "objects/read/Service.yaml"]
    assert files.read("objects/read/Service.yaml", 3) == b"one"
    assert files.read("manifest.json", 100) == b"two"


@pytest.mark.parametrize("form", FORMS)
def test_nobody_else_may_read_it(tmp_path: Path, form: str) -> None:
    filled(tmp_path / "archive" / form)
    for path in [tmp_path / "archive", *(tmp_path / "archive").rglob("*")]:
        assert stat.S_IMODE(path.stat().st_mode) == (0o700 if path.is_dir() else 0o600)


@pytest.mark.parametrize("form", FORMS)
def test_before_its_end_it_has_no_name_and_an_abandoned_one_leaves_nothing(tmp_path: Path, form: str) -> None:
    made = package(str(tmp_path / form))
    made.add("manifest.json", b"x")
    assert not (tmp_path / form).exists()
    made.abandon()
    made.abandon()
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("form", FORMS)
def test_what_a_killed_run_left_is_no_archive(tmp_path: Path, form: str) -> None:
    made = package(str(tmp_path / form))
    made.add("manifest.json", b"x")
    (left,) = tmp_path.iterdir()
    with pytest.raises(InvalidSettings, match="was not finished: it is no archive"):
        opened(str(left))
    filled(tmp_path / form)
    assert opened(str(tmp_path / form)).read("manifest.json", 9) == b"two"


@pytest.mark.parametrize("form", FORMS)
def test_one_that_is_there_is_not_replaced(tmp_path: Path, form: str) -> None:
    late = package(str(tmp_path / form))
    late.add("manifest.json", b"late")
    filled(tmp_path / form) if form != "a" else (tmp_path / form).mkdir()
    for call in (late.finish, lambda: package(str(tmp_path / form))):
        with pytest.raises(InvalidSettings, match=f"There is {tmp_path / form} already"):
            call()
    late.abandon()
    assert [path.name for path in tmp_path.iterdir()] == [form]


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("name", ["../x", "/x", "a/../../x", "a//b", "", "a\\b", "a/./b", "a\0b"])
def test_a_name_that_leads_out_is_refused(tmp_path: Path, form: str, name: str) -> None:
    made = package(str(tmp_path / form))
    with pytest.raises(InvalidSettings, match="which leads out of it"):
        made.add(name, b"x")
    made.abandon()


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize(
    ("number", "sentence"),
    [(errno.ENOSPC, "No space left on device"), (errno.EROFS, "Read-only file system"), (errno.EACCES, "Permission denied")],
)
def test_a_disk_that_does_not_take_it_is_named(
    tmp_path: Path, form: str, number: int, sentence: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = package(str(tmp_path / form))

    def fail(*_words: Any, **_more: Any) -> None:
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr(_packing, "write_whole", fail)
    monkeypatch.setattr(tarfile.TarFile, "addfile", fail)
    with pytest.raises(InvalidSettings, match=f"cannot be written: {sentence}") as caught:
        made.add("manifest.json", b"x")
    assert caught.value.next_step
    made.abandon()
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("form", FORMS)
def test_a_full_disk_at_the_end_is_named(tmp_path: Path, form: str, monkeypatch: pytest.MonkeyPatch) -> None:
    made = package(str(tmp_path / form))
    made.add("manifest.json", b"x")

    def fail(*_words: Any) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(os, "rename", fail)
    with pytest.raises(InvalidSettings, match="No space left on device"):
        made.finish()
    made.abandon()
    assert not list(tmp_path.iterdir())


def test_a_folder_that_cannot_be_made_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(InvalidSettings, match=r"cannot be written: .*(File exists|Not a directory)"):
        package(str(tmp_path / "file" / "a"))


@pytest.mark.parametrize("form", FORMS)
def test_an_archive_that_is_not_there_is_named(tmp_path: Path, form: str) -> None:
    with pytest.raises(InvalidSettings, match="cannot be read: No such file or directory"):
        opened(str(tmp_path / form))


@pytest.mark.parametrize("form", FORMS)
def test_a_file_that_is_missing_or_too_long_is_named(tmp_path: Path, form: str) -> None:
    files = opened(str(filled(tmp_path / form)))
    with pytest.raises(InvalidSettings, match=r"manifest\.json is longer than 2 bytes"):
        files.read("manifest.json", 2)
    with pytest.raises(InvalidSettings, match=r"has no file secrets/x|cannot be read: No such file"):
        files.read("secrets/x", 2)


def test_a_link_in_a_folder_is_refused(tmp_path: Path) -> None:
    path = filled(tmp_path / "a")
    (path / "objects" / "more").symlink_to("/etc")
    files = opened(str(path))
    with pytest.raises(InvalidSettings, match="which is a link or a device"):
        files.names()
    with pytest.raises(InvalidSettings, match="is behind a link"):
        files.read("objects/more/passwd", 9)


def test_a_pipe_in_a_folder_is_refused(tmp_path: Path) -> None:
    path = filled(tmp_path / "a")
    os.mkfifo(path / "pipe")
    with pytest.raises(InvalidSettings, match="which is a link or a device"):
        opened(str(path)).names()


def tarred(path: Path, *entries: tarfile.TarInfo) -> str:
    with tarfile.open(path, "w:gz") as tar:
        for entry in entries:
            tar.addfile(entry, io.BytesIO(b"x" * entry.size))
    return str(path)


def entry(name: str, kind: bytes = tarfile.REGTYPE, target: str = "", size: int = 0) -> tarfile.TarInfo:
    found = tarfile.TarInfo(name)
    found.type, found.linkname, found.size = kind, target, size
    return found


@pytest.mark.parametrize("kind", [tarfile.SYMTYPE, tarfile.LNKTYPE, tarfile.FIFOTYPE])
def test_a_link_or_a_device_in_a_file_is_refused(tmp_path: Path, kind: bytes) -> None:
    with pytest.raises(InvalidSettings, match="which is a link or a device"):
        opened(tarred(tmp_path / "a.tar.gz", entry("objects/x", kind, "/etc/passwd")))


@pytest.mark.parametrize("name", ["../x", "/etc/x", "a/../x"])
def test_a_name_in_a_file_that_leads_out_is_refused(tmp_path: Path, name: str) -> None:
    with pytest.raises(InvalidSettings, match="which leads out of it"):
        opened(tarred(tmp_path / "a.tar.gz", entry(name)))


def test_a_file_that_holds_a_name_twice_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InvalidSettings, match=r"holds manifest\.json twice"):
        opened(tarred(tmp_path / "a.tar.gz", entry("manifest.json"), entry("./manifest.json")))


def test_one_that_unpacks_to_far_too_much_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_packing, "_LONGEST", 4096)
    with pytest.raises(InvalidSettings, match="unpacks to more than 4096 bytes"):
        opened(tarred(tmp_path / "a.tar.gz", entry("manifest.json", size=5000)))


@pytest.mark.parametrize("content", [b"", b"nothing of the kind", b"\x1f\x8b"])
def test_what_is_no_compressed_file_is_refused(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "a.tar.gz"
    path.write_bytes(content)
    with pytest.raises(InvalidSettings, match="is damaged or not whole"):
        opened(str(path))


def test_a_file_that_was_cut_off_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "a.tar.gz"
    made = package(str(path))
    made.add("manifest.json", os.urandom(50_000))
    made.finish()
    for length in (20, 30_000, path.stat().st_size - 5):
        path.write_bytes(path.read_bytes()[:length])
        with pytest.raises(InvalidSettings, match="is damaged or not whole"):
            opened(str(path)).read("manifest.json", 50_000)


def test_a_folder_made_by_unpacking_the_file_is_the_same_archive(tmp_path: Path) -> None:
    with tarfile.open(filled(tmp_path / "a.tar.gz")) as tar:
        tar.extractall(tmp_path / "b", filter="data")
    assert opened(str(tmp_path / "b")).names() == opened(str(tmp_path / "a.tar.gz")).names()
    assert _files.PRIVATE == 0o600
