# SPDX-License-Identifier: GPL-3.0-or-later
"""The independent witness (tests/witness) on the clusters that climb, and what it saw."""

from __future__ import annotations

import json
import subprocess
import sys
import threading
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from testbed import Cluster
from witness import endpoints

from .lab import NAMESPACE, ROOT, WG_SERVICE, Run

Object = dict[str, Any]
LINGER = 2.0
USUAL = (NAMESPACE, WG_SERVICE)
MORTAL = ("setpriv", "--pdeathsig", "TERM")
"""From the same package as nsenter: what is started so ends with us, however we end."""


class Witness:
    """The independent witness at work on one cluster, in processes of its own.

    Load on the ClusterIP and the NodePort from inside the cluster's network and on the service proxy from outside, and a watch on the
    endpoints of each Service named.
    """

    def __init__(
        self,
        cluster: Cluster,
        folder: Path,
        watched: tuple[str, ...],
        rate: float,
        *words: str,
        service: tuple[str, str] = USUAL,
        ingress: bool = False,
    ) -> None:
        """``words``: further options of the load; ``service``: namespace and name of the Service that gets it; ``ingress``: that too."""
        place, name = service
        self._folder = folder
        folder.mkdir(parents=True)
        spec = cluster.api().get(f"/api/v1/namespaces/{place}/services/{name}")["spec"]
        port = spec["ports"][0]
        node = cluster.api().get("/api/v1/nodes")["items"][0]["status"]["addresses"][0]["address"]
        load = [*MORTAL, sys.executable, str(ROOT / "tests/witness/load.py"), "--rate", str(rate), *words]
        config = str(cluster.kubeconfig)
        inside = [f"clusterip=http://{spec['clusterIP']}:{port['port']}/", f"nodeport=http://{node}:{port['nodePort']}/"]
        outside = [f"proxy=/api/v1/namespaces/{place}/services/http:{name}:{port['port']}/proxy/"]
        outside += [f"ingress={cluster.ingress_url}"] if ingress else []
        self._loads = [
            self._start("inside", cluster.enter_command([*load, *inside])),
            self._start("outside", [*load, "--kubeconfig", config, *outside]),
        ]
        watch = [*MORTAL, sys.executable, str(ROOT / "tests/witness/endpoints.py"), "--kubeconfig", config, "--namespace", place]
        self._watches = {one: self._start(one, [*watch, "--service", one]) for one in watched}

    def _start(self, name: str, command: list[str]) -> subprocess.Popen[bytes]:
        with open(self._folder / name, "wb") as out, open(self._folder / f"{name}.errors", "wb") as errors:
            return subprocess.Popen(command, stdout=out, stderr=errors)

    def ready(self) -> bool:
        """Whether all of them are at work."""
        return all((self._folder / name).stat().st_size for name in ("inside", "outside", *self._watches))

    def stop(self, until: float) -> Seen:
        """End them all and read what they saw."""
        processes = [*self._loads, *self._watches.values()]
        for process in processes:
            process.terminate()
        for process in processes:
            process.wait(20)
        streams = []
        for name in ("inside", "outside"):
            last = (self._folder / name).read_text(encoding="utf-8").splitlines()[-1]
            streams += json.loads(last)["streams"]
        replays = {name: endpoints.replay(endpoints.read(self._folder / name), until) for name in self._watches}
        return Seen(streams, replays)


@dataclass(frozen=True)
class Seen:
    """What the witness saw on one cluster."""

    streams: list[Object]
    endpoints: dict[str, endpoints.Replay]

    @property
    def requests(self) -> int:
        """All that were sent."""
        return sum(int(stream["requests"]) for stream in self.streams)

    @property
    def lost(self) -> int:
        """All that got no good answer."""
        return sum(int(stream["lost"]) for stream in self.streams)

    @property
    def doors(self) -> dict[str, tuple[int, int]]:
        """By door: how many were sent, and how many got no good answer."""
        found: dict[str, tuple[int, int]] = {}
        for stream in self.streams:
            requests, lost = found.get(stream["target"], (0, 0))
            found[stream["target"]] = (requests + int(stream["requests"]), lost + int(stream["lost"]))
        return found

    @property
    def longest_outage(self) -> float:
        """The worst of all streams, in seconds."""
        return max(float(stream["longest_outage_seconds"]) for stream in self.streams)

    @property
    def losses(self) -> list[str]:
        """Each loss in words."""
        return [f"{s['target']} reused={s['reused']}: {loss['at']} {loss['why']}" for s in self.streams for loss in s["losses"]]


class Attendance(threading.Thread):
    """Has each witness go a little after its cluster's verdict is known: all share the machine with those who still climb."""

    def __init__(self, run: Run, present: dict[str, Witness]) -> None:
        super().__init__(name="attendance", daemon=True)
        self._run = run
        self._present = dict(present)
        self._seen: dict[str, Seen] = {}
        self._known: dict[str, float] = {}
        self._over = threading.Event()
        self._error: Exception | None = None

    def run(self) -> None:
        """Until the playbook is at its end."""
        try:
            while not self._over.wait(0.1):
                self._look()
        except Exception as error:
            self._error = error

    def end(self) -> dict[str, Seen]:
        """What was seen of each; who is still there leaves now."""
        self._over.set()
        self.join()
        for name in list(self._present):
            self._leave(name)
        if self._error:
            raise self._error
        return self._seen

    def _look(self) -> None:
        for name in self._verdicts() - self._known.keys():
            self._known[name] = time.monotonic()
        for name in [name for name in self._present if time.monotonic() - self._known.get(name, time.monotonic()) > LINGER]:
            self._leave(name)

    def _verdicts(self) -> set[str]:
        """The hosts whose verdict is in the run file."""
        lines = [line for path in self._run.reports.glob("*.jsonl") for line in path.read_text(encoding="utf-8").splitlines()]
        return {record["host"] for record in map(json.loads, lines) if record["record"] == "verdict"}

    def _leave(self, name: str) -> None:
        self._seen[name] = self._present.pop(name).stop(time.time())
