# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import json
import os
from collections.abc import Iterator

import pytest

from ansible_collections.weaveworks.wge.plugins.plugin_utils import _progress

STEP = {"host": "prod-eu-1", "event": "step", "step": "S12", "title": "flip", "rung": "flipped"}


@pytest.fixture
def channel() -> Iterator[int]:
    reading_end = _progress.open_channel()
    yield reading_end
    _progress.close_channel()
    os.close(reading_end)


def test_without_a_channel_the_caller_hears_so() -> None:
    assert _progress.tell(STEP) is False


def test_an_event_is_one_json_line(channel: int) -> None:
    assert _progress.tell(STEP) is True
    assert json.loads(os.read(channel, 65536)) == STEP


def test_a_worker_s_event_arrives_in_the_parent(channel: int) -> None:
    child = os.fork()
    if child == 0:
        _progress.tell(STEP)
        os._exit(0)
    os.waitpid(child, 0)
    assert json.loads(os.read(channel, 65536)) == STEP


def test_a_line_is_never_longer_than_a_pipe_takes_whole(channel: int) -> None:
    _progress.tell({**STEP, "title": "x" * 9000})
    _progress.tell({**STEP, **{f"key{number}": "ü" * 9000 for number in range(50)}})
    for line in os.read(channel, 65536).splitlines():
        assert len(line) < _progress.LINE_BYTES
        assert json.loads(line)["step"] == "S12"


def test_a_full_pipe_drops_events_and_never_blocks(channel: int) -> None:
    for _ in range(5000):
        assert _progress.tell(STEP) is True
    assert os.read(channel, 1 << 20).endswith(b"}\n")


def test_a_reader_that_is_gone_is_no_error() -> None:
    os.close(_progress.open_channel())
    assert _progress.tell(STEP) is True
    _progress.close_channel()


@pytest.mark.parametrize(
    ("event", "line"),
    [
        ({**STEP, "state": "begin"}, "[prod-eu-1] S12 flip: …"),
        ({**STEP, "state": "done", "seconds": 0.12}, "[prod-eu-1] S12 flip: done (0.1 s)"),
        ({**STEP, "state": "skip"}, "[prod-eu-1] S12 flip: nothing to do"),
        ({**STEP, "state": "undo"}, "[prod-eu-1] S12 flip: taken back"),
        ({"host": "c1", "event": "note", "text": "Everything is taken back."}, "[c1] Everything is taken back."),
    ],
)
def test_an_event_reads_as_a_line(event: dict[str, object], line: str) -> None:
    assert _progress.line_of(event) == line
