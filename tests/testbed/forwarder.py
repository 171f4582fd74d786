# SPDX-License-Identifier: GPL-3.0-or-later
"""Carries connections from a socket of the host into the cluster's network.

Stands for an external load balancer (the entry's listener) and for the way to an API server (the other one).
Keeps: bytes in order, half-closed connections, and failures: what is refused or reset inside is reset outside.
Leaves out: health checks, retries, several back ends, addresses of clients.
"""

from __future__ import annotations

import asyncio
import socket
import struct

CHUNK = 1 << 16
_RESET = struct.pack("ii", 1, 0)


def _reset(writer: asyncio.StreamWriter) -> None:
    """End with RST: the other side must see a failure, not an orderly end."""
    raw = writer.get_extra_info("socket")
    try:
        raw.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET)
    except OSError:
        pass
    writer.transport.abort()


async def _copy(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Until the end of one direction; then only that direction is closed."""
    while data := await reader.read(CHUNK):
        writer.write(data)
        await writer.drain()
    if writer.can_write_eof():
        writer.write_eof()


class Forwarder:
    """One listener and the address inside to which it leads."""

    def __init__(self, listener: socket.socket, host: str, port: int) -> None:
        self._listener = listener
        self._target = (host, port)
        self._carried: set[asyncio.Task[None]] = set()

    async def start(self) -> asyncio.Server:
        """Begin to accept."""

        def accept(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            # kept here: asyncio itself may forget a connection whose one direction has ended
            task = asyncio.create_task(self._carry(reader, writer))
            self._carried.add(task)
            task.add_done_callback(self._carried.discard)

        return await asyncio.start_server(accept, sock=self._listener, limit=CHUNK)

    async def _carry(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            inner_reader, inner_writer = await asyncio.open_connection(*self._target, limit=CHUNK)
        except OSError:
            _reset(writer)
            return
        for one in (writer, inner_writer):
            one.get_extra_info("socket").setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        tasks = [asyncio.create_task(_copy(reader, inner_writer)), asyncio.create_task(_copy(inner_reader, writer))]
        try:
            await asyncio.gather(*tasks)
        except (OSError, asyncio.IncompleteReadError):
            for one in (writer, inner_writer):
                _reset(one)
        finally:
            for task in tasks:
                task.cancel()
            writer.close()
            inner_writer.close()
