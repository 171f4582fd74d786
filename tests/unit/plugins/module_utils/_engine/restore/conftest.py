# SPDX-License-Identifier: GPL-3.0-or-later
"""A cluster whose every object was archived."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from ansible_collections.weaveworks.wge.tests.unit.plugins.module_utils._engine.restore.archived import Archived


@pytest.fixture
def archived() -> Archived:
    """WG on a cluster, and an archive of all that is there."""
    # Not at the top: pytest reads this file before the collection can be imported (tests/unit/conftest.py).
    from ansible_collections.weaveworks.wge.tests.unit.plugins.module_utils._engine.restore.archived import Archived

    return Archived()
