# SPDX-License-Identifier: GPL-3.0-or-later
"""Real servers on loopback, and throw-away certificates, for the tests of the adapters."""

from __future__ import annotations

import contextlib
import datetime
import http.server
import ipaddress
import json
import os
import socket
import ssl
import tempfile
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID


@dataclass
class Seen:
    """A request as the server saw it. ``peer`` tells connections apart."""

    method: str
    path: str
    headers: list[tuple[str, str]]
    body: bytes
    peer: tuple[str, int]
    certificate: str = ""

    def header(self, name: str) -> str | None:
        return next((value for known, value in self.headers if known.lower() == name.lower()), None)


class Reply:
    """What a test wants the server to do: answer, or misbehave."""

    def __init__(self, status: int = 200, body: Any = None, headers: dict[str, str] | None = None, act: str = "") -> None:
        self.status = status
        self.body = body if isinstance(body, bytes) else json.dumps({} if body is None else body).encode()
        self.headers = headers or {}
        self.act = act


@dataclass
class Server:
    """A server that answers what ``answer`` says, and remembers."""

    url: str
    seen: list[Seen] = field(default_factory=list)
    answer: Callable[[Seen], Reply] = lambda _: Reply()
    replies: list[Reply] = field(default_factory=list)
    stop: Callable[[], None] = lambda: None

    def reply(self, seen: Seen) -> Reply:
        self.seen.append(seen)
        return self.replies.pop(0) if self.replies else self.answer(seen)


def status(code: int, reason: str = "", message: str = "no", **details: Any) -> Reply:
    """The API server's own error."""
    return Reply(
        code,
        {
            "kind": "Status",
            "apiVersion": "v1",
            "status": "Failure",
            "message": message,
            "reason": reason,
            "code": code,
            **({"details": details} if details else {}),
        },
    )


class _Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    wge: Server

    def _serve(self) -> None:
        length = int(self.headers.get("Content-Length") or 0)
        seen = Seen(self.command, self.path, list(self.headers.items()), self.rfile.read(length), self.client_address, self._pair())
        reply = self.wge.reply(seen)
        if reply.act == "cut":
            self.close_connection = True
            return
        if reply.act.startswith("wait"):
            threading.Event().wait(float(reply.act.split()[1]))
        with contextlib.suppress(OSError):
            self._write(reply)

    def _pair(self) -> str:
        peer: dict[str, Any] = getattr(self.connection, "getpeercert", dict)() or {}
        return "".join(value for part in peer.get("subject", ()) for key, value in part if key == "commonName")

    def _write(self, reply: Reply) -> None:
        self.send_response(reply.status)
        for name, value in {"Content-Type": "application/json", **reply.headers}.items():
            self.send_header(name, value)
        if reply.act == "stream":
            self._stream(reply)
            return
        extra = 10 if reply.act == "short" else 0
        self.send_header("Content-Length", str(len(reply.body) + extra))
        self.end_headers()
        self.wfile.write(reply.body)
        if extra or (self.headers.get("Connection") or "").lower() == "close":
            self.close_connection = True

    def _stream(self, reply: Reply) -> None:
        """Each line is a chunk of its own, as a watch sends them; 'hold' keeps the stream open."""
        self.send_header("Transfer-Encoding", "chunked")
        self.end_headers()
        for line in reply.body.splitlines(keepends=True):
            if line.strip() == b"hold":
                threading.Event().wait(20)
                break
            self.wfile.write(b"%x\r\n%s\r\n" % (len(line), line))
        else:
            self.wfile.write(b"0\r\n\r\n")

    do_GET = do_POST = do_PATCH = do_DELETE = _serve

    def log_message(self, *_: Any) -> None:
        pass


