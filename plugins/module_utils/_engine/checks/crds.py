# SPDX-License-Identifier: GPL-3.0-or-later
"""TA-06: the definitions that the chart brings, beside those that are here. PRIVATE.

Helm makes a definition that is missing and leaves one that exists as it is, so an old one stays old.
"""

from __future__ import annotations

from ..model import Object, Rung
from ..names import HELM_RELEASE_ANNOTATION
from ..objects import annotations_of, labels_of, name_of
from .check import BLOCK, Check
from .evidence import Evidence, Judged, failed, passed, skipped, warned
from .versions import CRDS, crd_kept

OWNERS = ("helm.toolkit.fluxcd.io/name", "kustomize.toolkit.fluxcd.io/name")


def definitions(evidence: Evidence) -> Judged:
    """TA-06. One list of definitions, shared with FL-02."""
    wanted = [crd_kept(item) for item in evidence.now.target.objects if item.get("kind") == "CustomResourceDefinition"]
    if not wanted:
        return skipped("The chart brings no definitions.")
    here = {name_of(item): item for item in evidence.all(CRDS, crd_kept)}
    new = [name_of(crd) for crd in wanted if name_of(crd) not in here]
    pairs = [(crd, here[name_of(crd)]) for crd in wanted if name_of(crd) in here]
    old = [text for crd, live in pairs if (text := _too_old(crd, live))]
    if old:
        return failed(
            f"Definitions that exist lack what this WGE reads, and helm leaves them as they are: {'; '.join(old)}.",
            "Apply the chart's definitions first (helm show crds, then kubectl apply --server-side), or ask their owner to.",
        )
    later = [text for crd, live in pairs if (text := _too_new(crd, live))]
    if later:
        return warned(
            f"Definitions that exist are newer than the chart's and stay as they are: {'; '.join(later)}.",
            "See that this WGE can live with them; never apply the chart's over them.",
        )
    kept = [f"{name_of(live)}{_owner(live)}" for _crd, live in pairs]
    added = [f"These definitions will be added: {', '.join(new)}."] if new else []
    stay = [f"These exist and serve what the chart wants: {', '.join(kept)}."] if kept else []
    return passed(" ".join([*added, *stay]))


def _too_old(wanted: Object, live: Object) -> str:
    lacking = sorted(_served(wanted) - _served(live))
    return f"{name_of(live)}{_owner(live)} does not serve {', '.join(lacking)}" if lacking else ""


def _too_new(wanted: Object, live: Object) -> str:
    """Something is stored in a version of which the chart knows nothing."""
    known = {version["name"] for version in wanted["spec"]["versions"]}
    strange = [version for version in live["status"]["storedVersions"] if known and version not in known]
    conversion = ", converted by a webhook" if live["spec"]["conversion"] == "Webhook" else ""
    return f"{name_of(live)}{_owner(live)} stores {', '.join(strange)}{conversion}" if strange else ""


def _served(crd: Object) -> set[str]:
    return {str(version["name"]) for version in crd["spec"]["versions"] if version["served"]}


def _owner(crd: Object) -> str:
    marks = {**annotations_of(crd), **labels_of(crd)}
    owner = next((marks[key] for key in (HELM_RELEASE_ANNOTATION, *OWNERS) if marks.get(key)), "")
    return f" (of {owner})" if owner else ""


CHECKS = (
    Check(
        "TA-06",
        "target",
        "definitions",
        BLOCK,
        definitions,
        "the CustomResourceDefinitions of the chart and of the cluster: versions, owners, what is stored",
        "Bring the named definition up to what the chart has, or leave a newer one alone.",
        until=Rung.REHEARSED,
    ),
)
