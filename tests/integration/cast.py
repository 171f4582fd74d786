# SPDX-License-Identifier: GPL-3.0-or-later
"""The clusters of the fleet, by what they are there for."""

from __future__ import annotations

CANARY = "c1"
"""Healthy, and upgraded first."""
DYING = "c2"
"""Its WGE dies 20 s after the flip."""
OLDER = "c3"
"""An older WG, whose first revision is gone; users made two Services of their own for it; its entitlement has expired."""
UNREADY = "c4"
"""Its WGE never gets ready."""
UNENTITLED = "c5"
"""It holds no entitlement, and is given one of a vendor whom its WGE does not know."""
BARE = "c6"
"""It has no WG at all."""

NAMES = (CANARY, DYING, OLDER, UNREADY, UNENTITLED, BARE)
UPGRADED = (CANARY, OLDER)
ROLLED_BACK = (DYING, UNREADY)
CLIMBERS = (*UPGRADED, *ROLLED_BACK)
