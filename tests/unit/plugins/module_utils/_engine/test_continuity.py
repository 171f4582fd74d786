# SPDX-License-Identifier: GPL-3.0-or-later
"""The API before and after: what is asked where, how answers are compared, and what is said of a difference."""

from __future__ import annotations

import json

import pytest

from ansible_collections.weaveworks.wge.plugins.module_utils._engine.continuity.asking import (
    Key,
    Login,
    ask_all,
    counts,
    differences,
    login_from,
    recorded,
    sentences,
)
from ansible_collections.weaveworks.wge.plugins.module_utils._engine.continuity.baseline import Baseline, baseline_from
from ansible_collections.weaveworks.wge.plugins.module_utils._engine.continuity.calls import CALLS
from ansible_collections.weaveworks.wge.plugins.module_utils._engine.continuity.known import KNOWN_DIFFERENCES, compared
from ansible_collections.weaveworks.wge.plugins.module_utils._engine.continuity.seen import Seen, alike, seen_of, shape_of
from ansible_collections.weaveworks.wge.plugins.module_utils._engine.model import Answer, Vantage
from ansible_collections.weaveworks.wge.plugins.module_utils._errors import Interrupted, InvalidSettings
from ansible_collections.weaveworks.wge.tests.unit.plugins.module_utils._engine.standin_dashboard import Dashboard

PROXY = Vantage("service proxy", "proxy", "/api/v1/namespaces/x/services/http:wg:9001/proxy", ())
ENTRY = Vantage("https://wg", "entry", "https://wg", ())
REFUSED = Answer(401, {}, b'{"message":"Authentication required","code":401}')
UID = "here"


ADMIN = Login("admin", "canary-password")


def test_wg_answers_as_it_was_recorded() -> None:
    found = ask_all(Dashboard(), [ENTRY], login=Login("admin", "canary-password", "canary-token"))
    assert counts(differences(recorded(found), found)) == {"same": len(found)}
    assert {key.login for key in found} == {"nobody", "user", "token"}


def test_a_token_that_is_refused_is_no_difference_to_what_is_recorded() -> None:
    found = ask_all(Dashboard(token="another"), [ENTRY], login=Login(token="canary-token"))
    assert sentences(differences(recorded(found), found)) == []


def test_every_path_is_asked_without_a_login_at_each_door() -> None:
    board = Dashboard()
    ask_all(board, [PROXY, ENTRY])
    at_entry = [(method, path) for door, method, path in board.asked if door == ENTRY.name]
    assert at_entry == [(call.method, call.path) for call in CALLS if call.nobody]


def test_through_the_proxy_only_get_is_asked() -> None:
    board = Dashboard()
    ask_all(board, [PROXY], login=Login("", "", "canary-token"))
    assert {method for _door, method, _path in board.asked} == {"GET"}


def test_a_token_is_not_sent_through_the_proxy_which_would_take_it_for_its_own() -> None:
    found = ask_all(Dashboard(), [PROXY, ENTRY], login=Login(token="canary-token"))
    assert {key.door for key in found if key.login == "token"} == {ENTRY.name}


def test_a_user_signs_in_asks_and_signs_out() -> None:
    board = Dashboard()
    found = ask_all(board, [ENTRY], login=ADMIN)
    paths = [path for _door, _method, path in board.asked]
    assert paths.index("/oauth2/sign_in") < len(paths) - 1
    assert paths[-1] == "/oauth2/logout"
    assert str(found[Key("POST /oauth2/sign_in", ENTRY.name, "user")]) == "200, a session of 3600 s"


def test_a_wrong_password_is_one_answer_and_nothing_more_is_asked() -> None:
    found = ask_all(Dashboard(), [ENTRY], login=Login("admin", "wrong"))
    assert [str(seen) for key, seen in found.items() if key.login == "user"] == ["401"]


def test_a_call_that_would_break_the_handler_is_not_made_with_a_login() -> None:
    board = Dashboard()
    ask_all(board, [ENTRY], login=ADMIN)
    assert [path for _door, _method, path in board.asked].count("/v1/child_objects") == 1


def test_a_body_names_nothing() -> None:
    board = Dashboard()
    ask_all(board, [ENTRY], login=ADMIN)
    assert {body for body in board.sent if b"password" not in body} == {b"", b"{}"}


