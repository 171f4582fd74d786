# SPDX-License-Identifier: GPL-3.0-or-later
"""When the engine is told to stop."""

from __future__ import annotations

import os
import signal

import pytest

from ansible_collections.weaveworks.wge.plugins.module_utils import _surroundings
from ansible_collections.weaveworks.wge.plugins.module_utils._surroundings import Watch


def test_nothing_stands_in_the_way() -> None:
    with Watch(os.getppid(), 60.0) as watch:
        assert watch.keep_going() == ""


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_is_noted_and_ends_nothing(number: signal.Signals) -> None:
    with Watch(os.getppid(), None) as watch:
        os.kill(os.getpid(), number)
        assert watch.keep_going() == "signal"


def test_the_handlers_of_before_are_back_even_after_an_error() -> None:
    before = [signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)]
    with pytest.raises(ValueError, match="oops"), Watch(os.getppid(), None):
        raise ValueError("oops")
    assert [signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)] == before


def test_another_parent_means_that_the_controller_is_gone() -> None:
    with Watch(os.getppid() + 1, None) as watch:
        assert watch.controller_gone
        assert watch.keep_going() == "controller gone"


def test_the_deadline_counts_from_the_begin_of_the_call(monkeypatch: pytest.MonkeyPatch) -> None:
    now = 100.0
    monkeypatch.setattr(_surroundings.time, "monotonic", lambda: now)
    with Watch(os.getppid(), 10.0) as watch:
        now = 110.0
        assert watch.keep_going() == ""
        now = 110.1
        assert watch.keep_going() == "deadline"
