# SPDX-License-Identifier: GPL-3.0-or-later
"""WGE's server as it runs: found by its pods' label, asked through the Service that leads to them. PRIVATE."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timezone

from ..._errors import Blocked, Forbidden, WgeError
from ..discover import flag
from ..model import Answer, Clock, Cluster, Object, Release
from ..names import ENTITLEMENT_NAMESPACE, ENTITLEMENT_SECRET
from ..objects import collection_path, containers_of, is_ready, labels_of, metadata, name_of, namespace_of, object_path, selects
from ..target import SERVER_LABEL, SERVER_SERVICE, Target
from . import effect

LAG_SECONDS = 10.0
"""How long the API server's proxy may lag behind an endpoint that has become ready."""
ASK_EVERY = 0.5
_PROBES = ("readinessProbe", "livenessProbe", "startupProbe")


@dataclass(frozen=True, slots=True)
class Server:
    """The Deployment of WGE's server, its pods, and the ``name`` and port of the Service to ask it by (empty: there is none)."""

    target: Target
    pods: tuple[Object, ...]
    service: str = ""
    port: int = 0
    settings: dict[str, str] = field(default_factory=dict, repr=False)

    @property
    def deployment(self) -> Object:
        """The Deployment as it was read."""
        return self.target.deployment

    @property
    def namespace(self) -> str:
        """Where it runs."""
        return namespace_of(self.deployment)

    @property
    def path(self) -> str:
        """The Deployment's path."""
        return object_path("Deployment", name_of(self.deployment), self.namespace)

    @property
    def tls(self) -> bool:
        """Whether it speaks TLS: as the probes it has say, else as it was told (F4)."""
        for key in _PROBES:
            scheme = ((self.target.container.get(key) or {}).get("httpGet") or {}).get("scheme")
            if scheme:
                return bool(scheme == "HTTPS")
        return self.setting("no-tls").lower() not in ("true", "1")

    @property
    def reads(self) -> tuple[str, str]:
        """Name and namespace of the Secret from which it takes its entitlement."""
        name, namespace = self.setting("entitlement-secret-name"), self.setting("entitlement-secret-namespace")
        return name or ENTITLEMENT_SECRET, namespace or ENTITLEMENT_NAMESPACE

    @property
    def drains(self) -> bool:
        """Whether its pods wait before they end, so that no request is in their hands then."""
        return bool((self.target.container.get("lifecycle") or {}).get("preStop"))

    @property
    def route_prefix(self) -> str:
        """The path below which it serves, empty for the root."""
        prefix = self.setting("route-prefix").strip("/")
        return f"/{prefix}" if prefix else ""

    def setting(self, name: str) -> str:
        """What WGE was told by ``--name`` or by the environment variable of that name, empty when nothing was said."""
        arguments = [str(word) for word in self.target.container.get("args") or []]
        value = flag(arguments, f"--{name}")
        if f"--{name}" in arguments and (not value or value.startswith("--")):
            return "true"  # a switch
        return value or self.settings.get(name.upper().replace("-", "_"), "")

    def started(self) -> datetime | None:
        """When the first of its ready pods read the entitlement, None when none is ready.

        A container that was started again has read it again. A pod's creation is told by the API server's clock, as the Secret's
        time is; a node's own clock may be behind.
        """
        times = [_loaded(pod, str(self.target.container.get("name"))) for pod in self.pods if is_ready(pod)]
        return min(times, default=None)


@dataclass(frozen=True, slots=True)
class Effect:
    """What WGE shows: one of the words of ``effect``, and in ``reason`` why it is not known.

    ``reads`` is the Secret it took it from, by name and namespace; None when there is no server.
    """

    state: str
    reason: str = ""
    reads: tuple[str, str] | None = None


def find(cluster: Cluster, namespace: str) -> Server | None:
    """The server that runs, in a namespace or (empty) anywhere; None when no pod is there. Raises Blocked when there are several."""
    key, value = SERVER_LABEL
    pods = [pod for pod in cluster.list(collection_path("Pod", namespace), labels=f"{key}={value}") if not _is_over(pod)]
    places = sorted({namespace_of(pod) for pod in pods})
    found = [item for place in places for item in cluster.list(collection_path("Deployment", place)) if _runs(item, pods)]
    if len(found) > 1:
        names = ", ".join(f"{name_of(item)} in namespace {namespace_of(item)}" for item in found)
        raise Blocked(f"There are several servers of WGE on this cluster: {names}.", "Name the namespace of one.")
    return _server(cluster, found[0], pods) if found else None


def observe(cluster: Cluster, clock: Clock, server: Server | None) -> Effect:
    """What it shows; a right that is missing, or no answer, is UNKNOWN with the reason."""
    if server is None:
        return Effect(effect.NOT_RUNNING)
    if server.started() is None:
        return Effect(effect.UNKNOWN, "none of WGE's pods is ready", server.reads)
    if not server.service:
        return Effect(effect.UNKNOWN, f"no Service in namespace {server.namespace} leads to WGE's server", server.reads)
    return replace(_asked(cluster, clock, server), reads=server.reads)


