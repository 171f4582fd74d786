# SPDX-License-Identifier: GPL-3.0-or-later
"""What putting an archive back means on this cluster: for each object one write, nothing, or a refusal. PRIVATE.

An object that is there and differs is put back only when nobody but us has changed it since the archive was made. Whatever is
refused is found before the first write, by dry runs too: then nothing is written at all.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace

from ..archive.model import Entry
from ..journal import ROLLED_BACK, journal_from
from ..model import Cluster, Object, Operation
from ..names import JOURNAL_LABEL
from ..objects import collection_path, digest, metadata, namespace_of, uid_of
from ..patches import pointer
from ..writes import Write
from .changed import changed_by
from .order import key_of
from .reading import Owners, live_of
from .wanted import differences, same, wanted
from .wish import Wish
from .words import told

CREATE, PATCH, REFUSE, NOTHING = "create", "patch", "refuse", "nothing"
HELD = "Ask wge_upgrade for state rolled_back, or leave the object out of the selection."


@dataclass(frozen=True, slots=True)
class Restoring(Write):
    """A write that is done when the object says what is wanted; the object carries no label of ours, it is not ours."""

    wanted: Object = field(default_factory=dict)

    def is_applied(self, live: Object | None) -> bool:
        """Whether ``live`` is what is wanted."""
        return same(self.wanted, live)


@dataclass(frozen=True, slots=True)
class Planned:
    """One object: what is there, what is wanted, and what is to be done. ``reason`` says why it is refused, ``remedy`` what helps."""

    entry: Entry
    action: str
    wanted: Object
    live: Object | None = None
    reason: str = ""
    remedy: str = ""

    def refused(self, reason: str, remedy: str) -> Planned:
        """The same object, not to be written after all."""
        return replace(self, action=REFUSE, reason=reason, remedy=remedy)

    @property
    def write(self) -> Restoring:
        """The one guarded request."""
        text, path = f"{'create' if self.action == CREATE else 'put back'} {told(self.entry.clean)}", self.entry.path
        if self.action == CREATE:
            return Restoring("create", path, text, body=self.wanted, wanted=self.wanted)
        return Restoring("patch", path, text, operations=tuple(operations(self.wanted, self.live or {})), wanted=self.wanted)


@dataclass(frozen=True, slots=True)
class Plan:
    """Everything that was chosen, in order."""

    planned: tuple[Planned, ...] = ()

    @property
    def todo(self) -> list[Planned]:
        """What is to be written."""
        return [one for one in self.planned if one.action in (CREATE, PATCH)]

    @property
    def refused(self) -> list[Planned]:
        """What cannot be."""
        return [one for one in self.planned if one.action == REFUSE]

    @property
    def hash(self) -> str:
        """The hash of all that will be sent."""
        return digest([one.write.content() for one in self.todo])


def plan_of(cluster: Cluster, entries: Sequence[Entry], wish: Wish) -> Plan:
    """Compare with the cluster. Raises what reading raises."""
    ordered = sorted(entries, key=key_of)
    live = live_of(cluster, ordered)
    owners = Owners(cluster, live)
    return Plan(tuple(_judged(entry, live.get(entry.path), owners, wish) for entry in ordered))


def refuse_held(cluster: Cluster, plan: Plan, namespace: str) -> Plan:
    """The plan, with a refusal of what an upgrade holds: putting that back would move the traffic under it."""
    if not plan.todo:
        return plan
    journals = map(journal_from, cluster.list(collection_path("Secret", namespace), labels=JOURNAL_LABEL))
    held = {
        str(record["path"]): journal
        for journal in journals
        if journal.state != ROLLED_BACK
        for records in journal.entries.values()
        for record in records
    }

    def judged(one: Planned) -> Planned:
        journal = held.get(one.entry.path)
        if journal is None or one.action not in (CREATE, PATCH):
            return one
        return one.refused(f"is held by the upgrade of run {journal.run} ({journal.state})", HELD)

    return Plan(tuple(map(judged, plan.planned)))


def operations(item: Object, live: Object) -> Iterator[Operation]:
    """The patch that makes ``live`` what is wanted, guarded by its uid and its version: whole parts, so that nothing is merged."""
    yield {"op": "test", "path": "/metadata/uid", "value": uid_of(live)}
    yield {"op": "test", "path": "/metadata/resourceVersion", "value": metadata(live).get("resourceVersion")}
    for part in differences(item, live):
        keys = part.split(".", 1)
        value = metadata(item).get(keys[1]) if len(keys) > 1 else item.get(part)
        if value is None:
            yield {"op": "remove", "path": pointer(*keys)}
        else:
            yield {"op": "add", "path": pointer(*keys), "value": value}


def _judged(entry: Entry, live: Object | None, owners: Owners, wish: Wish) -> Planned:
    place = namespace_of(entry.clean)
    item = wanted(entry.clean, live, lambda reference: owners.uid(reference, place), foreign=wish.foreign)
    if live is None:
        return Planned(entry, CREATE, item)
    if metadata(live).get("deletionTimestamp"):
        return Planned(entry, REFUSE, item, live, "is being deleted", "Wait until it is gone, then run again.")
    if wish.missing_only or same(item, live):
        return Planned(entry, NOTHING, item, live)
    who = "" if wish.overwrite else changed_by(entry.read, live)
    if who:
        remedy = "Look at it with --check --diff; then say overwrite: true, or missing_only: true to leave alone what is there."
        return Planned(entry, REFUSE, item, live, f"was changed after the archive was made, by {who}", remedy)
    return Planned(entry, PATCH, item, live)
