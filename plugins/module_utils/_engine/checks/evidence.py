# SPDX-License-Identifier: GPL-3.0-or-later
"""What a check is given, and what it may answer. PRIVATE.

A check is a small function of Evidence that returns a Judged. What two checks ask the API server is asked once: access rules
and proxied answers are kept here.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime

from ..model import Answer, Cluster, Rung
from ..plan import Plan
from ..rights import Rules
from ..situation import Situation

PASS, WARN, FAIL, SKIP, ERROR = STATUSES = ("pass", "warn", "fail", "skip", "error")


@dataclass(frozen=True, slots=True)
class Judged:
    """A check's answer: one of STATUSES, what was seen (never a Secret's bytes), and what a person does about it."""

    status: str
    evidence: str
    remedy: str = ""


@dataclass(slots=True)
class Evidence:
    """One cluster as the checks see it. ``cluster`` is for reads and reviews alone; ``latencies`` are seconds a read took."""

    now: Situation
    plan: Plan
    rung: Rung
    cluster: Cluster
    latencies: Sequence[float]
    controller_time: datetime
    helm_version: str
    rules: Rules = field(init=False, repr=False)
    _answers: dict[str, Answer] = field(init=False, repr=False, default_factory=dict)

    def __post_init__(self) -> None:
        self.rules = Rules(self.cluster)

    @property
    def time(self) -> datetime:
        """The API server's time, by which what it stamped is judged; the controller's when it sent none."""
        return self.now.snapshot.identity.server_time or self.controller_time

    def answer(self, path: str) -> Answer:
        """What a path answers, asked once."""
        if path not in self._answers:
            self._answers[path] = self.cluster.raw(path)
        return self._answers[path]


def passed(evidence: str) -> Judged:
    """All is well."""
    return Judged(PASS, evidence)


def warned(evidence: str, remedy: str) -> Judged:
    """The upgrade can go on; a person should know this."""
    return Judged(WARN, evidence, remedy)


def failed(evidence: str, remedy: str) -> Judged:
    """What the check asks for is not so; with severity ``block`` there is no upgrade."""
    return Judged(FAIL, evidence, remedy)


def skipped(evidence: str) -> Judged:
    """The question does not arise here."""
    return Judged(SKIP, evidence)
