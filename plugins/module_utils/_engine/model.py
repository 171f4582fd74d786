# SPDX-License-Identifier: GPL-3.0-or-later
"""The words of the engine: rungs, rights, writes, and the protocols of the outside world.

PRIVATE to the collection. Nothing here knows Ansible, HTTP or processes; the adapters `_kube.py`, `_helm.py`
and `_probe.py` fulfil the protocols, tests use a dict-backed cluster.
"""

from __future__ import annotations

import enum
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Protocol

Object = dict[str, Any]
"""A Kubernetes object, or any JSON object, as plain data."""

Operation = dict[str, Any]
"""One operation of a JSON Patch (RFC 6902): ``op``, ``path``, ``value``."""


class Rung(enum.IntEnum):
    """Where a cluster stands on the ladder; higher is further."""

    ROLLED_BACK = -1
    INSTALLED = 0
    PREPARED = 1
    REHEARSED = 2
    FLIPPED = 3
    SOAKED = 4
    PARKED = 5
    FINALISED = 6

    @property
    def word(self) -> str:
        """The name used in options, results and reports."""
        return self.name.lower()

    @classmethod
    def of(cls, word: str) -> Rung:
        """The rung called ``word``; raises KeyError for another word."""
        return cls[word.upper()]


@dataclass(frozen=True, slots=True)
class Right:
    """One permission a request needs, in the words of RBAC. ``namespace`` is empty for cluster-scoped objects."""

    verb: str
    group: str
    resource: str
    namespace: str = ""
    name: str = ""

    def __str__(self) -> str:
        kind = f"{self.resource}.{self.group}" if self.group else self.resource
        name = f" {self.name!r}" if self.name else ""
        place = f" in namespace {self.namespace}" if self.namespace else ""
        return f"{self.verb} {kind}{name}{place}"


@dataclass(frozen=True, slots=True)
class Counters:
    """How many requests went to the API server; ``reviews`` and ``dry_runs`` are POSTs that persist nothing."""

    reads: int = 0
    writes: int = 0
    reviews: int = 0
    dry_runs: int = 0

    @property
    def requests(self) -> int:
        """All requests, whatever they did."""
        return self.reads + self.writes + self.reviews + self.dry_runs


@dataclass(frozen=True, slots=True)
class Answer:
    """A raw HTTP answer. Header names are lower case. ``body`` is at most the first 64 KiB."""

    status: int
    headers: Mapping[str, str]
    body: bytes


class Cluster(Protocol):
    """One API server. Paths are those of its REST API, e.g. ``/api/v1/namespaces/flux-system/services/x``.

    Reads are quorum reads, retried within a budget. Writes are sent once: a lost answer raises UnknownOutcome, a failed
    guard Conflict, a refusal Forbidden or Rejected. All of them raise Unreachable and Unauthorised.
    """

    @property
    def counters(self) -> Counters:
        """Requests sent so far."""

    @property
    def server_time(self) -> datetime | None:
        """The ``Date`` of the newest answer, None before the first."""

    @property
    def latencies(self) -> Sequence[float]:
        """Seconds each read took, in order."""

    def get(self, path: str) -> Object | None:
        """The object at ``path``, None when the server says 404."""

    def list(
        self, path: str, *, labels: str = "", fields: str = "", metadata_only: bool = False, keep: Callable[[Object], Object] | None = None
    ) -> list[Object]:
        """All items of a collection, paged by 500, restarted from scratch on 410.

        A collection the server does not serve is an empty list. ``metadata_only`` asks for PartialObjectMetadata.
        Each item gets ``apiVersion`` and ``kind`` (lists leave them out). ``keep`` says what to keep of an item; the rest of a
        page is let go before the next one is asked for.
        """

    def create(self, path: str, body: Object, *, dry_run: bool = False) -> Object:
        """POST to a collection."""

    def patch(self, path: str, operations: Sequence[Operation], *, dry_run: bool = False) -> Object:
        """JSON Patch of an object, with our field manager."""

    def delete(self, path: str, *, uid: str, resource_version: str = "") -> None:
        """DELETE with preconditions, background propagation. 404 counts as done."""

    def review(self, path: str, body: Object) -> Object:
        """POST of an access review: asks, persists nothing."""

    def raw(self, path: str) -> Answer:
        """One GET without retries or interpretation, for the API server's service and pod proxies."""


