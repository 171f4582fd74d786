# SPDX-License-Identifier: GPL-3.0-or-later
"""The witness's programs around one cluster: started, followed, ended. What they say is only collected here."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from witness.access import Access
from witness.endpoints import Replay, read, replay

PROGRAMS = Path(__file__).resolve().parent.parent / "witness"
NAMESPACE = "flux-system"
LONGEST_SECONDS = 1800
Service = dict[str, Any]


class WitnessError(RuntimeError):
    """The witness could not do its work, in one sentence."""


@dataclass(frozen=True)
class Entrance:
    """The dashboard's Service as the witness found it before the upgrade, and the ways to it."""

    service: str
    inside: tuple[str, ...]
    outside: tuple[str, ...]


def services(access: Access) -> dict[str, Service]:
    """What a caller relies on, of every Service of the namespace."""
    items = access.get(f"/api/v1/namespaces/{NAMESPACE}/services")["items"]
    return {item["metadata"]["name"]: _identity(item) for item in items}


def _identity(item: dict[str, Any]) -> Service:
    spec = item["spec"]
    ports = {port.get("name", str(port["port"])): [port["port"], port.get("nodePort")] for port in spec["ports"]}
    return {"uid": item["metadata"]["uid"], "clusterIP": spec["clusterIP"], "ports": ports}


def entrance(access: Access) -> Entrance:
    """The one Service of the namespace that has a node port, which is how the bed's users come in."""
    found = [(name, one) for name, one in services(access).items() if any(port[1] for port in one["ports"].values())]
    if len(found) != 1:
        raise WitnessError(f"{len(found)} Services with a node port were found in {NAMESPACE} instead of one.")
    name, service = found[0]
    port, node_port = next(ports for ports in service["ports"].values() if ports[1])
    addresses = access.get("/api/v1/nodes")["items"][0]["status"]["addresses"]
    node = next(item["address"] for item in addresses if item["type"] == "InternalIP")
    inside = (f"clusterip=http://{service['clusterIP']}:{port}/", f"nodeport=http://{node}:{node_port}/")
    return Entrance(name, inside, (f"proxy=/api/v1/namespaces/{NAMESPACE}/services/http:{name}:{port}/proxy/",))


@dataclass
class Loader:
    """One load program and the newest line it wrote."""

    process: subprocess.Popen[str]
    last: dict[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def _read(self) -> None:
        assert self.process.stdout
        for line in self.process.stdout:
            self.last = json.loads(line)

    def end(self) -> list[dict[str, Any]]:
        """Its summary. Raises WitnessError when it has none."""
        self.process.terminate()
        try:
            self.process.wait(20)
        except subprocess.TimeoutExpired:
            raise WitnessError("A load program did not end within 20 s of SIGTERM.") from None
        self._reader.join(5)
        if "streams" not in self.last:
            raise WitnessError(f"A load program ended with {self.process.returncode} and without a summary.")
        streams: list[dict[str, Any]] = self.last["streams"]
        return streams


class Witnesses:
    """All programs that watch one cluster."""

    def __init__(self, name: str, kubeconfig: Path, enter: list[str], folder: Path) -> None:
        """``enter`` are the words that run a command inside the cluster's network; ``folder`` gets the records."""
        self.name = name
        self._kubeconfig = kubeconfig
        self._enter = enter
        self._events = folder / f"{name}-endpoints.jsonl"
        self._summary = folder / f"{name}-load.json"
        self._access = Access.from_kubeconfig(kubeconfig)
        self._loaders: list[Loader] = []
        self._recorder: subprocess.Popen[bytes] | None = None
        self.before: dict[str, Service] = {}

    def start(self) -> None:
        """Look at the Services, then watch and ask."""
        self.before = services(self._access)
        way = entrance(self._access)
        words = ["--kubeconfig", str(self._kubeconfig), "--namespace", NAMESPACE, "--service", way.service]
        with self._events.open("wb") as file:
            self._recorder = subprocess.Popen(_program("endpoints.py", *words), stdout=file, env=_environment())
        limit = ["--seconds", str(LONGEST_SECONDS)]
        inside = [*self._enter, *_program("load.py", *limit, *way.inside)]
        outside = _program("load.py", *limit, "--kubeconfig", str(self._kubeconfig), *way.outside)
        for command in (inside, outside):
            process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=_environment())
            self._loaders.append(Loader(process))

    def wait_for_answers(self, seconds: float) -> None:
        """Until every load program has had answers and the recorder has seen endpoints. Raises WitnessError."""
        end = time.monotonic() + seconds
        while not (all(one.last.get("products") for one in self._loaders) and self._events.stat().st_size):
            if time.monotonic() > end or any(one.process.poll() is not None for one in self._loaders):
                raise WitnessError(f"{self.name}: the load got no answer within {seconds:.0f} s.")
            time.sleep(0.1)

    def count(self, what: str) -> int:
        """``requests`` or ``lost`` so far."""
        return sum(int(one.last.get(what, 0)) for one in self._loaders)

    @property
    def products(self) -> list[str]:
        """Who has answered so far."""
        return sorted({name for one in self._loaders for name in one.last.get("products", [])})

    def end(self) -> tuple[list[dict[str, Any]], Replay, dict[str, Service]]:
        """The streams of the load, the replayed endpoints, and the Services as they are now."""
        streams = [stream for loader in self._loaders for stream in loader.end()]
        self._summary.write_text(json.dumps(streams, indent=1), encoding="utf-8")
        ended = time.time()
        if self._recorder is None or self._recorder.poll() is not None:
            raise WitnessError(f"{self.name}: the endpoint recorder ended before its time.")
        return streams, replay(read(self._events), ended), services(self._access)

    def kill(self) -> None:
        """End whatever still runs; safe to repeat."""
        for process in [one.process for one in self._loaders] + ([self._recorder] if self._recorder else []):
            if process.poll() is None:
                process.kill()
            process.wait()


def _program(name: str, *words: str) -> list[str]:
    return [sys.executable, str(PROGRAMS / name), *words]


def _environment() -> dict[str, str]:
    return {**os.environ, "PYTHONDONTWRITEBYTECODE": "1"}
