# SPDX-License-Identifier: GPL-3.0-or-later
"""The plan: which steps are missing, what each will send, in order, and a hash of it all. PRIVATE."""

from __future__ import annotations

import json
from dataclasses import dataclass

from .deliveries import delivery_of
from .journal import FINALISED, REMOVING
from .model import Object, Right, Rung
from .objects import digest
from .parked import manifest_paths
from .rbac import RBAC
from .rights import backwards, backwards_of, forwards, of_path
from .situation import Situation
from .steps.archive import Archive
from .steps.base import Step
from .steps.forms import FORMS
from .steps.guard import guarded_steps
from .steps.install import InstallBeside
from .steps.policies import TwinPolicies
from .steps.prepare import CarryLogin, CloseJournal, Entitle, OpenJournal
from .steps.rehearse import Rehearse
from .steps.switch import Flip, Park, Soak, Verify, rights_to_probe
from .work import Work
from .writes import Write

FIRST: tuple[Step, ...] = (Archive(), OpenJournal(), Entitle(), CarryLogin())
"""Before anything of WG is touched; then come the steps of its form, which take away the power to delete."""

THEN: tuple[Step, ...] = (
    InstallBeside(),
    TwinPolicies(),
    Rehearse(),
    Flip(),
    Verify(),
    Soak(),
    Park(),
    CloseJournal(),
)
"""The same in every form. The lock (S1) is taken before the first step and the probes (S10) run from the first watched one on;
both belong to the ladder."""


@dataclass(frozen=True, slots=True)
class Planned:
    """A step that is missing, and the writes it will send."""

    step: Step
    writes: tuple[Write, ...]

    def shown(self) -> Object:
        """The entry for results and diffs; Secrets' bytes are hidden."""
        return {
            "step": self.step.id,
            "title": self.step.title,
            "rung": self.step.rung.word,
            "writes": [write.shown() for write in self.writes],
        }


@dataclass(frozen=True, slots=True)
class Plan:
    """The missing steps up to a rung, for one run."""

    planned: tuple[Planned, ...] = ()
    run: str = ""

    @property
    def writes(self) -> list[Write]:
        """All writes, in order."""
        return [write for entry in self.planned for write in entry.writes]

    @property
    def hash(self) -> str:
        """Changes when anything that will be sent changes, but for the run's id and what is only known on the way.

        A step that only waits for others may be done at any moment.
        """
        content = [[e.step.id, [w.content() for w in e.writes]] for e in self.planned if e.step.foreseen and e.writes]
        return digest(json.dumps(content, sort_keys=True).replace(self.run, "RUN") if self.run else content)

    def shown(self) -> list[Object]:
        """The plan for results and diffs."""
        return [entry.shown() for entry in self.planned]


def plan_for(now: Situation, goal: Rung) -> Plan:
    """What is missing between here and ``goal``. Raises Blocked when a step cannot be planned."""
    missing = [step for step in steps_to(now, goal) if not step.done(now)]
    return Plan(tuple(Planned(step, tuple(step.writes(now))) for step in missing), now.run)


def write_ahead(work: Work, plan: Plan) -> None:
    """Note every write of the plan in the journal; an adopted one is stored at once, a new one by its own step."""
    journal = work.journal
    added = [journal.add(e.step.id, e.writes) for e in plan.planned if e.step.foreseen]
    if not journal.plan_hash:
        journal.plan_hash = plan.hash
    if any(added) and journal.uid:
        work.save_journal()


def steps_of(now: Situation) -> tuple[Step, ...]:
    """Every step of a climb, in the order it is done (docs/facts.md)."""
    return guarded_steps(now, (*FIRST, *FORMS[now.form].freeze, *THEN))


def final_steps_of(now: Situation) -> tuple[Step, ...]:
    """After the retention time, in a call of their own: WG is never removed by the run that flips."""
    return FORMS[now.form].final


def steps_to(now: Situation, goal: Rung) -> list[Step]:
    """The steps up to and with a rung."""
    return [step for step in steps_of(now) if step.rung <= goal]


def rung_of(now: Situation) -> Rung:
    """Where a cluster stands: the highest rung all of whose steps, and those below, are done."""
    if now.journal and now.journal.state in REMOVING:
        return Rung.FINALISED if now.journal.state == FINALISED else Rung.PARKED
    steps = steps_of(now)
    if now.is_parked and all(step.done(now) for step in steps):
        return Rung.PARKED
    reached = Rung.INSTALLED
    for rung in sorted({step.rung for step in steps}):
        if not all(step.done(now) for step in steps if step.rung == rung):
            break
        reached = rung
    return reached


def rights_forwards(now: Situation, plan: Plan) -> list[Right]:
    """Every permission the plan needs to be carried out."""
    wanted = forwards(plan.writes) + [r for entry in plan.planned for r in entry.step.further_rights(now)]
    if _installs(now, plan):
        wanted += delivery_of(now).rights(now)
    return list(dict.fromkeys(wanted + rights_to_probe(now) + _lock_rights(now)))


def rights_to_remove(now: Situation) -> list[Right]:
    """Every permission that finalising needs: as far as it is known now, what it deletes, and what it reads to judge that."""
    wanted = [of_path(verb, path) for path in manifest_paths(now) for verb in ("get", "delete")]
    wanted += [Right(verb, "", "secrets", now.namespace) for verb in ("get", "list", "patch", "delete")]
    wanted += [right for step in final_steps_of(now) for right in step.further_rights(now)]
    wanted += [Right("list", RBAC, plural) for plural in ("clusterrolebindings", "rolebindings")]
    return list(dict.fromkeys(wanted + _lock_rights(now)))


def rights_backwards(now: Situation, plan: Plan) -> list[Right]:
    """Every permission needed to end what the plan begins: to take it back from any point, with what an earlier call has done of it,
    or to remove WG after the retention time."""
    wanted = backwards(plan.writes) + (backwards_of(now.journal.entries) if now.journal else [])
    if _installs(now, plan):
        wanted += delivery_of(now).rights_back(now)
    return list(dict.fromkeys(wanted + rights_to_remove(now)))


def _installs(now: Situation, plan: Plan) -> bool:
    """Whether the plan delivers WGE, rather than only changing what is there."""
    return any(entry.step.id == InstallBeside.id for entry in plan.planned) and bool(delivery_of(now).writes(now))


def _lock_rights(now: Situation) -> list[Right]:
    return [Right(verb, "coordination.k8s.io", "leases", now.namespace) for verb in ("get", "create", "patch", "delete")]