def test_below_a_route_prefix_every_path_begins_with_it() -> None:
    board = Dashboard()
    ask_all(board, [ENTRY], prefix="/wg")
    assert all(path.startswith("/wg/") for _door, _method, path in board.asked)


def test_nothing_of_a_login_and_no_value_of_an_answer_is_kept() -> None:
    found = ask_all(Dashboard(), [ENTRY], login=Login("admin", "canary-password", "canary-token"))
    told = str(found) + str(differences(found, found)) + Baseline(UID, calls=found).text() + repr(ADMIN)
    assert "canary" not in told


def test_default_as_the_name_of_the_cluster_must_still_be_answered() -> None:
    path = "/v1/object/x?clusterName=Default"
    before = ask_all(Dashboard(), [ENTRY], login=ADMIN)
    after = ask_all(Dashboard({path: None}), [ENTRY], login=ADMIN)
    said = sentences(differences(before, after))
    assert f"GET {path} at https://wg (as user) differs: it is not answered any more." in said


def test_a_token_that_wg_refused_and_wge_takes_is_a_difference() -> None:
    before = ask_all(Dashboard(token="another"), [ENTRY], login=Login(token="canary-token"))
    after = ask_all(Dashboard(), [ENTRY], login=Login(token="canary-token"))
    assert "GET /v1/version at https://wg (as token) differs: the status was 401 and is 200." in sentences(differences(before, after))


def test_a_door_that_is_closed_is_left_after_three_calls() -> None:
    board = Dashboard({call.path: None for call in CALLS})
    found = ask_all(board, [ENTRY])
    assert len(board.asked) == 3
    assert str(next(iter(found.values()))) == "no answer (https://wg does not answer: the connection was dropped.)"


def test_what_the_api_server_itself_says_is_no_answer_of_the_dashboard() -> None:
    own = Answer(403, {}, b'{"kind":"Status","message":"services is forbidden"}')
    found = ask_all(Dashboard({"/oauth2/sign_in": own}), [PROXY], login=ADMIN)
    assert str(found[Key("POST /oauth2/sign_in", PROXY.name, "user")]) == (
        "no answer (the API server itself says 403: services is forbidden)"
    )
    assert len([key for key in found if key.login == "user"]) == 1


def test_a_stop_on_request_is_not_taken_for_silence() -> None:
    def stop() -> None:
        raise Interrupted("stop", "")

    with pytest.raises(Interrupted):
        ask_all(Dashboard(), [ENTRY], guard=stop)


@pytest.mark.parametrize("given", [("admin", ""), ("", "secret")])
def test_half_a_login_is_refused(given: tuple[str, str]) -> None:
    with pytest.raises(InvalidSettings, match=r"A user name and a password belong together; one of them is missing\."):
        login_from(*given, "")


@pytest.mark.parametrize(
    ("before", "after", "verdict", "words"),
    [
        (Seen(200, {"a": "str"}), Seen(200, {"a": "str"}), "same", ""),
        (Seen(200, {"a": "null"}), Seen(200, {"a": "dict"}), "same", ""),
        (Seen(200, {"a": "str"}), Seen(200, {"a": "int"}), "different", "the JSON has another shape"),
        (Seen(200, {"a": "str"}), Seen(200, {}), "different", "the JSON has another shape"),
        (Seen(200, {}), Seen(500), "different", "the status was 200 and is 500"),
        (Seen(200), Seen(0, None, "x"), "different", "it is not answered any more"),
        (Seen(0, None, "x"), Seen(200), "unasked", "there was no answer before"),
        (Seen(404), Seen(200, {}), "known", "WGE's API is newer than this WG's: it answers where nothing was"),
        (
            Seen(200, {"flags": "dict"}, "logins: CLUSTER_USER_AUTH"),
            Seen(200, {"flags": "dict"}, "logins: CLUSTER_USER_AUTH, OIDC_AUTH"),
            "different",
            "it said logins: CLUSTER_USER_AUTH and says logins: CLUSTER_USER_AUTH, OIDC_AUTH",
        ),
    ],
)
def test_two_answers_are_compared_by_status_and_shape(before: Seen, after: Seen, verdict: str, words: str) -> None:
    assert compared("/v1/x", before, after) == (verdict, words)


