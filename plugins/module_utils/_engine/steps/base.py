# SPDX-License-Identifier: GPL-3.0-or-later
"""What a step is. PRIVATE.

A step lists the writes that are missing; it is done when none is. So a second run writes nothing by construction, a killed
one goes on where it was, and the plan is exactly what will be sent.
"""

from __future__ import annotations

from collections.abc import Sequence

from ..model import Object, Right, Rung
from ..names import RUN_LABEL
from ..objects import labels_of, uid_of
from ..patches import still_missing
from ..situation import Situation
from ..work import Work
from ..writes import Write, delete


class Step:
    """One step of the ladder. ``id`` is its number in docs/facts.md, ``title`` says what it does."""

    id: str
    title: str
    rung: Rung
    watched = False
    """Whether the probes must run while this step is at work."""
    foreseen = True
    """Whether its writes are known when the plan is made: they are journalled, and part of the plan's hash."""
    after_record = False
    """Whether the record of WG's owner, when it was removed, is put back before this step is taken back."""

    def event(self, state: str, **more: object) -> Object:
        """What is told of it: ``state`` is begin, done or undo."""
        return {"event": "step", "step": self.id, "title": self.title, "rung": self.rung.word, "state": state, **more}

    def writes(self, now: Situation) -> list[Write]:
        """The writes that are missing, exactly as they will be sent. Pure."""
        raise NotImplementedError

    def done(self, now: Situation) -> bool:
        """Whether nothing is left to do. Pure."""
        return not self.writes(now)

    def apply(self, work: Work) -> None:
        """Do what is missing; afterwards ``done`` holds."""
        work.send_all(self.writes(work.now))

    def send(self, work: Work, writes: Sequence[Write]) -> None:
        """Send writes of this step that were planned and journalled before: how WG is removed."""
        work.send_all(writes)

    def undo(self, work: Work, entries: list[Object]) -> bool:
        """Take back what the journal says this step did, last write first; what is already back is passed over.

        Returns whether anything had to be taken back.
        """
        return sum(self.take_back(work, entry) for entry in reversed(entries)) > 0

    def take_back(self, work: Work, entry: Object) -> bool:
        """Take back one journalled write, with the guards it was journalled with; False when there is nothing to take back."""
        if entry["verb"] != "create" and not entry.get("reverse"):
            return False
        live = work.tools.cluster.get(entry["path"])
        write = self.reversal(work.now, entry, live)
        if write:
            work.send(write)
        elif live and entry["verb"] == "create":
            work.note(f"{entry['path']} was not created by this run and is left alone")
        return write is not None

    def reversal(self, now: Situation, entry: Object, live: Object | None) -> Write | None:
        """What is sent to take back one journalled write, None when there is nothing to take back (any more). Pure.

        Parts that somebody has put back already, as a helm upgrade does, are left out with their guards.
        """
        if live is None:
            return None
        if entry["verb"] == "create":
            ours = labels_of(live).get(RUN_LABEL) == now.run
            return delete(entry["path"], uid_of(live), f"take back: {entry['text']}") if ours else None
        if not entry.get("reverse"):
            return None
        missing = tuple(still_missing(entry["reverse"], live))
        write = Write("patch", entry["path"], f"take back: {entry['text']}", operations=missing)
        return None if write.is_applied(live) else write

    def still_holds(self, work: Work) -> str:
        """Why what this step froze is not frozen any more, empty when it is; asked again and again while WGE serves."""
        return ""

    def further_rights(self, now: Situation) -> list[Right]:
        """Permissions this step needs beside those of its writes."""
        return []
