# SPDX-License-Identifier: GPL-3.0-or-later
"""S5a: the local login that WGE needs at its start, where WG had none of its kind. PRIVATE.

Killed here: a Secret that nobody reads yet. ``rolled_back`` deletes it, for it carries the run label.
"""

from __future__ import annotations

from ..logins import to_come
from ..model import Rung
from ..names import LOGIN_SECRET
from ..objects import path_of
from ..situation import Situation
from ..writes import Write, create
from .base import Step


class Credentials(Step):
    """S5a: the Secret of the local user, which WG of before its chart did not have (F9)."""

    id = "S5a"
    title = "put the local user in place"
    rung = Rung.PREPARED

    def writes(self, now: Situation) -> list[Write]:
        """The Secret, unless one is there or nobody says what it should hold (check CU-05 speaks of that)."""
        body = to_come(now.settings, now.snapshot)
        if body is None:
            return []
        body["metadata"]["labels"] = now.labels()
        return [create(body, path_of(body), f"create Secret {LOGIN_SECRET}")]
