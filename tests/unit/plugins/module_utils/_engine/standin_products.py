# SPDX-License-Identifier: GPL-3.0-or-later
"""WG as its chart installs it (docs/facts.md) and WGE as its chart renders it, as plain objects."""

from __future__ import annotations

import base64
import copy
import gzip
import json
from collections.abc import Sequence

from ansible_collections.weaveworks.wge.plugins.module_utils._engine.model import Object, Release

from .standin_vendor import TOKEN

NAMESPACE = "flux-system"
RELEASE = "ww-gitops"
WG_NAME = "ww-gitops-weave-gitops"
WG_LABELS = {"app.kubernetes.io/name": "weave-gitops", "app.kubernetes.io/instance": RELEASE}
TARGET_RELEASE = "weave-gitops-enterprise"
WGE_NAME = "weave-gitops-enterprise-mccp-cluster-service"
HASH = "$2a$10$" + "abcdefghijklmnopqrstuv" + "0123456789ABCDEFGHIJKLMNOPQRSTU"
RBAC = "rbac.authorization.k8s.io/v1"
SECRETS: Object = {"apiGroups": [""], "resources": ["secrets"], "verbs": ["create", "get", "list", "watch"]}


def thing(version: str, kind: str, name: str, namespace: str = "", **content: object) -> Object:
    """An object with these contents beside its metadata."""
    meta: Object = {"name": name, **({"namespace": namespace} if namespace else {})}
    return {"apiVersion": version, "kind": kind, "metadata": meta, **content}


def secret(name: str, data: dict[str, str], namespace: str = NAMESPACE, labels: dict[str, str] | None = None) -> Object:
    """A Secret; ``data`` in plain text."""
    encoded = {key: base64.b64encode(value.encode()).decode() for key, value in data.items()}
    item = thing("v1", "Secret", name, namespace, type="Opaque", data=encoded)
    item["metadata"]["labels"] = dict(labels or {})
    return item


def entitlement(token: str = TOKEN) -> Object:
    """The vendor's Secret."""
    return secret("weave-gitops-enterprise-credentials", {"entitlement": token})


def release_secret(
    name: str,
    objects: Sequence[Object],
    *,
    revision: int = 1,
    status: str = "deployed",
    namespace: str = NAMESPACE,
    chart: Object | None = None,
    config: Object | None = None,
) -> Object:
    """A revision as Helm stores it; JSON documents are YAML as well. ``chart`` is laid over the stored one, ``config`` are values."""
    manifest = "\n---\n".join(json.dumps(item) for item in objects)
    templates = [{"name": "templates/all.yaml", "data": base64.b64encode(manifest.encode()).decode()}]
    about = {"name": "weave-gitops", "version": "4.0.36"}
    whole = {"metadata": about, "values": {}, "templates": templates, **(chart or {})}
    stored = {"chart": whole, "config": config or {}, "manifest": manifest, "name": name}
    packed = base64.b64encode(gzip.compress(json.dumps(stored).encode(), mtime=0)).decode()
    labels = {"owner": "helm", "name": name, "status": status, "version": str(revision)}
    item = secret(f"sh.helm.release.v1.{name}.v{revision}", {"release": packed}, namespace, labels)
    return {**item, "type": "helm.sh/release.v1"}


def released(item: Object, release: str, namespace: str = NAMESPACE) -> Object:
    """An object with the marks of Helm's ownership, in the release's namespace."""
    marked = copy.deepcopy(item)
    meta = marked["metadata"]
    meta.setdefault("annotations", {}).update({"meta.helm.sh/release-name": release, "meta.helm.sh/release-namespace": namespace})
    meta.setdefault("labels", {})["app.kubernetes.io/managed-by"] = "Helm"
    return marked


def surroundings() -> list[Object]:
    """What a cluster has before WG: a node, and the namespace."""
    labels = {"kubernetes.io/hostname": "node-1", "kubernetes.io/os": "linux", "kubernetes.io/arch": "amd64"}
    good = {"Ready": "True", "MemoryPressure": "False", "DiskPressure": "False", "PIDPressure": "False"}
    status = {
        "allocatable": {"cpu": "8", "memory": "16Gi", "pods": "110"},
        "conditions": [{"type": kind, "status": word} for kind, word in good.items()],
        "nodeInfo": {"operatingSystem": "linux", "architecture": "amd64"},
    }
    node = thing("v1", "Node", "node-1", spec={}, status=status)
    node["metadata"]["labels"] = labels
    return [node, thing("v1", "Namespace", NAMESPACE, status={"phase": "Active"})]


def wg_objects(*, user: str = "admin", arguments: Sequence[str] = ("--log-level", "info", "--insecure")) -> list[Object]:
    """The manifest of WG's chart with an admin user, network policies and an Ingress."""
    return [
        _wg_deployment(arguments),
        thing(
            "v1",
            "Service",
            WG_NAME,
            NAMESPACE,
            spec={
                "type": "NodePort",
                "clusterIP": "10.0.0.9",
                "clusterIPs": ["10.0.0.9"],
                "selector": WG_LABELS,
                "ports": [{"name": "http", "port": 9001, "targetPort": "http", "nodePort": 30901, "protocol": "TCP"}],
            },
        ),
        thing("v1", "ServiceAccount", WG_NAME, NAMESPACE),
        thing("networking.k8s.io/v1", "Ingress", WG_NAME, NAMESPACE, spec={"rules": [_rule("wg.example.com")]}),
        _policy("allow-dashboard-ingress", {"policyTypes": ["Ingress"], "ingress": [{"ports": [{"protocol": "TCP", "port": 9001}]}]}),
        _policy("allow-dashboard-egress", {"policyTypes": ["Egress"], "egress": [{}]}),
        secret("cluster-user-auth", {"username": user, "password": HASH}),
        thing(RBAC, "ClusterRole", "wego-admin-cluster-role", rules=[]),
        binding(f"{user}-user-read-resources-cr", "wego-admin-cluster-role", user),
        thing(RBAC, "Role", "wego-admin-role", NAMESPACE, rules=[]),
        _role_binding(f"{user}-user-read-resources"),
    ]


