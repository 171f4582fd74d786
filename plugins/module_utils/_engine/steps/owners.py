# SPDX-License-Identifier: GPL-3.0-or-later
"""Take away the power to delete before traffic moves: protect the kept objects, then park WG's Helm release. PRIVATE.

S11 comes before S6 (docs/facts.md, 2e): a parked release alone is not safe once Helm has pruned revision 1, since
``helm upgrade --install`` then installs anew and adopts everything. So: foreign ownership marks on what is kept, a tombstone
in revision 1's place, and only then the parking, newest revision first. Killed anywhere in between, nothing can be deleted by a
stray helm command that could not be before.
"""

from __future__ import annotations

from ..._errors import StepFailed
from ..forms.flux import condition
from ..forms.gitops import NO_PRUNE, SHIELDED
from ..forms.helm import Revision, storage_name
from ..model import Object, Operation, Rung
from ..names import (
    EDGE_RELEASE,
    HANDED_OVER_ANNOTATION,
    HELM_KEEP_ANNOTATION,
    HELM_RELEASE_ANNOTATION,
    KEPT_ANNOTATION,
    MANAGED_BY_LABEL,
    PARKED_OWNER,
    TOMBSTONE_OWNER,
)
from ..objects import annotations_of, name_of, object_path, path_of, uid_of
from ..patches import set_keys
from ..situation import Situation
from ..work import Work
from ..writes import Write, create, patch
from .base import Step

OWNER_LABEL = "/metadata/labels/owner"
STATUS_LABEL = "/metadata/labels/status"


class Protect(Step):
    """S11: mark every object that outlives WG, so that Helm refuses to adopt or delete it."""

    id = "S11"
    title = "protect what outlives WG"
    rung = Rung.PREPARED

    def __init__(self, *, edge: bool) -> None:
        """``edge``: Helm alone owns WG, so what it owned gets foreign marks. Flux has to be able to adopt it again."""
        self._edge = edge

    def writes(self, now: Situation) -> list[Write]:
        """A patch of annotations, and with ``edge`` of the managed-by label, for each kept object that is not marked yet."""
        return [write for item in kept_objects(now) if (write := _mark(item, now, edge=self._edge))]


class Freeze(Step):
    """S6: hide WG's release from Helm: tombstone first, then every revision, newest first."""

    id = "S6"
    title = "park the Helm release of WG"
    rung = Rung.PREPARED
    after_record = True

    def writes(self, now: Situation) -> list[Write]:
        """The tombstone and the label patches that are missing."""
        revisions = now.snapshot.installed.revisions
        first = [] if any(r.number == 1 for r in revisions) else [tombstone(now)]
        return first + [_park(revision) for revision in reversed(revisions) if revision.owner == "helm"]

    def apply(self, work: Work) -> None:
        """Park, unless helm is at work: when it ends it would make the release visible again (2o)."""
        busy = pending_of(work.now)
        if busy:
            raise StepFailed(f"Helm is at work on WG's release: {busy}.", "Wait for it to end, or repair the release with helm rollback.")
        super().apply(work)

    def still_holds(self, work: Work) -> str:
        """Why the freeze no longer holds, empty when it does: a helm that was running un-parks what it rewrites (2o)."""
        release = work.now.snapshot.installed.found.release
        path = object_path("Secret", "", work.now.namespace).rstrip("/")
        seen = work.tools.cluster.list(path, labels=f"owner=helm,name={release}", metadata_only=True)
        return f"helm has made {', '.join(name_of(item) for item in seen)} visible again" if seen else ""


def pending_of(now: Situation) -> str:
    """Which revision of WG's release a helm operation has begun and not ended, empty when there is none."""
    pending = [r for r in now.snapshot.installed.revisions if r.owner == "helm" and r.status.startswith("pending")]
    return f"{name_of(pending[-1].secret)} is {pending[-1].status}" if pending else ""


def is_waited_for(now: Situation) -> bool:
    """Whether it is this run, killed since, that asked Flux for the upgrade it may be at: then the run goes on by waiting for it."""
    owner = now.snapshot.owners.helm_release
    ours = owner is not None and annotations_of(owner).get(HANDED_OVER_ANNOTATION) == now.run
    return ours and owner is not None and not condition(owner, "Stalled", "True")


def kept_objects(now: Situation) -> list[Object]:
    """Services, Ingresses that lead to them, auth Secrets and people's RBAC, the Services first."""
    services = now.kept_services
    names = {name_of(service) for service in services}
    routes = [item for item in now.snapshot.of("Ingress") if names & backends_of(item)]
    return services + routes + now.snapshot.kept


def backends_of(ingress: Object) -> set[str]:
    """The names of the Services an Ingress leads to."""
    spec = ingress.get("spec", {})
    found = [spec.get("defaultBackend")] + [
        path.get("backend") for rule in spec.get("rules") or [] for path in (rule.get("http") or {}).get("paths") or []
    ]
    return {(backend.get("service") or {}).get("name", "") for backend in found if backend} - {""}


def _mark(item: Object, now: Situation, *, edge: bool) -> Write | None:
    annotations: dict[str, str | None] = {KEPT_ANNOTATION: "true"}
    labels: dict[str, str | None] = {}
    owner = annotations_of(item).get(HELM_RELEASE_ANNOTATION)
    wg = now.snapshot.installed
    helms = wg.is_released and owner in (wg.found.release, EDGE_RELEASE)
    if helms:
        annotations[HELM_KEEP_ANNOTATION] = "keep"
    if helms and edge:
        annotations[HELM_RELEASE_ANNOTATION] = EDGE_RELEASE
        labels = {MANAGED_BY_LABEL: "wge"}
    if now.snapshot.owners.kustomization and item["kind"] in ("Service", "Ingress"):
        annotations[NO_PRUNE] = SHIELDED  # once git holds it, a commit that is reverted would delete it (8d)
    do_annotations, undo_annotations = set_keys(item, "annotations", annotations)
    do_labels, undo_labels = set_keys(item, "labels", labels)
    if not (do_annotations or do_labels):
        return None
    uid: Operation = {"op": "test", "path": "/metadata/uid", "value": uid_of(item)}
    text = f"protect {item['kind']} {name_of(item)}"
    return patch(path_of(item), [uid, *do_annotations, *do_labels], [uid, *undo_annotations, *undo_labels], text)


def tombstone(now: Situation) -> Write:
    """The Secret in the place of revision 1, where Helm would begin anew."""
    release = now.snapshot.installed.found.release
    name = storage_name(release, 1)
    labels = {**now.labels(), "owner": TOMBSTONE_OWNER, "name": release}
    body: Object = {
        "apiVersion": "v1",
        "kind": "Secret",
        "type": "helm.sh/release.v1",
        "metadata": {"name": name, "namespace": now.snapshot.storage, "labels": labels},
    }
    return create(body, object_path("Secret", name, now.snapshot.storage), "put a tombstone in the place of revision 1")


def _park(revision: Revision) -> Write:
    uid: Operation = {"op": "test", "path": "/metadata/uid", "value": uid_of(revision.secret)}
    idle: Operation = {"op": "test", "path": STATUS_LABEL, "value": revision.status}

    def relabel(old: str, new: str) -> list[Operation]:
        return [{"op": "test", "path": OWNER_LABEL, "value": old}, {"op": "replace", "path": OWNER_LABEL, "value": new}]

    forth, back = relabel("helm", PARKED_OWNER), relabel(PARKED_OWNER, "helm")  # back whatever helm has made of its status meanwhile
    return patch(path_of(revision.secret), [uid, idle, *forth], [uid, *back], f"park revision {revision.number}")
