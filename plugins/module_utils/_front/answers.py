# SPDX-License-Identifier: GPL-3.0-or-later
"""Parts that several answers have. PRIVATE."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from .._engine import gitdebt
from .._engine.continuity.asking import sentences
from .._engine.entitlement.verify import Judgement, written
from .._engine.leftovers import marks
from .._engine.model import Cluster, Object
from .._engine.names import ENTITLEMENT_NAMESPACE, ENTITLEMENT_SECRET
from .._engine.situation import Situation
from .._errors import WgeError

MOST_WARNINGS = 5


def failure(problem: WgeError) -> dict[str, Any]:
    """An error as a result: the one place where it becomes a message."""
    return {
        "failed": True,
        "msg": str(problem),
        "message": problem.what,
        "next_step": problem.next_step,
        "verdict": problem.verdict,
    }


def counted(cluster: Cluster) -> Object:
    """The requests that were sent."""
    counters = cluster.counters
    return {**asdict(counters), "requests": counters.requests}


def named(now: Situation, api: str) -> Object:
    """The cluster that answered at the address ``api``."""
    identity = now.snapshot.identity
    return {"name": "", "uid": identity.uid, "api": api, "version": identity.version}


def entitlement(now: Situation) -> Object:
    """What the entitlement is that this cluster's WGE gets, or has."""
    return {**now.grant.judgement.as_dict(), "source": now.grant.source}


def git(now: Situation, cluster: Cluster | None = None) -> Object:
    """What git owes after an upgrade; with a ``cluster`` also of what the change in git is made, when it can be read."""
    known = gitdebt.of(now).as_dict()
    if cluster is None or known["state"] == gitdebt.NONE:
        return known
    try:
        return known | gitdebt.pieces(cluster, now)
    except WgeError:
        return known  # the result stands; who makes the change is told what is missing


def warnings(now: Situation) -> list[str]:
    """What Ansible shows as a warning: what locks nobody out (yet), an entitlement or a journal that is gone, somebody must say."""
    judgement = now.grant.judgement
    said = [expiry_warning(judgement)] if judgement.expired else []
    if now.is_flipped and now.snapshot.named.get(ENTITLEMENT_SECRET) is None:
        said.append(f"The Secret {ENTITLEMENT_SECRET} in namespace {ENTITLEMENT_NAMESPACE} is gone: WGE serves until its next restart.")
    if debt := gitdebt.of(now).sentence:
        said.append(f"{debt} Merge what wge_git_changes makes of this result.")
    if now.is_flipped and now.journal is None and marks(now):
        said.append("The journal of the upgrade is gone: WGE serves, and there is neither a way back nor an end until it is restored.")
    return said


def expiry_warning(judgement: Judgement) -> str:
    """The one sentence about an entitlement that has expired."""
    return f"The entitlement of {judgement.customer} expired on {written(judgement.expires)}: WGE works, and warns its users."


def version(now: Situation) -> str:
    """What serves: ``WGE 0.38.1`` once every kept Service leads there, else ``WG 0.38.0``."""
    return f"WGE {now.target.version}" if now.is_flipped else f"WG {now.snapshot.installed.found.version}"


def differing(continuity: list[Object]) -> list[str]:
    """Warnings about calls that are answered in another way, and that nobody foresaw; the first of them, and how many more."""
    found = sentences(continuity)
    more = len(found) - MOST_WARNINGS
    return [*found[:MOST_WARNINGS], *([f"{more} more calls differ."] if more > 0 else [])]
