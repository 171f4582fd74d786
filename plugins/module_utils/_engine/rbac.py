# SPDX-License-Identifier: GPL-3.0-or-later
"""Rights as RBAC objects to apply, and the API server's own rule against granting more than one has. PRIVATE.

Both the remedies of a preflight and the roles that are shipped in ``docs/rbac`` come from here, so that they cannot differ.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Sequence
from itertools import product

from .model import Object, Right
from .names import JOURNAL_PREFIX
from .rights import grants

ROLE = "wge-upgrade"
RBAC = "rbac.authorization.k8s.io"
ALL: Object = {"verbs": ["*"], "apiGroups": ["*"], "resources": ["*"]}


def roles_for(rights: Iterable[Right], name: str = ROLE) -> str:
    """A ClusterRole and a Role for each namespace that grant exactly these rights, as YAML."""
    places: dict[str, list[Right]] = {}
    for right in rights:
        places.setdefault(right.namespace, []).append(right)
    return "---\n".join("\n".join(_role(name, place, places[place])) + "\n" for place in sorted(places))


def covers(rules: Sequence[Object], wanted: Object) -> bool:
    """Whether whoever has ``rules`` may grant the rule ``wanted``, as the API server reckons: each part of it by itself."""
    resources, names = wanted.get("resources") or [], wanted.get("resourceNames") or [""]
    parts = product(wanted.get("verbs") or [], wanted.get("apiGroups") or [], resources, names)
    granted = all(any(grants(rule, Right(v, g, r, name=n)) for rule in rules) for v, g, r, n in parts)
    urls = product(wanted.get("verbs") or [], wanted.get("nonResourceURLs") or [])
    return granted and all(any(_reaches(rule, verb, url) for rule in rules) for verb, url in urls)


def _reaches(rule: Object, verb: str, url: str) -> bool:
    own: list[str] = rule.get("nonResourceURLs") or []
    verbs = rule.get("verbs") or []
    reached = url in own or "*" in own or any(one.endswith("*") and url.startswith(one[:-1]) for one in own)
    return ("*" in verbs or verb in verbs) and reached


def _role(name: str, namespace: str, rights: Iterable[Right]) -> Iterator[str]:
    yield f"apiVersion: {RBAC}/v1"
    yield f"kind: {'Role' if namespace else 'ClusterRole'}"
    yield "metadata:"
    yield f"  name: {name}"
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
