# SPDX-License-Identifier: GPL-3.0-or-later
"""The replay of EndpointSlice events, and a recorder against an API server made of one handler."""

from __future__ import annotations

import itertools
import json
import ssl
import threading
from collections.abc import Iterator
from http.client import HTTPConnection
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, cast
from urllib.parse import urlsplit

import pytest
from witness.access import Access
from witness.endpoints import Event, Recorder, read, replay


def event(
    at: float, name: str = "a", kind: str = "MODIFIED", ready: tuple[str, ...] = ("10.0.0.1",), ports: tuple[int, ...] = (9001,)
) -> Event:
    return {"at": at, "type": kind, "slice": name, "ready": list(ready), "ports": list(ports)}


def test_no_gap_while_one_of_two_slices_serves() -> None:
    seen = replay([event(0), event(1, "b"), event(2, "a", "DELETED"), event(3, "b")], until=9)
    assert (seen.events, seen.gaps, seen.gap_seconds, seen.ready_at_end) == (4, 0, 0, True)


@pytest.mark.parametrize("hole", [{"ready": ()}, {"ports": ()}, {"kind": "DELETED"}], ids=["not ready", "no port", "deleted"])
def test_an_instant_without_an_endpoint_is_a_gap(hole: dict[str, Any]) -> None:
    seen = replay([event(0), event(2, **hole), event(2.5)], until=9)
    assert (seen.gaps, seen.gap_seconds, seen.ready_at_end) == (1, 0.5, True)


def test_a_gap_of_no_length_counts() -> None:
    seen = replay([event(0), event(2, "a", "DELETED"), event(2, "b", "ADDED")], until=9)
    assert (seen.gaps, seen.gap_seconds) == (1, 0)


def test_a_gap_lasts_until_the_end() -> None:
    seen = replay([event(0), event(2, ready=())], until=6)
    assert (seen.gaps, seen.gap_seconds, seen.ready_at_end) == (1, 4, False)


def test_not_yet_ready_is_no_gap() -> None:
    seen = replay([event(0, ready=()), event(1)], until=2)
    assert (seen.gaps, seen.ready_at_end) == (0, True)


def test_what_was_not_seen_is_said() -> None:
    blind = {"at": 1.0, "type": "BLIND", "why": "x"}
    seen = replay([event(0), blind, {**blind, "at": 2.0}, {"at": 3.0, "type": "WATCHING"}, event(4), {**blind, "at": 8.0}], until=9)
    assert (seen.blind, seen.blind_seconds, seen.gaps) == (2, 3, 0)


def test_half_a_line_is_passed_over(tmp_path: Path) -> None:
    file = tmp_path / "events"
    file.write_text(json.dumps(event(1)) + "\n" + '{"at": 2')
    assert [item["at"] for item in read(file)] == [1]


def a_slice(name: str, version: int, ready: bool = True) -> dict[str, Any]:
    endpoint = {"addresses": ["10.0.0.1"], "conditions": {"ready": ready}}
    return {"metadata": {"name": name, "resourceVersion": str(version)}, "endpoints": [endpoint], "ports": [{"port": 9001}]}


def listed(version: int, *items: dict[str, Any]) -> bytes:
    return json.dumps({"metadata": {"resourceVersion": str(version)}, "items": list(items)}).encode()


def changed(*changes: tuple[str, dict[str, Any]]) -> bytes:
    return b"".join(json.dumps({"type": kind, "object": item}).encode() + b"\n" for kind, item in changes)


class PlainAccess(Access):
    """Without TLS."""

    def connect(self, timeout: float) -> Any:
        parts = urlsplit(self.server)
        return HTTPConnection(cast(str, parts.hostname), parts.port, timeout=timeout)


@pytest.fixture
def server() -> Iterator[tuple[Access, list[tuple[int, bytes]], list[str]]]:
    """An access, the answers still to be given, and the paths that were asked for."""
    answers: list[tuple[int, bytes]] = []
    paths: list[str] = []

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            paths.append(self.path)
            status, body = answers.pop(0) if answers else (500, b"")
            self.send_response(status)
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_words: Any) -> None:
            pass

    http = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=http.serve_forever, args=(0.02,), daemon=True).start()
    yield PlainAccess(f"http://127.0.0.1:{http.server_address[1]}", ssl.create_default_context(), {}), answers, paths
    http.shutdown()
    http.server_close()


def test_a_recorder_lists_then_watches_and_goes_on_where_it_was(server: tuple[Access, list[tuple[int, bytes]], list[str]]) -> None:
    access, answers, paths = server
    answers += [
        (200, listed(5, a_slice("a", 4))),
        (200, changed(("ADDED", a_slice("b", 6)), ("DELETED", a_slice("a", 7)))),
        (200, changed(("MODIFIED", a_slice("b", 8, ready=False)))),
    ]
    seen = list(itertools.islice(Recorder(access, "ns", "dash").events(), 6))
    assert [(e["type"], e.get("slice")) for e in seen if e["type"] != "WATCHING"] == [
        ("LISTED", "a"),
        ("ADDED", "b"),
        ("DELETED", "a"),
        ("MODIFIED", "b"),
    ]
    assert seen[-1]["ready"] == []
    assert ["resourceVersion=7" in path for path in paths] == [False, False, True]
    assert all("labelSelector=kubernetes.io%2Fservice-name%3Ddash" in path for path in paths)


def test_a_recorder_lists_again_after_an_expired_version(server: tuple[Access, list[tuple[int, bytes]], list[str]]) -> None:
    access, answers, _paths = server
    answers += [
        (200, listed(5, a_slice("a", 4))),
        (410, b""),
        (200, listed(9, a_slice("b", 8))),
        (200, changed(("MODIFIED", a_slice("b", 10)))),
    ]
    seen = list(itertools.islice(Recorder(access, "ns", "dash").events(), 6))
    assert [(e["type"], e.get("slice")) for e in seen] == [
        ("LISTED", "a"),
        ("BLIND", None),
        ("LISTED", "b"),
        ("DELETED", "a"),
        ("WATCHING", None),
        ("MODIFIED", "b"),
    ]


def test_a_recorder_says_that_it_cannot_see(server: tuple[Access, list[tuple[int, bytes]], list[str]]) -> None:
    access, answers, _paths = server
    answers += [(503, b""), (200, listed(5, a_slice("a", 4)))]
    seen = list(itertools.islice(Recorder(access, "ns", "dash").events(), 2))
    assert [e["type"] for e in seen] == ["BLIND", "LISTED"]
