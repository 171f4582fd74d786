# SPDX-License-Identifier: GPL-3.0-or-later
"""Who owns what after WG was removed: said for every object that stays. PRIVATE."""

from __future__ import annotations

from .model import Object
from .names import EDGE_RELEASE, HELM_RELEASE_ANNOTATION, KEPT_ANNOTATION, RUN_LABEL
from .objects import annotations_of, labels_of
from .parked import owner_of, staying, title_of
from .situation import Situation

FORMERLY = f"you: no Helm release holds it any more, and its mark {HELM_RELEASE_ANNOTATION}={EDGE_RELEASE} keeps a stale helm command off"
UNRELEASED = "you: neither a Helm release nor a HelmRelease holds it any more, whatever its labels say"
BEFORE = "you, as before"


def owners_of(now: Situation) -> list[Object]:
    """``{object, owner}`` for what was protected, for what this run made, for WGE's server, and for what else of WG's release stays."""
    found = {title_of(item): _owner(item) for item in _kept(now)}
    for entry in staying(now):
        live = now.snapshot.named.get(entry["path"])
        if live or not entry["path"]:
            found.setdefault(entry["title"], f"{_owner(live) if live else 'you'}; {entry['stays']}")
    return [{"object": title, "owner": owner} for title, owner in sorted(found.items())]


def _kept(now: Situation) -> list[Object]:
    entries = now.journal.entries.get("S11", []) if now.journal else []
    protected = [now.snapshot.named.get(entry["path"]) for entry in entries]
    made = [{"kind": kind, **item} for kind, items in now.snapshot.lists.items() for item in items]
    made += [{"kind": "Secret", **item} for item in now.snapshot.releases] + [item for item in now.snapshot.named.values() if item]
    ours = [item for item in made if labels_of(item).get(RUN_LABEL) == now.run and item.get("kind") != "Lease"]
    return [item for item in (*protected, *ours, now.wge) if item]


def _owner(item: Object) -> str:
    if annotations_of(item).get(HELM_RELEASE_ANNOTATION) == EDGE_RELEASE:
        return FORMERLY
    if KEPT_ANNOTATION in annotations_of(item) and annotations_of(item).get(HELM_RELEASE_ANNOTATION):
        return UNRELEASED
    if RUN_LABEL in labels_of(item) and not annotations_of(item).get(HELM_RELEASE_ANNOTATION):
        return f"you: made by run {labels_of(item)[RUN_LABEL]}, and WGE needs it"
    return owner_of(item) or BEFORE
