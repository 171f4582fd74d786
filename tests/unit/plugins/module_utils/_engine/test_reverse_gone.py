# SPDX-License-Identifier: GPL-3.0-or-later
"""The way back, and the climb, on a cluster from which somebody deleted what they need."""

from __future__ import annotations

import pytest

from ansible_collections.weaveworks.wge.plugins.module_utils._engine.model import Object
from ansible_collections.weaveworks.wge.plugins.module_utils._errors import SafeStop
from ansible_collections.weaveworks.wge.plugins.module_utils._front import answers
from ansible_collections.weaveworks.wge.tests.unit.plugins.module_utils._engine.standin_faults import Fault
from ansible_collections.weaveworks.wge.tests.unit.plugins.module_utils._engine.standin_products import WG_NAME, WGE_NAME
from ansible_collections.weaveworks.wge.tests.unit.plugins.module_utils._engine.standin_runs import LOCK, climb, roll_back
from ansible_collections.weaveworks.wge.tests.unit.plugins.module_utils._engine.standin_witness import leads_to
from ansible_collections.weaveworks.wge.tests.unit.plugins.module_utils._engine.standin_world import World


def test_what_helm_can_no_longer_uninstall_is_named_and_the_journal_stays_open(scene: World) -> None:
    climb(scene)
    scene.cluster.remove("Secret", "sh.helm.release.v1.weave-gitops-enterprise.v1")
    outcome = roll_back(scene)
    assert outcome is not None
    assert outcome.verdict == "safe_stop"
    assert f"WG serves, and this is left of the upgrade: Deployment {WGE_NAME}" in str(outcome.error)
    assert leads_to(scene) == "wg"
    for item in [i for i in scene.cluster.objects.values() if _of_wge(i)]:
        scene.cluster.remove(item["kind"], item["metadata"]["name"])
    assert roll_back(scene).verdict == "rolled_back"  # type: ignore[union-attr]


def _of_wge(item: Object) -> bool:
    return bool((item["metadata"].get("annotations") or {}).get("meta.helm.sh/release-name") == "weave-gitops-enterprise")


@pytest.mark.parametrize("rung", ["prepared", "flipped", "parked"])
def test_without_its_journal_a_cluster_is_not_called_rolled_back(scene: World, rung: str) -> None:
    climb(scene, goal=rung)
    name = next(n for n in (i["metadata"]["name"] for i in scene.cluster.all("Secret")) if n.startswith("wge-journal-"))
    scene.cluster.remove("Secret", name)
    fault = Fault()
    with pytest.raises(SafeStop, match="The journal of the upgrade is gone, while its marks are there: "):
        roll_back(scene, fault)
    assert fault.sent == []


@pytest.mark.parametrize("rung", ["prepared", "flipped"])
def test_without_its_journal_nobody_climbs_on(scene: World, rung: str) -> None:
    climb(scene, goal=rung)
    name = next(n for n in (i["metadata"]["name"] for i in scene.cluster.all("Secret")) if n.startswith("wge-journal-"))
    scene.cluster.remove("Secret", name)
    fault = Fault()
    with pytest.raises(SafeStop, match="The journal of the upgrade is gone"):
        climb(scene, fault)
    assert fault.sent == []


def test_a_journal_that_goes_while_it_is_taken_back_is_named(scene: World) -> None:
    climb(scene)
    taken = scene.cluster.after_write

    def lose() -> None:
        for item in [i for i in scene.cluster.all("Secret") if i["metadata"]["name"].startswith("wge-journal-")]:
            if leads_to(scene) == "wg":
                scene.cluster.remove("Secret", item["metadata"]["name"])

    taken.append(lose)
    outcome = roll_back(scene)
    assert outcome is not None
    assert outcome.verdict == "rolled_back"
    assert leads_to(scene) == "wg"


def test_a_lock_that_is_deleted_while_it_is_taken_back_is_a_safe_stop_with_a_sentence(scene: World) -> None:
    climb(scene)
    scene.set(quiet_seconds=60)

    def lose(_seconds: float) -> None:
        scene.cluster.objects.pop(LOCK, None)

    scene.clock.on_sleep.append(lose)
    outcome = roll_back(scene)
    assert outcome is not None
    assert outcome.verdict == "safe_stop"
    assert "The lock of this cluster is gone" in str(outcome.error)
    assert leads_to(scene) == "wg"


def test_a_journal_that_is_deleted_in_the_middle_of_the_soak_leaves_wg_running(scene: World) -> None:
    """Parking WG would be one thing more that nobody could take back."""
    scene.set(soak_seconds=60)

    def lose(_seconds: float) -> None:
        for item in [i for i in scene.cluster.all("Secret") if i["metadata"]["name"].startswith("wge-journal-")]:
            if leads_to(scene) == "wge":
                scene.cluster.remove("Secret", item["metadata"]["name"])

    scene.clock.on_sleep.append(lose)
    outcome = climb(scene)
    assert outcome is not None
    assert outcome.verdict == "safe_stop"
    assert "was deleted while it was at work; WG was not parked." in str(outcome.error)
    assert leads_to(scene) == "wge"
    assert scene.cluster.one("Deployment", WG_NAME)["spec"]["replicas"] > 0
    with pytest.raises(SafeStop, match="The journal of the upgrade is gone"):
        climb(scene)


def test_a_journal_that_is_gone_is_a_warning_while_wge_serves(scene: World) -> None:
    climb(scene)
    assert answers.warnings(scene.look()) == []
    scene.cluster.remove(
        "Secret", next(n for n in (i["metadata"]["name"] for i in scene.cluster.all("Secret")) if n.startswith("wge-journal-"))
    )
    outcome = climb(scene)
    assert outcome is not None
    assert outcome.verdict == "already"
    (said,) = answers.warnings(outcome.after)
    assert said.startswith("The journal of the upgrade is gone: WGE serves, and there is neither a way back nor an end")


def test_a_deleted_entitlement_does_not_hinder_the_way_back(scene: World) -> None:
    climb(scene)
    scene.cluster.remove("Secret", "weave-gitops-enterprise-credentials")
    outcome = roll_back(scene)
    assert outcome is not None
    assert outcome.verdict == "rolled_back"


def test_a_deleted_entitlement_is_a_warning_while_wge_still_serves(scene: World) -> None:
    climb(scene)
    scene.set(entitlement="")
    assert answers.warnings(scene.look()) == []
    scene.cluster.remove("Secret", "weave-gitops-enterprise-credentials")
    outcome = climb(scene)
    assert outcome is not None
    assert outcome.verdict == "already"
    (said,) = answers.warnings(outcome.after)
    assert said.startswith("The Secret weave-gitops-enterprise-credentials in namespace flux-system is gone: WGE serves until its next")


def test_helms_lost_record_of_wge_stops_the_next_climb_with_a_sentence(scene: World) -> None:
    """Going on would install WGE over itself, fail, and take the whole upgrade back."""
    climb(scene)
    scene.cluster.remove("Secret", "sh.helm.release.v1.weave-gitops-enterprise.v1")
    fault = Fault()
    with pytest.raises(SafeStop, match="the Secrets in which helm keeps the release weave-gitops-enterprise are gone"):
        climb(scene, fault)
    assert fault.sent == []
    assert leads_to(scene) == "wge"


def test_an_object_that_somebody_removed_is_passed_over(scene: World) -> None:
    climb(scene)
    scene.cluster.remove("Ingress", WG_NAME)
    scene.cluster.remove("NetworkPolicy", "wge-twin-allow-dashboard-egress")
    outcome = roll_back(scene)
    assert outcome is not None
    assert outcome.verdict == "rolled_back"
