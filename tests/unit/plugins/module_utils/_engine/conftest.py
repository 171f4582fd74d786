# SPDX-License-Identifier: GPL-3.0-or-later
"""A stand-in cluster with WG 0.38.0 on it, ready to be upgraded."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from ansible_collections.weaveworks.wge.tests.unit.plugins.module_utils._engine.standin_world import World


@pytest.fixture
def world(tmp_path: Path) -> World:
    """One cluster on which every check passes."""
    # Not at the top: pytest reads this file before the collection can be imported (tests/unit/conftest.py).
    from ansible_collections.weaveworks.wge.tests.unit.plugins.module_utils._engine.standin_world import QUICK, World

    made = World(settings=replace(QUICK, archive_dir=str(tmp_path / "archive")))
    made.install_wg()
    return made


@pytest.fixture
def scene(tmp_path: Path) -> World:
    """A cluster that was lived in."""
    # Not at the top, for the same reason.
    from ansible_collections.weaveworks.wge.tests.unit.plugins.module_utils._engine.standin_runs import lived_in

    return lived_in(tmp_path)
