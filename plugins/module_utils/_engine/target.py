# SPDX-License-Identifier: GPL-3.0-or-later
"""WGE as the chart about to be installed renders it: its server's labels, ports and names. PRIVATE.

A customer's chart may differ from any that was read when this was written, so nothing is assumed: the chart is rendered with
the values it will get, and the facts F1 to F5, F12 and F15 (docs/facts.md) are looked up in the result.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property

from .._errors import Blocked
from .discover import image_version
from .model import Object, Release
from .objects import containers_of, name_of, pod_template

SERVER_LABEL = ("app", "clusters-service")
SERVER_SERVICE = "clusters-service"
SERVER_PORT_NAME = "server"
METRICS_PORT_NAME = "monitoring"
FACTS = "The chart would not serve behind the kept Services; ask for the chart of a known WGE version (0.38.1)."


@dataclass(frozen=True)
class Target:
    """WGE to be: the release, the rendered objects, and the server among them."""

    release: Release
    objects: tuple[Object, ...]
    deployment: Object
    moved: Mapping[str, str] = field(default_factory=dict)
    """The images that come out of a mirror: the chart's name and the mirror's, without tags."""

    @property
    def name(self) -> str:
        """The name of WGE's server Deployment."""
        return name_of(self.deployment)

    @cached_property
    def pod_labels(self) -> dict[str, str]:
        """The labels of WGE's server pods."""
        return pod_template(self.deployment).get("metadata", {}).get("labels") or {}

    @cached_property
    def selector(self) -> dict[str, str]:
        """What a kept Service selects after the flip: WGE's own label and its release, so never a second WGE."""
        keys = ("app", "app.kubernetes.io/instance")
        return {key: self.pod_labels[key] for key in keys if key in self.pod_labels}

    @cached_property
    def container(self) -> Object:
        """The container that serves."""
        return next((c for c in containers_of(self.deployment) if _port(c, SERVER_PORT_NAME)), {})

    @property
    def container_index(self) -> int:
        """Its place in the list, for JSON Patch paths."""
        return containers_of(self.deployment).index(self.container)

    @cached_property
    def port(self) -> int:
        """The number of the port that serves UI and API."""
        return _port(self.container, SERVER_PORT_NAME)

    @property
    def metrics_port(self) -> int:
        """The number of the metrics port, 0 when WGE has none."""
        return _port(self.container, METRICS_PORT_NAME)

    @property
    def version(self) -> str:
        """WGE's version, from the server's image tag; the chart's app version never changes (docs/facts.md, 3.1)."""
        return image_version(self.container.get("image", ""))

    @property
    def uses_tls(self) -> bool:
        """Whether the server will speak TLS: ``NO_TLS`` in its ConfigMap (F4)."""
        settings = [item.get("data") or {} for item in self.objects if item.get("kind") == "ConfigMap"]
        return not any(str(data.get("NO_TLS", "")).lower() == "true" for data in settings)


def target_from(release: Release, rendered: Sequence[Object]) -> Target:
    """Find WGE's server in a rendering; raises Blocked with the fact that the chart breaks."""
    servers = [item for item in rendered if is_server(item)]
    if len(servers) != 1:
        raise Blocked(
            f"The {_words(release)} renders {len(servers)} Deployments whose pods carry the label "
            f"{SERVER_LABEL[0]}={SERVER_LABEL[1]} (fact F2), not one.",
            FACTS,
        )
    if not any(_port(c, SERVER_PORT_NAME) for c in containers_of(servers[0])):
        raise Blocked(
            f"In the {_words(release)} no container of {name_of(servers[0])} has a port named {SERVER_PORT_NAME!r} (fact F2).",
            FACTS,
        )
    return Target(release, tuple(rendered), servers[0])


def nothing(release: Release) -> Target:
    """No WGE: what is known when there is neither a chart to render nor a release that was installed."""
    return Target(release, (), {})


def broken_facts(target: Target, *, scheme: str) -> list[str]:
    """A sentence for each fact that the rendering breaks, for check TA-03; empty when all hold."""
    service = next((o for o in target.objects if o.get("kind") == "Service" and name_of(o) == SERVER_SERVICE), None)
    problems = []
    if service is None:
        problems.append(f"F2: there is no Service {SERVER_SERVICE}")
    elif not any(p.get("name") == "https" and p.get("targetPort") in (target.port, SERVER_PORT_NAME) for p in _ports(service)):
        names = ", ".join(str(p.get("name")) for p in _ports(service))
        problems.append(f"F2: Service {SERVER_SERVICE} has no port named 'https' that leads to {target.port} (its ports: {names})")
    if target.uses_tls != (scheme == "https"):
        problems.append(f"F4: the server speaks {'https' if target.uses_tls else 'http'} while WG's routes expect {scheme}")
    if any(o.get("kind") == "Ingress" for o in target.objects):
        problems.append("F3: the chart brings an Ingress of its own, which would claim the kept host")
    return problems


def is_server(item: Object) -> bool:
    """Whether an object is the Deployment of WGE's server."""
    labels = pod_template(item).get("metadata", {}).get("labels") or {}
    return item.get("kind") == "Deployment" and bool(labels.get(SERVER_LABEL[0]) == SERVER_LABEL[1])


def _words(release: Release) -> str:
    return f"file {release.rendered}" if release.rendered else f"chart {release.chart}"


def _port(container: Object, name: str) -> int:
    return next((int(p["containerPort"]) for p in container.get("ports") or [] if p.get("name") == name), 0)


def _ports(service: Object) -> list[Object]:
    return service.get("spec", {}).get("ports") or []


def without_secrets(rendered: Sequence[Object]) -> list[Object]:
    """A rendering that can be shared or shown: the data of Secrets taken out."""
    return [{k: v for k, v in o.items() if k not in ("data", "stringData")} if o.get("kind") == "Secret" else o for o in rendered]
