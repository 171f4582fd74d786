# SPDX-License-Identifier: GPL-3.0-or-later
"""S11 and S6: what is kept is protected, then the release is parked."""

from __future__ import annotations

from typing import Any

import pytest

from ansible_collections.weaveworks.wge.plugins.module_utils._engine.objects import name_of
from ansible_collections.weaveworks.wge.plugins.module_utils._engine.patches import guards_hold
from ansible_collections.weaveworks.wge.plugins.module_utils._engine.steps.owners import Freeze, Protect, backends_of, kept_objects
from ansible_collections.weaveworks.wge.plugins.module_utils._engine.writes import Write
from ansible_collections.weaveworks.wge.tests.unit.plugins.module_utils._engine.standin import patched
from ansible_collections.weaveworks.wge.tests.unit.plugins.module_utils._engine.standin_faults import Fault
from ansible_collections.weaveworks.wge.tests.unit.plugins.module_utils._engine.standin_products import (
    NAMESPACE,
    RELEASE,
    WG_NAME,
    release_secret,
    thing,
    wg_objects,
)
from ansible_collections.weaveworks.wge.tests.unit.plugins.module_utils._engine.standin_runs import KEPT, climb, roll_back
from ansible_collections.weaveworks.wge.tests.unit.plugins.module_utils._engine.standin_witness import leads_to
from ansible_collections.weaveworks.wge.tests.unit.plugins.module_utils._engine.standin_world import World


def mark_of(scene: World, kind: str, name: str) -> Write:
    """The write that protects one object."""
    return next(write for write in Protect(edge=True).writes(scene.look()) if write.text == f"protect {kind} {name}")


def freeze(scene: World) -> list[tuple[str, str]]:
    return [(write.verb, write.path.rsplit("/", 1)[1]) for write in Freeze().writes(scene.look())]


def owners(scene: World) -> dict[str, str]:
    """Helm's owner label of each stored revision of WG."""
    found = [item for item in scene.cluster.all("Secret") if name_of(item).startswith(f"sh.helm.release.v1.{RELEASE}.")]
    return {name_of(item).rsplit(".", 1)[1]: item["metadata"]["labels"]["owner"] for item in found}


def test_services_routes_logins_and_peoples_rights_outlive_wg(scene: World) -> None:
    kept = [(item["kind"], name_of(item)) for item in kept_objects(scene.look())]
    assert kept[:3] == [("Service", "metrics"), ("Service", "by-hand"), ("Service", WG_NAME)]
    assert set(kept[3:]) == {
        ("Ingress", WG_NAME),
        ("Secret", "cluster-user-auth"),
        ("Role", "wego-admin-role"),
        ("RoleBinding", "admin-user-read-resources"),
        ("ClusterRole", "wego-admin-cluster-role"),
        ("ClusterRoleBinding", "admin-user-read-resources-cr"),
    }


def test_a_route_that_leads_elsewhere_is_not_ours(scene: World) -> None:
    backend = {"service": {"name": "podinfo", "port": {"number": 80}}}
    scene.cluster.put(thing("networking.k8s.io/v1", "Ingress", "other", NAMESPACE, spec={"defaultBackend": backend}))
    assert "other" not in [name_of(item) for item in kept_objects(scene.look())]


@pytest.mark.parametrize(
    ("spec", "services"),
    [
        ({"defaultBackend": {"service": {"name": "a"}}}, {"a"}),
        ({"rules": [{"http": {"paths": [{"backend": {"service": {"name": "b"}}}, {"backend": {"resource": {}}}]}}]}, {"b"}),
        ({"rules": [{"host": "x"}]}, set()),
        ({}, set()),
    ],
)
def test_the_services_of_a_route_are_read_from_all_its_places(spec: dict[str, Any], services: set[str]) -> None:
    assert backends_of({"spec": spec}) == services


def test_what_helm_made_is_marked_as_foreign_to_helm(scene: World) -> None:
    before = scene.cluster.one("Service", WG_NAME)
    after = patched(before, mark_of(scene, "Service", WG_NAME).operations)["metadata"]
    assert after["annotations"]["meta.helm.sh/release-name"] == "wge-edge"
    assert after["annotations"]["helm.sh/resource-policy"] == "keep"
    assert after["annotations"]["wge.weave.works/kept"] == "true"
    assert after["labels"]["app.kubernetes.io/managed-by"] == "wge"


def test_what_was_made_by_hand_gets_our_mark_only(scene: World) -> None:
    after = patched(scene.cluster.one("Service", "by-hand"), mark_of(scene, "Service", "by-hand").operations)
    assert after["metadata"]["annotations"] == {"wge.weave.works/kept": "true"}
    assert "labels" not in after["metadata"]


