# SPDX-License-Identifier: GPL-3.0-or-later
"""What of WG's release goes at the end, and what stays, with the reason. PRIVATE.

Judged from the newest parked revision's manifest and from the objects as they are now: somebody else may have taken one over, and
WGE or a binding of somebody's own may need one. Services, routes, Secrets, claims, Namespaces and CRDs never go.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

from .archive.references import CONFIG_MAP, named_in_pod
from .forms.flux import paths_of
from .journal import REMEMBERED
from .model import Cluster, Object
from .names import HELM_KEEP_ANNOTATION, HELM_RELEASE_ANNOTATION
from .objects import (
    CLUSTER_SCOPED,
    NAMESPACED,
    annotations_of,
    collection_path,
    labels_of,
    name_of,
    namespace_of,
    object_path,
    path_of,
    pod_template,
    selects,
)
from .situation import Situation
from .steps.policies import TWIN_KINDS

REMOVAL = "S16"
FOLLOWING = ("Deployment", "HorizontalPodAutoscaler", "PodDisruptionBudget", "ConfigMap", "Job", "ServiceAccount")
"""The order of the removal: what runs, what it needs, then its rights; policies come last, since they bind pods."""
STAYS = frozenset({"Service", "Ingress", "Secret", "PersistentVolumeClaim", "Namespace", "CustomResourceDefinition"})
BINDINGS = ("ClusterRoleBinding", "RoleBinding")
FLUX_LABELS = {"kustomize.toolkit.fluxcd.io/name": "Kustomization", "helm.toolkit.fluxcd.io/name": "HelmRelease"}


@dataclass(frozen=True, slots=True)
class Part:
    """One object of WG's release. ``live`` is None when it is not there; ``stays`` is why it is kept, empty when it goes."""

    path: str
    title: str
    live: Object | None
    stays: str = ""


def with_parked(cluster: Cluster, now: Situation) -> Situation:
    """The situation with everything read that a removal is judged by: about one request an object of WG's release."""
    snapshot, named = now.snapshot, dict(now.snapshot.named)
    known = {path_of(item): item for items in snapshot.lists.values() for item in items if "kind" in item}
    known |= {path_of(item): item for item in snapshot.kept}
    remembered = [entry["path"] for entry in ((now.journal.notes.get(REMEMBERED) or {}).get("stays") or [])] if now.journal else []
    kept_by = paths_of(snapshot.owners.helm_release, snapshot.identity.served) if snapshot.owners.helm_release else []
    paths = [*_journalled(now, REMOVAL), *_journalled(now, "S11"), *_own_paths(now), *remembered, *kept_by]
    for path in filter(None, dict.fromkeys(paths)):
        named[path] = known.get(path) or cluster.get(path)
    lists = dict(snapshot.lists)
    for kind in BINDINGS:  # of every namespace: a team may have bound a ClusterRole of WG in its own
        lists[kind] = [{"kind": kind, **item} for item in cluster.list(collection_path(kind))]
    return replace(now, snapshot=replace(snapshot, named=named, lists=lists))


def parts(now: Situation) -> list[Part]:
    """Every object of WG's newest parked revision, in the order in which they go."""
    items = sorted((_placed(item, now) for item in now.snapshot.installed.manifest), key=_rank)
    needed = _needed(now, items)
    return [_part(item, now, needed) for item in items]


def staying(now: Situation) -> list[Object]:
    """What of WG's release is there and kept, each with its path, title and reason; out of the journal once the manifest is gone."""
    known = now.journal.notes.get(REMEMBERED) if now.journal else None
    if known:
        return list(known.get("stays") or [])
    found = [part for part in parts(now) if part.stays and (part.live or not part.path)]
    return [{"path": part.path, "title": part.title, "stays": part.stays} for part in found]


def manifest_paths(now: Situation) -> list[str]:
    """The paths of what goes as far as the manifest alone says it: for asking after permissions."""
    items = (_placed(item, now) for item in now.snapshot.installed.manifest)
    kept = {path_of(item) for item in now.snapshot.kept}
    return [path for item in items if _is_known(item) and item["kind"] not in STAYS and (path := path_of(item)) not in kept]


def title_of(item: Object) -> str:
    """``Service flux-system/x``, ``ClusterRole y``"""
    place = f"{namespace_of(item)}/" if namespace_of(item) else ""
    return f"{item.get('kind')} {place}{name_of(item)}"


