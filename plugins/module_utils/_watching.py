# SPDX-License-Identifier: GPL-3.0-or-later
"""Eyes on single objects, in threads of their own, that wake whoever waits. PRIVATE: can change at any time."""

from __future__ import annotations

import threading
from collections.abc import Sequence

from ._clock import SystemClock
from ._engine.model import Change, Clock
from ._kube.connection import Connection
from ._kube.credentials import Credentials
from ._kube.object_watch import ObjectWatch

_JOIN_SECONDS = 5.0


class ThreadWatcher:
    """The Watcher of ``_engine.model``: one connection and one thread an object."""

    def __init__(self, connection: Connection, credentials: Credentials, *, clock: Clock | None = None) -> None:
        self._connection = connection
        self._credentials = credentials
        self._clock = clock or SystemClock()
        self._changes: list[Change] = []
        self._lock = threading.Lock()
        self._awake = threading.Event()
        self._watches: list[ObjectWatch] = []
        self._threads: list[threading.Thread] = []

    def start(self, paths: Sequence[str]) -> None:
        """Begin, from what is there on return; raises what the first read of one raises, and then watches none."""
        found = [ObjectWatch(self._connection, self._credentials, path, self._clock, self._take) for path in paths]
        for watch in found:
            watch.look()
        self._watches += found
        threads = [threading.Thread(target=watch.follow, name="wge-guard", daemon=True) for watch in found]
        self._threads += threads
        for thread in threads:
            thread.start()

    def changes(self) -> list[Change]:
        """What changed since the last call, oldest first."""
        with self._lock:
            found, self._changes = self._changes, []
            self._awake.clear()
        return found

    def wait(self, seconds: float) -> None:
        """Let time pass, but not beyond the next change."""
        self._awake.wait(seconds)

    def troubles(self) -> list[str]:
        """Why it could not see for a while."""
        return list(dict.fromkeys(reason for watch in self._watches for _at, reason in list(watch.troubles)))

    def stop(self) -> None:
        """End and join all threads; calling it twice is no error."""
        for watch in self._watches:
            watch.stop()
        for thread in self._threads:
            thread.join(_JOIN_SECONDS)
        self._threads = []

    def _take(self, path: str) -> None:
        with self._lock:
            self._changes.append(Change(self._clock.monotonic(), path))
            self._awake.set()
