# SPDX-License-Identifier: GPL-3.0-or-later
"""A real ingress controller on a cluster: Traefik, which follows EndpointSlices itself, so that kube-proxy is not in its way.

It runs beside the control plane with the identity of its ServiceAccount, listens on port 80 of the node, and is reached from the host
at the cluster's `ingress_url`: a listener that stands for a load balancer in front of it. Nothing of Traefik but its program, its class
and its rights is there.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from . import account, network, tools
from .api import Api
from .cluster import Cluster
from .control_plane import Server
from .flux.apply import apply

Object = dict[str, Any]

NAME = "traefik"
#: By this name a client on the host asks for the dashboard.
HOST = "localhost"
RBAC = "rbac.authorization.k8s.io"
READ = ["get", "list", "watch"]
RULES = [
    {"apiGroups": [""], "resources": ["services", "secrets", "nodes", "namespaces", "configmaps"], "verbs": READ},
    {"apiGroups": ["discovery.k8s.io"], "resources": ["endpointslices"], "verbs": READ},
    {"apiGroups": ["networking.k8s.io"], "resources": ["ingresses", "ingressclasses"], "verbs": READ},
    {"apiGroups": ["networking.k8s.io"], "resources": ["ingresses/status"], "verbs": ["update"]},
]
VALUES = {"ingress": {"enabled": True, "className": NAME, "hosts": [{"host": HOST, "paths": [{"path": "/", "pathType": "Prefix"}]}]}}


def install(cluster: Cluster) -> None:
    """Its class and rights, and the program."""
    api = cluster.api()
    apply(api, _objects(), NAME)
    api.close()
    if not account.kubeconfig_of(cluster.paths, NAME).exists():
        account.issue(cluster, NAME, NAME)
    cluster.serve(_server(cluster))


def values(cluster: Cluster) -> Path:
    """A file of values that makes WG's chart bring its Ingress."""
    file = cluster.paths.root / "ingress-values.json"
    file.write_text(json.dumps(VALUES), encoding="utf-8")
    return file


def route(api: Api, namespace: str, service: str) -> None:
    """An Ingress by hand, where the product's own installation makes none."""
    backend = {"service": {"name": service, "port": {"number": 9001}}}
    rule = {"host": HOST, "http": {"paths": [{"path": "/", "pathType": "Prefix", "backend": backend}]}}
    meta = {"name": service, "namespace": namespace}
    spec = {"ingressClassName": NAME, "rules": [rule]}
    apply(api, [{"apiVersion": "networking.k8s.io/v1", "kind": "Ingress", "metadata": meta, "spec": spec}], "kubectl")


def _objects() -> list[Object]:
    role = {"apiGroup": RBAC, "kind": "ClusterRole", "name": NAME}
    subjects = [{"kind": "ServiceAccount", "name": NAME, "namespace": NAME}]
    return [
        {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": NAME}},
        {"apiVersion": "v1", "kind": "ServiceAccount", "metadata": {"name": NAME, "namespace": NAME}},
        {"apiVersion": f"{RBAC}/v1", "kind": "ClusterRole", "metadata": {"name": NAME}, "rules": RULES},
        {"apiVersion": f"{RBAC}/v1", "kind": "ClusterRoleBinding", "metadata": {"name": NAME}, "roleRef": role, "subjects": subjects},
        {
            "apiVersion": "networking.k8s.io/v1",
            "kind": "IngressClass",
            "metadata": {"name": NAME},
            "spec": {"controller": "traefik.io/ingress-controller"},
        },
    ]


def _server(cluster: Cluster) -> Server:
    provider = "--providers.kubernetesingress"
    options = (
        f"--entrypoints.web.address={network.NODE_ADDRESS}:{network.INGRESS_PORT}",
        f"{provider}=true",
        f"{provider}.ingressclass={NAME}",
        f"{provider}.ingressendpoint.ip={network.NODE_ADDRESS}",
        "--global.checknewversion=false",
        "--global.sendanonymoususage=false",
        "--log.level=INFO",
    )
    environment = {"KUBECONFIG": str(account.kubeconfig_of(cluster.paths, NAME)), "GOGC": "40", "GOMAXPROCS": "2"}
    return Server(NAME, [str(tools.ensure(tools.TRAEFIK) / NAME), *options], environment)
