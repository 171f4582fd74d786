# SPDX-License-Identifier: GPL-3.0-or-later
"""The way back from every rung."""

from __future__ import annotations

from pathlib import Path

import pytest

from ansible_collections.weaveworks.wge.plugins.module_utils._engine import ladder
from ansible_collections.weaveworks.wge.plugins.module_utils._engine.journal import journal_from
from ansible_collections.weaveworks.wge.plugins.module_utils._engine.model import Rung
from ansible_collections.weaveworks.wge.plugins.module_utils._engine.reverse import moved_by_us
from ansible_collections.weaveworks.wge.plugins.module_utils._errors import SafeStop
from ansible_collections.weaveworks.wge.tests.unit.plugins.module_utils._engine.standin_faults import (
    KEPT,
    Fault,
    Witness,
    climb,
    content,
    leads_to,
    lived_in,
    roll_back,
    start,
)
from ansible_collections.weaveworks.wge.tests.unit.plugins.module_utils._engine.standin_products import WG_NAME
from ansible_collections.weaveworks.wge.tests.unit.plugins.module_utils._engine.standin_world import World

RUNGS = ["prepared", "rehearsed", "flipped", "soaked", "parked"]


@pytest.fixture
def scene(tmp_path: Path) -> World:
    return lived_in(tmp_path)


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


def test_check_mode_of_a_way_back_writes_nothing(scene: World) -> None:
    climb(scene)
    fault = start(scene)
    scene.set(state="rolled_back")
    outcome = ladder.roll_back(scene.tools, scene.settings, check_mode=True)
    assert (outcome.verdict, outcome.changed, fault.sent) == ("planned", True, [])


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


def test_an_object_that_somebody_removed_is_passed_over(scene: World) -> None:
    climb(scene)
    scene.cluster.remove("Ingress", WG_NAME)
    scene.cluster.remove("NetworkPolicy", "wge-twin-allow-dashboard-egress")
    outcome = roll_back(scene)
    assert outcome is not None
    assert outcome.verdict == "rolled_back"


def test_what_somebody_changed_since_stops_the_way_back_with_traffic_on_wg(scene: World) -> None:
    climb(scene)
    scene.cluster.one("Secret", "cluster-user-auth")["metadata"]["annotations"]["helm.sh/resource-policy"] = "theirs"
    outcome = roll_back(scene)
    assert outcome is not None
    assert isinstance(outcome.error, SafeStop)
    assert "Somebody else changed" in str(outcome.error)
    assert leads_to(scene) == "wg"


def test_an_annotation_somebody_added_beside_ours_stays(scene: World) -> None:
    climb(scene)
    scene.cluster.one("Service", "by-hand")["metadata"]["annotations"]["team"] = "blue"
    roll_back(scene)
    assert scene.cluster.one("Service", "by-hand")["metadata"]["annotations"] == {"team": "blue"}


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
