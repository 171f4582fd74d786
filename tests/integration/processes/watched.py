# SPDX-License-Identifier: GPL-3.0-or-later
"""A playbook run that is watched line by line, so that it can be hit at a known place, and what was left of it afterwards."""

from __future__ import annotations

import json
import os
import signal
import threading
import time
import uuid
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

from testbed import Cluster
from testbed.audit import Call

from integration.lab import NAMESPACE, UPGRADER, Lab, Run

from . import system

JOURNAL_LABEL = "wge.weave.works/journal"
LEASE = f"/apis/coordination.k8s.io/v1/namespaces/{NAMESPACE}/leases/wge-upgrade"


_ONE_AT_A_TIME = threading.Lock()


class Watched:
    """A run with its lines as they come. Home and temporary folders are its own, and its processes carry a mark."""

    def __init__(self, lab: Lab, playbook: str | Path, hosts: dict[str, dict[str, Any]], *words: str, **more: Any) -> None:
        self.mark = uuid.uuid4().hex
        self.home = lab.root / f"home-{self.mark}"
        self.home.mkdir()
        self._lines: list[str] = []
        self._news = threading.Condition()
        environment = {"HOME": str(self.home), "ANSIBLE_REMOTE_TEMP": str(self.home / "remote"), system.MARK: self.mark}
        with _ONE_AT_A_TIME:
            self.run: Run = lab.start(playbook, hosts, *words, environment=environment, **more)
        self._readers = [threading.Thread(target=self._read, args=(pipe,), daemon=True) for pipe in self._pipes()]
        for reader in self._readers:
            reader.start()

    @property
    def pid(self) -> int:
        """The controller, ansible-playbook."""
        return self.run.process.pid

    @property
    def text(self) -> str:
        """All that it printed so far."""
        return "\n".join(self._lines)

    def until(self, words: str, seconds: float = 180) -> None:
        """Until it prints a line with these words; a run that ends before fails the test."""
        end = time.monotonic() + seconds
        with self._news:
            while not any(words in line for line in self._lines):
                over = self.run.process.poll() is not None and not any(reader.is_alive() for reader in self._readers)
                if over or time.monotonic() > end:
                    raise AssertionError(f"the run did not print {words!r}:\n{self.text[-4000:]}")
                self._news.wait(0.2)

    def worker(self) -> int:
        """The one worker that is climbing."""
        (found,) = system.children(self.pid)
        return found

    def while_helm(self, seconds: float = 60) -> None:
        """Until the helm program is at work for it."""
        end = time.monotonic() + seconds
        while not any(" install " in line for line in system.processes(self.mark).values()):
            if time.monotonic() > end:
                raise AssertionError(f"helm was not started:\n{self.text[-4000:]}")
            time.sleep(0.01)

    def ended(self, seconds: float = 240) -> Run:
        """Until the controller has ended; what its orphans print later is not waited for."""
        self.run.process.wait(seconds)
        for reader in self._readers:
            reader.join(5)
        self.run.rc, self.run.stdout = self.run.process.returncode, self.text
        return self.run

    def left_processes(self, seconds: float = 60) -> dict[int, str]:
        """Those of this run that do not end by themselves within that time."""
        return system.lingering(self.mark, str(self.run.folder), seconds=seconds)

    def left_files(self) -> list[str]:
        """Files of this run in temporary folders and in its home, but what helm keeps there of the API server's list of kinds."""
        found = system.files(self.run.folder / "ansible", self.run.folder / "tmp", self.home)
        return [path for path in found if not path.startswith(str(self.home / ".kube" / "cache"))]

    def _pipes(self) -> list[IO[str]]:
        return [pipe for pipe in (self.run.process.stdout, self.run.process.stderr) if pipe]

    def _read(self, pipe: IO[str]) -> None:
        for line in pipe:
            with self._news:
                self._lines.append(line.rstrip("\n"))
                self._news.notify_all()


@dataclass
class Aftermath:
    """What is there after a run was hit."""

    rc: int
    at: float
    text: str
    left_processes: dict[int, str]
    left_files: list[str]
    journal: list[str]
    locked: bool
    recorded: list[str]
    seconds_to_end: float
    late: list[Call]

    @property
    def late_by_helm(self) -> list[Call]:
        """What a helm that was at work already stored after the hit."""
        return [call for call in self.late if call.agent.startswith("Helm")]

    @property
    def late_by_us(self) -> list[tuple[str, str]]:
        """What we stored ourselves after the hit: verb and address."""
        return [(call.verb, call.uri) for call in self.late if call not in self.late_by_helm]


def hit(watched: Watched, cluster: Cluster, victim: int, number: signal.Signals) -> Aftermath:
    """Send a signal, let everything end that wants to, and look around."""
    at = time.time()
    os.kill(victim, number)
    run = watched.ended()
    left = watched.left_processes()
    took = time.time() - at
    time.sleep(0.5)  # the audit log is written after the answer
    late = [call for call in cluster.audit_writes(at) if call.user == UPGRADER]
    return Aftermath(
        rc=run.rc,
        at=at,
        text=watched.text,
        left_processes=left,
        left_files=watched.left_files(),
        journal=journal_states(cluster),
        locked=cluster.api().find(LEASE) is not None,
        recorded=recorded_verdicts(run),
        seconds_to_end=took,
        late=late,
    )


def recorded_verdicts(run: Run) -> list[str]:
    """What the workers themselves wrote into the run file about their end."""
    lines = [json.loads(line) for path in run.reports.glob("*.jsonl") for line in path.read_text(encoding="utf-8").splitlines()]
    return [line["result"]["verdict"] for line in lines if line["record"] == "verdict"]


def journal_states(cluster: Cluster) -> list[str]:
    """The state of every journal in the cluster."""
    found = cluster.api().get(f"/api/v1/namespaces/{NAMESPACE}/secrets?labelSelector={JOURNAL_LABEL.replace('/', '%2F')}")
    return [item["metadata"]["labels"][JOURNAL_LABEL] for item in found["items"]]
