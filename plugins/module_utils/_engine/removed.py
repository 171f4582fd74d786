# SPDX-License-Identifier: GPL-3.0-or-later
"""WG when it is not there any more: what the journal of its removal remembers of it. PRIVATE.

A cluster whose WG was removed, or is half removed, is judged like any other; only what was read of WG's Deployment comes out of
the journal then.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from .._errors import Blocked, Forbidden, SafeStop
from .discover import Found, Installed
from .journal import REMEMBERED, REMOVING, ROLLED_BACK, Journal, journal_from, newest
from .model import Cluster, Object
from .names import HELM_NAMESPACE_ANNOTATION, HELM_RELEASE_ANNOTATION, JOURNAL_LABEL, TOMBSTONE_OWNER
from .objects import collection_path, containers_of, labels_of, metadata, name_of, namespace_of, pod_template, uid_of

if TYPE_CHECKING:  # it is above the snapshot, which is read with what is here
    from .situation import Situation

WGE_SELECTOR = "weave.works/app=weave-gitops-enterprise"
RETURNING = "returning"
"""The note that a removed WG is being put back."""

RECORD = "/secrets/sh.helm.release.v1."
"""In the path of helm's record of WG: no other Secret is ever removed."""

OWNERS = ("/helmreleases/", "/helmcharts/")
"""In the paths of what Flux kept WG by; a HelmChart is made anew by it."""

IN_LISTS = ("/services/", "/ingresses/")
"""Kinds that are read as lists anyway."""


def remembered(cluster: Cluster, namespace: str, release: str) -> Found | None:
    """The WG that was removed from a cluster, None when no journal speaks of one.

    Raises SafeStop when a journal says that WG should still be there, and Blocked when several were removed and none is named.
    """
    places = [namespace] if namespace else _places(cluster)
    known = [journal for place in places for journal in _newest_of(cluster, place, release)]
    gone = [journal for journal in known if journal.state in REMOVING]
    if len(gone) > 1:
        names = ", ".join(sorted(f"{journal.release} in namespace {journal.namespace}" for journal in gone))
        raise Blocked(f"Two or more installations of Weave GitOps were removed: {names}.", "Name one with wge_namespace and wge_release.")
    if gone:
        return _found(gone[0])
    if missed := [journal for journal in known if journal.state != ROLLED_BACK]:
        raise _somebody_removed(f"{missed[0].release} in namespace {missed[0].namespace}", missed[0])
    return None


def is_removing(journals: Sequence[Object], release: str) -> bool:
    """Whether the removal of a release has begun."""
    journal = newest(journals, release)
    return journal is not None and journal.state in REMOVING


def installed(found: Found, journals: Sequence[Object], live: Object | None = None) -> Installed:
    """WG as its journal remembers it. Raises SafeStop when nobody says that it was to be removed.

    ``live`` is its Deployment, when that is there again before helm's record of it.
    """
    journal = newest(journals, found.release)
    if journal is None or journal.state not in REMOVING:
        raise _somebody_removed(str(found), journal)
    remembered, known = _found(journal), journal.notes[REMEMBERED]
    return Installed(
        replace(remembered, deployment=live) if live else remembered,
        chart_version=str(known.get("chart_version") or ""),
        manifest=tuple(known.get("services") or []),
    )


def was_removed(cluster: Cluster, now: Situation) -> bool:
    """Whether the removal of WG has taken something away already: then the journal alone does not bring it back."""
    journal = now.journal
    if journal is None or journal.state not in REMOVING:
        return False
    entries = [e for e in journal.entries.get("S16", []) if e["verb"] == "delete" or (RECORD in e["path"] and e["verb"] == "patch")]
    return any(is_gone(entry, cluster.get(entry["path"])) for entry in entries)


def is_record(path: str) -> bool:
    """Whether a removed object says that WG is installed, and so comes back when WGE is gone again: helm's record, the HelmRelease."""
    return RECORD in path or OWNERS[0] in path


