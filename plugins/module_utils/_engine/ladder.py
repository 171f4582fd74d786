# SPDX-License-Identifier: GPL-3.0-or-later
"""The climb: from where a cluster is to the rung asked for, in one call, and back when it must be. PRIVATE.

The order of things: read, judge, plan, check; take the lock; then step by step. A step that fails
is taken back with everything before it, the flip first. What cannot be judged, or a request to stop, ends where it is: traffic
stays where it last worked, and the same command goes on from there.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable
from dataclasses import dataclass, field, replace

from .._errors import Interrupted, RolledBack, SafeStop, Unauthorised, Unreachable, WgeError
from . import traffic
from .archive.model import Contents
from .deliveries import require_delivery
from .fencing import fence, is_fenced
from .guard import relieve, stand
from .identity import identity_of
from .journal import REMOVING
from .leftovers import lock_is_left, require_journal, require_release
from .lock import Lock
from .look import journal_in, look, require_chart, with_journal
from .model import Object, Rung
from .plan import Plan, plan_for, rung_of, steps_to, write_ahead
from .proofs import Proofs, planned_paths
from .removed import require_not_returning, was_removed
from .returning import archive_path, bring_back, bring_back_record, planned_back, require_contents
from .reverse import plan_back, take_back
from .settings import Settings
from .situation import Situation, require_flipped
from .steps.base import Step
from .steps.forms import require_form
from .steps.guard import lift, require_policy
from .vantages import vantages_for
from .work import CONTROLLER_GONE, Tools, Work

STOPS = (Interrupted, SafeStop, Unreachable, Unauthorised)
"""Errors after which nothing more is written: the state cannot be judged, or we were told to stop."""

Check = Callable[[Situation, Plan], None]
"""The preflight: raises Blocked."""

TRAFFIC_BACK = "traffic_on_wg"
"""Among the seconds of a result: from the decision to go back until every kept Service led to WG."""


@dataclass(slots=True)
class Outcome:
    """What came of a climb. ``error`` is why it did not reach the goal; ``verdict`` one of those in the README."""

    before: Situation
    after: Situation
    rung_before: Rung
    rung: Rung
    verdict: str = "safe_stop"
    plan: Plan = field(default_factory=Plan)
    error: WgeError | None = None
    seconds: dict[str, float] = field(default_factory=dict)
    traffic: Object = field(default_factory=dict)
    identity: list[Object] = field(default_factory=list)
    continuity: list[Object] = field(default_factory=list)
    untouched: Object = field(default_factory=dict)
    proofs: Proofs | None = field(default=None, repr=False)
    changed: bool = False
    owners: list[Object] = field(default_factory=list)
    guard: Object = field(default_factory=dict)


def climb(tools: Tools, settings: Settings, check: Check, *, check_mode: bool) -> Outcome:
    """Climb to ``settings.goal``. ``check`` is the preflight and raises Blocked before the first write.

    Errors of the climb itself are in the outcome; those before the lock (nothing written) are raised.
    """
    now = look(tools, settings)
    reached = rung_of(now)
    outcome = Outcome(now, now, reached, reached)
    if outcome.rung_before >= settings.goal:
        if now.journal and now.journal.state in REMOVING:
            require_not_returning(now)
            require_flipped(now)
        outcome.verdict = "already"
        outcome.identity = identity_of(now, now)
        if now.journal and lock_is_left(now) and not check_mode:  # of a run killed at its very end
            guarded(Work(tools, lock_for(tools, now), now), outcome, lambda: None)
        return outcome
    require_journal(now)
    require_form(now)
    require_release(now)
    require_delivery(now)
    require_chart(now)
    require_policy(now)
    outcome.plan = plan_of(tools, now)
    check(now, outcome.plan)
    if check_mode:
        outcome.verdict = "planned"
        outcome.changed = bool(outcome.plan.planned)
        return outcome
    work = Work(tools, lock_for(tools, now), now)
    guarded(work, outcome, lambda: _climb_locked(work, outcome, check))
    return outcome


def roll_back(tools: Tools, settings: Settings, *, check_mode: bool) -> Outcome:
    """Take everything back from wherever the cluster is, by the journal of the run that is open, parked or finalised.

    Raises SafeStop when an upgrade has left its marks and no journal, and Blocked when WG was removed and the archive that brings it
    back is not there or not the one.
    """
    started = tools.clock.monotonic()
    now = look(tools, settings)
    require_journal(now)
    reached = rung_of(now)
    outcome = Outcome(now, now, reached, reached)
    if now.journal is None and not lock_is_left(now):
        outcome.verdict, outcome.rung = "rolled_back", Rung.ROLLED_BACK
        outcome.identity = identity_of(now, now)
        return outcome
    contents = None
    if was_removed(tools.cluster, now):
        path = archive_path(now, tools.archives)
        contents = tools.archives.contents(path)
        require_contents(now, path, contents)
    outcome.plan = plan_back(tools.cluster, now)
    if contents:
        outcome.plan = replace(outcome.plan, planned=(*planned_back(tools.cluster, now), *outcome.plan.planned))
    if check_mode:
        outcome.verdict, outcome.changed = "planned", True
        return outcome
    work = Work(tools, lock_for(tools, now), now)
    guarded(work, outcome, lambda: _roll_back_locked(work, outcome, started, contents))
    return outcome


def plan_of(tools: Tools, now: Situation) -> Plan:
    """What is missing up to the goal of the settings."""
    return plan_for(with_journal(now, tools), now.settings.goal)


def lock_for(tools: Tools, now: Situation) -> Lock:
    holder = f"{now.run}/{secrets.token_hex(4)}"
    return Lock(tools.cluster, tools.clock, now.namespace, holder, now.settings.lock_seconds)


def guarded(work: Work, outcome: Outcome, act: Callable[[], None]) -> None:
    """Do ``act`` under the lock; whatever happens, end the probes, tell the traffic, and give the lock back."""
    try:
        work.lock.acquire(lambda text: _while_waiting(work, text))
        if work.lock.taken_over or is_fenced(work.now):
            fence(work)
        outcome.proofs = Proofs(work)
        outcome.proofs.begin()
        act()
    except WgeError as problem:
        outcome.error, outcome.verdict = problem, problem.verdict
        if not isinstance(problem, RolledBack):
            _look_where_it_ended(work, outcome)
    finally:
        _close(work, outcome)


def _look_where_it_ended(work: Work, outcome: Outcome) -> None:
    """Between two refreshes ``now`` is older than the newest write."""
    _refresh_if_possible(work)
    outcome.after, outcome.rung = work.now, rung_of(work.now)


def _refresh_if_possible(work: Work) -> None:
    """The verdict stands, whether or not the cluster can be read once more."""
    try:
        work.refresh()
    except WgeError as problem:
        work.note(f"the cluster could not be read at the end: {problem.what}")


def _while_waiting(work: Work, text: str) -> None:
    reason = work.tools.keep_going()
    if reason:
        raise Interrupted(f"Stopped on request ({reason}).", "Run the same command again.")
    work.note(text)


def _climb_locked(work: Work, outcome: Outcome, check: Check) -> None:
    work.now = with_journal(work.refresh(), work.tools)
    lift(work)
    plan = plan_for(work.now, work.now.settings.goal)
    if plan.hash != outcome.plan.hash:
        if not work.lock.taken_over and not is_fenced(outcome.before):
            raise SafeStop("The cluster has changed since the plan was made; nothing was written.", "Run again.")
        check(work.now, plan)  # what a dead run had begun, helm or pods, went on until its lock was stale
        outcome.plan = plan
    try:
        if outcome.proofs:
            outcome.proofs.note_kept()
        write_ahead(work, plan)
        for step in steps_to(work.now, work.now.settings.goal):
            if not step.done(work.now):
                _do(work, outcome, step)
        _finish(work, outcome)
    except STOPS:
        raise
    except WgeError as problem:
        if not work.journal.uid:  # nothing was written yet
            raise
        work.tools.tell({"event": "note", "text": f"{problem.what} Everything is taken back."})
        _way_back(work, outcome, problem.what)
        _verdict_rolled_back(work, outcome)
        raise RolledBack(f"{problem.what} The cluster was rolled back: WG serves.", problem.next_step) from problem


def _way_back(work: Work, outcome: Outcome, why: str, since: float | None = None, contents: Contents | None = None) -> None:
    """Take back; a way back that does not end is a safe stop, whatever stopped it. ``why`` we go back belongs to the message."""
    started = work.tools.clock.monotonic() if since is None else since
    try:
        if contents:
            bring_back(work, contents)
        led_back = take_back(work, (lambda: bring_back_record(work, contents)) if contents else None)
    except Interrupted:
        raise
    except WgeError as problem:
        step = problem.next_step or "Repair it, then ask for rolled_back again."
        raise SafeStop(f"{why} The way back stopped: {problem.what}".strip(), step) from problem
    if led_back is not None:
        outcome.seconds[TRAFFIC_BACK] = round(led_back - started, 3)
    outcome.seconds[Rung.ROLLED_BACK.word] = round(work.tools.clock.monotonic() - started, 3)


def _do(work: Work, outcome: Outcome, step: Step) -> None:
    if step.watched:
        work.watch(vantages_for(work.now))
        if work.now.is_flipped and work.flipped_at is None:
            work.flipped_at = work.tools.clock.monotonic()
    stand(work, step)
    if outcome.proofs:
        outcome.proofs.before(step.id)
    started = work.tools.clock.monotonic()
    work.tools.tell(step.event("begin"))
    step.apply(work)
    seconds = work.tools.clock.monotonic() - started
    outcome.seconds[step.rung.word] = round(outcome.seconds.get(step.rung.word, 0.0) + seconds, 3)
    work.tools.tell(step.event("done", seconds=round(seconds, 2)))


def _finish(work: Work, outcome: Outcome) -> None:
    work.refresh()
    if outcome.proofs:
        outcome.proofs.arrived()
    outcome.after, outcome.rung, outcome.verdict = work.now, work.now.settings.goal, "upgraded"


def _roll_back_locked(work: Work, outcome: Outcome, started: float, contents: Contents | None) -> None:
    if journal_in(work.refresh().snapshot) != work.now.journal:  # whoever held the lock until now
        raise SafeStop("The cluster has changed since it was looked at; nothing was taken back.", "Run again.")
    outcome.changed = True
    if work.now.journal is None:  # a run that was killed before its journal left nothing but its lock
        _verdict_rolled_back(work, outcome)
        return
    lift(work)
    if work.now.is_flipped:
        work.watch(vantages_for(work.now))
    _way_back(work, outcome, "", started, contents)
    _verdict_rolled_back(work, outcome)


def _verdict_rolled_back(work: Work, outcome: Outcome) -> None:
    _refresh_if_possible(work)
    outcome.after, outcome.rung, outcome.verdict = work.now, Rung.ROLLED_BACK, "rolled_back"


def _close(work: Work, outcome: Outcome) -> None:
    probes, clock = work.tools.probes, work.tools.clock
    probes.stop()
    outcome.guard = relieve(work)
    outcome.changed = outcome.changed or bool(work.now.journal and work.now.journal.uid)
    outcome.traffic = traffic.summary(probes.samples(), probes.events(), clock.monotonic(), work.first_flip)
    _prove(work, outcome)
    if work.tools.keep_going() != CONTROLLER_GONE:
        try:
            work.lock.release()
        except WgeError as problem:
            work.note(f"the lock was not given back: {problem.what}")
    outcome.identity = identity_of(outcome.before, work.now)


def _prove(work: Work, outcome: Outcome) -> None:
    """What this run proved. After a stop the cluster may not answer, or nobody may be waiting for it."""
    if outcome.proofs is None:
        return
    if not isinstance(outcome.error, STOPS):
        outcome.proofs.end(planned_paths(work))
    outcome.continuity, outcome.untouched = outcome.proofs.continuity, outcome.proofs.untouched
