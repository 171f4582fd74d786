# SPDX-License-Identifier: GPL-3.0-or-later
"""One container of a pod: its process, its state as the API shows it, its restarts."""

from __future__ import annotations

import asyncio
import os
import signal
import time
from pathlib import Path
from typing import Any

from .. import linux
from . import images
from .environment import expand
from .node import now

Spec = dict[str, Any]

#: Shorter than a kubelet's 10 s to 300 s, so that tests need not wait: the first restart is at once, then these.
BACK_OFF = (0.0, 2.0, 4.0, 8.0, 15.0, 30.0)
FORGIVEN_AFTER = 120.0
JOB_RUNS = 1.0
LOADING = 30.0


async def _end_of(pipe: int) -> None:
    """Until the other end is closed, or for LOADING seconds."""
    loop, closed = asyncio.get_running_loop(), asyncio.Event()
    loop.add_reader(pipe, closed.set)
    try:
        await asyncio.wait_for(closed.wait(), LOADING)
    except TimeoutError:
        pass
    finally:
        loop.remove_reader(pipe)
        os.close(pipe)


def _restarts(known: Spec) -> int:
    """Of a container this agent did not start itself: what ran before the agent does not run any more."""
    return int(known.get("restartCount", 0)) + (1 if known.get("state", {}).get("running") else 0)


class Container:
    """State and process of one container."""

    def __init__(self, spec: Spec, known: Spec | None = None) -> None:
        self.spec = spec
        self.restarts = _restarts(known or {})
        self.ready = False
        self.started = False
        self.began = 0.0
        self.state: Spec = {"waiting": {"reason": "ContainerCreating"}}
        self.last: Spec = {}
        self.killed_by_fault = False
        self._failures = 0
        self._process: asyncio.subprocess.Process | None = None
        self._number = 0

    @property
    def running(self) -> bool:
        return "running" in self.state

    @property
    def known(self) -> bool:
        """Does a stand-in play it?"""
        return images.program(self.spec["image"]) is not None

    def wait_for(self, reason: str, message: str = "") -> None:
        """Not running, for this reason."""
        self.state = {"waiting": {"reason": reason, **({"message": message} if message else {})}}
        self.ready = self.started = False

    async def start(self, python: str, environment: dict[str, str], log: Path) -> None:
        """A process for a known image; for another one nothing runs, and that is its running state."""
        if self.known:
            arguments = [expand(item, environment) for item in [*(self.spec.get("command") or []), *(self.spec.get("args") or [])]]
            await self._launch([python, "-m", str(images.program(self.spec["image"])), *arguments], environment, log)
        self._number += 1
        self.began = time.time()
        self.killed_by_fault = False
        self.state = {"running": {"startedAt": now()}}

    async def _launch(self, command: list[str], environment: dict[str, str], log: Path) -> None:
        """Start the program and wait until Python has loaded it: the real servers have nothing to load, so this counts as creation."""
        ours, theirs = os.pipe()
        try:
            with open(log, "ab") as output:
                self._process = await asyncio.create_subprocess_exec(
                    *command,
                    env={**environment, "TESTBED_LOADED": str(theirs)},
                    cwd=log.parent,
                    stdin=asyncio.subprocess.DEVNULL,
                    stdout=output,
                    stderr=output,
                    start_new_session=True,
                    pass_fds=[theirs],
                    preexec_fn=linux.die_with_parent(),
                )
        finally:
            os.close(theirs)
        await _end_of(ours)

    async def ended(self, runs_once: bool) -> int:
        """The exit code, when the process ends; an unknown image of a job ends well after a second."""
        if self._process:
            return await self._process.wait()
        if runs_once:
            await asyncio.sleep(JOB_RUNS)
            return 0
        await asyncio.Event().wait()
        return 0

    def kill(self, number: int = signal.SIGKILL) -> None:
        """Signal the process, if there is one."""
        if self._process and self._process.returncode is None:
            self._process.send_signal(number)

    async def stop(self, grace: float) -> None:
        """SIGTERM; SIGKILL after `grace` seconds."""
        if not self._process or self._process.returncode is not None:
            return
        self.kill(signal.SIGTERM)
        try:
            await asyncio.wait_for(self._process.wait(), max(grace, 0.1))
        except TimeoutError:
            self.kill()
            await self._process.wait()

    def terminated(self, code: int) -> None:
        """It ended; shells count a signal as 128 and its number."""
        code = 128 - code if code < 0 else code
        self.state = {
            "terminated": {
                "exitCode": code,
                "reason": "Completed" if code == 0 else "Error",
                "finishedAt": now(),
                "startedAt": self.state.get("running", {}).get("startedAt") or now(),
            }
        }
        self.ready = self.started = False

    def back_off(self, at_least: float = 0) -> float:
        """Seconds until the next start; the end just seen becomes the last state."""
        if time.time() - self.began > FORGIVEN_AFTER:
            self._failures = 0
        delay = max(at_least, BACK_OFF[min(self._failures, len(BACK_OFF) - 1)])
        self._failures += 1
        self.restarts += 1
        self.last = self.state
        if delay:
            self.wait_for("CrashLoopBackOff", f"back-off {delay:.0f}s restarting failed container={self.spec['name']}")
        return delay

    def status(self, uid: str, never_ready: bool) -> Spec:
        """As in `status.containerStatuses`."""
        found: Spec = {
            "name": self.spec["name"],
            "image": self.spec["image"],
            "imageID": "",
            "restartCount": self.restarts,
            "state": self.state,
            "ready": self.ready and not never_ready,
            "started": self.started,
            "lastState": self.last,
        }
        if self._number:
            found["containerID"] = f"testbed://{uid}/{self.spec['name']}/{self.restarts}"
            found["imageID"] = f"testbed-image://{self.spec['image']}"
        return found
