# SPDX-License-Identifier: GPL-3.0-or-later
"""YAML files as people wrote them: cut into documents by lines, never written anew, so that comments and order stay. PRIVATE."""

from __future__ import annotations

import re
from dataclasses import dataclass

from ..._errors import InvalidSettings
from ..model import Object
from ..yamls import documents

_BETWEEN = re.compile(r"^---(?=\s|$)")


@dataclass(frozen=True, slots=True)
class Document:
    """One document of a file: its lines, and the object in it, None when it holds none or cannot be read (a template)."""

    text: str
    item: Object | None

    @property
    def is_encrypted(self) -> bool:
        """Whether SOPS wrote it: no byte of it may change."""
        return self.item is not None and "sops" in self.item


def cut(text: str) -> list[Document]:
    """The documents of a file; put together again they are the file."""
    parts: list[list[str]] = [[]]
    for line in text.splitlines(keepends=True):
        if _BETWEEN.match(line):
            parts.append([])
        parts[-1].append(line)
    return [Document("".join(lines), _object("".join(lines))) for lines in parts if lines]


def without(text: str, gone: Document) -> str:
    """The file without one document; empty when nothing that says anything is left."""
    kept = [part for part in cut(text) if part != gone]
    return "".join(part.text for part in kept) if any(part.item for part in kept) else ""


def is_it(item: Object | None, wanted: Object) -> bool:
    """Whether a document is the object that is meant: any version of its group, and the namespace may come from elsewhere."""
    if item is None or item.get("kind") != wanted["kind"] or _group(item) != _group(wanted):
        return False
    found, meant = item.get("metadata") or {}, wanted["metadata"]
    return bool(found.get("name") == meant.get("name") and found.get("namespace") in (None, "", meant.get("namespace")))


def with_line(text: str, old: str, new: str) -> str:
    """A list's file with the entry ``new`` behind ``old``."""
    found = re.compile(rf"^(\s*-\s+)(['\"]?)(?:\./)?{re.escape(old)}\2\s*(#.*)?$")
    lines: list[str] = []
    for line in text.splitlines(keepends=True):
        match = found.match(line.rstrip("\n"))
        lines += [f"{line.rstrip(chr(10))}\n", f"{match[1]}{new}\n"] if match else [line]
    return "".join(lines)


def without_line(text: str, old: str) -> str:
    """A list's file without the entry ``old``."""
    found = re.compile(rf"^\s*-\s+(['\"]?)(?:\./)?{re.escape(old)}\1\s*(#.*)?$")
    return "".join(line for line in text.splitlines(keepends=True) if not found.match(line.rstrip("\n")))


def _group(item: Object) -> str:
    return str(item.get("apiVersion") or "").rpartition("/")[0]


def _object(text: str) -> Object | None:
    try:
        found = documents(text)
    except InvalidSettings:
        return None
    return found[0] if found else None
