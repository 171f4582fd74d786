# SPDX-License-Identifier: GPL-3.0-or-later
"""What is asked of a restore, and with what it works. PRIVATE."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Protocol

from ..model import Clock, Cluster
from .selection import Selection


class Hands(Protocol):
    """What ``work.Tools`` has of a cluster and of time."""

    @property
    def cluster(self) -> Cluster:
        """The API server."""

    @property
    def clock(self) -> Clock:
        """Time."""


class Acting(Protocol):
    """What a restore works with; ``work.Work`` is one, so that a way back gives WG's objects back under its own lock."""

    @property
    def tools(self) -> Hands:
        """The cluster and time."""

    def guard(self) -> None:
        """Before each write: may we go on, and is the lock still ours? Raises Interrupted or SafeStop."""

    def note(self, text: str) -> None:
        """Tell the person who is watching."""


@dataclass(frozen=True, slots=True)
class Wish:
    """``overwrite`` puts back what others changed too, ``missing_only`` leaves all that is there alone.

    ``foreign`` says that the archive is of another cluster. ``within_upgrade`` is for the upgrade itself: what its journal names is
    refused to everybody else.
    """

    selection: Selection = field(default_factory=Selection)
    overwrite: bool = False
    missing_only: bool = False
    foreign: bool = False
    within_upgrade: bool = False
    ready_seconds: float = 60.0
