# SPDX-License-Identifier: GPL-3.0-or-later
"""A cluster on which the upgrade is at its end."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from ansible_collections.weaveworks.wge.tests.unit.plugins.module_utils._engine.standin_world import World


@pytest.fixture
def scene(tmp_path: Path) -> World:
    """A cluster that was lived in, parked eight days ago."""
    # Not at the top: pytest reads this file before the collection can be imported (tests/unit/conftest.py).
    from ansible_collections.weaveworks.wge.tests.unit.plugins.module_utils._engine.finalising.parked import parked_long_ago

    return parked_long_ago(tmp_path)
