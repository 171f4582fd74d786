# SPDX-License-Identifier: GPL-3.0-or-later
"""The API client, against real sockets."""

from __future__ import annotations

import base64
import multiprocessing
import os
import socket
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from ansible_collections.weaveworks.wge.plugins.module_utils._errors import (
    Conflict,
    Forbidden,
    Interrupted,
    InvalidSettings,
    Rejected,
    Unauthorised,
    UnknownOutcome,
    Unreachable,
    WgeError,
)
from ansible_collections.weaveworks.wge.plugins.module_utils._kube.client import KubeCluster
from ansible_collections.weaveworks.wge.plugins.module_utils._kube.connection import Connection, User
from ansible_collections.weaveworks.wge.plugins.module_utils._kube.credentials import Credentials

SERVICE = "/api/v1/namespaces/flux-system/services/x"


@pytest.fixture
def cluster(server: Any, clock: Any) -> KubeCluster:
    return KubeCluster(Connection(server.url, User(token="t")), clock=clock)


@pytest.fixture
def closed_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])


def query(seen: Any) -> dict[str, list[str]]:
    return parse_qs(urlsplit(seen.path).query)


def message(error: pytest.ExceptionInfo[WgeError]) -> str:
    assert error.value.next_step
    return error.value.what


class TestReads:
    def test_an_object_is_returned_as_it_is(self, cluster: KubeCluster, server: Any, reply: Any) -> None:
        server.replies = [reply(200, {"kind": "Service"})]
        assert cluster.get(SERVICE) == {"kind": "Service"}
        assert server.seen[0].header("Authorization") == "Bearer t"
        assert server.seen[0].header("User-Agent") == "weaveworks.wge"

    def test_an_object_that_is_not_there_is_none(self, cluster: KubeCluster, server: Any, api_status: Any) -> None:
        server.replies = [api_status(404, "NotFound")]
        assert cluster.get(SERVICE) is None

    def test_a_kind_that_is_not_served_is_none(self, cluster: KubeCluster, server: Any, reply: Any) -> None:
        server.replies = [reply(404, b"404 page not found\n")] * 2
        assert cluster.get("/apis/x/v1/y") is None
        assert cluster.list("/apis/x/v1/y") == []

    def test_somebody_elses_404_proves_nothing(self, cluster: KubeCluster, server: Any, reply: Any) -> None:
        server.replies = [reply(404, b"<html>no such site</html>")]
        with pytest.raises(Unreachable) as error:
            cluster.get(SERVICE)
        assert "was not answered by a Kubernetes API server (HTTP 404)" in message(error)

    @pytest.mark.parametrize("code", [200, 302])
    def test_a_login_page_is_not_an_api_server(self, cluster: KubeCluster, server: Any, reply: Any, code: int) -> None:
        server.replies = [reply(code, b"<html>log in</html>", {"Content-Type": "text/html", "Location": "/login"})]
        with pytest.raises(Unreachable) as error:
            cluster.get(SERVICE)
        assert f"(HTTP {code}, text/html)" in message(error)

    def test_a_path_in_the_address_is_kept(self, server: Any) -> None:
        KubeCluster(Connection(f"{server.url}/k8s/clusters/c-1")).get("/version")
        assert server.seen[0].path == "/k8s/clusters/c-1/version"

    def test_connections_are_kept(self, cluster: KubeCluster, server: Any) -> None:
        for _ in range(3):
            cluster.get(SERVICE)
        assert len({seen.peer for seen in server.seen}) == 1

    def test_impersonation_is_sent_as_headers(self, server: Any, reply: Any) -> None:
        connection = Connection(server.url, impersonate_user="bob", impersonate_groups=("a", "b"))
        KubeCluster(connection).patch(SERVICE, [])
        names = [(name, value) for name, value in server.seen[0].headers if name.startswith("Impersonate")]
        assert names == [("Impersonate-User", "bob"), ("Impersonate-Group", "a"), ("Impersonate-Group", "b")]
        assert server.seen[0].header("Content-Type") == "application/json-patch+json"

    def test_the_servers_time_and_the_latencies_are_kept(self, cluster: KubeCluster, server: Any) -> None:
        before = cluster.server_time
        cluster.get(SERVICE)
        assert before is None
        assert cluster.server_time is not None
        assert len(cluster.latencies) == 1

    def test_the_difference_of_the_clocks_is_that_of_the_newest_answer(self, cluster: KubeCluster, server: Any) -> None:
        before = cluster.skew
        cluster.get(SERVICE)
        assert before is None
        assert cluster.skew is not None
        assert abs(cluster.skew) < 5


