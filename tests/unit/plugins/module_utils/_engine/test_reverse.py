# SPDX-License-Identifier: GPL-3.0-or-later
"""The way back from every rung."""

from __future__ import annotations

from pathlib import Path

import pytest

from ansible_collections.weaveworks.wge.plugins.module_utils._engine import ladder
from ansible_collections.weaveworks.wge.plugins.module_utils._engine.journal import journal_from
from ansible_collections.weaveworks.wge.plugins.module_utils._engine.model import Rung
from ansible_collections.weaveworks.wge.plugins.module_utils._engine.reverse import moved_by_us
from ansible_collections.weaveworks.wge.tests.unit.plugins.module_utils._engine.standin_faults import Fault
from ansible_collections.weaveworks.wge.tests.unit.plugins.module_utils._engine.standin_products import WG_NAME
from ansible_collections.weaveworks.wge.tests.unit.plugins.module_utils._engine.standin_runs import (
    KEPT,
    RUNGS,
    climb,
    lived_in,
    roll_back,
    start,
)
from ansible_collections.weaveworks.wge.tests.unit.plugins.module_utils._engine.standin_witness import Witness, content, leads_to
from ansible_collections.weaveworks.wge.tests.unit.plugins.module_utils._engine.standin_world import World


@pytest.mark.parametrize("rung", RUNGS)
def test_from_every_rung_the_cluster_becomes_what_it_was(scene: World, rung: str) -> None:
    before, witness = content(scene), Witness(scene)
    climb(scene, goal=rung)
    outcome = roll_back(scene)
    assert outcome is not None
    assert (outcome.verdict, outcome.rung, outcome.changed, outcome.error) == ("rolled_back", Rung.ROLLED_BACK, True, None)
    assert content(scene) == before
    assert [leads_to(scene, name) for name in KEPT] == ["wg"] * 3
    assert not witness.dark


def test_from_parked_wg_is_up_before_the_services_lead_to_it_and_they_do_before_wge_goes(scene: World) -> None:
    climb(scene)
    fault = Fault()
    roll_back(scene, fault)
    names = [path.rsplit("/", 1)[-1] for _, path in fault.sent]
    assert fault.sent[1][1].endswith(f"/deployments/{WG_NAME}")
    assert names[2:5] == [WG_NAME, "by-hand", "metrics"]
    assert names.index("weave-gitops-enterprise") > 4


def test_a_cluster_that_was_never_begun_is_rolled_back_already(scene: World) -> None:
    fault = Fault()
    outcome = roll_back(scene, fault)
    assert outcome is not None
    assert (outcome.verdict, outcome.changed, fault.sent) == ("rolled_back", False, [])


def test_rolling_back_twice_writes_nothing_the_second_time(scene: World) -> None:
    climb(scene)
    roll_back(scene)
    fault = Fault()
    outcome = roll_back(scene, fault)
    assert outcome is not None
    assert (outcome.verdict, outcome.changed, fault.sent) == ("rolled_back", False, [])


def planned(scene: World) -> ladder.Outcome:
    """A way back in check mode; it writes nothing."""
    fault = start(scene)
    scene.set(state="rolled_back")
    outcome = ladder.roll_back(scene.tools, scene.settings, check_mode=True)
    assert fault.sent == []
    return outcome


@pytest.mark.parametrize("rung", RUNGS)
def test_check_mode_shows_each_write_of_the_way_back_in_its_order_and_sends_none(scene: World, rung: str) -> None:
    climb(scene, goal=rung)
    outcome = planned(scene)
    assert (outcome.verdict, outcome.changed) == ("planned", True)
    shown = [write.path.rsplit("/", 1)[1] for entry in outcome.plan.planned for write in entry.writes]
    fault = Fault()
    roll_back(scene, fault)
    sent = [path.rsplit("/", 1)[1] if verb != "uninstall" else f"sh.helm.release.v1.{path}.v1" for verb, path in fault.sent]
    assert [name for name in sent if name != "wge-upgrade"] == shown


def test_the_plan_of_a_way_back_has_a_hash_that_changes_with_what_would_be_sent(scene: World) -> None:
    climb(scene)
    first = planned(scene).plan.hash
    assert planned(scene).plan.hash == first
    scene.cluster.one("Deployment", WG_NAME)["spec"]["replicas"] = 1
    assert planned(scene).plan.hash != first


