# SPDX-License-Identifier: GPL-3.0-or-later
"""Files that hold secrets, on a real disk: private, whole or not at all, and one writer at a time."""

from __future__ import annotations

import os
import resource
import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from ansible_collections.weaveworks.wge.plugins.module_utils import _files
from ansible_collections.weaveworks.wge.plugins.module_utils._errors import InvalidSettings

OLD = b"what was there before"


def mode(path: Path) -> int:
    return path.stat().st_mode & 0o777


def refusal(function: Callable[[], object]) -> str:
    with pytest.raises(InvalidSettings) as problem:
        function()
    assert problem.value.next_step
    return problem.value.what


@contextmanager
def small_disk(limit: int) -> Iterator[None]:
    """Files of this process cannot grow past ``limit`` bytes."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    handler = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (limit, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
        signal.signal(signal.SIGXFSZ, handler)


def test_a_file_is_for_its_owner_and_so_is_the_folder_that_is_made(tmp_path: Path) -> None:
    path = tmp_path / "new" / "x"
    _files.write_private(str(path), b"content")
    assert path.read_bytes() == b"content"
    assert (mode(path), mode(path.parent)) == (0o600, 0o700)


def test_a_file_that_others_could_read_becomes_private_with_the_first_byte(tmp_path: Path) -> None:
    path = tmp_path / "x"
    path.write_bytes(OLD)
    path.chmod(0o644)
    assert _files.is_exposed(str(path))
    _files.write_private(str(path), b"new")
    assert mode(path) == 0o600 and not _files.is_exposed(str(path))


def test_a_path_without_a_folder_is_below_the_current_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    _files.write_private("x", b"content")
    assert os.listdir(tmp_path) == ["x"]


def test_on_a_full_disk_the_old_content_stays_and_nothing_else(tmp_path: Path) -> None:
    path = tmp_path / "x"
    path.write_bytes(OLD)
    with small_disk(1000):
        said = refusal(lambda: _files.write_private(str(path), b"n" * 5000))
    assert said == f"The file {path} cannot be written: File too large."
    assert path.read_bytes() == OLD
    assert os.listdir(tmp_path) == ["x"]


def test_a_new_file_never_replaces_one(tmp_path: Path) -> None:
    path = tmp_path / "x"
    assert _files.write_new(str(path), b"first")
    assert not _files.write_new(str(path), b"second")
    assert (path.read_bytes(), mode(path), os.listdir(tmp_path)) == (b"first", 0o600, ["x"])


def test_a_folder_a_file_on_the_way_and_a_missing_file_are_one_sentence_each(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"x")
    below, nowhere = tmp_path / "file" / "x", tmp_path / "nowhere"
    assert refusal(lambda: _files.write_private(str(tmp_path), b"")) == f"The file {tmp_path} cannot be written: Is a directory."
    assert refusal(lambda: _files.write_private(str(below), b"")).startswith(f"The file {below} cannot be written: ")
    assert refusal(lambda: _files.read_limited(str(nowhere), 9)) == f"The file {nowhere} cannot be read: No such file or directory."
    assert refusal(lambda: _files.read_limited(str(tmp_path), 9)) == f"The file {tmp_path} cannot be read: Is a directory."
    assert refusal(lambda: _files.read_limited("a\0b", 9)) == "A path holds a NUL byte."
    assert os.listdir(tmp_path.parent) == [tmp_path.name] or not list(tmp_path.parent.glob("*.part"))


def test_what_this_user_may_not_do_is_one_sentence(tmp_path: Path) -> None:
    folder, path = tmp_path / "closed", tmp_path / "closed" / "x"
    folder.mkdir(mode=0o500)
    user = os.geteuid()
    if user == 0:  # who may do everything
        os.seteuid(65534)
    try:
        said = refusal(lambda: _files.write_private(str(path), b""))
    finally:
        os.seteuid(user)
    assert said == f"The file {path} cannot be written: Permission denied."


def test_a_file_is_read_up_to_a_limit(tmp_path: Path) -> None:
    path = tmp_path / "x"
    path.write_bytes(b"12345")
    assert _files.read_limited(str(path), 5) == b"12345"
    assert refusal(lambda: _files.read_limited(str(path), 4)) == f"The file {path} is longer than 4 bytes."


def test_a_file_that_is_missing_is_none(tmp_path: Path) -> None:
    assert _files.read_if_there(str(tmp_path / "x"), 9) is None


def test_a_link_to_nowhere_is_not_a_missing_file(tmp_path: Path) -> None:
    (tmp_path / "x").symlink_to(tmp_path / "nowhere")
    assert "No such file" in refusal(lambda: _files.read_if_there(str(tmp_path / "x"), 9))


def test_what_is_appended_replaces_what_was_not_kept(tmp_path: Path) -> None:
    path = tmp_path / "new" / "x"
    with _files.locked(str(path)) as file:
        file.append(b"one\ntor", 0)
    with _files.locked(str(path)) as file:
        assert file.read(100) == b"one\ntor"
        file.append(b"two\n", 4)
    assert path.read_bytes() == b"one\ntwo\n"
    assert (mode(path), mode(path.parent)) == (0o600, 0o700)


def test_a_line_that_does_not_fit_is_taken_back(tmp_path: Path) -> None:
    path = tmp_path / "x"
    path.write_bytes(b"one\n")
    with small_disk(8), _files.locked(str(path)) as file:
        said = refusal(lambda: file.append(b"two and more\n", 4))
    assert said == f"The file {path} cannot be written: No space left on device."
    assert path.read_bytes() == b"one\n"


def test_a_locked_file_is_waited_for_and_then_it_is_said_who_is_to_be_looked_for(tmp_path: Path) -> None:
    path = tmp_path / "x"
    with _files.locked(str(path)):
        said = refusal(lambda: _files.locked(str(path), 0.2).__enter__())
    assert said == f"The file {path} has been locked by another process for 0.2 s."
    with _files.locked(str(path), 0.2):
        pass


def test_the_lock_of_a_process_that_was_killed_is_free(tmp_path: Path) -> None:
    path, (ready, told) = tmp_path / "x", os.pipe()
    child = os.fork()
    if child == 0:
        with _files.locked(str(path)):
            os.write(told, b"x")
            signal.pause()
    os.read(ready, 1)
    os.kill(child, signal.SIGKILL)
    os.waitpid(child, 0)
    with _files.locked(str(path), 1):
        pass


def test_a_lock_on_a_file_that_was_put_aside_does_not_count(tmp_path: Path) -> None:
    path = tmp_path / "x"
    path.write_bytes(b"old")
    with _files.locked(str(path)):
        os.replace(path, tmp_path / "aside")
        path.write_bytes(b"new")
        with _files.locked(str(path), 1) as file:
            assert file.read(9) == b"new"


@pytest.mark.parametrize(
    ("path", "variable", "dies"),
    [
        ("private/project/ledger", "private/artifacts/7", True),
        ("private/artifacts/7/ledger", "private/artifacts/7", True),
        ("private", "private/artifacts/7", True),
        ("privately/ledger", "private/artifacts/7", False),
        ("elsewhere/ledger", "private/artifacts/7", False),
        ("private/project/../../elsewhere/ledger", "private/artifacts/7", False),
        ("link/ledger", "private/artifacts/7", True),
        ("data/ledger", "data", True),
        ("other/ledger", "data", False),
        ("private/ledger", "", False),
    ],
)
def test_what_is_below_a_job_s_private_folder_dies_with_it(tmp_path: Path, path: str, variable: str, dies: bool) -> None:
    (tmp_path / "link").symlink_to(tmp_path / "private" / "project")
    environment = {"AWX_ISOLATED_DATA_DIR": str(tmp_path / variable)} if variable else {}
    assert _files.dies_with_the_job(str(tmp_path / path), environment) is dies
