# SPDX-License-Identifier: GPL-3.0-or-later
"""Which permissions a plan needs, forwards and back, and whether rules grant them. PRIVATE.

Derived from the plan's own writes and from the rendered chart, never from a hand-kept list (PE-02, PE-03). What the API server
answers to a SelfSubjectRulesReview is judged here as its RBAC authoriser would.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from .model import Cluster, Object, Right
from .objects import CLUSTER_SCOPED, NAMESPACED
from .writes import Write

RULES_REVIEW = "/apis/authorization.k8s.io/v1/selfsubjectrulesreviews"
ACCESS_REVIEW = "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews"
NOWHERE = "wge-no-such-namespace"
"""Rules seen here come from ClusterRoleBindings alone, so they are good for cluster-scoped objects too."""


def of_path(verb: str, path: str) -> Right:
    """The right to do ``verb`` to the object at ``path``; a create names no object, as RBAC cannot either."""
    parts = path.strip("/").split("/")
    group = "" if parts[0] == "api" else parts[1]
    rest = parts[2:] if parts[0] == "api" else parts[3:]
    namespace = ""
    if rest[0] == "namespaces" and len(rest) > 2:
        namespace, rest = rest[1], rest[2:]
    name = rest[1] if len(rest) > 1 and verb != "create" else ""
    return Right(verb, group, rest[0], namespace, name)


def forwards(writes: Iterable[Write]) -> list[Right]:
    """What sending these writes needs."""
    return _unique(right for write in writes for right in _forward(write))


def backwards(writes: Iterable[Write]) -> list[Right]:
    """What taking them back needs."""
    return _unique(right for write in writes for right in _backward(write))


def backwards_of(entries: Mapping[str, Sequence[Object]]) -> list[Right]:
    """What taking back the writes of a journal needs."""
    return _unique(right for records in entries.values() for entry in records for right in _recorded(entry))


def of_chart(rendered: Sequence[Object], namespace: str, verbs: Sequence[str]) -> list[Right]:
    """What helm needs to do ``verbs`` to every object of a chart, by kind and namespace."""
    wanted = []
    for item in rendered:
        kind = str(item.get("kind"))
        found = NAMESPACED.get(kind) or CLUSTER_SCOPED.get(kind)
        if found:
            version, plural = found
            group = version.split("/")[0] if "/" in version else ""
            place = (item.get("metadata", {}).get("namespace") or namespace) if kind in NAMESPACED else ""
            wanted += [Right(verb, group, plural, place) for verb in verbs]
    return _unique(wanted)


class Rules:
    """What the API server says we may do, for the namespaces that matter."""

    def __init__(self, cluster: Cluster) -> None:
        self._cluster = cluster
        self._known: dict[str, tuple[list[Object], bool]] = {}

    def missing(self, rights: Iterable[Right]) -> list[Right]:
        """Those of the rights that we do not have."""
        return [right for right in rights if not self._allowed(right)]

    def own(self, namespace: str = "") -> list[Object]:
        """The rules we have in a namespace, or everywhere; what RBAC lets us grant to others is judged by these."""
        return self._of(namespace)[0]

    def _allowed(self, right: Right) -> bool:
        rules, incomplete = self._of(right.namespace)
        if any(grants(rule, right) for rule in rules):
            return True
        return incomplete and self._ask_one(right)

    def _of(self, namespace: str) -> tuple[list[Object], bool]:
        place = namespace or NOWHERE
        if place not in self._known:
            self._known[place] = self._ask(place)
        return self._known[place]

    def _ask(self, namespace: str) -> tuple[list[Object], bool]:
        body = {"apiVersion": "authorization.k8s.io/v1", "kind": "SelfSubjectRulesReview", "spec": {"namespace": namespace}}
        status = self._cluster.review(RULES_REVIEW, body).get("status") or {}
        rules = [*(status.get("resourceRules") or []), *(status.get("nonResourceRules") or [])]
        return rules, bool(status.get("incomplete"))

    def _ask_one(self, right: Right) -> bool:
        resource, _slash, subresource = right.resource.partition("/")
        attributes = {
            "verb": right.verb,
            "group": right.group,
            "resource": resource,
            "subresource": subresource,
            "namespace": right.namespace,
            "name": right.name,
        }
        body = {"apiVersion": "authorization.k8s.io/v1", "kind": "SelfSubjectAccessReview", "spec": {"resourceAttributes": attributes}}
        return bool((self._cluster.review(ACCESS_REVIEW, body).get("status") or {}).get("allowed"))


def _forward(write: Write) -> Iterable[Right]:
    if write.verb == "helm":
        return
    yield of_path(write.verb, write.path)
    yield of_path("get", write.path)


def _backward(write: Write) -> Iterable[Right]:
    if write.verb == "create":
        yield of_path("delete", write.path)
    elif write.verb == "patch" and write.reverse:
        yield of_path("patch", write.path)


def _recorded(entry: Object) -> Iterable[Right]:
    if entry["verb"] == "create":
        yield of_path("delete", entry["path"])
    elif entry["verb"] == "patch" and entry.get("reverse"):
        yield of_path("patch", entry["path"])


def grants(rule: Object, right: Right) -> bool:
    """Whether one rule grants a right, as the API server's RBAC authoriser reads it."""
    names = rule.get("resourceNames") or []
    return (
        _has(rule.get("verbs"), right.verb)
        and _has(rule.get("apiGroups"), right.group)
        and _resource(rule.get("resources") or [], right.resource)
        and (not names or right.name in names)
    )


def _has(entries: Sequence[str] | None, wanted: str) -> bool:
    return bool(entries) and ("*" in (entries or ()) or wanted in (entries or ()))


def _resource(entries: Sequence[str], wanted: str) -> bool:
    subresource = wanted.partition("/")[2]
    return wanted in entries or "*" in entries or bool(subresource and f"*/{subresource}" in entries)


def _unique(rights: Iterable[Right]) -> list[Right]:
    return list(dict.fromkeys(rights))