def wge_objects(release: Release) -> list[Object]:
    """What the chart ``mccp`` renders, in small: fixed names, labels and ports as in facts F2, F4 and F5."""
    account, server = {"kind": "ServiceAccount", "name": "mccp", "namespace": release.namespace}, {"app": "clusters-service"}
    tls = bool((release.values.get("tls") or {}).get("enabled", True))
    return [
        thing(
            "apiextensions.k8s.io/v1",
            "CustomResourceDefinition",
            "apps.wego.weave.works",
            spec={"group": "wego.weave.works", "names": {"plural": "apps"}},
        ),
        thing("v1", "ServiceAccount", "mccp"),
        thing("v1", "ServiceAccount", "collector", "flux-system"),
        thing("v1", "ConfigMap", WGE_NAME, data={"NO_TLS": str(not tls).lower()}),
        thing(RBAC, "ClusterRole", "gitops-reader", rules=[]),
        {**binding("clusters-service-impersonator", "gitops-reader", ""), "subjects": [account]},
        thing(RBAC, "ClusterRole", "clusters-service-secrets-role", rules=[SECRETS]),
        _read_entitlements(account),
        thing(
            "v1",
            "Service",
            "clusters-service",
            spec={"selector": server, "ports": [{"name": "https", "port": 8000, "targetPort": 8000}]},
        ),
        thing("networking.k8s.io/v1", "NetworkPolicy", "mccp-allow-wge-ingress", spec={"podSelector": {"matchLabels": server}}),
        _wge_deployment(release),
    ]


def _read_entitlements(account: Object) -> Object:
    item = {**binding("clusters-service-read-entitlements", "clusters-service-secrets-role", ""), "kind": "RoleBinding"}
    item["metadata"]["namespace"] = "flux-system"
    return {**item, "subjects": [account]}


def binding(name: str, role: str, user: str) -> Object:
    """A ClusterRoleBinding of a user."""
    subject = {"apiGroup": "rbac.authorization.k8s.io", "kind": "User", "name": user}
    reference = {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": role}
    if role == "wego-admin-role":
        reference["kind"] = "Role"
    return thing(RBAC, "ClusterRoleBinding", name, roleRef=reference, subjects=[subject])


def _role_binding(name: str) -> Object:
    """The chart binds the namespaced Role to the literal ``wego-admin`` whatever the user is called (F11)."""
    item = {**binding(name, "wego-admin-role", "wego-admin"), "kind": "RoleBinding"}
    item["metadata"]["namespace"] = NAMESPACE
    return item


def pod(name: str, labels: dict[str, str], *, ready: bool = True, restarts: int = 0, started: str = "2026-11-20T08:00:00Z") -> Object:
    """A pod with one container."""
    item = thing("v1", "Pod", name, NAMESPACE)
    item["metadata"]["labels"] = dict(labels)
    status = {"name": "server", "ready": ready, "restartCount": restarts, "state": {"running": {"startedAt": started}}}
    item["status"] = {"conditions": [{"type": "Ready", "status": str(ready)}], "containerStatuses": [status]}
    return item


def _wg_deployment(arguments: Sequence[str]) -> Object:
    container = {
        "name": "weave-gitops",
        "image": "ghcr.io/weaveworks/wego-app:v0.38.0",
        "args": list(arguments),
        "ports": [{"name": "http", "containerPort": 9001}, {"name": "http-metrics", "containerPort": 2112}],
    }
    labels = {**WG_LABELS, "weave.works/app": "weave-gitops-oss"}
    template = {"metadata": {"labels": labels}, "spec": {"containers": [container]}}
    item = thing(
        "apps/v1", "Deployment", WG_NAME, NAMESPACE, spec={"replicas": 1, "selector": {"matchLabels": WG_LABELS}, "template": template}
    )
    item["metadata"]["labels"] = {**labels, "helm.sh/chart": "weave-gitops-4.0.36"}
    return item


def _wge_deployment(release: Release) -> Object:
    container = {
        "name": "clusters-service",
        "image": "docker.io/weaveworks/weave-gitops-enterprise-clusters-service:v0.38.1",
        "ports": [{"name": "server", "containerPort": 8000}, {"name": "monitoring", "containerPort": 8080}],
    }
    labels = {
        "app": "clusters-service",
        "app.kubernetes.io/name": "mccp",
        "app.kubernetes.io/instance": release.name,
        "weave.works/app": "weave-gitops-enterprise",
    }
    template = {"metadata": {"labels": labels}, "spec": {"serviceAccountName": "mccp", "containers": [container]}}
    spec = {"replicas": 1, "selector": {"matchLabels": {"app": "clusters-service"}}, "template": template}
    item = thing("apps/v1", "Deployment", WGE_NAME, spec=spec)
    item["metadata"]["labels"] = dict(labels)
    return item


def _policy(name: str, spec: Object) -> Object:
    return thing("networking.k8s.io/v1", "NetworkPolicy", name, NAMESPACE, spec={"podSelector": {"matchLabels": WG_LABELS}, **spec})


def _rule(host: str) -> Object:
    backend = {"service": {"name": WG_NAME, "port": {"number": 9001}}}
    return {"host": host, "http": {"paths": [{"path": "/", "pathType": "Prefix", "backend": backend}]}}
