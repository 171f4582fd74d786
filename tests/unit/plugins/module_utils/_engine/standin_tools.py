# SPDX-License-Identifier: GPL-3.0-or-later
"""Stand-ins for the helm program, time and the probes, on a stand-in cluster."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime, timedelta

from ansible_collections.weaveworks.wge.plugins.module_utils._engine.model import (
    Change,
    EndpointEvent,
    Object,
    Release,
    Sample,
    Vantage,
)
from ansible_collections.weaveworks.wge.plugins.module_utils._engine.objects import CLUSTER_SCOPED, selects
from ansible_collections.weaveworks.wge.plugins.module_utils._errors import HelmFailed

from .standin import NOW, StandInCluster, copied, path_of
from .standin_products import release_secret, released, wge_objects


class StandInClock:
    """Sleeping takes no time; ``on_sleep`` functions get the seconds slept, after they passed."""

    def __init__(self) -> None:
        self.now = 0.0
        self.on_sleep: list[Callable[[float], None]] = []

    def monotonic(self) -> float:
        return self.now

    def wall(self) -> datetime:
        return NOW + timedelta(seconds=self.now)

    def sleep(self, seconds: float) -> None:
        self.now += seconds
        for function in self.on_sleep:
            function(seconds)


class StandInHelm:
    """Renders with ``render``, installs into the cluster's dict as helm does, and remembers its calls."""

    def __init__(self, cluster: StandInCluster, render: Callable[[Release], list[Object]] = wge_objects) -> None:
        self.cluster = cluster
        self.render = render
        self.calls: list[str] = []
        self.fails: set[str] = set()

    def version(self) -> str:
        return "3.19.5"

    def template(self, release: Release, *, kube_version: str = "", api_versions: Sequence[str] = ()) -> list[Object]:
        self._begin("template")
        return copied(self.render(release))

    def install(self, release: Release) -> None:
        self._begin("install")
        if any(item["metadata"]["name"].startswith(f"sh.helm.release.v1.{release.name}.v") for item in self.cluster.all("Secret")):
            raise HelmFailed("helm install failed: cannot re-use a name that is still in use.", "Correct what helm names, then run again.")
        placed = [self._placed(item, release.namespace) for item in self.render(release)]
        marked = [
            item if item["kind"] == "CustomResourceDefinition" else released(item, release.name, release.namespace) for item in placed
        ]
        for item in marked:
            live = self.cluster.objects.get(path_of(item))
            owner = ((live or {}).get("metadata", {}).get("annotations") or {}).get("meta.helm.sh/release-name")
            if live and item["kind"] != "CustomResourceDefinition" and owner != release.name:
                raise HelmFailed(f"{item['kind']} {item['metadata']['name']} exists and cannot be imported into the current release.")
        manifest = [item for item in placed if item["kind"] != "CustomResourceDefinition"]
        stored = release_secret(release.name, manifest, namespace=release.namespace)
        stored["metadata"]["labels"].update(release.labels)
        for item in [*marked, stored]:
            self.cluster.put(item)
        self._written()

    def uninstall(self, name: str, namespace: str) -> None:
        self._begin("uninstall")
        for path, item in list(self.cluster.objects.items()):
            owner = (item["metadata"].get("annotations") or {}).get("meta.helm.sh/release-name")
            stored = item["metadata"]["name"].startswith(f"sh.helm.release.v1.{name}.v")
            if owner == name or stored:
                del self.cluster.objects[path]
        self._written()

    def _begin(self, verb: str) -> None:
        self.calls.append(verb)
        if verb in self.fails:
            raise HelmFailed(f"helm {verb} failed.", "Look at helm.")

    def _placed(self, item: Object, namespace: str) -> Object:
        placed = copied(item)
        if item["kind"] not in CLUSTER_SCOPED:
            placed["metadata"].setdefault("namespace", namespace)
        return placed

    def _written(self) -> None:
        for function in self.cluster.after_write:
            function()


class StandInProbes:
    """One sample a sleep for every vantage, with a new and a reused connection; one event whenever a slice changes.

    Entry URLs lead to the Service ``entry``. ``faults`` may name vantages that fail whatever the cluster says.
    """

    def __init__(self, cluster: StandInCluster, clock: StandInClock, entry: str = "") -> None:
        self.cluster, self.clock, self.entry = cluster, clock, entry
        self.faults: set[str] = set()
        self.running = False
        self._samples: list[Sample] = []
        self._events: list[EndpointEvent] = []
        self._vantages: Sequence[Vantage] = ()
        self._services: Sequence[str] = ()
        self._last: dict[str, tuple[tuple[str, ...], tuple[tuple[str, int], ...]]] = {}
        clock.on_sleep.append(lambda _seconds: self._probe())
        cluster.after_write.append(self._watch)

    def start(self, vantages: Sequence[Vantage], namespace: str, services: Sequence[str]) -> None:
        self._vantages, self._services, self.running = vantages, services, True
        self._watch()
        self._probe()

    def samples(self, since: float = 0.0) -> list[Sample]:
        return [sample for sample in self._samples if sample.at >= since]

    def events(self) -> list[EndpointEvent]:
        return list(self._events)

    def stop(self) -> None:
        self.running = False

    def _probe(self) -> None:
        for vantage in self._vantages if self.running else ():
            for reused in (False, True):
                self._samples.append(self._sample(vantage, reused))

    def _sample(self, vantage: Vantage, reused: bool) -> Sample:
        path = vantage.address
        if vantage.kind == "entry":
            service = next(item for item in self.cluster.all("Service") if item["metadata"]["name"] == self.entry)
            place, port = service["metadata"]["namespace"], service["spec"]["ports"][0]["port"]
            path = f"/api/v1/namespaces/{place}/services/http:{self.entry}:{port}/proxy"
        status = self.cluster.answer(path + vantage.paths[0]).status
        good = status == 200 and vantage.name not in self.faults
        return Sample(self.clock.now, vantage.name, reused, 0.01, status, "" if good else f"status {status}")

    def _watch(self) -> None:
        for service in self._services if self.running else ():
            found = [
                s for s in self.cluster.all("EndpointSlice") if selects({"kubernetes.io/service-name": service}, s["metadata"]["labels"])
            ]
            for item in found:
                ready = tuple(e["targetRef"]["name"] for e in item["endpoints"] if e["conditions"]["ready"])
                ports = tuple((port["name"], port["port"]) for port in item["ports"])
                if self._last.get(service) != (ready, ports):
                    self._last[service] = (ready, ports)
                    self._events.append(EndpointEvent(self.clock.now, service, item["metadata"]["name"], ready if ports else (), ports))


class StandInWatcher:
    """Sees the versions of the objects it watches, whenever it is asked. ``blind`` are the reasons why it could not see."""

    def __init__(self, cluster: StandInCluster, clock: StandInClock) -> None:
        self.cluster, self.clock = cluster, clock
        self.blind: list[str] = []
        self.running = False
        self._seen: dict[str, str] = {}

    def start(self, paths: Sequence[str]) -> None:
        self.running = True
        self._seen = {path: self._version(path) for path in paths}

    def changes(self) -> list[Change]:
        found = [path for path, version in self._seen.items() if self._version(path) != version]
        self._seen.update({path: self._version(path) for path in found})
        return [Change(self.clock.now, path) for path in found]

    def wait(self, seconds: float) -> None:
        self.clock.sleep(seconds)

    def troubles(self) -> list[str]:
        return self.blind

    def stop(self) -> None:
        self.running = False

    def _version(self, path: str) -> str:
        item = self.cluster.objects.get(path)
        return str(item["metadata"]["resourceVersion"]) if item else ""
