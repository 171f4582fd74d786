# SPDX-License-Identifier: GPL-3.0-or-later
"""What goes wrong: runs that are killed or meddled with at one write, and pods that crash."""

from __future__ import annotations

import copy
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from ansible_collections.weaveworks.wge.plugins.module_utils._engine.model import Answer, Counters, Object, Operation, Release
from ansible_collections.weaveworks.wge.plugins.module_utils._engine.names import RUN_LABEL
from ansible_collections.weaveworks.wge.plugins.module_utils._errors import HelmFailed, UnknownOutcome

from .standin import StandInCluster, patched
from .standin_products import WGE_NAME, release_secret, released
from .standin_tools import StandInHelm
from .standin_world import World

FOREIGN = "somebody else"
NOBODY_CHANGES = ("/metadata/uid", "/metadata/resourceVersion")


class Killed(BaseException):
    """kill -9: no ``except Exception`` sees it, and whatever still runs afterwards can do nothing."""


@dataclass
class Fault:
    """What goes wrong at the write with the number ``at`` (from 0). ``kind`` is one of

    ``kill before``, ``kill after``, ``kill within`` (helm at half its work), ``lost before``, ``lost after`` (no answer came),
    ``meddle`` (somebody else changes the object first), ``stop`` (``reason`` is given from then on).
    """

    at: int = -1
    kind: str = ""
    reason: str = ""
    dead: bool = False
    sent: list[tuple[str, str]] = field(default_factory=list)
    meddled: Object = field(default_factory=dict)
    late: Callable[[], Any] = lambda: None
    """Sends the request of ``kill before`` after all: it was on its way when its process died."""

    @property
    def sent_after(self) -> list[tuple[str, str]]:
        """The writes that were sent after the fault."""
        return self.sent[self.at + 1 :]

    def keep_going(self) -> str:
        """The reason to stop, once the fault's write was sent."""
        self.alive()
        return self.reason if self.kind == "stop" and len(self.sent) > self.at else ""

    def alive(self) -> None:
        """A killed process does nothing."""
        if self.dead:
            raise Killed

    def around(self, verb: str, path: str, send: Callable[[], Any], half: Callable[[], None], meddle: Callable[[], Object]) -> Any:
        """Send a write, or what goes wrong instead."""
        self.alive()
        self.sent.append((verb, path))
        kind = self.kind if len(self.sent) - 1 == self.at else ""
        if kind == "meddle":
            self.meddled = meddle()
        if kind == "kill within":
            half()
        if kind in ("kill before", "kill within"):
            self.late = send
            self._die()
        if kind == "lost before":
            raise UnknownOutcome(f"{verb} {path} was lost.")
        answer = send()
        if kind == "kill after":
            self._die()
        if kind == "lost after":
            raise UnknownOutcome(f"{verb} {path} was lost.")
        return answer

    def _die(self) -> None:
        self.dead = True
        raise Killed


def short(fault: Fault) -> list[tuple[str, str]]:
    """The writes that were sent, each with the last two words of its path."""
    return [(verb, "/".join(path.split("/")[-2:])) for verb, path in fault.sent]


def positions(writes: list[tuple[str, str]], verb: str, name: str) -> list[int]:
    """Where a write stands among those that were sent."""
    return [index for index, write in enumerate(writes) if write == (verb, name)]


