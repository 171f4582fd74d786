# SPDX-License-Identifier: GPL-3.0-or-later
"""Objects of kinds that the engine does not write: routes, rules and policies of other products, on a stand-in cluster."""

from __future__ import annotations

import json

from ansible_collections.weaveworks.wge.plugins.module_utils._engine.model import Answer, Object, Release
from ansible_collections.weaveworks.wge.plugins.module_utils._errors import Forbidden

from .standin_products import NAMESPACE, WG_NAME, wg_objects, wge_objects
from .standin_world import World

TLS = ("--log-level", "info", "--tls-cert-file", "/x/tls.crt")


def foreign(
    world: World, api: str, plural: str, kind: str, spec: Object, *, name: str = "x", namespace: str = NAMESPACE, **more: object
) -> Object:
    """Serve an API and put one object of it there."""
    if api not in world.cluster.served:
        world.cluster.served.append(api)
    item: Object = {"apiVersion": api, "kind": kind, "metadata": {"name": name, "namespace": namespace}, "spec": spec, **more}
    place = f"/namespaces/{namespace}" if namespace else ""
    world.cluster.objects[f"/apis/{api}{place}/{plural}/{name}"] = item
    return item


def gateway_route(
    world: World, *, namespace: str = NAMESPACE, kind: str = "HTTPRoute", plural: str = "httproutes", version: str = "v1"
) -> Object:
    """A route of the Gateway API to WG's Service, from any namespace."""
    reference = {"name": WG_NAME, "port": 9001, **({} if namespace == NAMESPACE else {"namespace": NAMESPACE})}
    spec = {"hostnames": ["wg.example.com"], "rules": [{"backendRefs": [reference]}]}
    return foreign(world, f"gateway.networking.k8s.io/{version}", plural, kind, spec, name="gitops", namespace=namespace)


def note(world: World, kind: str, key: str, value: str) -> None:
    """Give WG's Service or Ingress one annotation."""
    world.cluster.one(kind, WG_NAME)["metadata"].setdefault("annotations", {})[key] = value


def speak_https(world: World) -> None:
    """WG with a certificate of its own, and its Ingress told so."""
    for item in wg_objects(arguments=TLS):
        if item["kind"] == "Deployment":
            world.cluster.one("Deployment", WG_NAME)["spec"]["template"] = item["spec"]["template"]
    world.controllers.settle()
    note(world, "Ingress", "nginx.ingress.kubernetes.io/backend-protocol", "HTTPS")


def forbid(world: World, part: str) -> None:
    """The API server refuses to list what has this in its path."""

    def before(verb: str, path: str) -> None:
        if verb == "list" and part in path:
            raise Forbidden(f"Listing {path} is forbidden.", "Grant it.")

    world.cluster.before = before


def discover(world: World, api: str, *plurals: str) -> None:
    """What the API server says that a group serves."""
    inner = world.cluster.answer
    resources = [{"name": plural, "namespaced": True, "kind": "X", "verbs": ["get", "list"]} for plural in plurals]
    resources.append({"name": f"{plurals[0]}/status", "namespaced": True, "kind": "X", "verbs": ["get"]})
    body = json.dumps({"kind": "APIResourceList", "resources": resources}).encode()
    world.cluster.served.append(api)
    world.cluster.answer = lambda path: Answer(200, {}, body) if path == f"/apis/{api}" else inner(path)


def arguments_of_wge(world: World, *words: str) -> None:
    """Let the chart render the server with these arguments."""

    def render(release: Release) -> list[Object]:
        objects = wge_objects(release)
        objects[-1]["spec"]["template"]["spec"]["containers"][0]["args"] = list(words)
        return objects

    world.helm.render = render
