# SPDX-License-Identifier: GPL-3.0-or-later
"""Proof that what is not in the plan was left alone: uid, generation, spec and restarts, before and after. PRIVATE.

Workloads, Pods, Services and Ingresses of the whole cluster; ConfigMaps and Secrets of WG's namespace by their version alone, so that
no byte of them is read. Ten lists at each end, in pages; of each object less than a kilobyte is kept. What our user may not list, or
what is beyond ``MOST``, is named as unseen.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

from .._errors import Forbidden
from .model import Cluster, Object
from .names import HELM_RELEASE_ANNOTATION, RUN_LABEL
from .objects import annotations_of, collection_path, digest, labels_of, metadata, name_of, namespace_of, selects, uid_of
from .situation import Situation

EVERYWHERE = ("DaemonSet", "Deployment", "Ingress", "Pod", "Service", "StatefulSet")
BY_VERSION = ("ConfigMap", "Secret")
"""Read as metadata alone, in WG's namespace."""
MOST = 50_000
"""After so many objects no further kind is listed."""
LISTED = 50
"""So many changed objects are named in a result; the others are counted."""
_GONE = "it is gone"


@dataclass(slots=True)
class Seen:
    """What was recorded: facts by title, e.g. ``Deployment shop/web``, and the kinds that were not seen with the reason."""

    facts: dict[str, Object] = field(default_factory=dict)
    unseen: dict[str, str] = field(default_factory=dict)


def record(cluster: Cluster, now: Situation) -> Seen:
    """Read everything that is not ours. Raises what a list raises, but for rights that are missing."""
    found = Seen()
    for kind in (*EVERYWHERE, *BY_VERSION):
        if len(found.facts) >= MOST:
            found.unseen[kind] = f"there are more than {MOST} objects"
            continue
        try:
            _list(cluster, now, kind, found)
        except Forbidden:
            found.unseen[kind] = "our user may not list it"
    return found


def differences(before: Seen, after: Seen, planned: Iterable[str]) -> Object:
    """The part of a result: how many objects, and each that changed. ``planned`` are the titles of what the plan writes to."""
    own = set(planned)
    unseen = {**before.unseen, **after.unseen}
    compared = {title: facts for title, facts in before.facts.items() if title not in own and title.split(" ", 1)[0] not in unseen}
    changed = []
    for title, facts in compared.items():
        if what := _words(facts, after.facts.get(title)):
            changed.append({"object": title, "what": what})
    return {
        "objects": len(compared),
        "changed": changed[:LISTED],
        "changed_count": len(changed),
        "unseen": [f"{kind}: {reason}" for kind, reason in sorted(unseen.items())],
    }


def title_of_path(path: str) -> str:
    """``Deployment shop/web`` of a REST path; empty for a kind that is not looked at."""
    parts = path.strip("/").split("/")
    for kind in (*EVERYWHERE, *BY_VERSION):
        plural = collection_path(kind).rsplit("/", 1)[1]
        if len(parts) >= 4 and parts[-2] == plural and parts[-4] == "namespaces":
            return f"{kind} {parts[-3]}/{parts[-1]}"
    return ""


def _list(cluster: Cluster, now: Situation, kind: str, found: Seen) -> None:
    alone = kind in BY_VERSION
    path = collection_path(kind, now.namespace if alone else "")
    keep = _keeper(now, kind, _version if alone else _facts)
    for item in cluster.list(path, metadata_only=alone, keep=keep):
        if item.get("facts"):
            found.facts[f"{kind} {item['place']}"] = item["facts"]


def _keeper(now: Situation, kind: str, facts: Callable[[Object], Object]) -> Callable[[Object], Object]:
    """What is kept of an object: nothing when it is ours, or a pod of WG or WGE."""

    def keep(item: Object) -> Object:
        if _is_ours(item, kind, now):
            return {}
        return {"place": f"{namespace_of(item)}/{name_of(item)}", "facts": facts(item)}

    return keep


def _is_ours(item: Object, kind: str, now: Situation) -> bool:
    """Whether it belongs to the run, to WGE's release, or to the pods that come and go with an upgrade."""
    labels, release = labels_of(item), now.target.release.name
    if RUN_LABEL in labels or annotations_of(item).get(HELM_RELEASE_ANNOTATION) == release:
        return True
    if namespace_of(item) != now.namespace:
        return False
    if labels.get("owner") and labels.get("name") == release:  # how helm labels what it stores
        return True
    pods = (now.snapshot.installed.found.pod_labels, now.target.selector, {"app.kubernetes.io/instance": release})
    return kind == "Pod" and any(selects(selector, labels) for selector in pods)


def _facts(item: Object) -> Object:
    return {
        "uid": uid_of(item),
        "generation": metadata(item).get("generation"),
        "spec": digest(item.get("spec"))[:32],
        "restarts": sum(int(one.get("restartCount") or 0) for one in (item.get("status") or {}).get("containerStatuses") or []),
    }


def _version(item: Object) -> Object:
    return {"uid": uid_of(item), "version": metadata(item).get("resourceVersion")}


def _words(before: Object, after: Object | None) -> str:
    if after is None:
        return _GONE
    if before["uid"] != after["uid"]:
        return "it was made anew"
    said = []
    if before.get("version") != after.get("version"):
        said.append("its content or metadata changed")
    if before.get("spec") != after.get("spec"):
        said.append("its spec changed")
    said += [f"{key} {before[key]} → {after[key]}" for key in ("generation", "restarts") if before.get(key) != after.get(key)]
    return ", ".join(said)
