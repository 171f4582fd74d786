# SPDX-License-Identifier: GPL-3.0-or-later
"""Where an archive lies: a folder, or one ``.tar.gz`` of it; whole or not at all. PRIVATE: can change at any time.

It is written under a temporary name beside its own, ends in ``.part``, and is renamed when all of it is on the disk and was proven.
Killed before that it leaves what nobody takes for an archive. Files are for their owner alone.
"""

from __future__ import annotations

import gzip
import io
import os
import shutil
import stat
import tarfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import IO

from ._engine.archive.making import Package
from ._engine.archive.manifest import DAMAGED
from ._engine.archive.model import Files
from ._errors import InvalidSettings
from ._files import PRIVATE, explained, settle, write_whole

SUFFIX = ".tar.gz"
PART = ".part"
_FOLDER_MODE = 0o700
_ANOTHER = "Give another place, or remove it."
_LONGEST = 2 * 1024**3


def package(path: str) -> Package:
    """A new archive at ``path``, a ``.tar.gz`` when it is called so. Raises InvalidSettings when that cannot be written."""
    path = os.path.abspath(path)
    with explained(path, "written"):
        if os.path.lexists(path):
            raise InvalidSettings(f"There is {path} already.", _ANOTHER)
        os.makedirs(os.path.dirname(path), mode=_FOLDER_MODE, exist_ok=True)
        return _Tar(path) if path.endswith(SUFFIX) else _Folder(path)


def opened(path: str) -> Files:
    """An archive that is there. Raises InvalidSettings."""
    path = os.path.abspath(path)
    if path.endswith(PART):
        raise InvalidSettings(f"{path} was not finished: it is no archive.", "Give the path of a finished export.")
    with explained(path, "read"):
        folder = stat.S_ISDIR(os.stat(path).st_mode)
    return FolderFiles(path) if folder else TarFiles(path)


class FolderFiles:
    """An archive in a folder."""

    def __init__(self, path: str) -> None:
        self._path = path

    def names(self) -> list[str]:
        """Every file below. Raises InvalidSettings for what is neither a file nor a folder."""
        found = []
        with explained(self._path, "read"):
            for folder, folders, files in os.walk(self._path, onerror=_raise):
                for name in [*folders, *files]:
                    full = os.path.join(folder, name)
                    mode = os.lstat(full).st_mode
                    if not stat.S_ISREG(mode) and not stat.S_ISDIR(mode):
                        raise InvalidSettings(f"The archive holds {full}, which is a link or a device.", "Take it out of the archive.")
                    found += [os.path.relpath(full, self._path)] if stat.S_ISREG(mode) else []
        return sorted(found)

    def read(self, name: str, limit: int) -> bytes:
        """One file. Raises InvalidSettings, also when a part of its name is a link."""
        full = os.path.join(self._path, *_parts(name))
        with explained(full, "read"):
            if os.path.realpath(full) != os.path.join(os.path.realpath(self._path), name):
                raise InvalidSettings(f"The archive's file {name} is behind a link.", "Take the link out of the archive.")
            handle = os.open(full, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC)
            with open(handle, "rb") as file:
                return _limited(name, file.read(limit + 1), limit)


class TarFiles:
    """An archive in one compressed file. Files are read in the order in which they lie there, else it is unpacked from its begin again."""

    def __init__(self, path: str) -> None:
        self._path = path
        self._members: dict[str, tarfile.TarInfo] = {}
        with self._readable():
            self._tar = tarfile.open(path, "r:gz")  # noqa: SIM115 - read from until this is let go
            for member in self._tar:
                self._note(member)

    def names(self) -> list[str]:
        """Every file."""
        return sorted(self._members)

    def read(self, name: str, limit: int) -> bytes:
        """One file. Raises InvalidSettings."""
        if name not in self._members:
            raise InvalidSettings(f"The archive has no file {name}.", DAMAGED)
        with self._readable():
            file = self._tar.extractfile(self._members[name])
            return _limited(name, file.read(limit + 1) if file else b"", limit)

    def _note(self, member: tarfile.TarInfo) -> None:
        name = member.name.removeprefix("./")
        if member.isdir():
            return
        if not member.isreg():
            raise InvalidSettings(f"The archive holds {member.name!r}, which is a link or a device.", DAMAGED)
        _parts(name)
        if name in self._members:
            raise InvalidSettings(f"The archive holds {name} twice.", DAMAGED)
        if member.offset_data + member.size > _LONGEST:
            raise InvalidSettings(f"The archive {self._path} unpacks to more than {_LONGEST} bytes.", "Use an archive that is a folder.")
        self._members[name] = member

    @contextmanager
    def _readable(self) -> Iterator[None]:
        with explained(self._path, "read"):
            try:
                yield
            except (tarfile.TarError, EOFError, zlib.error, gzip.BadGzipFile) as problem:
                raise InvalidSettings(f"The archive {self._path} is damaged or not whole ({type(problem).__name__}).", DAMAGED) from None


