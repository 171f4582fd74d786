# SPDX-License-Identifier: GPL-3.0-or-later
"""NE-10: does the dashboard answer well where it is called, before anything is changed? PRIVATE."""

from __future__ import annotations

from collections.abc import Callable

from ..._errors import WgeError
from ..entitlement.effect import not_wges
from ..model import Answer, Vantage
from ..vantages import vantages_for
from .evidence import Evidence, Judged, failed, passed, skipped, warned

TIMES = 2
MISSING = 404
FAULTY = 500


def answers(evidence: Evidence) -> Judged:
    """NE-10. Two requests through the API server's proxy, shared with CU-03, and four to each entry URL."""
    vantages, ask = vantages_for(evidence.now), evidence.ask
    if not vantages:
        return failed("There is neither a Service nor an entry URL to call.", "Look at check NE-01.")
    entries = [vantage for vantage in vantages if vantage.kind == "entry"]
    if entries and ask is None:
        return skipped(f"{len(entries)} entry URLs cannot be called from here: this is not the live cluster.")
    said = {vantage.name: _by_entry(vantage, ask) if ask and vantage in entries else _by_proxy(vantage, evidence) for vantage in vantages}
    faults = [f"{name}: {fault}" for name, (fault, _statuses) in said.items() if fault]
    if faults:
        return failed(
            f"The dashboard fails already, before anything is changed: {'; '.join(faults)}.",
            "Repair the way to it first, or correct wge_entry_urls.",
        )
    lost = [name for name, (_fault, statuses) in said.items() if statuses and statuses[0] == MISSING]
    if lost:
        return warned(
            f"These addresses have no page: {', '.join(lost)} (404).", "Correct wge_entry_urls: WG's first page is expected there."
        )
    text = "; ".join(f"{name} {', '.join(map(str, statuses))}" for name, (_fault, statuses) in said.items())
    return passed(f"Each place answers, the first page and one that needs a login: {text}.")


def _by_proxy(vantage: Vantage, evidence: Evidence) -> tuple[str, list[int]]:
    """The first fault, empty when there was none, and the statuses up to there."""
    statuses: list[int] = []
    for path in vantage.paths:
        answer = evidence.answer(vantage.address + path)
        if fault := not_wges(answer) or _fault(path, answer):
            return fault, statuses
        statuses.append(answer.status)
    return "", statuses


def _by_entry(vantage: Vantage, ask: Callable[[str], Answer]) -> tuple[str, list[int]]:
    """As ``_by_proxy``, each path more than once; a place that does not answer is not asked again."""
    statuses: list[int] = []
    for path in vantage.paths * TIMES:
        try:
            answer = ask(vantage.address + path)
        except WgeError as problem:
            return problem.what.rstrip("."), statuses
        if fault := _fault(path, answer):
            return fault, statuses
        statuses.append(answer.status)
    return "", statuses


def _fault(path: str, answer: Answer) -> str:
    return f"{path} answers {answer.status}" if answer.status >= FAULTY else ""
