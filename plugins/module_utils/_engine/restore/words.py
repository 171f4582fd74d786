# SPDX-License-Identifier: GPL-3.0-or-later
"""Objects as a person reads them: named in a sentence, and shown without a byte of a Secret. PRIVATE."""

from __future__ import annotations

from typing import Any

from ..archive.cleaned import cleaned
from ..model import Object
from ..objects import name_of, namespace_of
from ..writes import HIDDEN

CHANGED = "(hidden, differs)"
_LAST_APPLIED = "kubectl.kubernetes.io/last-applied-configuration"


def told(item: Object) -> str:
    """``Service dashboard in namespace flux-system``"""
    place = f" in namespace {namespace_of(item)}" if namespace_of(item) else ""
    return f"{item.get('kind')} {name_of(item)}{place}"


def shown(item: Object | None, other: Object | None = None) -> Object:
    """An object for a diff. Of a Secret only the keys are shown, and which of them differ from ``other``."""
    if item is None:
        return {}
    plain = cleaned(item)
    if item.get("kind") != "Secret":
        return plain
    for key in ("data", "stringData"):
        if key in plain:
            plain[key] = _hidden(plain[key], plain[key] if other is None else other.get(key))
    annotations = plain["metadata"].get("annotations") or {}
    if _LAST_APPLIED in annotations:
        plain["metadata"] = {**plain["metadata"], "annotations": {**annotations, _LAST_APPLIED: HIDDEN}}
    return plain


def _hidden(values: Any, others: Any) -> Any:
    if not isinstance(values, dict):
        return HIDDEN
    known = others if isinstance(others, dict) else {}
    return {key: HIDDEN if known.get(key) == value else CHANGED for key, value in values.items()}
