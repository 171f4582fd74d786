# SPDX-License-Identifier: GPL-3.0-or-later
"""PE: may we do all that the plan says, and all that takes it back? PRIVATE.

What is asked for comes from the plan's own writes and the rendered chart; what is missing is handed out as roles to apply.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Sequence

from ..model import Right, Rung
from ..names import JOURNAL_PREFIX
from ..objects import api_of
from ..plan import rights_backwards, rights_forwards
from .evidence import Evidence, Judged, failed, passed, skipped
from .target import lists_to_read

ROLE = "wge-upgrade"


def can_upgrade(evidence: Evidence) -> Judged:
    """PE-02. One rules review a namespace (shared with PE-03); where rules are incomplete, one access review a right."""
    wanted = rights_forwards(evidence.now, evidence.plan)
    if evidence.rung < Rung.REHEARSED:
        wanted += [_to_list(kind, namespace) for kind, namespace in lists_to_read(evidence.now)]
    return _judged(evidence, list(dict.fromkeys(wanted)), "to upgrade")


def can_roll_back(evidence: Evidence) -> Judged:
    """PE-03. As PE-02."""
    return _judged(evidence, rights_backwards(evidence.now, evidence.plan), "to take the upgrade back")


def roles_for(rights: Iterable[Right]) -> str:
    """A ClusterRole and a Role for each namespace that grant exactly these rights, as YAML."""
    places: dict[str, list[Right]] = {}
    for right in rights:
        places.setdefault(right.namespace, []).append(right)
    return "---\n".join("\n".join(_role(namespace, places[namespace])) + "\n" for namespace in sorted(places))


def _judged(evidence: Evidence, wanted: Sequence[Right], purpose: str) -> Judged:
    if not evidence.plan.planned:
        return skipped("Nothing is planned, so no rights are needed.")
    missing = evidence.rules.missing(wanted)
    if missing:
        return failed(
            f"{len(missing)} of {len(wanted)} rights {purpose} are missing: {'; '.join(_grouped(missing))}.",
            f"Have an administrator apply these roles and bind them to the user of the kubeconfig:\n{roles_for(missing)}",
        )
    return passed(f"All {len(wanted)} rights {purpose} are there.")


def _to_list(kind: str, namespace: str) -> Right:
    version, plural = api_of(kind)
    return Right("list", version.split("/")[0] if "/" in version else "", plural, namespace)


def _grouped(rights: Iterable[Right]) -> list[str]:
    """``get, create secrets in namespace x``: one entry for all verbs on the same thing."""
    verbs: dict[str, list[str]] = {}
    for right in rights:
        verbs.setdefault(str(right).removeprefix(f"{right.verb} "), []).append(right.verb)
    return [f"{', '.join(found)} {thing}" for thing, found in verbs.items()]


def _role(namespace: str, rights: Iterable[Right]) -> Iterator[str]:
    yield "apiVersion: rbac.authorization.k8s.io/v1"
    yield f"kind: {'Role' if namespace else 'ClusterRole'}"
    yield "metadata:"
    yield f"  name: {ROLE}"
    if namespace:
        yield f"  namespace: {namespace}"
    yield "rules:"
    for group, resources, names, verbs in _rules(rights):
        yield f"  - apiGroups: {json.dumps([group])}"
        yield f"    resources: {json.dumps(resources)}"
        if names:
            yield f"    resourceNames: {json.dumps(names)}"
        yield f"    verbs: {json.dumps(verbs)}"


def _rules(rights: Iterable[Right]) -> Iterator[tuple[str, list[str], list[str], list[str]]]:
    """Group, resources, object names and verbs of each rule: what is allowed alike is one rule, nothing is said twice."""
    verbs: dict[tuple[str, str, str], set[str]] = {}
    for right in rights:
        verbs.setdefault((right.group, right.resource, _lasting_name(right)), set()).add(right.verb)
    wide: dict[tuple[str, tuple[str, ...]], list[str]] = {}
    narrow: dict[tuple[str, str, tuple[str, ...]], list[str]] = {}
    for (group, resource, name), found in sorted(verbs.items()):
        if not name:
            wide.setdefault((group, tuple(sorted(found))), []).append(resource)
        elif rest := found - verbs.get((group, resource, ""), set()):
            narrow.setdefault((group, resource, tuple(sorted(rest))), []).append(name)
    yield from ((group, resources, [], list(found)) for (group, found), resources in wide.items())
    yield from ((group, [resource], names, list(found)) for (group, resource, found), names in narrow.items())


def _lasting_name(right: Right) -> str:
    """The object's name, empty for a journal's: the next run has another, and a role is applied once."""
    return "" if right.name.startswith(JOURNAL_PREFIX) else right.name
