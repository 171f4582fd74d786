# SPDX-License-Identifier: GPL-3.0-or-later
"""A Service that is put back to another selector: its traffic moves, so it comes last, when the workloads are ready. PRIVATE."""

from __future__ import annotations

from collections.abc import Sequence

from ..objects import is_available
from .plan import PATCH, Planned
from .waiting import wait_until
from .wish import Acting
from .words import told


def moving_last(todo: Sequence[Planned]) -> tuple[list[Planned], list[Planned]]:
    """What leaves all traffic where it is, in its order, and what moves some."""
    moving = [one for one in todo if _moves(one)]
    return [one for one in todo if one not in moving], moving


def wait_for_workloads(work: Acting, done: Sequence[Planned], seconds: float) -> None:
    """Until each Deployment that was put back serves. Raises StepFailed when one does not: then the traffic stays where it is."""

    def missing() -> str:
        for one in deployments:
            live = work.tools.cluster.get(one.entry.path)
            if live is None or not is_available(live):
                return f"{told(one.wanted)} is not available"
        return ""

    deployments = [one for one in done if one.wanted.get("kind") == "Deployment" and one.wanted["spec"].get("replicas") != 0]
    wait_until(work, missing, seconds, "what the Services are to lead to")


def _moves(one: Planned) -> bool:
    return (
        one.action == PATCH
        and one.wanted.get("kind") == "Service"
        and one.wanted.get("spec", {}).get("selector") != (one.live or {}).get("spec", {}).get("selector")
    )
