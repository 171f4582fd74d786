# SPDX-License-Identifier: GPL-3.0-or-later
"""A live object as git should hold it: applied by Flux it changes nothing. PRIVATE.

What the cluster has chosen (cluster addresses, node ports) is left out, the live type of a Service is stated: both were tried (5a to 5g).
``prune: disabled`` stands on all of it, so that a commit that is reverted by mistake deletes nothing that serves (8d).
"""

from __future__ import annotations

from collections.abc import Iterable

from ..archive.cleaned import cleaned
from ..archive.texts import text_of
from ..forms.flux_api import KINDS
from ..forms.gitops import NO_PRUNE, SHIELDED
from ..model import Object
from ..names import PREFIX
from ..objects import api_of

_FLUX = ("kustomize.toolkit.fluxcd.io/", "reconcile.fluxcd.io/")
_NOT_OURS_TO_SAY = (*_FLUX, "deployment.kubernetes.io/", "kubectl.kubernetes.io/", "meta.helm.sh/", "helm.sh/", f"{PREFIX}/")
"""Labels and annotations that say who put an object there, or asked something of it."""
_HELMS = ("app.kubernetes.io/managed-by",)
_CHOSEN = ("clusterIP", "clusterIPs", "healthCheckNodePort")
_LAST = ("Deployment", "HelmRelease")


def text_for_git(items: Iterable[Object]) -> str:
    """One YAML file of all the objects: what others need first."""
    ordered = sorted(items, key=lambda item: (item["kind"] in _LAST, item["kind"] not in KINDS, item["kind"], item["metadata"]["name"]))
    return b"".join(text_of(for_git(item)) for item in ordered).decode()


def for_git(item: Object) -> Object:
    """One object as it stands in git."""
    plain = cleaned(item)
    version = plain.get("apiVersion") or api_of(item["kind"])[0]
    spec = {"spec": _service(plain["spec"])} if item["kind"] == "Service" else {}
    return {"apiVersion": version, "kind": item["kind"], "metadata": _metadata(plain["metadata"]), **_rest(plain), **spec}


def _rest(plain: Object) -> Object:
    made = ("rules",) if plain.get("aggregationRule") else ()  # a controller of the cluster fills them in, again and again
    return {key: value for key, value in plain.items() if key not in ("apiVersion", "kind", "metadata", *made)}


def _metadata(given: Object) -> Object:
    found = {key: given[key] for key in ("name", "namespace") if given.get(key)}
    if labels := _said(given.get("labels") or {}):
        found["labels"] = labels
    return {**found, "annotations": {**_said(given.get("annotations") or {}), NO_PRUNE: SHIELDED}}


def _said(marks: dict[str, str]) -> dict[str, str]:
    return {key: value for key, value in marks.items() if not key.startswith(_NOT_OURS_TO_SAY) and key not in _HELMS}


def _service(spec: Object) -> Object:
    ports = [{key: value for key, value in port.items() if key != "nodePort"} for port in spec.get("ports") or []]
    return {**{key: value for key, value in spec.items() if key not in _CHOSEN}, "ports": ports}
