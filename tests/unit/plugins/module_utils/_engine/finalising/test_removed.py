# SPDX-License-Identifier: GPL-3.0-or-later
"""After the retention time the parked WG is removed; what every other question finds then."""

from __future__ import annotations

import pytest

from ansible_collections.weaveworks.wge.plugins.module_utils._engine.journal import journal_from
from ansible_collections.weaveworks.wge.plugins.module_utils._engine.model import Rung
from ansible_collections.weaveworks.wge.plugins.module_utils._engine.plan import rung_of
from ansible_collections.weaveworks.wge.tests.unit.plugins.module_utils._engine.finalising.parked import (
    STAYS,
    WRITES,
    journal_secret,
    refused,
)
from ansible_collections.weaveworks.wge.tests.unit.plugins.module_utils._engine.standin_faults import Fault
from ansible_collections.weaveworks.wge.tests.unit.plugins.module_utils._engine.standin_products import NAMESPACE, WG_NAME
from ansible_collections.weaveworks.wge.tests.unit.plugins.module_utils._engine.standin_runs import KEPT, LOCK, climb, finalise, later
from ansible_collections.weaveworks.wge.tests.unit.plugins.module_utils._engine.standin_witness import Witness, leads_to
from ansible_collections.weaveworks.wge.tests.unit.plugins.module_utils._engine.standin_world import World

GONE = (
    ("Deployment", WG_NAME),
    ("ServiceAccount", WG_NAME),
    ("NetworkPolicy", "allow-dashboard-ingress"),
    ("NetworkPolicy", "allow-dashboard-egress"),
    ("Secret", "sh.helm.release.v1.ww-gitops.v6"),
    ("Secret", "sh.helm.release.v1.ww-gitops.v7"),
)


def names(world: World) -> set[tuple[str, str]]:
    return {(item["kind"], item["metadata"]["name"]) for item in world.cluster.objects.values()}


def test_wg_goes_and_what_outlives_it_stays(scene: World) -> None:
    witness = Witness(scene)
    outcome = finalise(scene)
    assert outcome is not None
    assert (outcome.verdict, outcome.rung_before, outcome.rung, outcome.error) == ("finalised", Rung.PARKED, Rung.FINALISED, None)
    assert outcome.changed
    assert not set(GONE) & names(scene)
    assert set(STAYS) <= names(scene)
    assert [leads_to(scene, name) for name in KEPT] == ["wge"] * 3
    assert not witness.dark
    assert (outcome.traffic["lost"], outcome.traffic["requests"] > 0) == (0, True)


def test_the_kept_services_are_still_themselves(scene: World) -> None:
    outcome = finalise(scene)
    assert outcome is not None
    assert sorted(entry["service"] for entry in outcome.identity) == sorted(KEPT)
    assert all(entry["same"] for entry in outcome.identity)


def test_the_lock_is_given_back_and_the_journal_says_finalised_with_the_time(scene: World) -> None:
    finalise(scene)
    assert LOCK not in scene.cluster.objects
    journal = journal_from(journal_secret(scene))
    assert journal.state == "finalised"
    assert journal.notes["finalised"].startswith("2026-12-01T12:00")


def test_the_journal_names_each_delete_with_its_uid_before_the_first_is_sent(scene: World) -> None:
    fault = Fault()
    uid = scene.cluster.one("Deployment", WG_NAME)["metadata"]["uid"]
    finalise(scene, fault)
    verbs = [(verb, path.rsplit("/", 1)[1]) for verb, path in fault.sent]
    assert len(verbs) == WRITES
    assert verbs[:3] == [("create", "wge-upgrade"), ("patch", journal_secret(scene)["metadata"]["name"]), ("delete", WG_NAME)]
    entries = journal_from(journal_secret(scene)).entries["S16"]
    assert entries[0] == {**entries[0], "verb": "delete", "uid": uid}


