# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from ansible_collections.weaveworks.wge.plugins.module_utils._engine.report import (
    VERDICT_WORDS,
    build,
    summary,
)

SCHEMA = json.loads((Path(__file__).parents[5] / "roles/report/files/report.schema.json").read_text())
STAMP = "2026-11-23T10:15:00.000+00:00"

UPGRADED: dict[str, Any] = {
    "verdict": "upgraded",
    "message": "WGE serves.",
    "next_step": "",
    "rung": "parked",
    "rung_before": "installed",
    "versions": {"before": "WG 0.38.0", "after": "WGE 0.38.1"},
    "traffic": {
        "requests": 200,
        "lost": 1,
        "endpoint_gaps": 1,
        "endpoint_gap_seconds": 0.2,
        "endpoint_events": 4,
        "faults": [{"vantage": "entry", "reused": True, "seconds": -0.5, "fault": "the connection was cut"}],
        "vantages": [
            {"name": "entry", "reused": False, "requests": 100, "lost": 0, "longest_fault_seconds": 0.0},
            {"name": "entry", "reused": True, "requests": 100, "lost": 1, "longest_fault_seconds": 0.25},
        ],
    },
    "identity": [{"service": "wg", "before": {"uid": "a"}, "after": {"uid": "a"}, "same": True}],
    "seconds": {"prepared": 1.0, "flipped": 2.5},
    "api": {"requests": 40, "reads": 30, "writes": 6, "reviews": 3, "dry_runs": 1},
    "cluster": {"name": "", "uid": "u", "api": "https://c1", "version": "v1.33"},
    "entitlement": {
        "valid": True,
        "expired": False,
        "expires": "2027-11-23T12:00:00Z",
        "days_left": 365,
        "customer": "us@example.com",
        "features": None,
        "key_id": "k",
        "jti": "",
        "source": "stored",
        "issuer": "sales@weave.works",
    },
    "plan_hash": "abc",
    "run": "r",
    "journal": "j",
    "archive": "/a",
}


def verdict(host: str, **changes: Any) -> dict[str, Any]:
    return {"record": "verdict", "host": host, "at": STAMP, "result": {**UPGRADED, **changes}}


def made(records: list[dict[str, Any]], **outcomes: dict[str, Any]) -> dict[str, Any]:
    document = build("run-1", STAMP, records, outcomes)
    jsonschema.Draft202012Validator(SCHEMA).validate(document)
    return document


def test_the_schema_is_a_schema() -> None:
    jsonschema.Draft202012Validator.check_schema(SCHEMA)


def test_the_schema_knows_exactly_our_verdicts() -> None:
    assert SCHEMA["$defs"]["verdict"]["enum"] == list(VERDICT_WORDS)


def test_an_upgraded_cluster_is_in_the_document_with_all_its_figures() -> None:
    (cluster,) = made([verdict("c1")])["clusters"]
    assert cluster["traffic"] == UPGRADED["traffic"]
    assert cluster["api"] == UPGRADED["api"]
    assert cluster["cluster"] == {"name": "", "uid": "u", "api": "https://c1"}


def test_the_run_file_counts_more_than_what_the_playbook_knows() -> None:
    (cluster,) = made([verdict("c1")], c1={"verdict": "unreachable"})["clusters"]
    assert cluster["verdict"] == "upgraded"


def test_a_cluster_that_was_never_begun_stands_on_the_playbook_s_word() -> None:
    (cluster,) = made([], c1={"verdict": "blocked", "msg": "No WG was found."})["clusters"]
    assert (cluster["verdict"], cluster["message"]) == ("blocked", "No WG was found.")


def test_a_cluster_whose_worker_died_has_its_steps_and_is_stopped_safely() -> None:
    step = {"record": "step", "host": "c1", "event": "step", "step": "S12", "title": "flip", "state": "begin", "at": STAMP}
    (cluster,) = made([step])["clusters"]
    assert cluster["verdict"] == "safe_stop"
    assert cluster["steps"] == [{"step": "S12", "title": "flip", "state": "begin", "at": STAMP}]


@pytest.mark.parametrize("verdict_word", [None, "surprised"])
def test_a_verdict_that_nobody_knows_is_a_safe_stop(verdict_word: Any) -> None:
    assert made([], c1={"verdict": verdict_word})["clusters"][0]["verdict"] == "safe_stop"


def test_the_last_line_is_the_whole_fleet_s() -> None:
    good = dict(UPGRADED["traffic"], lost=0)
    records = [verdict(f"c{number}", traffic=good) for number in (1, 2, 3)]
    assert summary(made(records))[-1] == "3 clusters upgraded, 600 requests, 0 lost"


def test_the_last_line_names_every_other_verdict() -> None:
    line = summary(made([verdict("c1")], c2={"verdict": "rolled_back"}, c3={"verdict": "skipped"}))[-1]
    assert line == "1 cluster upgraded, 1 rolled back, 1 skipped, 200 requests, 1 lost"