class FaultyCluster:
    """model.Cluster over a stand-in one, with a fault."""

    def __init__(self, cluster: StandInCluster, fault: Fault) -> None:
        self._cluster, self._fault = cluster, fault

    @property
    def counters(self) -> Counters:
        return self._cluster.counters

    @property
    def server_time(self) -> datetime | None:
        return self._cluster.server_time

    @property
    def latencies(self) -> Sequence[float]:
        return self._cluster.latencies

    def get(self, path: str) -> Object | None:
        self._fault.alive()
        return self._cluster.get(path)

    def list(
        self, path: str, *, labels: str = "", fields: str = "", metadata_only: bool = False, keep: Callable[[Object], Object] | None = None
    ) -> list[Object]:
        self._fault.alive()
        return self._cluster.list(path, labels=labels, fields=fields, metadata_only=metadata_only, keep=keep)

    def create(self, path: str, body: Object, *, dry_run: bool = False) -> Object:
        if dry_run:
            self._fault.alive()
            return self._cluster.create(path, body, dry_run=True)

        def meddle() -> Object:
            foreign = copy.deepcopy(body)
            foreign["metadata"].setdefault("labels", {})[RUN_LABEL] = FOREIGN
            return self._cluster.put(foreign)

        name = f"{path}/{body['metadata']['name']}"
        made: Object = self._fault.around("create", name, lambda: self._cluster.create(path, body), _nothing, meddle)
        return made

    def patch(self, path: str, operations: Sequence[Operation], *, dry_run: bool = False) -> Object:
        if dry_run:
            self._fault.alive()
            return self._cluster.patch(path, operations, dry_run=True)

        def meddle() -> Object:
            live = self._cluster.objects[path]
            guard = next(op for op in operations if op["op"] == "test" and op["path"] not in NOBODY_CHANGES)
            return self._cluster.put(patched(live, [{**guard, "op": "add", "value": _foreign(guard["value"])}]))

        made: Object = self._fault.around("patch", path, lambda: self._cluster.patch(path, operations), _nothing, meddle)
        return made

    def delete(self, path: str, *, uid: str, resource_version: str = "") -> None:
        def meddle() -> Object:
            foreign = copy.deepcopy(self._cluster.objects[path])
            foreign["metadata"].pop("uid")
            return self._cluster.put(foreign)

        self._fault.around("delete", path, lambda: self._cluster.delete(path, uid=uid, resource_version=resource_version), _nothing, meddle)

    def review(self, path: str, body: Object) -> Object:
        self._fault.alive()
        return self._cluster.review(path, body)

    def raw(self, path: str) -> Answer:
        self._fault.alive()
        return self._cluster.raw(path)


class FaultyHelm:
    """model.Helm over a stand-in one, with a fault. A lost answer is helm's own failure."""

    def __init__(self, helm: StandInHelm, fault: Fault) -> None:
        self._helm, self._fault = helm, fault

    def version(self) -> str:
        return self._helm.version()

    def template(self, release: Release, *, kube_version: str = "", api_versions: Sequence[str] = ()) -> list[Object]:
        self._fault.alive()
        return self._helm.template(release, kube_version=kube_version, api_versions=api_versions)

    def install(self, release: Release) -> None:
        def half() -> None:
            for item in self._helm.render(release)[:4]:
                placed = copy.deepcopy(item)
                if placed["kind"] in ("ServiceAccount", "ConfigMap"):
                    placed["metadata"].setdefault("namespace", release.namespace)
                self._helm.cluster.put(released(placed, release.name, release.namespace))
            stored = release_secret(release.name, [], status="pending-install", namespace=release.namespace)
            stored["metadata"]["labels"].update(release.labels)
            self._helm.cluster.put(stored)

        def meddle() -> Object:
            return self._helm.cluster.put(release_secret(release.name, [], namespace=release.namespace))

        self._around("install", release.name, lambda: self._helm.install(release), half, meddle)

    def uninstall(self, name: str, namespace: str) -> None:
        def half() -> None:
            self._helm.cluster.remove("Deployment", WGE_NAME)
            secret = self._helm.cluster.one("Secret", f"sh.helm.release.v1.{name}.v1")
            secret["metadata"]["labels"]["status"] = "uninstalling"

        self._around("uninstall", name, lambda: self._helm.uninstall(name, namespace), half, dict)

    def _around(self, verb: str, name: str, send: Callable[[], None], half: Callable[[], None], meddle: Callable[[], Object]) -> None:
        try:
            self._fault.around(verb, name, send, half, meddle)
        except UnknownOutcome:
            raise HelmFailed(f"helm {verb} failed.", "Look at helm.") from None


def crash(world: World, deployment: str) -> None:
    """Every pod of a Deployment stops being ready, for good."""
    world.controllers.broken.add(deployment)
    for item in world.cluster.all("Pod"):
        if item["metadata"]["name"].startswith(f"{deployment}-"):
            item["status"]["conditions"] = [{"type": "Ready", "status": "False"}]
    for function in world.cluster.after_write:
        function()


def _nothing() -> None:
    pass


def _foreign(value: Any) -> Any:
    if isinstance(value, int):
        return value + 7
    return FOREIGN if isinstance(value, str) else {"foreign": "yes"}
