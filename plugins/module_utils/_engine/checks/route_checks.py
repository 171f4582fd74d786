# SPDX-License-Identifier: GPL-3.0-or-later
"""NE-02, NE-03, NE-04 and NE-11: do the routes that lead to WG lead to WGE, just as they are? PRIVATE."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass

from ..dig import dig, first
from ..discover import flag
from ..model import Object
from ..objects import annotations_of, name_of, namespace_of
from ..situation import Situation, ports_of
from .evidence import Evidence, Judged, failed, passed, warned
from .route_kinds import HTTP, HTTPS, annotated, scheme_named
from .routes import Route, lean, routes_of
from .unknown_routes import MOST_GROUPS, MOST_LISTS, unknown_of

FOLLOWERS = {
    "external-dns.alpha.kubernetes.io/hostname": "external-dns",
    "cert-manager.io/issuer": "cert-manager",
    "cert-manager.io/cluster-issuer": "cert-manager",
}
CONTOUR_TLS = "projectcontour.io/upstream-protocol.tls"
ALB_TARGETS, ALB_HEALTH = "alb.ingress.kubernetes.io/target-type", "alb.ingress.kubernetes.io/healthcheck-port"
NLB_TARGETS = "service.beta.kubernetes.io/aws-load-balancer-nlb-target-type"
NLB_HEALTH = "service.beta.kubernetes.io/aws-load-balancer-healthcheck-port"
BACKEND_CONFIG = "cloud.google.com/backend-config"
BACKEND_CONFIGS = "/apis/cloud.google.com/v1/namespaces/{}/backendconfigs"
LOGINS = ("auth-url", "auth-type", "auth-signin", "auth-tls-secret", "oauth2", "forward-auth")
LIMITS = (
    "proxy-body-size",
    "proxy-read-timeout",
    "proxy-send-timeout",
    "load-balancer-attributes",
    "rewrite-target",
    "app-root",
    "websocket-services",
    "affinity",
    "whitelist-source-range",
    "client-max-body-size",
    "idle-timeout",
    "timeout-server",
)


@dataclass(frozen=True, slots=True)
class Said:
    """What somebody says about how a Service is to be spoken to."""

    who: str
    service: str
    scheme: str
    certificate: str


def routes(evidence: Evidence) -> Judged:
    """NE-02. One list for each kind of routes that is served, one of Services, a few of kinds that are not known."""
    now, found = evidence.now, routes_of(evidence)
    text = "; ".join([*(_shown(route) for route in found.routes), *_followed(found.routes, now)]) or "No route leads to the Services"
    unjudged = found.unjudged(f"{text}.")
    if unjudged:
        return unjudged
    unknown = unknown_of(evidence)
    if unknown.mentions:
        text += f"; kinds that are not known here mention them as well: {', '.join(unknown.mentions)}"
    if unknown.skipped:
        text += f"; not looked at (at most {MOST_GROUPS} unknown groups and {MOST_LISTS} lists are): {', '.join(unknown.skipped)}"
    if unknown.mentions or unknown.skipped:
        return warned(
            f"{text}.", "Look whether these lead to WG; name such addresses in wge_entry_urls, so that they are probed during the switch."
        )
    return passed(f"{text}.")


def backend_scheme(evidence: Evidence) -> Judged:
    """NE-03. No request of its own. The routes stay as they are, so WGE has to speak what they speak (F4)."""
    now, found = evidence.now, routes_of(evidence)
    wanted = HTTPS if now.target.uses_tls else HTTP
    said = [*_said_by_routes(found.found), *_said_by_services(now)]
    wrong = [f"{one.who} speaks {one.scheme} to Service {one.service}" for one in said if one.scheme not in ("", wanted)]
    if wrong:
        return failed(
            f"{'; '.join(wrong)}, while WGE will speak {wanted}.", "Correct the route, or give wge_values tls.enabled as it says."
        )
    tied = [f"{one.who} {one.certificate}" for one in said if one.certificate and wanted == HTTPS]
    if tied:
        return failed(
            f"{'; '.join(tied)}; WGE serves a certificate that it makes itself, which nobody trusts.",
            "End TLS at the route, or take the verification away, before the upgrade.",
        )
    unjudged = found.unjudged(f"Nothing that was read speaks anything but {wanted}.")
    if unjudged:
        return unjudged
    silent = _silent(found.routes, said) if wanted == HTTPS else []
    if silent:
        return warned(
            f"WGE will speak https, and nothing says how these speak to it: {', '.join(silent)}.",
            "Make sure that they speak https to WG now; most controllers speak http when they are not told.",
        )
    return passed(f"WGE will speak {wanted}, and no route or Service says anything else.")


def numeric_targets(evidence: Evidence) -> Judged:
    """NE-04. At most one list of its own. A number that means WG's own port leads nowhere once WGE is behind the Service (K14)."""
    now, found = evidence.now, routes_of(evidence)
    numbers = [*_route_numbers(found.found), *_annotated_numbers(found.routes, now), *_backend_configs(evidence)]
    tied = [f"{who} ({number}, of WGE {now.wge_port(number)})" for who, number in numbers if now.wge_port(number) not in (0, number)]
    if tied:
        return failed(
            f"These name WG's pod port by its number: {'; '.join(tied)}.",
            "Name the Service's port there (of a Route: spec.port.targetPort: http), or no port; that leads to WG and to WGE alike.",
        )
    return found.unjudged("Nothing that was read names WG's pod port.") or passed("No route and no health check names WG's pod port.")


