# SPDX-License-Identifier: GPL-3.0-or-later
"""How long a request is tried, and how the waits between are spent. PRIVATE: can change at any time."""

from __future__ import annotations

import random
from collections.abc import Callable

from .._engine.model import Clock
from .._errors import Interrupted

FIRST_WAIT = 0.5
LONGEST_WAIT = 30.0
SLICE = 0.5
"""Seconds between two looks at whether we have been told to stop."""


class Patience:
    """The waits of one request: growing, scattered, and ended by the budget."""

    def __init__(self, clock: Clock, keep_going: Callable[[], str], budget: float) -> None:
        self._clock = clock
        self._keep_going = keep_going
        self._end = clock.monotonic() + budget
        self._next = FIRST_WAIT

    def wait(self, at_least: float = 0.0) -> bool:
        """Wait before the next try. False, at once, when the budget does not allow it; raises Interrupted when told."""
        # Many clusters may share one overloaded proxy: without the scatter all come back at the same instant.
        seconds = max(self._next * random.uniform(0.5, 1.0), min(at_least, LONGEST_WAIT))  # noqa: S311 - no secret
        self._next = min(self._next * 2, LONGEST_WAIT)
        if self._clock.monotonic() + seconds > self._end:
            return False
        pause(self._clock, self._keep_going, seconds)
        return True


def pause(clock: Clock, keep_going: Callable[[], str], seconds: float) -> None:
    """Sleep, asking ``keep_going`` twice a second; raises Interrupted with its reason."""
    end = clock.monotonic() + seconds
    while True:
        reason = keep_going()
        if reason:
            raise Interrupted(f"Stopped while waiting for the API server: {reason}.", "Run again to go on.")
        left = end - clock.monotonic()
        if left <= 0:
            return
        clock.sleep(min(SLICE, left))