class TestLists:
    def test_pages_are_joined_and_items_get_their_type(self, cluster: KubeCluster, server: Any, reply: Any) -> None:
        head = {"kind": "ServiceList", "apiVersion": "v1"}
        server.replies = [
            reply(200, {**head, "metadata": {"continue": "a+b"}, "items": [{"metadata": {"name": "1"}}]}),
            reply(200, {**head, "metadata": {}, "items": [{"metadata": {"name": "2"}}]}),
        ]
        items = cluster.list("/api/v1/services", labels="a in (b,c)", fields="metadata.name=x")
        assert [item["metadata"]["name"] for item in items] == ["1", "2"]
        assert (items[0]["kind"], items[0]["apiVersion"]) == ("Service", "v1")
        first = {"limit": ["500"], "labelSelector": ["a in (b,c)"], "fieldSelector": ["metadata.name=x"]}
        assert query(server.seen[0]) == first
        assert query(server.seen[1]) == {**first, "continue": ["a+b"]}

    def test_null_items_are_none(self, cluster: KubeCluster, server: Any, reply: Any) -> None:
        server.replies = [reply(200, {"kind": "ServiceList", "items": None})]
        assert cluster.list("/api/v1/services") == []

    def test_metadata_alone_is_asked_for_by_the_accept_header(self, cluster: KubeCluster, server: Any, reply: Any) -> None:
        server.replies = [reply(200, {"kind": "PartialObjectMetadataList", "items": []})]
        cluster.list("/api/v1/services", metadata_only=True)
        assert "as=PartialObjectMetadataList" in server.seen[0].header("Accept")

    def test_an_expired_list_begins_again_from_scratch(self, cluster: KubeCluster, server: Any, reply: Any, api_status: Any) -> None:
        page = {"kind": "ServiceList", "metadata": {"continue": "x"}, "items": [{"metadata": {"name": "old"}}]}
        server.replies = [reply(200, page), api_status(410, "Expired"), reply(200, {"kind": "ServiceList", "items": []})]
        assert cluster.list("/api/v1/services") == []
        assert "continue" not in query(server.seen[2])

    def test_a_list_that_always_expires_is_given_up(self, cluster: KubeCluster, server: Any, api_status: Any) -> None:
        server.answer = lambda _: api_status(410, "Expired")
        with pytest.raises(Unreachable) as error:
            cluster.list("/api/v1/services")
        assert "the list expired 4 times" in message(error)

    def test_half_a_list_is_no_list(self, cluster: KubeCluster, server: Any, reply: Any) -> None:
        server.replies = [reply(200, {"kind": "ServiceList"})]
        with pytest.raises(Unreachable, match="kind is ServiceList"):
            cluster.list("/api/v1/services")


