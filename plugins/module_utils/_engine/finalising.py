# SPDX-License-Identifier: GPL-3.0-or-later
"""The end of an upgrade: after the retention time the parked WG is removed for good. PRIVATE.

Never in the run that flips. What goes is read, judged and journalled with its uids first; the journal is closed as ``finalised`` when
nothing of it is left. Going back from there needs the archive.
"""

from __future__ import annotations

from datetime import timedelta

from .._errors import Blocked, SafeStop, StepFailed
from .entitlement.verify import written
from .journal import FINALISED, FINALISING, PARKED, REMEMBERED
from .ladder import Outcome, guarded, lock_for
from .leftovers import lock_is_left, require_journal
from .look import look
from .model import Rung
from .names import ENTITLEMENT_NAMESPACE, ENTITLEMENT_SECRET
from .objects import name_of
from .ownership import owners_of
from .parked import REMOVAL, staying, with_parked
from .plan import Plan, Planned, final_steps_of, plan_for, rights_to_remove, rung_of
from .removed import memory_of, require_not_returning
from .rights import Rules
from .settings import Settings
from .situation import Situation, require_flipped
from .steps.forms import FORMS
from .steps.owners import Freeze
from .steps.rehearse import judge_answers
from .vantages import vantages_for
from .work import Tools, Work

SHOWN = 3


def finalise(tools: Tools, settings: Settings, *, check_mode: bool) -> Outcome:
    """Remove what is parked. Raises Blocked when it may not be removed (yet); then nothing was written."""
    started = tools.clock.monotonic()
    now = with_parked(tools.cluster, look(tools, settings))
    require_journal(now)
    require_not_returning(now)
    reached = rung_of(now)
    outcome = Outcome(now, now, reached, reached, owners=owners_of(now))
    work = Work(tools, lock_for(tools, now), now)
    _judge(work, reached)
    outcome.plan = plan_to_finalise(now)
    if reached is Rung.FINALISED and not lock_is_left(now):
        outcome.verdict = "already"
        return outcome
    if check_mode:
        outcome.verdict, outcome.changed = "planned", True
        return outcome
    _require_rights(tools, now)
    guarded(work, outcome, lambda: _locked(work, outcome))
    outcome.seconds[Rung.FINALISED.word] = round(tools.clock.monotonic() - started, 3)
    return outcome


def plan_to_finalise(now: Situation) -> Plan:
    """What is still to be removed and handed back."""
    planned = [Planned(step, tuple(step.writes(now))) for step in final_steps_of(now)]
    return Plan(tuple(entry for entry in planned if entry.writes), now.run)


def _judge(work: Work, reached: Rung) -> None:
    now = work.now
    if reached < Rung.PARKED:
        raise _not_parked(now, reached)
    require_flipped(now)
    if now.journal is None:
        raise Blocked("No journal says when WG was parked.", "Roll the cluster back and upgrade it again, or remove WG by hand.")
    if now.journal.state == PARKED:
        _require_retention(work)
        if unpaid := FORMS[now.form].unpaid(now):
            raise Blocked(unpaid, "Merge what wge_git_changes makes, wait until Flux has applied it, then finalise.")
    if reached is Rung.PARKED:
        _require_wge(work)


def _not_parked(now: Situation, reached: Rung) -> Blocked:
    seen = [name_of(revision.secret) for revision in now.snapshot.installed.revisions if revision.owner == "helm"]
    if seen and now.is_parked and any(isinstance(step, Freeze) for step in FORMS[now.form].freeze):
        return Blocked(
            f"Somebody ran helm on WG's release after it was parked: {', '.join(seen)} is visible to helm.",
            "Stop what runs helm on this release, run the upgrade again, then finalise.",
        )
    if now.is_parked:
        missing = [write.text for write in plan_for(now, Rung.PARKED).writes]
        return Blocked(
            f"WG is parked, and something has changed since: still to be done is to {'; '.join(missing[:SHOWN])}.",
            "Run the upgrade again, then finalise.",
        )
    return Blocked(f"The cluster is {reached.word}; only one that is parked can be finalised.", "Run the upgrade first.")


def _require_retention(work: Work) -> None:
    journal, days = work.journal, work.now.settings.retention_days
    due = journal.parked_at + timedelta(days=days)
    if work.tools.time() < due:
        raise Blocked(
            f"WG was parked on {written(journal.parked_at)} and is kept for {days:g} days: it may be removed from {written(due)} on.",
            "Run this again then, or give a shorter wge_retention_days.",
        )


def _require_wge(work: Work) -> None:
    """WG is the way back in seconds: it stays while WGE does not serve, or would not after its next restart."""
    now, main = work.now, work.now.main_service
    if now.snapshot.named.get(ENTITLEMENT_SECRET) is None:
        raise Blocked(
            f"The Secret {ENTITLEMENT_SECRET} in namespace {ENTITLEMENT_NAMESPACE} is gone: WGE serves until its next restart only.",
            "Put the entitlement back with install_entitlements.yml, then finalise.",
        )
    try:
        if main:
            judge_answers(work, name_of(main), now.serving_port(main))
    except StepFailed as problem:
        raise Blocked(f"{problem.what} WG is not removed.", problem.next_step) from problem


def _require_rights(tools: Tools, now: Situation) -> None:
    missing = Rules(tools.cluster).missing(rights_to_remove(now))
    if missing:
        raise Blocked(
            f"{len(missing)} rights to finalise are missing: {'; '.join(map(str, missing))}.",
            "Have an administrator apply docs/rbac/upgrade.yml.",
        )


def _locked(work: Work, outcome: Outcome) -> None:
    work.now = with_parked(work.tools.cluster, work.refresh())
    if work.journal.state != FINALISED:
        plan = plan_to_finalise(work.now)
        if plan.hash != outcome.plan.hash:
            raise SafeStop("The cluster has changed since the plan was made; nothing was removed.", "Run again.")
        _write_ahead(work, plan)
        outcome.changed = True
        _listen(work, "before WG's objects go", "Nothing was removed; repair it first.")
        for planned in plan.planned:
            _do(work, planned)
        _listen(work, "after WG's objects went", "Look at the policies of the namespace; WG's own can be put back from the archive.")
        _close(work)
    work.now = with_parked(work.tools.cluster, work.refresh())
    outcome.after, outcome.rung, outcome.verdict, outcome.owners = work.now, Rung.FINALISED, "finalised", owners_of(work.now)


def _write_ahead(work: Work, plan: Plan) -> None:
    """What goes, with its uids, and what WG was: from here on no list is made anew."""
    journal = work.journal
    added = journal.add(REMOVAL, plan.writes)
    if journal.state == PARKED:
        journal.notes[REMEMBERED] = memory_of(work.now.snapshot.installed, staying(work.now)) | {"storage": work.now.snapshot.storage}
        journal.state, added = FINALISING, True
    if added:
        work.save_journal()


def _do(work: Work, planned: Planned) -> None:
    step = planned.step
    work.tools.tell(step.event("begin"))
    started = work.tools.clock.monotonic()
    step.send(work, planned.writes)
    work.tools.tell(step.event("done", seconds=round(work.tools.clock.monotonic() - started, 2)))


def _listen(work: Work, when: str, advice: str) -> None:
    work.watch(vantages_for(work.now))
    if lost := work.listen(f"listening to WGE {when}"):
        raise SafeStop(f"The dashboard fails {when}: {lost}.", advice)


def _close(work: Work) -> None:
    journal = work.journal
    journal.state = FINALISED
    journal.notes[FINALISED] = work.tools.time().isoformat(timespec="seconds")
    work.save_journal()
