# SPDX-License-Identifier: GPL-3.0-or-later
"""What came of a run of the matrix, or of a part of it: kept as a file, and put together with the other parts."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

from . import beside
from .cases import Case
from .forms import FORMS
from .points import Point, Sent


@dataclass
class Result:
    """All cases, how many requests were lost in all, and what else is to be said."""

    cases: list[Case] = field(default_factory=list)
    lost: int = 0
    asked: int = 0
    notes: list[str] = field(default_factory=list)
    steps: dict[str, str] = field(default_factory=dict)
    """By form, journey and write (`key_of`), in the order of the writes."""
    counted: dict[str, tuple[int, int]] = field(default_factory=dict)
    """By form, how many requests were sent, and how many of them lost."""
    foreseen: dict[str, int] = field(default_factory=dict)
    """By form and journey, how many points there are, tried or not."""
    seconds: float = 0.0
    parts: list[str] = field(default_factory=list)
    """Which parts of which form's matrix (`B 2/5`) are in here, without an end before their time."""
    others: list[str] = field(default_factory=list)
    """What was tried beside the matrix, to the end as well."""

    @property
    def safe(self) -> bool:
        """Whether there is anything in it, and nothing to repair."""
        return bool(self.cases) and all(case.safe for case in self.cases) and not self.lost

    def whole(self, form: str) -> bool:
        """Whether no part of a form's matrix is missing, nor anything that is tried beside it."""
        parts = {part.partition(" ")[2] for part in self.parts if part.startswith(f"{form} ")}
        of = {int(part.partition("/")[2]) for part in parts}
        return (
            len(of) == 1
            and len(parts) == of.pop()
            and (not FORMS[form].with_others or set(self.others) == set(beside.chosen(beside.EVERYTHING)))
        )

    def of_form(self, form: str) -> Result:
        """What of it was tried on one form."""
        asked, lost = self.counted.get(form, (0, 0))
        return replace(self, cases=[case for case in self.cases if case.form == form], asked=asked, lost=lost)

    def step_of(self, case: Case) -> str:
        """The step to which the write of a case belongs; empty for one that lies between two."""
        return self.steps.get(self.key(case), "")

    @staticmethod
    def key(case: Case) -> str:
        """What the steps are known by."""
        return key_of(case.form, case.journey, case.point.sent)

    def learn(self, steps: Mapping[str, str]) -> None:
        """What is known already stands."""
        for key, step in steps.items():
            self.steps.setdefault(key, step)

    def write(self, path: Path) -> None:
        """As a file."""
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps(asdict(self), indent=1), encoding="utf-8")


def read(path: Path) -> Result:
    """From a file."""
    content = json.loads(path.read_text(encoding="utf-8"))
    return Result(**{**content, "cases": [_case(entry) for entry in content["cases"]]})


def key_of(form: str, journey: str, write: Sent) -> str:
    """What the steps of a result are known by."""
    return f"{form} {journey} {write}"


def together(results: Sequence[Result]) -> Result:
    """One of many."""
    whole = Result(
        cases=[case for result in results for case in result.cases],
        lost=sum(result.lost for result in results),
        asked=sum(result.asked for result in results),
        notes=[note for result in results for note in result.notes],
        seconds=sum(result.seconds for result in results),
        parts=[part for result in results for part in result.parts],
        others=[name for result in results for name in result.others],
    )
    for result in results:
        whole.learn(result.steps)
        for form, (asked, lost) in result.counted.items():
            before = whole.counted.get(form, (0, 0))
            whole.counted[form] = before[0] + asked, before[1] + lost
        whole.foreseen |= result.foreseen
    return whole


def _case(entry: dict[str, Any]) -> Case:
    point = entry["point"]
    return Case(**{**entry, "point": Point(**{**point, "sent": Sent(**point["sent"])})})
