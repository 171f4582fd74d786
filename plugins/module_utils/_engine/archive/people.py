# SPDX-License-Identifier: GPL-3.0-or-later
"""Whose bindings are a part of WG: those to its roles, and those of the users, groups and ServiceAccount that it works with. PRIVATE."""

from __future__ import annotations

from collections.abc import Callable

from ..model import Object
from ..objects import name_of, namespace_of, pod_template
from ..snapshot import Snapshot

_ROLES = ("Role", "ClusterRole")


def people(snapshot: Snapshot) -> Callable[[Object], bool]:
    """Whether a binding is one of them."""
    wg = snapshot.installed
    roles = {(kind, name_of(item)) for kind in _ROLES for item in wg.objects(kind)}
    bindings = [item for kind in ("RoleBinding", "ClusterRoleBinding") for item in wg.objects(kind)]
    subjects = {_who(subject, snapshot.namespace) for item in bindings for subject in item.get("subjects") or []}
    account = (pod_template(wg.found.deployment).get("spec") or {}).get("serviceAccountName") or "default"
    subjects.add(("ServiceAccount", snapshot.namespace, str(account)))

    def chosen(binding: Object) -> bool:
        reference = binding.get("roleRef") or {}
        role = (str(reference.get("kind")), str(reference.get("name")))
        local = role[0] == "ClusterRole" or namespace_of(binding) == snapshot.namespace
        named = {_who(subject, namespace_of(binding)) for subject in binding.get("subjects") or []}
        return (role in roles and local) or bool(named & subjects)

    return chosen


def _who(subject: Object, namespace: str) -> tuple[str, str, str]:
    kind = str(subject.get("kind"))
    place = str(subject.get("namespace") or namespace) if kind == "ServiceAccount" else ""
    return kind, place, str(subject.get("name"))
