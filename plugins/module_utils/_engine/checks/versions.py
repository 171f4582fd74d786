# SPDX-License-Identifier: GPL-3.0-or-later
"""CU-02 and FL-02: do this WG, this WGE and this cluster's Flux go together? PRIVATE.

The versions are those that are live or rendered, the rules are the table's (``compatibility.py``). A "no" names the way that leads there.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

from ..compatibility import FLUX_GROUPS, WgeRelease, WgRelease, missing, triple
from ..model import Object, Rung
from ..objects import collection_path, labels_of, metadata
from ..situation import Situation
from .check import BLOCK, WARNING, Check
from .evidence import Evidence, Judged, failed, passed, skipped, warned

CRDS = collection_path("CustomResourceDefinition")
NEWER_TABLE = "Give a newer table in wge_compatibility, and read the release notes of both products."


def direct_way(evidence: Evidence) -> Judged:
    """CU-02. No request. Image tags first, then labels, then the version of WG's chart."""
    now, matrix = evidence.now, evidence.now.settings.compatibility
    wg = wg_release(now)
    if wg is None:
        return warned(f"{_wg_named(now)} is no version that is known here, so nothing can be said of the way to WGE.", NEWER_TABLE)
    wge = wge_release(now)
    if wge is None:
        return warned(f"WGE {_wge_named(now)} is not known here; the newest known is {matrix.newest_wge}.", NEWER_TABLE)
    if (triple(wg.version) or ()) > (triple(wge.contains) or ()):
        return warned(
            f"WG {wg.version} is newer than the WG {wge.contains} inside WGE {wge.version}: what it has learnt since is lost.",
            "Take a WGE that contains this WG, if there is one.",
        )
    way = matrix.way(wg, wge)
    if len(way) > 2:
        return failed(
            f"WG {wg.version} was made for Flux {wg.flux} and chart {wg.chart}, WGE {wge.version} contains WG {wge.contains}, made for "
            f"later ones: the way is {arrows(way)}.",
            f"Upgrade WG to {way[1]} first, with the Flux it was made for, then run again.",
        )
    return passed(
        f"WG {wg.version} to WGE {wge.version}, which contains WG {wge.contains}: {arrows(way)} is direct. This WGE was built with "
        f"Kubernetes client {wge.client} and tried by its makers on {', '.join(wge.tried_on) or 'nothing that is known'}; "
        "they name no limit for Kubernetes."
    )


def flux_apis(evidence: Evidence) -> Judged:
    """FL-02. One list of definitions, shared with TA-06, when Flux is here at all."""
    now = evidence.now
    served = flux_served(now)
    if not served:
        return skipped("This cluster serves no API of Flux, so there is none that WGE could not read.")
    wge = wge_release(now)
    if wge is None or not wge.apis:
        return warned(
            f"Which APIs of Flux WGE {_wge_named(now)} reads is not known; served: {', '.join(served)}.",
            NEWER_TABLE,
        )
    lacking = missing(wge, served)
    certain = [api for api in lacking if triple(wge.flux_min) or not api.endswith("/v1")]
    if certain:
        return failed(f"WGE {wge.version} reads {_lost(certain, served, now)}.", _way_out(certain, wge, served, now))
    if lacking:
        return warned(
            f"WGE {wge.version} knows {', '.join(lacking)}, which this cluster does not serve; whether it needs it was never said.",
            "Upgrade Flux to 2.0 or newer first, or try it on a cluster that does not matter.",
        )
    left = _stored_but_gone(evidence)
    if left:
        return warned(
            f"WGE {wge.version} can read all it needs, but objects are stored in versions that are served no more: {'; '.join(left)}.",
            "Let the newest Flux CLI migrate them (flux migrate) before Flux is upgraded.",
        )
    return passed(f"WGE {wge.version} reads {', '.join(wge.apis)}; each that belongs to an installed part of Flux is served.")


def wg_release(now: Situation) -> WgRelease | None:
    """What the table says of the WG that runs."""
    matrix, found = now.settings.compatibility, now.snapshot.installed.found
    label = labels_of(found.deployment).get("app.kubernetes.io/version", "")
    versions = (found.version, label)
    known = next((one for version in versions if (one := matrix.wg_release(version))), None)
    chart = "" if now.snapshot.installed.wrapper else now.snapshot.installed.chart_version
    return known or (None if any(triple(version) for version in versions) else matrix.wg_of_chart(chart))


