# SPDX-License-Identifier: GPL-3.0-or-later
"""To which step a write belongs: to the one that was at work when it came, by the run file."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from .points import Sent

LOCK, JOURNAL = "S1 lock", "S2 journal"
"""They are written between steps, too."""
FENCE = "(fence)"
"""What a run that goes on writes first, so that nothing which is still on its way from the one before can arrive."""


def of(writes: Mapping[Sent, float], records: Sequence[Mapping[str, Any]]) -> dict[Sent, str]:
    """The step of each write; empty for one that was sent between two."""
    found = {}
    for write, at in writes.items():
        lock = write.what.startswith("leases/") or write.what.endswith(FENCE)
        journal = write.what.startswith("secrets/wge-journal-")
        found[write] = LOCK if lock else JOURNAL if journal else _at_work(at, records)
    return found


def _at_work(at: float, records: Sequence[Mapping[str, Any]]) -> str:
    """The step that had begun, or whose undoing had; empty between two."""
    told = [record for record in records if record["record"] == "step" and datetime.fromisoformat(record["at"]).timestamp() <= at]
    if not told or told[-1]["state"] == "done":
        return ""
    return f"{told[-1]['step']} {told[-1]['title']}"
