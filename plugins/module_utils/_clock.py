# SPDX-License-Identifier: GPL-3.0-or-later
"""The real time. PRIVATE: can change at any time."""

from __future__ import annotations

import time
from datetime import datetime, timezone

_STEADY = getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC)
"""Goes on while the machine sleeps: a run that wakes up must know that its lock is old. On macOS CLOCK_MONOTONIC does."""


class SystemClock:
    """The Clock of ``_engine.model`` that really waits."""

    def monotonic(self) -> float:
        """Seconds that only go forward; the probes and the watch stamp with the same ones."""
        return time.clock_gettime(_STEADY)

    def wall(self) -> datetime:
        """Now, in UTC."""
        return datetime.now(timezone.utc)

    def sleep(self, seconds: float) -> None:
        """Wait."""
        time.sleep(seconds)
