# SPDX-License-Identifier: GPL-3.0-or-later
"""The matrix on the page of the documentation: a row for each write, a column for each moment, in the place that the page leaves for it."""

from __future__ import annotations

import inspect
import os
from collections import Counter
from collections.abc import Iterable, Sequence
from pathlib import Path

from gates.rst import table

from . import beside
from .cases import REACHED, Case
from .matrix import JOURNEYS
from .points import MOMENTS, RUN, Sent
from .result import Result
from .table import last_line, outcome

BEGIN, END = ".. begin of what make chaos writes: form {form}\n", ".. end of what make chaos writes: form {form}\n"
TITLES = {"parked": "on the way to parked", "rolled_back": "on the way back", "finalised": "on the way to finalised"}
HEAD = ("Step", "Write", *MOMENTS, "Lost")
WIDTHS = "22 39 12 12 12 3"
HEAD_BESIDE = ("What is tried", "Where", "What came of it", "Further runs", "Lost")
WIDTHS_BESIDE = "28 28 34 5 5"


def write(path: Path, result: Result, form: str) -> None:
    """Put the tables of a form in their place. ValueError when the page has none."""
    begin, end = (mark.format(form=form) for mark in (BEGIN, END))
    before, _begin, rest = path.read_text(encoding="utf-8").partition(begin)
    _old, found, after = rest.partition(end)
    if not found:
        raise ValueError(f"{path} has no place for the tables of form {form}")
    path.write_text(f"{before}{begin}\n{_tables(result.of_form(form), form)}\n{end}{after}", encoding="utf-8")


def _tables(result: Result, form: str) -> str:
    lines = [_said(result, form), ""]
    for journey in JOURNEYS:
        cases = [case for case in result.cases if case.journey == journey and not case.beside]
        if cases:
            lines += table(f"Form {form}, {TITLES[journey]}", WIDTHS, HEAD, _rows(result, cases))
    if rows := [_row_beside(case) for case in result.cases if case.beside]:
        lines += table("Beside these", WIDTHS_BESIDE, HEAD_BESIDE, sorted(rows))
    return "\n".join(lines)


def _said(result: Result, form: str) -> str:
    """How much was tried, and what came of it."""
    last = last_line(result)
    if result.whole(form):
        return f"The last run of all of it, on {os.cpu_count()} cores in {result.seconds / 60:.0f} minutes: {last} of {result.asked}."
    of = sum(number for key, number in result.foreseen.items() if key.startswith(f"{form} "))
    number = f", of {of} in all" if of else ""
    return f"A part of the points, spread over the writes of each journey{number}: {last} of {result.asked}."


def _rows(result: Result, cases: Sequence[Case]) -> list[tuple[str, ...]]:
    """A row for each write, in the order in which they are sent; a step is named in its first row."""
    order = list(result.steps)
    cases = sorted(cases, key=lambda case: order.index(result.key(case)) if result.key(case) in order else len(order))
    writes = {case.point.sent: result.step_of(case) for case in cases}
    plain = Counter((step, _plain(write)) for write, step in writes.items())
    rows: list[tuple[str, ...]] = []
    above = None
    for write, step in writes.items():
        of_it = [case for case in cases if case.point.sent == write]
        told = _plain(write) if plain[step, _plain(write)] == 1 else str(write)
        moments = (_cell(case for case in of_it if case.point.moment == moment) for moment in MOMENTS)
        rows.append(("" if step == above else step, f"`{told}`", *moments, str(sum(case.lost for case in of_it))))
        above = step
    return rows


def _plain(write: Sent) -> str:
    """Without what a patch changes: the step says it, too."""
    return str(write).partition(" (")[0]


def _cell(cases: Iterable[Case]) -> str:
    """Who died, and after how many further runs it had arrived."""
    return ", ".join(f"{case.point.way} {case.further}{'' if outcome(case) == REACHED else ': ' + outcome(case)}" for case in cases)


def _row_beside(case: Case) -> tuple[str, ...]:
    what = inspect.getdoc(beside.chosen(case.beside)[case.beside]) or ""
    where = f"{case.journey}: {case.point.moment} `{_plain(case.point.sent)}`"
    return what.partition("\n")[0], where, RUN.sub("RUN", outcome(case)), str(case.further), str(case.lost)
