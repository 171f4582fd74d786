# SPDX-License-Identifier: GPL-3.0-or-later
"""CU-08, CU-09 and CU-10: what Helm has stored of WG, and what its users will notice. PRIVATE."""

from __future__ import annotations

import base64
import binascii

from ..forms.helm import Revision, newest
from ..model import Object, Rung
from ..objects import collection_path, name_of
from .check import BLOCK, INFO, WARNING, Check
from .evidence import NO_RELEASE, Evidence, Judged, failed, passed, skipped, warned


def chart_recoverable(evidence: Evidence) -> Judged:
    """CU-08. No request. With the chart's own bytes WG can be made anew where no chart repository is reached."""
    last = newest(evidence.now.snapshot.installed.revisions)
    if last is None:
        return skipped(NO_RELEASE)
    chart = last.decoded().get("chart") or {}
    about = chart.get("metadata") or {}
    name = f"{about.get('name') or 'chart'} {about.get('version') or 'of no version'}"
    templates = chart.get("templates") or []
    broken = sorted(str(entry.get("name")) for entry in templates if not _decodes(entry))
    keep = "Keep a copy of WG's chart where a rollback by helm could reach it."
    if not templates:
        return warned(f"Revision {last.number} holds no templates of the chart {name}.", keep)
    if broken:
        return warned(f"In revision {last.number} these templates of the chart {name} cannot be decoded: {', '.join(broken)}.", keep)
    parts = [str(entry.get("name")) for entry in about.get("dependencies") or []]
    if parts:
        return warned(f"The chart {name} has sub-charts ({', '.join(parts)}), and Helm does not store those.", keep)
    return passed(f"Revision {last.number} holds the chart {name} with {len(templates)} templates that decode; it was not rendered anew.")


def helm_driver(evidence: Evidence) -> Judged:
    """CU-09. One metadata-only list of ConfigMaps. A release in an SQL database has no Secret, and WG is then not found at all."""
    now = evidence.now
    wg = now.snapshot.installed
    if not wg.is_released:
        return skipped(NO_RELEASE)
    path = collection_path("ConfigMap", now.namespace)
    others = evidence.cluster.list(path, labels=f"owner=helm,name={wg.found.release}", metadata_only=True)
    if others:
        return failed(
            f"Helm has stored the release {wg.found.release} in ConfigMaps too ({', '.join(sorted(name_of(item) for item in others))}).",
            "See with helm list, with and without HELM_DRIVER=configmap, which is in use, and remove the other.",
        )
    hollow = [str(r.number) for r in wg.revisions if not r.is_real]
    if hollow:
        return warned(
            f"Revision {', '.join(hollow)} of {wg.found.release} holds no release.", "Nobody can go back to it with helm rollback."
        )
    last = newest(wg.revisions)
    if last is None:
        return failed(f"Helm has stored no revision of {wg.found.release}.", "Restore its Secrets.")
    if last.status not in ("deployed", "superseded"):
        return warned(
            f"The newest revision {last.number} of {wg.found.release} is {last.status or 'of no status'}; what runs may be a mixture.",
            "Repair it with helm rollback or helm upgrade until helm status says deployed.",
        )
    return passed(f"{wg.found.release} is stored in Secrets: {_numbers(wg.revisions)}.")


def sessions(evidence: Evidence) -> Judged:
    """CU-10. No request. Logins are held in memory by either product, so they end with WG."""
    now = evidence.now
    replicas = now.wg.get("spec", {}).get("replicas", 1)
    sticky = [name_of(service) for service in now.kept_services if service.get("spec", {}).get("sessionAffinity") == "ClientIP"]
    affinity = f"session affinity at {', '.join(sticky)}" if sticky else "no session affinity"
    text = f"WG has {replicas} replica{'' if replicas == 1 else 's'}, {affinity}"
    return passed(f"{text}. Tell people that they have to log in again after the flip; who is logged in now was not asked.")


def _decodes(entry: Object) -> bool:
    try:
        return bool(entry.get("name")) and isinstance(base64.b64decode(entry["data"], validate=True).decode(), str)
    except (KeyError, TypeError, ValueError, binascii.Error):
        return False


def _numbers(revisions: tuple[Revision, ...]) -> str:
    numbers = [revision.number for revision in revisions]
    if len(numbers) == 1:
        return f"revision {numbers[0]} alone"
    return f"{len(numbers)} revisions from {numbers[0]} to {numbers[-1]}"


CHECKS = (
    Check(
        "CU-08",
        "install",
        "chart of WG recoverable",
        WARNING,
        chart_recoverable,
        "the chart inside WG's newest release Secret",
        "Keep a copy of WG's chart: a rollback where no repository is reached needs it.",
        until=Rung.PARKED,
    ),
    Check(
        "CU-09",
        "install",
        "Helm's storage",
        BLOCK,
        helm_driver,
        "WG's release Secrets, and ConfigMaps of the same release",
        "Bring the release into Secrets, Helm's default.",
        until=Rung.PREPARED,
    ),
    Check(
        "CU-10",
        "install",
        "sessions",
        INFO,
        sessions,
        "WG's replicas and the session affinity of its Services",
        "Choose a window; tell people that they have to log in again.",
        until=Rung.FLIPPED,
    ),
)
