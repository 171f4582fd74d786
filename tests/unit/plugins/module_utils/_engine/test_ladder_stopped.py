# SPDX-License-Identifier: GPL-3.0-or-later
"""A climb that is told to stop: by a signal, a deadline, or a controller that is gone."""

from __future__ import annotations

import pytest

from ansible_collections.weaveworks.wge.plugins.module_utils._errors import Interrupted
from ansible_collections.weaveworks.wge.tests.unit.plugins.module_utils._engine.standin_faults import Fault
from ansible_collections.weaveworks.wge.tests.unit.plugins.module_utils._engine.standin_runs import BACK, CLIMB, LOCK, climb, roll_back
from ansible_collections.weaveworks.wge.tests.unit.plugins.module_utils._engine.standin_witness import Witness, content
from ansible_collections.weaveworks.wge.tests.unit.plugins.module_utils._engine.standin_world import World


@pytest.mark.parametrize("at", range(1, CLIMB - 1, 3))
def test_a_signal_stops_before_the_next_write_and_the_lock_is_given_back(scene: World, at: int) -> None:
    witness, fault = Witness(scene), Fault(at, "stop", "signal")
    outcome = climb(scene, fault)
    assert outcome is not None
    if at < CLIMB - 2:
        assert isinstance(outcome.error, Interrupted)
        assert outcome.verdict == "safe_stop"
        assert "Stopped on request (signal)." in str(outcome.error)
    assert fault.sent_after == [("delete", LOCK)]
    assert not witness.dark
    again = climb(scene)
    assert again is not None
    assert again.verdict in ("upgraded", "already")


@pytest.mark.parametrize("at", range(CLIMB - 1))
def test_with_the_controller_gone_not_one_more_write_is_sent(scene: World, at: int) -> None:
    witness, fault = Witness(scene), Fault(at, "stop", "controller gone")
    climb(scene, fault)
    assert fault.sent_after == []
    assert not witness.dark


def test_a_deadline_stops_like_a_signal(scene: World) -> None:
    fault = Fault(5, "stop", "deadline")
    outcome = climb(scene, fault)
    assert outcome is not None
    assert "Stopped on request (deadline)." in str(outcome.error)
    assert fault.sent_after == [("delete", LOCK)]


def test_asked_to_stop_before_it_begins_a_climb_writes_nothing(scene: World) -> None:
    before, fault = content(scene), Fault()
    scene.stop = "signal"
    outcome = climb(scene, fault)
    assert outcome is not None
    assert outcome.verdict == "safe_stop"
    assert content(scene) == before
    assert not outcome.changed


def test_a_signal_on_the_way_back_does_not_leave_it_half_done(scene: World) -> None:
    before = content(scene)
    climb(scene)
    outcome = roll_back(scene, Fault(3, "stop", "signal"))
    assert outcome is not None
    assert outcome.verdict == "rolled_back"
    assert content(scene) == before


@pytest.mark.parametrize("at", range(1, BACK - 1, 3))
def test_with_the_controller_gone_the_way_back_stops_too(scene: World, at: int) -> None:
    climb(scene)
    fault = Fault(at, "stop", "controller gone")
    witness = Witness(scene)
    roll_back(scene, fault)
    assert fault.sent_after == []
    assert not witness.dark
