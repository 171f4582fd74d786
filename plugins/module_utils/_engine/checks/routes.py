# SPDX-License-Identifier: GPL-3.0-or-later
"""Which objects lead to the kept Services, and which rules are made about them: found once, judged by NE-02 to NE-05 and NE-11. PRIVATE.

Only what is served is listed, once for the cluster, and only what names a kept Service stays in memory. A Service of another
namespace may stand for a kept one (type ExternalName); what leads to it leads here as well.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from typing import Any

from ..._errors import Forbidden, Rejected, SafeStop, WgeError
from ..dig import dig, first, objects_at, texts_in
from ..model import Object
from ..objects import annotations_of, collection_path, name_of, namespace_of
from .evidence import ERROR, Evidence, Judged
from .route_kinds import RouteKind
from .route_table import GATEWAY, INGRESS, KINDS

Address = tuple[str, str]
"""Namespace and name of a Service."""
GRANTS = f"/apis/{GATEWAY}/v1beta1/referencegrants"
_HOST_RULE = re.compile(r"HostSNI\(([^)]*)\)|Host\(([^)]*)\)")
_LAST_APPLIED = "kubectl.kubernetes.io/last-applied-configuration"


@dataclass(frozen=True, slots=True)
class Lead:
    """One place where an object names a kept Service: ``service`` is the kept one's name, ``via`` an ExternalName Service."""

    service: str
    via: str
    port: int | str
    scheme: str
    certificate: str


@dataclass(frozen=True, slots=True)
class Route:
    """An object that leads to kept Services, or makes a rule about them. ``gap`` says why it may lead nowhere."""

    kind: RouteKind
    item: Object
    leads: tuple[Lead, ...]
    gap: str = ""

    @property
    def title(self) -> str:
        """E.g. ``HTTPRoute web/gitops``."""
        return f"{self.kind.kind} {namespace_of(self.item)}/{name_of(self.item)}"

    @property
    def hosts(self) -> list[str]:
        """The host names it is for; a rule of Traefik is taken apart."""
        return list(dict.fromkeys(host for path in self.kind.hosts for text in dig(self.item, path) for host in _hosts(str(text))))

    @property
    def paths(self) -> list[str]:
        """The URL paths it is for."""
        return list(dict.fromkeys(str(text) for path in self.kind.paths for text in dig(self.item, path)))

    @property
    def pod_ports(self) -> list[int]:
        """Numbers in it that mean a port of the pods."""
        found = [value for path in self.kind.pod_ports for value in dig(self.item, path)]
        return [value for value in found if isinstance(value, int) and not isinstance(value, bool)]

    @property
    def services(self) -> list[str]:
        """The kept Services it names."""
        return sorted({lead.service for lead in self.leads})


@dataclass(frozen=True, slots=True)
class Routes:
    """What was found; ``unread`` holds a problem for each kind that could not be listed."""

    found: tuple[Route, ...]
    unread: tuple[WgeError, ...]

    @property
    def routes(self) -> list[Route]:
        """Those that lead somewhere by themselves."""
        return [route for route in self.found if route.kind.is_route]

    def unjudged(self, seen: str) -> Judged | None:
        """The answer of a check that had to see them all and could not; None when it could."""
        if not self.unread:
            return None
        text = " ".join(problem.what for problem in self.unread)
        return Judged(ERROR, f"{seen} Not all was looked at: {text}", self.unread[0].next_step)


def routes_of(evidence: Evidence) -> Routes:
    """Every object that leads to a kept Service. The lists are asked for once, whoever asks."""
    now, unread = evidence.now, []
    addresses: dict[Address, str] = {(now.namespace, name_of(item)): name_of(item) for item in now.kept_services}
    if not addresses:
        return Routes((), ())
    found = [_route(INGRESS, item, addresses) for item in now.snapshot.of("Ingress")]
    try:
        addresses |= _aliases(evidence, addresses)
    except (Forbidden, Rejected, SafeStop) as problem:
        unread.append(problem)
    for kind, path in _served(evidence, abroad=any(place != now.namespace for place, _name in addresses)):
        try:
            items = evidence.all(path, _keeper({name for _place, name in addresses}))
        except (Forbidden, Rejected, SafeStop) as problem:
            unread.append(problem)
        else:
            found += [_route(kind, item, addresses) for item in items if item and not _is_known(kind, item, now.namespace)]
    granted = [_granted(route, evidence) for route in found if route.leads]
    return Routes(tuple(granted), tuple({problem.what: problem for problem in unread}.values()))


