# SPDX-License-Identifier: GPL-3.0-or-later
"""CL-07: do controller, API server and nodes agree on the time? PRIVATE."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from ..._errors import Forbidden, Rejected
from ..model import Object
from ..objects import collection_path, name_of
from .check import BLOCK, Check
from .evidence import Evidence, Judged, failed, passed, skipped, warned

NODE_LEASES = "kube-node-lease"
LARGEST_SKEW = 60.0
NOTICED_SKEW = 5.0
NAMES_SHOWN = 5
REMEDY = "Let a time service (chrony, systemd-timesyncd) set the clocks: entitlements, tokens and the lock are judged by them."


def clock_skew(evidence: Evidence) -> Judged:
    """CL-07. One list, of the nodes' Leases. A node that stopped renewing is behind too, so only a stamp ahead of time tells."""
    skew = evidence.skew
    if skew is None:
        return skipped("No answer of the API server carried a time that could be compared with the controller's.")
    text = f"The API server's clock is {abs(skew):.0f} s {'ahead of' if skew > 0 else 'behind'} the controller's"
    if abs(skew) > LARGEST_SKEW:
        return failed(f"{text}.", REMEDY)
    ahead = _ahead(evidence)
    if ahead:
        return warned(f"Nodes whose clock is ahead of the API server's: {ahead}.", REMEDY)
    if abs(skew) > NOTICED_SKEW:
        return warned(f"{text}.", REMEDY)
    return passed(f"The API server's clock is within {NOTICED_SKEW:.0f} s of the controller's.")


def _ahead(evidence: Evidence) -> str:
    """Nodes that stamp what has not come yet, the furthest first; nothing where their Leases may not be read."""
    try:
        leases = evidence.all(collection_path("Lease", NODE_LEASES), keep=_kept)
    except (Forbidden, Rejected):
        return ""
    time = evidence.cluster.server_time or evidence.time  # of the answer that brought the stamps, or a later one
    found = sorted(((seconds, name) for name, seconds in _leads(leases, time) if seconds > NOTICED_SKEW), reverse=True)
    more = f" and {len(found) - NAMES_SHOWN} more" if len(found) > NAMES_SHOWN else ""
    return ", ".join(f"{name} ({seconds:.0f} s)" for seconds, name in found[:NAMES_SHOWN]) + more


def _leads(leases: Iterable[Object], time: datetime) -> Iterable[tuple[str, float]]:
    for lease in leases:
        try:
            stamp = datetime.fromisoformat(str(lease["spec"]["renewTime"]).replace("Z", "+00:00"))
            yield name_of(lease), (stamp - time).total_seconds()
        except (TypeError, ValueError):
            continue


def _kept(item: Object) -> Object:
    return {"metadata": {"name": name_of(item)}, "spec": {"renewTime": (item.get("spec") or {}).get("renewTime")}}


CHECKS = (
    Check(
        "CL-07",
        "cluster",
        "clocks",
        BLOCK,
        clock_skew,
        "the time in the API server's answers against the controller's, and the nodes' Leases",
        "Repair the time service: entitlement, tokens and lock depend on it.",
    ),
)
