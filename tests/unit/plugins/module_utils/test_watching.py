# SPDX-License-Identifier: GPL-3.0-or-later
"""Eyes on single objects: a change wakes whoever waits, whatever becomes of the connection."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from ansible_collections.weaveworks.wge.plugins.module_utils._errors import Forbidden
from ansible_collections.weaveworks.wge.plugins.module_utils._kube import watch
from ansible_collections.weaveworks.wge.plugins.module_utils._kube.connection import Connection, User
from ansible_collections.weaveworks.wge.plugins.module_utils._kube.credentials import Credentials
from ansible_collections.weaveworks.wge.plugins.module_utils._watching import ThreadWatcher

PATH = "/api/v1/namespaces/flux-system/services/x"
HOLD = b"hold\n"


def service(version: str = "5") -> dict[str, Any]:
    return {"metadata": {"name": "x", "resourceVersion": version}}


def listed(*items: dict[str, Any], version: str = "10") -> dict[str, Any]:
    return {"kind": "ServiceList", "metadata": {"resourceVersion": version}, "items": list(items)}


def line(kind: str, item: dict[str, Any]) -> bytes:
    return json.dumps({"type": kind, "object": item}).encode() + b"\n"


@pytest.fixture(autouse=True)
def short_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(watch, "PAUSE_SECONDS", 0.01)


@pytest.fixture
def watcher(server: Any) -> Iterator[ThreadWatcher]:
    found = ThreadWatcher(Connection(server.url), Credentials(User(token="t")))
    yield found
    began = time.monotonic()
    found.stop()
    found.stop()
    assert time.monotonic() - began < 1, "an open stream must not delay the end"
    assert not [thread for thread in threading.enumerate() if thread.name == "wge-guard"]


@pytest.fixture
def streams(server: Any, reply: Any) -> Callable[..., None]:
    """The list, then these answers; after them a stream that stays open."""

    def script(*answers: Any, there: bool = True) -> None:
        server.replies = [reply(200, listed(*([service()] if there else [])))]
        server.replies += [reply(200, one, act="stream") if isinstance(one, bytes) else one for one in answers]
        server.answer = lambda _: reply(200, HOLD, act="stream")

    return script


def seen(watcher: ThreadWatcher) -> list[str]:
    """The paths of the changes, once there is one."""
    end = time.monotonic() + 5
    while not (found := watcher.changes()):
        assert time.monotonic() < end, "it did not happen within 5 s"
        watcher.wait(1)
    return [change.path for change in found]


def test_an_object_is_watched_by_its_name_from_what_was_there(watcher: ThreadWatcher, server: Any, streams: Any) -> None:
    streams(HOLD)
    watcher.start([PATH])
    end = time.monotonic() + 5
    while len(server.seen) < 2 and time.monotonic() < end:
        time.sleep(0.01)
    assert all("fieldSelector=metadata.name%3Dx" in request.path for request in server.seen)
    assert "resourceVersion=10" in server.seen[1].path
    assert "watch=true" in server.seen[1].path
    watcher.wait(0.05)
    assert watcher.changes() == []


@pytest.mark.parametrize("kind", ["MODIFIED", "DELETED", "ADDED"])
def test_a_change_ends_the_wait(watcher: ThreadWatcher, streams: Any, kind: str) -> None:
    streams(line(kind, service("6")) + HOLD)
    watcher.start([PATH])
    began = time.monotonic()
    assert seen(watcher) == [PATH]
    assert time.monotonic() - began < 3
    assert watcher.changes() == []


def test_what_it_has_seen_already_wakes_nobody(watcher: ThreadWatcher, streams: Any) -> None:
    streams(line("MODIFIED", service("5")) + line("BOOKMARK", service("9")) + HOLD)
    watcher.start([PATH])
    watcher.wait(0.2)
    assert watcher.changes() == []


@pytest.mark.parametrize("items", [[service("7")], []])
def test_what_changed_while_it_could_not_see_is_seen_afterwards(
    watcher: ThreadWatcher, server: Any, streams: Any, reply: Any, items: list[Any]
) -> None:
    streams(line("ERROR", {"code": 410, "message": "too old"}), reply(200, listed(*items, version="90")))
    watcher.start([PATH])
    assert seen(watcher) == [PATH]
    assert watcher.troubles() == []


def test_an_object_that_was_not_there_and_comes_is_a_change(watcher: ThreadWatcher, streams: Any) -> None:
    streams(line("ADDED", service("6")) + HOLD, there=False)
    watcher.start([PATH])
    assert seen(watcher) == [PATH]


def test_why_it_could_not_see_is_told_once(watcher: ThreadWatcher, streams: Any, reply: Any) -> None:
    streams(reply(act="cut"), reply(act="cut"), line("MODIFIED", service("6")) + HOLD)
    watcher.start([PATH])
    assert seen(watcher) == [PATH]
    assert len(watcher.troubles()) == 1


def test_without_the_right_it_does_not_begin(watcher: ThreadWatcher, server: Any, api_status: Any) -> None:
    server.replies = [api_status(403, "Forbidden", "you cannot list")]
    with pytest.raises(Forbidden):
        watcher.start([PATH])
    assert not [thread for thread in threading.enumerate() if thread.name == "wge-guard"]
