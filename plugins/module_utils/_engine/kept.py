# SPDX-License-Identifier: GPL-3.0-or-later
"""Do the kept Services lead to WGE and nowhere else, and are they and the routes to them what they were? PRIVATE."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from .._errors import Forbidden
from .identity import facts_of
from .model import Cluster, Object
from .objects import digest, metadata, name_of, namespace_of, uid_of
from .situation import Situation
from .snapshot import pods_of, ready_pods
from .steps.owners import backends_of

GATEWAY = "gateway.networking.k8s.io/v1"
_HTTP_ROUTES = f"/apis/{GATEWAY}/httproutes"
AGAIN = "See what changed it; wge_upgrade with state rolled_back leads traffic back to WG."


def services_of(now: Situation) -> dict[str, Object]:
    """What callers of each kept Service rely on, by its name."""
    return {name_of(service): facts_of(service) for service in now.kept_services}


def routes_to(cluster: Cluster, now: Situation) -> dict[str, Object]:
    """The Ingresses of the namespace and the HTTPRoutes of the cluster that lead to a kept Service. At most one list."""
    names = {name_of(service) for service in now.kept_services}
    found = [_route("Ingress", item) for item in now.snapshot.of("Ingress") if names & backends_of(item)]
    if GATEWAY in now.snapshot.identity.served:
        found += _http_routes(cluster, names, now.namespace)
    return {entry["route"]: entry for entry in found}


def endpoints_of(now: Situation) -> list[Object]:
    """Where each kept Service leads: the pods of WGE that are ready, and whatever else is among its endpoints."""
    ours = {name_of(pod) for pod in pods_of(now.snapshot, now.target.selector)} if now.target.selector else set()
    found = []
    for service in now.kept_services:
        slices = now.snapshot.slices_of(name_of(service))
        stray = sorted(_addresses(slices, ours))
        found.append({"service": name_of(service), "pods": sorted(ready_pods(slices) & ours), "stray": stray})
    return found


def astray(entries: Iterable[Object]) -> list[str]:
    """A sentence for each kept Service that does not lead to WGE alone."""
    found = []
    for entry in entries:
        if entry["stray"]:
            found.append(f"Service {entry['service']} leads to {', '.join(entry['stray'])} as well, which is not WGE.")
        elif not entry["pods"]:
            found.append(f"Service {entry['service']} has no ready endpoint of WGE.")
    return found


def changed(title: str, before: Mapping[str, Object], after: Mapping[str, Object]) -> list[str]:
    """A sentence for each object that was there before and is not the same; ``title`` is put before names."""
    found = []
    for name, facts in before.items():
        now = after.get(name)
        if now is None:
            found.append(f"{title}{name} is gone.")
        elif keys := [key for key in facts if facts[key] != now.get(key)]:
            found.append(f"{title}{name} is not what it was: {', '.join(sorted(keys))}.")
    return found


def _http_routes(cluster: Cluster, names: set[str], namespace: str) -> list[Object]:
    def keep(item: Object) -> Object:
        return _route("HTTPRoute", item) if names & _backends(item, namespace) else {}

    try:
        return [entry for entry in cluster.list(_HTTP_ROUTES, keep=keep) if "route" in entry]
    except Forbidden:
        return []  # who may not see them cannot prove anything of them


def _backends(item: Object, namespace: str) -> set[str]:
    """The Services of ``namespace`` that a HTTPRoute names."""
    rules = (item.get("spec") or {}).get("rules") or []
    refs = [ref for rule in rules for ref in rule.get("backendRefs") or []]
    return {str(ref.get("name")) for ref in refs if (ref.get("namespace") or namespace_of(item)) == namespace}


def _route(kind: str, item: Object) -> Object:
    return {
        "route": f"{kind} {namespace_of(item)}/{name_of(item)}",
        "uid": uid_of(item),
        "generation": metadata(item).get("generation"),
        "spec_sha256": digest(item.get("spec")),
    }


def _addresses(slices: Iterable[Object], ours: set[str]) -> Iterable[str]:
    for item in slices:
        for endpoint in item.get("endpoints") or [] if item.get("ports") else []:
            target = endpoint.get("targetRef") or {}
            if target.get("kind") != "Pod" or target.get("name") not in ours:
                yield f"pod {target['name']}" if target.get("kind") == "Pod" else f"address {', '.join(endpoint.get('addresses') or [])}"
