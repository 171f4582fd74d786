# SPDX-License-Identifier: GPL-3.0-or-later
"""Who wrote a field of an object, as the API server remembers it. PRIVATE."""

from __future__ import annotations

from typing import Any

from .model import Object
from .objects import metadata


def wrote(item: Object, *keys: str, besides: str = "") -> str:
    """``kubectl-edit at 2026-11-23T12:00:00Z``: who wrote the field last, empty when nobody did or nobody says it.

    ``besides`` is a manager who is not meant: it may have written another part of the field in the same second.
    """
    found = [entry for entry in metadata(item).get("managedFields") or [] if _has(entry.get("fieldsV1") or {}, keys)]
    entries = [entry for entry in found if entry.get("manager") != besides] or found
    if not entries:
        return ""
    last = max(entries, key=lambda entry: str(entry.get("time") or ""))
    return f"{last.get('manager') or 'somebody'} at {last['time']}" if last.get("time") else str(last.get("manager") or "somebody")


def _has(fields: Any, keys: tuple[str, ...]) -> bool:
    for key in keys:
        if not isinstance(fields, dict) or f"f:{key}" not in fields:
            return False
        fields = fields[f"f:{key}"]
    return True
