# SPDX-License-Identifier: GPL-3.0-or-later
"""Whether the API server would take each write of a plan, asked by dry runs before the first of them. PRIVATE.

What cannot be tried yet, because its namespace, its kind or its role comes with the same plan, is tried when it is written.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from ..._errors import Conflict, Forbidden, Rejected
from ..archive.cleaned import cleaned
from ..archive.served import Served
from ..model import Cluster, Object
from ..objects import metadata, name_of, namespace_of, object_path, parent_path
from .addresses import REMEDY, Addresses
from .plan import CREATE, NOTHING, PATCH, Plan, Planned
from .wanted import same

NO_DRY_RUN = "does not support dry run"


class Trial:
    """The trial of one plan."""

    def __init__(self, cluster: Cluster, plan: Plan, tick: Callable[[], None]) -> None:
        """``tick`` is asked before each dry run and may raise."""
        self._cluster, self._plan, self._tick = cluster, plan, tick
        self._served, self._addresses = Served(cluster), Addresses(cluster)
        new = [one.wanted for one in plan.todo if one.action == CREATE]
        self._new = {(str(item.get("kind")), namespace_of(item), name_of(item)) for item in new}
        self._new_kinds = {kind for item in new if item.get("kind") == "CustomResourceDefinition" for kind in kinds_of(item)}
        self._namespaces: dict[str, Object | None] = {}

    def tried(self) -> Plan:
        """The plan, with a refusal where the API server would refuse."""
        return Plan(tuple(self._try(one) if one.action in (CREATE, PATCH) else one for one in self._plan.planned))

    def _try(self, one: Planned) -> Planned:
        self._tick()
        item = one.wanted
        if self._served.kind(item["apiVersion"], item["kind"]) is None:
            if (item["apiVersion"], item["kind"]) in self._new_kinds:
                return one
            return one.refused(f"is of a kind that this cluster does not serve ({item['apiVersion']})", "Install its CRD first.")
        if why := self._namespace_is_missing(namespace_of(item)):
            return one.refused(*why)
        if item["kind"] == "Service" and (taken := self._addresses.taken(item)):
            return one.refused(taken, REMEDY)
        waits = ("Namespace", "", namespace_of(item)) in self._new or self._role(item) in self._new
        return one if waits else self._sent(one)

    def _sent(self, one: Planned) -> Planned:
        write = one.write
        try:
            if one.action == CREATE:
                self._cluster.create(parent_path(write.path), write.body, dry_run=True)
            elif same(cleaned(self._cluster.patch(write.path, write.operations, dry_run=True)), one.live):
                return replace(one, action=NOTHING)  # an admission webhook makes of it what is there
        except Conflict:
            return one  # somebody was quicker; the write itself is guarded, and judged anew
        except (Forbidden, Rejected) as problem:
            return one if NO_DRY_RUN in problem.what else one.refused(f"cannot be put back: {problem.what.rstrip('.')}", problem.next_step)
        return one

    def _namespace_is_missing(self, name: str) -> tuple[str, str] | None:
        if not name or ("Namespace", "", name) in self._new:
            return None
        if name not in self._namespaces:
            try:
                self._namespaces[name] = self._cluster.get(object_path("Namespace", name))
            except Forbidden:
                self._namespaces[name] = {}
        found = self._namespaces[name]
        if found is None:
            return "has no place: its namespace is not there", f"Create namespace {name}, or select it as well."
        if metadata(found).get("deletionTimestamp"):
            return "has no place: its namespace is being deleted", "Wait until it is gone, then create it."
        return None

    @staticmethod
    def _role(item: Object) -> tuple[str, str, str]:
        """The role that a binding names: nobody may bind one that is not there."""
        reference = item.get("roleRef") or {}
        kind = str(reference.get("kind", ""))
        return kind, namespace_of(item) if kind == "Role" else "", str(reference.get("name", ""))


def kinds_of(definition: Object) -> list[tuple[str, str]]:
    """``(apiVersion, kind)`` of what a CustomResourceDefinition brings."""
    spec = definition.get("spec") or {}
    kind = str((spec.get("names") or {}).get("kind"))
    return [(f"{spec.get('group')}/{version.get('name')}", kind) for version in spec.get("versions") or []]
