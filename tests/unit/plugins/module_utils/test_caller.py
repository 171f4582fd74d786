# SPDX-License-Identifier: GPL-3.0-or-later
"""Calls of the dashboard's API, against real sockets."""

from __future__ import annotations

import socketserver
import threading
from typing import Any, ClassVar

import pytest

from ansible_collections.weaveworks.wge.plugins.module_utils._caller import HttpCaller
from ansible_collections.weaveworks.wge.plugins.module_utils._engine.model import Vantage
from ansible_collections.weaveworks.wge.plugins.module_utils._errors import Unreachable
from ansible_collections.weaveworks.wge.plugins.module_utils._kube.connection import Connection, User
from ansible_collections.weaveworks.wge.plugins.module_utils._kube.credentials import Credentials

PROXY = Vantage("service proxy", "proxy", "/api/v1/namespaces/n/services/http:x:9001/proxy", ())


def caller(url: str) -> HttpCaller:
    connection = Connection(url, User(token="ours"))
    return HttpCaller(connection, Credentials(connection.user))


def test_the_proxy_is_asked_as_our_user_below_its_path(server: Any, reply: Any) -> None:
    server.answer = lambda _seen: reply(401, b"{}")
    found = caller(server.url).call(PROXY, "GET", "/v1/version", {}, b"")
    assert (found.status, found.body) == (401, b"{}")
    (seen,) = server.seen
    assert seen.path == "/api/v1/namespaces/n/services/http:x:9001/proxy/v1/version"
    assert seen.header("Authorization") == "Bearer ours"


def test_an_entry_never_sees_our_token_and_gets_the_users(server: Any, reply: Any) -> None:
    server.answer = lambda _seen: reply(200, b"{}")
    door = Vantage(server.url, "entry", server.url, ())
    ours = caller("https://127.0.0.1:1")
    ours.call(door, "POST", "/v1/objects", {}, b"{}")
    ours.call(door, "GET", "/v1/version", {"Authorization": "Bearer theirs", "Cookie": "session=x"}, b"")
    first, second = server.seen
    assert first.header("Authorization") is None
    assert (first.method, first.body, first.header("Content-Type")) == ("POST", b"{}", "application/json")
    assert (second.header("Authorization"), second.header("Cookie")) == ("Bearer theirs", "session=x")


def test_every_call_opens_a_connection_of_its_own(server: Any, reply: Any) -> None:
    server.answer = lambda _seen: reply(200, b"{}")
    ours = caller(server.url)
    for _time in range(2):
        ours.call(PROXY, "GET", "/", {}, b"")
    assert {seen.header("Connection") for seen in server.seen} == {"close"}


class _NeverCloses(socketserver.BaseRequestHandler):
    """A server that keeps a connection open whatever it is asked, and counts them."""

    begun: ClassVar[list[object]] = []

    def handle(self) -> None:
        self.begun.append(self.client_address)
        while self.request.recv(65536):
            self.request.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}")


class _Listener(socketserver.ThreadingTCPServer):
    daemon_threads = True


def test_no_connection_is_used_twice_even_where_the_server_would_let_us() -> None:
    """One that the server is about to close, without having said so, must not be taken for the next call."""
    _NeverCloses.begun.clear()
    with _Listener(("127.0.0.1", 0), _NeverCloses) as listener:
        threading.Thread(target=listener.serve_forever, daemon=True).start()
        ours = caller(f"http://127.0.0.1:{listener.server_address[1]}")
        answers = [ours.call(PROXY, "GET", "/", {}, b"").body for _time in range(3)]
        listener.shutdown()
    assert answers == [b"{}"] * 3
    assert len(set(_NeverCloses.begun)) == 3


def test_a_door_that_is_closed_is_one_sentence() -> None:
    door = Vantage("http://127.0.0.1:1", "entry", "http://127.0.0.1:1", ())
    with pytest.raises(Unreachable) as caught:
        caller("https://127.0.0.1:1").call(door, "GET", "/", {}, b"")
    assert caught.value.what.startswith("http://127.0.0.1:1 does not answer: ")
    assert caught.value.next_step == "Repair the way to the dashboard."
