# SPDX-License-Identifier: GPL-3.0-or-later
"""A small fast HTTP/1.1 server for the stand-in products.

Keeps: kept connections, HTTP/1.0, HEAD, request bodies with a length or in chunks, dropping a connection without an
answer. Leaves out: HTTP/2, compression, pipelined requests being answered in parallel.
"""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Awaitable, Callable
from email.utils import formatdate
from http import HTTPStatus
from ssl import SSLContext
from typing import Any, NamedTuple
from urllib.parse import parse_qs, urlsplit

LIMIT = 1 << 20


class Request(NamedTuple):
    """One request, read whole."""

    method: str
    path: str
    query: dict[str, list[str]]
    headers: dict[str, str]
    body: bytes

    def json(self) -> dict[str, Any]:
        """The body as an object; {} for anything else."""
        try:
            value = json.loads(self.body or b"{}")
        except ValueError:
            return {}
        return value if isinstance(value, dict) else {}

    def cookie(self, name: str) -> str | None:
        for part in self.headers.get("cookie", "").split(";"):
            key, _equal, value = part.strip().partition("=")
            if key == name:
                return value
        return None


class Answer(NamedTuple):
    """What is sent back; `headers` come after the usual ones."""

    status: int = 200
    body: bytes = b""
    content_type: str | None = None
    headers: tuple[tuple[str, str], ...] = ()


#: None drops the connection without an answer.
Handler = Callable[[Request], Awaitable["Answer | None"]]

_date = (0, "")


def _now() -> str:
    """The Date header, made once a second."""
    global _date  # pylint: disable=global-statement
    second = int(time.time())
    if second != _date[0]:
        _date = (second, formatdate(second, usegmt=True))
    return _date[1]


def encode(answer: Answer, head: bool, close: bool) -> bytes:
    """Status line, headers and body."""
    lines = [f"HTTP/1.1 {answer.status} {HTTPStatus(answer.status).phrase}"]
    if answer.content_type:
        lines.append(f"Content-Type: {answer.content_type}")
    lines.extend(f"{name}: {value}" for name, value in answer.headers)
    lines.append(f"Date: {_now()}")
    lines.append(f"Content-Length: {len(answer.body)}")
    if close:
        lines.append("Connection: close")
    return ("\r\n".join(lines) + "\r\n\r\n").encode("latin-1") + (b"" if head else answer.body)


async def _read_body(reader: asyncio.StreamReader, headers: dict[str, str]) -> bytes:
    if headers.get("transfer-encoding", "").lower() == "chunked":
        parts = []
        while size := int((await reader.readline()).split(b";")[0], 16):
            parts.append(await reader.readexactly(size))
            await reader.readline()
        await reader.readline()
        return b"".join(parts)
    return await reader.readexactly(int(headers.get("content-length") or 0))


async def _read(reader: asyncio.StreamReader) -> tuple[Request, bool] | None:
    """One request and whether the connection ends after it; None at the end of the connection."""
    head = await reader.readuntil(b"\r\n\r\n")
    first, *rest = head[:-4].decode("latin-1").split("\r\n")
    method, target, version = first.split(" ")
    headers = {name.strip().lower(): value.strip() for name, _colon, value in (line.partition(":") for line in rest)}
    parts = urlsplit(target)
    wish = headers.get("connection", "").lower()
    close = wish == "close" or (version == "HTTP/1.0" and wish != "keep-alive")
    query = parse_qs(parts.query, keep_blank_values=True) if parts.query else {}
    return Request(method, parts.path or "/", query, headers, await _read_body(reader, headers)), close


class Server:
    """Answers with what `handler` returns."""

    def __init__(self, handler: Handler) -> None:
        self._handler = handler

    async def listen(self, address: str, port: int, tls: SSLContext | None = None) -> None:
        """Begin to accept on one address."""
        await asyncio.start_server(self._serve, address, port, ssl=tls, limit=LIMIT, backlog=512)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        close = False
        try:
            while not close:
                found = await _read(reader)
                if found is None:
                    break
                request, close = found
                answer = await self._handler(request)
                if answer is None:
                    break
                writer.write(encode(answer, request.method == "HEAD", close))
                await writer.drain()
        except (OSError, ValueError, asyncio.IncompleteReadError, asyncio.LimitOverrunError):
            pass
        finally:
            writer.close()