def address_of(host: str, namespace: str) -> Address:
    """The Service that a name means: ``x``, ``x.y``, ``x.y.svc.cluster.local``, with or without a scheme and a port."""
    bare = re.sub(r"^[a-z0-9]+://", "", host).split("/")[0].split(":")[0].rstrip(".")
    name, _dot, rest = bare.partition(".")
    place = rest.split(".")[0] if rest else ""
    return place or namespace, name


def lean(item: Object) -> Object:
    """What the checks need of a foreign object."""
    notes = {key: value for key, value in annotations_of(item).items() if key != _LAST_APPLIED}
    meta = {"name": name_of(item), "namespace": namespace_of(item), "annotations": notes}
    return {"kind": item.get("kind"), "metadata": meta, "spec": item.get("spec")}


def _keeper(names: Iterable[str]) -> Any:
    """Keeps an object that names one of these Services somewhere, and lets go of any other."""
    wanted = tuple(names)

    def keep(item: Object) -> Object:
        texts = [name_of(item), *texts_in(item.get("spec"))]
        return lean(item) if any(name in text for text in texts for name in wanted) else {}

    return keep


def _served(evidence: Evidence, *, abroad: bool) -> Iterator[tuple[RouteKind, str]]:
    """The kinds to list; Ingresses of other namespaces only when a Service there stands for a kept one."""
    served = evidence.now.snapshot.identity.served
    for kind in KINDS:
        path = kind.collection(served)
        if path and (kind is not INGRESS or abroad):
            yield kind, path


def _is_known(kind: RouteKind, item: Object, namespace: str) -> bool:
    return kind is INGRESS and namespace_of(item) == namespace


def _aliases(evidence: Evidence, addresses: dict[Address, str]) -> dict[Address, str]:
    """The Services of type ExternalName that stand for kept ones."""
    found = {}
    for item in evidence.all(collection_path("Service"), external_names):
        target = address_of(str(first(item, "spec.externalName")), "")
        if item and target in addresses:
            found[(namespace_of(item), name_of(item))] = addresses[target]
    return found


def external_names(item: Object) -> Object:
    """Of all Services of a cluster only those that stand for another one are kept."""
    return lean(item) if first(item, "spec.type") == "ExternalName" else {}


def _route(kind: RouteKind, item: Object, addresses: dict[Address, str]) -> Route:
    leads = []
    for backend in objects_at(item, kind.backends):
        if backend.get("kind", "Service") not in ("Service", kind.kind):
            continue
        place = str(first(backend, kind.namespace) or namespace_of(item))
        address = address_of(str(first(backend, kind.name)), place)
        if address in addresses:
            kept = addresses[address]
            via = "" if address[1] == kept else "/".join(address)
            scheme, certificate = kind.speaks(item, backend)
            leads.append(Lead(kept, via, first(backend, *kind.port) if kind.port else "", scheme, certificate))
    return Route(kind, item, tuple(dict.fromkeys(leads)))


def _granted(route: Route, evidence: Evidence) -> Route:
    """A route of the Gateway API leads into another namespace only with that one's consent."""
    place, kept = namespace_of(route.item), evidence.now.namespace
    if route.kind.group != GATEWAY or place == kept or any(lead.via for lead in route.leads):
        return route
    if f"{GATEWAY}/v1beta1" not in evidence.now.snapshot.identity.served:
        return route
    grants = [item for item in evidence.all(GRANTS, lean) if namespace_of(item) == kept]
    sources = [source for item in grants for source in dig(item, "spec.from")]
    if any(first(s, "kind") == route.kind.kind and first(s, "namespace") == place for s in sources):
        return route
    return replace(route, gap="without a ReferenceGrant, so it leads nowhere")


def _hosts(text: str) -> list[str]:
    """The hosts in a rule like Host(`a`) || Host(`b`); any other text is a host itself."""
    found = [name for groups in _HOST_RULE.findall(text) for name in re.findall(r"[`\"']([^`\"']+)[`\"']", "".join(groups))]
    return found or ([] if "(" in text else [text])
