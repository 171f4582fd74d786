# SPDX-License-Identifier: GPL-3.0-or-later
"""Who has changed an object since it was archived, told from the API server's own records (``managedFields``). PRIVATE.

Every write leaves its manager and time there, so an entry that the archived object did not have is somebody's later write. Our own
entries do not count, nor do those of controllers about a status. A field that was taken away leaves no entry: it is missing from
those of its former managers, and has not gone to us.
"""

from __future__ import annotations

from collections.abc import Iterator

from ..model import Object
from ..names import FIELD_MANAGER
from ..objects import metadata, uid_of

SOMEBODY = "somebody"


def changed_by(read: Object, live: Object) -> str:
    """Who changed an object after ``read``, as words; empty when nobody but us did."""
    if metadata(live).get("resourceVersion") == metadata(read).get("resourceVersion") and uid_of(live) == uid_of(read):
        return ""
    entries = _others(live)
    if uid_of(live) != uid_of(read):
        if _is_ours(live):  # a restore created it
            return _told(entries) if entries else ""
        return f"{_told(entries)}, who created it anew"
    before = {_write_of(entry) for entry in _others(read)}
    later = [entry for entry in entries if _write_of(entry) not in before]
    if later or _has_lost(read, live) or not _fields(live):
        return _told(later)
    return ""


def _others(item: Object) -> list[Object]:
    entries = metadata(item).get("managedFields") or []
    return [e for e in entries if e.get("manager") != FIELD_MANAGER and e.get("subresource") != "status"]


def _is_ours(item: Object) -> bool:
    return any(entry.get("manager") == FIELD_MANAGER for entry in metadata(item).get("managedFields") or [])


def _write_of(entry: Object) -> tuple[str, ...]:
    return tuple(str(entry.get(key)) for key in ("manager", "operation", "subresource", "time"))


def _has_lost(read: Object, live: Object) -> bool:
    """Whether a field is managed by nobody any more."""
    return bool(_fields(read) - _fields(live))


def _fields(item: Object) -> set[str]:
    entries = metadata(item).get("managedFields") or []
    return {path for entry in entries if entry.get("subresource") != "status" for path in _paths(entry.get("fieldsV1") or {}, "")}


def _paths(fields: Object, above: str) -> Iterator[str]:
    """The leaves: a map that lost its last key is no longer there itself."""
    for key, below in fields.items():
        if isinstance(below, dict) and any(name != "." for name in below):
            yield from _paths(below, f"{above}/{key}")
        elif key != ".":
            yield f"{above}/{key}"


def _told(entries: list[Object]) -> str:
    if not entries:
        return SOMEBODY
    newest = max(entries, key=lambda entry: str(entry.get("time") or ""))
    return f"{newest.get('manager') or SOMEBODY} at {newest.get('time') or 'an unknown time'}"