def storage_of(journals: Sequence[Object], release: str) -> str:
    """The namespace in which a release was stored that is being removed, empty when it was WG's own."""
    journal = newest(journals, release)
    return str((journal.notes.get(REMEMBERED) or {}).get("storage") or "") if journal else ""


def require_not_returning(now: Situation) -> None:
    """Raises Blocked while a removed WG is on its way back out of its archive: that is brought to its end first."""
    if now.journal and now.journal.notes.get(RETURNING):
        raise Blocked(
            f"The way back of run {now.run} has begun: WG is being put back out of its archive.",
            "Ask for state rolled_back again, with the same archive.",
        )


def kept_paths(journals: Sequence[Object], release: str, namespace: str) -> list[str]:
    """The paths of what was protected and outlives WG, but for what is read as lists."""
    journal = newest(journals, release)
    paths = [entry["path"] for entry in journal.entries.get("S11", [])] if journal and journal.state != ROLLED_BACK else []
    return [path for path in paths if not any(kind in path for kind in IN_LISTS)]


def memory_of(wg: Installed, stays: Sequence[Object]) -> Object:
    """What the journal keeps of WG: how it is recognised and how it was spoken to, and no environment or mount.

    ``stays`` is what of its release is kept, each with its path, title and reason.
    """
    deployment, known = wg.found.deployment, metadata(wg.found.deployment)
    annotations = known.get("annotations") or {}
    marks = {key: annotations[key] for key in (HELM_RELEASE_ANNOTATION, HELM_NAMESPACE_ANNOTATION) if key in annotations}
    containers = [{key: c[key] for key in ("name", "image", "args", "ports") if key in c} for c in containers_of(deployment)]
    template = {"metadata": {"labels": metadata(pod_template(deployment)).get("labels") or {}}, "spec": {"containers": containers}}
    stub: Object = {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {
            "name": name_of(deployment),
            "namespace": namespace_of(deployment),
            "uid": uid_of(deployment),
            "labels": labels_of(deployment),
            "annotations": marks,
        },
        "spec": {"replicas": 0, "selector": deployment.get("spec", {}).get("selector") or {}, "template": template},
    }
    services = [{"kind": "Service", "metadata": {"name": name_of(item)}} for item in wg.objects("Service")]
    return {"deployment": stub, "chart_version": wg.chart_version, "services": services, "stays": list(stays)}


def is_gone(entry: Object, live: Object | None) -> bool:
    """Whether a journalled removal of an object has happened; another object in its place does not undo it."""
    if live is None:
        return True
    return uid_of(live) != entry["uid"] if entry["verb"] == "delete" else labels_of(live).get("owner") == TOMBSTONE_OWNER


def _found(journal: Journal) -> Found:
    try:
        return Found(dict(journal.notes[REMEMBERED]["deployment"]), journal.form, journal.release, gone=True)
    except (KeyError, TypeError, ValueError) as problem:
        raise SafeStop(
            f"The journal Secret {journal.name} does not say what WG was.", "Somebody changed it; restore it from a backup."
        ) from problem


def _newest_of(cluster: Cluster, namespace: str, release: str) -> list[Journal]:
    try:
        secrets = cluster.list(collection_path("Secret", namespace), labels=JOURNAL_LABEL)
    except Forbidden:
        return []  # nobody who may not read Secrets here ever upgraded this
    releases = {journal.release for journal in map(journal_from, secrets)}
    found = [newest(secrets, name) for name in sorted(releases) if release in ("", name)]
    return [journal for journal in found if journal]


def _places(cluster: Cluster) -> list[str]:
    return sorted({namespace_of(item) for item in cluster.list(collection_path("Deployment"), labels=WGE_SELECTOR)})


def _somebody_removed(wg: str, journal: Journal | None) -> SafeStop:
    archive = (journal.archive.get("path") if journal else "") or "the archive of the upgrade"
    return SafeStop(
        f"The Deployment of {wg} is gone, and no run of this collection removed it.",
        f"Look who did; put it back from {archive} with wge_state_restore before going on.",
    )
