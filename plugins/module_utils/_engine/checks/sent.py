# SPDX-License-Identifier: GPL-3.0-or-later
"""What the upgrade sends, as an admission webhook or policy looks at it. PRIVATE."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from ..model import Object
from ..names import LEASE
from ..objects import CLUSTER_SCOPED, NAMESPACED, collection_path, labels_of, metadata, object_path, path_of, pod_template
from ..placement import WORKLOADS, workloads_of
from ..rights import of_path
from ..selectors import selector_matches
from ..situation import Situation
from ..writes import Write
from .evidence import Evidence

CREATE, UPDATE, DELETE = "CREATE", "UPDATE", "DELETE"
_VERBS = {"create": CREATE, "patch": UPDATE, "delete": DELETE, "helm": CREATE}


@dataclass(frozen=True, slots=True)
class Sent:
    """One write. ``path`` is where it is sent to, ``labels`` None when the object's are not known.

    ``body`` is what a create holds; ``write`` the write of the plan it stands for. Pods are made by controllers, not by us.
    """

    operation: str
    group: str
    version: str
    resource: str
    namespace: str
    path: str
    labels: dict[str, str] | None = field(default=None, compare=False)
    body: Object = field(default_factory=dict, compare=False)
    write: Write | None = field(default=None, compare=False)
    by_controller: bool = False


def sent_by(evidence: Evidence) -> list[Sent]:
    """Everything the plan sends, the chart's objects and their pods included; empty when nothing is planned."""
    now, writes = evidence.now, evidence.plan.writes
    if not evidence.plan.planned:
        return []
    found = [_of_write(write, _live_labels(now)) for write in writes]
    if any(write.release for write in writes):
        found += _of_chart(now)
    if any(write.release or write.body.get("kind") in WORKLOADS for write in writes):
        found += _pods(now)
    lease = object_path("Lease", LEASE, now.namespace)
    return [*found, *(_sent(operation, lease, {}) for operation in (CREATE, UPDATE))]


def is_seen(sent: Sent, hook: Object, namespace_labels: dict[str, str] | None) -> bool:
    """Whether a webhook sees a write. Labels that are not known are taken to match, and so are CEL conditions."""
    exact = hook.get("matchPolicy") == "Exact"
    if not any(_rule_fits(rule, sent) and (not exact or _has(rule.get("apiVersions"), sent.version)) for rule in hook.get("rules") or []):
        return False
    if sent.namespace and not selector_matches(hook.get("namespaceSelector") or {}, namespace_labels or {}):
        return False
    return sent.labels is None or selector_matches(hook.get("objectSelector") or {}, sent.labels)


def _of_write(write: Write, live: dict[str, dict[str, str]]) -> Sent:
    if write.release:
        return _sent(CREATE, write.path, {"owner": "helm", "name": write.release.name, **write.release.labels}, write=write)
    labels = labels_of(write.body) if write.body else live.get(write.path)
    return _sent(_VERBS[write.verb], write.path, labels, body=write.body, write=write)


def _of_chart(now: Situation) -> Iterator[Sent]:
    for item in now.target.objects:
        kind = str(item.get("kind"))
        if kind not in NAMESPACED and kind not in CLUSTER_SCOPED:
            continue
        placed = _placed(item, now)
        yield _sent(CREATE, path_of(placed), labels_of(placed), body=placed)


def _pods(now: Situation) -> Iterator[Sent]:
    for workload in workloads_of(now.target):
        pod = _pod(workload, now)
        yield _sent(CREATE, object_path("Pod", "", metadata(pod)["namespace"]), labels_of(pod), body=pod, by_controller=True)


def _placed(item: Object, now: Situation) -> Object:
    """As helm sends it: in the release's namespace when it names none."""
    if item["kind"] in CLUSTER_SCOPED or metadata(item).get("namespace"):
        return item
    return {**item, "metadata": {**metadata(item), "namespace": now.target.release.namespace}}


def _pod(workload: Object, now: Situation) -> Object:
    """A pod of a workload. Its own ServiceAccount comes with the chart, so it stands here with the one that every namespace has."""
    template = pod_template(workload)
    place = metadata(workload).get("namespace") or now.target.release.namespace
    meta = {**(template.get("metadata") or {}), "generateName": f"{metadata(workload).get('name')}-", "namespace": place}
    spec = {key: value for key, value in (template.get("spec") or {}).items() if key not in ("serviceAccountName", "serviceAccount")}
    return {"apiVersion": "v1", "kind": "Pod", "metadata": meta, "spec": spec}


def _sent(
    operation: str,
    path: str,
    labels: dict[str, str] | None,
    *,
    body: Object | None = None,
    write: Write | None = None,
    by_controller: bool = False,
) -> Sent:
    right = of_path("get", path)
    parts = path.strip("/").split("/")
    version = parts[1] if parts[0] == "api" else parts[2]
    return Sent(operation, right.group, version, right.resource, right.namespace, path, labels, body or {}, write, by_controller)


def _live_labels(now: Situation) -> dict[str, dict[str, str]]:
    snapshot = now.snapshot
    items: list[Object] = [item for kind in snapshot.lists.values() for item in kind]
    items += [*snapshot.releases, *snapshot.journals, *snapshot.kept, *(item for item in snapshot.named.values() if item)]
    return {path_of(item): labels_of(item) for item in items}


def _rule_fits(rule: Object, sent: Sent) -> bool:
    """Versions are left aside: an API server converts to the one a webhook asks for, unless it wants them exact."""
    scope = rule.get("scope") or "*"
    return (
        _has(rule.get("operations"), sent.operation)
        and _has(rule.get("apiGroups"), sent.group)
        and _has(rule.get("resources"), sent.resource, "*/*")
        and scope in ("*", "Namespaced" if sent.namespace else "Cluster")
    )


def _has(given: Iterable[str] | None, *wanted: str) -> bool:
    return bool({"*", *wanted}.intersection(given or ()))


def collection_of(sent: Sent) -> str:
    """Where a create is sent to."""
    return collection_path(str(sent.body["kind"]), sent.namespace)
