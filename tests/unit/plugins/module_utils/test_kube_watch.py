# SPDX-License-Identifier: GPL-3.0-or-later
"""The watch on EndpointSlices."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from ansible_collections.weaveworks.wge.plugins.module_utils._clock import SystemClock
from ansible_collections.weaveworks.wge.plugins.module_utils._errors import Forbidden, Unreachable
from ansible_collections.weaveworks.wge.plugins.module_utils._kube import watch
from ansible_collections.weaveworks.wge.plugins.module_utils._kube.connection import Connection, User
from ansible_collections.weaveworks.wge.plugins.module_utils._kube.credentials import Credentials
from ansible_collections.weaveworks.wge.plugins.module_utils._kube.watch import EndpointWatch, event_of

HOLD = b"hold\n"


def slice_of(name: str = "x-1", version: str = "5", pods: Any = ("p",), ports: Any = (("http", 9001),)) -> dict[str, Any]:
    return {
        "metadata": {"name": name, "resourceVersion": version, "labels": {"kubernetes.io/service-name": "x"}},
        "endpoints": [{"addresses": ["10.0.0.1"], "targetRef": {"name": pod}} for pod in pods],
        "ports": [{"name": port, "port": number} for port, number in ports],
    }


def line(kind: str, item: dict[str, Any]) -> bytes:
    return json.dumps({"type": kind, "object": item}).encode() + b"\n"


def listed(*items: dict[str, Any], version: str = "10") -> dict[str, Any]:
    return {"kind": "EndpointSliceList", "metadata": {"resourceVersion": version}, "items": list(items)}


def until(condition: Callable[[], Any]) -> None:
    end = time.monotonic() + 5
    while not condition():
        assert time.monotonic() < end, "it did not happen within 5 s"
        time.sleep(0.01)


@pytest.fixture(autouse=True)
def short_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(watch, "PAUSE_SECONDS", 0.01)


@pytest.fixture
def watched(server: Any) -> EndpointWatch:
    return EndpointWatch(Connection(server.url), Credentials(User(token="t")), "flux-system", ["x", "y"], SystemClock())


@pytest.fixture
def running(watched: EndpointWatch) -> Iterator[EndpointWatch]:
    watched.look()
    thread = threading.Thread(target=watched.follow)
    thread.start()
    yield watched
    began = time.monotonic()
    watched.stop()
    thread.join(5)
    assert not thread.is_alive()
    assert time.monotonic() - began < 1, "an open stream must not delay the end"


class TestEvents:
    def test_ready_pods_and_ports_are_told(self) -> None:
        event = event_of(slice_of(pods=("b", "a")), 1.0)
        assert (event.service, event.slice, event.ready, event.ports) == ("x", "x-1", ("a", "b"), (("http", 9001),))

    def test_without_ports_nothing_is_ready(self) -> None:
        assert event_of({**slice_of(), "ports": None}, 1.0).ready == ()

    @pytest.mark.parametrize(("conditions", "ready"), [({"ready": False}, ()), ({"ready": None}, ("p",)), (None, ("p",))])
    def test_only_an_explicit_no_is_not_ready(self, conditions: Any, ready: tuple[str, ...]) -> None:
        item = slice_of()
        item["endpoints"][0]["conditions"] = conditions
        assert event_of(item, 1.0).ready == ready

    def test_an_endpoint_without_a_pod_is_named_by_its_address(self) -> None:
        item = slice_of()
        del item["endpoints"][0]["targetRef"]
        assert event_of(item, 1.0).ready == ("10.0.0.1",)

    def test_null_endpoints_are_none(self) -> None:
        assert event_of({**slice_of(), "endpoints": None}, 1.0).ready == ()


class TestLook:
    def test_the_first_events_are_the_state_at_the_start(self, watched: EndpointWatch, server: Any, reply: Any) -> None:
        server.replies = [reply(200, listed(slice_of()))]
        watched.look()
        assert [event.ready for event in watched.events] == [("p",)]
        assert "labelSelector=kubernetes.io%2Fservice-name+in+%28x%2Cy%29" in server.seen[0].path

    def test_a_missing_right_is_raised(self, watched: EndpointWatch, server: Any, api_status: Any) -> None:
        server.replies = [api_status(403, "Forbidden", "you cannot list")]
        with pytest.raises(Forbidden, match="you cannot list"):
            watched.look()

    def test_an_answer_that_is_no_list_is_raised(self, watched: EndpointWatch, server: Any, reply: Any) -> None:
        server.replies = [reply(200, {"kind": "x"})]
        with pytest.raises(Unreachable, match="is not a list"):
            watched.look()

    def test_a_cut_connection_is_raised(self, watched: EndpointWatch, server: Any, reply: Any) -> None:
        server.replies = [reply(act="cut")]
        with pytest.raises(Unreachable, match="the connection was cut"):
            watched.look()


class TestFollow:
    @pytest.fixture(autouse=True)
    def script(self, server: Any, reply: Any, request: pytest.FixtureRequest) -> None:
        """The list, then one stream an argument; the last one stays open."""
        marker = request.node.get_closest_marker("parametrize")
        streams = request.node.callspec.params["streams"] if marker else [HOLD]
        server.replies = [reply(200, listed(slice_of()))]
        for stream in streams:
            server.replies.append(stream if not isinstance(stream, bytes) else reply(200, stream, act="stream"))
        server.answer = lambda _: reply(200, HOLD, act="stream")

    def test_an_open_stream_is_ended_at_once(self, running: EndpointWatch, server: Any) -> None:
        until(lambda: len(server.seen) == 2)
        time.sleep(0.1)

    @pytest.mark.parametrize("streams", [[line("MODIFIED", slice_of(pods=("q",))) + line("DELETED", slice_of()) + HOLD]])
    def test_each_change_is_an_event(self, running: EndpointWatch, streams: Any) -> None:
        until(lambda: len(running.events) == 3)
        assert [(event.ready, event.deleted) for event in running.events] == [(("p",), False), (("q",), False), ((), True)]
        assert sorted(event.at for event in running.events) == [event.at for event in running.events]

    @pytest.mark.parametrize("streams", [[line("BOOKMARK", slice_of(version="77"))]])
    def test_a_stream_that_ends_goes_on_from_its_last_version(self, running: EndpointWatch, server: Any, streams: Any) -> None:
        until(lambda: len(server.seen) == 3)
        assert "resourceVersion=10" in server.seen[1].path
        assert "resourceVersion=77" in server.seen[2].path
        assert len(running.events) == 1
        assert running.troubles == []

    @pytest.mark.parametrize("streams", [[line("ERROR", {"code": 410, "message": "too old"})]])
    def test_a_version_that_is_gone_means_a_new_list(self, running: EndpointWatch, server: Any, reply: Any, streams: Any) -> None:
        server.replies.append(reply(200, listed(slice_of("x-2", pods=("q",)), version="90")))
        until(lambda: len(server.seen) == 4)
        assert [(event.slice, event.deleted) for event in running.events] == [
            ("x-1", False),
            ("x-1", True),
            ("x-2", False),
        ]
        assert "resourceVersion=90" in server.seen[3].path

    @pytest.mark.parametrize("streams", [[line("ERROR", {"code": 500, "message": "etcd is away"})]])
    def test_another_error_is_remembered_as_trouble(self, running: EndpointWatch, server: Any, reply: Any, streams: Any) -> None:
        server.replies.append(reply(200, listed(slice_of())))
        until(lambda: len(server.seen) == 4)
        assert "etcd is away" in running.troubles[0][1]

    @pytest.mark.parametrize("streams", [[b"not json\n"]])
    def test_an_answer_that_is_not_json_is_remembered_as_trouble(self, running: EndpointWatch, streams: Any) -> None:
        until(lambda: running.troubles)
        assert "JSONDecodeError" in running.troubles[0][1]
