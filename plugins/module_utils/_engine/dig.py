# SPDX-License-Identifier: GPL-3.0-or-later
"""Values deep in an object that anybody may have written: lists are walked through, what is missing or odd is passed over. PRIVATE."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from .model import Object


def dig(item: Any, path: str) -> list[Any]:
    """Every value that ``path`` (``spec.rules.host``) leads to; an empty path leads to the item itself."""
    found = [item]
    for key in path.split(".") if path else ():
        found = [value for one in found if isinstance(one, dict) for value in _each(one.get(key))]
    return found


def first(item: Any, *paths: str) -> Any:
    """The first value that one of these paths leads to, an empty text when none does."""
    return next((value for path in paths for value in dig(item, path)), "")


def objects_at(item: Any, paths: Iterable[str]) -> list[Object]:
    """The maps that these paths lead to."""
    return [value for path in paths for value in dig(item, path) if isinstance(value, dict)]


def texts_in(value: Any) -> Iterator[str]:
    """Every text in a value, however deep; the keys of maps are not values."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, (dict, list)):
        for one in value.values() if isinstance(value, dict) else value:
            yield from texts_in(one)


def _each(value: Any) -> list[Any]:
    if value is None:
        return []
    return value if isinstance(value, list) else [value]
