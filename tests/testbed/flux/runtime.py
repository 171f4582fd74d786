# SPDX-License-Identifier: GPL-3.0-or-later
"""What Flux's controllers have in common: watches, one task an object, conditions, patches of status.

Keeps: an object is looked at again when its generation or its token (`reconcile.fluxcd.io/requestedAt`) changes, when it is deleted,
when its interval is over or when another object asks for it, never for other changes of metadata; what comes while it is worked on is
worked on after; failures are tried again with growing pauses; only changed fields of the status are written.
Leaves out: Events, metrics, leader election, sharding, rate limits over all objects.
"""

from __future__ import annotations

import asyncio
import copy
import datetime as dt
import re
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

from ..agent.client import MERGE, ApiError, Client, Unreachable

Object = dict[str, Any]
Key = tuple[str, str]
#: Seconds until the object is looked at again, or None: not before it changes.
Reconcile = Callable[[Object], Awaitable[float | None]]
#: What of an object must change for it to be looked at.
Mark = Callable[[Object], tuple[Any, ...]]

TOKEN = "reconcile.fluxcd.io/requestedAt"
FINALIZER = "finalizers.fluxcd.io"
FIRST_PAUSE, LONGEST_PAUSE = 0.25, 10.0
UNITS = {"h": 3600.0, "m": 60.0, "s": 1.0, "ms": 0.001}


class Failed(Exception):
    """This attempt came to nothing; it is tried again."""


def seconds(text: str | None, default: float) -> float:
    """A duration as Go writes it, `1h2m3.5s`."""
    if not text:
        return default
    return sum(float(number) * UNITS[unit] for number, unit in re.findall(r"([0-9.]+)(ms|h|m|s)", text))


