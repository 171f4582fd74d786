# SPDX-License-Identifier: GPL-3.0-or-later
"""PE-04: may we grant what WGE's chart grants? PRIVATE.

An API server lets nobody make a role with more rights than his own, nor bind such a role, unless he has the verbs ``escalate`` and
``bind``; nor annotate such a role or binding, as the plan does with those of WG that are kept. Access reviews do not show that, and a
dry run of each role would be a request each: here it is reckoned from our own rules, as the API server does.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace

from ..model import Object, Right, Rung
from ..objects import name_of, namespace_of, object_path, path_of
from ..rbac import ALL, RBAC, covers, roles_for
from .check import BLOCK, Check
from .evidence import Evidence, Judged, failed, passed, skipped

ROLES = {"ClusterRole": "clusterroles", "Role": "roles"}
BINDINGS = ("ClusterRoleBinding", "RoleBinding")


def may_grant(evidence: Evidence) -> Judged:
    """PE-04. No request, but for a role that the chart binds and does not bring (two)."""
    if not any(write.release for write in evidence.plan.writes):
        return skipped("Nothing is installed, so nobody is given rights.")
    wanted = list(dict.fromkeys([*_escalations(evidence), *_binds(evidence)]))
    missing = evidence.rules.missing(wanted)
    roles = [item for item in evidence.now.target.objects if item.get("kind") in ROLES]
    if missing:
        return failed(
            f"WGE's chart grants more rights than we have; what allows that is missing: {'; '.join(map(str, missing))}.",
            f"Have an administrator apply these roles, or make the chart's roles and bindings himself:\n{roles_for(missing)}",
        )
    how = f"with {', '.join(sorted({right.verb for right in wanted}))}" if wanted else "out of our own rights"
    return passed(f"The {len(roles)} roles of WGE's chart may be granted {how}.")


def _escalations(evidence: Evidence) -> Iterator[Right]:
    """A create names no object, so ``escalate`` with resourceNames would not do."""
    for role in _handed_on(evidence):
        kind = str(role.get("kind"))
        if kind in ROLES and not _covered(evidence, _rules_of(role), _place(role, evidence)):
            yield Right("escalate", RBAC, ROLES[kind], _place(role, evidence))


def _binds(evidence: Evidence) -> Iterator[Right]:
    """The bindings; that which the plan makes itself is asked for by its step (PE-02)."""
    here = {(item.get("kind"), name_of(item)): item for item in _handed_on(evidence) if item.get("kind") in ROLES}
    known: dict[tuple[str, str, str], Object | None] = {}
    for binding in (item for item in _handed_on(evidence) if item.get("kind") in BINDINGS):
        place = _place(binding, evidence)
        kind, name = str(binding["roleRef"]["kind"]), str(binding["roleRef"]["name"])
        right = Right("bind", RBAC, ROLES[kind], place, name)
        if not evidence.rules.missing([replace(right, name="")]):  # one question for all names
            continue
        key = (kind, name, place if kind == "Role" else "")
        if key not in known:
            known[key] = here.get((kind, name)) or evidence.cluster.get(object_path(kind, name, key[2]))
        role = known[key]
        if role is None or not _covered(evidence, _rules_of(role), place):
            yield right


def _handed_on(evidence: Evidence) -> list[Object]:
    """The chart's objects, and those of WG that are patched: an API server asks the same rights for both."""
    patched = {write.path for write in evidence.plan.writes if write.verb == "patch"}
    return [*evidence.now.target.objects, *(item for item in evidence.now.snapshot.kept if path_of(item) in patched)]


def _rules_of(role: Object) -> list[Object]:
    """What a role grants; one that gathers others' rules may grant anything."""
    rules: list[Object] = role.get("rules") or []
    return [ALL] if role.get("aggregationRule") and not rules else rules


def _covered(evidence: Evidence, rules: Iterable[Object], place: str) -> bool:
    own = evidence.rules.own(place)
    return all(covers(own, rule) for rule in rules)


def _place(item: Object, evidence: Evidence) -> str:
    if str(item.get("kind")).startswith("Cluster"):
        return ""
    return namespace_of(item) or evidence.now.target.release.namespace


CHECKS = (
    Check(
        "PE-04",
        "permissions",
        "rights to hand on rights",
        BLOCK,
        may_grant,
        "the rules of the chart's roles and bindings, against our own rules",
        "Grant `escalate` and `bind`, or let an administrator make these roles.",
        until=Rung.REHEARSED,
        waivable=False,
    ),
)
