# SPDX-License-Identifier: GPL-3.0-or-later
"""WG without a Helm release: which objects it consists of, by the names that each era gave them. PRIVATE.

Two eras (docs/facts.md, 1.1 and 1.2): ``wego-app`` (v0.3 to v0.6.2), and the chart rendered by somebody and applied as it is.
What is named here need not be there; what is not named here is never touched.
"""

from __future__ import annotations

from ..model import Object
from ..names import LOGIN_SECRET, OIDC_SECRET
from ..objects import CLUSTER_SCOPED, api_of, name_of, namespace_of, pod_template

LEGACY = "wego-app"
LEGACY_PORT = 9001
"""Of the only port of a legacy pod, which has no name."""

ADMIN = "admin"
OLD_LOGIN = "admin-password-hash"
"""The Secret of the last build of that era (v0.6.2-patch2): the bcrypt hash of the one local user's password, in key ``password``."""

_RBAC_GROUP = "rbac.authorization.k8s.io"
_LEGACY = (
    ("Deployment", LEGACY),
    ("Service", LEGACY),
    ("ServiceAccount", "wego-app-service-account"),
    ("Role", "resources-reader"),
    ("RoleBinding", "read-resources"),
    ("ClusterRole", "wego-helm-watcher-role"),
    ("ClusterRoleBinding", "wego-helm-watcher-rolebinding"),
    ("ConfigMap", "weave-gitops-config"),
    ("Secret", OLD_LOGIN),
)
NOBODYS = "default"
"""The ServiceAccount that every namespace has."""

_RENDERED = ("Deployment", "Service", "Ingress", "ClusterRole", "ClusterRoleBinding")
"""Kinds of which the chart makes one object with its full name."""

_FIXED = (
    ("NetworkPolicy", "allow-dashboard-ingress"),
    ("NetworkPolicy", "allow-dashboard-egress"),
    ("Secret", LOGIN_SECRET),
    ("Secret", OIDC_SECRET),
    ("Role", "wego-admin-role"),
    ("ClusterRole", "wego-admin-cluster-role"),
)


def is_legacy(deployment: Object) -> bool:
    """Whether this is WG of the era before its chart (F18)."""
    return name_of(deployment) == LEGACY


def ui_port(container: Object) -> int:
    """The number of the port of UI and API: the one named ``http``; else the only one, which has no name. 0 when neither is there."""
    ports = container.get("ports") or []
    named = [port for port in ports if port.get("name") == "http"]
    alone = ports if len(ports) == 1 and not ports[0].get("name") else []
    return next((int(port["containerPort"]) for port in named or alone), 0)


def objects_of(deployment: Object, user: str) -> tuple[Object, ...]:
    """Every object WG may consist of, by kind and name; the bindings of people with the role they name and whom they bind.

    ``user`` is the local admin, whose name is in the names of the chart's bindings.
    """
    place = namespace_of(deployment)
    if is_legacy(deployment):
        named = [_object(kind, name, place) for kind, name in _LEGACY]
        return (*named, _binding("RoleBinding", "admin-read-resources", place, "resources-reader", ADMIN))
    account = (pod_template(deployment).get("spec") or {}).get("serviceAccountName") or name_of(deployment)
    own = [] if account == NOBODYS else [("ServiceAccount", account)]
    named = [_object(kind, name_of(deployment), place) for kind in _RENDERED]
    named += [_object(kind, name, place) for kind, name in (*own, *_FIXED)]
    whom = user or ADMIN
    return (
        *named,
        _binding("RoleBinding", f"{whom}-user-read-resources", place, "wego-admin-role", "wego-admin"),
        _binding("ClusterRoleBinding", f"{whom}-user-read-resources-cr", place, "wego-admin-cluster-role", whom),
    )


def _object(kind: str, name: str, namespace: str) -> Object:
    place = {} if kind in CLUSTER_SCOPED else {"namespace": namespace}
    return {"apiVersion": api_of(kind)[0], "kind": kind, "metadata": {"name": name, **place}}


def _binding(kind: str, name: str, namespace: str, role: str, user: str) -> Object:
    reference = {"apiGroup": _RBAC_GROUP, "kind": kind.removesuffix("Binding"), "name": role}
    subject = {"apiGroup": _RBAC_GROUP, "kind": "User", "name": user}
    return {**_object(kind, name, namespace), "roleRef": reference, "subjects": [subject]}
