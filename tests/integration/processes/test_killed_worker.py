# SPDX-License-Identifier: GPL-3.0-or-later
"""A worker that the kernel ends (by kill -9, as the OOM killer does) leaves nothing behind and costs nobody a request."""

from __future__ import annotations

import pytest

from .stories import Story
from .watched import Aftermath

pytestmark = [pytest.mark.bed, pytest.mark.slow]
PLACES = ["before the flip", "after the flip"]


@pytest.fixture(name="aftermath", params=PLACES)
def _aftermath(worker_story: Story, request: pytest.FixtureRequest) -> Aftermath:
    return worker_story.after(request.param)


def test_the_run_fails(aftermath: Aftermath) -> None:
    assert aftermath.rc > 0


def test_no_process_is_left(aftermath: Aftermath) -> None:
    assert aftermath.left_processes == {}


def test_no_file_is_left_in_a_temporary_folder(aftermath: Aftermath) -> None:
    assert aftermath.left_files == []


def test_nothing_is_written_any_more(aftermath: Aftermath) -> None:
    assert aftermath.late == []


def test_the_journal_stays_open_and_the_lock_taken(aftermath: Aftermath) -> None:
    assert aftermath.journal == ["open"]
    assert aftermath.locked


def test_the_next_run_waits_out_the_lock_and_goes_on_where_the_first_was(worker_story: Story) -> None:
    second = worker_story.after("after the flip").text
    assert "to go stale" in second
    assert "S12 flip the Services to WGE: done" in second
    assert "S7 install WGE beside WG" not in second


def test_the_last_run_ends_upgraded(worker_story: Story) -> None:
    last = worker_story.end
    assert (last.rc, last.cluster("worker")["verdict"]) == (0, "upgraded"), last.text[-3000:]
    assert "S12 flip the Services to WGE" not in last.text


def test_the_dashboards_visitors_lose_nothing(worker_story: Story) -> None:
    assert worker_story.lost == []
    assert all(set(stream["products"]) == {"WG", "WGE"} for stream in worker_story.visitors["streams"])


def test_nothing_is_left_in_the_machines_temporary_folder(worker_story: Story) -> None:
    assert worker_story.strays == set()
