# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from ansible_collections.weaveworks.wge.plugins.plugin_utils import _shared
from ansible_collections.weaveworks.wge.plugins.plugin_utils._shared import SharedMapping, shared_mapping


@pytest.fixture
def mapping() -> Iterator[SharedMapping]:
    made = SharedMapping(64 * 1024)
    yield made
    made.close()


def in_child(work: Callable[[], Any]) -> int:
    """Run in a fork; the exit code."""
    child = os.fork()
    if child == 0:
        code = 1
        try:
            work()
            code = 0
        finally:
            os._exit(code)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


def test_what_one_worker_puts_in_another_worker_finds(mapping: SharedMapping) -> None:
    assert in_child(lambda: mapping.update(chart=b"facts")) == 0
    assert mapping["chart"] == b"facts"
    assert in_child(lambda: mapping["chart"] == b"facts" or os._exit(3)) == 0


def test_it_behaves_like_a_mapping(mapping: SharedMapping) -> None:
    mapping["a"] = b"1"
    mapping["b"] = b""
    mapping["a"] = b"2"
    assert dict(mapping) == {"b": b"", "a": b"2"}
    del mapping["a"]
    assert "a" not in mapping
    assert len(mapping) == 1
    with pytest.raises(KeyError):
        del mapping["a"]
    with pytest.raises(KeyError):
        _ = mapping["a"]


def test_what_does_not_fit_is_not_kept_and_nothing_is_lost(mapping: SharedMapping) -> None:
    mapping["small"] = b"s"
    mapping["large"] = bytes(64 * 1024)
    assert dict(mapping) == {"small": b"s"}


def test_workers_that_write_at_the_same_time_lose_nothing(mapping: SharedMapping) -> None:
    def write(worker: int) -> None:
        for number in range(50):
            mapping[f"{worker}-{number}"] = b"x" * 20

    children = []
    for worker in range(4):
        child = os.fork()
        if child == 0:
            write(worker)
            os._exit(0)
        children.append(child)
    assert [os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) for child in children] == [0, 0, 0, 0]
    assert len(mapping) == 200


def test_a_killed_worker_leaves_no_lock_behind(mapping: SharedMapping) -> None:
    child = os.fork()
    if child == 0:
        with mapping._locked():
            time.sleep(60)
    time.sleep(0.2)
    os.kill(child, signal.SIGKILL)
    os.waitpid(child, 0)
    mapping["after"] = b"1"
    assert mapping["after"] == b"1"


def test_where_there_is_no_such_memory_each_worker_has_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delattr(_shared.os, "memfd_create")
    assert shared_mapping() == {}


def test_it_leaves_no_file() -> None:
    before = set(os.listdir("/dev/shm")) if os.path.isdir("/dev/shm") else set()
    made = SharedMapping()
    made["a"] = b"1"
    assert (set(os.listdir("/dev/shm")) if os.path.isdir("/dev/shm") else set()) == before
    made.close()
