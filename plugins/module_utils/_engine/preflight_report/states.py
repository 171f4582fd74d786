# SPDX-License-Identifier: GPL-3.0-or-later
"""What a finding means to a person, in one word. PRIVATE.

A finding has a severity and a status; only both together, and a waiver, say what to do.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

BLOCK, ERROR, WARN, WAIVED, SKIP, PASS = STATES = ("block", "error", "warn", "waived", "skip", "pass")
"""From what cannot wait to what needs nobody: ``block`` forbids the upgrade, ``error`` could not be checked."""
GREEN = (SKIP, PASS)

Row = Mapping[str, Any]

_PHRASES = {
    BLOCK: ("blocks", "block"),
    ERROR: ("could not be checked", "could not be checked"),
    WARN: ("warns", "warn"),
    WAIVED: ("waived", "waived"),
    SKIP: ("skipped", "skipped"),
    PASS: ("passed", "passed"),
}


def state_of(check: Row) -> str:
    """One of STATES, of a finding as results have it."""
    status = check.get("status")
    if check.get("waiver"):
        return WAIVED
    if status == "fail":
        return BLOCK if check.get("severity") == "block" else WARN
    return str(status) if status in STATES else ERROR


def counted(states: Iterable[str]) -> dict[str, int]:
    """How many there are of each state; every state is named."""
    found = list(states)
    return {state: found.count(state) for state in STATES}


def phrase(counts: Mapping[str, int]) -> str:
    """``1 blocks, 2 warn, 31 passed``: what there is none of is left out."""
    return ", ".join(f"{counts[state]} {_PHRASES[state][counts[state] != 1]}" for state in STATES if counts[state]) or "nothing was checked"
