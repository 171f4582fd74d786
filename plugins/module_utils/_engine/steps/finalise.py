# SPDX-License-Identifier: GPL-3.0-or-later
"""S16 and S17 after the retention time: remove the parked WG, and hand back what stays. PRIVATE.

Every delete is bound to the uid that was read and journalled before the first of them. Killed anywhere, the next run removes the
rest of exactly that list; an object that somebody made anew since is not on it.
"""

from __future__ import annotations

from ..forms.helm import Revision, revisions_of
from ..journal import FINALISED
from ..model import Object, Operation, Rung
from ..names import HELM_KEEP_ANNOTATION, HELM_RELEASE_ANNOTATION, PARKED_OWNER, RUN_LABEL, TOMBSTONE_OWNER
from ..objects import name_of, path_of, uid_of
from ..parked import REMOVAL, parts
from ..patches import escape, guards_hold, pointer
from ..removed import OWNERS, RECORD
from ..situation import Situation
from ..writes import Write, delete, patch
from .base import Step
from .owners import OWNER_LABEL, tombstone


class Remove(Step):
    """S16: WG's objects and its parked revisions; of revision 1 a tombstone stays, so that no stale command installs WG anew (2e)."""

    id = REMOVAL
    title = "remove the parked WG"
    rung = Rung.FINALISED

    def __init__(self, owner: str = PARKED_OWNER) -> None:
        """``owner`` is the label that its revisions carry: Flux needs to see them, so with a HelmRelease they are not parked."""
        self._owner = owner

    def writes(self, now: Situation) -> list[Write]:
        """The deletes that are missing, the newest revision last: until then helm's record of WG can be read."""
        stored = revisions_of(now.snapshot.releases, now.snapshot.installed.found.release)
        first = [tombstone(now)] if stored and not any(r.number == 1 for r in stored) else []
        known = {entry["path"] for entry in (now.journal.entries.get(REMOVAL) or [] if now.journal else [])}
        live = [r for r in stored if r.owner == self._owner and (not known or path_of(r.secret) in known)]
        return _objects(now) + first + [_bury(r, now) if r.number == 1 else _forget(r) for r in live]


class HandBack(Step):
    """S17: our mark goes from what WG's release never held. The others keep theirs: it is what a stale helm command stops at (6c)."""

    id = "S17"
    title = "hand back what stays"
    rung = Rung.FINALISED

    def writes(self, now: Situation) -> list[Write]:
        """The reverse of each protection that protects nothing any more, where it is still as we made it."""
        entries = now.journal.entries.get("S11", []) if now.journal else []
        found = [self.reversal(now, entry, now.snapshot.named.get(entry["path"])) for entry in entries if not _was_helms(entry)]
        live = now.snapshot.named
        return [write for write in found if write and guards_hold(write.operations, live[write.path] or {})]

    def done(self, now: Situation) -> bool:
        """Whether nothing is to be handed back, and the journal says so."""
        return not self.writes(now) and now.journal is not None and now.journal.state == FINALISED


def _objects(now: Situation) -> list[Write]:
    entries = now.journal.entries.get(REMOVAL, []) if now.journal else []
    if not entries:
        return [delete(part.path, uid_of(part.live), f"delete {part.title}") for part in parts(now) if part.live and not part.stays]
    found = [(entry, now.snapshot.named.get(entry["path"])) for entry in entries if entry["verb"] == "delete" and not _is_its_owners(entry)]
    return [delete(entry["path"], entry["uid"], entry["text"]) for entry, live in found if live and uid_of(live) == entry["uid"]]


def _is_its_owners(entry: Object) -> bool:
    return any(part in str(entry["path"]) for part in (RECORD, *OWNERS))


def _was_helms(entry: Object) -> bool:
    """Whether a protected object belonged to WG's release before."""
    names = tuple(f"/{escape(name)}" for name in (HELM_RELEASE_ANNOTATION, HELM_KEEP_ANNOTATION))
    return any(operation["path"].endswith(names) for operation in entry.get("reverse") or [])


def _forget(revision: Revision) -> Write:
    return delete(path_of(revision.secret), uid_of(revision.secret), f"delete revision {revision.number}")


def _bury(revision: Revision, now: Situation) -> Write:
    ours = pointer("metadata", "labels", RUN_LABEL)
    operations: list[Operation] = [
        {"op": "test", "path": "/metadata/uid", "value": uid_of(revision.secret)},
        {"op": "test", "path": OWNER_LABEL, "value": revision.owner},
        {"op": "replace", "path": OWNER_LABEL, "value": TOMBSTONE_OWNER},
        {"op": "add", "path": ours, "value": now.run},
        {"op": "remove", "path": "/data/release"},
    ]
    return patch(path_of(revision.secret), operations, [], f"make revision {name_of(revision.secret)} a tombstone")
