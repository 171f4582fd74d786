# SPDX-License-Identifier: GPL-3.0-or-later
"""One pod from binding to removal.

Keeps: ContainerCreating, CreateContainerConfigError, ErrImagePull, CrashLoopBackOff, restarts, conditions with
transition times, preStop before SIGTERM within the grace period, removal by the node when the processes are gone.
Leaves out: init containers do nothing and count as completed; exec hooks other than `sleep N`; resource limits,
volumes other than Secrets and ConfigMaps, Events.
"""

from __future__ import annotations

import asyncio
import re
import shutil
import signal
import time
import traceback
from pathlib import Path
from typing import TYPE_CHECKING, Any

from . import environment, probes
from .client import STRATEGIC, ApiError, Unreachable
from .container import Container
from .faults import Faults
from .node import now
from .status import is_ready, pod_status

if TYPE_CHECKING:
    from .main import Agent

TICK = 0.2
CONFIG_RETRY = 1.0


def _complain(task: asyncio.Task[None]) -> None:
    """A fault of the agent itself goes into its log, with where it happened."""
    if not task.cancelled() and (error := task.exception()):
        traceback.print_exception(error)


class Pod:
    """Runs what one Pod object asks for and reports it."""

    def __init__(self, agent: Agent, seen: dict[str, Any], address: str) -> None:
        self._agent = agent
        self.seen = seen
        self.address = address
        self.uid: str = seen["metadata"]["uid"]
        known = {item["name"]: item for item in (seen.get("status", {}).get("containerStatuses") or [])}
        self.containers = [Container(spec, known.get(spec["name"])) for spec in seen["spec"]["containers"]]
        self._began = now()
        self._deleting = asyncio.Event()
        self._gone = asyncio.Event()
        self._published: dict[str, Any] | None = None
        self._selected_at: float | None = None
        self.task = asyncio.create_task(self._run())

    # -- what the agent tells

    def update(self, seen: dict[str, Any]) -> None:
        """A newer version of the object; what others wrote into our part of the status is put right."""
        self.seen = seen
        if self._published and is_ready(seen.get("status", {})) != is_ready(self._published):
            self._published = None
        if seen["metadata"].get("deletionTimestamp"):
            self._deleting.set()

    def forget(self) -> None:
        """The object is gone: no grace for the processes."""
        self._gone.set()
        self._deleting.set()

    def freeze(self, frozen: bool) -> None:
        """A lost node's pods do not answer any more; afterwards they go on."""
        for container in self.containers:
            container.kill(signal.SIGSTOP if frozen else signal.SIGCONT)
        self._published = None

    # -- places

    @property
    def _namespace(self) -> str:
        return str(self.seen["metadata"]["namespace"])

    @property
    def path(self) -> str:
        return f"/api/v1/namespaces/{self._namespace}/pods/{self.seen['metadata']['name']}"

    @property
    def folder(self) -> Path:
        return self._agent.paths.pods / self.uid

    def faults(self) -> Faults:
        return self._agent.faults.of(self.seen)

    # -- life

    async def _run(self) -> None:
        self.folder.mkdir(parents=True, exist_ok=True)
        self.update(self.seen)
        tasks = [asyncio.create_task(job) for job in (self._tick(), *map(self._keep, self.containers))]
        for task in tasks:
            task.add_done_callback(_complain)
        try:
            await self._deleting.wait()
            await self._terminate()
        finally:
            for task in tasks:
                task.cancel()
            for container in self.containers:
                container.kill()
            shutil.rmtree(self.folder, ignore_errors=True)
            self._agent.removed(self)

    async def _terminate(self) -> None:
        """preStop, SIGTERM, SIGKILL, and then the object goes."""
        end = time.monotonic() + self._grace()
        await asyncio.gather(*(self._stop(container, end) for container in self.containers))
        body = {"kind": "DeleteOptions", "apiVersion": "v1", "gracePeriodSeconds": 0, "preconditions": {"uid": self.uid}}
        while not self._gone.is_set():
            try:
                await self._agent.api.request("DELETE", self.path, body)
                return
            except ApiError:
                return  # gone, or another one of that name
            except Unreachable:
                await asyncio.sleep(TICK)

    async def _stop(self, container: Container, end: float) -> None:
        """A kubelet grants two more seconds when preStop used up the grace period."""
        if container.running and not self._gone.is_set():
            await self._pre_stop(container, end)
        await container.stop(0 if self._gone.is_set() else max(end - time.monotonic(), 2))

    def _grace(self) -> float:
        given = self.seen["metadata"].get("deletionGracePeriodSeconds")
        return float(given if given is not None else self.seen["spec"].get("terminationGracePeriodSeconds", 30))

    async def _pre_stop(self, container: Container, end: float) -> None:
        """The `sleep` action, an exec of `sleep N`, or an HTTP request."""
        hook = (container.spec.get("lifecycle") or {}).get("preStop") or {}
        seconds = float((hook.get("sleep") or {}).get("seconds", 0))
        if found := re.search(r"\bsleep\s+(\d+)", " ".join((hook.get("exec") or {}).get("command") or [])):
            seconds = float(found[1])
        if "httpGet" in hook:
            await probes.attempt({"httpGet": hook["httpGet"], "timeoutSeconds": 5}, container.spec, self.address)
        try:
            await asyncio.wait_for(self._gone.wait(), max(0.0, min(seconds, end - time.monotonic())))
        except TimeoutError:
            pass

    async def _keep(self, container: Container) -> None:
        """One container: start, probe, wait for its end, start again."""
        policy = self.seen["spec"].get("restartPolicy", "Always")
        while not self._deleting.is_set():
            if not await self._start(container):
                await asyncio.sleep(CONFIG_RETRY)
                continue
            code = await self._until_end(container, policy != "Always")
            container.terminated(code)
            self.publish_soon()
            if policy == "Never" or (policy == "OnFailure" and code == 0) or self._deleting.is_set():
                return
            delay = container.back_off(self.faults().stay_down if container.killed_by_fault else 0)
            self.publish_soon()
            await asyncio.sleep(delay)

    async def _start(self, container: Container) -> bool:
        """False when the container cannot start now; its state says why."""
        image = container.spec["image"]
        if self.faults().image_not_found:
            again = container.state.get("waiting", {}).get("reason") == "ErrImagePull"
            container.wait_for("ImagePullBackOff" if again else "ErrImagePull", f'failed to pull and unpack image "{image}": not found')
            return False
        try:
            found = await self._environment(container)
        except environment.ConfigError as error:
            container.wait_for("CreateContainerConfigError", str(error))
            return False
        except environment.MountError as error:
            container.wait_for("ContainerCreating", str(error))
            return False
        except (ApiError, Unreachable):
            return False
        await container.start(self._agent.python, found, self._log(container))
        self.publish_soon()
        return True

    def _log(self, container: Container) -> Path:
        """A kubelet keeps the log of each container; here it is appended to."""
        return self._agent.paths.logs / f"pod-{self._namespace}-{self.seen['metadata']['name']}-{container.spec['name']}.log"

    async def _environment(self, container: Container) -> dict[str, str]:
        sources = environment.Sources(self._agent.api, self._namespace)
        found = await environment.variables(container.spec, self.seen, self.address, sources)
        await environment.mount(container.spec, self.seen, self.folder, sources)
        if container.known:
            await self._agent.write_token(self.seen, self.folder / "token")
        found.update(self._agent.bed_environment(self, container.spec["image"]), TESTBED_SLOW_START=str(self.faults().slow_start))
        return found

    async def _until_end(self, container: Container, runs_once: bool) -> int:
        """The exit code; a failing liveness or startup probe ends the process too."""
        ending = asyncio.create_task(container.ended(runs_once))
        probing = asyncio.create_task(self._probe(container))
        try:
            await asyncio.wait([ending, probing], return_when=asyncio.FIRST_COMPLETED)
            if not ending.done():
                await self._pre_stop(container, time.monotonic() + self._grace())
                await container.stop(self._grace())
            return await ending
        finally:
            ending.cancel()
            probing.cancel()

    async def _probe(self, container: Container) -> None:
        """Returns when the container is unhealthy."""

        def started() -> None:
            container.started = True
            self.publish_soon()

        def ready(value: bool) -> None:
            container.ready = value
            self.publish_soon()

        if not container.known:
            started()
            ready(True)
            await asyncio.Event().wait()
        await probes.run(container.spec, self.address, started, ready)

    # -- faults and reports

    def publish_soon(self) -> None:
        """Wake the ticking task."""
        self._agent.wake(self)

    async def _tick(self) -> None:
        """Applies faults and reports, five times a second and whenever something changed."""
        while True:
            try:
                if not self._agent.node.lost:
                    await self._apply_faults()
                    await self._publish()
            except (ApiError, Unreachable):
                pass
            await self._agent.pause(self, TICK)

    async def _apply_faults(self) -> None:
        faults, moment = self.faults(), time.time()
        selected = await self._selected_deadline(faults)
        for container in self.containers:
            delay = faults.crash_delay(container.began)
            due = delay is not None and moment >= container.began + delay
            if container.running and (due or (selected and container.began < selected <= moment)):
                container.killed_by_fault = True
                container.kill()

    async def _selected_deadline(self, faults: Faults) -> float | None:
        """When the pod is to die because a Service selects it."""
        target = faults.selected_by()
        if target and self._selected_at is None:
            namespace, name, _seconds = target
            service = await self._agent.api.get(f"/api/v1/namespaces/{namespace}/services/{name}")
            if (service["spec"].get("selector") or {}).items() <= (self.seen["metadata"].get("labels") or {}).items():
                self._selected_at = time.time()
        return self._selected_at + target[2] if target and self._selected_at else None

    async def _publish(self) -> None:
        """Report when something changed."""
        found = pod_status(self.seen, self.containers, self.uid, self.address, self._began, self.faults().never_ready, self._published)
        if found != self._published:
            await self._agent.api.request("PATCH", self.path + "/status", {"metadata": {"uid": self.uid}, "status": found}, STRATEGIC)
            self._published = found
