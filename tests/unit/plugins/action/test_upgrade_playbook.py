# SPDX-License-Identifier: GPL-3.0-or-later
"""The playbooks' construct over stand-in clusters: waves, gates, report, exit code."""

from __future__ import annotations

from typing import Any

import pytest

FOUR = {f"c{number}": {} for number in (1, 2, 3, 4)}


def but(**scenarios: str) -> dict[str, dict[str, Any]]:
    return {name: {"release": scenarios.get(name, "good")} for name in FOUR}


def test_when_all_are_good_all_are_upgraded_and_the_exit_code_is_0(upgrade: Any) -> None:
    run = upgrade(but())
    assert run.code == 0, run.output
    assert set(run.verdicts.values()) == {"upgraded"}
    assert "4 clusters upgraded, 400 requests, 0 lost" in run.output
    assert "failed=1" not in run.output


def test_a_bad_cluster_of_the_last_wave_does_not_keep_its_neighbours_from_arriving(upgrade: Any) -> None:
    run = upgrade(but(c3="bad"))
    assert run.code == 2, run.output
    assert run.verdicts == {"c1": "upgraded", "c2": "upgraded", "c3": "rolled_back", "c4": "upgraded"}
    assert "3 clusters upgraded, 1 rolled back, 400 requests, 1 lost" in run.output


def test_a_bad_canary_keeps_the_next_wave_shut(upgrade: Any) -> None:
    run = upgrade(but(c2="bad"), groups={"wge_canary": ["c2"]})
    assert run.code == 2, run.output
    assert run.verdicts == {"c1": "skipped", "c2": "rolled_back", "c3": "skipped", "c4": "skipped"}
    assert "c2 went wrong; no further wave is begun." in run.output


def test_so_many_may_go_wrong_as_wge_max_failed_says_even_as_a_string(upgrade: Any) -> None:
    run = upgrade(but(c2="bad"), "-e", "wge_max_failed='1'", groups={"wge_canary": ["c2"]})
    assert run.code == 2, run.output
    assert run.verdicts == {"c1": "upgraded", "c2": "rolled_back", "c3": "upgraded", "c4": "upgraded"}


def test_a_blocked_and_an_unreachable_cluster_get_no_wave_and_the_others_go_on(upgrade: Any) -> None:
    run = upgrade(but(c1="blocked", c3="unreachable"))
    assert run.code == 2, run.output
    assert run.verdicts == {"c1": "blocked", "c2": "upgraded", "c3": "unreachable", "c4": "upgraded"}
    assert "TA-02 chart: the Service port is renamed." in run.output


def test_a_mistake_of_ours_is_a_safe_stop(upgrade: Any) -> None:
    run = upgrade(but(c4="crash"))
    assert run.code == 2, run.output
    assert run.verdicts["c4"] == "safe_stop"


def test_a_host_that_cannot_be_logged_in_to_is_unreachable(upgrade: Any) -> None:
    dead = {"ansible_connection": "ssh", "ansible_host": "127.0.0.1", "ansible_port": 1, "ansible_pipelining": True}
    run = upgrade({**but(), "c3": dead})
    assert run.code == 2, run.output
    assert run.verdicts == {"c1": "upgraded", "c2": "upgraded", "c3": "unreachable", "c4": "upgraded"}


def test_a_limit_leaves_the_others_out_and_its_first_cluster_is_the_canary(upgrade: Any) -> None:
    run = upgrade(but(c3="bad"), "--limit", "c3,c4")
    assert run.code == 2, run.output
    assert run.verdicts == {"c3": "rolled_back", "c4": "skipped"}


def test_check_mode_shows_the_plan_writes_nothing_and_ends_with_0(upgrade: Any) -> None:
    run = upgrade(but(), "--check", "--diff")
    assert run.code == 0, run.output
    assert "+selector: wge" in run.output
    assert "0 clusters upgraded, 4 planned, 0 requests, 0 lost" in run.output
    assert not run.reports.exists()


