# SPDX-License-Identifier: GPL-3.0-or-later
"""Objects of an archive put back: every write guarded, sent once, and read back. PRIVATE.

Nothing is remembered but in the cluster. Killed anywhere, the next run compares anew: what is there is done, what is missing is
created. An object that names an owner which is not there yet is created without it, since the cluster deletes what names a dead
owner; the owner is put in when it is there, by this run or by the next.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from ..._errors import Blocked, Rejected, SafeStop
from .. import sending
from ..archive.model import Contents, Entry
from ..archive.served import Served
from ..model import Object
from ..objects import metadata, uid_of
from .addresses import REMEDY, Addresses, kept, load_balancer
from .plan import CREATE, NOTHING, PATCH, Plan, Planned, plan_of, refuse_held
from .selection import Chosen, chosen
from .traffic import moving_last, wait_for_workloads
from .trial import Trial
from .waiting import wait_until
from .wanted import differences
from .wish import Acting, Wish
from .words import told

OWNERS = "metadata.ownerReferences"


@dataclass(slots=True)
class Restored:
    """What came of it. ``made`` was written, in order; ``now`` is what is there afterwards, by path.

    ``differing`` says which parts of what was written read back differently.
    """

    plan: Plan = field(default_factory=Plan)
    skipped: tuple[tuple[Entry, str], ...] = ()
    made: list[Planned] = field(default_factory=list)
    now: dict[str, Object] = field(default_factory=dict)
    differing: dict[str, list[str]] = field(default_factory=dict)

    def identity(self) -> list[Object]:
        """Of each object that was created: its uid before and now, and what a Service has of its addresses."""
        return [self._row(one) for one in self.made if one.action == CREATE and one.entry.path in self.now]

    def warnings(self) -> list[str]:
        """What could not be kept, in sentences."""
        rows = self.identity()
        said = []
        if rows:
            what = "1 object was" if len(rows) == 1 else f"{len(rows)} objects were"
            said.append(
                f"{what} created anew: the uid, the resource version and the creation time are new, which Kubernetes lets nobody choose."
            )
        for row in rows:
            said += [f"{row['object']} did not get its {what} back." for what in row.get("lost", [])]
            if row.get("load_balancer"):
                said.append(f"{row['object']} was reached at {row['load_balancer']}; which address it gets now is up to the load balancer.")
        said += [f"{path} reads back differently than it was put back ({', '.join(parts)})." for path, parts in self.differing.items()]
        return said

    def _row(self, one: Planned) -> Object:
        read, now = one.entry.read, self.now[one.entry.path]
        row: Object = {"object": told(read), "path": one.entry.path, "uid_before": uid_of(read), "uid": uid_of(now)}
        if read.get("kind") == "Service":
            row |= {**kept(read, now), "load_balancer": load_balancer(read)}
        return row


def restore_objects(work: Acting, contents: Contents, wish: Wish) -> Restored:
    """Put objects back under the lock that the caller holds. Raises Blocked before the first write when something is refused."""
    found = chosen(contents, wish.selection)
    restored = Restored(planned(work, contents, found, wish), found.skipped)
    require(restored.plan)
    apply(work, found, wish, restored)
    return restored


def planned(work: Acting, contents: Contents, found: Chosen, wish: Wish) -> Plan:
    """The plan for what was chosen, tried by dry runs."""
    cluster = work.tools.cluster
    plan = plan_of(cluster, found.entries, wish)
    if not wish.within_upgrade:
        plan = refuse_held(cluster, plan, str(contents.manifest["namespace"]))
    return Trial(cluster, plan, work.guard).tried() if not plan.refused else plan


def require(plan: Plan) -> None:
    """Raises Blocked with the first refusal, and how many there are."""
    if plan.refused:
        one, more = plan.refused[0], len(plan.refused) - 1
        others = f" ({more} more {'object is' if more == 1 else 'objects are'} refused, see plan.)" if more else ""
        raise Blocked(f"{told(one.entry.clean)} {one.reason}; nothing was put back.{others}", one.remedy)


def apply(work: Acting, found: Chosen, wish: Wish, restored: Restored) -> None:
    """Send the plan of ``restored`` and note there what was done, also when it ends with an error."""
    new_kinds = any(one.wanted.get("kind") == "CustomResourceDefinition" for one in restored.plan.todo)
    served: set[tuple[str, str]] = set()
    done = {one.entry.path for one in restored.made}
    still, moving = moving_last(restored.plan.todo)
    for one in [*still, *moving]:
        if one.entry.path in done:
            continue
        if new_kinds:
            _wait_served(work, one.wanted, served, wish.ready_seconds)
        if moving and one is moving[0]:
            wait_for_workloads(work, still, wish.ready_seconds)
        send(work, one)
        restored.made.append(one)
    _read_back(work, found.entries, wish, restored)


def send(work: Acting, one: Planned) -> None:
    """Make one write of a plan happen. Raises SafeStop when somebody else was quicker, or holds what a Service is to have."""
    work.note(one.write.text)
    try:
        sending.send(one.write, work.tools.cluster, work.tools.clock, work.guard)
    except Rejected as problem:
        taken = Addresses(work.tools.cluster).taken(one.wanted) if one.wanted.get("kind") == "Service" else ""
        if not taken:
            raise
        raise SafeStop(f"{told(one.wanted)} {taken}.", REMEDY) from problem


def _read_back(work: Acting, entries: Sequence[Entry], wish: Wish, restored: Restored) -> None:
    """Read all that was written once more, put the owners in that are there by now, and note what differs."""
    paths = {one.entry.path for one in restored.made}
    again = [entry for entry in entries if entry.path in paths or (paths and metadata(entry.clean).get("ownerReferences"))]
    for one in plan_of(work.tools.cluster, again, replace(wish, overwrite=True, missing_only=False)).planned:
        path = one.entry.path
        if one.action == PATCH and differences(one.wanted, one.live or {}) == [OWNERS] and (path in paths or not wish.missing_only):
            send(work, one)
            restored.made.append(one)
        elif one.action != NOTHING and path in paths:
            restored.differing[path] = differences(one.wanted, one.live) if one.live else ["it is gone"]
        if one.live is not None:
            restored.now[path] = one.live


def _wait_served(work: Acting, item: Object, served: set[tuple[str, str]], seconds: float) -> None:
    """A kind is served a moment after its definition was created."""
    kind = (str(item.get("apiVersion")), str(item.get("kind")))
    if kind in served:
        return

    def missing() -> str:
        return "" if Served(work.tools.cluster).kind(*kind) else "it is not served yet"

    wait_until(work, missing, seconds, f"{kind[1]} of {kind[0]}")
    served.add(kind)
