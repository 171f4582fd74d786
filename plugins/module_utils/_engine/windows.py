# SPDX-License-Identifier: GPL-3.0-or-later
"""Change windows: intervals of ISO 8601 in which an upgrade may begin. PRIVATE."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timezone

from .._errors import InvalidSettings


@dataclass(frozen=True, slots=True, order=True)
class Window:
    """From ``begin`` until ``end``, both UTC."""

    begin: datetime
    end: datetime

    def holds(self, time: datetime) -> bool:
        """Whether a moment lies in it."""
        return self.begin <= time < self.end

    def __str__(self) -> str:
        return f"{self.begin:%Y-%m-%d %H:%M} to {self.end:%Y-%m-%d %H:%M} UTC"


def windows_from(texts: Iterable[str]) -> list[Window]:
    """The windows in order. Raises InvalidSettings for a text that is no interval with two zoned times."""
    return sorted(_window(text) for text in texts)


def _window(text: str) -> Window:
    begin, slash, end = (_moment(part) if part != "/" else None for part in text.partition("/"))
    if slash is not None or begin is None or end is None:
        raise InvalidSettings(
            f"The change window {text!r} is not an interval with time zones.", "Write it as 2026-11-28T20:00Z/2026-11-29T02:00Z."
        )
    if begin >= end:
        raise InvalidSettings(f"The change window {text!r} ends before it begins.", "Give the earlier moment first.")
    return Window(begin, end)


def _moment(text: str) -> datetime | None:
    try:
        found = datetime.fromisoformat(text.strip().replace("Z", "+00:00"))
    except ValueError:
        return None
    return found.astimezone(timezone.utc) if found.tzinfo else None
