# SPDX-License-Identifier: GPL-3.0-or-later
"""The probes, against real sockets."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from ansible_collections.weaveworks.wge.plugins.module_utils import _probe
from ansible_collections.weaveworks.wge.plugins.module_utils._engine.model import Sample, Vantage
from ansible_collections.weaveworks.wge.plugins.module_utils._errors import Forbidden, Unreachable
from ansible_collections.weaveworks.wge.plugins.module_utils._kube.connection import Connection, User
from ansible_collections.weaveworks.wge.plugins.module_utils._kube.credentials import Credentials
from ansible_collections.weaveworks.wge.plugins.module_utils._probe import ThreadProbes

PROXY = Vantage("proxy", "proxy", "/api/v1/namespaces/n/services/http:x:9001/proxy", ("/", "/v1/config"))


@pytest.fixture
def api(server: Any, reply: Any) -> Any:
    """An API server: EndpointSlices, a watch, and whatever ``api.dashboard`` answers through the service proxy."""
    server.dashboard = lambda _: reply(200, b"<html>")

    def answer(seen: Any) -> Any:
        if "watch=true" in seen.path:
            return reply(200, b"hold\n", act="stream")
        if "endpointslices" in seen.path:
            return reply(200, {"metadata": {"resourceVersion": "1"}, "items": []})
        return server.dashboard(seen)

    server.answer = answer
    return server


@pytest.fixture
def start(api: Any) -> Iterator[Callable[..., ThreadProbes]]:
    running: list[ThreadProbes] = []

    def begin(*vantages: Vantage, user: User | None = None, **settings: Any) -> ThreadProbes:
        connection = Connection(api.url, user or User(token="t"))
        probes = ThreadProbes(connection, Credentials(connection.user), **settings)
        running.append(probes)
        probes.start(vantages, "n", ["x"])
        return probes

    yield begin
    for probes in running:
        probes.stop()
    assert not [thread for thread in threading.enumerate() if thread.name.startswith("wge-")]


def entry(url: str, *paths: str) -> Vantage:
    return Vantage("node port", "entry", url, paths or ("/",))


def counts(probes: ThreadProbes) -> list[int]:
    """How many samples each of the four threads has."""
    found = [(sample.vantage, sample.reused) for sample in probes.samples()]
    return [found.count((vantage, reused)) for vantage in ("proxy", "node port") for reused in (False, True)]


def after(seconds: float, probes: ThreadProbes) -> list[Sample]:
    time.sleep(seconds)
    return probes.samples()


def faults(samples: list[Sample]) -> set[str]:
    return {sample.fault for sample in samples}


class TestRequests:
    def test_each_vantage_is_asked_with_new_and_with_kept_connections(
        self, start: Callable[..., ThreadProbes], serve: Callable[..., Any]
    ) -> None:
        other = serve()
        probes = start(PROXY, entry(other.url))
        end = time.monotonic() + 5
        while min(counts(probes)) < 10 and time.monotonic() < end:
            time.sleep(0.05)
        samples = probes.samples()
        assert min(counts(probes)) >= 10
        assert faults(samples) == {""}
        assert {sample.status for sample in samples} == {200}
        new = [seen.peer for seen in other.seen if seen.header("Connection") == "close"]
        kept = [seen.peer for seen in other.seen if seen.header("Connection") != "close"]
        assert len(set(new)) == len(new)
        assert len(set(kept)) == 1

    def test_paths_take_turns_below_the_address(self, start: Callable[..., ThreadProbes], api: Any) -> None:
        after(0.4, start(PROXY))
        paths = [seen.path for seen in api.seen if "proxy" in seen.path]
        assert set(paths) == {f"{PROXY.address}/", f"{PROXY.address}/v1/config"}

    def test_an_entry_never_sees_our_token(self, start: Callable[..., ThreadProbes], serve: Callable[..., Any]) -> None:
        other = serve()
        after(0.2, start(entry(other.url)))
        assert other.seen
        assert all(seen.header("Authorization") is None for seen in other.seen)

    def test_a_kept_connection_is_renewed(
        self, start: Callable[..., ThreadProbes], serve: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(_probe, "RENEWAL", 0.3)
        other = serve()
        after(1.0, start(entry(other.url)))
        kept = [seen.peer for seen in other.seen if seen.header("Connection") != "close"]
        assert 2 <= len(set(kept)) <= 4

    def test_https_entries_are_checked(self, start: Callable[..., ThreadProbes], serve: Callable[..., Any], authority: Any) -> None:
        url = serve(tls=True).url
        assert faults(after(0.3, start(entry(url), entry_authority=authority.certificate))) == {""}
        assert "certificate is not trusted" in "".join(faults(after(0.3, start(entry(url)))))

    def test_samples_can_be_asked_for_since_a_moment(self, start: Callable[..., ThreadProbes]) -> None:
        probes = start(PROXY)
        samples = after(0.6, probes)
        middle = samples[len(samples) // 2].at
        recent = probes.samples(middle)
        assert recent[0].at == middle
        assert [sample.at for sample in recent] == sorted(sample.at for sample in recent)

    def test_stopping_twice_is_no_error_and_keeps_what_was_seen(self, start: Callable[..., ThreadProbes]) -> None:
        probes = start(PROXY)
        time.sleep(0.2)
        probes.stop()
        seen = len(probes.samples())
        probes.stop()
        assert len(probes.samples()) == seen > 0


class TestFaults:
    @pytest.mark.parametrize("code", [200, 302, 401, 404])
    def test_what_the_dashboard_says_of_itself_is_none(self, start: Callable[..., ThreadProbes], api: Any, reply: Any, code: int) -> None:
        api.dashboard = lambda _: reply(code, b"words", {"Location": "/x"})
        samples = after(0.3, start(PROXY))
        assert faults(samples) == {""}
        assert {sample.status for sample in samples} == {code}

    def test_a_server_error_is_one(self, start: Callable[..., ThreadProbes], api: Any, reply: Any) -> None:
        api.dashboard = lambda _: reply(502, b"")
        assert faults(after(0.3, start(PROXY))) == {"HTTP 502"}

    @pytest.mark.parametrize("code", [401, 403, 503])
    def test_the_api_servers_own_error_is_one(self, start: Callable[..., ThreadProbes], api: Any, api_status: Any, code: int) -> None:
        api.dashboard = lambda _: api_status(code, "", "no endpoints available")
        assert faults(after(0.3, start(PROXY))) == {"the API server: no endpoints available"}

    def test_a_cut_answer_is_one(self, start: Callable[..., ThreadProbes], api: Any, reply: Any) -> None:
        api.dashboard = lambda _: reply(200, b"half", act="short")
        found = after(0.3, start(PROXY))
        assert faults(found) == {"the answer was cut"}
        assert {sample.status for sample in found} == {0}

    def test_a_cut_connection_is_one(self, start: Callable[..., ThreadProbes], api: Any, reply: Any) -> None:
        api.dashboard = lambda _: reply(act="cut")
        assert faults(after(0.3, start(PROXY))) == {"the connection was cut"}

    def test_a_closed_port_is_one(self, start: Callable[..., ThreadProbes]) -> None:
        with socket.socket() as listener:
            listener.bind(("127.0.0.1", 0))
            url = f"http://127.0.0.1:{listener.getsockname()[1]}"
        assert faults(after(0.3, start(entry(url)))) == {"connection refused"}

    def test_a_late_answer_is_one(self, start: Callable[..., ThreadProbes], api: Any, reply: Any, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(_probe, "TIMEOUT", 0.1)
        api.dashboard = lambda _: reply(act="wait 0.3")
        assert faults(after(0.5, start(PROXY))) == {"no answer in time"}

    def test_an_idle_connection_that_the_server_dropped_is_none(self, start: Callable[..., ThreadProbes], api: Any, reply: Any) -> None:
        api.dashboard = lambda _: reply(200, b"", {"Connection": "close"})
        assert faults(after(0.4, start(PROXY))) == {""}

    def test_credentials_that_end_are_renewed_without_a_fault(
        self, start: Callable[..., ThreadProbes], api: Any, api_status: Any, reply: Any, tmp_path: Any
    ) -> None:
        path = tmp_path / "token"
        path.write_text("old")
        good = ["old"]
        api.dashboard = lambda seen: reply() if seen.header("Authorization") == f"Bearer {good[0]}" else api_status(401)
        probes = start(PROXY, user=User(token_file=str(path)))
        time.sleep(0.2)
        path.write_text("new")
        good[0] = "new"
        assert faults(after(0.4, probes)) == {""}

    def test_credentials_that_vanish_are_faults_and_no_crash(
        self, start: Callable[..., ThreadProbes], api: Any, api_status: Any, tmp_path: Any
    ) -> None:
        path = tmp_path / "token"
        path.write_text("old")
        probes = start(PROXY, user=User(token_file=str(path)))
        path.unlink()
        api.dashboard = lambda _: api_status(401, "", "Unauthorized")
        assert any("does not exist" in fault for fault in faults(after(0.4, probes)))


class TestWatch:
    def test_the_state_is_known_when_start_returns(self, start: Callable[..., ThreadProbes], api: Any, reply: Any) -> None:
        item = {"metadata": {"name": "x-1", "labels": {"kubernetes.io/service-name": "x"}}, "ports": None}
        api.replies = [reply(200, {"metadata": {"resourceVersion": "1"}, "items": [item]})]
        probes = start(PROXY)
        assert [event.slice for event in probes.events()] == ["x-1"]
        assert probes.troubles() == []

    def test_a_missing_right_is_raised_by_start(self, start: Callable[..., ThreadProbes], api: Any, api_status: Any) -> None:
        api.replies = [api_status(403, "Forbidden", "you cannot list")]
        with pytest.raises(Forbidden):
            start(PROXY)


class TestOneQuestion:
    def test_it_is_asked_as_nobody_on_a_path_with_its_query(self, server: Any, reply: Any) -> None:
        server.answer = lambda _: reply(200, b"<html>", {"X-Words": "here"})
        answer = _probe.ask(f"{server.url}/wg/?x=1")
        assert (answer.status, answer.body, answer.headers["x-words"]) == (200, b"<html>", "here")
        (seen,) = server.seen
        assert (seen.path, seen.header("Authorization")) == ("/wg/?x=1", None)

    def test_a_redirect_is_an_answer_and_is_not_followed(self, server: Any, reply: Any) -> None:
        server.answer = lambda _: reply(302, b"", {"Location": "/elsewhere"})
        assert _probe.ask(server.url).status == 302
        assert [seen.path for seen in server.seen] == ["/"]

    def test_a_place_that_does_not_answer_is_named_with_the_reason(self) -> None:
        with socket.socket() as listener:
            listener.bind(("127.0.0.1", 0))
            url = f"http://127.0.0.1:{listener.getsockname()[1]}/"
        with pytest.raises(Unreachable) as raised:
            _probe.ask(url)
        assert raised.value.what == f"{url} does not answer: connection refused."
        assert raised.value.next_step == "Correct wge_entry_urls, or repair the way there."

    def test_no_more_of_a_page_than_the_beginning_is_read(self, server: Any, reply: Any) -> None:
        server.answer = lambda _: reply(200, b"x" * 200_000)
        assert len(_probe.ask(server.url).body) == 64 * 1024

    def test_a_certificate_that_nobody_knows_is_no_answer(self, serve: Callable[..., Any], authority: Any) -> None:
        url = serve(tls=True).url
        with pytest.raises(Unreachable) as raised:
            _probe.ask(url)
        assert "its certificate is not trusted" in raised.value.what
