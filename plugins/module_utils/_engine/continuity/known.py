# SPDX-License-Identifier: GPL-3.0-or-later
"""The differences between WG's API and WGE's that are known, each with its reason; any other is one that nobody foresaw. PRIVATE.

Not in the table, since they are in no answer that is compared: WGE's ``semver`` is ``v0.0.0`` and its feature flags are its own.
"""

from __future__ import annotations

from dataclasses import dataclass

from .calls import SIGN_IN
from .seen import Seen, alike

SAME, KNOWN, DIFFERENT, UNASKED = "same", "known", "different", "unasked"


@dataclass(frozen=True, slots=True)
class Known:
    """One known difference. ``path`` is empty for any; ``before`` and ``after`` are the statuses."""

    path: str
    before: int
    after: int
    reason: str


KNOWN_DIFFERENCES: tuple[Known, ...] = (
    Known("/v1/runtime_objects", 404, 200, "WGE has a page for the runtime of Flux here, where WG had none"),
    Known("/v1/runtime_crds", 404, 200, "WGE has a page for the runtime of Flux here, where WG had none"),
    Known(SIGN_IN, 200, 200, "WGE's sessions last 24 hours, WG's one"),
    Known("", 404, 200, "WGE's API is newer than this WG's: it answers where nothing was"),
    Known("", 404, 400, "WGE's API is newer than this WG's: it answers where nothing was"),
    Known("", 404, 500, "WGE's API is newer than this WG's: it answers where nothing was"),
    Known("", 404, 501, "WGE's API is newer than this WG's: it answers where nothing was"),
)


def compared(path: str, before: Seen, after: Seen) -> tuple[str, str]:
    """A verdict, and the reason of one that is not ``same``."""
    if not before.status:
        return UNASKED, "there was no answer before"
    if before.status == after.status and before.detail == after.detail and alike(before.shape, after.shape):
        return SAME, ""
    for row in KNOWN_DIFFERENCES:
        if row.path in ("", path) and (row.before, row.after) == (before.status, after.status):
            return KNOWN, row.reason
    return DIFFERENT, _words(before, after)


def _words(before: Seen, after: Seen) -> str:
    if not after.status:
        return "it is not answered any more"
    if before.status != after.status:
        return f"the status was {before.status} and is {after.status}"
    if before.detail != after.detail:
        return f"it said {before.detail or 'nothing'} and says {after.detail or 'nothing'}"
    return "the JSON has another shape"
