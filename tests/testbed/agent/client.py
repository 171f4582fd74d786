# SPDX-License-Identifier: GPL-3.0-or-later
"""A small asynchronous client of one API server: JSON requests over kept connections, and watches."""

from __future__ import annotations

import asyncio
import json
import ssl
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

MERGE = "application/merge-patch+json"
STRATEGIC = "application/strategic-merge-patch+json"
JSON = "application/json"
KEPT = 8

Stream = tuple[asyncio.StreamReader, asyncio.StreamWriter]


class ApiError(Exception):
    """An answer other than 2xx."""

    def __init__(self, status: int, answer: Any) -> None:
        self.status = status
        self.answer = answer
        super().__init__(f"{status}: {answer.get('message', '') if isinstance(answer, dict) else answer}")


class Unreachable(OSError):
    """No answer at all."""


async def _headers(reader: asyncio.StreamReader) -> tuple[int, dict[str, str]]:
    line = await reader.readline()
    if not line:
        raise Unreachable("connection closed")
    status = int(line.split()[1])
    headers: dict[str, str] = {}
    while (line := await reader.readline()) not in (b"\r\n", b""):
        name, _colon, value = line.decode("latin-1").partition(":")
        headers[name.strip().lower()] = value.strip()
    return status, headers


async def _chunk(reader: asyncio.StreamReader) -> bytes:
    size = int((await reader.readline()).split(b";")[0] or b"0", 16)
    data = await reader.readexactly(size)
    await reader.readline()
    return data


async def _body(reader: asyncio.StreamReader, headers: dict[str, str]) -> bytes:
    if headers.get("transfer-encoding") == "chunked":
        parts = []
        while data := await _chunk(reader):
            parts.append(data)
        return b"".join(parts)
    return await reader.readexactly(int(headers.get("content-length", 0)))


class Client:
    """Requests as one user; safe for many tasks of one loop."""

    def __init__(self, url: str, context: ssl.SSLContext, token_file: Path | None = None) -> None:
        parts = urlsplit(url)
        self._address = (parts.hostname or "", parts.port or 443)
        self._context = context
        self._token_file = token_file
        self._free: list[Stream] = []

    def _head(self, method: str, path: str, body: bytes, kind: str) -> bytes:
        lines = [
            f"{method} {path} HTTP/1.1",
            f"Host: {self._address[0]}:{self._address[1]}",
            "Accept: application/json",
            "User-Agent: testbed-agent",
            f"Content-Length: {len(body)}",
        ]
        if body:
            lines.append(f"Content-Type: {kind}")
        if self._token_file and self._token_file.exists():
            lines.append(f"Authorization: Bearer {self._token_file.read_text(encoding='ascii')}")
        return ("\r\n".join(lines) + "\r\n\r\n").encode("latin-1")

    async def _open(self) -> Stream:
        return await asyncio.open_connection(*self._address, ssl=self._context, limit=1 << 22)

    async def _exchange(self, stream: Stream, data: bytes) -> tuple[int, bytes]:
        reader, writer = stream
        writer.write(data)
        await writer.drain()
        status, headers = await _headers(reader)
        body = await _body(reader, headers)
        if headers.get("connection") == "close" or len(self._free) >= KEPT:
            writer.close()
        else:
            self._free.append(stream)
        return status, body

    async def _send(self, data: bytes) -> tuple[int, bytes]:
        """Over a kept connection first; such a one may have been closed meanwhile, then over a new one."""
        while self._free:
            stream = self._free.pop()
            try:
                return await self._exchange(stream, data)
            except (OSError, asyncio.IncompleteReadError):
                stream[1].close()
        return await self._exchange(await self._open(), data)

    async def request(self, method: str, path: str, value: Any = None, kind: str = JSON) -> Any:
        """The decoded answer; ApiError for refusals, Unreachable when there is none."""
        body = b"" if value is None else json.dumps(value).encode("utf-8")
        try:
            status, raw = await self._send(self._head(method, path, body, kind) + body)
        except (OSError, asyncio.IncompleteReadError) as error:
            raise Unreachable(str(error)) from error
        try:
            answer = json.loads(raw) if raw else {}
        except ValueError:
            answer = raw.decode("utf-8", "replace")
        if status >= 300:
            raise ApiError(status, answer)
        return answer

    async def get(self, path: str) -> Any:
        return await self.request("GET", path)

    async def watch(self, path: str) -> AsyncIterator[tuple[str, dict[str, Any]]]:
        """(type, object) of each event until the server ends the watch."""
        reader, writer = await self._open()
        try:
            writer.write(self._head("GET", path, b"", JSON))
            status, headers = await _headers(reader)
            if status != 200:
                raise ApiError(status, (await _body(reader, headers)).decode("utf-8", "replace"))
            rest = b""
            while data := await _chunk(reader):
                *lines, rest = (rest + data).split(b"\n")
                for line in lines:
                    event = json.loads(line)
                    yield event["type"], event["object"]
        finally:
            writer.close()


def context_from(ca: str, certificate: str | None = None, key: str | None = None) -> ssl.SSLContext:
    """Trusts one authority, and shows a client certificate if there is one."""
    context = ssl.create_default_context(cafile=ca)
    if certificate:
        context.load_cert_chain(certificate, key)
    return context
