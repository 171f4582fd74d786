# SPDX-License-Identifier: GPL-3.0-or-later
"""The playbooks after an upgrade over stand-in clusters: what each does with good and bad ones, report and exit code."""

from __future__ import annotations

from typing import Any

import pytest

FOUR = {f"c{number}": {} for number in (1, 2, 3, 4)}


def but(**scenarios: str) -> dict[str, dict[str, Any]]:
    return {name: {"release": scenarios.get(name, "good")} for name in FOUR}


def test_a_way_back_takes_every_cluster_back_and_ends_with_0(upgrade: Any) -> None:
    run = upgrade(but(), play="rollback")
    assert run.code == 0, run.output
    assert set(run.verdicts.values()) == {"rolled_back"}
    assert "4 clusters rolled back, 400 requests, 0 lost" in run.output


def test_one_that_does_not_get_back_does_not_keep_the_others(upgrade: Any) -> None:
    run = upgrade(but(c1="crash", c2="early"), play="rollback")
    assert run.code == 2, run.output
    assert run.verdicts == {"c1": "safe_stop", "c2": "blocked", "c3": "rolled_back", "c4": "rolled_back"}


def test_finalising_goes_canaries_first_and_ends_with_0(upgrade: Any) -> None:
    run = upgrade(but(c3="already"), play="finalise")
    assert run.code == 0, run.output
    assert run.verdicts == {"c1": "finalised", "c2": "finalised", "c3": "already", "c4": "finalised"}
    assert "3 clusters finalised, 1 already finalised, 400 requests, 0 lost" in run.output


def test_a_canary_that_is_too_early_keeps_the_next_wave_shut_and_says_from_when_on(upgrade: Any) -> None:
    run = upgrade(but(c2="early"), groups={"wge_canary": ["c2"]}, play="finalise")
    assert run.code == 2, run.output
    assert run.verdicts == {"c1": "skipped", "c2": "blocked", "c3": "skipped", "c4": "skipped"}
    assert "c2: blocked. It may be removed from 2026-11-30 on." in run.output


@pytest.mark.parametrize("name", ["rollback", "finalise"])
def test_a_preview_shows_the_writes_writes_nothing_and_ends_with_0(upgrade: Any, name: str) -> None:
    run = upgrade(but(), "--check", "--diff", play=name)
    assert run.code == 0, run.output
    assert "+selector: wge" in run.output
    assert "4 planned" in run.output
    assert not run.reports.exists()


@pytest.mark.parametrize("name", ["rollback", "finalise"])
def test_without_consent_nothing_is_done(upgrade: Any, name: str) -> None:
    run = upgrade(but(), "-e", "wge_confirm=false", play=name)
    assert run.code == 2, run.output
    assert set(run.verdicts.values()) == {"skipped"}
    assert "wge_confirm is false" in run.output


@pytest.mark.parametrize("name", ["rollback", "finalise"])
def test_without_a_cluster_the_run_fails(upgrade: Any, name: str) -> None:
    assert "The inventory holds no cluster" in upgrade({}, play=name).output