class TestWrites:
    def test_they_carry_our_field_manager(self, cluster: KubeCluster, server: Any) -> None:
        cluster.create("/api/v1/namespaces", {"a": 1})
        cluster.patch(SERVICE, [{"op": "test", "path": "/a", "value": 1}], dry_run=True)
        assert query(server.seen[0]) == {"fieldManager": ["weaveworks-wge"]}
        assert query(server.seen[1]) == {"fieldManager": ["weaveworks-wge"], "dryRun": ["All"]}
        assert server.seen[0].body == b'{"a": 1}'
        assert server.seen[1].body == b'[{"op": "test", "path": "/a", "value": 1}]'

    def test_a_delete_names_its_object(self, cluster: KubeCluster, server: Any) -> None:
        cluster.delete(SERVICE, uid="u", resource_version="7")
        assert b'"preconditions": {"uid": "u", "resourceVersion": "7"}' in server.seen[0].body
        assert b'"propagationPolicy": "Background"' in server.seen[0].body

    def test_deleting_what_is_gone_is_done(self, cluster: KubeCluster, server: Any, api_status: Any) -> None:
        server.replies = [api_status(404, "NotFound")]
        cluster.delete(SERVICE, uid="u")

    @pytest.mark.parametrize(
        ("code", "reason", "details", "kind", "expected"),
        [
            (422, "Invalid", {}, Conflict, "Invalid"),
            (409, "Conflict", {}, Conflict, "Conflict"),
            (409, "AlreadyExists", {}, Conflict, "AlreadyExists"),
            (422, "Invalid", {"causes": [{"message": "bad"}]}, Rejected, None),
            (400, "BadRequest", {}, Rejected, None),
            (404, "NotFound", {}, Rejected, None),
            (415, "UnsupportedMediaType", {}, Rejected, None),
            (403, "Forbidden", {}, Forbidden, None),
            (401, "Unauthorized", {}, Unauthorised, None),
        ],
    )
    def test_refusals_are_told_apart(
        self,
        cluster: KubeCluster,
        server: Any,
        api_status: Any,
        code: int,
        reason: str,
        details: dict[str, Any],
        kind: type[WgeError],
        expected: str | None,
    ) -> None:
        server.replies = [api_status(code, reason, "the reason", **details)]
        with pytest.raises(kind) as error:
            cluster.patch(SERVICE, [])
        assert type(error.value) is kind
        assert getattr(error.value, "reason", None) == expected
        assert f"PATCH {SERVICE} on {server.url}" in message(error)
        assert "the reason" in message(error) or expected == "Invalid"
        assert len(server.seen) == 1

    def test_a_create_has_no_test_that_could_fail(self, cluster: KubeCluster, server: Any, api_status: Any) -> None:
        server.replies = [api_status(422, "Invalid")]
        with pytest.raises(Rejected):
            cluster.create("/api/v1/namespaces", {})

    def test_a_refusal_does_not_quote_the_body(self, cluster: KubeCluster, server: Any, api_status: Any) -> None:
        text = "json: cannot unmarshal, error found in #10 byte of ...|:'hunter2'|..."
        server.replies = [api_status(400, "BadRequest", text)]
        with pytest.raises(Rejected) as error:
            cluster.create("/api/v1/secrets", {})
        assert "cannot unmarshal" in message(error)
        assert "hunter2" not in str(error.value)

    def test_words_of_the_server_that_end_with_a_full_stop_do_not_get_another(
        self, cluster: KubeCluster, server: Any, api_status: Any
    ) -> None:
        server.replies = [api_status(400, "BadRequest", "denied: Every Deployment needs an owner.")]
        with pytest.raises(Rejected) as error:
            cluster.create("/api/v1/secrets", {})
        assert error.value.what.endswith("was refused: denied: Every Deployment needs an owner.")

    @pytest.mark.parametrize("act", ["cut", "short"])
    def test_a_lost_answer_is_an_unknown_outcome(self, cluster: KubeCluster, server: Any, reply: Any, act: str) -> None:
        server.replies = [reply(200, {}, act=act)]
        with pytest.raises(UnknownOutcome) as error:
            cluster.patch(SERVICE, [])
        assert f"PATCH {SERVICE} on {server.url} may or may not have happened" in message(error)
        assert len(server.seen) == 1

    @pytest.mark.parametrize("code", [500, 502, 503, 504])
    def test_a_server_error_is_an_unknown_outcome(self, cluster: KubeCluster, server: Any, api_status: Any, code: int) -> None:
        server.replies = [api_status(code, "InternalError", "etcdserver: request timed out")]
        with pytest.raises(UnknownOutcome, match="etcdserver: request timed out"):
            cluster.patch(SERVICE, [])
        assert len(server.seen) == 1

    def test_an_answer_that_is_not_json_is_an_unknown_outcome(self, cluster: KubeCluster, server: Any, reply: Any) -> None:
        server.replies = [reply(200, b"<html>")]
        with pytest.raises(UnknownOutcome, match="not a JSON object"):
            cluster.patch(SERVICE, [])

    @pytest.mark.parametrize("dry_run", [True, False])
    def test_a_webhook_that_does_not_work_stored_nothing(self, cluster: KubeCluster, server: Any, api_status: Any, dry_run: bool) -> None:
        text = 'Internal error occurred: failed calling webhook "x": no endpoints'
        server.replies = [api_status(500, "InternalError", text)]
        with pytest.raises(Rejected, match="failed calling webhook"):
            cluster.patch(SERVICE, [], dry_run=dry_run)

    def test_a_throttled_write_is_sent_again(self, cluster: KubeCluster, server: Any, reply: Any, clock: Any) -> None:
        server.replies = [reply(429, {}, {"Retry-After": "3"}), reply(200, {"ok": 1})]
        assert cluster.patch(SERVICE, []) == {"ok": 1}
        assert sum(clock.slept) == pytest.approx(3)

    def test_a_write_that_was_never_sent_is_tried_again(self, serve: Callable[..., Any], clock: Any, closed_port: int) -> None:
        def start(seconds: float) -> None:
            clock.slept.append(seconds)
            clock.now += seconds
            if len(clock.slept) == 1:
                serve(port=closed_port)

        clock.sleep = start
        assert KubeCluster(Connection(f"http://127.0.0.1:{closed_port}"), clock=clock).patch(SERVICE, []) == {}
        assert clock.slept

    def test_a_dry_run_stores_nothing_so_it_is_retried(self, cluster: KubeCluster, server: Any, reply: Any) -> None:
        server.replies = [reply(200, {}, act="cut"), reply(503), reply(200, {"ok": 1})]
        assert cluster.patch(SERVICE, [], dry_run=True) == {"ok": 1}

    def test_requests_are_counted_by_what_they_do(self, cluster: KubeCluster, server: Any, reply: Any) -> None:
        server.replies = [reply(503)]
        cluster.get(SERVICE)
        cluster.patch(SERVICE, [])
        cluster.create("/x", {}, dry_run=True)
        cluster.review("/y", {})
        cluster.raw("/z")
        found = cluster.counters
        assert (found.reads, found.writes, found.dry_runs, found.reviews) == (3, 1, 1, 1)
        assert found.requests == len(server.seen) == 6


