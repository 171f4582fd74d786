# SPDX-License-Identifier: GPL-3.0-or-later
"""The fleet's table of entitlements over stand-in clusters: what it prints and writes, and the exit code."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest

TABLE = "weaveworks.wge.wge_entitlement_report"
ONE = {"valid": True, "expired": False, "expires": "2027-03-03T12:00:00Z", "days_left": 10, "customer": "acme@example.com", "key_id": "k"}


def fleet(**scenarios: str) -> dict[str, dict[str, Any]]:
    return {name: {"entitlement_secret_name": scenario} for name, scenario in scenarios.items()}


def written(run: Any) -> dict[str, Any]:
    found: dict[str, Any] = run.document
    return found


def levels(run: Any) -> dict[str, str]:
    return {row["host"]: row["level"] for row in written(run)["entitlements"]}


def recap(run: Any, host: str) -> str:
    return str(next(line for line in run.output.splitlines() if line.startswith(host) and "ok=" in line))


def test_a_fleet_with_good_entitlements_ends_well_and_warns_of_what_ends_soon(upgrade: Any) -> None:
    run = upgrade(fleet(a="good", b="soon", c="other"), play="entitlements")
    assert run.code == 0, run.output
    assert levels(run) == {"b": "urgent", "a": "ok", "c": "ok"}
    assert "3 entitlements: 2 fine, 1 ending within 14 days" in run.output
    assert "The entitlement ends within 14 days: b." in " ".join(run.output.split())
    assert "changed=0" in recap(run, "a")


def test_the_table_is_printed_aligned_and_what_cannot_wait_comes_first(upgrade: Any) -> None:
    run = upgrade(fleet(a="good", b="expired"), play="entitlements")
    lines = run.output.splitlines()
    at = lines.index("host  state    days left  expires     customer          features  key  effect")
    assert lines[at + 1 : at + 3] == [
        "b     expired         -3  2027-03-03  acme@example.com  all       k    entitled",
        "a     ok             300  2027-03-03  acme@example.com  all       k    entitled",
    ]


def test_clusters_without_a_valid_entitlement_and_without_an_answer_fail_and_the_others_do_not(upgrade: Any) -> None:
    run = upgrade(fleet(a="good", b="forged", c="unreachable", d="blocked", e="crash"), play="entitlements")
    assert run.code == 2, run.output
    assert levels(run) == {"c": "unreachable", "d": "failed", "e": "failed", "b": "invalid", "a": "ok"}
    assert "b: Its signature is not good." in run.output
    assert "c: The cluster is unreachable." in run.output
    assert ["failed=1" in recap(run, host) for host in "abcde"] == [False, True, True, True, True]


def test_a_host_that_cannot_be_logged_in_to_is_in_the_table(upgrade: Any) -> None:
    dead = {"ansible_connection": "ssh", "ansible_host": "127.0.0.1", "ansible_port": 1, "ansible_pipelining": True}
    run = upgrade({**fleet(a="good"), "b": dead}, play="entitlements")
    assert run.code != 0, run.output
    assert levels(run) == {"b": "unreachable", "a": "ok"}


def test_an_expired_entitlement_is_a_warning(upgrade: Any) -> None:
    run = upgrade(fleet(a="expired"), play="entitlements")
    assert run.code == 0, run.output
    assert "The entitlement has expired: a." in run.output
    assert suite(run)["failures"] == "0"


def test_an_expired_entitlement_fails_when_it_is_wanted_even_as_a_survey_s_string(upgrade: Any) -> None:
    run = upgrade(fleet(a="expired", b="good"), "-e", "wge_fail_if_expired='true'", play="entitlements")
    assert run.code == 2, run.output
    assert "a: Its entitlement expired on 2027-03-03." in run.output
    assert suite(run)["failures"] == "1"
    assert upgrade(fleet(a="expired"), "-e", "wge_fail_if_expired='false'", play="entitlements").code == 0


def test_the_days_may_come_from_a_survey(upgrade: Any) -> None:
    run = upgrade(fleet(a="soon"), "-e", "wge_entitlement_warn_days='20,5'", play="entitlements")
    assert written(run)["warn_days"] == {"urgent": 5, "warn": 20}
    assert levels(run) == {"a": "warn"}


def test_days_that_cannot_be_used_stop_the_run_before_a_cluster_is_asked(upgrade: Any) -> None:
    run = upgrade(fleet(a="good"), "-e", "wge_entitlement_warn_days=soon", play="entitlements")
    assert run.code == 2
    assert "wge_entitlement_warn_days" in run.output and "Verify what is stored" not in run.output


def test_without_the_effect_its_column_is_missing(upgrade: Any) -> None:
    run = upgrade(fleet(a="good"), "-e", "wge_entitlement_by_effect=false", play="entitlements")
    assert run.code == 0, run.output
    assert "host  state  days left  expires     customer          features  key\n" in run.output


def test_check_mode_prints_and_writes_nothing(upgrade: Any) -> None:
    run = upgrade(fleet(a="good"), "--check", play="entitlements")
    assert run.code == 0, run.output
    assert "1 entitlement: 1 fine" in run.output
    assert not run.reports.exists()


def test_both_files_are_for_their_owner_alone(upgrade: Any) -> None:
    run = upgrade(fleet(a="good", b="good"), play="entitlements")
    files = sorted(run.reports.iterdir())
    assert [(path.suffix, oct(path.stat().st_mode & 0o777)) for path in files] == [(".json", "0o600"), (".xml", "0o600")]
    assert {path.stem for path in files} == {f"entitlements-{written(run)['run']}"}
    assert [group["hosts"] for group in written(run)["shared"]] == [["a", "b"]]


def test_the_action_may_be_called_without_a_run(bench: Any) -> None:
    bench.task({TABLE: {"entitlements": {"acme": {**ONE, "status": "renewed", "path": "out/acme.yml"}}}})
    seen = bench.registered
    assert Path(seen["path"]).is_file() and Path(seen["junit"]).is_file()
    assert (seen["changed"], seen["sentence"]) == (False, "1 entitlement: 1 ending within 14 days")
    assert json.loads(Path(seen["path"]).read_text())["entitlements"][0]["path"] == "out/acme.yml"


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        ({"warn_days": [1, 2, 3, 4]}, "The days to warn at are not up to three numbers from 0 on. Give for instance"),
        ({"report_dir": "/dev/null/reports"}, "cannot be written: Not a directory."),
    ],
)
def test_what_cannot_be_done_is_one_sentence(bench: Any, options: dict[str, Any], sentence: str) -> None:
    run = bench.task({TABLE: {"entitlements": {"a": ONE}, **options}})
    assert bench.registered["failed"] and sentence in bench.registered["msg"]
    assert "Traceback" not in run.output


def suite(run: Any) -> dict[str, str]:
    (path,) = run.reports.glob("*.xml")
    found = ElementTree.parse(path).getroot().find("testsuite")
    assert found is not None
    return dict(found.attrib)
