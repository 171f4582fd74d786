# SPDX-License-Identifier: GPL-3.0-or-later
"""A controller that is killed leaves orphans, and they stop before their next write; one that is asked to end stops safely."""

from __future__ import annotations

import signal

import pytest

from .stories import Story
from .watched import LEASE, Aftermath

pytestmark = [pytest.mark.bed, pytest.mark.slow]
ASKED = ["terminated", "interrupted"]


@pytest.fixture(name="killed")
def _killed(controller_story: Story) -> Aftermath:
    return controller_story.after("killed")


@pytest.fixture(name="asked", params=ASKED)
def _asked(controller_story: Story, request: pytest.FixtureRequest) -> Aftermath:
    return controller_story.after(request.param)


def test_the_orphan_of_a_killed_controller_writes_nothing_more(killed: Aftermath) -> None:
    """helm, which was at work, ends what it had begun: cut off it would leave a release that nobody can upgrade."""
    assert killed.rc == -signal.SIGKILL
    assert killed.late_by_us == []
    assert killed.late_by_helm != []


def test_the_orphan_ends_and_so_does_helm(killed: Aftermath) -> None:
    assert killed.left_processes == {}


def test_a_killed_controller_leaves_no_file_in_a_temporary_folder(killed: Aftermath) -> None:
    assert killed.left_files == []


def test_a_killed_controller_leaves_the_journal_open_and_the_lock_taken(killed: Aftermath) -> None:
    assert killed.journal == ["open"]
    assert killed.locked


def test_a_signal_to_the_controller_ends_in_a_safe_stop(asked: Aftermath) -> None:
    """Ansible drops the result of such a run, so the worker wrote it down by itself."""
    assert asked.rc != 0
    assert asked.recorded == ["safe_stop"]
    assert asked.journal == ["open"]


def test_after_a_signal_only_the_lock_is_given_back(asked: Aftermath) -> None:
    assert asked.late_by_us == [("delete", LEASE)]
    assert not asked.locked


def test_after_a_signal_nothing_is_left(asked: Aftermath) -> None:
    assert asked.left_processes == {}
    assert asked.left_files == []


def test_each_next_run_goes_on_and_the_last_ends_upgraded(controller_story: Story) -> None:
    terminated, interrupted = (controller_story.after(name).text for name in ASKED)
    last = controller_story.end
    assert "S2 open the journal" not in terminated
    assert "S12 flip the Services to WGE: done" in terminated
    assert "S12 flip the Services to WGE" not in interrupted + last.text
    assert (last.rc, last.cluster("controller")["verdict"]) == (0, "upgraded"), last.text[-3000:]


def test_the_dashboards_visitors_lose_nothing(controller_story: Story) -> None:
    assert controller_story.lost == []
    assert all(set(stream["products"]) == {"WG", "WGE"} for stream in controller_story.visitors["streams"])


def test_nothing_is_left_in_the_machines_temporary_folder(controller_story: Story) -> None:
    assert controller_story.strays == set()
