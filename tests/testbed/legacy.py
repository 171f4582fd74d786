# SPDX-License-Identifier: GPL-3.0-or-later
"""Form D: Weave GitOps v0.6.2 from before its chart, as its own command applied it, in wego-system, where its Flux lives too.

Names, labels, ports, arguments and rights are the product's; the Flux beside it is the bed's, not the 0.24 of its day. One thing a user
added: the Service is a NodePort, so that the bed's entry leads to it.
"""

from __future__ import annotations

from typing import Any

import yaml

from . import network, workloads
from .api import Api
from .cluster import Cluster, wait_until
from .flux import forms, install
from .flux.apply import apply
from .flux.git import BRANCH, Repository
from .flux.runtime import GIT_REPOSITORY, KUSTOMIZATION
from .layout import CHARTS

Object = dict[str, Any]

NAMESPACE = "wego-system"
NAME = "wego-app"
ACCOUNT = "wego-app-service-account"
VERSION = "v0.6.2"
MANAGER = "wego"
RBAC = "rbac.authorization.k8s.io"
#: The name of the source that the old command made for a configuration repository.
SOURCE = "wego-auto-github-fleet"
KUSTOMIZE = {"apiVersion": "kustomize.config.k8s.io/v1beta1", "kind": "Kustomization"}
CRD = CHARTS / "mccp" / "crds" / "apps.wego.weave.works.yaml"


def by_hand(cluster: Cluster) -> None:
    """As the old command's install did it: server-side apply with force, manager wego."""
    install.install(cluster, namespace=NAMESPACE)
    api = cluster.api()
    apply(api, [kind(), *configuration(), *dashboard()], MANAGER)
    _finish(cluster, api)


def by_git(cluster: Cluster) -> Repository:
    """The same from the configuration repository, by the Kustomization `<cluster>-system`."""
    install.install(cluster, install.ALL, NAMESPACE)
    git = Repository(cluster.paths.bed.git)
    folder = f".weave-gitops/clusters/{cluster.name}/system"
    files = {"wego-system.yaml": [kind()], "wego-app.yaml": dashboard(), "wego-config.yaml": configuration()}
    api = cluster.api()
    if api.find(KUSTOMIZATION.path((NAMESPACE, f"{cluster.name}-system"))) is None:
        texts: dict[str, str | None] = {f"{folder}/{name}": yaml.safe_dump_all(items, sort_keys=False) for name, items in files.items()}
        texts[f"{folder}/kustomization.yaml"] = yaml.safe_dump({**KUSTOMIZE, "resources": sorted(files)})
        git.commit(texts, f"Add {NAME} to {cluster.name}")
        apply(api, [*_sync(cluster.name, git, folder)], MANAGER)
    forms.wait_ready(api, KUSTOMIZATION.path((NAMESPACE, f"{cluster.name}-system")))
    _finish(cluster, api)
    return git


def _finish(cluster: Cluster, api: Api) -> None:
    workloads.entitle_and_wait(cluster, api, NAMESPACE)
    wait_until(f"kind Application on {cluster.name}", lambda: apply(api, [application()], MANAGER), 30)
    api.close()


def _sync(name: str, git: Repository, folder: str) -> list[Object]:
    source = {"interval": "30s", "url": git.url, "ref": {"branch": BRANCH}}
    reference = {"kind": GIT_REPOSITORY.name, "name": SOURCE}
    return [
        _object(GIT_REPOSITORY.api_version, GIT_REPOSITORY.name, SOURCE, spec=source),
        _object(
            KUSTOMIZATION.api_version,
            KUSTOMIZATION.name,
            f"{name}-system",
            spec={"interval": "1m0s", "path": f"./{folder}", "prune": True, "sourceRef": reference},
        ),
    ]


def _object(version: str, kind_name: str, name: str, namespaced: bool = True, **parts: Any) -> Object:
    meta = {"name": name, **({"namespace": NAMESPACE} if namespaced else {})}
    return {"apiVersion": version, "kind": kind_name, "metadata": meta, **parts}


