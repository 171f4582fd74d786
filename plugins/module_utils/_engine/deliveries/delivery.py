# SPDX-License-Identifier: GPL-3.0-or-later
"""What a delivery of WGE is: how its objects come into the cluster beside WG, and how they go again. PRIVATE."""

from __future__ import annotations

from typing import Protocol

from ..model import Object, Right
from ..situation import Situation
from ..work import Work
from ..writes import Write


class Delivery(Protocol):
    """One way to deliver WGE. Step S7 is the only step that knows it; each is killed and goes on like any step."""

    id: str
    sets_probes: bool
    """Whether WGE comes with the probes its chart lacks, so that step S7 need not patch them in."""

    def require(self, now: Situation) -> None:
        """Raises Blocked when the settings lack what it needs, or somebody else has what it would make. Pure."""

    def writes(self, now: Situation) -> list[Write]:
        """What is missing, exactly as it will be sent; none when WGE is delivered, whether or not it is ready. Pure."""

    def not_delivered(self, work: Work) -> str:
        """What the deliverer itself has not done yet (Flux has not installed), empty when all that is left is the roll-out."""

    def clear_half(self, work: Work) -> None:
        """Remove what a killed run of ours left half made. Raises SafeStop when it is somebody else's."""

    def take_back(self, work: Work, entry: Object) -> bool:
        """Take back one journalled write of S7; False when there is nothing to take back."""

    def reversal(self, now: Situation, entry: Object, live: Object | None) -> Write | None:
        """The write for the plan that stands for taking back a journalled one. Pure."""

    def rights(self, now: Situation) -> list[Right]:
        """What delivering needs beside the rights of its writes. Pure."""

    def rights_back(self, now: Situation) -> list[Right]:
        """What taking it back needs beside the rights of its writes. Pure."""
