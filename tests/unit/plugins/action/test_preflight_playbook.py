# SPDX-License-Identifier: GPL-3.0-or-later
"""The preflight over stand-in clusters: the table, the result, the files of a fleet, the exit code and what AWX gets."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest

PREFLIGHT = "weaveworks.wge.wge_preflight"
REPORT = "weaveworks.wge.wge_preflight_report"
RESULT = {"verdict": "pass", "checks": [], "cluster": {"uid": "u1"}}


def fleet(**scenarios: str) -> dict[str, dict[str, Any]]:
    return {name: {"release": scenario} for name, scenario in scenarios.items()}


def recap(run: Any, host: str) -> str:
    return str(next(line for line in run.output.splitlines() if line.startswith(host) and "ok=" in line))


def said(run: Any) -> str:
    return " ".join(run.output.split())


def test_a_fleet_that_is_ready_ends_well_and_each_cluster_has_one_line(upgrade: Any) -> None:
    run = upgrade(fleet(a="good", b="warned"), play="preflight")
    assert run.code == 0, run.output
    assert run.verdicts == {"b": "warn", "a": "pass"}
    assert "a: ready (2 passed)\n" in run.output
    assert "  target  TA-02  warn  chart renders: The Service port is renamed.\n" in run.output
    assert "2 clusters: 1 ready, 1 ready with warnings\n" in run.output
    assert "changed=0" in recap(run, "a")


def test_clusters_that_cannot_be_upgraded_fail_and_are_told_once(upgrade: Any) -> None:
    dead = {"ansible_connection": "ssh", "ansible_host": "127.0.0.1", "ansible_port": 1, "ansible_pipelining": True}
    clusters = {**fleet(a="good", b="blocked", c="unreachable", d="unsure", e="mistaken"), "f": dead}
    run = upgrade(clusters, play="preflight")
    assert run.code == 2, run.output
    assert run.verdicts == {"b": "blocked", "d": "error", "e": "error", "c": "unreachable", "f": "unreachable", "a": "pass"}
    assert "b: blocked. TA-02 chart: the Service port is renamed." in said(run)
    assert "c: unreachable. The API server does not answer." in said(run)
    assert ["failed=1" in recap(run, host) for host in "abcd"] == [False, True, True, True]
    assert '"checks"' not in run.output  # Ansible prints no result beside the table


def test_all_files_of_a_run_are_there_for_their_owner_alone(upgrade: Any) -> None:
    run = upgrade(fleet(a="good", b="blocked"), play="preflight")
    files = sorted(run.reports.iterdir())
    assert [path.suffix for path in files] == [".html", ".json", ".md", ".xml"]
    assert {(path.stem, oct(path.stat().st_mode & 0o777)) for path in files} == {(f"preflight-{run.document['run']}", "0o600")}
    failures = ElementTree.parse(files[3]).getroot().get("failures")
    assert failures == "1"
    assert f"  {files[0]}\n" in run.output


def test_the_inventory_s_secrets_are_in_no_file(upgrade: Any) -> None:
    run = upgrade(fleet(a="good", b="blocked", c="unreachable"), "-vvv", play="preflight")
    assert all("planted-token" not in path.read_text() for path in run.reports.iterdir())
    assert "planted-token" not in run.output


def test_blocked_clusters_may_be_skipped_and_those_nobody_could_judge_may_not(upgrade: Any) -> None:
    run = upgrade(fleet(a="good", b="blocked"), "-e", "wge_blocked=skip", play="preflight")
    assert run.code == 0, run.output
    assert run.verdicts["b"] == "blocked"
    assert upgrade(fleet(a="unsure"), "-e", "wge_blocked=skip", play="preflight").code == 2
    run = upgrade(fleet(a="good"), "-e", "wge_blocked=maybe", play="preflight")
    assert "wge_blocked is 'maybe', but it must be one of fail, skip." in said(run)


def test_everything_is_shown_when_it_is_asked_for(upgrade: Any) -> None:
    run = upgrade(fleet(a="good"), "-e", "wge_show=all", play="preflight")
    assert "  cluster  CL-01  pass  API server reachable: It answers.\n" in run.output


def test_hosts_that_turn_out_to_be_one_cluster_fail_and_name_each_other(upgrade: Any) -> None:
    run = upgrade(fleet(a="twin", b="twin", c="good"), play="preflight")
    assert run.code == 2, run.output
    assert run.verdicts == {"a": "blocked", "b": "blocked", "c": "pass"}
    assert "a: blocked. a and b are one cluster: the UID of its namespace kube-system is uid-of-two." in said(run)
    assert ["failed=1" in recap(run, host) for host in "abc"] == [True, True, False]


def test_a_workflow_can_branch_on_what_was_found(upgrade: Any, bench: Any) -> None:
    bench.variables = {"ANSIBLE_SHOW_CUSTOM_STATS": "true"}
    run = upgrade(fleet(a="good", b="blocked", c="unreachable"), play="preflight")
    found = json.loads(run.output.partition("CUSTOM STATS:")[2].partition("RUN: ")[2])["preflight_fleet"]
    assert found["hosts"] == {"blocked": ["b"], "error": [], "pass": ["a"], "unreachable": ["c"], "warn": []}
    assert found["verdicts"] == {"blocked": 1, "error": 0, "pass": 1, "unreachable": 1, "warn": 0}
    assert found["report"] == str(next(run.reports.glob("*.json")))


def test_a_slice_reports_on_its_own_clusters(upgrade: Any) -> None:
    run = upgrade(fleet(a="good", b="good"), "-e", "wge_fleet_size=8", "--limit", "b", play="preflight")
    assert run.code == 0, run.output
    assert run.verdicts == {"b": "pass"}


def test_check_mode_prints_and_writes_nothing(upgrade: Any) -> None:
    run = upgrade(fleet(a="good"), "--check", play="preflight")
    assert run.code == 0, run.output
    assert "1 cluster: 1 ready\n" in run.output
    assert not run.reports.exists()


def test_on_a_command_line_the_table_comes_first_and_the_result_is_a_summary(bench: Any) -> None:
    inventory = bench.inventory({"prod-1": {}})
    run = bench.run("adhoc", "prod-1", "-i", inventory, "-m", PREFLIGHT, "-a", "host=https://x release=blocked")
    assert run.code == 2, run.output
    table, _, result = run.output.partition("prod-1 | FAILED! => ")
    assert table.startswith(
        "  target  TA-02  block  chart renders: The Service port is renamed.\n"
        "                        → Correct wge_values.\n"
        "prod-1: blocked (1 blocks, 1 passed)\n"
    )
    assert table.count("Service port") == 2  # Ansible's own error line says it once more
    found = json.loads(result)
    assert found["checks"] == [{"id": "TA-02", "severity": "block", "status": "fail", "title": "chart renders"}]
    assert "plan" not in found


def test_the_result_has_everything_when_it_is_asked_for(bench: Any) -> None:
    bench.task({PREFLIGHT: {"host": "https://x", "output": "full"}})
    assert [check["evidence"] for check in bench.registered["checks"]] == ["It answers.", "The Service port is renamed."]
    assert bench.registered["plan"]


def test_the_table_has_colour_where_ansible_has_and_the_log_file_has_none(bench: Any) -> None:
    bench.variables = {"ANSIBLE_FORCE_COLOR": "true", "ANSIBLE_NOCOLOR": "false", "ANSIBLE_LOG_PATH": str(bench.folder / "log")}
    run = bench.task({PREFLIGHT: {"host": "https://x", "release": "warned"}})
    assert "\x1b[1;35mTA-02\x1b[0m" in run.output
    log = (bench.folder / "log").read_text()
    assert "TA-02  warn  chart renders" in log and log.count("TA-02  warn") == 1


def test_the_action_may_be_called_without_a_run(bench: Any) -> None:
    bench.task({REPORT: {"results": [{"host": "a", "result": RESULT}, {"host": "b", "result": {}}]}})
    seen = bench.registered
    assert all(Path(seen[name]).is_file() for name in ("path", "junit", "markdown", "html"))
    assert (seen["changed"], seen["sentence"]) == (False, "2 clusters: 1 ready, 1 not judged")
    assert seen["hosts"]["error"] == ["b"]


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        ({"results": [{"result": {}}]}, "An entry of results has no host"),
        ({"results": [{"host": "a"}], "report_dir": "/dev/null/reports"}, "cannot be written: Not a directory."),
    ],
)
def test_what_cannot_be_done_is_one_sentence(bench: Any, options: dict[str, Any], sentence: str) -> None:
    run = bench.task({REPORT: options})
    assert bench.registered["failed"] and sentence in bench.registered["msg"]
    assert "Traceback" not in run.output
