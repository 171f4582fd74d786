# SPDX-License-Identifier: GPL-3.0-or-later
"""Records every EndpointSlice event of one Service, and replays them: was there ever nobody to answer?

    python3 tests/witness/endpoints.py --kubeconfig build/bed/c1.kubeconfig --namespace flux-system --service NAME

One JSON line an event on standard output until SIGTERM, or until nobody reads any more. A plain HTTP watch, without any
client library. When the watch cannot see, it says so ("blind"), since an unseen gap is not the same as none.
"""

from __future__ import annotations

import argparse
import http.client
import json
import signal
import sys
import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NoReturn
from urllib.parse import urlencode

if not __package__:
    sys.path[0] = str(Path(__file__).resolve().parent.parent)  # run as a program: the package is `witness`

from witness.access import Access, Refused

Event = dict[str, Any]
ROUND_SECONDS = 240


class Expired(Exception):
    """The server no longer knows the version from which we wanted to go on."""


class Recorder:
    """The watch of one Service's slices."""

    def __init__(self, access: Access, namespace: str, service: str) -> None:
        self._access = access
        self._path = f"/apis/discovery.k8s.io/v1/namespaces/{namespace}/endpointslices"
        self._query = {"labelSelector": f"kubernetes.io/service-name={service}"}
        self._known: set[str] = set()
        self._version = ""

    def events(self) -> Iterator[Event]:
        """First what is there, then every change, for ever."""
        while True:
            try:
                if not self._version:
                    yield from self._list()
                yield from self._watch()
            except Expired:
                yield _blind("the version to go on from has expired")
                self._version = ""
            except (OSError, http.client.HTTPException, Refused, ValueError) as error:
                yield _blind(f"{type(error).__name__}: {error}")
                time.sleep(0.2)

    def _list(self) -> Iterator[Event]:
        content = self._access.get(f"{self._path}?{urlencode(self._query)}")
        items = content.get("items") or []
        for item in items:
            yield _event("LISTED", item)
        for name in self._known - {item["metadata"]["name"] for item in items}:
            yield {"at": time.time(), "type": "DELETED", "slice": name, "ports": [], "ready": []}
        self._known = {item["metadata"]["name"] for item in items}
        self._version = content["metadata"]["resourceVersion"]

    def _watch(self) -> Iterator[Event]:
        words = {**self._query, "watch": "1", "resourceVersion": self._version, "timeoutSeconds": str(ROUND_SECONDS)}
        connection = self._access.connect(ROUND_SECONDS + 10)
        try:
            connection.request("GET", f"{self._path}?{urlencode(words)}", headers=self._access.headers)
            answer = connection.getresponse()
            if answer.status != 200:
                raise Expired if answer.status == 410 else Refused(f"watch: HTTP {answer.status}")
            yield {"at": time.time(), "type": "WATCHING"}
            while line := answer.readline():
                yield self._seen(json.loads(line))
        finally:
            connection.close()

    def _seen(self, change: dict[str, Any]) -> Event:
        kind, item = change["type"], change["object"]
        if kind == "ERROR":
            raise Expired
        self._version = item["metadata"]["resourceVersion"]
        event = _event(kind, item)
        (self._known.discard if kind == "DELETED" else self._known.add)(event["slice"])
        return event


def _event(kind: str, item: dict[str, Any]) -> Event:
    endpoints = item.get("endpoints") or []
    ready = [word for e in endpoints if (e.get("conditions") or {}).get("ready") is not False for word in e["addresses"]]
    ports = [port["port"] for port in item.get("ports") or [] if port.get("port")]
    return {"at": time.time(), "type": kind, "slice": item["metadata"]["name"], "ports": ports, "ready": ready}


def _blind(why: str) -> Event:
    return {"at": time.time(), "type": "BLIND", "why": why}


@dataclass(frozen=True)
class Replay:
    """What the events say when they are played again."""

    events: int
    gaps: int
    gap_seconds: float
    blind: int
    blind_seconds: float
    ready_at_end: bool


def replay(events: Iterable[Event], until: float) -> Replay:
    """How often, and for how long in all, the Service had no ready endpoint with a port after it had once had one."""
    slices: dict[str, Event] = {}
    count = gaps = blind = 0
    gap_seconds = blind_seconds = 0.0
    empty_since: float | None = None
    blind_since: float | None = None
    served = False
    for event in events:
        if event["type"] == "BLIND":
            blind += blind_since is None
            blind_since = event["at"] if blind_since is None else blind_since
            continue
        if blind_since is not None:
            blind_seconds += event["at"] - blind_since
            blind_since = None
        if event["type"] == "WATCHING":
            continue
        count += 1
        slices[event["slice"]] = event
        if any(_serves(item) for item in slices.values()):
            gap_seconds += event["at"] - empty_since if empty_since is not None else 0.0
            empty_since, served = None, True
        elif served and empty_since is None:
            gaps, empty_since = gaps + 1, event["at"]
    gap_seconds += until - empty_since if empty_since is not None else 0.0
    blind_seconds += until - blind_since if blind_since is not None else 0.0
    return Replay(count, gaps, round(gap_seconds, 3), blind, round(blind_seconds, 3), served and empty_since is None)


def _serves(event: Event) -> bool:
    return event["type"] != "DELETED" and bool(event["ports"]) and bool(event["ready"])


def read(path: Path) -> list[Event]:
    """The events of a file; a line that was being written when its writer ended is passed over."""
    text = path.read_text(encoding="utf-8")
    return [json.loads(line) for line in text.splitlines(keepends=True) if line.endswith("\n")]


def _end(*_signal: object) -> NoReturn:
    raise SystemExit(0)


def main() -> int:
    """The exit code."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    for name in ("kubeconfig", "namespace", "service"):
        parser.add_argument(f"--{name}", required=True)
    options = parser.parse_args()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, _end)
    recorder = Recorder(Access.from_kubeconfig(Path(options.kubeconfig)), options.namespace, options.service)
    try:
        for event in recorder.events():
            print(json.dumps(event), flush=True)
    except BrokenPipeError:
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
