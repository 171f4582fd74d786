# SPDX-License-Identifier: GPL-3.0-or-later
"""The table of checks, how it is run, and the verdict over it."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace

import pytest

from ansible_collections.weaveworks.wge.plugins.module_utils._engine.checks import registry
from ansible_collections.weaveworks.wge.plugins.module_utils._engine.checks.evidence import Evidence, Judged, passed
from ansible_collections.weaveworks.wge.plugins.module_utils._engine.checks.registry import CHECKS, Check, Finding
from ansible_collections.weaveworks.wge.plugins.module_utils._engine.model import Rung
from ansible_collections.weaveworks.wge.plugins.module_utils._errors import Interrupted, SafeStop, Unauthorised, Unreachable, WgeError
from ansible_collections.weaveworks.wge.tests.unit.plugins.module_utils._engine.standin_products import HASH
from ansible_collections.weaveworks.wge.tests.unit.plugins.module_utils._engine.standin_vendor import TOKEN
from ansible_collections.weaveworks.wge.tests.unit.plugins.module_utils._engine.standin_world import World

Table = Callable[..., list[Finding]]
IDS = [
    *("CL-01", "CL-02", "CL-03", "CL-04", "CL-05", "CL-06", "CL-07", "CL-08", "CL-09", "CL-10"),
    *("PE-01", "PE-02", "PE-03", "PE-04", "PE-05", "PE-06"),
    *("FL-01", "FL-03", "FL-04", "FL-05", "FL-06", "FL-07", "FL-08", "FL-09", "FL-02"),
    *("CU-02", "CU-01", "CU-03", "CU-04", "CU-05", "CU-06", "CU-07", "CU-08", "CU-09", "CU-10"),
    *("EN-01", "EN-02", "EN-03", "EN-04", "EN-05", "EN-06", "EN-07", "EN-08"),
    *("TA-02", "TA-03", "TA-05", "TA-08", "TA-10", "TA-01", "TA-04", "TA-06", "TA-07", "TA-09"),
    *("NE-01", "NE-02", "NE-03", "NE-04", "NE-05", "NE-06", "NE-07", "NE-08", "NE-09", "NE-10", "NE-11"),
    *("CA-01", "CA-02", "CA-03", "CA-04", "SA-01", "SA-02", "SA-03", "SA-04", "SA-05", "SA-06", "SA-07"),
]
WITHOUT_FLUX = {"PE-06", "FL-01", "FL-02", "FL-04", "FL-05", "FL-06", "FL-07", "FL-08", "FL-09"}
"""These speak of Flux or of installations that it owns."""


def finding(severity: str, status: str) -> Finding:
    return Finding("XX-01", "x", "x", severity, status, "", "")


@pytest.fixture
def table(world: World, monkeypatch: pytest.MonkeyPatch) -> Table:
    """Runs a table of checks that consist of these functions."""

    def run(*functions: Callable[[Evidence], Judged], until: Rung | None = None) -> list[Finding]:
        rows = tuple(Check(f"XX-{n}", "x", "x", "block", function, "", "", until) for n, function in enumerate(functions))
        monkeypatch.setattr(registry, "CHECKS", rows)
        return registry.run_all(world.evidence())

    return run


def raising(problem: Exception) -> Callable[[Evidence], Judged]:
    def function(_evidence: Evidence) -> Judged:
        raise problem

    return function


def test_the_table_has_these_ids_each_once() -> None:
    assert [check.id for check in CHECKS] == IDS


def test_a_cluster_with_nothing_wrong_passes_every_check(world: World) -> None:
    findings = registry.run_all(world.evidence())
    assert [f.id for f in findings] == IDS
    assert {f.id for f in findings if f.status == "skip"} == WITHOUT_FLUX | {"EN-07", "EN-08", "TA-09", "SA-04", "SA-05", "SA-06"}
    assert {f.status for f in findings} == {"pass", "skip"}
    assert all(f.evidence for f in findings)
    assert registry.verdict(findings) == "pass"


def test_a_preflight_takes_at_most_sixty_requests_and_writes_nothing(world: World) -> None:
    world.findings()
    assert world.cluster.counters.requests <= 60
    assert world.cluster.counters.writes == 0


def test_findings_are_plain_data_without_the_bytes_of_secrets(world: World) -> None:
    world.climb("flipped")
    text = json.dumps([f.as_dict() for f in world.findings().values()])
    assert TOKEN not in text
    assert HASH not in text


def test_a_parked_cluster_has_no_failed_check_and_says_which_questions_are_past(world: World) -> None:
    assert world.climb().verdict == "upgraded"
    found = world.findings()
    assert registry.verdict(list(found.values())) == "pass"
    skipped = {name: f.evidence for name, f in found.items() if f.status == "skip"}
    past = {check.id for check in CHECKS if check.until is not None}
    assert {"CU-03", "CU-04", "EN-06", "TA-02", "TA-03", "TA-05"} <= past
    assert past | {"PE-02", "PE-03"} <= set(skipped)
    assert skipped["TA-05"] == "The cluster is parked already."


def test_a_check_is_run_below_its_rung_and_skipped_from_it_on(world: World, table: Table) -> None:
    assert table(lambda _: passed("looked"), until=Rung.PREPARED)[0].status == "pass"
    world.climb("prepared")
    assert table(lambda _: passed("looked"), until=Rung.PREPARED)[0].status == "skip"


def test_an_expected_error_is_an_error_with_its_sentence_and_the_next_check_is_made(table: Table) -> None:
    first, second = table(raising(SafeStop("It cannot be read.", "Look.")), lambda _: passed(""))
    assert (first.status, first.evidence, first.remedy) == ("error", "It cannot be read.", "Look.")
    assert second.status == "pass"


def test_an_unexpected_error_is_an_error_with_its_kind_and_nothing_of_its_text(table: Table) -> None:
    (found,) = table(raising(KeyError("secret")))
    assert (found.status, found.evidence) == ("error", "The check itself broke (KeyError).")
    assert found.remedy == "Report this as a fault of the collection."


@pytest.mark.parametrize("problem", [Unreachable("No answer.", "Wait."), Unauthorised("Not known.", "Log in.")])
def test_after_a_lost_api_server_the_rest_is_not_looked_at(table: Table, problem: WgeError) -> None:
    asked = []
    first, second = table(raising(problem), lambda _: asked.append(1) or passed(""))  # type: ignore[func-returns-value]
    assert (first.status, first.evidence) == ("error", problem.what)
    assert (second.status, second.evidence, second.remedy) == ("error", f"Not looked at: {problem.what}", problem.next_step)
    assert asked == []


def test_a_request_to_stop_ends_the_checks(table: Table) -> None:
    with pytest.raises(Interrupted):
        table(raising(Interrupted("Stopped.")))


@pytest.mark.parametrize(
    ("findings", "verdict"),
    [
        ([("block", "pass"), ("block", "skip"), ("info", "pass")], "pass"),
        ([("block", "pass"), ("block", "warn")], "warn"),
        ([("warn", "fail")], "warn"),
        ([("info", "error")], "warn"),
        ([("block", "error"), ("block", "warn")], "error"),
        ([("block", "error"), ("block", "fail")], "block"),
    ],
)
def test_the_verdict_is_the_worst_that_a_check_may_say(findings: list[tuple[str, str]], verdict: str) -> None:
    made = [finding(*entry) for entry in findings]
    assert registry.verdict(made) == verdict
    assert bool(registry.blocking(made)) == (verdict in ("block", "error"))


def test_what_blocks_is_listed_with_failures_before_what_could_not_be_checked() -> None:
    made = [finding("block", "error"), finding("info", "fail"), finding("block", "fail"), finding("block", "warn")]
    assert [f.status for f in registry.blocking(made)] == ["fail", "error"]


def test_the_summary_names_every_status() -> None:
    made = [finding("block", "pass"), finding("block", "pass"), finding("info", "warn")]
    assert registry.summary(made) == {"pass": 2, "warn": 1, "fail": 0, "skip": 0, "error": 0}


def test_the_controllers_clock_is_used_only_when_the_api_server_sent_no_time(world: World) -> None:
    evidence = world.evidence()
    assert evidence.time == evidence.now.snapshot.identity.server_time
    snapshot = replace(evidence.now.snapshot, identity=replace(evidence.now.snapshot.identity, server_time=None))
    evidence.now = replace(evidence.now, snapshot=snapshot)
    assert evidence.time == evidence.controller_time
