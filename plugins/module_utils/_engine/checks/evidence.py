# SPDX-License-Identifier: GPL-3.0-or-later
"""What a check is given, and what it may answer. PRIVATE.

A check is a small function of Evidence that returns a Judged. What two checks ask the API server is asked once: access rules
and proxied answers are kept here.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from ..._errors import Forbidden, Rejected, SafeStop, WgeError
from ..archive.store import NoStore, Store
from ..model import Answer, Cluster, Object, Rung
from ..plan import Plan
from ..rights import Rules
from ..situation import Situation

NO_RELEASE = "Helm has stored no release of WG."
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
    skew: float | None = None
    """Seconds by which the API server's clock is ahead of the controller's, None when that was not seen."""
    login_ends: datetime | None = None
    """When our credentials end for good, None when they renew themselves or nobody can tell."""
    ask: Callable[[str], Answer] | None = None
    """Makes one GET of an entry URL; None where nothing may be called. Raises Unreachable."""
    archives: Store = field(default_factory=NoStore)
    """Where an archive would be made, or is; nothing is written there."""
    climbing: bool = False
    """Whether an upgrade is about to begin; else somebody only wants to know."""
    recorded: Mapping[str, Judged] | None = None
    """What the checks had found when this was recorded, None on a live cluster."""
    judged: dict[str, Judged] = field(init=False, repr=False, default_factory=dict)
    """What each check has answered so far, before any waiver."""
    rules: Rules = field(init=False, repr=False)
    _answers: dict[str, Answer] = field(init=False, repr=False, default_factory=dict)
    _lists: dict[str, list[Object] | WgeError] = field(init=False, repr=False, default_factory=dict)

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

    def all(self, path: str, keep: Callable[[Object], Object] | None = None) -> list[Object]:
        """Every item of a collection, asked once; a refusal is kept too, and raised to each check that asks.

        ``keep`` says what of an item the checks need (of thousands of pods only a few fields); it is the same for all who ask.
        """
        if path not in self._lists:
            try:
                self._lists[path] = self.cluster.list(path, keep=keep)
            except (Forbidden, Rejected, SafeStop) as problem:
                self._lists[path] = problem
        found = self._lists[path]
        if isinstance(found, WgeError):
            raise found
        return found


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
