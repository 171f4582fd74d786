# SPDX-License-Identifier: GPL-3.0-or-later
"""The matrix as a table, its last line, and to which case a lost request belongs."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from pathlib import Path

from integration.witness import Seen

from .cases import Case
from .result import Result

HEAD = ("journey", "step", "write", "moment", "who dies", "outcome", "further runs", "requests lost")


def attribute(cases: Sequence[Case], lane: str, seen: Iterable[Seen]) -> Iterator[str]:
    """Give each loss on a lane to the case during which it happened; each in words."""
    for target, loss in ((stream["target"], loss) for one in seen for stream in one.streams for loss in stream["losses"]):
        at = datetime.fromisoformat(loss["at"]).timestamp()
        during = next((case for case in cases if case.lane == lane and case.began <= at <= case.ended), None)
        if during:
            during.lost += 1
        where = f"{during.journey}, {during.point.moment} {during.point.sent}" if during else "outside of every case"
        yield f"Lost on {lane} at {loss['at']}, {target}: {loss['why']} ({where})."


def last_line(result: Result) -> str:
    """The one line that counts."""
    safe = sum(case.safe for case in result.cases)
    return f"{len(result.cases)} cases, {safe} safe, {len(result.cases) - safe} unsafe, {result.lost} requests lost"


def write(path: Path, result: Result) -> None:
    """Every case, as Markdown."""
    rows = [HEAD, tuple("---" for _ in HEAD), *(_row(case, result.step_of(case)) for case in result.cases)]
    lines = ["| " + " | ".join(row) + " |" for row in rows]
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("\n".join(["# Killed at every write", "", *lines, "", *result.notes, "", last_line(result), ""]), encoding="utf-8")


def outcome(case: Case) -> str:
    """How a case ended, and what was wrong."""
    return case.outcome if not case.wrong else f"**{case.outcome or 'unsafe'}: {'; '.join(case.wrong)}**"


def _row(case: Case, step: str) -> tuple[str, ...]:
    point = case.point
    cells = (case.journey, step, str(point.sent), point.moment, point.way, outcome(case), str(case.further), str(case.lost))
    return tuple(cell.replace("|", "\\|") for cell in cells)
