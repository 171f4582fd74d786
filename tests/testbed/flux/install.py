# SPDX-License-Identifier: GPL-3.0-or-later
"""Puts Flux onto a cluster: its CRDs, the objects of its installation, and the programs that act as its controllers.

Flux 2.6's kinds and controllers are what is played (helm-controller 1.3 is the last that serves HelmRelease v2beta1); kustomize-controller
is the real 1.7.3, of Flux 2.7, the oldest that can be built. The Deployments are there to be seen: their pods do nothing, the
programs run beside them, with the identities of the controllers' ServiceAccounts.
"""

from __future__ import annotations

import functools
import os
import sys
from typing import Any

import yaml

from .. import account, tools
from ..api import Api
from ..cluster import Cluster, ClusterError, wait_until
from ..control_plane import Server
from ..layout import HERE
from . import helm_controller, repository, source_controller
from .apply import apply

Object = dict[str, Any]

VERSION = "v2.6.4"
NAMESPACE = "flux-system"
KUSTOMIZE_CONTROLLER = "kustomize-controller"
IMAGES = {source_controller.NAME: "v1.6.2", helm_controller.NAME: "v1.3.0", KUSTOMIZE_CONTROLLER: "v1.7.3"}
STAND_INS = (source_controller.NAME, helm_controller.NAME)
ALL = (*STAND_INS, KUSTOMIZE_CONTROLLER)
#: What the stand-ins need, and the real controller besides.
TOOLS = (tools.FLUX_CRDS, tools.KUSTOMIZE, tools.HELM)
ALL_TOOLS = (*TOOLS, tools.KUSTOMIZE_CONTROLLER)


def install(cluster: Cluster, controllers: tuple[str, ...] = STAND_INS, namespace: str = NAMESPACE) -> None:
    """All of it; what is there already is left as it is."""
    api = cluster.api()
    kinds = [*_kinds()]
    apply(api, [*kinds, *_objects(controllers, namespace)], "flux")
    for kind in kinds:
        wait_until(f"kind {kind['metadata']['name']} on {cluster.name}", functools.partial(_established, api, kind), 30)
    api.close()
    start(cluster, controllers, namespace)


def start(cluster: Cluster, controllers: tuple[str, ...], namespace: str = NAMESPACE) -> None:
    """Run the controllers, and the chart repository beside them."""
    for name in controllers:
        if not account.kubeconfig_of(cluster.paths, name).exists():
            account.issue(cluster, name, namespace)
    servers = [_server(cluster, name, namespace) for name in controllers]
    cluster.serve(_python(cluster, repository.NAME, "testbed.flux.repository", str(cluster.paths.bed.chart_repository)), *servers)


def _python(cluster: Cluster, name: str, module: str, *arguments: str) -> Server:
    helm = tools.ensure(tools.HELM) / "helm"
    kustomize = tools.ensure(tools.KUSTOMIZE) / "kustomize"
    temporary = cluster.paths.root / "tmp"
    temporary.mkdir(exist_ok=True)
    environment = {
        "PYTHONPATH": str(HERE.parent),
        "PYTHONDONTWRITEBYTECODE": "1",
        "TESTBED_HELM": str(helm),
        "TESTBED_KUSTOMIZE": str(kustomize),
        "TMPDIR": str(temporary),
    }
    return Server(name, [sys.executable, "-m", module, *arguments], environment)


def _server(cluster: Cluster, name: str, namespace: str) -> Server:
    if name != KUSTOMIZE_CONTROLLER:
        module = f"testbed.flux.{name.replace('-', '_')}"
        return _python(cluster, name, module, str(cluster.paths.bed.root), cluster.name, namespace)
    temporary = cluster.paths.root / "tmp"
    temporary.mkdir(exist_ok=True)
    program = tools.ensure(tools.KUSTOMIZE_CONTROLLER) / name
    options = (
        "--events-addr=",
        "--metrics-addr=127.0.0.1:9081",
        "--health-addr=127.0.0.1:9440",
        "--requeue-dependency=2s",
        "--log-level=info",
        "--watch-all-namespaces=true",
    )
    environment = {
        "KUBECONFIG": str(account.kubeconfig_of(cluster.paths, name)),
        "RUNTIME_NAMESPACE": namespace,
        "SOURCE_CONTROLLER_LOCALHOST": source_controller.SERVED_AT,
        "TMPDIR": str(temporary),
        "GOGC": "40",
        "GOMAXPROCS": "2",
        "HOME": os.environ.get("HOME", str(temporary)),
    }
    return Server(name, [str(program), *options], environment)


def _established(api: Api, kind: Object) -> bool:
    found = api.get(f"/apis/apiextensions.k8s.io/v1/customresourcedefinitions/{kind['metadata']['name']}")
    return any(item["type"] == "Established" and item["status"] == "True" for item in found.get("status", {}).get("conditions", []))


