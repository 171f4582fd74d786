# SPDX-License-Identifier: GPL-3.0-or-later
"""A dead run's requests may still be on their way: what traffic depends on is touched, so that they come for an old version. PRIVATE.

Every patch and delete holds for one version of its object (``sending``). Who takes a lock that was not given back writes an annotation
on the kept Services and on WG's Deployment, and removes it: nothing of it stays. Killed in between, the lock is left too, and the next
run does the same.
"""

from __future__ import annotations

from .names import FENCE_ANNOTATION
from .objects import annotations_of, name_of, path_of, uid_of
from .patches import set_keys
from .situation import Situation
from .work import Work
from .writes import patch


def fence(work: Work) -> None:
    """Touch them, whatever is there of them."""
    token = work.lock.holder
    for item in [*work.now.kept_services, work.now.wg]:
        for value in (token, None):
            _annotate(work, path_of(item), value)


def is_fenced(now: Situation) -> bool:
    """Whether a run was killed while it fenced: its annotation is there, and goes with the next fence."""
    return any(FENCE_ANNOTATION in annotations_of(item) for item in [*now.kept_services, now.wg])


def _annotate(work: Work, path: str, value: str | None) -> None:
    live = work.tools.cluster.get(path)
    forth, back = set_keys(live, "annotations", {FENCE_ANNOTATION: value}) if live else ([], [])
    if live and forth:
        uid = {"op": "test", "path": "/metadata/uid", "value": uid_of(live)}
        work.send(patch(path, [uid, *forth], back, f"keep a dead run off {live['kind']} {name_of(live)}"))
