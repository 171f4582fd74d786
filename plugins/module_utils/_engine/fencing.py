# SPDX-License-Identifier: GPL-3.0-or-later
"""A dead run's requests may still be on their way: what traffic depends on is touched, so that they come for an old version. PRIVATE.

Every patch and delete holds for one version of its object (``sending``). Who takes a lock that was not given back writes an annotation
on the kept Services, on both Deployments, on the Flux objects that apply WG and on the HelmRelease of WGE, and removes it: nothing of
it stays, and Flux does nothing for it. Killed in between, the lock is left too, and the next run does the same.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable

from .forms import flux_api
from .model import Cluster, Object, Right
from .names import FENCE_ANNOTATION
from .objects import annotations_of, name_of, path_of, uid_of
from .patches import set_keys
from .rights import of_path
from .situation import Situation
from .work import Work
from .writes import Write, patch

KINDS = frozenset({"Deployment", "Service", flux_api.HELM_RELEASE, flux_api.KUSTOMIZATION})
"""What is touched, of whatever a run is about: a late write to one of these moves traffic, or has Flux move it."""


def fence(work: Work) -> None:
    """Touch them, whatever is there of them."""
    touch(work.tools.cluster, _touched(work.now), work.lock.holder, work.send)


def touch(cluster: Cluster, paths: Iterable[str], token: str, send: Callable[[Write], None]) -> None:
    """Give each object that is there another version; ``token`` says for a moment by whom."""
    for path in paths:
        for value in (token, None):
            _annotate(cluster, path, value, send)


def is_fenced(now: Situation) -> bool:
    """Whether a run was killed while it fenced: its annotation is there, and goes with the next fence."""
    return any(FENCE_ANNOTATION in annotations_of(item) for item in _touched(now).values())


def rights_to_fence(now: Situation) -> list[Right]:
    """What is needed beside all else where a run was killed before."""
    return [of_path(verb, path) for path in _touched(now) for verb in ("get", "patch")]


def _touched(now: Situation) -> dict[str, Object]:
    """By their paths."""
    found = {path_of(item): item for item in (*now.kept_services, now.wg, now.wge) if item}
    found |= {flux_api.path_of(item): item for item in now.snapshot.owners.all}
    return found | {path: item for path, item in now.snapshot.delivered.items() if item and item.get("kind") in KINDS}


def _annotate(cluster: Cluster, path: str, value: str | None, send: Callable[[Write], None]) -> None:
    live = cluster.get(path)
    forth, back = set_keys(live, "annotations", {FENCE_ANNOTATION: value}) if live else ([], [])
    if live and forth:
        uid = {"op": "test", "path": "/metadata/uid", "value": uid_of(live)}
        send(patch(path, [uid, *forth], back, f"keep a dead run off {live['kind']} {name_of(live)}"))