class _Listener(http.server.ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False

    def handle_error(self, *_: Any) -> None:
        pass


def _listen(context: ssl.SSLContext | None = None, port: int = 0) -> Server:
    server = Server("")
    handler = type("Handler", (_Handler,), {"wge": server})
    listener = _Listener(("127.0.0.1", port), handler)
    if context:
        listener.socket = context.wrap_socket(listener.socket, server_side=True, do_handshake_on_connect=False)
    server.url = f"http{'s' if context else ''}://127.0.0.1:{listener.server_address[1]}"
    threading.Thread(target=listener.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()

    def stop() -> None:
        listener.shutdown()
        listener.server_close()

    server.stop = stop
    return server


@dataclass
class Pair:
    """A certificate with its key, as texts."""

    certificate: str
    key: str


class Authority:
    """Issues certificates."""

    def __init__(self) -> None:
        self._key = ec.generate_private_key(ec.SECP256R1())
        self._name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "test authority")])
        built = self._builder(self._name, self._key, 30).add_extension(x509.BasicConstraints(True, None), True)
        self.certificate = self._text(built.sign(self._key, hashes.SHA256()))

    def issue(self, name: str, *, days: int = 5, year: int = 0) -> Pair:
        """A pair for server and client; ``days`` may be negative, ``year`` overrules them."""
        key = ec.generate_private_key(ec.SECP256R1())
        subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
        hosts = x509.SubjectAlternativeName([x509.DNSName("wge.test"), x509.IPAddress(ipaddress.ip_address("127.0.0.1"))])
        built = self._builder(subject, key, days, year).add_extension(hosts, False).sign(self._key, hashes.SHA256())
        private = key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
        return Pair(self._text(built), private.decode())

    def _builder(self, name: x509.Name, key: ec.EllipticCurvePrivateKey, days: int, year: int = 0) -> x509.CertificateBuilder:
        now = datetime.datetime.now(datetime.timezone.utc)
        end = now + datetime.timedelta(days=days)
        return (
            x509.CertificateBuilder()
            .subject_name(name)
            .issuer_name(self._name)
            .public_key(key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - datetime.timedelta(days=9))
            .not_valid_after(end.replace(year=year) if year else end)
        )

    @staticmethod
    def _text(certificate: x509.Certificate) -> str:
        return certificate.public_bytes(serialization.Encoding.PEM).decode()


@pytest.fixture(scope="session")
def authority() -> Authority:
    return Authority()


@pytest.fixture
def serve(authority: Authority) -> Iterator[Callable[..., Server]]:
    """Starts servers: ``serve()`` is plain, ``serve(tls=True)`` has a certificate and asks for one."""
    running: list[Server] = []

    def start(*, tls: bool = False, pair: Pair | None = None, port: int = 0) -> Server:
        server = _listen(_server_context(authority, pair) if tls else None, port)
        running.append(server)
        return server

    yield start
    for server in running:
        server.stop()


def _server_context(authority: Authority, pair: Pair | None) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    pair = pair or authority.issue("server")
    with tempfile.NamedTemporaryFile("w") as file:
        file.write(pair.certificate + pair.key)
        file.flush()
        context.load_cert_chain(file.name)
    context.load_verify_locations(cadata=authority.certificate)
    context.verify_mode = ssl.CERT_OPTIONAL
    return context


@pytest.fixture
def server(serve: Callable[..., Server]) -> Server:
    """One plain server."""
    return serve()


class Tunnel:
    """A proxy that knows CONNECT and nothing else."""

    def __init__(self) -> None:
        self.heads: list[bytes] = []
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self._listener.getsockname()[1]}"
        threading.Thread(target=self._accept, daemon=True).start()

    def stop(self) -> None:
        self._listener.close()

    def _accept(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                client, _ = self._listener.accept()
                self._join(client)

    def _join(self, client: socket.socket) -> None:
        head = client.recv(65536)
        self.heads.append(head)
        host, _, port = head.split()[1].decode().partition(":")
        target = socket.create_connection((host, int(port)))
        client.sendall(b"HTTP/1.1 200 OK\r\n\r\n")
        for source, sink in ((client, target), (target, client)):
            threading.Thread(target=self._copy, args=(source, sink), daemon=True).start()

    @staticmethod
    def _copy(source: socket.socket, sink: socket.socket) -> None:
        with contextlib.suppress(OSError):
            while data := source.recv(65536):
                sink.sendall(data)


@pytest.fixture
def tunnel() -> Iterator[Tunnel]:
    running = Tunnel()
    yield running
    running.stop()


@pytest.fixture
def api_status() -> Callable[..., Reply]:
    return status


@pytest.fixture
def reply() -> type[Reply]:
    return Reply


@pytest.fixture
def no_new_files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """The temporary folder, which must be as empty after the test as before."""
    folder = tmp_path / "temporary"
    folder.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(folder))
    yield folder
    assert os.listdir(folder) == []


class FastClock:
    """Sleeping takes no time but is counted."""

    def __init__(self) -> None:
        self.now = 1000.0
        self.slept: list[float] = []

    def monotonic(self) -> float:
        return self.now

    def wall(self) -> datetime.datetime:
        return datetime.datetime.now(datetime.timezone.utc)

    def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.now += seconds


@pytest.fixture
def clock() -> FastClock:
    return FastClock()
