# SPDX-License-Identifier: GPL-3.0-or-later
"""An object as it can be applied: what the API server put on it for itself taken off, and nothing else. PRIVATE.

Addresses and ports that were given to an object stay, and so does what is empty: an empty list may mean another thing than none.
"""

from __future__ import annotations

from ..model import Object

SERVERS_OWN = frozenset(
    (
        "uid",
        "resourceVersion",
        "generation",
        "creationTimestamp",
        "deletionTimestamp",
        "deletionGracePeriodSeconds",
        "managedFields",
        "selfLink",
    )
)
"""Of metadata. The two about a deletion are refused where an object is not being deleted."""


def cleaned(item: Object) -> Object:
    """The object without status and without the server's own metadata."""
    kept = {key: value for key, value in item.items() if key != "status"}
    kept["metadata"] = {key: value for key, value in (item.get("metadata") or {}).items() if key not in SERVERS_OWN}
    return kept
