# SPDX-License-Identifier: GPL-3.0-or-later
"""The plan: which steps are missing, what each will send, in order, and a hash of it all. PRIVATE."""

from __future__ import annotations

import json
from dataclasses import dataclass

from .journal import FINALISED, REMOVING
from .model import Object, Right, Rung
from .objects import digest
from .parked import manifest_paths
from .rbac import RBAC
from .rights import backwards, backwards_of, forwards, of_chart, of_path
from .situation import Situation
from .steps.archive import Archive
from .steps.base import Step
from .steps.finalise import HandBack, Remove
from .steps.install import InstallBeside
from .steps.owners import Freeze, Protect
from .steps.policies import TwinPolicies
from .steps.prepare import CarryLogin, CloseJournal, Entitle, OpenJournal
from .steps.rehearse import Rehearse
from .steps.switch import Flip, Park, Soak, Verify, rights_to_probe
from .writes import Write

HELM_VERBS = ("get", "create", "patch")
HELM_UNDO_VERBS = ("delete",)
STORAGE_VERBS = ("get", "list", "create", "update")
STORAGE_UNDO_VERBS = ("get", "list", "update", "delete")
"""What helm does to its own release Secrets."""

STEPS: tuple[Step, ...] = (
    Archive(),
    OpenJournal(),
    Entitle(),
    CarryLogin(),
    Protect(),
    Freeze(),
    InstallBeside(),
    TwinPolicies(),
    Rehearse(),
    Flip(),
    Verify(),
    Soak(),
    Park(),
    CloseJournal(),
)
"""Form A, delivery helm: every step in the order it is done (docs/facts.md). The lock (S1) is taken
before the first and the probes (S10) run from the first watched one on; both belong to the ladder."""


FINAL_STEPS: tuple[Step, ...] = (Remove(), HandBack())
"""After the retention time, in a call of their own: WG is never removed by the run that flips."""


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
        """Changes when anything that will be sent changes, but for the run's id and what is only known on the way."""
        content = [[e.step.id, [w.content() for w in e.writes]] for e in self.planned if e.step.foreseen]
        return digest(json.dumps(content, sort_keys=True).replace(self.run, "RUN") if self.run else content)

    def shown(self) -> list[Object]:
        """The plan for results and diffs."""
        return [entry.shown() for entry in self.planned]


def plan_for(now: Situation, goal: Rung) -> Plan:
    """What is missing between here and ``goal``. Raises Blocked when a step cannot be planned."""
    missing = [step for step in steps_to(goal) if not step.done(now)]
    return Plan(tuple(Planned(step, tuple(step.writes(now))) for step in missing), now.run)


def steps_to(goal: Rung) -> list[Step]:
    """The steps up to and with a rung."""
    return [step for step in STEPS if step.rung <= goal]


def rung_of(now: Situation) -> Rung:
    """Where a cluster stands: the highest rung all of whose steps, and those below, are done."""
    if now.journal and now.journal.state in REMOVING:
        return Rung.FINALISED if now.journal.state == FINALISED else Rung.PARKED
    if now.is_parked and all(step.done(now) for step in STEPS):
        return Rung.PARKED
    reached = Rung.INSTALLED
    for rung in sorted({step.rung for step in STEPS}):
        if not all(step.done(now) for step in STEPS if step.rung == rung):
            break
        reached = rung
    return reached


def rights_forwards(now: Situation, plan: Plan) -> list[Right]:
    """Every permission the plan needs to be carried out."""
    wanted = forwards(plan.writes) + [r for entry in plan.planned for r in entry.step.further_rights(now)]
    if _installs(plan):
        wanted += of_chart(now.target.objects, now.namespace, HELM_VERBS)
        wanted += [Right(verb, "", "secrets", now.namespace) for verb in STORAGE_VERBS]
    return list(dict.fromkeys(wanted + rights_to_probe(now) + _lock_rights(now)))


def rights_to_remove(now: Situation) -> list[Right]:
    """Every permission that finalising needs: as far as it is known now, what it deletes, and what it reads to judge that."""
    wanted = [of_path(verb, path) for path in manifest_paths(now) for verb in ("get", "delete")]
    wanted += [Right(verb, "", "secrets", now.namespace) for verb in ("get", "list", "patch", "delete")]
    wanted += [Right("list", RBAC, plural) for plural in ("clusterrolebindings", "rolebindings")]
    return list(dict.fromkeys(wanted + _lock_rights(now)))


def rights_backwards(now: Situation, plan: Plan) -> list[Right]:
    """Every permission needed to end what the plan begins: to take it back from any point, with what an earlier call has done of it,
    or to remove WG after the retention time."""
    wanted = backwards(plan.writes) + (backwards_of(now.journal.entries) if now.journal else [])
    if _installs(plan):
        wanted += of_chart(now.target.objects, now.namespace, HELM_UNDO_VERBS)
        wanted += [Right(verb, "", "secrets", now.namespace) for verb in STORAGE_UNDO_VERBS]
    return list(dict.fromkeys(wanted + rights_to_remove(now)))


def _installs(plan: Plan) -> bool:
    return any(write.release for write in plan.writes)


def _lock_rights(now: Situation) -> list[Right]:
    return [Right(verb, "coordination.k8s.io", "leases", now.namespace) for verb in ("get", "create", "patch", "delete")]