def look(cluster: Cluster, clock: Clock, namespace: str) -> Effect:
    """Find it and ask it; nothing that goes wrong on the way is an error."""
    try:
        return observe(cluster, clock, find(cluster, namespace))
    except (Blocked, Forbidden) as problem:
        return Effect(effect.UNKNOWN, problem.what.rstrip("."))


def until(clock: Clock, ask: Callable[[], Answer], tick: Callable[[float], None]) -> tuple[Answer, str]:
    """WGE's own answer and "", or the API server's last one and why it is not WGE's, after the time the proxy may lag."""
    end = clock.monotonic() + LAG_SECONDS
    while True:
        answer = ask()
        reason = effect.not_wges(answer)
        if not reason or answer.status in (401, 403) or clock.monotonic() > end:
            return answer, reason
        tick(ASK_EVERY)


def _asked(cluster: Cluster, clock: Clock, server: Server) -> Effect:
    base = effect.proxy_path(server.namespace, server.service, server.port, "https" if server.tls else "http")
    path = base + server.route_prefix + effect.PROTECTED_PATH
    try:
        answer, reason = until(clock, lambda: cluster.raw(path), clock.sleep)
    except WgeError as problem:
        return Effect(effect.UNKNOWN, problem.what.rstrip("."))
    if reason:
        return Effect(effect.UNKNOWN, reason.rstrip("."))
    state = effect.state_of(answer)
    return Effect(state, f"WGE answers {answer.status} on {effect.PROTECTED_PATH}" if state == effect.UNKNOWN else "")


def _server(cluster: Cluster, deployment: Object, pods: Sequence[Object]) -> Server:
    namespace = namespace_of(deployment)
    target = Target(Release("", namespace, ""), (), deployment)
    own = tuple(pod for pod in pods if _runs(deployment, [pod]))
    service, port = _service(cluster, target, own)
    return Server(target, own, service, port, _environment(cluster, namespace, target.container))


def _service(cluster: Cluster, target: Target, pods: Sequence[Object]) -> tuple[str, int]:
    """The Service of WGE's own chart if it is there, else the first by name that leads to its pods' server port."""
    namespace = namespace_of(target.deployment)
    found = []
    for service in cluster.list(collection_path("Service", namespace)):
        if any(selects(service.get("spec", {}).get("selector"), labels_of(pod)) for pod in pods):
            found += [(name_of(service), port) for port in _ports(service, target)]
    return min(found, key=lambda entry: (entry[0] != SERVER_SERVICE, entry), default=("", 0))


def _ports(service: Object, target: Target) -> list[int]:
    ports = service.get("spec", {}).get("ports") or []
    return [int(port["port"]) for port in ports if (port.get("targetPort") or port["port"]) in ("server", target.port)]


def _environment(cluster: Cluster, namespace: str, container: Object) -> dict[str, str]:
    """What the server's environment says as far as it is plain: its own variables, and its ConfigMaps."""
    found: dict[str, str] = {}
    for source in container.get("envFrom") or []:
        name = (source.get("configMapRef") or {}).get("name")
        if name:
            found |= (cluster.get(object_path("ConfigMap", name, namespace)) or {}).get("data") or {}
    own = {str(entry["name"]): str(entry["value"]) for entry in container.get("env") or [] if "value" in entry}
    return {**found, **own}


def _runs(deployment: Object, pods: Sequence[Object]) -> bool:
    """Whether one of the pods is this Deployment's, and the Deployment's container serves."""
    selector = (deployment.get("spec", {}).get("selector") or {}).get("matchLabels")
    serves = any(port.get("name") == "server" for c in containers_of(deployment) for port in c.get("ports") or [])
    return serves and any(namespace_of(pod) == namespace_of(deployment) and selects(selector, labels_of(pod)) for pod in pods)


def _is_over(pod: Object) -> bool:
    return bool(metadata(pod).get("deletionTimestamp")) or pod.get("status", {}).get("phase") in ("Succeeded", "Failed")


def _loaded(pod: Object, container: str) -> datetime:
    states = pod.get("status", {}).get("containerStatuses") or []
    running = [((state.get("state") or {}).get("running") or {}).get("startedAt") for state in states if state.get("name") == container]
    times = [moment(text) for text in (metadata(pod).get("creationTimestamp"), *running) if text]
    return max(times, default=datetime.fromtimestamp(0, timezone.utc))


def moment(text: str) -> datetime:
    """``2026-11-23T08:00:00Z`` as the API server writes it."""
    return datetime.strptime(text[:19], "%Y-%m-%dT%H:%M:%S").replace(tzinfo=timezone.utc)