def test_policies_go_after_everything_else_of_wg_and_its_newest_revision_last(scene: World) -> None:
    fault = Fault()
    finalise(scene, fault)
    deleted = [path.rsplit("/", 1)[1] for verb, path in fault.sent if verb == "delete"]
    policies, revisions = ["allow-dashboard-egress", "allow-dashboard-ingress"], [f"sh.helm.release.v1.ww-gitops.v{n}" for n in (6, 7)]
    assert deleted == [WG_NAME, WG_NAME, *policies, *revisions, "wge-upgrade"]


def test_the_tombstone_stays_so_that_no_stale_command_installs_wg_anew(scene: World) -> None:
    finalise(scene)
    assert scene.cluster.one("Secret", "sh.helm.release.v1.ww-gitops.v1")["metadata"]["labels"]["owner"] == "wge-tombstone"


def test_a_first_revision_that_is_still_there_becomes_the_tombstone(world: World) -> None:
    climb(world)
    later(world, days=8)
    outcome = finalise(world)
    assert outcome is not None
    assert outcome.verdict == "finalised", outcome.error
    stone = world.cluster.one("Secret", "sh.helm.release.v1.ww-gitops.v1")
    assert stone["metadata"]["labels"]["owner"] == "wge-tombstone"
    assert not stone.get("data")


def test_a_mark_that_protects_nothing_is_handed_back_and_one_that_keeps_helm_off_stays(scene: World) -> None:
    finalise(scene)
    assert "annotations" not in scene.cluster.one("Service", "by-hand")["metadata"]
    assert scene.cluster.one("Service", WG_NAME)["metadata"]["annotations"]["meta.helm.sh/release-name"] == "wge-edge"


def test_what_somebody_changed_since_it_was_parked_is_brought_in_order_first(scene: World) -> None:
    scene.cluster.one("Service", "by-hand")["metadata"]["annotations"]["wge.weave.works/kept"] = "theirs"
    refused(scene, "something has changed since: still to be done is to protect Service by-hand")
    climb(scene)
    later(scene, days=16)
    outcome = finalise(scene)
    assert outcome is not None
    assert outcome.verdict == "finalised", outcome.error


def test_a_second_run_writes_nothing(scene: World) -> None:
    finalise(scene)
    fault = Fault()
    outcome = finalise(scene, fault)
    assert outcome is not None
    assert (outcome.verdict, outcome.rung, outcome.changed, fault.sent) == ("already", Rung.FINALISED, False, [])
    assert outcome.owners


def test_the_rung_is_finalised_and_an_upgrade_finds_it_upgraded_already(scene: World) -> None:
    finalise(scene)
    assert rung_of(scene.look()) is Rung.FINALISED
    fault = Fault()
    outcome = climb(scene, fault)
    assert outcome is not None
    assert (outcome.verdict, outcome.rung, fault.sent) == ("already", Rung.FINALISED, [])
    assert sorted(entry["service"] for entry in outcome.identity) == sorted(KEPT)


@pytest.mark.parametrize("settings", [{"namespace": NAMESPACE}, {"chart": ""}, {"namespace": NAMESPACE, "release": "ww-gitops"}])
def test_it_is_found_by_name_and_without_a_chart_too(scene: World, settings: dict[str, str]) -> None:
    finalise(scene)
    scene.set(**settings)
    assert rung_of(scene.look()) is Rung.FINALISED


def test_a_preflight_of_a_finalised_cluster_blocks_nothing(scene: World) -> None:
    finalise(scene)
    assert {name: f.evidence for name, f in scene.findings().items() if f.blocks} == {}


def test_check_mode_shows_each_delete_and_writes_nothing(scene: World) -> None:
    fault = Fault()
    outcome = finalise(scene, fault, check_mode=True)
    assert outcome is not None
    assert (outcome.verdict, outcome.changed, fault.sent) == ("planned", True, [])
    texts = [write["text"] for entry in outcome.plan.shown() for write in entry["writes"]]
    assert f"delete Deployment {NAMESPACE}/{WG_NAME}" in texts
    assert outcome.plan.hash == finalise(scene, check_mode=True).plan.hash  # type: ignore[union-attr]
