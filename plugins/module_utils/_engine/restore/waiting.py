# SPDX-License-Identifier: GPL-3.0-or-later
"""How a restore waits: the lock is kept meanwhile. PRIVATE."""

from __future__ import annotations

from collections.abc import Callable

from .. import sending
from .wish import Acting


def wait_until(work: Acting, missing: Callable[[], str], seconds: float, what: str) -> None:
    """Wait until ``missing`` answers "". Raises StepFailed with its last answer, and what ``guard`` raises."""

    def tick(pause: float) -> None:
        work.guard()
        work.tools.clock.sleep(pause)

    sending.wait_until(missing, seconds, what, work.tools.clock, tick)