class _Folder:
    """Files below a folder that is renamed at the end."""

    def __init__(self, path: str) -> None:
        self.path = path
        self._partial = _partial(path)
        shutil.rmtree(self._partial, ignore_errors=True)
        os.mkdir(self._partial, _FOLDER_MODE)

    def add(self, name: str, content: bytes) -> None:
        """Put one file. Raises InvalidSettings."""
        *folders, file = _parts(name)
        place = self._partial
        with explained(os.path.join(self.path, name), "written"):
            for folder in folders:
                place = os.path.join(place, folder)
                with suppress(FileExistsError):
                    os.mkdir(place, _FOLDER_MODE)
            write_whole(os.path.join(place, file), content, PRIVATE)

    def files(self) -> Files:
        """What is there by now."""
        return FolderFiles(self._partial)

    def finish(self) -> None:
        """Rename. Raises InvalidSettings when the name was taken meanwhile."""
        with explained(self.path, "written"):
            if os.path.lexists(self.path):
                raise InvalidSettings(f"There is {self.path} already.", _ANOTHER)
            os.rename(self._partial, self.path)
            settle(self.path)

    def abandon(self) -> None:
        """Remove what was written."""
        shutil.rmtree(self._partial, ignore_errors=True)


class _Tar:
    """One compressed file that is renamed at the end."""

    def __init__(self, path: str) -> None:
        self.path = path
        self._partial = _partial(path)
        if os.path.lexists(self._partial):
            os.unlink(self._partial)
        handle = os.open(self._partial, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC | os.O_NOFOLLOW, PRIVATE)
        self._file: IO[bytes] = open(handle, "wb")  # noqa: SIM115 - closed in finish and abandon
        self._tar = tarfile.open(fileobj=self._file, mode="w:gz", compresslevel=6)  # noqa: SIM115

    def add(self, name: str, content: bytes) -> None:
        """Put one file. Raises InvalidSettings."""
        entry = tarfile.TarInfo("/".join(_parts(name)))
        entry.size, entry.mode = len(content), PRIVATE
        with explained(self.path, "written"):
            self._tar.addfile(entry, io.BytesIO(content))

    def files(self) -> Files:
        """All of it; nothing can be put any more."""
        with explained(self.path, "written"):
            self._close()
        return TarFiles(self._partial)

    def finish(self) -> None:
        """Rename. Raises InvalidSettings when the name was taken meanwhile."""
        with explained(self.path, "written"):
            self._close()
            if os.path.lexists(self.path):
                raise InvalidSettings(f"There is {self.path} already.", _ANOTHER)
            os.rename(self._partial, self.path)
            settle(self.path)

    def abandon(self) -> None:
        """Remove what was written."""
        with suppress(OSError):  # the disk is full, which is why we are here
            self._file.close()
        if os.path.lexists(self._partial):
            os.unlink(self._partial)

    def _close(self) -> None:
        if not self._file.closed:
            self._tar.close()
            self._file.flush()
            os.fsync(self._file.fileno())
            self._file.close()


def _partial(path: str) -> str:
    return f"{path}.{os.getpid()}{PART}"


def _parts(name: str) -> list[str]:
    """The parts of a name that stays inside. Raises InvalidSettings for another one."""
    parts = name.split("/")
    if name.startswith("/") or "\\" in name or "\0" in name or any(part in ("", ".", "..") for part in parts):
        raise InvalidSettings(f"The archive holds the name {name!r}, which leads out of it.", DAMAGED)
    return parts


def _limited(name: str, content: bytes, limit: int) -> bytes:
    if len(content) > limit:
        raise InvalidSettings(f"The archive's file {name} is longer than {limit} bytes.", DAMAGED)
    return content


def _raise(problem: OSError) -> None:
    raise problem
