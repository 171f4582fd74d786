# SPDX-License-Identifier: GPL-3.0-or-later
"""The way back: every step the journal knows is taken back, the last one first. PRIVATE.

So WG is scaled up and ready before the Services lead to it again, and they lead to it before WGE goes. Killed anywhere, the next
run judges the cluster as any other and goes on, forwards or back.
"""

from __future__ import annotations

from .journal import ROLLED_BACK
from .model import Object
from .names import FIELD_MANAGER
from .objects import metadata
from .plan import STEPS
from .work import Work


def take_back(work: Work) -> None:
    """Undo every step the journal knows, last first. The probes go on, so that what is lost meanwhile is counted."""
    work.closing = True
    had_traffic = work.flipped_at is not None or work.now.is_flipped or any(moved_by_us(service) for service in work.now.kept_services)
    work.flipped_at = None
    for step in reversed(STEPS):
        entries = work.journal.entries.get(step.id) or []
        if entries:
            work.tools.tell({"event": "step", "step": step.id, "title": step.title, "rung": step.rung.word, "state": "undo"})
            step.undo(work, entries)
        if entries and step.id == "S12" and had_traffic:
            _drain(work)
    work.journal.state = ROLLED_BACK
    work.journal.notes["finished"] = work.tools.clock.wall().isoformat(timespec="seconds")
    live = work.tools.cluster.get(work.journal.path)
    if live is not None:
        work.save_journal()


def moved_by_us(service: Object) -> bool:
    """Whether we have ever written a Service's selector: its managed fields say so, even to a run that did not see it."""
    ours = [e for e in metadata(service).get("managedFields") or [] if e.get("manager") == FIELD_MANAGER]
    return any("f:selector" in ((entry.get("fieldsV1") or {}).get("f:spec") or {}) for entry in ours)


def _drain(work: Work) -> None:
    """A WGE that had traffic gets time for its last requests, with its policies in place; one that is not ready has none."""
    work.refresh()
    deployment = work.now.wge
    if deployment and deployment.get("status", {}).get("readyReplicas"):
        work.wait(work.now.settings.quiet_seconds, "leaving WGE's last connections time to end")
