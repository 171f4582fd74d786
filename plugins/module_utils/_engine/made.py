# SPDX-License-Identifier: GPL-3.0-or-later
"""What a delivery has made of WGE itself, object by object, as it is now. PRIVATE.

With helm that is nothing: its release says what is there. With Flux it is a source and a HelmRelease; with plain manifests all that the
journal says, read by the run's label in one list for each kind, and the names of the definitions that are here.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence

from .discover import Found
from .forms.flux import delivered_paths
from .forms.recognise import Owners
from .journal import ROLLED_BACK, Journal, newest
from .model import Cluster, Object
from .names import RUN_LABEL
from .objects import collection_path, name_of, object_path, parent_path, path_of
from .settings import Settings

CRD = "CustomResourceDefinition"
Known = Mapping[str, Object]


def delivered(
    cluster: Cluster, settings: Settings, owners: Owners, journals: Sequence[Object], found: Found, served: Collection[str], known: Known
) -> dict[str, Object | None]:
    """By path, None for what is not there. ``known`` is what was read before."""
    last = newest(journals, found.release)
    run = last if last and last.state != ROLLED_BACK else None
    by = run.delivery if run else settings.delivery or ("flux" if owners.all else "")
    sent = created_by(run) if run else []
    if by == "flux":
        place = sent[0].split("/")[-3] if sent else owners.namespace or found.namespace  # WG's HelmRelease may be gone
        return {path: cluster.get(path) for path in delivered_paths(settings.target_release, place, served)}
    return _plain(cluster, run.run if run else "", sent, known) if by == "manifests" else {}


def created_by(run: Journal) -> list[str]:
    """The paths of what the delivery of a run creates, in their order."""
    return [entry["path"] for entry in run.entries.get("S7", []) if entry["verb"] == "create"]


def _plain(cluster: Cluster, run: str, sent: list[str], known: Known) -> dict[str, Object | None]:
    definitions = collection_path(CRD)
    found: dict[str, Object] = {
        object_path(CRD, name_of(item)): {**item, "kind": CRD} for item in cluster.list(definitions, metadata_only=True)
    }
    elsewhere = {parent_path(path) for path in sent if path not in known} - {definitions}
    for place in sorted(elsewhere):
        listed = {path_of(item): item for item in cluster.list(place, labels=f"{RUN_LABEL}={run}")}
        found |= {path: item for path, item in listed.items() if path in sent}
    return {**dict.fromkeys(sent), **found, **{path: known[path] for path in sent if path in known}}
