# SPDX-License-Identifier: GPL-3.0-or-later
"""A small program that asks a dashboard for its page all the time, and counts by itself what is lost.

    python3 tests/witness/load.py --seconds 60 node=http://192.0.2.1:30901/ [NAME=URL …]
    build/bed/exec c1 build/venv/bin/python tests/witness/load.py clusterip=http://10.96.0.7:9001/
    python3 tests/witness/load.py --kubeconfig build/bed/c1.kubeconfig proxy=/api/v1/namespaces/…/proxy/

Each target gets two streams: one opens a connection for every request, as a new visitor does; one keeps its connection
and renews it every five seconds (--renewal), or when the server closed it while it was idle, as good clients do. There are no second
tries. A request is lost when there is no connection, no whole answer within two seconds, or a status of 500 or more.

A URL is http://…, https://…, unix:///socket, or a path on the API server of --kubeconfig. The program writes one JSON line a
second on standard output ({"requests", "lost", "products"}) and the summary as its last line. It ends after
--seconds, on SIGTERM or SIGINT, or when nobody reads its output any more.
"""

from __future__ import annotations

import argparse
import http.client
import json
import select
import signal
import socket
import ssl
import sys
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime, timezone
from itertools import chain, cycle
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

if not __package__:
    sys.path[0] = str(Path(__file__).resolve().parent.parent)  # run as a program: the package is `witness`

from witness.access import Access

TIMEOUT = 2.0
RENEWAL = 5.0
RATE = 10.5
PORTS = range(11000, 30000)
"""A node remembers for two minutes where it led a connection from a port. Who moves the traffic to and fro more often than that asks
for ports that are not used again so soon (--ports-from), and of which no other program is given one."""
PRODUCTS = {"text/plain": "WG", "text/html": "WGE"}
"""What the two products answer with at `/`: the records of the real servers say so."""
KEPT_LOSSES = 100
ENDS = (signal.SIGTERM, signal.SIGINT)


class UnixConnection(http.client.HTTPConnection):
    """HTTP over a socket in the file system."""

    def __init__(self, path: str, timeout: float) -> None:
        super().__init__("localhost", timeout=timeout)
        self._path = path

    def connect(self) -> None:
        """As the base, to the socket."""
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.settimeout(self.timeout)
        self.sock.connect(self._path)


@dataclass(frozen=True)
class Target:
    """One address of the dashboard, from where this program stands."""

    name: str
    url: str
    access: Access | None = None

    @property
    def path(self) -> str:
        """What is asked for."""
        return "/" if self.url.startswith("unix:") else urlsplit(self.url).path or "/"

    def connection(self) -> http.client.HTTPConnection:
        """A new one, not yet open."""
        if self.access:
            return self.access.connect(TIMEOUT)
        parts = urlsplit(self.url)
        if parts.scheme == "unix":
            return UnixConnection(parts.path, TIMEOUT)
        if parts.scheme == "https":
            # What the dashboard answers is judged here, not who signed the certificate of a test.
            trust = ssl._create_unverified_context()
            return http.client.HTTPSConnection(parts.hostname or "", parts.port, timeout=TIMEOUT, context=trust)
        return http.client.HTTPConnection(parts.hostname or "", parts.port, timeout=TIMEOUT)


@dataclass
class Tally:
    """What one stream has seen; written by its thread alone."""

    target: str
    reused: bool
    requests: int = 0
    lost: int = 0
    slowest_seconds: float = 0.0
    longest_outage_seconds: float = 0.0
    losses: list[dict[str, str]] = field(default_factory=list)
    products: dict[str, dict[str, Any]] = field(default_factory=dict)
    _outage_since: float | None = None

    def answered(self, product: str, began: float, seconds: float) -> None:
        """A request that got an answer."""
        self.requests += 1
        self.slowest_seconds = max(self.slowest_seconds, seconds)
        self._outage_since = None
        seen = self.products.setdefault(product, {"requests": 0, "first": utc(began)})
        seen["requests"] += 1
        seen["last"] = utc(began)

    def lose(self, why: str, began: float, seconds: float) -> None:
        """A request that got none, or a useless one."""
        self.requests += 1
        self.lost += 1
        if self._outage_since is None:
            self._outage_since = began
        self.longest_outage_seconds = max(self.longest_outage_seconds, began + seconds - self._outage_since)
        if len(self.losses) < KEPT_LOSSES:
            self.losses.append({"at": utc(began), "why": why})
        else:
            self.losses[-1] = {"at": utc(began), "why": why}

    def summary(self) -> dict[str, Any]:
        """All of it, as plain data."""
        return {
            "target": self.target,
            "reused": self.reused,
            "requests": self.requests,
            "lost": self.lost,
            "first_loss": self.losses[0]["at"] if self.losses else None,
            "last_loss": self.losses[-1]["at"] if self.losses else None,
            "longest_outage_seconds": round(self.longest_outage_seconds, 3),
            "slowest_seconds": round(self.slowest_seconds, 3),
            "losses": self.losses,
            "products": self.products,
        }