def now() -> str:
    return dt.datetime.now(dt.UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


@dataclass(frozen=True)
class Kind:
    """Where objects of a kind are found."""

    name: str
    group: str
    version: str
    plural: str

    @property
    def api_version(self) -> str:
        return f"{self.group}/{self.version}"

    @property
    def everywhere(self) -> str:
        return f"/apis/{self.group}/{self.version}/{self.plural}"

    def path(self, key: Key) -> str:
        return f"/apis/{self.group}/{self.version}/namespaces/{key[0]}/{self.plural}/{key[1]}"


SOURCE = "source.toolkit.fluxcd.io"
GIT_REPOSITORY = Kind("GitRepository", SOURCE, "v1", "gitrepositories")
HELM_REPOSITORY = Kind("HelmRepository", SOURCE, "v1", "helmrepositories")
OCI_REPOSITORY = Kind("OCIRepository", SOURCE, "v1", "ocirepositories")
HELM_CHART = Kind("HelmChart", SOURCE, "v1", "helmcharts")
HELM_RELEASE = Kind("HelmRelease", "helm.toolkit.fluxcd.io", "v2", "helmreleases")
KUSTOMIZATION = Kind("Kustomization", "kustomize.toolkit.fluxcd.io", "v1", "kustomizations")


def key_of(item: Object) -> Key:
    return item["metadata"]["namespace"], item["metadata"]["name"]


def token_of(item: Object) -> str | None:
    found = (item["metadata"].get("annotations") or {}).get(TOKEN)
    return None if found is None else str(found)


def difference(old: Object, new: Object) -> Object:
    """The merge patch that makes `new` of `old`."""
    found: Object = dict.fromkeys(old.keys() - new.keys())
    for key, value in new.items():
        before = old.get(key)
        if isinstance(value, dict) and isinstance(before, dict):
            if part := difference(before, value):
                found[key] = part
        elif value != before:
            found[key] = value
    return found


class Conditions:
    """The conditions of a status, in place."""

    def __init__(self, status: Object, generation: int) -> None:
        self.items: list[Object] = status.setdefault("conditions", [])
        self._generation = generation

    def get(self, kind: str) -> Object:
        return next((item for item in self.items if item["type"] == kind), {})

    def is_true(self, kind: str) -> bool:
        return bool(self.get(kind).get("status") == "True")

    def set(self, kind: str, state: bool | None, reason: str, message: str) -> None:
        """`state` None is Unknown; the moment of the last change stays while the state does."""
        text = {True: "True", False: "False", None: "Unknown"}[state]
        before = self.get(kind)
        moment = before["lastTransitionTime"] if before.get("status") == text else now()
        fresh = {
            "type": kind,
            "status": text,
            "reason": reason,
            "message": message[:32768],
            "lastTransitionTime": moment,
            "observedGeneration": self._generation,
        }
        self.items[:] = [item for item in self.items if item["type"] != kind] + [fresh]

    def drop(self, *kinds: str) -> None:
        self.items[:] = [item for item in self.items if item["type"] not in kinds]


class Objects:
    """All objects of one kind, each worked on by one task."""

    def __init__(self, api: Client, kind: Kind, manager: str, reconcile: Reconcile, mark: Mark | None = None) -> None:
        self.kind = kind
        self.known: dict[Key, Object] = {}
        self._api = api
        self._manager = manager
        self._reconcile = reconcile
        self._mark = mark or asked
        self._wakers: dict[Key, asyncio.Event] = {}
        self._tasks: dict[Key, asyncio.Task[None]] = {}

    # -- writes

    async def patch(self, item: Object, value: Object, part: str = "") -> None:
        """Metadata, or the status with `part`; what is gone meanwhile needs no patch."""
        path = f"{self.kind.path(key_of(item))}{part}?fieldManager={self._manager}"
        try:
            await self._api.request("PATCH", path, value, MERGE)
        except ApiError as error:
            if error.status != 404:
                raise

    async def write_status(self, item: Object, status: Object) -> None:
        """What differs from the status in `item`, which then has it too."""
        if changes := difference(item.get("status") or {}, status):
            await self.patch(item, {"status": changes}, "/status")
            item["status"] = copy.deepcopy(status)

    async def finalizer(self, item: Object, wanted: bool) -> None:
        """Add or remove Flux's finalizer."""
        found = [name for name in item["metadata"].get("finalizers") or [] if name != FINALIZER]
        await self.patch(item, {"metadata": {"finalizers": [*found, *([FINALIZER] if wanted else [])]}})

    # -- following

    def wake(self, key: Key) -> None:
        """Look at this object as soon as its task is free."""
        if key not in self._tasks:
            self._wakers[key] = asyncio.Event()
            self._tasks[key] = asyncio.create_task(self._work(key))
        self._wakers[key].set()

    async def run(self) -> None:
        """For ever: list, then watch until the watch ends."""
        while True:
            try:
                await self._follow()
            except (ApiError, Unreachable, OSError, asyncio.IncompleteReadError, ValueError):
                await asyncio.sleep(0.5)  # no such kind yet, or no API server

    async def _follow(self) -> None:
        listed = await self._api.get(self.kind.everywhere)
        found = {key_of(item): item for item in listed["items"]}
        for key in self.known.keys() - found.keys():
            del self.known[key]
        for key, item in found.items():
            self._seen(key, item)
        path = f"{self.kind.everywhere}?watch=1&resourceVersion={listed['metadata']['resourceVersion']}"
        async for event, item in self._api.watch(path):
            if event == "ERROR":
                return
            if event == "DELETED":
                self.known.pop(key_of(item), None)
                self.wake(key_of(item))
            else:
                self._seen(key_of(item), item)

    def _seen(self, key: Key, item: Object) -> None:
        before = self.known.get(key)
        self.known[key] = item
        if before is None or self._mark(before) != self._mark(item):
            self.wake(key)

    async def _work(self, key: Key) -> None:
        """Until the object is gone."""
        due: float | None = 0
        pause = FIRST_PAUSE
        while True:
            try:
                await asyncio.wait_for(self._wakers[key].wait(), due)
            except TimeoutError:
                pass
            self._wakers[key].clear()
            try:
                due = await self._reconcile(await self._api.get(self.kind.path(key)))
                pause = FIRST_PAUSE
            except ApiError as error:
                if error.status == 404 and key not in self.known:
                    del self._tasks[key]
                    return
                due, pause = self._later(key, error, pause)
            except (Failed, Unreachable) as error:
                due, pause = self._later(key, error, pause)

    def _later(self, key: Key, error: Exception, pause: float) -> tuple[float, float]:
        print(f"{now()} {self.kind.name} {'/'.join(key)}: {error}", flush=True)
        return pause, min(pause * 2, LONGEST_PAUSE)


def asked(item: Object) -> tuple[Any, ...]:
    """A change of these wakes, unless a kind is followed for something else."""
    meta = item["metadata"]
    return meta["uid"], meta.get("generation"), token_of(item), meta.get("deletionTimestamp")
