# SPDX-License-Identifier: GPL-3.0-or-later
"""Delivery ``flux``: a source and a HelmRelease; Flux installs WGE's chart, and keeps it. PRIVATE.

Killed here: Flux installs alone, and nobody calls what it installs; the next run waits for it. Where Flux failed for good, our own
HelmRelease is deleted, which uninstalls what there is, and is made anew. The release's Secrets carry no label of ours: what makes
WGE ours is the run label of the HelmRelease.
"""

from __future__ import annotations

import json
import re

from ..._errors import Blocked, SafeStop, StepFailed
from ..forms.flux import REQUESTED, condition, delivered_paths, is_suspended
from ..forms.flux_api import HELM_RELEASE, version_of
from ..forms.gitops import NO_PRUNE, SHIELDED
from ..model import Object, Operation, Right
from ..names import ENTITLEMENT_NAMESPACE, ENTITLEMENT_SECRET, RUN_LABEL
from ..objects import labels_of, metadata, name_of, uid_of
from ..readiness import GRACE_SECONDS, probes_for
from ..rights import of_path
from ..situation import Situation
from ..work import Work
from ..writes import Write, create, delete, patch

INTERVAL = "10m0s"
FLUX_TOO_OLD = "This cluster serves no HelmRelease and HelmRepository of Flux."
_ARCHIVE = re.compile(r"-v?\d+\.\d+\.\d+[^/]*\.tgz\Z")


class ByFlux:
    """A HelmRepository and a HelmRelease of this run, beside those of WG."""

    id = "flux"
    sets_probes = True

    def require(self, now: Situation) -> None:
        """Where the chart is and which version of it, unless it is delivered; and that the names are free."""
        paths = _paths(now)
        for path in paths:
            live = now.snapshot.delivered.get(path)
            if live and labels_of(live).get(RUN_LABEL) != now.run:
                what = f"{live['kind']} {name_of(live)}"
                raise Blocked(f"{what} is there and not of this run.", "Give another wge_target_release, or remove it.")
        if all(now.snapshot.delivered.get(path) for path in paths):
            return
        if not repository_of(now):
            raise Blocked(
                "WGE is delivered by Flux here, and nothing says from which repository Flux fetches its chart.",
                "Give its URL in wge_chart_repository, or set wge_delivery to helm.",
            )
        if not now.settings.chart_version:
            raise Blocked("WGE is delivered by Flux here, and nothing says which version of its chart.", "Give it in wge_chart_version.")

    def writes(self, now: Situation) -> list[Write]:
        """The two objects, as far as they are not there."""
        paths = _paths(now)
        missing = [path for path in paths if now.snapshot.delivered.get(path) is None]
        bodies = dict(zip(paths, (_source(now), _release(now)), strict=True)) if missing else {}
        return [create(bodies[path], path, f"create {bodies[path]['kind']} {name_of(bodies[path])}") for path in missing]

    def not_delivered(self, work: Work) -> str:
        """What Flux says it has not done. Raises StepFailed when it has given up."""
        live = work.tools.cluster.get(_paths(work.now)[1])
        if live is None:
            return "its HelmRelease is gone"
        ready = condition(live, "Ready") or {}
        if reason := _gave_up(live):
            raise StepFailed(f"Flux does not install WGE: {reason.rstrip('.')}.", f"Look at HelmRelease {name_of(live)} with flux get.")
        seen = (live.get("status") or {}).get("observedGeneration") == metadata(live).get("generation")
        if seen and ready.get("status") == "True":
            return ""
        return f"Flux says: {ready.get('message') or 'nothing yet'}"

    def clear_half(self, work: Work) -> None:
        """Delete a HelmRelease of ours that is going or that Flux has given up. Raises SafeStop when it is somebody else's."""
        path = _paths(work.now)[1]
        live = work.tools.cluster.get(path)
        if live is None:
            return
        if labels_of(live).get(RUN_LABEL) != work.now.run:
            raise SafeStop(f"HelmRelease {name_of(live)} is there and not of this run.", "Give another wge_target_release, or remove it.")
        if metadata(live).get("deletionTimestamp") or _gave_up(live):
            work.note(f"HelmRelease {name_of(live)} did not come to its end: it is removed and made anew")
            _delete(work, path, live)
            work.refresh()

    def take_back(self, work: Work, entry: Object) -> bool:
        """Delete what this run created; with the HelmRelease Flux uninstalls WGE, which is waited for."""
        live = work.tools.cluster.get(entry["path"])
        write = self.reversal(work.now, entry, live)
        if write is None or live is None:
            return False
        _delete(work, entry["path"], live)
        return True

    def reversal(self, now: Situation, entry: Object, live: Object | None) -> Write | None:
        """The delete, while the object carries this run's label."""
        ours = live is not None and entry["verb"] == "create" and labels_of(live).get(RUN_LABEL) == now.run
        return delete(entry["path"], uid_of(live or {}), f"take back: {entry['text']}") if ours else None

    def rights(self, now: Situation) -> list[Right]:
        """Those of its writes are enough: the chart's objects are made by Flux."""
        return []

    def rights_back(self, now: Situation) -> list[Right]:
        """To resume a HelmRelease of ours that somebody has suspended, since Flux would not uninstall then (K9)."""
        return [of_path("patch", path) for path in _paths(now)[1:]]


