# SPDX-License-Identifier: GPL-3.0-or-later
"""The climb on a cluster that was lived in: order, promises, and what a second run does."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from ansible_collections.weaveworks.wge.plugins.module_utils._engine import ladder
from ansible_collections.weaveworks.wge.plugins.module_utils._engine.journal import journal_from
from ansible_collections.weaveworks.wge.plugins.module_utils._engine.model import Rung
from ansible_collections.weaveworks.wge.plugins.module_utils._engine.plan import rung_of
from ansible_collections.weaveworks.wge.plugins.module_utils._errors import Blocked, InvalidSettings, RolledBack, SafeStop
from ansible_collections.weaveworks.wge.tests.unit.plugins.module_utils._engine.standin_faults import (
    KEPT,
    Fault,
    Witness,
    climb,
    content,
    crash,
    endpoints,
    leads_to,
    lived_in,
    start,
)
from ansible_collections.weaveworks.wge.tests.unit.plugins.module_utils._engine.standin_products import WG_NAME, WGE_NAME
from ansible_collections.weaveworks.wge.tests.unit.plugins.module_utils._engine.standin_world import World

RUNGS = ["prepared", "rehearsed", "flipped", "soaked", "parked"]


@pytest.fixture
def scene(tmp_path: Path) -> World:
    return lived_in(tmp_path)


def sent(world: World, goal: str = "parked") -> list[tuple[str, str]]:
    """The writes of a climb that ends well."""
    fault = Fault()
    outcome = climb(world, fault, goal)
    assert outcome is not None
    assert outcome.verdict == "upgraded", outcome.error
    return short(fault)


def short(fault: Fault) -> list[tuple[str, str]]:
    """The writes that were sent, each with the last two words of its path."""
    return [(verb, "/".join(path.split("/")[-2:])) for verb, path in fault.sent]


def positions(writes: list[tuple[str, str]], verb: str, name: str) -> list[int]:
    return [index for index, write in enumerate(writes) if write == (verb, name)]


def planned(world: World) -> ladder.Outcome:
    start(world)
    return ladder.climb(world.tools, world.settings, lambda _now, _plan: None, check_mode=True)


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


# Check mode and refusals


def test_check_mode_shows_the_plan_and_writes_nothing(scene: World) -> None:
    before = content(scene)
    outcome = planned(scene)
    assert (outcome.verdict, outcome.changed) == ("planned", True)
    assert content(scene) == before
    assert scene.cluster.count("create", "patch", "delete") == 0
    assert not scene.helm.calls.count("install")


def test_the_plan_is_what_is_sent(scene: World) -> None:
    plan = planned(scene).plan
    shown = [(write.verb, "/".join(write.path.split("/")[-2:])) for entry in plan.planned if entry.step.foreseen for write in entry.writes]
    writes = [(verb, name) for verb, name in sent(scene) if "/wge-journal" not in name and "leases/" not in name and verb != "delete"]
    assert [
        ("helm", "secrets/sh.helm.release.v1.weave-gitops-enterprise.v1") if verb == "install" else (verb, name) for verb, name in writes
    ] == shown


def test_the_shown_plan_holds_no_secret_byte(scene: World) -> None:
    text = str(planned(scene).plan.shown())
    data = [value for item in scene.cluster.all("Secret") for value in item.get("data", {}).values()]
    assert not [value for value in data if value in text]
    assert scene.settings.entitlement not in text


def test_check_mode_on_a_parked_cluster_is_already(scene: World) -> None:
    climb(scene)
    assert planned(scene).verdict == "already"


def test_a_preflight_that_blocks_leaves_the_cluster_untouched(scene: World) -> None:
    before = content(scene)
    fault = start(scene)

    def check(*_: Any) -> None:
        raise Blocked("No.", "Never.")

    with pytest.raises(Blocked):
        ladder.climb(scene.tools, scene.settings, check, check_mode=False)
    assert content(scene) == before
    assert fault.sent == []


def test_without_a_chart_there_is_nothing_to_install(scene: World) -> None:
    scene.set(chart="")
    with pytest.raises(InvalidSettings, match="There is no chart of WGE to install"):
        climb(scene)


def test_a_cluster_that_changed_since_the_plan_is_not_written_to(scene: World) -> None:
    fault = start(scene)

    def check(*_: Any) -> None:
        scene.cluster.one("Service", "by-hand")["metadata"]["uid"] = "recreated"

    outcome = ladder.climb(scene.tools, scene.settings, check, check_mode=False)
    assert isinstance(outcome.error, SafeStop)
    assert "The cluster has changed since the plan was made" in str(outcome.error)
    assert [path.rsplit("/", 1)[1] for _, path in fault.sent] == ["wge-upgrade"] * 2
    assert not outcome.changed


def test_an_archive_that_cannot_be_written_ends_before_the_first_write(scene: World, tmp_path: Path) -> None:
    before = content(scene)
    (tmp_path / "file").write_text("")
    scene.set(archive_dir=str(tmp_path / "file" / "folder"))
    fault = Fault()
    outcome = climb(scene, fault)
    assert outcome is not None
    assert isinstance(outcome.error, InvalidSettings)
    assert (outcome.verdict, outcome.changed) == ("blocked", False)
    assert "cannot be written" in str(outcome.error)
    assert content(scene) == before
    assert [path.rsplit("/", 1)[-1] for _, path in fault.sent] == ["wge-upgrade"] * 2


# What fails is taken back


def assert_taken_back(scene: World, outcome: ladder.Outcome | None, before: dict[str, Any], words: str) -> None:
    assert outcome is not None
    assert isinstance(outcome.error, RolledBack)
    assert words in str(outcome.error)
    assert (outcome.verdict, outcome.rung) == ("rolled_back", Rung.ROLLED_BACK)
    assert content(scene) == before
    assert [leads_to(scene, service) for service in KEPT] == ["wg"] * 3
    (journal,) = [item for item in scene.cluster.all("Secret") if item["metadata"]["name"].startswith("wge-journal-")]
    assert journal_from(journal).state == "rolled-back"


def test_a_wge_that_never_gets_ready_is_taken_back_and_the_cluster_is_as_it_was(scene: World) -> None:
    before, witness = content(scene), Witness(scene)
    scene.controllers.broken.add(WGE_NAME)
    outcome = climb(scene)
    assert_taken_back(scene, outcome, before, "WGE does not get ready: not after 5 s")
    assert not witness.dark


@pytest.mark.parametrize("verb", ["install", "uninstall"])
def test_a_helm_that_fails_is_told(scene: World, verb: str) -> None:
    before = content(scene)
    scene.controllers.broken.add(WGE_NAME)
    scene.helm.fails.add(verb)
    outcome = climb(scene)
    if verb == "install":
        assert_taken_back(scene, outcome, before, "helm install failed.")
        return
    assert outcome is not None
    assert outcome.verdict == "safe_stop"
    assert "helm uninstall failed." in str(outcome.error)


def test_a_wge_without_entitlement_is_taken_back_before_any_traffic_reaches_it(scene: World) -> None:
    before = content(scene)
    scene.set(entitlement="")
    fault = Fault()
    outcome = climb(scene, fault)
    assert_taken_back(scene, outcome, before, "WGE finds no valid entitlement: its API answers 500.")
    assert [path for verb, path in fault.sent if verb == "patch"].count(f"/api/v1/namespaces/flux-system/services/{WG_NAME}") == 2


def test_a_dashboard_that_fails_before_the_flip_is_not_flipped(scene: World) -> None:
    before = content(scene)
    crash(scene, WG_NAME)
    outcome = climb(scene)
    assert outcome is not None
    assert "The dashboard already fails before the flip" in str(outcome.error)
    assert outcome.verdict == "rolled_back"
    assert content(scene) == before


def crash_when(scene: World, deployment: str, condition: Any) -> None:
    """Crash a Deployment at the first sleep at which the condition holds."""

    def look(_seconds: float) -> None:
        if deployment not in scene.controllers.broken and condition():
            crash(scene, deployment)

    scene.clock.on_sleep.append(look)


def flipped(scene: World) -> bool:
    return all(leads_to(scene, service) == "wge" for service in KEPT)


def test_traffic_that_goes_red_after_the_flip_is_flipped_back_first(scene: World) -> None:
    before = content(scene)
    crash_when(scene, WGE_NAME, lambda: flipped(scene))
    fault = Fault()
    outcome = climb(scene, fault)
    assert_taken_back(scene, outcome, before, "has no ready endpoint")
    writes = short(fault)
    switched = [index for name in KEPT for index in positions(writes, "patch", f"services/{name}")[1:3]]
    last_flip = positions(writes, "patch", f"services/{WG_NAME}")[1]
    assert [name for _, name in writes[last_flip + 1 : last_flip + 4]] == [f"services/{name}" for name in KEPT]
    assert max(switched) == last_flip + 3


def test_losses_after_the_flip_are_counted_until_traffic_is_back(scene: World) -> None:
    scene.set(soak_seconds=60)
    flip = [0.0]

    def twenty_seconds_later() -> bool:
        if flipped(scene) and not flip[0]:
            flip[0] = scene.clock.now
        return bool(flip[0]) and scene.clock.now >= flip[0] + 20

    crash_when(scene, WGE_NAME, twenty_seconds_later)
    outcome = climb(scene)
    assert outcome is not None
    assert outcome.verdict == "rolled_back"
    assert outcome.traffic["lost"] > 0
    assert outcome.traffic["endpoint_gaps"] == 3
    assert outcome.traffic["endpoint_gap_seconds"] / 3 < 5


def test_an_entry_url_that_goes_red_reverses_the_flip(scene: World) -> None:
    before = content(scene)
    scene.set(entry_urls=("https://wg.example.com",), soak_seconds=30)

    def fail(_seconds: float) -> None:
        if flipped(scene):
            scene.probes.faults.add("https://wg.example.com")

    scene.clock.on_sleep.append(fail)
    outcome = climb(scene)
    assert_taken_back(scene, outcome, before, "the last at https://wg.example.com")


def test_what_fails_after_parking_is_unparked_before_it_is_flipped_back(scene: World) -> None:
    before = content(scene)
    scene.set(quiet_seconds=0)

    def parked() -> bool:
        return bool(scene.cluster.one("Deployment", WG_NAME)["spec"]["replicas"] == 0)

    crashed = scene.cluster.after_write
    crashed.append(lambda: crash(scene, WGE_NAME) if parked() and WGE_NAME not in scene.controllers.broken else None)
    fault = Fault()
    outcome = climb(scene, fault)
    assert_taken_back(scene, outcome, before, "has no ready endpoint")
    writes = [(verb, path) for verb, path in fault.sent]
    scale = ("patch", f"/apis/apps/v1/namespaces/flux-system/deployments/{WG_NAME}")
    assert writes.count(scale) == 2
    back = len(writes) - 1 - writes[::-1].index(scale)
    assert writes[back + 1] == ("patch", f"/api/v1/namespaces/flux-system/services/{WG_NAME}")


def test_a_wg_that_does_not_come_back_keeps_wge_serving_and_is_a_safe_stop(scene: World) -> None:
    climb(scene)
    scene.controllers.broken.add(WG_NAME)
    witness = Witness(scene)
    start(scene)
    outcome = ladder.roll_back(scene.tools, replace(scene.settings, state="rolled_back"), check_mode=False)
    assert outcome.verdict == "safe_stop"
    assert "WG does not get ready" in str(outcome.error)
    assert leads_to(scene) == "wge"
    assert not witness.dark


def test_after_a_failed_climb_the_next_one_reaches_parked(scene: World) -> None:
    scene.controllers.broken.add(WGE_NAME)
    climb(scene)
    scene.controllers.broken.clear()
    outcome = climb(scene)
    assert outcome is not None
    assert (outcome.verdict, outcome.error) == ("upgraded", None)
    assert endpoints(scene, WG_NAME)
