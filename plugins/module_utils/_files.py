# SPDX-License-Identifier: GPL-3.0-or-later
"""Files that hold secrets, or that several processes write: private, and whole or not at all. PRIVATE: can change at any time.

A file is written under a temporary name beside it, with mode 0600, put on the disk, and renamed. Killed before the rename it leaves
a file ``….part``, which counts for nothing.

A file that several processes append to is locked with ``flock``, which the system takes back from a process that dies. The lock is
on the file itself, so there is nothing else to clean up. On one machine only: a network file system may not pass locks on.
"""

from __future__ import annotations

import errno
import fcntl
import os
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass

from ._errors import InvalidSettings

PRIVATE, PUBLIC = 0o600, 0o644
LOCK_SECONDS = 60.0
_LOOK_SECONDS = 0.05
_JOB_FOLDER = "AWX_ISOLATED_DATA_DIR"
_ADVICE = {
    errno.EACCES: "Give a place that this user may use, or correct the permissions.",
    errno.EPERM: "Give a place that this user may use, or correct the permissions.",
    errno.ENOENT: "Correct the path.",
    errno.ENOTDIR: "Correct the path: a part of it is a file.",
    errno.EISDIR: "Give the path of a file; this is a folder.",
    errno.ENOSPC: "Make room on this disk.",
    errno.EROFS: "Give a place that can be written.",
}


def write_whole(path: str, content: bytes, mode: int = PRIVATE) -> None:
    """Write a file whole or not at all; a missing folder is made, for its owner only. Raises OSError."""
    partial = _partial(path, content, mode)
    try:
        os.replace(partial, path)
    except OSError:
        os.unlink(partial)
        raise
    settle(path)


def write_private(path: str, content: bytes, mode: int = PRIVATE) -> None:
    """As ``write_whole``. Raises InvalidSettings with a sentence."""
    with explained(path, "written"):
        write_whole(path, content, mode)


def write_new(path: str, content: bytes) -> bool:
    """As ``write_private``, but False, and nothing written, when the file exists by now. Raises InvalidSettings."""
    with explained(path, "written"):
        partial = _partial(path, content, PRIVATE)
        try:
            os.link(partial, path)  # a rename would replace
        except FileExistsError:
            return False
        finally:
            os.unlink(partial)
        settle(path)
    return True


def read_limited(path: str, limit: int) -> bytes:
    """The content of a file of at most ``limit`` bytes. Raises InvalidSettings."""
    with explained(path, "read"), open(path, "rb") as file:
        content = file.read(limit + 1)
    if len(content) > limit:
        raise InvalidSettings(f"The file {path} is longer than {limit} bytes.", "Give another file.")
    return content


def read_if_there(path: str, limit: int) -> bytes | None:
    """As ``read_limited``, None when there is no file."""
    return read_limited(path, limit) if os.path.lexists(path) else None


def is_exposed(path: str) -> bool:
    """Whether others than its owner may read a file."""
    try:
        return bool(os.stat(path).st_mode & 0o077)
    except OSError:
        return False


@dataclass
class Locked:
    """A file that nobody else changes while we hold its lock."""

    path: str
    _handle: int

    def read(self, limit: int) -> bytes:
        """All of it. Raises InvalidSettings when it is longer."""
        with explained(self.path, "read"):
            content = os.pread(self._handle, limit + 1, 0)
        if len(content) > limit:
            raise InvalidSettings(f"The file {self.path} is longer than {limit} bytes.", "Begin another one.")
        return content

    def append(self, content: bytes, kept: int) -> None:
        """Put ``content`` after the first ``kept`` bytes, on the disk before this returns. What cannot be written whole is taken back."""
        with explained(self.path, "written"):
            os.ftruncate(self._handle, kept)
            try:
                written = os.pwrite(self._handle, content, kept)
                if written < len(content):
                    raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
            except OSError:
                os.ftruncate(self._handle, kept)
                raise
            os.fsync(self._handle)
            settle(self.path)


@contextmanager
def locked(path: str, wait_seconds: float = LOCK_SECONDS) -> Iterator[Locked]:
    """Hold the lock of a file, which is made when it is missing. Raises InvalidSettings, also when others hold it all that time."""
    handle = _open_locked(path, time.monotonic() + wait_seconds, wait_seconds)
    try:
        yield Locked(path, handle)
    finally:
        os.close(handle)


def dies_with_the_job(path: str, environment: Mapping[str, str]) -> bool:
    """Whether a path is below the private folder of an ansible-runner or AWX job, which is removed when the job ends."""
    artifacts = environment.get(_JOB_FOLDER, "")
    if not artifacts:
        return False
    folder = os.path.realpath(artifacts)
    parent = os.path.dirname(folder)
    private = os.path.dirname(parent) if os.path.basename(parent) == "artifacts" else folder
    real = os.path.realpath(path)
    return private != os.sep and os.path.commonpath([real, private]) == private


def _open_locked(path: str, deadline: float, wait_seconds: float) -> int:
    while True:
        with explained(path, "locked"):
            _make_folder(path)
            handle = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, PRIVATE)
            try:
                if _locks(handle) and _is_still(path, handle):
                    return handle
            except OSError:
                os.close(handle)
                raise
            os.close(handle)
        if time.monotonic() > deadline:
            raise InvalidSettings(
                f"The file {path} has been locked by another process for {wait_seconds:g} s.",
                "Wait for the other run to end, or see which process holds it: fuser -v on the file.",
            )
        time.sleep(_LOOK_SECONDS)


def _locks(handle: int) -> bool:
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _is_still(path: str, handle: int) -> bool:
    """Whether the name still leads to what was opened; an editor may have put another file in its place meanwhile."""
    try:
        return os.path.samestat(os.stat(path), os.fstat(handle))
    except FileNotFoundError:
        return False


def _partial(path: str, content: bytes, mode: int) -> str:
    """The content under a temporary name, on the disk."""
    _make_folder(path)
    partial = f"{path}.{os.getpid()}.part"
    handle = os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC | os.O_NOFOLLOW, PRIVATE)
    try:
        with open(handle, "wb") as file:
            os.fchmod(handle, mode)  # one that was left behind keeps its own mode otherwise
            file.write(content)
            file.flush()
            os.fsync(handle)
    except OSError:
        os.unlink(partial)
        raise
    return partial


def _make_folder(path: str) -> None:
    os.makedirs(os.path.dirname(os.path.abspath(path)), mode=0o700, exist_ok=True)


def settle(path: str) -> None:
    """Put the name on the disk too."""
    folder = os.open(os.path.dirname(os.path.abspath(path)), os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)


@contextmanager
def explained(path: str, what: str) -> Iterator[None]:
    """An OSError as a sentence about the file."""
    try:
        yield
    except OSError as problem:
        reason = problem.strerror or "the system gives no reason"
        advice = _ADVICE.get(problem.errno or 0, "Correct the path, its permissions or the disk.")
        raise InvalidSettings(f"The file {path} cannot be {what}: {reason}.", advice) from problem
    except ValueError:  # a NUL byte in a path
        raise InvalidSettings("A path holds a NUL byte.", "Correct the path.") from None
