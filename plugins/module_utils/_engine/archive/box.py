# SPDX-License-Identifier: GPL-3.0-or-later
"""The objects of an archive while they are collected: each once, packed, so that thousands cost little memory. PRIVATE."""

from __future__ import annotations

import json
import zlib
from collections.abc import Iterator

from ..model import Object
from .served import Kind

_FAST = 1


def packed(item: Object) -> bytes:
    """An object in few bytes."""
    return zlib.compress(json.dumps(item, separators=(",", ":")).encode(), _FAST)


def unpacked(content: bytes) -> Object:
    """The object again."""
    item: Object = json.loads(zlib.decompress(content))
    return item


class Box:
    """Packed objects by kind and path. What comes twice counts once. ``core`` are the paths of what an upgrade touches."""

    def __init__(self) -> None:
        self.core: frozenset[str] = frozenset()
        self._kinds: dict[Kind, dict[str, bytes]] = {}

    def __len__(self) -> int:
        return sum(map(len, self._kinds.values()))

    def add(self, kind: Kind, item: Object) -> None:
        """Put an object in."""
        self._kinds.setdefault(kind, {})[kind.path_of(item)] = packed(item)

    def add_packed(self, kind: Kind, path: str, content: bytes) -> None:
        """Put one in that is packed already."""
        self._kinds.setdefault(kind, {})[path] = content

    def holds(self, kind: Kind, path: str) -> bool:
        """Whether an object is in it."""
        return path in self._kinds.get(kind, {})

    def all_paths(self) -> Iterator[str]:
        """The path of every object."""
        return (path for paths in self._kinds.values() for path in paths)

    def kinds(self) -> list[Kind]:
        """The kinds there are, always in one order."""
        return sorted(self._kinds, key=lambda kind: (kind.stem, kind.api_version))

    def objects(self, kind: Kind) -> Iterator[tuple[str, Object]]:
        """``(path, object)`` of one kind, by path."""
        for path in sorted(self._kinds.get(kind, {})):
            yield path, unpacked(self._kinds[kind][path])

    def paths(self, kind: Kind) -> list[str]:
        """The paths of one kind, sorted."""
        return sorted(self._kinds.get(kind, {}))