def _delete(work: Work, path: str, live: Object) -> None:
    """Delete, and wait until it is gone: then Flux has uninstalled what it installed."""
    if is_suspended(live):
        resume: list[Operation] = [
            {"op": "test", "path": "/metadata/uid", "value": uid_of(live)},
            {"op": "test", "path": "/spec/suspend", "value": True},
            {"op": "replace", "path": "/spec/suspend", "value": False},
        ]
        work.send(patch(path, resume, [], f"resume {path}, so that Flux uninstalls WGE"))
    if not metadata(live).get("deletionTimestamp"):
        work.send(delete(path, uid_of(live), f"delete {path}"))
    limit = work.now.settings.ready_seconds
    work.wait_until(lambda: _still(work, path, uid_of(live)), limit, f"Flux does not let {name_of(live)} go")


def _still(work: Work, path: str, uid: str) -> str:
    live = work.tools.cluster.get(path)
    return "it is still there" if live and uid_of(live) == uid else ""


def _gave_up(live: Object) -> str:
    """What Flux says when it does not try again, empty while it may."""
    found = condition(live, "Stalled", "True")
    return str(found.get("message") or found.get("reason") or "it is stalled") if found else ""


def _paths(now: Situation) -> list[str]:
    """Of the source and of the HelmRelease; those that are in the journal, or else where they would be."""
    found = list(now.snapshot.delivered) or _computed(now)
    if len(found) != 2:
        raise Blocked(FLUX_TOO_OLD, "Set wge_delivery to helm, or look at check FL-02.")
    return found


def _computed(now: Situation) -> list[str]:
    return delivered_paths(now.settings.target_release, place_of(now), now.snapshot.identity.served)


def place_of(now: Situation) -> str:
    """WGE's Flux objects lie beside WG's, and without any in WG's namespace."""
    return now.snapshot.owners.namespace or now.namespace


def _source(now: Situation) -> Object:
    url = repository_of(now)
    spec: Object = {"interval": INTERVAL, "url": url, **({"type": "oci"} if url.startswith("oci://") else {})}
    if secret := _secret(now):
        spec["secretRef"] = {"name": secret}
    return _object("HelmRepository", now, spec)


def _release(now: Situation) -> Object:
    wanted = now.target.release
    reference = {"kind": "HelmRepository", "name": wanted.name}
    chart = {"chart": chart_name(wanted.chart), "version": now.settings.chart_version, "sourceRef": reference, "interval": INTERVAL}
    spec: Object = {
        "interval": INTERVAL,
        "releaseName": wanted.name,
        "targetNamespace": now.namespace,
        "storageNamespace": now.namespace,
        "chart": {"spec": chart},
        "install": {"crds": "Create", "disableTakeOwnership": True, "remediation": {"retries": 0}},
        "upgrade": {"crds": "CreateReplace", "disableTakeOwnership": True, "remediation": {"retries": 0, "strategy": "rollback"}},
        "driftDetection": {"mode": "warn"},
        "values": wanted.values,
    }
    if changes := _changes(now):
        spec["postRenderers"] = [{"kustomize": changes}]
    item = _object(HELM_RELEASE, now, spec)
    item["metadata"].setdefault("annotations", {})[REQUESTED] = now.run
    return item


def _object(kind: str, now: Situation, spec: Object) -> Object:
    meta: Object = {"name": now.target.release.name, "namespace": place_of(now), "labels": now.labels()}
    if now.snapshot.owners.kustomization:
        meta["annotations"] = {NO_PRUNE: SHIELDED}  # once git holds it, a commit that is reverted would delete it (8e)
    return {"apiVersion": version_of(kind, now.snapshot.identity.served), "kind": kind, "metadata": meta, "spec": spec}


def _changes(now: Situation) -> Object:
    """What Flux does to what it renders: the probes, and the images out of a mirror."""
    probes = _probes(now)
    images = [{"name": old, "newName": new} for old, new in sorted(now.target.moved.items())]
    return {**({"patches": [probes]} if probes else {}), **({"images": images} if images else {})}


def _probes(now: Situation) -> Object:
    """The probes that WGE's chart lacks, as a patch of what Flux renders."""
    missing = {key: probe for key, probe in probes_for(now).items() if key not in now.target.container}
    if not missing:
        return {}
    container = {"name": now.target.container["name"], **missing}
    pod = {"terminationGracePeriodSeconds": GRACE_SECONDS, "containers": [container]}
    body = {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": now.target.name}, "spec": {"template": {"spec": pod}}}
    return {"target": {"kind": "Deployment", "name": now.target.name}, "patch": json.dumps(body, sort_keys=True)}


def repository_of(now: Situation) -> str:
    """The URL from which Flux fetches the chart, empty when the settings do not say it."""
    given, chart = now.settings.chart_repository, now.settings.chart
    return given.rstrip("/") or (chart.rpartition("/")[0] if chart.startswith("oci://") else "")


def chart_name(chart: str) -> str:
    """``mccp`` out of ``oci://host/charts/mccp``, ``repository/mccp`` or ``./mccp-0.38.1.tgz``."""
    return _ARCHIVE.sub("", chart.rstrip("/").rpartition("/")[2])


def _secret(now: Situation) -> str:
    """The Secret with which Flux logs in at the repository: the given one, or the vendor's when that has a user's name and password."""
    if now.settings.chart_secret:
        return now.settings.chart_secret
    data = (now.snapshot.named.get(ENTITLEMENT_SECRET) or {}).get("data") or {}
    fits = place_of(now) == ENTITLEMENT_NAMESPACE and {"username", "password"} <= data.keys()
    return ENTITLEMENT_SECRET if fits else ""