def kind() -> Object:
    """The CRD of Applications, by whose presence the old command knew that it is installed."""
    found: Object = yaml.safe_load(CRD.read_text(encoding="utf-8"))
    return found


def application() -> Object:
    """One of the user's objects of that kind."""
    spec = {
        "branch": "main",
        "config_url": "ssh://git@github.com/example/fleet.git",
        "deployment_type": "kustomize",
        "path": "./kustomize",
        "source_type": "git",
        "url": "ssh://git@github.com/example/podinfo.git",
    }
    return _object("wego.weave.works/v1alpha1", "Application", "podinfo", spec=spec)


def configuration() -> list[Object]:
    text = yaml.safe_dump({"FluxNamespace": NAMESPACE, "WegoNamespace": NAMESPACE})
    return [_object("v1", "ConfigMap", "weave-gitops-config", data={"config": text})]


def dashboard() -> list[Object]:
    """Everything of `wego-app.yaml`."""
    return [_account(), *_rights(), _deployment(), _service()]


def _account() -> Object:
    return _object("v1", "ServiceAccount", ACCOUNT, secrets=[{"name": f"{ACCOUNT}-token"}])


def _rights() -> list[Object]:
    """`admin-read-resources` came later, with v0.6.2-patch2."""
    subjects = [{"kind": "ServiceAccount", "name": ACCOUNT, "namespace": NAMESPACE}]
    flux = [f"{part}.toolkit.fluxcd.io" for part in ("source", "kustomize", "helm")]
    read = ["get", "list", "watch"]
    role = [
        {"apiGroups": [""], "resources": ["secrets", "pods", "configmaps"], "verbs": read},
        {"apiGroups": ["wego.weave.works"], "resources": ["apps"], "verbs": ["*"]},
        {"apiGroups": flux, "resources": ["*"], "verbs": ["*"]},
    ]
    watcher = [{"apiGroups": [flux[0]], "resources": ["helmrepositories", "helmrepositories/status"], "verbs": [*read, "patch", "update"]}]
    cluster_role = "wego-helm-watcher-role"
    return [
        _object(f"{RBAC}/v1", "Role", "resources-reader", rules=role),
        _object(f"{RBAC}/v1", "RoleBinding", "read-resources", subjects=subjects, roleRef=_role("Role", "resources-reader")),
        _object(f"{RBAC}/v1", "ClusterRole", cluster_role, False, rules=watcher),
        _object(
            f"{RBAC}/v1",
            "ClusterRoleBinding",
            "wego-helm-watcher-rolebinding",
            False,
            subjects=subjects,
            roleRef=_role("ClusterRole", cluster_role),
        ),
    ]


def _role(kind_name: str, name: str) -> dict[str, str]:
    return {"apiGroup": RBAC, "kind": kind_name, "name": name}


def _deployment() -> Object:
    """No probes, no resources, an unnamed port."""
    container = {
        "name": NAME,
        "image": f"ghcr.io/weaveworks/wego-app:{VERSION}",
        "imagePullPolicy": "IfNotPresent",
        "args": ["ui", "run", "-l", "--helm-repo-namespace", NAMESPACE],
        "ports": [{"containerPort": 9001, "protocol": "TCP"}],
    }
    labels = {"app": NAME}
    pod = {"metadata": {"labels": labels}, "spec": {"serviceAccountName": ACCOUNT, "containers": [container]}}
    found = _object("apps/v1", "Deployment", NAME, spec={"replicas": 1, "selector": {"matchLabels": labels}, "template": pod})
    found["metadata"]["labels"] = labels
    return found


def _service() -> Object:
    """One unnamed port, and a number as target."""
    port = {"port": 9001, "targetPort": 9001, "protocol": "TCP", "nodePort": network.ENTRY_NODE_PORT}
    return _object("v1", "Service", NAME, spec={"type": "NodePort", "selector": {"app": NAME}, "ports": [port]})