@dataclass(frozen=True, slots=True)
class Release:
    """A Helm release to install: ``chart`` is anything the helm program takes (folder, archive, oci://…, repo/name).

    ``labels`` go onto the release's own storage Secrets; by them we know it again as ours. ``rendered`` is a file of its objects,
    instead of a chart.
    """

    name: str
    namespace: str
    chart: str
    version: str = ""
    values: Object = field(default_factory=dict)
    labels: dict[str, str] = field(default_factory=dict)
    rendered: str = ""


class Helm(Protocol):
    """The helm program, for one cluster. Every method raises HelmFailed with helm's own last line."""

    def version(self) -> str:
        """E.g. ``3.19.5``."""

    def template(self, release: Release, *, kube_version: str = "", api_versions: Sequence[str] = ()) -> list[Object]:
        """Render without asking a cluster; ``crds/`` included, hooks and tests left in. What is rendered already is read."""

    def install(self, release: Release) -> None:
        """``helm install`` without waiting and without taking ownership."""

    def uninstall(self, name: str, namespace: str) -> None:
        """``helm uninstall``, waiting for nothing; a release that is not there is no error."""


class Clock(Protocol):
    """Time, so that tests need not wait."""

    def monotonic(self) -> float:
        """Seconds that only go forward."""

    def wall(self) -> datetime:
        """Now, in UTC; for stamps only, never for decisions between machines."""

    def sleep(self, seconds: float) -> None:
        """Wait."""


@dataclass(frozen=True, slots=True)
class Vantage:
    """A place from which the dashboard is called: an ``entry`` URL, or the ``proxy`` path below the API server."""

    name: str
    kind: str
    address: str
    paths: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Sample:
    """One request of a probe. ``at`` is monotonic seconds at its start; ``status`` 0 when there was no HTTP answer."""

    at: float
    vantage: str
    reused: bool
    seconds: float
    status: int
    fault: str = ""


@dataclass(frozen=True, slots=True)
class EndpointEvent:
    """What one EndpointSlice of a Service said at one moment. ``ready`` holds pod names, empty when ``ports`` is empty."""

    at: float
    service: str
    slice: str
    ready: tuple[str, ...]
    ports: tuple[tuple[str, int], ...]
    deleted: bool = False


class Probes(Protocol):
    """Requests and watches that run beside the climb, in threads of their own."""

    def start(self, vantages: Sequence[Vantage], namespace: str, services: Sequence[str]) -> None:
        """Begin: every vantage with new and with reused connections, >= 10 requests/s each, and one watch on the slices."""

    def samples(self, since: float = 0.0) -> list[Sample]:
        """Samples that began at ``since`` or later, oldest first."""

    def events(self) -> list[EndpointEvent]:
        """All endpoint events, oldest first; the first ones are the state at the start of the watch."""

    def stop(self) -> None:
        """End and join all threads; calling it twice is no error."""


@dataclass(frozen=True, slots=True)
class Change:
    """The object at ``path`` has changed or gone. ``at`` is when it was seen, in monotonic seconds."""

    at: float
    path: str


class Watcher(Protocol):
    """Eyes on single objects, beside the climb. It says that one has changed, never to what: that is read when it is judged."""

    def start(self, paths: Sequence[str]) -> None:
        """Begin with the objects as they are now."""

    def changes(self) -> list[Change]:
        """What changed since the last call, oldest first; after a time in which it saw nothing, whatever is another one now."""

    def wait(self, seconds: float) -> None:
        """Let time pass, but not beyond the next change."""

    def troubles(self) -> list[str]:
        """Why it could not see for a while, each reason once."""

    def stop(self) -> None:
        """End; calling it twice is no error."""
