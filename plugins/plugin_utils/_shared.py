# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
"""A small mapping that all workers of one run share. PRIVATE: can change at any time.

Ansible loads an action plugin in the parent before it forks, and each worker lives for one task. What one worker found
out for all (the facts of a rendered chart) lies in memory without a name: there is no file to leave behind, and it goes
with the last process. Never put a Secret's content here.

The memory begins with the number of bytes used; then come records of two lengths, key and value. A record is written
before the number grows, so a worker killed in between leaves the mapping as it was.
"""

from __future__ import annotations

import fcntl
import mmap
import os
import struct
import threading
from collections.abc import Iterator, MutableMapping
from contextlib import contextmanager

SIZE = 8 * 1024 * 1024
_USED = struct.Struct("=Q")
_LENGTHS = struct.Struct("=Iq")
_DELETED = -1


class SharedMapping(MutableMapping[str, bytes]):
    """A bounded mapping over shared memory. A value that does not fit any more is not kept: it is a cache."""

    def __init__(self, size: int = SIZE) -> None:
        self._file = os.memfd_create("wge-shared")
        os.ftruncate(self._file, size)  # sparse: costs what is written
        self._memory = mmap.mmap(self._file, size)
        self._threads = threading.Lock()

    def __getitem__(self, key: str) -> bytes:
        return self._entries()[key]

    def __setitem__(self, key: str, value: bytes) -> None:
        self._append(key, value, len(value))

    def __delitem__(self, key: str) -> None:
        if key not in self:
            raise KeyError(key)
        self._append(key, b"", _DELETED)

    def __iter__(self) -> Iterator[str]:
        return iter(self._entries())

    def __len__(self) -> int:
        return len(self._entries())

    def close(self) -> None:
        """Give the memory back; the mapping cannot be used any more."""
        self._memory.close()
        os.close(self._file)

    def _append(self, key: str, value: bytes, length: int) -> None:
        name = key.encode()
        with self._locked():
            start = self._end()
            record = _LENGTHS.pack(len(name), length) + name + value
            if start + len(record) > len(self._memory):
                return
            self._memory[start : start + len(record)] = record
            _USED.pack_into(self._memory, 0, start + len(record))

    def _entries(self) -> dict[str, bytes]:
        entries: dict[str, bytes] = {}
        with self._locked():
            at, end = _USED.size, self._end()
            while at < end:
                name_length, length = _LENGTHS.unpack_from(self._memory, at)
                at += _LENGTHS.size
                name = self._memory[at : at + name_length].decode()
                at += name_length
                entries.pop(name, None)
                if length != _DELETED:
                    entries[name] = self._memory[at : at + length]
                    at += length
        return entries

    def _end(self) -> int:
        (used,) = _USED.unpack_from(self._memory, 0)
        return max(int(used), _USED.size)

    @contextmanager
    def _locked(self) -> Iterator[None]:
        """Alone among processes and threads. A record lock belongs to a process (flock's is inherited by a fork) and
        goes with it; it does not keep threads apart."""
        with self._threads:
            fcntl.lockf(self._file, fcntl.LOCK_EX)
            try:
                yield
            finally:
                fcntl.lockf(self._file, fcntl.LOCK_UN)


def shared_mapping() -> MutableMapping[str, bytes]:
    """Shared memory where the system has it, else a mapping that each worker has for itself."""
    try:
        return SharedMapping()
    except (AttributeError, OSError):
        return {}


CACHE = shared_mapping()
"""The mapping of this run; made when the plugin is loaded, which is before the first fork."""
