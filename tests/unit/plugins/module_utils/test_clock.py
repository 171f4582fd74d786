# SPDX-License-Identifier: GPL-3.0-or-later
"""The real clock."""

from __future__ import annotations

from datetime import timedelta

from ansible_collections.weaveworks.wge.plugins.module_utils._clock import SystemClock


def test_it_waits_and_knows_its_zone() -> None:
    clock = SystemClock()
    before = clock.monotonic()
    clock.sleep(0.01)
    assert clock.monotonic() - before >= 0.01
    assert clock.wall().utcoffset() == timedelta(0)
