# SPDX-License-Identifier: GPL-3.0-or-later
"""What of ours is on a cluster: after a way back nothing but journals, and without a journal a reason to stop. PRIVATE."""

from __future__ import annotations

from collections.abc import Iterator

from .._errors import SafeStop
from .forms.helm import newest, revisions_of
from .journal import Journal
from .model import Cluster, Object
from .names import (
    EDGE_RELEASE,
    ENTITLEMENT_SECRET,
    HANDED_OVER_ANNOTATION,
    HELM_RELEASE_ANNOTATION,
    KEPT_ANNOTATION,
    LEASE,
    PARKED_OWNER,
    RUN_LABEL,
    SHIELDED_ANNOTATION,
    SUSPENDED_ANNOTATION,
    TOMBSTONE_OWNER,
)
from .objects import annotations_of, labels_of, name_of
from .situation import Situation

SHOWN = 5
RESTORE_JOURNAL = "Restore the Secret wge-journal-… from a backup, or put WG back from its archive with wge_state_restore."
_WITH_PODS = ("Pod", "EndpointSlice")
"""They go by themselves, a little after what they belong to."""


def leftovers(now: Situation) -> list[str]:
    """What a way back should have taken away: objects of this run, our marks on others' objects, what WGE's release holds."""
    return sorted({f"{item['kind']} {name_of(item)}" for item in _all(now) if _is_ours(item, now)})


def marks(now: Situation) -> list[str]:
    """What says that an upgrade has begun here, whoever remembers it: protected objects, parked revisions, a flipped Service."""
    return sorted({f"{item['kind']} {name_of(item)}" for item in _all(now) if _is_marked(item)})


def lock_is_left(now: Situation) -> bool:
    """Whether a run that was killed has left its Lease."""
    return now.snapshot.named.get(LEASE) is not None


def require_journal(now: Situation) -> None:
    """Raises SafeStop when an upgrade has begun and no journal says what it did: then nobody may guess."""
    found = marks(now) if now.journal is None else []
    if found:
        more = f" and {len(found) - SHOWN} more" if len(found) > SHOWN else ""
        raise SafeStop(
            f"The journal of the upgrade is gone, while its marks are there: {', '.join(found[:SHOWN])}{more}.",
            RESTORE_JOURNAL,
        )


def require_stored(cluster: Cluster, journal: Journal) -> None:
    """Raises SafeStop when somebody has deleted the journal of a run at work: what comes next could not be taken back."""
    if cluster.get(journal.path) is None:
        raise SafeStop(
            f"The journal of this upgrade ({journal.name}) was deleted while it was at work; WG was not parked.", RESTORE_JOURNAL
        )


def require_release(now: Situation) -> None:
    """Raises SafeStop when WGE runs and helm's record of it is gone: helm could neither install nor uninstall it."""
    release = now.settings.target_release
    owned = now.wge is not None and annotations_of(now.wge).get(HELM_RELEASE_ANNOTATION) == release
    if owned and newest(revisions_of(now.snapshot.releases, release)) is None:
        raise SafeStop(
            f"WGE runs (Deployment {now.target.name}), and the Secrets in which helm keeps the release {release} are gone.",
            f"Restore the Secret sh.helm.release.v1.{release}.v1 from a backup or an archive, then run again.",
        )


def _all(now: Situation) -> Iterator[Object]:
    snapshot = now.snapshot
    for kind, items in snapshot.lists.items():
        if kind not in _WITH_PODS:
            yield from ({"kind": kind, **item} for item in items)
    yield from snapshot.kept
    yield from ({"kind": "Secret", **item} for item in snapshot.releases)
    yield from (item for item in snapshot.named.values() if item and item.get("kind") != "Lease")
    yield from (item for item in (*snapshot.owners.all, *snapshot.delivered.values()) if item)


def _is_ours(item: Object, now: Situation) -> bool:
    release = annotations_of(item).get(HELM_RELEASE_ANNOTATION)
    return labels_of(item).get(RUN_LABEL) == now.run or _is_marked(item) or release == now.settings.target_release


def _is_marked(item: Object) -> bool:
    annotations, labels = annotations_of(item), labels_of(item)
    if name_of(item) == ENTITLEMENT_SECRET:
        return False  # it may well be put there before any upgrade
    owner = labels.get("owner") in (PARKED_OWNER, TOMBSTONE_OWNER)
    frozen = any(mark in annotations for mark in (KEPT_ANNOTATION, HANDED_OVER_ANNOTATION, SUSPENDED_ANNOTATION, SHIELDED_ANNOTATION))
    return owner or frozen or annotations.get(HELM_RELEASE_ANNOTATION) == EDGE_RELEASE
