# SPDX-License-Identifier: GPL-3.0-or-later
"""When WG is not removed: too early, not parked, not served by WGE, or without a journal that tells."""

from __future__ import annotations

from pathlib import Path

import pytest

from ansible_collections.weaveworks.wge.plugins.module_utils._engine.journal import journal_from
from ansible_collections.weaveworks.wge.plugins.module_utils._engine.model import Rung
from ansible_collections.weaveworks.wge.plugins.module_utils._engine.plan import rung_of
from ansible_collections.weaveworks.wge.plugins.module_utils._errors import SafeStop
from ansible_collections.weaveworks.wge.tests.unit.plugins.module_utils._engine.finalising.parked import journal_secret, refused
from ansible_collections.weaveworks.wge.tests.unit.plugins.module_utils._engine.standin_faults import Fault, crash
from ansible_collections.weaveworks.wge.tests.unit.plugins.module_utils._engine.standin_products import WG_NAME, WGE_NAME
from ansible_collections.weaveworks.wge.tests.unit.plugins.module_utils._engine.standin_runs import (
    climb,
    finalise,
    later,
    lived_in,
    roll_back,
)
from ansible_collections.weaveworks.wge.tests.unit.plugins.module_utils._engine.standin_witness import content
from ansible_collections.weaveworks.wge.tests.unit.plugins.module_utils._engine.standin_world import World


def test_before_the_retention_time_one_sentence_says_when_it_may(scene: World) -> None:
    later(scene, days=6.5)
    error = refused(scene, "WG was parked on 2026-11-23.* it may be removed from 2026-11-30")
    assert "wge_retention_days" in error.next_step


def test_the_retention_time_may_be_nothing(scene: World) -> None:
    later(scene, days=0.01)
    scene.set(retention_days=0)
    outcome = finalise(scene)
    assert outcome is not None
    assert outcome.verdict == "finalised"


def test_a_removal_that_has_begun_goes_on_whatever_the_retention_time_says_then(scene: World) -> None:
    finalise(scene, Fault(4, "kill after"))
    scene.set(retention_days=1000)
    outcome = finalise(scene)
    assert outcome is not None
    assert outcome.verdict == "finalised", outcome.error


@pytest.mark.parametrize("goal", ["prepared", "rehearsed", "flipped", "soaked"])
def test_only_a_parked_cluster_can_be_finalised(tmp_path: Path, goal: str) -> None:
    made = lived_in(tmp_path)
    climb(made, goal=goal)
    later(made, days=8)
    refused(made, f"The cluster is {goal}; only one that is parked can be finalised")


def test_a_cluster_that_was_never_begun_cannot_be_finalised(tmp_path: Path) -> None:
    refused(lived_in(tmp_path), "The cluster is installed; only one that is parked")


def test_a_wge_that_does_not_serve_keeps_wg(scene: World) -> None:
    scene.controllers.deaf.add(WGE_NAME)
    refused(scene, "WG is not removed")


def test_a_wge_that_is_gone_keeps_wg(scene: World) -> None:
    crash(scene, WGE_NAME)
    refused(scene, "WG is not removed")


def test_without_a_stored_entitlement_wg_is_kept(scene: World) -> None:
    scene.cluster.remove("Secret", "weave-gitops-enterprise-credentials")
    scene.set(entitlement="")
    refused(scene, "The Secret weave-gitops-enterprise-credentials in namespace flux-system is gone")


def test_somebody_who_ran_helm_on_the_release_since_is_named(scene: World) -> None:
    scene.cluster.one("Secret", "sh.helm.release.v1.ww-gitops.v7")["metadata"]["labels"]["owner"] = "helm"
    refused(scene, r"Somebody ran helm on WG's release after it was parked: sh.helm.release.v1.ww-gitops.v7 is visible to helm")


def test_without_the_rights_nothing_is_begun(scene: World) -> None:
    scene.cluster.rules = [{"verbs": ["get", "list"], "apiGroups": ["*"], "resources": ["*"]}]
    refused(scene, "rights to finalise are missing: delete deployments.apps")


def test_a_service_that_leads_elsewhere_is_a_safe_stop_once_wg_is_gone(scene: World) -> None:
    finalise(scene)
    scene.cluster.one("Service", WG_NAME)["spec"]["selector"] = {"app": "theirs"}
    for run in (finalise, climb):
        with pytest.raises(SafeStop, match=f"not every kept Service leads to WGE: {WG_NAME}"):
            run(scene)


def test_a_dashboard_that_fails_is_not_made_worse(scene: World) -> None:
    before = content(scene)
    scene.set(entry_urls=("https://wg.example.com",), baseline_seconds=2)
    scene.clock.on_sleep.append(lambda _seconds: scene.probes.faults.add("https://wg.example.com"))
    outcome = finalise(scene)
    assert outcome is not None
    assert isinstance(outcome.error, SafeStop)
    assert "The dashboard fails before WG's objects go" in str(outcome.error)
    assert content(scene) == before


def test_a_journal_that_is_gone_is_said_to_be(scene: World) -> None:
    scene.cluster.remove("Secret", journal_secret(scene)["metadata"]["name"])
    for run in (finalise, roll_back):
        fault = Fault()
        with pytest.raises(SafeStop, match="The journal of the upgrade is gone, while its marks are there: ") as raised:
            run(scene, fault)
        assert "wge_state_restore" in raised.value.next_step
        assert fault.sent == []


def test_a_journal_without_the_time_of_parking_is_said_to_be_changed(scene: World) -> None:
    journal = journal_from(journal_secret(scene))
    del journal.notes["parked"]
    scene.cluster.put({**journal.secret(), "metadata": {**journal_secret(scene)["metadata"]}})
    with pytest.raises(SafeStop, match="does not say when WG was parked"):
        finalise(scene)


def test_a_wg_that_somebody_removed_from_a_parked_cluster_is_named(scene: World) -> None:
    scene.cluster.remove("Deployment", WG_NAME)
    with pytest.raises(SafeStop, match="The Deployment of ww-gitops in namespace flux-system is gone, and no run"):
        finalise(scene)


def test_a_wg_installed_anew_after_the_end_is_upgraded_like_any_other(scene: World, tmp_path: Path) -> None:
    finalise(scene)
    other = lived_in(tmp_path / "other")
    for path, item in other.cluster.objects.items():
        scene.cluster.objects[path] = item
    scene.controllers.settle()
    assert rung_of(scene.look()) is Rung.INSTALLED
