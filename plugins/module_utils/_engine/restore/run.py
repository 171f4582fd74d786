# SPDX-License-Identifier: GPL-3.0-or-later
"""A restore that somebody asked for: the right cluster, a plan, the lock of an upgrade, and then the objects. PRIVATE.

The Lease is the one that an upgrade holds, so the two never run together. It lies in WG's namespace; when that is not there it is
created first, and no upgrade can be at work. A call that finds nothing to do takes no lock and writes nothing.
"""

from __future__ import annotations

import secrets
from dataclasses import dataclass, field

from ..._errors import Blocked, Interrupted, InvalidSettings, WgeError
from .. import sending
from ..archive.model import Contents
from ..fencing import KINDS, touch
from ..lock import Lock
from ..look import new_run
from ..objects import name_of, object_path
from ..snapshot import Identity, identify
from ..work import CONTROLLER_GONE, Tools
from ..writes import Write
from .apply import Restored, apply, planned, require, send
from .plan import Plan, Planned
from .selection import Chosen, chosen
from .wish import Wish

SHORTEST_LOCK = 15.0
RESTORED, UNCHANGED, PLANNED = "restored", "unchanged", "planned"


@dataclass(frozen=True, slots=True)
class Terms:
    """On what terms a cluster is written to."""

    cluster_uid: str = ""
    allow_other_cluster: bool = False
    lock_seconds: float = 60.0


@dataclass(slots=True)
class Outcome:
    """What came of a call. ``error`` is why it did not end well, after the cluster was known."""

    identity: Identity
    verdict: str = UNCHANGED
    restored: Restored = field(default_factory=Restored)
    changed: bool = False
    error: WgeError | None = None
    warnings: list[str] = field(default_factory=list)


class Run:
    """One call at work, with what ``apply`` needs of it (``wish.Acting``)."""

    def __init__(self, tools: Tools, contents: Contents, wish: Wish, terms: Terms) -> None:
        """Raises InvalidSettings for a lock that is too short."""
        if terms.lock_seconds < SHORTEST_LOCK:
            raise InvalidSettings(f"lock_seconds is {terms.lock_seconds:g}.", f"Give at least {SHORTEST_LOCK:g} seconds.")
        self.tools = tools
        self._contents, self._wish, self._terms = contents, wish, terms
        self._namespace = str(contents.manifest["namespace"])
        self._lock: Lock | None = None

    def guard(self) -> None:
        """May we go on, and is the lock still ours? Raises Interrupted or SafeStop."""
        reason = self.tools.keep_going()
        if reason:
            raise Interrupted(f"Stopped on request ({reason}).", "Run the same command again to go on from here.")
        if self._lock:
            self._lock.renew()

    def note(self, text: str) -> None:
        """Tell the person who is watching."""
        self.tools.tell({"event": "note", "text": text})

    def run(self, *, check_mode: bool) -> Outcome:
        """Do it, or say what would be done. Raises what is wrong before anything of the archive was compared with the cluster."""
        outcome = Outcome(identify(self.tools.cluster, uid=self._terms.cluster_uid))
        self._require_cluster(outcome.identity)
        found = chosen(self._contents, self._wish.selection)
        outcome.restored = Restored(planned(self, self._contents, found, self._wish), found.skipped)
        try:
            require(outcome.restored.plan)
            if check_mode:
                outcome.verdict = PLANNED if outcome.restored.plan.todo else UNCHANGED
            elif outcome.restored.plan.todo:
                self._locked(outcome, found)
        except WgeError as problem:
            outcome.error, outcome.verdict = problem, problem.verdict
        outcome.changed = bool(outcome.restored.made)
        return outcome

    def _require_cluster(self, identity: Identity) -> None:
        of = str(self._contents.manifest["cluster"].get("uid"))
        if of != identity.uid and not self._terms.allow_other_cluster:
            raise Blocked(
                f"The archive is of another cluster: its UID is {of}, that of this cluster is {identity.uid}.",
                "Correct the kubeconfig or the context, or say allow_other_cluster: true.",
            )

    def _locked(self, outcome: Outcome, found: Chosen) -> None:
        self._create_namespace(outcome.restored)
        holder = f"restore-{new_run()}/{secrets.token_hex(4)}"
        self._lock = Lock(self.tools.cluster, self.tools.clock, self._namespace, holder, self._terms.lock_seconds)
        try:
            self._lock.acquire(self._waiting)
            if self._lock.taken_over:
                touch(self.tools.cluster, _moving(found), holder, self._send)
            plan = planned(self, self._contents, found, self._wish)  # somebody else may have held the lock until now
            require(plan)
            made = {one.entry.path: one for one in outcome.restored.made}
            outcome.restored.plan = Plan(tuple(made.get(one.entry.path, one) for one in plan.planned))
            apply(self, found, self._wish, outcome.restored)
            outcome.verdict = RESTORED if outcome.restored.made else UNCHANGED
        finally:
            self._give_back(outcome)

    def _create_namespace(self, restored: Restored) -> None:
        """The lock needs the namespace of WG. While there is none, no upgrade can be at work in it."""
        if self.tools.cluster.get(object_path("Namespace", self._namespace)) is not None:
            return
        one = next((one for one in restored.plan.todo if _is_namespace(one, self._namespace)), None)
        if one is None:
            raise Blocked(
                f"Namespace {self._namespace}, where the lock lies, is not there and not selected; nothing was put back.",
                f"Create namespace {self._namespace}, or select it as well.",
            )
        send(self, one)
        restored.made.append(one)

    def _send(self, write: Write) -> None:
        sending.send(write, self.tools.cluster, self.tools.clock, self.guard)

    def _waiting(self, text: str) -> None:
        self.guard()
        self.note(text)

    def _give_back(self, outcome: Outcome) -> None:
        lock, self._lock = self._lock, None
        if lock is None or self.tools.keep_going() == CONTROLLER_GONE:
            return
        try:
            lock.release()
        except WgeError as problem:
            outcome.warnings.append(f"The lock was not given back: {problem.what}")


def _moving(found: Chosen) -> list[str]:
    """What of the archive moves traffic: on these a dead run's late requests must fail."""
    return [entry.path for entry in found.entries if entry.clean.get("kind") in KINDS]


def _is_namespace(one: Planned, name: str) -> bool:
    return (one.wanted.get("kind"), name_of(one.wanted)) == ("Namespace", name)
