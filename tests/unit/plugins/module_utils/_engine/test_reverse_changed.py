# SPDX-License-Identifier: GPL-3.0-or-later
"""The way back from a cluster that somebody changed meanwhile."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import pytest

from ansible_collections.weaveworks.wge.plugins.module_utils._engine import ladder
from ansible_collections.weaveworks.wge.plugins.module_utils._engine.model import Object, Operation
from ansible_collections.weaveworks.wge.plugins.module_utils._engine.names import LEASE
from ansible_collections.weaveworks.wge.plugins.module_utils._errors import SafeStop
from ansible_collections.weaveworks.wge.tests.unit.plugins.module_utils._engine.standin import copied
from ansible_collections.weaveworks.wge.tests.unit.plugins.module_utils._engine.standin_meddlers import as_union, change
from ansible_collections.weaveworks.wge.tests.unit.plugins.module_utils._engine.standin_products import NAMESPACE, WG_LABELS, WG_NAME, thing
from ansible_collections.weaveworks.wge.tests.unit.plugins.module_utils._engine.standin_runs import KEPT, climb, roll_back, start
from ansible_collections.weaveworks.wge.tests.unit.plugins.module_utils._engine.standin_witness import content, leads_to
from ansible_collections.weaveworks.wge.tests.unit.plugins.module_utils._engine.standin_world import World


@pytest.mark.parametrize("journal", ["begun", "grown"])
def test_what_another_run_did_until_its_lock_was_free_is_not_judged_by_the_look_before(scene: World, journal: str) -> None:
    """We looked while it was at work; without the second look a cluster on WGE would be called rolled back, or lose its endpoints."""
    if journal == "grown":
        scene.climb("rehearsed")
    lease = thing("coordination.k8s.io/v1", "Lease", LEASE, NAMESPACE, spec={"holderIdentity": "another run", "leaseDurationSeconds": 60})
    scene.cluster.put(lease)
    fault = start(scene)

    def end(_seconds: float) -> None:
        if scene.cluster.all("Lease"):
            scene.clock.on_sleep.clear()
            scene.cluster.remove("Lease", LEASE)
            tools, scene.tools = scene.tools, replace(scene.tools, cluster=scene.cluster, helm=scene.helm)
            scene.climb()
            scene.tools = tools

    scene.clock.on_sleep.append(end)
    outcome = ladder.roll_back(scene.tools, scene.settings, check_mode=False)
    assert outcome.verdict == "safe_stop"
    assert "The cluster has changed since it was looked at; nothing was taken back." in str(outcome.error)
    assert {leads_to(scene, name) for name in KEPT} == {"wge"}
    assert [path for _verb, path in fault.sent if "/leases" not in path] == []


def test_a_helm_upgrade_in_the_middle_of_the_soak_is_named_and_taken_back(scene: World) -> None:
    before = content(scene)
    scene.set(soak_seconds=60)

    def upgrade(_seconds: float) -> None:
        if leads_to(scene) == "wge" and scene.clock.now > 20:
            scene.cluster.one("Secret", "sh.helm.release.v1.ww-gitops.v7")["metadata"]["labels"]["owner"] = "helm"

    scene.clock.on_sleep.append(upgrade)
    outcome = climb(scene)
    assert outcome is not None
    assert outcome.verdict == "rolled_back"
    assert "The release of WG is not frozen any more: helm has made sh.helm.release.v1.ww-gitops.v7 visible again" in str(outcome.error)
    assert content(scene) == before


def test_without_a_guard_an_apply_of_the_old_manifest_in_the_middle_of_the_soak_is_taken_back(scene: World) -> None:
    before = content(scene)
    scene.set(soak_seconds=60, guard="off")
    applied: list[float] = []

    def apply(_seconds: float) -> None:
        if leads_to(scene) == "wge" and scene.clock.now > 20 and not applied:
            applied.append(scene.clock.now)
            scene.cluster.one("Service", WG_NAME)["spec"]["selector"].update(WG_LABELS)
            scene.controllers.settle()

    scene.clock.on_sleep.append(apply)
    outcome = climb(scene)
    assert outcome is not None
    assert outcome.verdict == "rolled_back", outcome.error
    assert content(scene) == before


def test_a_union_that_helm_makes_between_our_look_and_our_patch_is_taken_back_too(scene: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """Else the way back stops there, with Services that select nothing."""
    before = copied(scene.cluster.one("Service", WG_NAME))["spec"]
    climb(scene)
    send, made = scene.cluster.patch, []

    def patch(path: str, operations: Sequence[Operation]) -> Object:
        if not made and any(operation["path"] == "/spec/selector" for operation in operations):
            made.append(path)
            change(scene, as_union)
        return send(path, operations)

    monkeypatch.setattr(scene.cluster, "patch", patch)
    outcome = roll_back(scene)
    assert made
    assert outcome is not None
    assert outcome.verdict == "rolled_back", outcome.error
    assert scene.cluster.one("Service", WG_NAME)["spec"] == before


def test_what_somebody_has_put_back_already_does_not_hinder_the_way_back(scene: World) -> None:
    """Somebody has made the release visible and upgraded it: helm took the ownership marks and the Services' ports back."""
    before = content(scene)
    climb(scene)
    for kind, name in (("Service", WG_NAME), ("Secret", "cluster-user-auth")):
        meta = scene.cluster.one(kind, name)["metadata"]
        meta["annotations"]["meta.helm.sh/release-name"] = "ww-gitops"
        meta["labels"]["app.kubernetes.io/managed-by"] = "Helm"
    scene.cluster.one("Service", WG_NAME)["spec"]["selector"] = dict(WG_LABELS)
    outcome = roll_back(scene)
    assert outcome is not None
    assert outcome.verdict == "rolled_back", outcome.error
    assert content(scene) == before


def test_a_revision_that_helm_has_superseded_meanwhile_is_made_visible_again(scene: World) -> None:
    climb(scene)
    labels = scene.cluster.one("Secret", "sh.helm.release.v1.ww-gitops.v7")["metadata"]["labels"]
    assert (labels["owner"], labels["status"]) == ("wge-parked", "deployed")
    labels["status"] = "superseded"
    outcome = roll_back(scene)
    assert outcome is not None
    assert outcome.verdict == "rolled_back", outcome.error
    labels = scene.cluster.one("Secret", "sh.helm.release.v1.ww-gitops.v7")["metadata"]["labels"]
    assert (labels["owner"], labels["status"]) == ("helm", "superseded")


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