def test_the_plan_of_a_way_back_holds_no_secret_byte(scene: World) -> None:
    climb(scene)
    text = str(planned(scene).plan.shown())
    data = [value for item in scene.cluster.all("Secret") for value in (item.get("data") or {}).values()]
    assert not [value for value in data if value in text]


@pytest.mark.parametrize("rung", RUNGS)
def test_it_is_said_how_long_it_took_until_wg_served_again(scene: World, rung: str) -> None:
    climb(scene, goal=rung)
    outcome = roll_back(scene)
    assert outcome is not None
    assert ("traffic_on_wg" in outcome.seconds) == (rung in ("flipped", "soaked", "parked"))
    assert outcome.seconds["rolled_back"] >= outcome.seconds.get("traffic_on_wg", 0) >= 0


def test_wges_last_connections_get_their_time_after_traffic_is_back(scene: World) -> None:
    climb(scene)
    scene.set(quiet_seconds=40)
    outcome = roll_back(scene)
    assert outcome is not None
    assert outcome.seconds["traffic_on_wg"] < 10
    assert outcome.seconds["rolled_back"] >= 40


# What is left


@pytest.mark.parametrize("rung", RUNGS)
def test_nothing_of_ours_is_left_but_the_journal(scene: World, rung: str) -> None:
    climb(scene, goal=rung)
    roll_back(scene)
    ours = ("wge.weave.works", "wge-", "weave-gitops-enterprise")
    left = [
        path
        for path, item in scene.cluster.objects.items()
        if any(word in str({**item["metadata"], "managedFields": None}) for word in ours) and item["kind"] not in ("Pod", "EndpointSlice")
    ]
    assert [path.rsplit("/", 1)[1][:12] for path in left] == ["wge-journal-"]


def test_a_lock_that_a_killed_run_left_is_taken_away_too(scene: World) -> None:
    before = content(scene)
    climb(scene, Fault(0, "kill after"))
    assert content(scene) != before
    outcome = roll_back(scene)
    assert outcome is not None
    assert (outcome.verdict, outcome.changed) == ("rolled_back", True)
    assert content(scene) == before
    fault = Fault()
    roll_back(scene, fault)
    assert fault.sent == []


def test_only_the_journal_stays_and_says_what_happened(scene: World) -> None:
    climb(scene)
    roll_back(scene)
    (secret,) = [item for item in scene.cluster.all("Secret") if "wge.weave.works/journal" in item["metadata"]["labels"]]
    journal = journal_from(secret)
    assert journal.state == "rolled-back"
    assert "finished" in journal.notes
    ours = [item for item in scene.cluster.objects.values() if "wge.weave.works/run" in (item["metadata"].get("labels") or {})]
    assert ours == [secret]


def test_there_and_back_and_there_again_ends_parked(scene: World, tmp_path: Path) -> None:
    climb(scene)
    roll_back(scene)
    outcome = climb(scene)
    assert outcome is not None
    assert (outcome.verdict, outcome.rung) == ("upgraded", Rung.PARKED)
    other = lived_in(tmp_path / "other")
    climb(other)
    assert content(scene, runs=False) == content(other, runs=False)


def test_without_a_chart_the_way_back_is_open_from_every_rung(scene: World) -> None:
    before = content(scene)
    climb(scene)
    scene.set(chart="")
    outcome = roll_back(scene)
    assert outcome is not None
    assert outcome.verdict == "rolled_back"
    assert content(scene) == before


@pytest.mark.parametrize(
    ("manager", "fields", "moved"),
    [
        ("weaveworks-wge", {"f:spec": {"f:selector": {}}}, True),
        ("weaveworks-wge", {"f:metadata": {"f:annotations": {}}}, False),
        ("helm", {"f:spec": {"f:selector": {}}}, False),
    ],
)
def test_a_service_remembers_that_we_moved_it(manager: str, fields: dict[str, dict[str, dict[str, str]]], moved: bool) -> None:
    """So a run that follows a killed way back still gives WGE's last connections their time."""
    service = {"metadata": {"managedFields": [{"manager": manager, "fieldsV1": fields}]}}
    assert moved_by_us(service) is moved
