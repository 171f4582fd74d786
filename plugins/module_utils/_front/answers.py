# SPDX-License-Identifier: GPL-3.0-or-later
"""Parts that several answers have. PRIVATE."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from .._engine.entitlement.verify import Judgement, written
from .._engine.model import Cluster, Object
from .._engine.situation import Situation
from .._errors import WgeError


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


def warnings(now: Situation) -> list[str]:
    """What Ansible shows as a warning: an expired entitlement locks nobody out, so somebody must say it."""
    judgement = now.grant.judgement
    return [expiry_warning(judgement)] if judgement.expired else []


def expiry_warning(judgement: Judgement) -> str:
    """The one sentence about an entitlement that has expired."""
    return f"The entitlement of {judgement.customer} expired on {written(judgement.expires)}: WGE works, and warns its users."


def version(now: Situation) -> str:
    """What serves: ``WGE 0.38.1`` once every kept Service leads there, else ``WG 0.38.0``."""
    return f"WGE {now.target.version}" if now.is_flipped else f"WG {now.snapshot.installed.found.version}"
