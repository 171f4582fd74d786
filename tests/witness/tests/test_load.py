# SPDX-License-Identifier: GPL-3.0-or-later
"""The witness must notice a loss: servers that stop, stall, cut and refuse."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from witness import load
from witness.load import Load, Tally, Target

PROGRAM = Path(load.__file__)
Answer = Callable[[BaseHTTPRequestHandler], None]


def page(kind: str, status: int = 200, claimed: int = 5) -> Answer:
    def answer(handler: BaseHTTPRequestHandler) -> None:
        handler.send_response(status)
        handler.send_header("Content-Type", kind)
        handler.send_header("Content-Length", str(claimed))
        handler.end_headers()
        handler.wfile.write(b"page\n")
        handler.close_connection = claimed != 5

    return answer


class Dashboard:
    """A server on loopback that can be told to misbehave, and can be stopped and started on the same port."""

    def __init__(self) -> None:
        self.answer: Answer = page("text/plain; charset=utf-8")
        self.connections = 0
        self.port = 0
        self._open: list[socket.socket] = []
        self.start()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/"

    def start(self) -> None:
        dashboard = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def setup(self) -> None:
                super().setup()
                dashboard.connections += 1
                dashboard._open.append(self.connection)

            def do_GET(self) -> None:
                dashboard.answer(self)

            def log_message(self, *_words: Any) -> None:
                pass

        class Server(ThreadingHTTPServer):
            def handle_error(self, *_words: Any) -> None:
                pass

        self._server = Server(("127.0.0.1", self.port), Handler)
        self.port = self._server.server_address[1]
        threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True).start()

    def stop(self) -> None:
        """As a killed process: the listener and all connections are gone."""
        self._server.shutdown()
        self._server.server_close()
        for connection in self._open:
            with contextlib.suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)
        self._open.clear()


@pytest.fixture
def dashboard() -> Iterator[Dashboard]:
    server = Dashboard()
    yield server
    server.stop()


def watched(url: str, during: Callable[[], None], rate: float = 40) -> list[dict[str, Any]]:
    running = Load([Target("t", url)], rate)
    running.start()
    during()
    streams: list[dict[str, Any]] = running.stop()["streams"]
    return streams


def test_a_good_server_loses_nothing(dashboard: Dashboard) -> None:
    fresh, kept = watched(dashboard.url, lambda: time.sleep(1))
    assert (fresh["reused"], kept["reused"]) == (False, True)
    for stream in (fresh, kept):
        assert stream["requests"] > 20
        assert (stream["lost"], stream["first_loss"], stream["losses"]) == (0, None, [])
        assert stream["products"]["WG"]["requests"] == stream["requests"]
    assert dashboard.connections == fresh["requests"] + 1


def test_a_server_that_is_gone_for_a_second_is_noticed(dashboard: Dashboard) -> None:
    def outage() -> None:
        time.sleep(0.5)
        dashboard.stop()
        time.sleep(1)
        dashboard.start()
        time.sleep(0.5)

    for stream in watched(dashboard.url, outage):
        assert stream["lost"] >= 20
        assert 0.7 < stream["longest_outage_seconds"] < 1.4
        assert stream["first_loss"] < stream["last_loss"]
        assert stream["products"]["WG"]["last"] > stream["last_loss"]


@pytest.mark.parametrize(
    ("answer", "why"),
    [
        pytest.param(page("text/plain", status=503), "HTTP 503", id="refused"),
        pytest.param(page("text/plain", claimed=500), "IncompleteRead", id="cut"),
        pytest.param(lambda handler: setattr(handler, "close_connection", True), "RemoteDisconnected", id="silence"),
    ],
)
def test_a_useless_answer_is_a_loss(dashboard: Dashboard, answer: Answer, why: str) -> None:
    dashboard.answer = answer
    for stream in watched(dashboard.url, lambda: time.sleep(0.3)):
        assert stream["lost"] == stream["requests"] > 0
        assert why in stream["losses"][0]["why"]


def test_a_server_that_accepts_and_never_answers_is_a_loss(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(load, "TIMEOUT", 0.3)
    with socket.create_server(("127.0.0.1", 0)) as listener:
        for stream in watched(f"http://127.0.0.1:{listener.getsockname()[1]}/", lambda: time.sleep(0.8)):
            assert stream["lost"] == stream["requests"] >= 2
            assert "timed out" in stream["losses"][0]["why"]


def test_products_are_told_apart_and_strangers_named(dashboard: Dashboard) -> None:
    def change() -> None:
        for answer in (page("text/plain"), page("text/html; charset=utf-8"), page("text/plain", status=404)):
            dashboard.answer = answer
            time.sleep(0.3)

    for stream in watched(dashboard.url, change):
        assert list(stream["products"]) == ["WG", "WGE", "HTTP 404"]
        assert stream["products"]["WG"]["last"] < stream["products"]["WGE"]["first"]


def test_an_idle_connection_that_the_server_closed_is_no_loss(dashboard: Dashboard) -> None:
    def answer_and_hang_up(handler: BaseHTTPRequestHandler) -> None:
        page("text/plain")(handler)
        handler.close_connection = True

    dashboard.answer = answer_and_hang_up
    _fresh, kept = watched(dashboard.url, lambda: time.sleep(0.8), rate=10)
    assert kept["lost"] == 0
    assert dashboard.connections >= kept["requests"]


def test_a_kept_connection_is_renewed(dashboard: Dashboard, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(load, "RENEWAL", 0.2)
    fresh, _kept = watched(dashboard.url, lambda: time.sleep(1))
    assert 3 <= dashboard.connections - fresh["requests"] <= 7


def test_a_socket_in_the_file_system(tmp_path: Path) -> None:
    listener = socket.socket(socket.AF_UNIX)
    listener.bind(str(tmp_path / "s"))
    listener.listen()

    def serve() -> None:
        with contextlib.suppress(OSError):
            while True:
                connection, _ = listener.accept()
                connection.recv(4096)
                connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
                connection.close()

    threading.Thread(target=serve, daemon=True).start()
    for stream in watched(f"unix://{tmp_path / 's'}", lambda: time.sleep(0.3), rate=10):
        assert stream["lost"] == 0
        assert list(stream["products"]) == ["WGE"]
    listener.close()


def test_only_the_first_and_last_losses_are_kept() -> None:
    tally = Tally("t", False)
    for second in range(load.KEPT_LOSSES + 50):
        tally.lose(str(second), second, 0.1)
    summary = tally.summary()
    assert (summary["lost"], len(summary["losses"])) == (load.KEPT_LOSSES + 50, load.KEPT_LOSSES)
    assert (summary["losses"][0]["why"], summary["losses"][-1]["why"]) == ("0", str(load.KEPT_LOSSES + 49))


def test_the_program_counts_until_it_is_told_to_stop(dashboard: Dashboard) -> None:
    with subprocess.Popen([sys.executable, str(PROGRAM), f"node={dashboard.url}"], stdout=subprocess.PIPE, text=True) as running:
        assert running.stdout
        first = json.loads(running.stdout.readline())
        running.send_signal(signal.SIGTERM)
        lines = running.stdout.read().splitlines()
    assert first["requests"] > 0
    assert first["products"] == ["WG"]
    assert [stream["target"] for stream in json.loads(lines[-1])["streams"]] == ["node", "node"]
    assert running.returncode == 0


def test_the_program_ends_when_its_time_is_over(dashboard: Dashboard) -> None:
    done = subprocess.run(
        [sys.executable, str(PROGRAM), "--seconds", "0.5", f"n={dashboard.url}"], capture_output=True, text=True, check=True, timeout=20
    )
    assert all(stream["lost"] == 0 < stream["requests"] for stream in json.loads(done.stdout.splitlines()[-1])["streams"])


def test_the_program_ends_when_nobody_reads_any_more(dashboard: Dashboard) -> None:
    reader, writer = os.pipe()
    with subprocess.Popen([sys.executable, str(PROGRAM), f"n={dashboard.url}"], stdout=writer, stderr=subprocess.DEVNULL) as running:
        os.close(writer)
        os.close(reader)
        assert running.wait(15) != 0