def test_the_summary_says_what_a_person_asks_first() -> None:
    assert summary(made([verdict("c1")]))[:-1] == [
        "c1: upgraded, WG 0.38.0 → WGE 0.38.1",
        "  traffic: 200 requests sent, 1 lost, 1 instant without a ready endpoint",
        "    entry, new connections: 100 sent, 0 lost",
        "    entry, reused connections: 100 sent, 1 lost, longest fault 0.2 s",
        "    lost at entry, 0.5 s before the flip: the connection was cut",
        "  Service wg: same",
        "  time: prepared 1.0 s, flipped 2.5 s",
        "  API server: 40 requests, 6 writes",
    ]


def test_an_expired_entitlement_is_said_of_an_upgraded_cluster() -> None:
    expired = {**UPGRADED["entitlement"], "expired": True, "expires": "2026-11-22T12:00:00Z", "days_left": -2}
    document = made([verdict("c1", entitlement=expired)])
    assert document["clusters"][0]["entitlement"]["expired"] is True
    line = "  entitlement: expired on 2026-11-22T12:00:00Z; WGE works, and warns its users"
    assert line in summary(document)


def test_a_service_that_is_another_one_is_called_so() -> None:
    other = [{"service": "wg", "before": {"uid": "a"}, "after": {"uid": "b"}, "same": False}]
    assert "  Service wg: differs" in summary(made([verdict("c1", identity=other)]))


def test_what_went_wrong_is_followed_by_what_to_do() -> None:
    failed = {"verdict": "blocked", "message": "No WG was found.", "next_step": "Set wge_namespace."}
    assert summary(made([], c1=failed))[:2] == ["c1: blocked", "  No WG was found. Set wge_namespace."]


def calls(*verdicts: str) -> list[dict[str, Any]]:
    common = {"door": "service proxy", "login": "nobody", "before": "200", "after": "404"}
    return [{**common, "path": f"GET /v1/{n}", "verdict": v, "words": "the status was 200 and is 404"} for n, v in enumerate(verdicts)]


def test_the_summary_counts_the_calls_and_names_those_that_differ() -> None:
    lines = summary(made([verdict("a", continuity=calls("same", "known", "different"))]))
    assert "  API: 3 calls before and after: 1 same, 1 known, 1 different" in lines
    assert "    GET /v1/2 at service proxy: the status was 200 and is 404" in lines


def test_the_summary_says_what_others_did_and_what_was_done_about_it() -> None:
    common = {"at": "2026-11-28T20:14:03+00:00", "object": "wg"}
    put_back = {**common, "field": "spec.selector", "by": "kubectl at 20:14", "did": "put back", "seconds": 0.04}
    resumed = {**common, "object": "WG's release", "field": "", "by": "", "did": "the upgrade is taken back: x", "seconds": None}
    lines = summary(made([verdict("a", guard={"mode": "watch", "records": [put_back, resumed], "blind": []})]))
    assert "  guard: wg: spec.selector changed by kubectl at 20:14, put back after 0.0 s" in lines
    assert "  guard: WG's release: the upgrade is taken back: x" in lines


def test_the_summary_says_what_changed_outside_the_plan_and_what_was_not_seen() -> None:
    route = {"route": "Ingress x/y", "uid": "1", "generation": 2, "spec_sha256": "abc"}
    changed = [{"object": "Pod shop/web-0", "what": "restarts 0 → 2"}]
    found = {"objects": 12, "changed_count": 1, "changed": changed, "unseen": ["Secret: our user may not list it"], "routes": [route]}
    lines = summary(made([verdict("a", untouched=found)]))
    assert "  outside the plan: 12 objects, 1 changed" in lines
    assert "    Pod shop/web-0: restarts 0 → 2" in lines
    assert "    not seen: Secret: our user may not list it" in lines


def test_a_run_that_compared_nothing_says_nothing_of_it() -> None:
    assert not [line for line in summary(made([verdict("a")])) if ("API: " in line and "calls" in line) or "outside the plan" in line]


def test_a_run_that_finalises_counts_that_and_names_owners() -> None:
    owners = [{"object": "Service n/wg", "owner": "you"}]
    document = made(
        [
            verdict("c1", goal="finalised", verdict="finalised", rung="finalised", owners=owners),
            verdict("c2", goal="finalised", verdict="already", rung="finalised"),
        ]
    )
    assert document["fleet"]["sentence"].startswith("1 cluster finalised, 1 already finalised, ")
    lines = summary(document)
    assert "  Service n/wg: owned by you" in lines
    assert any(line.startswith("c2: already finalised") for line in lines)


def test_a_run_that_goes_back_counts_those_that_are_back() -> None:
    back = verdict("c1", goal="rolled_back", verdict="rolled_back", rung="rolled_back", seconds={"traffic_on_wg": 4.25})
    document = made([back, verdict("c2", goal="rolled_back", verdict="safe_stop")])
    assert document["fleet"]["sentence"].startswith("1 cluster rolled back, 1 stopped safely, ")
    assert any("traffic_on_wg 4.2 s" in line for line in summary(document))


def test_an_upgrade_that_was_taken_back_is_still_counted_as_an_upgrade() -> None:
    document = made([verdict("c1", goal="parked", verdict="rolled_back")])
    assert document["fleet"]["sentence"].startswith("0 clusters upgraded, 1 rolled back, ")
