# SPDX-License-Identifier: GPL-3.0-or-later
"""Where a climb puts its archive, and where the way back finds it: the port. PRIVATE."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

from ..._errors import SafeStop
from ..model import Object
from ..snapshot import Snapshot
from .model import Contents


class Store(Protocol):
    """The archives of one call. Every method raises InvalidSettings."""

    def require(self) -> None:
        """Raises when ``make`` could not encrypt, or what it makes would go with the job."""

    def make(self, snapshot: Snapshot, run: str, tick: Callable[[], None]) -> Object:
        """An archive of what an upgrade touches, proven and copied: what the journal notes of it. ``tick`` is asked meanwhile."""

    def exists(self, path: str) -> bool:
        """Whether there is something at a path."""

    def contents(self, path: str) -> Contents:
        """An archive that is there, every hash checked; without its Secrets where there is no vault."""

    def confirm(self, path: str) -> bool:
        """Let the user's command copy an archive; whether there is such a command. Raises when it would go with the job otherwise."""


class NoStore:
    """Where nothing is kept: a snapshot that is judged again, a question that never writes."""

    def require(self) -> None:
        """Raises SafeStop."""
        raise SafeStop("There is no place for an archive here.", "Run this on the controller.")

    def make(self, snapshot: Snapshot, run: str, tick: Callable[[], None]) -> Object:
        """Raises SafeStop."""
        raise SafeStop(f"No archive of run {run} can be made here.", "Run this on the controller.")

    def exists(self, path: str) -> bool:
        """Nothing is."""
        return False

    def contents(self, path: str) -> Contents:
        """Raises SafeStop."""
        raise SafeStop(f"The archive {path} cannot be read here.", "Run this on the controller.")

    def confirm(self, path: str) -> bool:
        """Raises SafeStop."""
        raise SafeStop(f"The archive {path} cannot be read here.", "Run this on the controller.")
