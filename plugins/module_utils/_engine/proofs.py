# SPDX-License-Identifier: GPL-3.0-or-later
"""What a climb or a way back proves besides arriving: the API answers as it did, and what is not in the plan was left alone. PRIVATE.

Nothing here turns a run back: a difference is told, and a person judges it.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from .._errors import Interrupted, WgeError
from . import kept, untouched
from .continuity.asking import Round, ask_all, differences, recorded
from .model import Object
from .untouched import Seen, title_of_path
from .vantages import vantages_for
from .work import Work

FLIP = "S12"
"""The step before which WG is asked."""
KEPT = "kept"
"""In the journal's notes: what the kept Services and the routes to them were when the run began."""


@dataclass(slots=True)
class Proofs:
    """One run's. ``continuity`` and ``untouched`` are the parts of the result, empty while there is nothing to compare."""

    work: Work
    continuity: list[Object] = field(default_factory=list)
    untouched: Object = field(default_factory=dict)
    _calls: Round = field(default_factory=dict)
    _seen: Seen | None = None

    def begin(self) -> None:
        """Record what must be the same at the end; where that cannot be read there is no proof, and the run goes on all the same."""
        try:
            self._seen = untouched.record(self.work.tools.cluster, self.work.now)
        except Interrupted:
            raise
        except WgeError as problem:
            self.work.note(f"what is not in the plan could not be looked at: {problem.what}")

    def note_kept(self) -> None:
        """Put into the journal what is kept; the run that begins the journal says it, not one that goes on."""
        now = self.work.now
        if now.journal and not now.journal.uid:
            routes = kept.routes_to(self.work.tools.cluster, now)
            now.journal.notes.setdefault(KEPT, {"services": kept.services_of(now), "routes": routes})

    def before(self, step: str) -> None:
        """Ask WG's API just before the Services are flipped."""
        if step == FLIP:
            self._calls = self._asked()

    def arrived(self) -> None:
        """Ask again, when WGE serves. Without a round before the flip, WG's recorded answers are what is compared with."""
        if self.work.now.is_flipped and (after := self._asked()):
            self.continuity = differences(self._calls or recorded(after), after)

    def end(self, planned: Iterable[str]) -> None:
        """Compare with the beginning. ``planned`` are the REST paths that the run may have written to."""
        before, work = self._seen, self.work
        if before is None:
            return
        try:
            after = untouched.record(work.tools.cluster, work.now)
            found = untouched.differences(before, after, filter(None, map(title_of_path, planned)))
            self.untouched = {**found, "routes": list(kept.routes_to(work.tools.cluster, work.now).values())}
        except WgeError as problem:
            work.note(f"what is not in the plan could not be looked at again: {problem.what}")

    def _asked(self) -> Round:
        caller = self.work.tools.caller
        if caller is None:
            return {}
        now = self.work.now
        return ask_all(caller, vantages_for(now), now.snapshot.installed.route_prefix, guard=self.work.guard)


def planned_paths(work: Work) -> set[str]:
    """Every path that the journal of this run names, and the journal's own."""
    journal = work.now.journal
    if journal is None:
        return set()
    return {journal.path, *(entry["path"] for entries in journal.entries.values() for entry in entries)}