def test_a_second_run_changes_nothing(upgrade: Any) -> None:
    run = upgrade(but(c1="already", c2="already", c3="already", c4="already"))
    assert run.code == 0, run.output
    assert run.output.count("changed=0") == 5  # localhost too
    assert "0 clusters upgraded, 4 already upgraded" in run.output


def test_without_a_cluster_the_run_fails(upgrade: Any) -> None:
    run = upgrade({})
    assert run.code == 2, run.output
    assert "The inventory holds no cluster" in run.output


def test_an_empty_group_fleet_is_no_fleet(upgrade: Any) -> None:
    assert upgrade(but(), groups={"fleet": []}).code == 2


def test_the_group_fleet_says_which_hosts_are_clusters(upgrade: Any) -> None:
    run = upgrade(but(c4="bad"), groups={"fleet": ["c1", "c2"]})
    assert run.code == 0, run.output
    assert run.verdicts == {"c1": "upgraded", "c2": "upgraded"}


@pytest.mark.parametrize("word", ["false", "no"])
def test_a_survey_that_does_not_confirm_upgrades_nothing(upgrade: Any, word: str) -> None:
    run = upgrade(but(), "-e", f'{{"wge_confirm": "{word}"}}')
    assert run.code == 2, run.output
    assert set(run.verdicts.values()) == {"skipped"}
    assert "wge_confirm is false" in run.output


def test_a_survey_answer_of_the_wrong_type_is_one_sentence(upgrade: Any) -> None:
    run = upgrade(but(), "-e", '{"wge_confirm": "", "wge_chart": ""}')
    assert run.code == 2, run.output
    assert "every cluster: wge_confirm is '', but it must be true or false." in run.output


def test_tags_do_not_get_past_the_gates(upgrade: Any) -> None:
    run = upgrade(but(c2="bad"), "--tags", "upgrade", groups={"wge_canary": ["c2"]})
    assert run.code == 2, run.output
    assert run.verdicts["c1"] == "skipped"


def test_with_the_preflight_tag_alone_nothing_climbs(upgrade: Any) -> None:
    run = upgrade(but(), "--tags", "preflight")
    assert run.code == 2, run.output
    assert set(run.verdicts.values()) == {"skipped"}


def test_a_user_s_own_strategy_settings_do_not_count(upgrade: Any, bench: Any) -> None:
    bench.variables = {"ANSIBLE_STRATEGY": "free", "ANSIBLE_ANY_ERRORS_FATAL": "true", "ANSIBLE_TASK_TIMEOUT": "1"}
    run = upgrade(but(c2="bad"))
    assert run.code == 2, run.output
    assert run.verdicts == {"c1": "upgraded", "c2": "rolled_back", "c3": "upgraded", "c4": "upgraded"}


def test_the_playbook_runs_by_its_path_too(bench: Any) -> None:
    run = bench.run("playbook", bench.collection / "playbooks/upgrade.yml", "-i", bench.inventory(but()))
    assert run.code == 0, run.output


def test_preflight_may_see_a_slice_of_the_fleet_and_upgrade_may_not(upgrade: Any) -> None:
    assert upgrade(but(), "-e", "wge_fleet_size=8", play="preflight").code == 0
    run = upgrade(but(), "-e", "wge_fleet_size=8")
    assert run.code == 2
    assert "wge_fleet_size is 8, but 4 clusters are seen" in run.output


def test_a_wrong_inventory_stops_the_run_before_any_cluster_is_asked(upgrade: Any) -> None:
    clusters = but()
    clusters["c2"] = {"soak_secods": "10"}
    run = upgrade(clusters)
    assert run.code == 2, run.output
    assert "c2: wge_soak_secods is not a setting of this collection; did you mean wge_soak_seconds?" in run.output
    assert "Ask the cluster" not in run.output
    assert "Run every check" not in run.output


def test_no_secret_is_shown_however_loud_ansible_is(upgrade: Any) -> None:
    run = upgrade(but(c2="bad"), "-vvv", "--diff")
    assert "planted-token" not in run.output
    assert "planted-token" not in (run.reports / next(run.reports.glob("*.jsonl")).name).read_text()
