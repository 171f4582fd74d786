# SPDX-License-Identifier: GPL-3.0-or-later
"""What the tests see by themselves, without asking the collection: objects, answers, sign-ins and requests."""

from __future__ import annotations

import base64
import http.client
import json
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

import yaml
from testbed import Cluster, audit, workloads
from testbed.api import Api

from .lab import NAMESPACE, UPGRADER, WG_SERVICE, Run

Object = dict[str, Any]
Key = tuple[str, str, str, str]
"""API version, kind, namespace (empty for cluster-scoped objects) and name."""

_PASSING = {"Event", "EndpointSlice", "Endpoints", "ComponentStatus", "Node"}
_VOLATILE = ("resourceVersion", "managedFields", "generation")
_MADE_BY_OTHERS = {"Pod", "ReplicaSet", "CustomResourceDefinition", "APIService", "ControllerRevision"}
"""Pods come back under other names; WGE's CRDs stay, as helm leaves them, and with each what the API server makes to serve it."""


def objects(cluster: Cluster) -> dict[Key, Object]:
    """Every object of the cluster without status and without what changes with each write, however it is undone.

    What is being deleted is not counted: a pod that drains may take half a minute.
    """
    api = cluster.api()
    versions = ["/api/v1"] + [f"/apis/{group['preferredVersion']['groupVersion']}" for group in api.get("/apis")["groups"]]
    found: dict[Key, Object] = {}
    for version in versions:
        for kind in api.get(version)["resources"]:
            if "/" not in kind["name"] and "list" in kind["verbs"] and kind["kind"] not in _PASSING:
                for item in api.get(f"{version}/{kind['name']}")["items"]:
                    place = item["metadata"].get("namespace", "")
                    if kind["kind"] == "Lease" and place.startswith("kube-"):
                        continue  # heartbeats of the control plane
                    if "deletionTimestamp" in item["metadata"]:
                        continue
                    found[version, kind["kind"], place, item["metadata"]["name"]] = _lasting(item)
    api.close()
    return found


def lasting(cluster: Cluster) -> dict[Key, Object]:
    """What people rely on, with our journals left out."""
    found = objects(cluster)
    return {key: item for key, item in found.items() if key[1] not in _MADE_BY_OTHERS and not key[3].startswith("wge-journal-")}


def _lasting(item: Object) -> Object:
    metadata = {key: value for key, value in item["metadata"].items() if key not in _VOLATILE}
    return {**{key: value for key, value in item.items() if key != "status"}, "metadata": metadata}


def services(cluster: Cluster, namespace: str = NAMESPACE) -> dict[str, Object]:
    """Of each Service in WG's namespace what its callers hold on to: UID, addresses, type, ports as seen from outside."""
    found = {}
    for item in cluster.api().get(f"/api/v1/namespaces/{namespace}/services")["items"]:
        spec = item["spec"]
        ports = [{key: port.get(key) for key in ("name", "port", "nodePort", "protocol")} for port in spec["ports"]]
        known = {key: spec.get(key) for key in ("type", "clusterIP", "clusterIPs", "sessionAffinity", "externalTrafficPolicy")}
        found[item["metadata"]["name"]] = {"uid": item["metadata"]["uid"], **known, "ports": ports}
    return found


def leads_to(cluster: Cluster) -> str:
    """Whom the dashboard's Service selects: WG, WGE, or nothing at all when it is a union of both."""
    selector = cluster.api().get(f"/api/v1/namespaces/{NAMESPACE}/services/{WG_SERVICE}")["spec"]["selector"]
    found = [product for product, label in (("WG", "app.kubernetes.io/name"), ("WGE", "app")) if label in selector]
    return found[0] if len(found) == 1 else "nothing"


def bystanders(cluster: Cluster, namespace: str) -> list[Object]:
    """Deployments and pods of somebody else: uid, generation, spec and restarts."""
    api = cluster.api()
    found = []
    for path in (f"/apis/apps/v1/namespaces/{namespace}/deployments", f"/api/v1/namespaces/{namespace}/pods"):
        for item in api.get(path)["items"]:
            restarts = [state["restartCount"] for state in item["status"].get("containerStatuses") or []]
            known = {key: item["metadata"].get(key) for key in ("name", "uid", "generation", "labels", "annotations")}
            found.append({**known, "spec": item["spec"], "restarts": restarts})
    api.close()
    return found


def result(run: Run, task: str) -> Object:
    """What a task returned, as -v prints it."""
    text = run.stdout.partition(task)[2].partition("\nTASK ")[0]
    return dict(yaml.safe_load(text[text.index("=>") + 2 :]))


def calls(cluster: Cluster, since: float, user: str = UPGRADER) -> list[audit.Call]:
    """What the API server's audit log says that a user did."""
    return [call for call in cluster.audit_calls(since) if call.user == user]


def told(call: audit.Call) -> str:
    """For the message of an assertion."""
    return f"{call.verb} {call.uri} {call.code}"


@dataclass(frozen=True)
class Dashboard:
    """What the dashboard's old address says of itself."""

    page: str
    version: str
    sign_in: int
    user: str

    @classmethod
    def at(cls, url: str) -> Dashboard:
        """Ask for the page, sign in as the admin, and use the session that was given."""
        page = _ask(url, "GET", "/")
        login = json.dumps({"username": workloads.USER, "password": workloads.PASSWORD})
        signed = _ask(url, "POST", "/oauth2/sign_in", body=login)
        cookie = signed.headers.get("Set-Cookie", "").partition(";")[0]
        version = _ask(url, "GET", "/v1/enterprise/version", cookie)
        user = _ask(url, "GET", "/oauth2/userinfo", cookie)
        return cls(
            page.headers.get_content_type(),
            json.loads(version.body)["version"] if version.status == 200 else "",
            signed.status,
            json.loads(user.body)["id"] if user.status == 200 else "",
        )


@dataclass(frozen=True)
class _Answer:
    status: int
    headers: http.client.HTTPMessage
    body: bytes


def _ask(url: str, method: str, path: str, cookie: str = "", body: str | None = None) -> _Answer:
    parts = urlsplit(url)
    connection = http.client.HTTPConnection(parts.hostname or "", parts.port, timeout=10)
    try:
        connection.request(method, path, body, {"Cookie": cookie} if cookie else {})
        answer = connection.getresponse()
        return _Answer(answer.status, answer.headers, answer.read())
    finally:
        connection.close()


def secret(api: Api, name: str, key: str) -> bytes:
    """A value of a Secret in WG's namespace."""
    return base64.b64decode(api.get(f"/api/v1/namespaces/{NAMESPACE}/secrets/{name}")["data"][key])
