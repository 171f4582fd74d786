# SPDX-License-Identifier: GPL-3.0-or-later
"""Stands between a client and an API server, and writes down every request: what was really asked, not what we think is.

Plain HTTP on loopback towards the client, the identity of a kubeconfig towards the server.
"""

from __future__ import annotations

import threading
from dataclasses import asdict, dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from witness.access import Access

KEPT_HEADERS = ("accept", "accept-encoding", "content-type", "user-agent")
_HOP = ("connection", "transfer-encoding", "content-length")


@dataclass(frozen=True)
class Request:
    """One request as the client sent it."""

    method: str
    path: str
    headers: dict[str, str]
    body: str

    def as_dict(self) -> dict[str, Any]:
        """For JSON."""
        return asdict(self)


class Recorder:
    """`with Recorder(access) as recorder:` serves at `recorder.url`; `recorder.requests` is what came."""

    def __init__(self, access: Access) -> None:
        self.requests: list[Request] = []
        recorder = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def handle_any(self) -> None:
                body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
                kept = {name: value for name, value in self.headers.items() if name.lower() in KEPT_HEADERS}
                recorder.requests.append(Request(self.command, self.path, kept, body.decode()))
                self.answer(body, kept)

            def answer(self, body: bytes, headers: dict[str, str]) -> None:
                connection = access.connect(30)
                try:
                    connection.request(self.command, self.path, body or None, {**headers, **access.headers})
                    answer = connection.getresponse()
                    content = answer.read()
                finally:
                    connection.close()
                self.send_response_only(answer.status)
                for name, value in answer.getheaders():
                    if name.lower() not in _HOP:
                        self.send_header(name, value)
                self.send_header("Content-Length", str(len(content)))
                self.end_headers()
                self.wfile.write(content)

            do_GET = do_POST = do_PATCH = do_DELETE = do_PUT = handle_any

            def log_message(self, *_words: Any) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True)

    @property
    def url(self) -> str:
        """Where the client goes."""
        return f"http://127.0.0.1:{self._server.server_address[1]}"

    def __enter__(self) -> Recorder:
        self._thread.start()
        return self

    def __exit__(self, *_error: object) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()
