# SPDX-License-Identifier: GPL-3.0-or-later
"""Real runs of ansible-playbook, begun fast, and ways to kill them.

Most of what a run takes is Python reading Ansible, so runs are forked from a process that has read it (none of ours: a run loads
the collection itself). From there on all is as in any run: a controller, a worker that it forks, helm in a session of its own.
"""

from __future__ import annotations

import multiprocessing
import os
import signal
import sys
import time
import uuid
from collections.abc import Sequence
from multiprocessing.context import ForkServerProcess
from pathlib import Path

from integration.lab import ROOT, Lab
from integration.processes import system

from . import points

PRELOADED = ["chaos.preload"]
_POLL = 0.1


class Launcher:
    """Begins runs. There is one of it in a process, made before the threads are that begin them."""

    def __init__(self, lab: Lab, folder: Path) -> None:
        own = {
            **lab.environment(folder),
            "ANSIBLE_COLLECTIONS_PATH": str(ROOT / "build" / "collections"),
            "ANSIBLE_HOME": str(folder / "home"),
            "ANSIBLE_VAULT_PASSWORD_FILE": str(lab.vault_password),
            "PYTHONPATH": str(ROOT / "tests"),
            "COLUMNS": "200",
        }
        before = dict(os.environ)
        os.environ.clear()
        os.environ.update(own)
        self._context = multiprocessing.get_context("forkserver")
        self._context.set_forkserver_preload(PRELOADED)
        first = self._context.Process(target=_nothing)
        first.start()  # the server begins with the first process, in this environment
        first.join()
        self._plays: list[Play] = []
        os.environ.clear()
        os.environ.update(before)

    def begin(self, folder: Path, playbook: Path, inventory: Path, *words: str) -> Play:
        """A run in ``folder``, which gets its output."""
        folder.mkdir(parents=True)
        mark = uuid.uuid4().hex
        arguments = ["ansible-playbook", str(playbook), "-i", str(inventory), *words]
        process = self._context.Process(target=_play, args=(arguments, str(folder), mark))
        process.start()
        self._plays.append(Play(process, folder, mark))
        return self._plays[-1]

    def close(self) -> None:
        """End the runs that have not ended."""
        for play in self._plays:
            if play.rc is None:
                play.strike(points.EVERYTHING)


def _nothing() -> None:
    """The first process of the server."""


def _play(arguments: Sequence[str], folder: str, mark: str) -> None:
    """What ansible-playbook is, in a session of its own."""
    os.setsid()
    os.chdir(folder)
    os.environ[system.MARK] = mark
    os.environ["TMPDIR"] = folder
    output = os.open("output", os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    for descriptor in (1, 2):
        os.dup2(output, descriptor)
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.SIG_DFL if number == signal.SIGTERM else signal.default_int_handler)
    sys.argv = list(arguments)
    from ansible.cli.playbook import main

    main(list(arguments))


class Play:
    """A run: begun, or at its end."""

    def __init__(self, process: ForkServerProcess, folder: Path, mark: str) -> None:
        self._process = process
        self.folder = folder
        self.mark = mark
        self.began = time.time()
        self._workers: set[int] = set()

    @property
    def text(self) -> str:
        """All that it printed."""
        return (self.folder / "output").read_text(encoding="utf-8", errors="replace")

    @property
    def rc(self) -> int | None:
        """How the controller ended, None while it lives."""
        return self._process.exitcode

    def ended(self, seconds: float = 180) -> Play:
        """Until controller, workers and helm have all ended. AssertionError when they do not."""
        end = time.monotonic() + seconds
        self._process.join(seconds)
        while self._process.exitcode is None or self._left():
            if time.monotonic() > end:
                self.strike(points.EVERYTHING)
                raise AssertionError(f"the run in {self.folder} did not end within {seconds:g} s:\n{self.text[-3000:]}")
            time.sleep(_POLL)
        return self

    def strike(self, way: str) -> None:
        """Kill with -9 who is to die."""
        self.kill(self.victims(way))

    @staticmethod
    def kill(pids: list[int]) -> None:
        """Kill these with -9."""
        for pid in pids:
            _signal(pid, signal.SIGKILL)

    def victims(self, way: str) -> list[int]:
        """Who dies in this way; the workers are remembered, since an orphan cannot be found by its parent."""
        controller = int(self._process.pid or 0)
        workers = system.children(controller)
        self._workers.update(workers)
        if way == points.WORKER:
            return workers
        if way == points.CONTROLLER:
            return [controller]
        helms = list(system.processes(self.mark))
        return helms if way == points.HELM else [controller, *workers, *helms]

    def pause(self) -> list[int]:
        """Stop all of it, as a machine does that sleeps; who was stopped."""
        stopped = self.victims(points.EVERYTHING)
        for pid in stopped:
            _signal(pid, signal.SIGSTOP)
        return stopped

    @staticmethod
    def wake(stopped: list[int]) -> None:
        """Let them go on."""
        for pid in stopped:
            _signal(pid, signal.SIGCONT)

    def _left(self) -> bool:
        return any(system.command_line(pid) for pid in self._workers) or bool(system.processes(self.mark))


def _signal(pid: int, number: signal.Signals) -> None:
    try:
        os.kill(pid, number)
    except ProcessLookupError:
        pass