class Stream(threading.Thread):
    """One thread that asks one target at a steady rate."""

    def __init__(
        self, target: Target, reused: bool, rate: float, stop: threading.Event, renewal: float, ports: Iterator[int] | None = None
    ) -> None:
        super().__init__(daemon=True)
        self._renewal = renewal
        self._ports = ports if target.url.startswith("http") else None
        self.tally = Tally(target.name, reused)
        self._target = target
        self._reused = reused
        self._interval = 1 / rate
        self._halt = stop
        self._connection = target.connection()
        self._opened = 0.0
        self._headers = {"User-Agent": "witness", **({} if reused else {"Connection": "close"})}
        self._headers.update(target.access.headers if target.access else {})

    def run(self) -> None:
        """Until told to stop. What is late is not made up for: a burst says nothing about the pause before it."""
        due = time.monotonic()
        while not self._halt.wait(max(0.0, due - time.monotonic())):
            self._one()
            due = max(due + self._interval, time.monotonic())
        self._connection.close()

    def _one(self) -> None:
        began, start = time.time(), time.monotonic()
        try:
            self._prepare(start)
            status, product = self._ask()
        except (OSError, http.client.HTTPException) as error:
            self._connection.close()
            self.tally.lose(f"{type(error).__name__}: {error}", began, time.monotonic() - start)
            return
        seconds = time.monotonic() - start
        if status >= 500:
            self.tally.lose(f"HTTP {status}", began, seconds)
        else:
            self.tally.answered(product or f"HTTP {status}", began, seconds)

    def _prepare(self, now: float) -> None:
        if self._reused and now - self._opened < self._renewal and not _closed_by_server(self._connection):
            return
        self._connection.close()
        if self._ports:
            self._connection.source_address = ("", next(self._ports))  # type: ignore[attr-defined]
        self._connection.connect()
        self._opened = now

    def _ask(self) -> tuple[int, str]:
        self._connection.request("GET", self._target.path, headers=self._headers)
        answer = self._connection.getresponse()
        answer.read()
        kind = (answer.headers.get_content_type() if answer.headers["Content-Type"] else "") if answer.status == 200 else ""
        return answer.status, PRODUCTS.get(kind, "")


def _closed_by_server(connection: http.client.HTTPConnection) -> bool:
    """Whether a connection is closed, or has something to read although nothing was asked: its end."""
    if connection.sock is None:
        return True
    return bool(select.select([connection.sock], [], [], 0)[0])


class Load:
    """All streams of all targets, as a library."""

    def __init__(self, targets: list[Target], rate: float = RATE, renewal: float | None = None, ports: Iterator[int] | None = None) -> None:
        renewal = RENEWAL if renewal is None else renewal
        self._stop = threading.Event()
        self._streams = [Stream(target, reused, rate, self._stop, renewal, ports) for target in targets for reused in (False, True)]

    def start(self) -> None:
        """Begin; returns at once."""
        for stream in self._streams:
            stream.start()

    def stop(self) -> dict[str, Any]:
        """End, and say what was seen."""
        self._stop.set()
        for stream in self._streams:
            stream.join(2 * TIMEOUT + 1)
        return {"streams": [stream.tally.summary() for stream in self._streams]}

    def progress(self) -> dict[str, Any]:
        """How far it is."""
        tallies = [stream.tally for stream in self._streams]
        products = sorted({product for tally in tallies for product in list(tally.products)})
        counts = {"requests": sum(tally.requests for tally in tallies), "lost": sum(tally.lost for tally in tallies)}
        return {**counts, "products": products}


def utc(moment: float) -> str:
    """Wall time that people and programs can compare."""
    return datetime.fromtimestamp(moment, timezone.utc).isoformat(timespec="milliseconds")


def main() -> int:
    """The exit code: 0 when the load ran, whatever was lost."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=float, default=3600)
    parser.add_argument("--rate", type=float, default=RATE, help="requests a second and stream")
    parser.add_argument("--ports-from", type=int, metavar="PORT", help=f"connect from the ports {PORTS[0]} to {PORTS[-1]} in turn")
    parser.add_argument("--renewal", type=float, default=RENEWAL, help="seconds after which a kept connection is opened anew")
    parser.add_argument("--kubeconfig", type=Path, help="for URLs that are only a path: through this API server")
    parser.add_argument("targets", nargs="+", metavar="NAME=URL")
    options = parser.parse_args()
    access = Access.from_kubeconfig(options.kubeconfig) if options.kubeconfig else None
    targets = [_target(word, access) for word in options.targets]

    # Blocked in every thread and waited for in this one: a handler that sets an Event could meet itself in wait().
    signal.pthread_sigmask(signal.SIG_BLOCK, ENDS)
    load = Load(targets, options.rate, options.renewal, _ports_from(options.ports_from) if options.ports_from else None)
    load.start()
    end = time.monotonic() + options.seconds
    try:
        while (left := end - time.monotonic()) > 0 and signal.sigtimedwait(ENDS, min(1.0, left)) is None:
            print(json.dumps(load.progress()), flush=True)
        print(json.dumps(load.stop()), flush=True)
    except BrokenPipeError:
        return 1  # who started us is gone
    return 0


def _ports_from(first: int) -> Iterator[int]:
    return chain(range(first, PORTS[-1] + 1), cycle(PORTS))


def _target(word: str, access: Access | None) -> Target:
    name, _equals, url = word.partition("=")
    return Target(name, url, access if url.startswith("/") else None)


if __name__ == "__main__":
    sys.exit(main())