class TestRetries:
    @pytest.mark.parametrize("act", ["cut", "short"])
    def test_a_read_survives_a_cut_connection(self, cluster: KubeCluster, server: Any, reply: Any, act: str) -> None:
        server.replies = [reply(200, {}, act=act), reply(200, {"ok": 1})]
        assert cluster.get(SERVICE) == {"ok": 1}

    def test_waits_grow_and_are_scattered(self, server: Any, reply: Any, clock: Any) -> None:
        server.replies = [reply(503)] * 5
        pauses: list[float] = []
        server.answer = lambda _: reply(200, {})
        cluster = KubeCluster(Connection(server.url), clock=clock)
        before = clock.now
        original = server.reply

        def noted(seen: Any) -> Any:
            pauses.append(clock.now - before)
            return original(seen)

        server.reply = noted
        cluster.get(SERVICE)
        gaps = [later - earlier for earlier, later in pairwise(pauses)]
        assert len(gaps) == 5
        for index, gap in enumerate(gaps):
            assert 0.25 * 2**index <= gap <= 0.5 * 2**index + 0.001

    def test_the_budget_ends_it(self, cluster: KubeCluster, server: Any, api_status: Any, clock: Any) -> None:
        server.answer = lambda _: api_status(503, "ServiceUnavailable", "apiserver is starting")
        with pytest.raises(Unreachable) as error:
            cluster.get(SERVICE)
        assert f"GET {SERVICE} on {server.url} failed: apiserver is starting, for 60 s." in message(error)
        assert 30 <= sum(clock.slept) <= 60

    def test_a_refused_connection_is_named(self, clock: Any, closed_port: int) -> None:
        cluster = KubeCluster(Connection(f"http://127.0.0.1:{closed_port}"), clock=clock, budget=2)
        with pytest.raises(Unreachable, match="connection refused, for 2 s"):
            cluster.get(SERVICE)

    def test_an_unknown_name_is_named(self, clock: Any) -> None:
        cluster = KubeCluster(Connection("http://no.such.host.invalid"), clock=clock, budget=0)
        with pytest.raises(Unreachable, match="its name is not known here"):
            cluster.get(SERVICE)

    def test_a_stop_is_obeyed_in_the_wait(self, server: Any, reply: Any, clock: Any) -> None:
        server.answer = lambda _: reply(503)
        answers = iter(["", "", "the controller is gone"])
        cluster = KubeCluster(Connection(server.url), clock=clock, keep_going=lambda: next(answers))
        with pytest.raises(Interrupted, match="the controller is gone"):
            cluster.get(SERVICE)

    def test_a_review_is_retried_like_a_read(self, cluster: KubeCluster, server: Any, reply: Any) -> None:
        server.replies = [reply(500), reply(200, {"status": {"allowed": True}})]
        assert cluster.review("/x", {})["status"]["allowed"]


