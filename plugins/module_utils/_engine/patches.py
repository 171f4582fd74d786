# SPDX-License-Identifier: GPL-3.0-or-later
"""What a JSON Patch says about an object, judged from a fresh read. PRIVATE.

The API server answers 422 with the same text for a failed ``test``, a missing path and a typing error
(docs/facts.md, 7a), so after a refusal we look for ourselves: do the guards still hold, or is it already done?
Only the forms this collection writes are judged: map keys, list indexes, no ``move`` or ``copy``, no ``-``.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from .model import Object, Operation

MISSING: Any = object()
"""What ``value_at`` answers for a path that is not there."""


def escape(key: str) -> str:
    """A map key as one token of a JSON pointer (RFC 6901)."""
    return key.replace("~", "~0").replace("/", "~1")


def pointer(*keys: str | int) -> str:
    """A JSON pointer from its keys: ``pointer("metadata", "labels", "a/b")`` is ``/metadata/labels/a~1b``."""
    return "".join("/" + escape(str(key)) for key in keys)


def value_at(item: Any, path: str) -> Any:
    """The value a JSON pointer leads to, MISSING when any part of the way is not there."""
    for token in path.split("/")[1:]:
        key = token.replace("~1", "/").replace("~0", "~")
        if isinstance(item, dict) and key in item:
            item = item[key]
        elif isinstance(item, list) and key.isdigit() and int(key) < len(item):
            item = item[int(key)]
        else:
            return MISSING
    return item


def guards_hold(operations: Sequence[Operation], live: Object) -> bool:
    """Whether every ``test`` of a patch would pass now; a test for null passes on an absent key (7b)."""
    return all(_equal(value_at(live, op["path"]), op["value"]) for op in operations if op["op"] == "test")


def is_applied(operations: Sequence[Operation], live: Object) -> bool:
    """Whether an object already says what a patch would make of it."""
    return all(_is_done(op, live) for op in operations if op["op"] != "test")


def still_missing(operations: Sequence[Operation], live: Object) -> list[Operation]:
    """A patch without the parts that an object says already, and without their guards."""
    done = {op["path"] for op in operations if op["op"] != "test" and _is_done(op, live)}
    return [op for op in operations if op["path"] not in done]


def _equal(found: Any, wanted: Any) -> bool:
    return wanted is None if found is MISSING else bool(found == wanted)


def _is_done(operation: Operation, live: Object) -> bool:
    found = value_at(live, operation["path"])
    if operation["op"] == "remove":
        return found is MISSING
    wanted = operation["value"]
    if operation["op"] == "add" and isinstance(wanted, dict) and isinstance(found, dict):
        # What the server adds to it are defaults. A map that was to be replaced must be equal: a selector is not its union.
        return all(found.get(key) == value for key, value in wanted.items())
    return bool(found is not MISSING and found == wanted)


def set_keys(live: Object, field: str, wanted: dict[str, str | None]) -> tuple[list[Operation], list[Operation]]:
    """A guarded patch that sets (or with None removes) keys of ``metadata.<field>``, and the patch that takes it back.

    Both are empty when nothing is to be done. A missing map is added whole, guarded by a ``test`` for null (7d).
    """
    present: dict[str, str] = live.get("metadata", {}).get(field) or {}
    changes = {key: value for key, value in wanted.items() if present.get(key) != value}
    if not changes:
        return [], []
    root = pointer("metadata", field)
    if not present:
        return (
            [_test(root, None), {"op": "add", "path": root, "value": {k: v for k, v in changes.items() if v is not None}}],
            _restore(root, changes, present),
        )
    return list(_change(root, changes, present)), _restore(root, changes, present)


def _test(path: str, value: Any) -> Operation:
    return {"op": "test", "path": path, "value": value}


def _change(root: str, changes: dict[str, str | None], present: dict[str, str]) -> Iterable[Operation]:
    for key, value in sorted(changes.items()):
        path = root + pointer(key)
        yield _test(path, present.get(key))
        if value is None:
            yield {"op": "remove", "path": path}
        else:
            yield {"op": "add", "path": path, "value": value}


def _restore(root: str, changes: dict[str, str | None], present: dict[str, str]) -> list[Operation]:
    reverse = {key: present.get(key) for key in changes}
    after = {**present, **{k: v for k, v in changes.items() if v is not None}}
    for key in [key for key, value in changes.items() if value is None]:
        after.pop(key, None)
    return list(_change(root, reverse, after))
