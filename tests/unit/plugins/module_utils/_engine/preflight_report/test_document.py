# SPDX-License-Identifier: GPL-3.0-or-later
"""The document of a preflight: what is worst first, every word of it promised by the schema, and one cluster under two names found."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from ansible_collections.weaveworks.wge.plugins.module_utils._engine.checks.check import Finding
from ansible_collections.weaveworks.wge.plugins.module_utils._engine.preflight_report.document import (
    build,
    by_host,
    hosts_by_verdict,
    twins,
)
from ansible_collections.weaveworks.wge.plugins.module_utils._engine.preflight_report.short import short
from ansible_collections.weaveworks.wge.plugins.module_utils._engine.preflight_report.states import phrase, state_of
from ansible_collections.weaveworks.wge.plugins.module_utils._errors import InvalidSettings

from .fleet import HOSTILE, MADE, RUN, check, cluster_of, document, result, results

SCHEMA = json.loads((Path(__file__).parents[6] / "roles/preflight/files/preflight.schema.json").read_text())


def test_the_document_is_as_its_schema_says() -> None:
    jsonschema.Draft202012Validator.check_schema(SCHEMA)
    for found in (document(), build({}, RUN, MADE), document(twin=result("pass", uid="u1"))):
        jsonschema.validate(found, SCHEMA, format_checker=jsonschema.FormatChecker())


def test_a_finding_of_the_registry_fits_the_schema() -> None:
    finding = Finding("CL-01", "cluster", "reachable", "block", "pass", "seen", "").as_dict()
    jsonschema.validate(build({"a": {"verdict": "pass", "checks": [finding]}}, RUN, MADE), SCHEMA)


def test_every_cluster_has_a_verdict_and_what_is_worst_comes_first() -> None:
    assert [(cluster["host"], cluster["verdict"]) for cluster in document()["clusters"]] == [
        ("blocked", "blocked"),
        ("mistaken", "error"),
        ("never", "error"),
        ("unsure", "error"),
        ("lost", "unreachable"),
        ("silent", "unreachable"),
        ("warned", "warn"),
        ("ready", "pass"),
    ]


def test_the_fleet_is_counted_and_told_in_one_sentence() -> None:
    found = document()
    assert found["fleet"]["verdicts"] == {"blocked": 1, "error": 3, "unreachable": 2, "warn": 1, "pass": 1}
    assert found["fleet"]["sentence"] == "8 clusters: 1 ready, 1 ready with warnings, 2 unreachable, 3 not judged, 1 blocked"
    assert found["fleet"]["states"] == {"block": 1, "error": 1, "warn": 2, "waived": 1, "skip": 1, "pass": 14}
    assert hosts_by_verdict(found)["unreachable"] == ["lost", "silent"]


def test_each_check_is_listed_once_by_group_and_id_with_its_states() -> None:
    found = document()["checks"]
    assert [row["id"] for row in found] == ["CL-01", "PE-02", "PE-03", "NE-02", "SA-03"]
    assert found[3]["states"] == {"block": 0, "error": 0, "warn": 2, "waived": 0, "skip": 1, "pass": 1}


@pytest.mark.parametrize(
    ("severity", "status", "waiver", "state"),
    [
        ("block", "fail", {}, "block"),
        ("block", "warn", {"who": "ann"}, "waived"),
        ("block", "error", {}, "error"),
        ("warn", "error", {}, "error"),
        ("warn", "fail", {}, "warn"),
        ("info", "fail", {}, "warn"),
        ("block", "warn", {}, "warn"),
        ("block", "skip", {}, "skip"),
        ("block", "pass", {}, "pass"),
        ("block", "odd", {}, "error"),
    ],
)
def test_severity_status_and_waiver_are_one_state(severity: str, status: str, waiver: dict[str, str], state: str) -> None:
    assert state_of({"severity": severity, "status": status, "waiver": waiver}) == state


def test_a_host_without_an_answer_says_so() -> None:
    found = document()
    assert cluster_of(found, "never")["message"] == "It gave no answer."
    assert cluster_of(found, "silent")["message"] == "No route to host."
    assert cluster_of(found, "lost")["next_step"] == "Wait."


def test_of_a_write_only_what_it_does_is_kept() -> None:
    (step,) = cluster_of(document(), "ready")["plan"]
    assert step == {"step": "S12", "title": "flip", "rung": "flipped", "writes": ["patch Service a/b"]}


def test_members_that_are_not_named_are_left_out() -> None:
    leaky = result("pass", uid="u9", invocation={"module_args": {"api_key": "canary"}}, ansible_facts={"token": "canary"})
    assert "canary" not in json.dumps(build({"a": leaky}, RUN, MADE))


def test_what_would_move_a_cursor_is_replaced_and_the_lines_of_a_remedy_are_kept() -> None:
    checks = {row["id"]: row for row in cluster_of(document(), "blocked")["checks"]}
    assert checks["NE-02"]["evidence"] == HOSTILE.replace("\x1b", "\N{REPLACEMENT CHARACTER}")
    assert checks["PE-02"]["remedy"].splitlines()[-1] == '    verbs: ["patch"]'


def test_hosts_that_are_one_cluster_are_blocked_and_name_each_other() -> None:
    found = document(again=result("pass", uid="u1"), other=result("pass", uid="u5"))
    sentence = "ready and again are one cluster".replace("ready and again", "again and ready")
    for host in ("ready", "again"):
        entry = cluster_of(found, host)
        assert (entry["verdict"], entry["twin"]) == ("blocked", True)
        assert entry["message"] == f"{sentence}: the UID of its namespace kube-system is u1. Keep one of them in the inventory."
    assert cluster_of(found, "other")["verdict"] == "pass"


def test_three_hosts_on_one_cluster_are_all_named_and_hosts_without_an_answer_are_no_twins() -> None:
    one: dict[str, Any] = {"cluster": {"uid": "u"}}
    assert sorted(twins({"a": one, "b": one, "c": one, "d": {}, "e": {}, "f": {"cluster": {"uid": ""}}})) == ["a", "b", "c"]
    assert twins({"a": one, "b": one, "c": one})["b"].startswith("a, b and c are one cluster")


@pytest.mark.parametrize(
    ("given", "sentence"),
    [
        ([{"result": {}}], "An entry of results has no host, or a result that is no dictionary. Give host and result of each."),
        ([{"host": "a", "result": "x"}], "An entry of results has no host, or a result that is no dictionary."),
        ([{"host": "a"}, {"host": "a"}], "results names the host a more than once. Give each host once."),
    ],
)
def test_results_that_cannot_be_used_are_one_sentence(given: list[dict[str, Any]], sentence: str) -> None:
    with pytest.raises(InvalidSettings) as caught:
        by_host(given)
    assert sentence in str(caught.value)


def test_the_short_result_has_the_ids_that_are_not_green_and_no_plan() -> None:
    cut = short({**results()["warned"], "plan": [{"step": "S1"}]})
    assert "plan" not in cut
    assert [row["id"] for row in cut["checks"]] == ["PE-03", "NE-02"]
    assert cut["checks"][1] == {"id": "NE-02", "title": "routes", "severity": "info", "status": "fail"}
    assert short({"failed": True, "msg": "m"}) == {"failed": True, "msg": "m"}


def test_counts_are_said_without_what_there_is_none_of() -> None:
    assert phrase(dict.fromkeys(("block", "error", "warn", "waived", "skip"), 0) | {"pass": 2}) == "2 passed"
    assert phrase({"block": 1, "error": 1, "warn": 1, "waived": 1, "skip": 1, "pass": 0}) == (
        "1 blocks, 1 could not be checked, 1 warns, 1 waived, 1 skipped"
    )


def test_a_check_that_only_some_clusters_made_is_in_the_list_too() -> None:
    few = {"verdict": "pass", "checks": [check(0)]}
    assert [row["id"] for row in build({"a": few, "b": result("pass", uid="u")}, RUN, MADE)["checks"]][:2] == ["CL-01", "PE-02"]