@pytest.mark.parametrize(
    ("path", "before", "after"),
    [
        ("/v1/runtime_objects", Seen(404, {"code": "int"}), Seen(200, {"deployments": "list"})),
        ("/v1/runtime_crds", Seen(404, {"code": "int"}), Seen(200, {"crds": "list"})),
        ("/oauth2/sign_in", Seen(200, None, "a session of 3600 s"), Seen(200, None, "a session of 86400 s")),
    ],
)
def test_a_known_difference_has_its_reason(path: str, before: Seen, after: Seen) -> None:
    verdict, words = compared(path, before, after)
    assert verdict == "known"
    assert words == next(row.reason for row in KNOWN_DIFFERENCES if row.path == path)


def test_an_answer_that_was_asked_only_once_is_not_compared() -> None:
    key = Key("GET /v1/x", "d", "user")
    assert [entry["words"] for entry in differences({}, {key: Seen(200)})] == ["it was not asked before"]
    assert [entry["words"] for entry in differences({key: Seen(200)}, {})] == ["it was not asked after"]


def test_a_shape_is_two_levels_deep_and_holds_types() -> None:
    assert shape_of({"a": {"b": {"c": 1}}, "d": [1], "e": 1.5, "f": None}) == {"a": {"b": "dict"}, "d": "list", "e": "float", "f": "null"}
    assert shape_of([1]) is None
    assert alike(shape_of({"a": {"b": {"c": 1}}}), {"a": {"b": "dict"}})


@pytest.mark.parametrize(
    ("flags", "words"),
    [
        ({"CLUSTER_USER_AUTH": "true", "OIDC_AUTH": "false", "ACCOUNT_ID": "x"}, "logins: CLUSTER_USER_AUTH"),
        ({}, "logins: none"),
    ],
)
def test_of_the_feature_flags_only_the_ways_to_log_in_matter(flags: dict[str, str], words: str) -> None:
    seen = seen_of("/v1/featureflags", Answer(200, {}, json.dumps({"flags": flags}).encode()))
    assert seen == Seen(200, {"flags": "dict"}, words)


def test_a_page_has_no_shape() -> None:
    assert str(seen_of("/", Answer(200, {}, b"<!doctype html>"))) == "200"
    assert str(seen_of("/v1/version", REFUSED)) == "401 {code: int, message: str}"


# The file.


def test_a_baseline_is_read_back_as_it_was_written() -> None:
    calls = ask_all(Dashboard(), [ENTRY], login=ADMIN)
    made = Baseline(UID, "2026-11-23T12:00:00+00:00", "WG 0.38.0", calls, {"wg": {"uid": "1"}}, {"Ingress x/y": {"uid": "2"}})
    assert baseline_from(made.text().encode(), UID, "before.json") == made


def test_a_report_says_what_services_and_routes_were() -> None:
    cluster = {
        "cluster": {"uid": UID},
        "versions": {"after": "WGE 0.38.1"},
        "identity": [{"service": "wg", "before": {"uid": "0"}, "after": {"uid": "1"}}],
        "untouched": {"routes": [{"route": "Ingress x/y", "uid": "2"}]},
    }
    document = {"schema": "weaveworks.wge/report/1", "made": "now", "clusters": [cluster]}
    found = baseline_from(json.dumps(document).encode(), UID, "report.json")
    assert (found.calls, found.services, found.routes) == (
        None,
        {"wg": {"uid": "1"}},
        {"Ingress x/y": {"route": "Ingress x/y", "uid": "2"}},
    )


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (b"{", "f (compare_with) cannot be read (JSONDecodeError)."),
        (b"[]", "f (compare_with) cannot be read (TypeError)."),
        (b'{"schema": "x/2"}', "f (compare_with) has the schema 'x/2', which this version does not know."),
        (Baseline("there").text().encode(), "f (compare_with) is of the cluster there, this one is here."),
        (b'{"schema": "weaveworks.wge/report/1", "clusters": []}', "f (compare_with) is a report without the cluster here."),
    ],
)
def test_a_file_that_cannot_be_compared_with_is_one_sentence(content: bytes, sentence: str) -> None:
    with pytest.raises(InvalidSettings) as caught:
        baseline_from(content, UID, "f")
    assert caught.value.what == sentence
    assert caught.value.next_step
