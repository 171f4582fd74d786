# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import os
import threading
from typing import Any

import pytest

from ansible_collections.weaveworks.wge.plugins.callback.progress import CallbackModule
from ansible_collections.weaveworks.wge.plugins.plugin_utils import _progress


class Shown:
    """Stands for Display."""

    verbosity = 0

    def __init__(self) -> None:
        self.lines: list[str] = []

    def display(self, line: str, *_arguments: Any, **_options: Any) -> None:
        self.lines.append(line)


@pytest.fixture
def shown() -> Shown:
    return Shown()


def step(number: int) -> dict[str, Any]:
    return {"host": "c1", "event": "step", "step": f"S{number}", "title": "t", "state": "done"}


def test_every_event_that_was_taken_is_printed_before_the_run_ends(shown: Shown) -> None:
    callback = CallbackModule(display=shown)
    for number in range(300):
        assert _progress.tell(step(number))
    callback.v2_playbook_on_stats(None)
    assert shown.lines == [f"[c1] S{number} t: done" for number in range(300)]


def test_after_the_run_nothing_is_left(shown: Shown) -> None:
    descriptors = len(os.listdir("/proc/self/fd"))
    CallbackModule(display=shown).v2_playbook_on_stats(None)
    assert len(os.listdir("/proc/self/fd")) == descriptors
    assert "wge-progress" not in [thread.name for thread in threading.enumerate()]
    assert _progress.tell(step(1)) is False


def test_what_is_no_event_is_passed_over(shown: Shown) -> None:
    callback = CallbackModule(display=shown)
    for line in (b"\n", b"{not json}\n", b"[1]\n"):
        _progress._write(line)
    callback.v2_playbook_on_stats(None)
    assert shown.lines == []
