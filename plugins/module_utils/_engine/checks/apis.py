# SPDX-License-Identifier: GPL-3.0-or-later
"""CL-05 and CL-06: APIs that are down, namespaces that cannot end, and a release that speaks of APIs that are gone. PRIVATE."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import datetime

from ..._errors import Forbidden
from ..model import Object
from ..objects import collection_path, labels_of, metadata, name_of, object_path
from .check import BLOCK, WARNING, Check
from .evidence import NO_RELEASE, Evidence, Judged, failed, passed, skipped, warned

STUCK_SECONDS = 600
"""A namespace that has been ending for so long waits for something that does not come."""


def broken_apis(evidence: Evidence) -> Judged:
    """CL-05. Two lists."""
    broken = [text for item in evidence.all(collection_path("APIService"), keep=_kept_service) if (text := _unavailable(item))]
    stuck = list(_stuck(namespaces(evidence), evidence.time))
    if broken or stuck:
        return warned(
            "; ".join([*broken, *stuck]) + ".",
            "Repair or remove the APIServices: they slow every discovery, and no namespace ends while one is down.",
        )
    return passed("Every APIService is available, and no namespace is stuck at its end.")


def removed_apis(evidence: Evidence) -> Judged:
    """CL-06. No request: the release is part of the snapshot. Helm builds nothing from a manifest with an unknown API."""
    wg = evidence.now.snapshot.installed
    if not wg.is_released:
        return skipped(NO_RELEASE)
    gone = sorted(_gone(wg.manifest, evidence.now.snapshot.identity.served))
    if gone:
        return failed(
            f"The stored release {wg.found.release} speaks of APIs that this cluster no longer serves: {', '.join(gone)}.",
            "Helm can neither upgrade nor remove such a release. Map it first (helm plugin mapkubeapis), "
            "or waive this check: the upgrade itself runs no helm on WG's release.",
        )
    return passed(f"All {len(wg.manifest)} objects of the stored release {wg.found.release} are of APIs that are served.")


def namespaces(evidence: Evidence) -> list[Object]:
    """Every namespace: its labels, its phase, and since when it ends."""
    return evidence.all(collection_path("Namespace"), keep=_kept_namespace)


def labels_of_namespace(evidence: Evidence, name: str) -> dict[str, str]:
    """A namespace's labels, the one its name stands in included."""
    try:
        found = next((item for item in namespaces(evidence) if name_of(item) == name), None)
    except Forbidden:  # who may not list them may read this one
        found = evidence.cluster.get(object_path("Namespace", name))
    return {"kubernetes.io/metadata.name": name, **labels_of(found or {})}


def _kept_namespace(item: Object) -> Object:
    meta = metadata(item)
    kept = {key: meta[key] for key in ("name", "labels", "deletionTimestamp") if key in meta}
    return {"metadata": kept, "status": {"phase": (item.get("status") or {}).get("phase")}}


def _kept_service(item: Object) -> Object:
    conditions = [c for c in (item.get("status") or {}).get("conditions") or [] if c.get("type") == "Available"]
    return {"metadata": {"name": name_of(item)}, "status": {"conditions": conditions}}


def _unavailable(item: Object) -> str:
    conditions = item["status"]["conditions"]
    bad = next((c for c in conditions if c.get("status") == "False"), None)
    return f"APIService {name_of(item)} is not available ({bad.get('reason') or 'no reason given'})" if bad else ""


def _stuck(found: Iterable[Object], time: datetime) -> Iterator[str]:
    for item in found:
        since = metadata(item).get("deletionTimestamp")
        seconds = (time - datetime.fromisoformat(since.replace("Z", "+00:00"))).total_seconds() if since else 0
        if seconds > STUCK_SECONDS:
            yield f"namespace {name_of(item)} has been ending for {round(seconds / 60)} minutes"


def _gone(manifest: Iterable[Object], served: frozenset[str]) -> set[str]:
    versions = {(str(item.get("apiVersion")), str(item.get("kind")), name_of(item)) for item in manifest}
    return {f"{version} ({kind} {name})" for version, kind, name in versions if version not in served}


CHECKS = (
    Check(
        "CL-05",
        "cluster",
        "APIs available",
        WARNING,
        broken_apis,
        "APIServices that are not available, namespaces that do not end",
        "Repair or remove them: they break discovery and the end of namespaces.",
    ),
    Check(
        "CL-06",
        "cluster",
        "APIs of the release",
        BLOCK,
        removed_apis,
        "the stored manifest of WG's release, against the APIs that are served",
        "Map the release to APIs that are served (helm plugin mapkubeapis).",
    ),
)
