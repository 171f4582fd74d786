# SPDX-License-Identifier: GPL-3.0-or-later
"""Whether one object has changed, moment by moment. PRIVATE: can change at any time."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from urllib.parse import unquote

from .._engine.model import Clock, Object
from .connection import Connection
from .credentials import Credentials
from .watch import Watch


class ObjectWatch(Watch):
    """Follows the object at ``path`` by its name, so that a right on that name alone is enough, and calls ``changed`` whenever it did."""

    def __init__(self, connection: Connection, credentials: Credentials, path: str, clock: Clock, changed: Callable[[str], None]) -> None:
        collection, name = path.rsplit("/", 1)
        super().__init__(connection, credentials, collection, {"fieldSelector": f"metadata.name={unquote(name)}"}, clock)
        self._object = path
        self._changed = changed
        self._seen: str | None = None
        """The version that was seen last: empty when it was not there, None before the first look."""

    def _listed_again(self, items: Sequence[Object]) -> None:
        self._tell(str(items[0]["metadata"]["resourceVersion"]) if items else "")

    def _record(self, item: Object, *, deleted: bool) -> None:
        self._tell("" if deleted else str(item["metadata"]["resourceVersion"]))

    def _tell(self, version: str) -> None:
        before, self._seen = self._seen, version
        if before not in (None, version):
            self._changed(self._object)