def paths_and_edge(evidence: Evidence) -> Judged:
    """NE-11. No request of its own."""
    now, found = evidence.now, routes_of(evidence)
    prefix = now.snapshot.installed.route_prefix
    coming = _prefix(now)
    if coming != prefix:
        return failed(
            f"WG serves below {prefix or '/'}, WGE would serve below {coming or '/'}.",
            "Give WGE the same route prefix: additionalArgs in wge_values.",
        )
    narrow = [f"{route.title} ({', '.join(route.paths)})" for route in found.routes if route.paths and not _covers(route.paths, prefix)]
    if narrow:
        return warned(
            f"WG serves below {prefix or '/'}, and these routes lead to parts of it alone: {'; '.join(narrow)}.",
            "Lead the whole of it to the Service: WGE has paths that WG has not.",
        )
    logins = [route.title for route in found.routes if _notes(route.item, LOGINS)]
    if logins:
        return warned(
            f"These routes ask for a login of their own: {', '.join(logins)}.",
            "A probe of such an address sees the login and not the dashboard: rely on the service proxy, or name an address without it.",
        )
    unjudged = found.unjudged("What was read leads to the whole dashboard.")
    if unjudged:
        return unjudged
    kept = [f"{route.title}: {', '.join(notes)}" for route in found.routes if (notes := _notes(route.item, LIMITS))]
    return passed(f"The routes lead to all below {prefix or '/'}{'; what they set stays: ' + '; '.join(kept) if kept else ''}.")


def _prefix(now: Situation) -> str:
    """The path below which WGE will serve, empty for the root."""
    given = flag([str(word) for word in now.target.container.get("args") or []], "--route-prefix").strip("/")
    return f"/{given}" if given else ""


def _shown(route: Route) -> str:
    via = "".join(f" by Service {lead.via}" for lead in route.leads[:1] if lead.via)
    return f"{route.title} ({', '.join(route.hosts) or '*'}) -> {', '.join(route.services)}{via}{' ' + route.gap if route.gap else ''}"


def _followed(found: list[Route], now: Situation) -> Iterator[str]:
    """What takes its orders from annotations of objects that stay."""
    items = [(route.title, route.item) for route in found]
    items += [(f"Service {name_of(service)}", service) for service in now.kept_services]
    for title, item in items:
        for name in sorted({FOLLOWERS[key] for key in annotations_of(item) if key in FOLLOWERS}):
            yield f"{name} goes by {title}, which stays"


def _said_by_routes(found: tuple[Route, ...]) -> list[Said]:
    return [Said(route.title, lead.service, lead.scheme, lead.certificate) for route in found for lead in route.leads]


def _said_by_services(now: Situation) -> Iterator[Said]:
    for service in now.kept_services:
        name = name_of(service)
        title = f"Service {name}"
        yield Said(f"an annotation of {title}", name, *annotated(service))
        if CONTOUR_TLS in annotations_of(service):
            yield Said(f"an annotation of {title}", name, HTTPS, "")
        for port in ports_of(service):
            if port.get("appProtocol") and now.serves(service) and port["port"] == now.serving_port(service):
                yield Said(f"appProtocol of {title}", name, scheme_named(port["appProtocol"]), "")


def _silent(found: list[Route], said: list[Said]) -> list[str]:
    spoken = {one.service for one in said if one.scheme}
    return [route.title for route in found if not spoken.issuperset(route.services)]


def _route_numbers(found: tuple[Route, ...]) -> Iterator[tuple[str, int]]:
    for route in found:
        yield from ((route.title, number) for number in route.pod_ports)


def _annotated_numbers(found: list[Route], now: Situation) -> Iterator[tuple[str, int]]:
    """Health checks of Amazon's load balancers: a port of the pod only where pods are the targets."""
    places = [(route.title, route.item, ALB_TARGETS, ALB_HEALTH) for route in found]
    places += [(f"Service {name_of(service)}", service, NLB_TARGETS, NLB_HEALTH) for service in now.kept_services]
    for title, item, targets, health in places:
        notes = annotations_of(item)
        if notes.get(targets) == "ip" and notes.get(health, "").isdigit():
            yield f"{health} of {title}", int(notes[health])


def _backend_configs(evidence: Evidence) -> Iterator[tuple[str, int]]:
    """Google's load balancers ask the pods themselves where network endpoint groups are used."""
    now = evidence.now
    named = {name for service in now.kept_services for name in _texts(annotations_of(service).get(BACKEND_CONFIG, ""))}
    if not named or "cloud.google.com/v1" not in now.snapshot.identity.served:
        return
    for item in evidence.all(BACKEND_CONFIGS.format(now.namespace), lean):
        port = first(item, "spec.healthCheck.port")
        if name_of(item) in named and isinstance(port, int):
            yield f"BackendConfig {namespace_of(item)}/{name_of(item)}", port


def _texts(text: str) -> list[str]:
    """The names in ``{"default": "x", "ports": {"http": "y"}}``."""
    try:
        found = json.loads(text or "{}")
    except ValueError:
        return []
    names = [*dig(found, "default"), *(found.get("ports") or {}).values()] if isinstance(found, dict) else []
    return [str(name) for name in names]


def _covers(paths: list[str], prefix: str) -> bool:
    plain = [re.sub(r"[(.*)$?]|\[.*\]", "", path).rstrip("/") for path in paths]
    return any(path == "" or prefix == path or prefix.startswith(f"{path}/") for path in plain)


def _notes(item: Object, words: tuple[str, ...]) -> list[str]:
    """The annotations of an object whose names end in one of these words."""
    return sorted(key for key in annotations_of(item) if key.rsplit("/", 1)[-1].endswith(words))