@pytest.mark.parametrize("name", KEPT)
def test_taking_the_marks_back_leaves_the_object_as_it_was(scene: World, name: str) -> None:
    before = scene.cluster.one("Service", name)
    write = mark_of(scene, "Service", name)
    assert patched(patched(before, write.operations), write.reverse) == before


def test_a_mark_is_guarded_by_the_uid_and_the_old_values(scene: World) -> None:
    write = mark_of(scene, "Service", WG_NAME)
    live = scene.cluster.one("Service", WG_NAME)
    assert guards_hold(write.operations, live)
    live["metadata"]["annotations"]["meta.helm.sh/release-name"] = "adopted"
    assert not guards_hold(write.operations, live)


def test_a_release_without_revision_1_gets_a_tombstone_before_it_is_parked(scene: World) -> None:
    assert freeze(scene)[0] == ("create", f"sh.helm.release.v1.{RELEASE}.v1")


def test_newest_revision_is_parked_first(scene: World) -> None:
    assert freeze(scene)[1:] == [("patch", f"sh.helm.release.v1.{RELEASE}.v7"), ("patch", f"sh.helm.release.v1.{RELEASE}.v6")]


def test_a_release_that_has_revision_1_needs_no_tombstone(world: World) -> None:
    assert freeze(world) == [("patch", f"sh.helm.release.v1.{RELEASE}.v1")]


def test_helm_sees_a_tombstone_as_a_revision_that_exists_and_holds_nothing(scene: World) -> None:
    climb(scene, goal="prepared")
    tombstone = scene.cluster.one("Secret", f"sh.helm.release.v1.{RELEASE}.v1")
    assert "data" not in tombstone
    assert tombstone["metadata"]["labels"]["owner"] != "helm"
    assert tombstone["metadata"]["labels"]["name"] == RELEASE


def test_a_prepared_release_is_hidden_from_helm(scene: World) -> None:
    climb(scene, goal="prepared")
    assert owners(scene) == {"v1": "wge-tombstone", "v6": "wge-parked", "v7": "wge-parked"}


def test_unparking_is_oldest_first_and_the_tombstone_goes_last(scene: World) -> None:
    climb(scene, goal="prepared")
    fault = Fault()
    roll_back(scene, fault)
    assert [path.rsplit(".", 1)[1] for _, path in fault.sent if f"v1.{RELEASE}" in path] == ["v6", "v7", "v1"]
    assert owners(scene) == {"v6": "helm", "v7": "helm"}


def test_parking_is_guarded_by_owner_and_status(scene: World) -> None:
    write = Freeze().writes(scene.look())[1]
    live = scene.cluster.one("Secret", f"sh.helm.release.v1.{RELEASE}.v7")
    assert guards_hold(write.operations, live)
    live["metadata"]["labels"]["status"] = "pending-upgrade"
    assert not guards_hold(write.operations, live)


@pytest.mark.parametrize("status", ["pending-upgrade", "pending-install", "pending-rollback"])
def test_while_helm_is_at_work_nothing_is_parked(scene: World, status: str) -> None:
    scene.cluster.put(release_secret(RELEASE, wg_objects(), revision=8, status=status))
    before = owners(scene)
    outcome = climb(scene)
    assert outcome is not None
    assert outcome.verdict == "rolled_back"
    assert f"Helm is at work on WG's release: sh.helm.release.v1.ww-gitops.v8 is {status}" in str(outcome.error)
    assert owners(scene) == before


def test_a_helm_at_work_does_not_hinder_the_way_back(scene: World) -> None:
    climb(scene)
    scene.cluster.put(release_secret(RELEASE, wg_objects(), revision=8, status="pending-upgrade"))
    outcome = roll_back(scene)
    assert outcome is not None
    assert outcome.verdict == "rolled_back"


def unpark_at(scene: World, when: str) -> None:
    """A helm that was running un-parks the newest revision as it ends (2o)."""

    def unpark(_seconds: float) -> None:
        if leads_to(scene) == when and owners(scene).get("v7") == "wge-parked":
            scene.cluster.one("Secret", f"sh.helm.release.v1.{RELEASE}.v7")["metadata"]["labels"]["owner"] = "helm"

    scene.clock.on_sleep.append(unpark)


def test_a_release_that_thaws_before_the_flip_is_not_flipped(scene: World) -> None:
    unpark_at(scene, "wg")
    outcome = climb(scene)
    assert outcome is not None
    assert outcome.verdict == "rolled_back"
    assert f"The release of WG is not frozen: helm has made sh.helm.release.v1.{RELEASE}.v7 visible again" in str(outcome.error)
    assert owners(scene) == {"v6": "helm", "v7": "helm"}


def test_a_release_that_thaws_during_the_soak_is_a_fault(scene: World) -> None:
    unpark_at(scene, "wge")
    outcome = climb(scene)
    assert outcome is not None
    assert "The release of WG is not frozen any more" in str(outcome.error)
    assert leads_to(scene) == "wg"
