# SPDX-License-Identifier: GPL-3.0-or-later
"""The climb on a cluster that was lived in: order, promises, and what a second run does."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from ansible_collections.weaveworks.wge.plugins.module_utils._engine import ladder
from ansible_collections.weaveworks.wge.plugins.module_utils._engine.model import Rung
from ansible_collections.weaveworks.wge.plugins.module_utils._engine.plan import rung_of
from ansible_collections.weaveworks.wge.tests.unit.plugins.module_utils._engine.standin_faults import Fault, positions
from ansible_collections.weaveworks.wge.tests.unit.plugins.module_utils._engine.standin_products import WG_NAME
from ansible_collections.weaveworks.wge.tests.unit.plugins.module_utils._engine.standin_runs import (
    KEPT,
    RUNGS,
    climb,
    lived_in,
    sent,
    start,
)
from ansible_collections.weaveworks.wge.tests.unit.plugins.module_utils._engine.standin_witness import Witness, content, leads_to
from ansible_collections.weaveworks.wge.tests.unit.plugins.module_utils._engine.standin_world import World

# All the way


def test_one_call_climbs_all_the_way_to_parked(scene: World) -> None:
    witness = Witness(scene)
    outcome = climb(scene)
    assert outcome is not None
    assert (outcome.verdict, outcome.rung_before, outcome.rung, outcome.changed) == ("upgraded", Rung.INSTALLED, Rung.PARKED, True)
    assert [leads_to(scene, service) for service in KEPT] == ["wge"] * 3
    assert scene.cluster.one("Deployment", WG_NAME)["spec"]["replicas"] == 0
    assert not witness.dark
    assert rung_of(scene.look()) is Rung.PARKED


def test_no_request_is_lost_and_no_instant_is_without_an_endpoint(scene: World) -> None:
    outcome = climb(scene)
    assert outcome is not None
    assert outcome.traffic["requests"] > 0
    assert (outcome.traffic["lost"], outcome.traffic["endpoint_gaps"]) == (0, 0)


def test_the_kept_services_are_still_themselves(scene: World) -> None:
    outcome = climb(scene)
    assert outcome is not None
    assert sorted(entry["service"] for entry in outcome.identity) == sorted(KEPT)
    assert all(entry["same"] for entry in outcome.identity)


def test_a_climb_sends_at_most_thirty_writes_to_a_cluster_with_three_services(scene: World) -> None:
    assert len(sent(scene)) <= 30


def test_a_climb_sends_at_most_twenty_five_writes_to_a_plain_cluster(world: World) -> None:
    assert len(sent(world)) <= 25


def test_every_rung_says_how_long_it_took(scene: World) -> None:
    outcome = climb(scene)
    assert outcome is not None
    assert list(outcome.seconds) == RUNGS


def test_every_step_is_told_at_its_begin_and_its_end(scene: World) -> None:
    climb(scene)
    states = [(event["step"], event["state"]) for event in scene.told if event["event"] == "step"]
    begun = [step for step, state in states if state == "begin"]
    assert begun == ["S3", "S2", "S4", "S5", "S11", "S6", "S7", "S9", "S8", "S12", "S13", "S14", "S15", "S17"]
    assert [step for step, state in states if state == "done"] == begun


# Order


def test_the_lock_comes_first_and_is_given_back_last(scene: World) -> None:
    writes = sent(scene)
    assert (writes[0], writes[-1]) == (("create", "leases/wge-upgrade"), ("delete", "leases/wge-upgrade"))
    assert not scene.cluster.all("Lease")


def test_the_journal_comes_before_the_first_write_it_speaks_of(scene: World) -> None:
    verb, name = sent(scene)[1]
    assert verb == "create"
    assert name.startswith("secrets/wge-journal-")


def test_the_power_to_delete_is_taken_away_before_traffic_moves(scene: World) -> None:
    writes = sent(scene)
    protect, flip = positions(writes, "patch", f"services/{WG_NAME}")
    (parked,) = positions(writes, "patch", "secrets/sh.helm.release.v1.ww-gitops.v6")
    (install,) = positions(writes, "install", "weave-gitops-enterprise")
    assert protect < parked < install < flip


def test_the_routed_service_is_flipped_last_and_metrics_first(scene: World) -> None:
    writes = sent(scene)
    flips = [positions(writes, "patch", f"services/{name}")[1] for name in ("metrics", "by-hand", WG_NAME)]
    assert flips == sorted(flips)


def test_nothing_of_wg_is_deleted(scene: World) -> None:
    before = set(content(scene))
    writes = sent(scene)
    assert before <= set(content(scene))
    assert [name for verb, name in writes if verb == "delete"] == [f"services/{WG_NAME}-wge-shadow", "leases/wge-upgrade"]


@pytest.mark.parametrize("goal", RUNGS)
def test_a_climb_ends_on_the_rung_asked_for(scene: World, goal: str) -> None:
    outcome = climb(scene, goal=goal)
    assert outcome is not None
    assert (outcome.verdict, outcome.rung.word, outcome.error) == ("upgraded", goal, None)
    assert rung_of(scene.look()).word == goal
    assert leads_to(scene) == ("wg" if goal in ("prepared", "rehearsed") else "wge")


def test_a_climb_cut_into_rungs_ends_where_one_call_ends(scene: World, tmp_path: Path) -> None:
    for goal in RUNGS:
        outcome = climb(scene, goal=goal)
        assert outcome is not None
        assert outcome.verdict == "upgraded"
    other = lived_in(tmp_path / "other")
    climb(other)
    assert content(scene, runs=False) == content(other, runs=False)


# Again


@pytest.mark.parametrize("goal", RUNGS)
def test_a_second_run_writes_nothing(scene: World, goal: str) -> None:
    climb(scene, goal=goal)
    fault = Fault()
    outcome = climb(scene, fault, goal)
    assert outcome is not None
    assert (outcome.verdict, outcome.changed, fault.sent) == ("already", False, [])


def test_a_second_run_asks_neither_the_preflight_nor_for_the_lock(scene: World) -> None:
    climb(scene)
    start(scene)

    def check(*_: Any) -> None:
        raise AssertionError("asked")

    assert ladder.climb(scene.tools, scene.settings, check, check_mode=False).verdict == "already"


def test_a_lower_goal_than_where_the_cluster_stands_changes_nothing(scene: World) -> None:
    climb(scene)
    fault = Fault()
    outcome = climb(scene, fault, "rehearsed")
    assert outcome is not None
    assert (outcome.verdict, outcome.rung, fault.sent) == ("already", Rung.PARKED, [])


def test_a_second_run_without_a_chart_knows_where_the_cluster_stands(scene: World) -> None:
    climb(scene)
    scene.set(chart="")
    outcome = climb(scene)
    assert outcome is not None
    assert outcome.verdict == "already"
