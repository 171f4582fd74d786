# SPDX-License-Identifier: GPL-3.0-or-later
"""The checks before an upgrade: one table, run in its order, and the verdict over their findings. PRIVATE.

Ids are promises to users: never reused, never renumbered. What could not be checked is an
``error``, which is never a pass and blocks where a failure would.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace

from ..._errors import Interrupted, Unauthorised, Unreachable, WgeError
from ..journal import REMOVING
from . import (
    access,
    admission,
    apis,
    authentication,
    capacity,
    clocks,
    cluster,
    crds,
    credentials,
    drift,
    entitlement,
    escalation,
    flux,
    images,
    inheritance,
    install,
    network,
    nodes,
    permissions,
    readiness,
    safety,
    storage,
    target,
    versions,
    webhooks,
)
from .check import BLOCK, Check, Finding
from .evidence import ERROR, FAIL, STATUSES, WARN, Evidence, Judged, skipped
from .waivers import Waiver, overruled

__all__ = ["CHECKS", "Check", "Evidence", "Finding", "blocking", "run_all", "summary", "verdict"]

AS_RECORDED = "(as recorded)"
"""Ends the evidence of a finding that a snapshot holds."""

CHECKS: tuple[Check, ...] = (
    *cluster.CHECKS,
    *apis.CHECKS,
    *clocks.CHECKS,
    *webhooks.CHECKS,
    *admission.CHECKS,
    *nodes.CHECKS,
    *access.CHECKS,
    *permissions.CHECKS,
    *escalation.CHECKS,
    *access.READABLE,
    *flux.PERMISSIONS,
    *flux.CHECKS,
    *versions.FLUX,
    *versions.CHECKS,
    *install.CHECKS,
    *authentication.CHECKS,
    *inheritance.CHECKS,
    *drift.CHECKS,
    *storage.CHECKS,
    *entitlement.CHECKS,
    *credentials.CHECKS,
    *target.CHECKS,
    *images.CHECKS,
    *crds.CHECKS,
    *readiness.CHECKS,
    *authentication.OIDC,
    *network.CHECKS,
    *capacity.CHECKS,
    *safety.CHECKS,
)


def run_all(evidence: Evidence, waivers: Sequence[Waiver] = ()) -> list[Finding]:
    """Every check of the table, in its order, as it counts after the waivers. Raises Interrupted and nothing else.

    After an API server that no longer answers, or no longer knows us, the rest is not looked at: each question would wait
    for its own retries.
    """
    findings: list[Finding] = []
    lost: WgeError | None = None
    for check in CHECKS:
        try:
            judged = _not_looked_at(lost) if lost else _judge(check, evidence)
        except (Unreachable, Unauthorised) as problem:
            lost = problem
            judged = Judged(ERROR, problem.what, problem.next_step)
        evidence.judged[check.id] = judged
        found = Finding(check.id, check.group, check.title, check.severity, judged.status, judged.evidence, judged.remedy)
        findings.append(overruled(found, waivers, evidence.time))
    return findings


def blocking(findings: Iterable[Finding]) -> list[Finding]:
    """Those that forbid the upgrade; what failed comes before what could not be checked."""
    return sorted((finding for finding in findings if finding.blocks), key=lambda finding: finding.status == ERROR)


def verdict(findings: Sequence[Finding]) -> str:
    """``block``: a check forbids the upgrade; ``error``: one that could do so could not be made; else ``warn`` or ``pass``."""
    forbidding = blocking(findings)
    if forbidding:
        return BLOCK if forbidding[0].status == FAIL else ERROR
    return WARN if any(finding.status in (WARN, FAIL, ERROR) for finding in findings) else "pass"


def summary(findings: Iterable[Finding]) -> dict[str, int]:
    """How many checks have which status; every status is named."""
    statuses = [finding.status for finding in findings]
    return {status: statuses.count(status) for status in STATUSES}


def _judge(check: Check, evidence: Evidence) -> Judged:
    if check.stored and evidence.recorded is not None:
        return _as_recorded(check, evidence.recorded)
    if (journal := evidence.now.journal) and journal.state in REMOVING:
        return skipped("WG was removed after its upgrade, so there is nothing to upgrade.")
    if check.until is not None and evidence.rung >= check.until:
        return skipped(f"The cluster is {evidence.rung.word} already.")
    try:
        return check.function(evidence)
    except (Interrupted, Unreachable, Unauthorised):
        raise
    except WgeError as problem:
        return Judged(ERROR, problem.what, problem.next_step)
    except Exception as problem:
        return Judged(ERROR, f"The check itself broke ({type(problem).__name__}).", "Report this as a fault of the collection.")


def _as_recorded(check: Check, recorded: Mapping[str, Judged]) -> Judged:
    found = recorded.get(check.id)
    if found is None:
        return Judged(ERROR, f"This snapshot does not hold what {check.id} has found.", "Take a new snapshot with this version.")
    return replace(found, evidence=f"{found.evidence} {AS_RECORDED}")


def _not_looked_at(problem: WgeError) -> Judged:
    return Judged(ERROR, f"Not looked at: {problem.what}", problem.next_step)
