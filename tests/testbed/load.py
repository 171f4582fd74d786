# SPDX-License-Identifier: GPL-3.0-or-later
"""A steady load on one URL, for tests: a fixed rate over new or kept connections, every failure counted.

    python -m testbed.load URL RATE SECONDS new|kept

prints one JSON object when it begins and one at its end: sent, lost, statuses, types (content types: they tell the
two products apart), failures with their times.
"""

from __future__ import annotations

import collections
import http.client
import json
import sys
import threading
import time
from typing import Any
from urllib.parse import urlsplit

THREADS = 8


class Load:
    """Several threads share one schedule, so that a slow answer does not lower the rate."""

    def __init__(self, url: str, rate: float, seconds: float, kept: bool) -> None:
        self._url = urlsplit(url)
        self._rate, self._kept = rate, kept
        self._total = int(rate * seconds)
        self._next = 0
        self._lock = threading.Lock()
        self.began = time.time()
        self.statuses: collections.Counter[str] = collections.Counter()
        self.types: collections.Counter[str] = collections.Counter()
        self.failures: list[tuple[float, str]] = []

    def _take(self) -> float | None:
        """When the next request is due."""
        with self._lock:
            if self._next >= self._total:
                return None
            self._next += 1
            return self.began + (self._next - 1) / self._rate

    def _one(self, connection: http.client.HTTPConnection) -> None:
        try:
            connection.request("GET", self._url.path or "/", headers={} if self._kept else {"Connection": "close"})
            answer = connection.getresponse()
            answer.read()
            with self._lock:
                self.statuses[str(answer.status)] += 1
                self.types[answer.getheader("Content-Type", "").partition(";")[0]] += 1
        except (OSError, http.client.HTTPException) as error:
            connection.close()
            with self._lock:
                self.failures.append((time.time(), f"{type(error).__name__}: {error}"))

    def _work(self) -> None:
        connection = self._new()
        while (due := self._take()) is not None:
            time.sleep(max(0.0, due - time.time()))
            self._one(connection)
            if not self._kept:
                connection.close()
                connection = self._new()

    def _new(self) -> http.client.HTTPConnection:
        return http.client.HTTPConnection(self._url.hostname or "", self._url.port, timeout=5)

    def run(self) -> dict[str, Any]:
        """Until all requests are done."""
        threads = [threading.Thread(target=self._work) for _ in range(THREADS)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        bad = sum(number for status, number in self.statuses.items() if not status.startswith("2"))
        return {
            "sent": self._total,
            "lost": len(self.failures) + bad,
            "statuses": self.statuses,
            "types": self.types,
            "failures": self.failures[:50],
        }


if __name__ == "__main__":
    print(json.dumps({"began": time.time()}), flush=True)
    json.dump(Load(sys.argv[1], float(sys.argv[2]), float(sys.argv[3]), sys.argv[4] == "kept").run(), sys.stdout)