def owner_of(item: Object) -> str:
    """Who an object's own marks say it belongs to, empty when they say nothing."""
    labels, annotations = labels_of(item), annotations_of(item)
    for label, kind in FLUX_LABELS.items():
        if label in labels:
            return f"Flux {kind} {labels.get(label.replace('/name', '/namespace'), '')}/{labels[label]}"
    if annotations.get("argocd.argoproj.io/tracking-id"):
        return "Argo CD"
    release = annotations.get(HELM_RELEASE_ANNOTATION)
    return f"Helm release {release}" if release else ""


def _part(item: Object, now: Situation, needed: dict[str, str]) -> Part:
    title = title_of(item)
    if not _is_known(item):
        return Part("", title, None, "its kind is not known to this collection")
    path = path_of(item)
    live = now.snapshot.named.get(path)
    return Part(path, title, live, _why_it_stays(item, path, live, now) or needed.get(path, ""))


def _why_it_stays(item: Object, path: str, live: Object | None, now: Situation) -> str:
    if item["kind"] in STAYS or path in _journalled(now, "S11"):
        return "it outlives WG"
    if HELM_KEEP_ANNOTATION in annotations_of(item):
        return "its chart says that it is kept"
    if live is None:
        return ""
    owner = owner_of(live)
    if owner not in ("", f"Helm release {now.snapshot.installed.found.release}", *map(_as_owner, now.snapshot.owners.all)):
        return f"it belongs to {owner}"
    if kind := TWIN_KINDS.get(item["kind"]):
        specs = [live["spec"]] if live.get("spec") else live.get("specs") or []
        if any(kind.binds(spec, now.target.pod_labels, now.namespace) for spec in specs):
            return "it binds WGE's pods as well"
    return ""


def _as_owner(item: Object) -> str:
    """What the marks of an object say that this HelmRelease or Kustomization applies."""
    return f"Flux {item['kind']} {namespace_of(item)}/{name_of(item)}"


def _needed(now: Situation, items: list[Object]) -> dict[str, str]:
    """What WGE uses, and roles that a binding names which does not go with them."""
    found = dict.fromkeys(_used_by_wge(now), "WGE uses it")
    found |= dict.fromkeys(_accounts_of_others(now), "other pods run as it")
    known = [(item, path_of(item)) for item in items if _is_known(item)]
    going = {path for item, path in known if not _why_it_stays(item, path, now.snapshot.named.get(path), now)}
    for kind in BINDINGS:
        for binding in now.snapshot.of(kind):
            if path_of(binding) not in going:
                role = binding.get("roleRef") or {}
                if role.get("kind") in ("Role", "ClusterRole"):
                    path = object_path(role["kind"], role["name"], namespace_of(binding))
                    found.setdefault(path, f"{kind} {name_of(binding)} names it")
    return found


def _accounts_of_others(now: Situation) -> Iterator[str]:
    """The ServiceAccounts of the namespace's pods that are not WG's: a chart need not make one of its own."""
    for pod in now.snapshot.of("Pod"):
        if not selects(now.snapshot.installed.found.pod_labels, labels_of(pod)):
            yield object_path("ServiceAccount", str((pod.get("spec") or {}).get("serviceAccountName") or "default"), now.namespace)


def _used_by_wge(now: Situation) -> Iterator[str]:
    """The paths of what WGE's release holds and of what its pods name."""
    for item in now.target.objects:
        if _is_known(item):
            yield path_of(_placed(item, now))
    for deployment in (now.wge, *(item for item in now.target.objects if item.get("kind") == "Deployment")):
        spec = pod_template(deployment or {}).get("spec") or {}
        yield object_path("ServiceAccount", str(spec.get("serviceAccountName") or "default"), now.namespace)
        for name in named_in_pod(spec, CONFIG_MAP):
            yield object_path("ConfigMap", name, now.namespace)


def _own_paths(now: Situation) -> list[str]:
    return [path_of(placed) for item in now.snapshot.installed.manifest if _is_known(placed := _placed(item, now))]


def _journalled(now: Situation, step: str) -> list[str]:
    return [entry["path"] for entry in now.journal.entries.get(step, [])] if now.journal else []


def _placed(item: Object, now: Situation) -> Object:
    """A manifest need not say a namespace; helm puts the object into the release's then."""
    if item.get("kind") not in NAMESPACED or namespace_of(item):
        return item
    return {**item, "metadata": {**(item.get("metadata") or {}), "namespace": now.namespace}}


def _is_known(item: Object) -> bool:
    return item.get("kind") in NAMESPACED or item.get("kind") in CLUSTER_SCOPED


def _rank(item: Object) -> tuple[int, str]:
    kind = str(item.get("kind"))
    if kind in TWIN_KINDS:
        return (len(FOLLOWING) + 1, title_of(item))
    return (FOLLOWING.index(kind) if kind in FOLLOWING else len(FOLLOWING), title_of(item))
