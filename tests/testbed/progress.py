# SPDX-License-Identifier: GPL-3.0-or-later
"""Says what is going on: one line an event, and a heartbeat while something long runs."""

from __future__ import annotations

import sys
import threading
import time
from types import TracebackType

HEARTBEAT = 15.0
_BEGAN = time.monotonic()
_LOCK = threading.Lock()


def say(text: str) -> None:
    """One line with the seconds since the command began."""
    with _LOCK:
        print(f"[{time.monotonic() - _BEGAN:6.1f}s] {text}", file=sys.stderr, flush=True)


class Working:
    """`with Working("kube-apiserver"):` says begin, every 15 s that it still runs, and the end."""

    def __init__(self, what: str) -> None:
        self.what = what
        self._done = threading.Event()
        self._began = time.monotonic()
        self._thread = threading.Thread(target=self._beat, daemon=True)

    def _beat(self) -> None:
        while not self._done.wait(HEARTBEAT):
            say(f"{self.what}: still running, {time.monotonic() - self._began:.0f} s")

    def __enter__(self) -> Working:
        say(f"{self.what}: begins")
        self._thread.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._done.set()
        self._thread.join()
        say(f"{self.what}: {'failed' if kind else 'done'} after {time.monotonic() - self._began:.1f} s")
