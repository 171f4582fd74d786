# SPDX-License-Identifier: GPL-3.0-or-later
"""The checks before an upgrade: one table, run in its order, and the verdict over their findings. PRIVATE.

Ids are promises to users: never reused, never renumbered. What could not be checked is an
``error``, which is never a pass and blocks where a failure would.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import asdict, dataclass

from ..._errors import Interrupted, Unauthorised, Unreachable, WgeError
from ..model import Object, Rung
from . import cluster, entitlement, install, network, permissions, safety, target
from .evidence import ERROR, FAIL, STATUSES, WARN, Evidence, Judged, skipped

__all__ = ["CHECKS", "Check", "Evidence", "Finding", "blocking", "run_all", "summary", "verdict"]

BLOCK, INFO = "block", "info"


@dataclass(frozen=True, slots=True)
class Check:
    """One row of the table. From the rung ``until`` on the question no longer arises and the check is skipped."""

    id: str
    group: str
    title: str
    severity: str
    function: Callable[[Evidence], Judged]
    until: Rung | None = None


@dataclass(frozen=True, slots=True)
class Finding:
    """What one check found on one cluster."""

    id: str
    group: str
    title: str
    severity: str
    status: str
    evidence: str
    remedy: str

    @property
    def blocks(self) -> bool:
        """Whether this finding alone forbids the upgrade."""
        return self.severity == BLOCK and self.status in (FAIL, ERROR)

    def as_dict(self) -> Object:
        """The finding for results and reports."""
        return asdict(self)


CHECKS: tuple[Check, ...] = (
    Check("CL-01", "cluster", "API server reachable", BLOCK, cluster.api_reachable),
    Check("CL-02", "cluster", "right cluster", BLOCK, cluster.right_cluster),
    Check("CL-03", "cluster", "Kubernetes version", BLOCK, cluster.kubernetes_version),
    Check("CL-04", "cluster", "APIs served", BLOCK, cluster.served_apis),
    Check("PE-02", "permissions", "rights to upgrade", BLOCK, permissions.can_upgrade),
    Check("PE-03", "permissions", "rights to roll back", BLOCK, permissions.can_roll_back),
    Check("CU-01", "install", "WG found once", BLOCK, install.found_once),
    Check("CU-03", "install", "WG healthy", BLOCK, install.healthy, until=Rung.FLIPPED),
    Check("CU-04", "install", "scheme of WG", BLOCK, install.scheme, until=Rung.FLIPPED),
    Check("EN-01", "entitlement", "entitlement in place", BLOCK, entitlement.shape),
    Check("TA-02", "target", "chart renders", BLOCK, target.renders, until=Rung.PARKED),
    Check("TA-03", "target", "facts of the chart", BLOCK, target.facts_hold, until=Rung.PARKED),
    Check("TA-05", "target", "names free", BLOCK, target.names_free, until=Rung.REHEARSED),
    Check("TA-08", "target", "same namespace", BLOCK, target.same_namespace),
    Check("TA-10", "target", "local login", BLOCK, target.local_login),
    Check("NE-01", "network", "Services to keep", BLOCK, network.services),
    Check("NE-02", "network", "routes", INFO, network.routes),
    Check("NE-06", "network", "policies of the pods", BLOCK, network.policies),
    Check("SA-01", "safety", "lock free", BLOCK, safety.lock_free),
    Check("SA-03", "safety", "no unfinished run", BLOCK, safety.no_unfinished_run),
)


def run_all(evidence: Evidence) -> list[Finding]:
    """Every check of the table, in its order. Raises Interrupted and nothing else.

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
        findings.append(Finding(check.id, check.group, check.title, check.severity, judged.status, judged.evidence, judged.remedy))
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


def _not_looked_at(problem: WgeError) -> Judged:
    return Judged(ERROR, f"Not looked at: {problem.what}", problem.next_step)
