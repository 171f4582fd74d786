# SPDX-License-Identifier: GPL-3.0-or-later
"""A WG that was removed comes back out of its archive, and then the way back is that of a parked one. PRIVATE.

What is put back is what the journal says was removed, and nothing else. WG's objects first, until it is ready; helm's record of it only
when WGE is gone again, so that no stale helm command acts on it while traffic is on WGE. Killed anywhere, the next call with the same
archive goes on.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from .._errors import Blocked
from . import snapshot as reading
from .archive.fitness import require_paths, require_same_cluster
from .archive.model import Contents
from .archive.store import Store
from .journal import FINALISING
from .model import Cluster, Object
from .names import PARKED_OWNER, RUN_LABEL, TOMBSTONE_OWNER
from .objects import labels_of, uid_of
from .parked import REMOVAL
from .plan import Planned
from .removed import OWNERS, RECORD, RETURNING, is_gone, is_record
from .restore.apply import restore_objects
from .restore.selection import Selection
from .restore.wish import Wish
from .situation import Situation
from .steps.finalise import Remove
from .steps.switch import wait_for_wg
from .work import Work
from .writes import Write, delete

_BEFORE = "Give an archive that was made before the upgrade, with its Secrets."


def archive_path(now: Situation, store: Store) -> str:
    """The archive of the settings, else the one that the journal names: once WG was removed it is the only way back.

    Raises Blocked when it is not there.
    """
    noted = str((now.journal.archive.get("path") if now.journal else "") or "")
    path = now.settings.archive or noted
    if path and store.exists(path):
        return path
    raise Blocked(
        f"WG was removed from this cluster, so going back needs the archive of run {now.run}: {path or 'the journal names none'}"
        f"{' is not there' if path else ''}{f'; the journal names {noted}' if noted != path else ''}.",
        "Fetch it, and give its path in the option archive (wge_archive).",
    )


def require_contents(now: Situation, path: str, contents: Contents) -> None:
    """Raises Blocked when an archive is of another cluster, or does not hold what was removed."""
    require_same_cluster(path, contents, now.snapshot.identity.uid)
    if not contents.opened:
        raise Blocked(f"The archive {path} needs its vault secret, and those are on the controller only.", "Roll back from the controller.")
    needless = _made_since(now, {entry.path for entry in contents.entries})
    require_paths(path, contents, [one for one in (*_objects(now), *_record(now)) if one not in needless], _BEFORE)
    if any(_is_parked(entry.clean) for entry in contents.entries if entry.path in (*_objects(now), *_record(now))):
        raise Blocked(f"The archive {path} was made while WG was parked: what came back out of it would not run.", _BEFORE)


def _is_parked(item: Object) -> bool:
    """A record that helm does not see, or a Deployment without pods: of a HelmRelease, and of manifests, no record is parked."""
    return labels_of(item).get("owner") == PARKED_OWNER or (item["kind"] == "Deployment" and item["spec"].get("replicas") == 0)


def planned_back(cluster: Cluster, now: Situation) -> list[Planned]:
    """What will be put back, for a plan: without the bodies, which are in the archive."""
    entries = [entry for entry in _entries(now) if is_gone(entry, cluster.get(entry["path"]))]
    writes = tuple(Write("create", entry["path"], f"out of the archive, against: {entry['text']}") for entry in entries)
    return [Planned(Remove(), writes)] if writes else []


def bring_back(work: Work, contents: Contents) -> None:
    """WG's objects, but for helm's record; afterwards WG is ready, and still without traffic."""
    journal = work.journal
    if not journal.notes.get(RETURNING):
        journal.state, journal.notes[RETURNING] = FINALISING, True
        work.save_journal()
    _restore(work, contents, _objects(work.now))
    settings = replace(work.now.settings, namespace=work.now.namespace, release=journal.release)
    found = reading.find(work.tools.cluster, settings)
    fresh = reading.refresh(work.tools.cluster, work.now.settings, work.now.snapshot.identity, found)
    work.now = replace(work.now, snapshot=fresh)
    wait_for_wg(work)


def bring_back_record(work: Work, contents: Contents) -> None:
    """Helm's record of WG; a tombstone of ours makes room for the revision that was there before. What acts by the record comes last.

    Revisions that Flux made after the archive, when it handed over, are not in there and not needed.
    """
    held = {entry.path for entry in contents.entries}
    removed = work.journal.entries.get(REMOVAL, [])
    for path in (entry["path"] for entry in removed if RECORD in entry["path"]):
        live = work.tools.cluster.get(path)
        if live and labels_of(live).get("owner") == TOMBSTONE_OWNER and labels_of(live).get(RUN_LABEL) == work.now.run:
            work.send(delete(path, uid_of(live), f"take the tombstone {path} away"))
    record = [path for path in _record(work.now) if path in held]
    _restore(work, contents, [path for path in record if RECORD in path])
    _restore(work, contents, [path for path in record if RECORD not in path])


def _restore(work: Work, contents: Contents, paths: Sequence[str]) -> None:
    if paths:
        restore_objects(work, contents, Wish(Selection(paths=frozenset(paths)), missing_only=True, within_upgrade=True))


def _entries(now: Situation) -> list[Object]:
    entries = now.journal.entries.get(REMOVAL, []) if now.journal else []
    removed = [e for e in entries if e["verb"] == "delete" or (RECORD in e["path"] and e["verb"] == "patch")]
    return [entry for entry in removed if OWNERS[1] not in entry["path"]]


def _objects(now: Situation) -> list[str]:
    return [entry["path"] for entry in _entries(now) if not is_record(entry["path"])]


def _record(now: Situation) -> list[str]:
    return [entry["path"] for entry in _entries(now) if is_record(entry["path"])]


def _made_since(now: Situation, held: set[str]) -> list[str]:
    """Revisions newer than those in the archive, which Flux made when it handed over."""
    numbers = {path: int(path.rpartition(".v")[2]) for path in _record(now) if RECORD in path}
    last = max((number for path, number in numbers.items() if path in held), default=0)
    handed_over = bool(now.journal and now.journal.entries.get("S6a"))
    return [path for path, number in numbers.items() if handed_over and 0 < last < number]
