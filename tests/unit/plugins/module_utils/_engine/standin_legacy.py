# SPDX-License-Identifier: GPL-3.0-or-later
"""WG without a Helm release (form D): v0.6.2 from before its chart, in ``wego-system``, and its chart rendered and applied by hand."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from ansible_collections.weaveworks.wge.plugins.module_utils._engine.model import Object
from ansible_collections.weaveworks.wge.plugins.module_utils._engine.objects import CLUSTER_SCOPED

from .standin_products import HASH, RBAC, WG_NAME, secret, surroundings, thing, wg_objects
from .standin_world import QUICK, World

NAMESPACE = "wego-system"
NAME = "wego-app"
DOOR = "team-door"
ACCOUNT = "wego-app-service-account"
LOGIN = {"username": "ada", "password_hash": HASH}
ARGUMENTS = ("ui", "run", "-l", "--helm-repo-namespace", NAMESPACE)
APPS = "apps.wego.weave.works"


def legacy(folder: Path, *more: Object, arguments: Sequence[str] = ARGUMENTS) -> World:
    """As the old command applied it, with one Service that somebody made by hand; Flux is not played."""
    return _world(folder, NAME, [*legacy_objects(arguments), service(DOOR, {"port": 80, "targetPort": 9001}), *more], login_secret=LOGIN)


def rendered(folder: Path, *more: Object) -> World:
    """What ``helm template`` makes of WG's chart, applied by hand."""
    return _world(folder, WG_NAME, [*wg_objects(), *more])


def legacy_objects(arguments: Sequence[str] = ARGUMENTS) -> list[Object]:
    """Everything of ``wego-app.yaml`` and what lies beside it."""
    account = {"kind": "ServiceAccount", "name": ACCOUNT, "namespace": NAMESPACE}
    return [
        thing("apiextensions.k8s.io/v1", "CustomResourceDefinition", APPS, spec={"group": "wego.weave.works", "names": {"plural": "apps"}}),
        _deployment(arguments),
        service(NAME, {"port": 9001, "targetPort": 9001, "protocol": "TCP"}),
        thing("v1", "ServiceAccount", ACCOUNT, NAMESPACE),
        thing(RBAC, "Role", "resources-reader", NAMESPACE, rules=[]),
        bound("RoleBinding", "read-resources", "resources-reader", account),
        thing(RBAC, "ClusterRole", "wego-helm-watcher-role", rules=[]),
        bound("ClusterRoleBinding", "wego-helm-watcher-rolebinding", "wego-helm-watcher-role", account),
        thing("v1", "ConfigMap", "weave-gitops-config", NAMESPACE, data={"config": ""}),
    ]


def service(name: str, *ports: Object) -> Object:
    """A Service that leads to WG."""
    return thing("v1", "Service", name, NAMESPACE, spec={"selector": {"app": NAME}, "clusterIP": "10.0.0.7", "ports": list(ports)})


def bound(kind: str, name: str, role: str, subject: Object) -> Object:
    """A binding."""
    reference = {"apiGroup": "rbac.authorization.k8s.io", "kind": kind.removesuffix("Binding"), "name": role}
    return thing(RBAC, kind, name, "" if kind in CLUSTER_SCOPED else NAMESPACE, roleRef=reference, subjects=[subject])


def _deployment(arguments: Sequence[str]) -> Object:
    container = {
        "name": NAME,
        "image": "ghcr.io/weaveworks/wego-app:v0.6.2",
        "args": list(arguments),
        "ports": [{"containerPort": 9001, "protocol": "TCP"}],
    }
    labels = {"app": NAME}
    template = {"metadata": {"labels": labels}, "spec": {"serviceAccountName": ACCOUNT, "containers": [container]}}
    item = thing("apps/v1", "Deployment", NAME, NAMESPACE, spec={"replicas": 1, "selector": {"matchLabels": labels}, "template": template})
    item["metadata"]["labels"] = dict(labels)
    return item


def _world(folder: Path, entry: str, objects: Sequence[Object], **settings: object) -> World:
    world = World(settings=replace(QUICK, archive_dir=str(folder / "archive"), **settings), entry=entry)  # type: ignore[arg-type]
    for item in [*surroundings(), thing("v1", "Namespace", NAMESPACE, status={"phase": "Active"}), *objects]:
        world.cluster.put(item)
    world.controllers.settle()
    return world


OLD_LOGIN = secret("admin-password-hash", {"password": HASH}, NAMESPACE)
ADMINS = bound("RoleBinding", "admin-read-resources", "resources-reader", {"kind": "User", "name": "admin"})
"""What the last build of that time had besides: the password of its one user, and his rights."""