def _kinds() -> list[Object]:
    """Flux's own CRDs, labelled as an installation of Flux labels them."""
    files = sorted((tools.ensure(tools.FLUX_CRDS) / "crds").glob("*.yaml"))
    if not files:
        raise ClusterError("no CustomResourceDefinitions of Flux were made")
    found = [yaml.safe_load(file.read_text(encoding="utf-8")) for file in files]
    for item in found:
        item["metadata"]["labels"] = _labels()
    return found


def _labels(component: str = "") -> dict[str, str]:
    common = {"app.kubernetes.io/instance": NAMESPACE, "app.kubernetes.io/part-of": "flux", "app.kubernetes.io/version": VERSION}
    return {**common, **({"app.kubernetes.io/component": component} if component else {})}


def _objects(controllers: tuple[str, ...], namespace: str) -> list[Object]:
    """Namespace, rights, network policies, and what stands for each controller."""
    found: list[Object] = [
        {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": namespace, "labels": _labels()}},
        *_rights(controllers, namespace),
        *_policies(namespace),
    ]
    for name in controllers:
        found += _controller(name, namespace)
    return found


def _rights(controllers: tuple[str, ...], namespace: str) -> list[Object]:
    """Appliers are cluster administrators, as in Flux's own installation; the others may do what their kinds need."""
    groups = [f"{part}.toolkit.fluxcd.io" for part in ("source", "kustomize", "helm", "notification", "image")]
    subjects = [{"kind": "ServiceAccount", "name": name, "namespace": namespace} for name in controllers]
    rules = [
        {"apiGroups": groups, "resources": ["*"], "verbs": ["*"]},
        {"apiGroups": [""], "resources": ["namespaces", "secrets", "configmaps", "serviceaccounts"], "verbs": ["get", "list", "watch"]},
        {"apiGroups": [""], "resources": ["events"], "verbs": ["create", "patch"]},
    ]
    rbac = "rbac.authorization.k8s.io"
    appliers = [item for item in subjects if item["name"] != source_controller.NAME]
    return [
        {"apiVersion": f"{rbac}/v1", "kind": "ClusterRole", "metadata": _meta(f"crd-controller-{namespace}"), "rules": rules},
        _binding(f"crd-controller-{namespace}", f"crd-controller-{namespace}", subjects),
        _binding(f"cluster-reconciler-{namespace}", "cluster-admin", appliers),
    ]


def _meta(name: str, namespace: str = "") -> Object:
    return {"name": name, "labels": _labels(), **({"namespace": namespace} if namespace else {})}


def _binding(name: str, role: str, subjects: list[dict[str, str]]) -> Object:
    rbac = "rbac.authorization.k8s.io"
    reference = {"apiGroup": rbac, "kind": "ClusterRole", "name": role}
    return {"apiVersion": f"{rbac}/v1", "kind": "ClusterRoleBinding", "metadata": _meta(name), "roleRef": reference, "subjects": subjects}


def _policies(namespace: str) -> list[Object]:
    """Nobody enforces them here; who looks at them finds what Flux brings."""
    everything: Object = {}
    specs: dict[str, Object] = {
        "allow-egress": {
            "podSelector": everything,
            "egress": [everything],
            "ingress": [{"from": [{"podSelector": everything}]}],
            "policyTypes": ["Ingress", "Egress"],
        },
        "allow-scraping": {
            "podSelector": everything,
            "ingress": [{"from": [{"namespaceSelector": everything}], "ports": [{"port": 8080, "protocol": "TCP"}]}],
            "policyTypes": ["Ingress"],
        },
    }
    return [
        {"apiVersion": "networking.k8s.io/v1", "kind": "NetworkPolicy", "metadata": _meta(name, namespace), "spec": spec}
        for name, spec in specs.items()
    ]


def _controller(name: str, namespace: str) -> list[Object]:
    """ServiceAccount and Deployment, and the Service of the one that serves artifacts."""
    image = f"ghcr.io/fluxcd/{name}:{IMAGES[name]}"
    meta = {"name": name, "namespace": namespace, "labels": {**_labels(name), "control-plane": "controller"}}
    pod = {
        "metadata": {"labels": {**_labels(name), "app": name}},
        "spec": {"serviceAccountName": name, "containers": [{"name": "manager", "image": image}]},
    }
    spec = {"replicas": 1, "selector": {"matchLabels": {"app": name}}, "template": pod}
    found: list[Object] = [
        {"apiVersion": "v1", "kind": "ServiceAccount", "metadata": _meta(name, namespace)},
        {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": meta, "spec": spec},
    ]
    if name == source_controller.NAME:
        ports = [{"name": "http", "port": 80, "protocol": "TCP", "targetPort": "http"}]
        service = {"type": "ClusterIP", "selector": {"app": name}, "ports": ports}
        found.append({"apiVersion": "v1", "kind": "Service", "metadata": _meta(name, namespace), "spec": service})
    return found
