# SPDX-License-Identifier: GPL-3.0-or-later
"""Overruling a check: by whom, why, and until when. PRIVATE.

A waived failure is a warning that stands in every report with the name of who waived it. A waiver that has expired counts no
more. What cannot be waived is what nobody can answer for: the wrong cluster, missing rights, a forged entitlement.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import Any

from ..._errors import InvalidSettings
from .check import Check, Finding
from .evidence import WARN

_DAY = re.compile(r"\d{4}-\d{2}-\d{2}")


@dataclass(frozen=True, slots=True)
class Waiver:
    """One check overruled, to the end of the day ``expires`` (UTC)."""

    id: str
    who: str
    reason: str
    expires: date

    def holds(self, time: datetime) -> bool:
        """Whether it still counts at ``time``."""
        return time.date() <= self.expires

    def as_dict(self) -> dict[str, str]:
        """For reports."""
        return {"who": self.who, "reason": self.reason, "expires": self.expires.isoformat()}


def waivers_from(given: Iterable[Mapping[str, Any]], checks: Sequence[Check]) -> tuple[Waiver, ...]:
    """The waivers of a validated option. Raises InvalidSettings for an id that is unknown or not waivable, or for a missing part."""
    known = {check.id: check for check in checks}
    found = tuple(_waiver(entry, known) for entry in given)
    twice = sorted({one.id for one in found if sum(other.id == one.id for other in found) > 1})
    if twice:
        raise InvalidSettings(f"wge_waivers waives {', '.join(twice)} more than once.", "Keep one waiver for each check.")
    return found


def overruled(finding: Finding, waivers: Iterable[Waiver], time: datetime) -> Finding:
    """The finding as it counts: a warning when a waiver holds, and a word about one that has expired."""
    waiver = next((one for one in waivers if one.id == finding.id), None)
    if waiver is None or not finding.blocks:
        return finding
    if not waiver.holds(time):
        text = f"{finding.evidence} ({waiver.who}'s waiver ended on {waiver.expires}.)"
        return replace(finding, evidence=text)
    text = f"{finding.evidence} (Waived by {waiver.who} until {waiver.expires}: {waiver.reason.rstrip('.')}.)"
    return replace(finding, status=WARN, evidence=text, waiver=waiver.as_dict())


def _waiver(entry: Mapping[str, Any], known: Mapping[str, Check]) -> Waiver:
    name = str(entry.get("id") or "")
    if name not in known:
        raise InvalidSettings(f"wge_waivers names check {name or '(none)'}, which there is not.", "Correct its id.")
    if not known[name].waivable:
        raise InvalidSettings(f"Check {name} ({known[name].title}) cannot be waived.", f"Take it out of wge_waivers. {known[name].remedy}")
    for part in ("who", "reason", "expires"):
        if not str(entry.get(part) or "").strip():
            raise InvalidSettings(f"The waiver of {name} has no {part}.", "A waiver says who, reason and expires.")
    return Waiver(name, str(entry["who"]), str(entry["reason"]), _day(name, str(entry["expires"])))


def _day(name: str, text: str) -> date:
    try:
        if not _DAY.fullmatch(text):
            raise ValueError
        return date.fromisoformat(text)
    except ValueError:
        raise InvalidSettings(f"The waiver of {name} expires on {text!r}, which is no date.", "Write it as 2027-01-31.") from None