def wge_version(now: Situation) -> str:
    """WGE's version: its image tag; of an image pinned by digest, the chart's version (its label says the one that was published)."""
    if now.target.version:
        return now.target.version
    chart = labels_of(now.target.deployment).get("helm.sh/chart", "")
    found = re.search(r"-v?(\d+\.\d+\.\d+.*)$", chart)
    return found[1] if found else now.target.release.version


def wge_release(now: Situation) -> WgeRelease | None:
    """What the table says of the WGE that was rendered."""
    return now.settings.compatibility.wge_release(wge_version(now))


def flux_served(now: Situation) -> list[str]:
    """The APIs of Flux that the cluster serves, as ``group/version``."""
    return sorted(api for api in now.snapshot.identity.served if api.split("/")[0] in FLUX_GROUPS.values())


def arrows(way: Iterable[str]) -> str:
    """``0.24.0 → 0.30.0 → 0.38.1``"""
    return " → ".join(way)


def crd_kept(item: Object) -> Object:
    """What is kept of a definition; its schema alone may be a megabyte."""
    spec, meta = item.get("spec") or {}, metadata(item)
    versions = [{key: version.get(key) for key in ("name", "served", "storage")} for version in spec.get("versions") or []]
    return {
        "kind": "CustomResourceDefinition",
        "metadata": {key: meta[key] for key in ("name", "labels", "annotations") if meta.get(key)},
        "spec": {"group": spec.get("group"), "versions": versions, "conversion": (spec.get("conversion") or {}).get("strategy")},
        "status": {"storedVersions": (item.get("status") or {}).get("storedVersions") or []},
    }


def _wg_named(now: Situation) -> str:
    wg = now.snapshot.installed
    return f"WG (image {wg.found.container.get('image') or 'unknown'}, chart {wg.chart_version or 'unknown'})"


def _wge_named(now: Situation) -> str:
    return wge_version(now) or "without a version"


def _lost(lacking: list[str], served: list[str], now: Situation) -> str:
    last = now.settings.compatibility.last_with
    told = [f"{api} (last served by Flux {last[api]})" if api in last and not api.endswith("/v1") else api for api in lacking]
    groups = {api.split("/")[0] for api in lacking}
    here = [api for api in served if api.split("/")[0] in groups]
    return f"{', '.join(told)}, which this cluster does not serve; it serves {', '.join(here)}"


def _way_out(lacking: list[str], wge: WgeRelease, served: list[str], now: Situation) -> str:
    fitting = now.settings.compatibility.fitting(served)
    other = f"WGE {fitting} is the newest known that reads what is served." if fitting else "No WGE that is known reads what is served."
    if any(api.endswith("/v1") for api in lacking):
        wg = wg_release(now)
        way = arrows(now.settings.compatibility.way(wg, wge)) if wg else wge.version
        return f"Upgrade Flux first, to {wge.flux_min} or newer{_below(wge)}; for WG the way is {way}. {other}"
    limit = f"Keep Flux below {wge.flux_below}, or" if triple(wge.flux_below) else "Keep an older Flux, or"
    return f"{limit} ask the vendor for a WGE built for this Flux. {other}"


def _below(wge: WgeRelease) -> str:
    return f" and below {wge.flux_below}" if triple(wge.flux_below) else ""


def _stored_but_gone(evidence: Evidence) -> list[str]:
    found = []
    for crd in evidence.all(CRDS, crd_kept):
        if crd["spec"]["group"] in FLUX_GROUPS.values():
            served = {version["name"] for version in crd["spec"]["versions"] if version["served"]}
            gone = [version for version in crd["status"]["storedVersions"] if version not in served]
            if gone:
                found.append(f"{crd['metadata']['name']} in {', '.join(gone)}")
    return found


CHECKS = (
    Check(
        "CU-02",
        "install",
        "WG and WGE go together",
        WARNING,
        direct_way,
        "image tags, labels and chart versions of both, against the table of versions",
        "Step up WG first, over the versions that are named.",
        until=Rung.PARKED,
    ),
)
FLUX = (
    Check(
        "FL-02",
        "flux",
        "Flux serves what WGE reads",
        BLOCK,
        flux_apis,
        "the served and stored versions of Flux's APIs, against what this WGE reads",
        "Take another WGE, or another Flux, as named.",
        until=Rung.PARKED,
    ),
)
