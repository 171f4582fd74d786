# SPDX-License-Identifier: GPL-3.0-or-later
"""Further addresses of one API server: two hosts of an inventory must not have the same, as `wge_validate` sees to."""

from __future__ import annotations

import asyncio
import socket
import threading
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Any

import yaml
from testbed.forwarder import Forwarder


class Relays:
    """Carries bytes from free ports of the loopback to API servers, in a thread of its own."""

    def __init__(self) -> None:
        self._loop = asyncio.new_event_loop()
        self._servers: list[asyncio.Server] = []
        self._carried: set[asyncio.Task[None]] = set()
        self._thread = threading.Thread(target=self._loop.run_forever, name="relays", daemon=True)
        self._thread.start()

    def readdress(self, kubeconfig: Path) -> Path:
        """Give a kubeconfig an address of its own; the file is changed and returned."""
        content = yaml.safe_load(kubeconfig.read_text(encoding="utf-8"))
        cluster = content["clusters"][0]["cluster"]
        cluster["server"] = f"https://127.0.0.1:{self._listen(int(cluster['server'].rpartition(':')[2]))}"
        kubeconfig.write_text(yaml.safe_dump(content), encoding="utf-8")
        return kubeconfig

    def serve(self, carry: Callable[[asyncio.StreamReader, asyncio.StreamWriter], Coroutine[Any, Any, None]], limit: int) -> int:
        """Have ``carry`` called for each connection to a new port, in the thread; the port."""

        def accept(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            task = self._loop.create_task(carry(reader, writer))
            self._carried.add(task)  # asyncio itself may forget it
            task.add_done_callback(self._carried.discard)

        listener = socket.create_server(("127.0.0.1", 0))
        begun = asyncio.run_coroutine_threadsafe(asyncio.start_server(accept, sock=listener, limit=limit), self._loop)
        self._servers.append(begun.result(10))
        return int(listener.getsockname()[1])

    def close(self) -> None:
        """End the thread and its sockets."""
        for server in self._servers:
            self._loop.call_soon_threadsafe(server.close)
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(10)
        self._loop.run_until_complete(self._wind_up())
        self._loop.close()

    async def _wind_up(self) -> None:
        tasks = [task for task in asyncio.all_tasks() if task is not asyncio.current_task()]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    def _listen(self, port: int) -> int:
        listener = socket.create_server(("127.0.0.1", 0))
        begun = asyncio.run_coroutine_threadsafe(Forwarder(listener, "127.0.0.1", port).start(), self._loop)
        self._servers.append(begun.result(10))
        return int(listener.getsockname()[1])


def closed_port() -> int:
    """A port of the loopback on which nobody listens."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return int(listener.getsockname()[1])
