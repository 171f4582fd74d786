# SPDX-License-Identifier: GPL-3.0-or-later
"""A relay that understands what passes: it lists every write, and holds one still while a process is hit.

It listens in the thread of the tests' `Relays`. Plain HTTP towards the run, whose kubeconfig has this address and no credentials;
the identity of a kubeconfig towards the API server. Watches pass as they come.
"""

from __future__ import annotations

import asyncio
import contextlib
import threading
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from urllib.parse import urlsplit

from integration.relay import Relays
from testbed import kubeconfig
from witness.access import Access

from . import http1
from .http1 import Message
from .points import BEFORE, MIDDLE, Point, Sent, sent

LONGEST_LINE = 1 << 22
Strike = Callable[[], bool]
"""Hits who is to be hit; answers whether the one who asked still lives."""


class Trap:
    """One point, and what happens there: once."""

    def __init__(self, point: Point, strike: Strike) -> None:
        self.point = point
        self.strike = strike
        self.sprung = threading.Event()
        self.done = threading.Event()
        self.release = threading.Event()
        self.release.set()
        """Cleared by who wants the write held after the strike."""

    def takes(self, write: Sent) -> bool:
        """Whether this write is the one; True only once."""
        if self.sprung.is_set() or write != self.point.sent:
            return False
        self.sprung.set()
        return True


class Gate:
    """The way of one cluster's runs to their API server."""

    def __init__(self, relays: Relays, access: Access) -> None:
        self._access = access
        self._counts: Counter[Sent] = Counter()
        self.writes: dict[Sent, float] = {}
        """Those of the run at work, in order, and when each came."""
        self.trap: Trap | None = None
        self.port = relays.serve(self._carry, LONGEST_LINE)

    def write_kubeconfig(self, path: Path, name: str) -> Path:
        """For the runs that shall pass here."""
        document = kubeconfig.document(name, f"http://127.0.0.1:{self.port}", b"", {}, name)
        del document["clusters"][0]["cluster"]["certificate-authority-data"]
        kubeconfig.write(path, document)
        return path

    def begin(self, trap: Trap | None = None) -> None:
        """For a new run: count anew, and set this trap."""
        self._counts.clear()
        self.writes = {}
        self.trap = trap

    async def _carry(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """One connection of a run, request by request."""
        parts = urlsplit(self._access.server)
        behind: tuple[asyncio.StreamReader, asyncio.StreamWriter] | None = None
        try:
            while request := await http1.read_request(reader):
                if behind is None:
                    behind = await asyncio.open_connection(parts.hostname, parts.port, ssl=self._access.context, limit=LONGEST_LINE)
                if not await self._pass(request, reader, writer, *behind):
                    break
        except (OSError, asyncio.IncompleteReadError):
            pass  # who asked has been killed, or the API server has ended
        finally:
            for one in (writer, behind[1] if behind else writer):
                with contextlib.suppress(OSError):
                    one.close()

    async def _pass(
        self,
        request: Message,
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
        upstream: asyncio.StreamReader,
        onward: asyncio.StreamWriter,
    ) -> bool:
        """Carry one request and its answer; whether the connection is still good."""
        wanted = http1.asked(request)
        if wanted.streams:
            onward.write(request.raw)
            await _pour(upstream, writer, reader)
            return False
        write = self._numbered(sent(request))
        trap = self.trap if write and self.trap and self.trap.takes(write) else None
        if trap and trap.point.moment == BEFORE and not await _struck(trap):
            return False
        onward.write(request.raw)
        await onward.drain()
        answer = await http1.read_answer(upstream, wanted.method)
        if trap and trap.point.moment != BEFORE:
            half = answer.raw[: len(answer.raw) // 2] if trap.point.moment == MIDDLE else b""
            writer.write(half)
            await writer.drain()
            if not await _struck(trap):
                return False
            writer.write(answer.raw[len(half) :])
        else:
            writer.write(answer.raw)
        await writer.drain()
        return answer.header("connection").lower() != "close"

    def _numbered(self, write: Sent | None) -> Sent | None:
        if write is None:
            return None
        self._counts[write] += 1
        numbered = replace(write, number=self._counts[write])
        self.writes[numbered] = time.time()
        return numbered


async def _struck(trap: Trap) -> bool:
    """Do what the trap does, beside the other connections; whether who asked still lives."""
    loop = asyncio.get_running_loop()
    lives = await loop.run_in_executor(None, trap.strike)
    trap.done.set()
    if lives and not trap.release.is_set():
        await loop.run_in_executor(None, trap.release.wait)
    return lives


async def _pour(upstream: asyncio.StreamReader, writer: asyncio.StreamWriter, reader: asyncio.StreamReader) -> None:
    """A watch: bytes as they come, until one of the two ends."""

    async def forth() -> None:
        while data := await upstream.read(1 << 16):
            writer.write(data)
            await writer.drain()

    tasks = [asyncio.ensure_future(forth()), asyncio.ensure_future(reader.read(1))]
    _done, pending = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    for task in pending:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
