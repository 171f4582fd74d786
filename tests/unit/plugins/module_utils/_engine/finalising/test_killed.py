# SPDX-License-Identifier: GPL-3.0-or-later
"""A removal that is killed or meddled with at any one of its writes, and the way back from there."""

from __future__ import annotations

from pathlib import Path

import pytest

from ansible_collections.weaveworks.wge.plugins.module_utils._engine.journal import journal_from
from ansible_collections.weaveworks.wge.plugins.module_utils._engine.model import Object
from ansible_collections.weaveworks.wge.plugins.module_utils._engine.objects import path_of
from ansible_collections.weaveworks.wge.plugins.module_utils._errors import Blocked
from ansible_collections.weaveworks.wge.tests.unit.plugins.module_utils._engine.finalising.parked import (
    WRITES,
    journal_secret,
    parked_long_ago,
)
from ansible_collections.weaveworks.wge.tests.unit.plugins.module_utils._engine.standin_faults import Fault
from ansible_collections.weaveworks.wge.tests.unit.plugins.module_utils._engine.standin_runs import LOCK, finalise, lived_in, roll_back
from ansible_collections.weaveworks.wge.tests.unit.plugins.module_utils._engine.standin_witness import Witness, content
from ansible_collections.weaveworks.wge.tests.unit.plugins.module_utils._engine.standin_world import World


@pytest.fixture(scope="module")
def finalised(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Object]:
    """What a removal that nobody disturbed leaves."""
    made = parked_long_ago(tmp_path_factory.mktemp("undisturbed"))
    finalise(made)
    return content(made, runs=False)


@pytest.mark.parametrize(("at", "kind"), [(at, f"kill {when}") for at in range(WRITES) for when in ("before", "after")])
def test_a_removal_killed_at_any_write_is_brought_to_its_end_by_the_next_run(
    scene: World, finalised: dict[str, Object], at: int, kind: str
) -> None:
    witness = Witness(scene)
    assert finalise(scene, Fault(at, kind)) is None
    outcome = finalise(scene)
    assert outcome is not None
    assert outcome.verdict in ("finalised", "already"), outcome.error
    assert content(scene, runs=False) == finalised
    assert not witness.dark
    fault = Fault()
    assert finalise(scene, fault) is not None
    assert fault.sent == []


@pytest.mark.parametrize(("at", "kind"), [(at, f"lost {when}") for at in range(1, WRITES) for when in ("before", "after")])
def test_a_lost_answer_is_looked_up_and_the_removal_goes_on(scene: World, finalised: dict[str, Object], at: int, kind: str) -> None:
    outcome = finalise(scene, Fault(at, kind))
    assert outcome is not None
    assert outcome.verdict == "finalised", outcome.error
    left = content(scene, runs=False)
    left.pop(LOCK, None)
    assert left == finalised


@pytest.mark.parametrize("at", range(2, WRITES - 3))
def test_what_somebody_made_anew_is_not_deleted(scene: World, at: int) -> None:
    fault = Fault(at, "meddle")
    outcome = finalise(scene, fault)
    assert outcome is not None
    if not fault.meddled or "/deployments/" in path_of(fault.meddled):
        return
    assert path_of(fault.meddled) in scene.cluster.objects


def test_a_stop_before_anything_was_removed_can_be_rolled_back_as_ever(scene: World, tmp_path: Path) -> None:
    finalise(scene, Fault(1, "kill after"))
    outcome = roll_back(scene)
    assert outcome is not None
    assert outcome.verdict == "rolled_back", outcome.error
    assert content(scene, runs=False) == content(lived_in(tmp_path / "other"), runs=False)


@pytest.mark.parametrize("at", [3, WRITES - 2])
def test_once_wg_is_removed_the_way_back_asks_for_the_archive_the_journal_names(scene: World, at: int) -> None:
    finalise(scene, Fault(at, "kill after"))
    fault = Fault()
    archive = journal_from(journal_secret(scene)).archive["path"]
    scene.archives.made.clear()
    with pytest.raises(Blocked) as raised:
        roll_back(scene, fault)
    assert archive in raised.value.what
    assert "wge_archive" in raised.value.next_step
    assert fault.sent == []


def test_an_archive_that_is_not_there_is_named(scene: World) -> None:
    finalise(scene)
    scene.set(archive="/nowhere/archive")
    with pytest.raises(Blocked, match="/nowhere/archive is not there; the journal names"):
        roll_back(scene)