class TestCredentialsOnTheWay:
    class Changing(Credentials):
        """Each fetch gives the next identity."""

        def __init__(self, *users: User) -> None:
            super().__init__(users[0])
            self._users = list(users)

        def renew(self, rejected: Any) -> bool:
            if len(self._users) > 1:
                self._user = self._users.pop(1)
            return super().renew(rejected)

    @pytest.mark.parametrize("method", ["get", "patch"])
    def test_a_401_fetches_new_credentials_once(self, server: Any, api_status: Any, reply: Any, method: str) -> None:
        server.answer = lambda seen: reply() if seen.header("Authorization") == "Bearer new" else api_status(401)
        source = self.Changing(User(token="old"), User(token="new"))
        cluster = KubeCluster(Connection(server.url), credentials=source)
        assert (cluster.get(SERVICE) if method == "get" else cluster.patch(SERVICE, [])) == {}
        assert len(server.seen) == 2

    def test_new_credentials_that_are_refused_too_end_it(self, server: Any, api_status: Any) -> None:
        server.answer = lambda _: api_status(401, "Unauthorized", "Unauthorized")
        source = self.Changing(User(token="a"), User(token="b"), User(token="c"))
        with pytest.raises(Unauthorised) as error:
            KubeCluster(Connection(server.url), credentials=source).get(SERVICE)
        assert "our credentials are not accepted (Unauthorized)" in message(error)
        assert len(server.seen) == 2

    def test_a_new_certificate_is_shown_on_a_new_connection(
        self, serve: Callable[..., Any], authority: Any, api_status: Any, reply: Any, no_new_files: Path
    ) -> None:
        server = serve(tls=True)
        server.answer = lambda seen: reply() if seen.certificate == "new" else api_status(401)
        pairs = [authority.issue(name) for name in ("old", "new")]
        users = [User(certificate=pair.certificate, key=pair.key) for pair in pairs]
        connection = Connection(server.url, authority=authority.certificate)
        cluster = KubeCluster(connection, credentials=self.Changing(*users))
        assert cluster.get(SERVICE) == {}
        assert [seen.certificate for seen in server.seen] == ["old", "new"]

    def test_credentials_that_cannot_be_had_are_said(self, server: Any) -> None:
        with pytest.raises(InvalidSettings, match="/no/token"):
            KubeCluster(Connection(server.url, User(token_file="/no/token"))).get(SERVICE)


class TestTls:
    def test_a_server_of_the_given_authority_is_trusted(self, serve: Callable[..., Any], authority: Any) -> None:
        assert KubeCluster(Connection(serve(tls=True).url, authority=authority.certificate)).get(SERVICE) == {}

    def test_another_authority_is_not_trusted_and_not_retried(self, serve: Callable[..., Any], clock: Any) -> None:
        cluster = KubeCluster(Connection(serve(tls=True).url), clock=clock)
        with pytest.raises(Unreachable) as error:
            cluster.patch(SERVICE, [])
        assert "was not sent: its certificate is not trusted (" in message(error)
        assert clock.slept == []

    def test_an_expired_server_certificate_is_named(self, serve: Callable[..., Any], authority: Any) -> None:
        server = serve(tls=True, pair=authority.issue("server", days=-1))
        with pytest.raises(Unreachable, match="certificate has expired"):
            KubeCluster(Connection(server.url, authority=authority.certificate)).get(SERVICE)

    def test_unchecked_is_unchecked(self, serve: Callable[..., Any]) -> None:
        assert KubeCluster(Connection(serve(tls=True).url, verify=False)).get(SERVICE) == {}

    def test_another_server_name_is_checked_when_given(self, serve: Callable[..., Any], authority: Any, clock: Any) -> None:
        url = serve(tls=True).url
        good = Connection(url, authority=authority.certificate, server_name="wge.test")
        assert KubeCluster(good).get(SERVICE) == {}
        bad = Connection(url, authority=authority.certificate, server_name="other.test")
        with pytest.raises(Unreachable, match=r"other\.test"):
            KubeCluster(bad, clock=clock).get(SERVICE)

    def test_plain_http_to_a_tls_port_is_an_error(self, serve: Callable[..., Any], clock: Any) -> None:
        url = serve(tls=True).url.replace("https", "http")
        with pytest.raises(Unreachable):
            KubeCluster(Connection(url), clock=clock, budget=0).get(SERVICE)

    def test_tls_to_a_plain_port_is_an_error(self, server: Any, clock: Any) -> None:
        url = server.url.replace("http", "https")
        with pytest.raises(Unreachable, match="TLS failed"):
            KubeCluster(Connection(url), clock=clock, budget=0).get(SERVICE)


