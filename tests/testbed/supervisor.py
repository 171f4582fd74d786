# SPDX-License-Identifier: GPL-3.0-or-later
"""The process that holds one cluster together: namespace, servers, node agent and forwarders.

Servers that `Cluster.serve` names later are kept in the same way, until they are withdrawn.

It opens its listening sockets in the host's network, moves into a network of its own and starts everything there.
Whatever ends it ends all of them (parent-death signal); a server that dies alone is started again.
Run as `python -m testbed.supervisor BED_FOLDER CLUSTER`, by `Bed.up`.
"""

from __future__ import annotations

import asyncio
import json
import os
import signal
import socket
import ssl
import sys
from pathlib import Path

from . import control_plane, linux, network, records
from .control_plane import Server
from .forwarder import Forwarder
from .layout import BedPaths, ClusterPaths

RESTART_DELAY = 0.5
FOLLOW_SECONDS = 0.25
#: What a socket of the host's loopback leads to: API server, the dashboard's NodePort, the ingress controller if there is one.
PORTS = ("api_port", "entry_port", "ingress_port")


class Supervisor:
    """Starts, watches and ends the processes of one cluster."""

    def __init__(self, paths: ClusterPaths) -> None:
        self._paths = paths
        self._settings = json.loads(paths.settings.read_text(encoding="utf-8"))
        self._listeners: list[socket.socket] = []
        self._children: dict[str, asyncio.subprocess.Process] = {}
        self._children_records: dict[str, dict[str, int]] = {}
        self._watchers: list[asyncio.Task[None]] = []
        self._stopping = asyncio.Event()

    def record(self, **more: object) -> None:
        """What `down` and `exec` read."""
        known = {"supervisor": records.identity(os.getpid()), "children": self._children_records, **more}
        known.update({key: self._settings[key] for key in PORTS if key in self._settings})
        records.write_json(self._paths.record, known)

    def open_sockets(self) -> None:
        """Free ports of the host's loopback, chosen by the kernel."""
        for key in PORTS:
            listener = socket.create_server(("127.0.0.1", 0), backlog=1024)
            self._listeners.append(listener)
            self._settings[key] = listener.getsockname()[1]
        records.write_json(self._paths.settings, self._settings)

    def enter(self) -> None:
        """Into the cluster's own network; what the servers need is written before they run."""
        linux.enter_own_network()
        network.set_up()
        control_plane.prepare(self._paths, self._settings["api_port"])

    async def run(self) -> None:
        """Until told to stop."""
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, self._stopping.set)
        node = network.NODE_ADDRESS
        targets = (("127.0.0.1", self._settings["api_port"]), (node, self._settings["entry_node_port"]), (node, network.INGRESS_PORT))
        for listener, target in zip(self._listeners, targets, strict=True):
            await Forwarder(listener, *target).start()
        starting = asyncio.create_task(self._start_all())
        await self._stopping.wait()
        for task in (starting, *self._watchers):
            task.cancel()
        await self._kill_all()

    async def _start_all(self) -> None:
        """The clients of the API server exit when it is not ready, and would only slow its start."""
        first = ("etcd", "kube-apiserver", "agent")
        servers = self._servers()
        self._watchers = [asyncio.create_task(self._keep(server)) for server in servers if server.name in first]
        await self._api_ready()
        self._watchers += [asyncio.create_task(self._keep(server)) for server in servers if server.name not in first]
        self._watchers.append(asyncio.create_task(self._follow()))

    async def _follow(self) -> None:
        """What the file of more servers names is kept running; what it names no longer is ended."""
        kept: dict[str, tuple[Server, asyncio.Task[None]]] = {}
        while True:
            wanted = [Server(**item) for item in records.read_json(self._paths.servers) or []]
            for name, (server, task) in list(kept.items()):
                if server not in wanted:
                    task.cancel()
                    await asyncio.wait([task])
                    del kept[name]
            for server in wanted:
                if server.name not in kept:
                    kept[server.name] = (server, asyncio.create_task(self._keep(server)))
            await asyncio.sleep(FOLLOW_SECONDS)

    async def _api_ready(self) -> None:
        """`/readyz` may be asked by anybody."""
        trust = ssl.create_default_context(cafile=str(self._paths.pki / "ca.crt"))
        request = b"GET /readyz HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"
        while True:
            try:
                reader, writer = await asyncio.open_connection("127.0.0.1", self._settings["api_port"], ssl=trust)
                writer.write(request)
                line = await reader.readline()
                writer.close()
                if b" 200 " in line:
                    return
            except OSError:
                pass
            await asyncio.sleep(0.1)

    def _servers(self) -> list[Server]:
        here = Path(__file__).resolve().parent
        agent = Server(
            "agent", [sys.executable, "-m", "testbed.agent", str(self._paths.bed.root), self._paths.name], {"PYTHONPATH": str(here.parent)}
        )
        return [*control_plane.servers(self._paths, self._settings["programs"], self._settings["api_port"]), agent]

    async def _keep(self, server: Server) -> None:
        """One server, started again whenever it dies."""
        while not self._stopping.is_set():
            with open(self._paths.logs / f"{server.name}.log", "ab") as log:
                child = await asyncio.create_subprocess_exec(
                    *server.command,
                    stdin=asyncio.subprocess.DEVNULL,
                    stdout=log,
                    stderr=log,
                    cwd=self._paths.root,
                    env={**os.environ, "PATH": linux.system_path(), **server.environment},
                    preexec_fn=linux.die_with_parent(),
                )
            self._children[server.name] = child
            self._children_records[server.name] = records.identity(child.pid)
            self.record()
            try:
                code = await child.wait()
            except asyncio.CancelledError:
                child.kill()
                raise
            print(f"{server.name} (pid {child.pid}) ended with {code}", flush=True)
            await asyncio.sleep(RESTART_DELAY)

    async def _kill_all(self) -> None:
        """All data is thrown away with the cluster: no orderly end is needed."""
        for child in self._children.values():
            if child.returncode is None:
                child.kill()
        await asyncio.gather(*(child.wait() for child in self._children.values()))


async def _main(paths: ClusterPaths) -> None:
    supervisor = Supervisor(paths)
    supervisor.record(state="starting")
    if paths.stop.exists():
        return
    supervisor.open_sockets()
    try:
        supervisor.enter()
    except linux.NamespacesForbidden as error:
        supervisor.record(error=str(error))
        raise
    supervisor.record()
    await supervisor.run()


def main() -> None:
    """Arguments: the bed's folder and the cluster's name."""
    asyncio.run(_main(BedPaths(Path(sys.argv[1])).cluster(sys.argv[2])))


if __name__ == "__main__":
    main()
