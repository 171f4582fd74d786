# SPDX-License-Identifier: GPL-3.0-or-later
"""What a record holds beside the answers: noted as a preflight goes on. PRIVATE."""

from __future__ import annotations

from datetime import datetime

from ..._errors import WgeError
from ..checks.evidence import Evidence
from ..names import TOOL
from ..objects import object_path, uid_of
from ..settings import Settings
from ..situation import Situation
from . import questions
from .record import Record, error_as, grant_as, settings_as, text_of_time


def note_look(record: Record, now: Situation) -> None:
    """What the plan and the checks begin with."""
    record.grant, record.run = grant_as(now.grant), now.run


def note_checks(record: Record, evidence: Evidence) -> None:
    """What the checks were given that is not the cluster's, and what they found."""
    record.controller_time, record.skew = text_of_time(evidence.controller_time), evidence.skew
    record.login_ends, record.plan_hash = text_of_time(evidence.login_ends), evidence.plan.hash
    record.judged = {name: [found.status, found.evidence, found.remedy] for name, found in evidence.judged.items()}


def note_call(record: Record, settings: Settings, taken: datetime, ended: WgeError | None) -> None:
    """What was asked for, when, and which error ended it."""
    record.taken, record.tool, record.settings = text_of_time(taken), TOOL, settings_as(settings)
    record.ended = error_as(ended) if ended else None
    system = record.answers.get(questions.get(object_path("Namespace", "kube-system")))
    record.uid = uid_of(system[0].answer) if system and system[0].answer else ""
