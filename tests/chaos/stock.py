# SPDX-License-Identifier: GPL-3.0-or-later
"""What lies in a cluster, in a form in which two clean runs are equal: nothing twice, nothing orphaned, nothing half taken back."""

from __future__ import annotations

import json
from typing import Any

import yaml
from integration import evidence
from testbed import Cluster
from testbed.flux import storage

from .points import RUN

Object = dict[str, Any]
Stock = dict[str, str]
"""What identifies an object, and what lasts of it."""

JOURNAL_LABEL = "wge.weave.works/journal"
_OWN = ("uid", "creationTimestamp", "selfLink", "ownerReferences")
_GIVEN = ("clusterIP", "clusterIPs")
_PASSED_OVER = {"IPAddress"}
_COUNTED = {"Pod", "ReplicaSet"}
"""Known by their owner, and counted: their names are made up."""
_OF_SERVER = (
    "deployment.kubernetes.io/revision",
    "endpoints.kubernetes.io/last-change-trigger-time",
    "reconcile.fluxcd.io/requestedAt",
    "reconcile.fluxcd.io/forceAt",
)
"""Nobody's content: what controllers note, and what they were asked by."""
_TOLD_APART = (
    "ServiceAccount",
    "Deployment",
    "Service",
    "Secret",
    "ClusterRole",
    "ClusterRoleBinding",
    "Role",
    "RoleBinding",
    "HelmRelease",
    "Kustomization",
)
_OUTLIVES = ("APIService ", "CustomResourceDefinition ")
"""Helm leaves a chart's kinds, and with each what the API server makes to serve it."""
_REVISION = "sh.helm.release.v1."


def of(cluster: Cluster, by_flux: bool = False) -> tuple[Stock, dict[str, str]]:
    """Everything in a cluster; and the UIDs of the objects that somebody made by name.

    ``by_flux``: Flux makes revisions of releases as it likes; what the newest one holds is looked at, and how many there are is not.
    """
    found: Stock = {}
    uids: dict[str, str] = {}
    revisions: dict[str, list[Object]] = {}
    for (_version, kind, place, name), item in evidence.objects(cluster).items():
        if by_flux and kind == "Secret" and name.startswith(_REVISION):
            revisions.setdefault(f"Release {place}/{name.removeprefix(_REVISION).rpartition('.v')[0]}", []).append(item)
            continue
        if kind in _PASSED_OVER or (item["metadata"].get("labels") or {}).get(JOURNAL_LABEL) == "rolled-back":
            continue  # such a journal is evidence of a run that is over; a helm that failed leaves one on the way up
        if kind in _COUNTED:
            owner = _owner(item) or name
            key = f"{kind} of {place}/{owner}"
            found[key] = f"{int(found.get(key) or 0) + 1}"
            continue
        key = RUN.sub("RUN", f"{kind} {place}/{name}".replace(" /", " "))
        while key in found:
            key += " again"
        found[key] = RUN.sub("RUN", json.dumps(_lasting(kind, item), sort_keys=True))
        if kind in _TOLD_APART:
            uids[key] = item["metadata"]["uid"]
    return found | {key: _told(items) for key, items in revisions.items()}, uids


def _told(revisions: list[Object]) -> str:
    """The state of a release, and the objects of its newest revision."""
    last = max(revisions, key=lambda item: int(item["metadata"]["name"].rpartition(".v")[2]))
    labels = last["metadata"].get("labels") or {}
    state = f"{labels.get('owner')} {labels.get('status')}"
    if labels.get("owner") != "helm":
        return state
    items = [item for item in yaml.safe_load_all(storage.decode(last)["manifest"]) if item]
    return " ".join([state, *sorted(f"{item['kind']}/{item['metadata']['name']}" for item in items)])


def differences(clean: Stock, now: Stock) -> list[str]:
    """In words, at most a few."""
    said = [f"{key} is missing" for key in clean.keys() - now.keys()]
    said += [f"{key} is left over" for key in now.keys() - clean.keys() if not key.startswith(_OUTLIVES)]
    said += [f"{key} differs: {_where(clean[key], now[key])}" for key in clean.keys() & now.keys() if clean[key] != now[key]]
    return sorted(said)


def _owner(item: Object) -> str:
    labels = item["metadata"].get("labels") or {}
    return str(labels.get("app.kubernetes.io/instance") or labels.get("app.kubernetes.io/name") or labels.get("app") or "")


def _lasting(kind: str, item: Object) -> Object:
    metadata = {key: value for key, value in item["metadata"].items() if key not in _OWN}
    for place in ("annotations", "labels"):
        kept = {key: value for key, value in (metadata.get(place) or {}).items() if key not in _OF_SERVER and key != "modifiedAt"}
        metadata = {**metadata, place: kept}
    body = {key: value for key, value in item.items() if key != "metadata"}
    if isinstance(body.get("spec"), dict):
        body["spec"] = {key: value for key, value in body["spec"].items() if key not in _GIVEN}
    if kind == "Secret":
        body["data"] = sorted(body.get("data") or {})
    if kind == "CustomResourceDefinition":
        body = {}
    return {**body, "metadata": metadata}


def _where(clean: str, now: str) -> str:
    """The first place where two texts part."""
    at = next((index for index, (one, other) in enumerate(zip(clean, now, strict=False)) if one != other), 0)
    return f"…{clean[max(0, at - 40) : at + 60]}… is …{now[max(0, at - 40) : at + 60]}…"
