# SPDX-License-Identifier: GPL-3.0-or-later
"""What a step judges: the settings, the cluster as it was read, WGE as it is rendered, and the run's journal. PRIVATE."""

from __future__ import annotations

from dataclasses import dataclass

from .._errors import SafeStop
from .entitlement.grant import Grant
from .journal import Journal
from .model import Object
from .names import KEPT_ANNOTATION, RUN_LABEL, SHADOW_SUFFIX
from .objects import annotations_of, labels_of, name_of, path_of, selects
from .settings import Settings
from .snapshot import Snapshot
from .target import Target


@dataclass(frozen=True, slots=True)
class Situation:
    """One moment of a climb. ``journal`` is the open one of this run, or None before it exists."""

    settings: Settings
    snapshot: Snapshot
    target: Target
    run: str
    grant: Grant
    journal: Journal | None = None

    @property
    def namespace(self) -> str:
        """The namespace of both products."""
        return self.snapshot.namespace

    @property
    def form(self) -> str:
        """In which form WG was installed when this run began; without a run, as it was found."""
        return self.journal.form if self.journal else self.snapshot.installed.found.form

    @property
    def kept_services(self) -> list[Object]:
        """Every Service that leads, or led, to WG: those that carry metrics only first, the routed ones last."""
        labels = self.snapshot.installed.found.pod_labels
        ours = {entry["path"] for entry in self.journal.entries.get("S12", [])} if self.journal else set()
        found = [
            s
            for s in self.snapshot.of("Service")
            if not self.is_shadow(s) and (_is_kept(s) or selects(_selector(s), labels) or path_of(s) in ours)
        ]
        return sorted(found, key=lambda s: (self.serves(s), name_of(s)))

    @property
    def main_service(self) -> Object | None:
        """The Service that serves UI and API: the one of WG's release if it has one."""
        own = self.own_services
        serving = [s for s in self.kept_services if self.serves(s)]
        return next((s for s in serving if name_of(s) in own), serving[0] if serving else None)

    @property
    def own_services(self) -> set[str]:
        """The names of the Services of WG's release; of one that was handed over, or of none, the name of its Deployment."""
        return {name_of(item) for item in self.snapshot.installed.objects("Service")} or {name_of(self.wg)}

    @property
    def wg(self) -> Object:
        """WG's Deployment, as it is now."""
        return self.snapshot.installed.found.deployment

    @property
    def wge(self) -> Object | None:
        """WGE's Deployment, None when it is not there."""
        return self.snapshot.one("Deployment", self.target.name)

    @property
    def is_flipped(self) -> bool:
        """Whether every kept Service selects WGE."""
        kept = self.kept_services
        return bool(kept) and all(_selector(s) == self.target.selector for s in kept)

    @property
    def is_parked(self) -> bool:
        """Whether WGE serves and WG is scaled to nothing."""
        return self.is_flipped and self.wg.get("spec", {}).get("replicas") == 0

    def is_shadow(self, service: Object) -> bool:
        """Whether a Service is our own rehearsal's."""
        return name_of(service).endswith(SHADOW_SUFFIX) and RUN_LABEL in labels_of(service)

    def serves(self, service: Object) -> bool:
        """Whether a Service has a port that leads to UI and API, rather than to metrics alone."""
        return any(self.wge_port(target_port(p)) == self.target.port for p in ports_of(service))

    def serving_port(self, service: Object) -> int:
        """The number of a Service's port that leads to UI and API; its first port when none does."""
        serving = [port for port in ports_of(service) if self.wge_port(target_port(port)) == self.target.port]
        return int((serving or ports_of(service))[0]["port"])

    def wge_port(self, target: int | str) -> int:
        """Where a target port of WG leads in WGE: the same number when it leads there already, 0 when nowhere (F1, F2, F17)."""
        container = self.snapshot.installed.found.container
        named = {p.get("name"): p.get("containerPort") for p in container.get("ports") or []}
        if target in (self.target.port, self.target.metrics_port):
            return int(target)
        if target in ("http", self.snapshot.installed.ui_port):
            return self.target.port
        if target in ("http-metrics", named.get("http-metrics")):
            return self.target.metrics_port
        return 0

    def labels(self) -> dict[str, str]:
        """The labels of every object we create."""
        return {RUN_LABEL: self.run, "app.kubernetes.io/managed-by": "wge"}


def require_flipped(now: Situation) -> None:
    """Raises SafeStop when a kept Service does not lead to WGE, on a cluster whose WG is gone or going."""
    astray = [name_of(s) for s in now.kept_services if not now.target.selector or _selector(s) != now.target.selector]
    if astray or not now.kept_services:
        names = ", ".join(astray) or "the ones that led to WG"
        raise SafeStop(
            f"WG is parked or removed, and not every kept Service leads to WGE: {names}.",
            "See who changed the Service or removed WGE; roll back, from the archive if WG was removed.",
        )


def ports_of(service: Object) -> list[Object]:
    """spec.ports of a Service."""
    return service.get("spec", {}).get("ports") or []


def target_port(port: Object) -> int | str:
    """Where a Service port leads: its target port, or its own number when it names none."""
    found: int | str = port.get("targetPort") or port["port"]
    return found


def _selector(service: Object) -> dict[str, str]:
    return service.get("spec", {}).get("selector") or {}


def _is_kept(service: Object) -> bool:
    return KEPT_ANNOTATION in annotations_of(service) and bool(_selector(service))
