# SPDX-License-Identifier: GPL-3.0-or-later
"""HTTP/1.1 as far as a relay must understand it: where a message ends, and what a request wants. Bytes stay as they came."""

from __future__ import annotations

import asyncio
import gzip
import json
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qs, urlsplit

END = b"\r\n\r\n"
NO_BODY = (204, 304)


@dataclass(frozen=True)
class Message:
    """A request or an answer: its head with the empty line, and its body as it was framed."""

    head: bytes
    framed: bytes
    body: bytes

    @property
    def first(self) -> list[str]:
        """The words of its first line."""
        return self.head.partition(b"\r\n")[0].decode("latin-1").split(" ", 2)

    @property
    def raw(self) -> bytes:
        """All of it, as it came."""
        return self.head + self.framed

    def header(self, name: str) -> str:
        """One header, empty when it is not there."""
        return header(self.head, name)

    def content(self) -> Any:
        """The body, when it is JSON."""
        text = gzip.decompress(self.body) if self.header("content-encoding") == "gzip" else self.body
        try:
            return json.loads(text)
        except ValueError:
            return None


@dataclass(frozen=True)
class Asked:
    """What a request line asks for."""

    method: str
    path: str
    query: dict[str, list[str]]

    @property
    def streams(self) -> bool:
        """Whether the answer has no end of its own."""
        return self.query.get("watch", [""])[0] in ("1", "true") or self.query.get("follow", [""])[0] in ("1", "true")


def header(head: bytes, name: str) -> str:
    """One header of a head, empty when it is not there."""
    for line in head.split(b"\r\n")[1:]:
        key, _colon, value = line.partition(b":")
        if key.strip().lower() == name.encode():
            return value.strip().decode("latin-1")
    return ""


def asked(request: Message) -> Asked:
    """What a request wants."""
    method, target = request.first[:2]
    parts = urlsplit(target)
    return Asked(method, parts.path, parse_qs(parts.query))


async def read_head(reader: asyncio.StreamReader) -> bytes:
    """A head; nothing when the other side has ended. Raises IncompleteReadError when it ends within."""
    try:
        return await reader.readuntil(END)
    except asyncio.IncompleteReadError as cut:
        if cut.partial:
            raise
        return b""


async def read_request(reader: asyncio.StreamReader) -> Message | None:
    """The next request, None at the end."""
    head = await read_head(reader)
    return Message(head, *await _body(reader, head)) if head else None


async def read_answer(reader: asyncio.StreamReader, method: str) -> Message:
    """The answer to a request of this method. Raises IncompleteReadError when it is cut."""
    head = await reader.readuntil(END)
    status = int(head.split(b" ", 2)[1])
    if method == "HEAD" or status in NO_BODY:
        return Message(head, b"", b"")
    if not header(head, "content-length") and not header(head, "transfer-encoding"):
        rest = await reader.read()
        return Message(head, rest, rest)
    return Message(head, *await _body(reader, head))


async def _body(reader: asyncio.StreamReader, head: bytes) -> tuple[bytes, bytes]:
    """The body as it was framed, and without the framing."""
    if header(head, "transfer-encoding").lower() == "chunked":
        return await _chunks(reader)
    body = await reader.readexactly(int(header(head, "content-length") or 0))
    return body, body


async def _chunks(reader: asyncio.StreamReader) -> tuple[bytes, bytes]:
    framed, body = [], []
    while True:
        line = await reader.readuntil(b"\r\n")
        size = int(line.split(b";")[0], 16)
        chunk = await reader.readexactly(size + 2)
        framed += [line, chunk]
        body.append(chunk[:-2])
        if not size:
            return b"".join(framed), b"".join(body)