class TestProxy:
    def test_plain_requests_go_through_it_with_its_login(self, serve: Callable[..., Any]) -> None:
        proxy = serve()
        url = proxy.url.replace("//", "//me:word@")
        KubeCluster(Connection("http://api.test:1234", proxy=url)).get(SERVICE)
        assert proxy.seen[0].path == f"http://api.test:1234{SERVICE}"
        assert proxy.seen[0].header("Proxy-Authorization") == "Basic " + base64.b64encode(b"me:word").decode()

    def test_one_that_is_down_is_named_and_nothing_was_sent(self, clock: Any, closed_port: int) -> None:
        connection = Connection("https://api.test", proxy=f"http://127.0.0.1:{closed_port}")
        with pytest.raises(Unreachable, match="the proxy: connection refused"):
            KubeCluster(connection, clock=clock, budget=1).patch(SERVICE, [])
        assert clock.slept

    def test_one_that_refuses_the_tunnel_is_named(self, server: Any, clock: Any) -> None:
        connection = Connection("https://api.test", proxy=server.url)
        with pytest.raises(Unreachable, match="the proxy: Tunnel connection failed: 501"):
            KubeCluster(connection, clock=clock, budget=0).get(SERVICE)

    def test_tls_goes_through_a_tunnel(self, serve: Callable[..., Any], authority: Any, tunnel: Any) -> None:
        connection = Connection(
            serve(tls=True).url,
            authority=authority.certificate,
            proxy=tunnel.url,
            proxy_headers={"proxy-authorization": "Basic x"},
        )
        cluster = KubeCluster(connection)
        assert (cluster.get(SERVICE), cluster.get(SERVICE)) == ({}, {})
        assert len(tunnel.heads) == 1
        assert b"CONNECT 127.0.0.1" in tunnel.heads[0]
        assert b"Basic x" in tunnel.heads[0]


class TestRaw:
    def test_any_answer_is_given_as_it_is(self, cluster: KubeCluster, server: Any, reply: Any) -> None:
        server.replies = [reply(302, b"x", {"Location": "/y", "X-Thing": "1"})]
        answer = cluster.raw("/proxy/")
        assert (answer.status, answer.body, answer.headers["location"]) == (302, b"x", "/y")
        assert len(server.seen) == 1

    def test_a_body_is_cut_at_64_kib(self, cluster: KubeCluster, server: Any, reply: Any) -> None:
        server.replies = [reply(200, b"x" * 200_000)]
        assert len(cluster.raw("/proxy/").body) == 65_536
        assert cluster.raw("/proxy/").status == 200

    def test_errors_are_not_retried(self, cluster: KubeCluster, server: Any, reply: Any) -> None:
        server.replies = [reply(503, b"no"), reply(200, {}, act="cut")]
        assert cluster.raw("/proxy/").status == 503
        with pytest.raises(Unreachable, match="the connection was cut"):
            cluster.raw("/proxy/")
        assert len(server.seen) == 2

    def test_the_products_own_401_is_left_alone(self, server: Any, reply: Any, api_status: Any) -> None:
        source = TestCredentialsOnTheWay.Changing(User(token="old"), User(token="new"))
        cluster = KubeCluster(Connection(server.url), credentials=source)
        server.replies = [reply(401, b"log in")]
        assert cluster.raw("/proxy/").status == 401
        server.replies = [api_status(401), reply(200, b"page")]
        assert cluster.raw("/proxy/").body == b"page"


def test_a_fork_gets_connections_of_its_own(cluster: KubeCluster, server: Any) -> None:
    cluster.get(SERVICE)
    child = multiprocessing.get_context("fork").Process(target=lambda: os._exit(cluster.get(SERVICE) != {}))
    child.start()
    child.join(10)
    cluster.get(SERVICE)
    assert child.exitcode == 0
    first, second, third = (seen.peer for seen in server.seen)
    assert first == third
    assert second != first
