# SPDX-License-Identifier: GPL-3.0-or-later
"""What is read of a cluster, and that nothing is judged from half of it."""

from __future__ import annotations

from typing import Any

import pytest

from ansible_collections.weaveworks.wge.plugins.module_utils._engine import snapshot
from ansible_collections.weaveworks.wge.plugins.module_utils._errors import Blocked, SafeStop, Unreachable
from ansible_collections.weaveworks.wge.tests.unit.plugins.module_utils._engine.standin import UID
from ansible_collections.weaveworks.wge.tests.unit.plugins.module_utils._engine.standin_products import WG_LABELS, WG_NAME
from ansible_collections.weaveworks.wge.tests.unit.plugins.module_utils._engine.standin_runs import climb
from ansible_collections.weaveworks.wge.tests.unit.plugins.module_utils._engine.standin_world import World


def taken(scene: World) -> snapshot.Snapshot:
    return snapshot.take(scene.cluster, scene.settings)


def test_a_snapshot_says_which_cluster_it_is_of(scene: World) -> None:
    identity = taken(scene).identity
    assert (identity.uid, identity.version, identity.minor) == (UID, "v1.33.13", 33)
    assert {"v1", "apps/v1"} <= identity.served


@pytest.mark.parametrize(("version", "minor"), [("v1.30+", 30), ("v1.27.3-eks-abc", 27)])
def test_the_minor_version_is_read_from_what_vendors_write(scene: World, version: str, minor: int) -> None:
    scene.cluster.version = version
    assert snapshot.identify(scene.cluster).minor == minor


def test_another_cluster_than_the_one_named_is_refused(scene: World) -> None:
    scene.set(cluster_uid="another")
    with pytest.raises(Blocked, match=f"This is another cluster: its UID is {UID}, the inventory says another"):
        taken(scene)


def test_something_that_is_no_cluster_is_named(scene: World) -> None:
    scene.cluster.remove("Namespace", "kube-system")
    with pytest.raises(SafeStop, match="The API server has no namespace kube-system"):
        taken(scene)


def test_taking_one_costs_at_most_thirty_requests(scene: World) -> None:
    taken(scene)
    assert len(scene.cluster.requests) <= 30
    assert {verb for verb, _ in scene.cluster.requests} <= {"get", "list"}


def test_secrets_are_read_by_name_or_label_and_never_all(scene: World) -> None:
    asked: list[str] = []
    listing = scene.cluster.list

    def listen(path: str, *, labels: str = "", **more: Any) -> Any:
        if path.endswith("/secrets"):
            asked.append(labels)
        return listing(path, labels=labels, **more)

    scene.cluster.list = listen  # type: ignore[method-assign]
    taken(scene)
    assert asked
    assert all(asked)


def test_a_read_that_fails_ends_the_snapshot(scene: World) -> None:
    def fail(verb: str, path: str) -> None:
        if path.endswith("/endpointslices"):
            raise Unreachable("No answer.")

    scene.cluster.before = fail
    with pytest.raises(Unreachable):
        taken(scene)


def test_a_wg_that_goes_away_between_two_reads_is_named(scene: World) -> None:
    found = taken(scene)
    scene.cluster.remove("Deployment", WG_NAME)
    with pytest.raises(SafeStop, match="The Deployment of ww-gitops in namespace flux-system is gone"):
        snapshot.refresh(scene.cluster, scene.settings, found.identity, found.installed.found)


def test_a_wg_made_anew_between_two_reads_is_another(scene: World) -> None:
    found = taken(scene)
    scene.cluster.one("Deployment", WG_NAME)["metadata"]["uid"] = "another"
    with pytest.raises(SafeStop, match="is gone"):
        snapshot.refresh(scene.cluster, scene.settings, found.identity, found.installed.found)


def test_objects_are_found_by_kind_name_and_service(scene: World) -> None:
    found = taken(scene)
    assert found.one("Service", "by-hand")
    assert found.one("Service", "nowhere") is None
    assert len(found.slices_of("by-hand")) == 1
    assert len(snapshot.pods_of(found, WG_LABELS)) == 1
    assert found.of("Gadget") == []


def test_a_slice_sends_to_ready_pods_only_and_to_none_without_ports() -> None:
    def slice_(ports: list[Any], *ready: bool | None) -> dict[str, Any]:
        endpoints = [{"targetRef": {"name": f"p{n}"}, "conditions": {} if r is None else {"ready": r}} for n, r in enumerate(ready)]
        return {"ports": ports, "endpoints": endpoints}

    assert snapshot.ready_pods([slice_([{"port": 1}], True, False, None)]) == {"p0", "p2"}
    assert snapshot.ready_pods([slice_([], True)]) == set()
    assert snapshot.ready_pods([{"ports": None, "endpoints": None}]) == set()


def test_a_parked_release_and_its_journal_are_read_again(scene: World) -> None:
    climb(scene)
    found = taken(scene)
    assert [revision.owner for revision in found.installed.revisions] == ["wge-tombstone", "wge-parked", "wge-parked"]
    assert len(found.journals) == 1
