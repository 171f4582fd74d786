# SPDX-License-Identifier: GPL-3.0-or-later
"""Form B after the retention time: WG goes without Flux being asked to uninstall it, and comes back out of an archive."""

from __future__ import annotations

from pathlib import Path

import pytest

from ansible_collections.weaveworks.wge.plugins.module_utils._engine.model import Object
from ansible_collections.weaveworks.wge.plugins.module_utils._errors import Blocked, SafeStop
from ansible_collections.weaveworks.wge.tests.unit.plugins.module_utils._engine.standin_faults import Fault
from ansible_collections.weaveworks.wge.tests.unit.plugins.module_utils._engine.standin_flux import (
    Flux,
    held,
    helm_release,
    lived_in,
    told,
)
from ansible_collections.weaveworks.wge.tests.unit.plugins.module_utils._engine.standin_products import NAMESPACE, RELEASE, WG_NAME, thing
from ansible_collections.weaveworks.wge.tests.unit.plugins.module_utils._engine.standin_runs import climb, finalise, later, roll_back, start
from ansible_collections.weaveworks.wge.tests.unit.plugins.module_utils._engine.standin_witness import Witness, leads_to
from ansible_collections.weaveworks.wge.tests.unit.plugins.module_utils._engine.standin_world import World

WRITES = 16
"""Writes of a removal from the lived-in cluster, with those of the lock."""

RETURN_WRITES = 28
"""Writes of its way back out of the archive, with those of the lock."""

LEASE = f"/apis/coordination.k8s.io/v1/namespaces/{NAMESPACE}/leases/wge-upgrade"
Scene = tuple[World, Flux]
Archived = tuple[World, Flux, dict[str, Object]]


@pytest.fixture
def archived(tmp_path: Path) -> Archived:
    """A cluster that was parked eight days ago, and what there was before."""
    world, flux = lived_in(tmp_path)
    world.cluster.put(thing("v1", "Namespace", NAMESPACE))
    before = told(world, runs=False)
    climb(world)
    later(world, days=8)
    return world, flux, before


@pytest.fixture(scope="module")
def finalised(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Object]:
    """What a removal that nobody disturbed leaves."""
    world, _flux = lived_in(tmp_path_factory.mktemp("undisturbed"))
    world.cluster.put(thing("v1", "Namespace", NAMESPACE))
    climb(world)
    later(world, days=8)
    finalise(world)
    return told(world, runs=False)


def kinds(world: World, *wanted: str) -> list[str]:
    return sorted(f"{item['kind']} {item['metadata']['name']}" for item in world.cluster.objects.values() if item["kind"] in wanted)


def test_wg_goes_and_flux_uninstalls_nothing(archived: Archived) -> None:
    world, flux, _before = archived
    witness, fault = Witness(world), Fault()
    outcome = finalise(world, fault)
    assert outcome is not None
    assert (outcome.verdict, outcome.error, len(fault.sent)) == ("finalised", None, WRITES)
    assert flux.uninstalled == []
    assert kinds(world, "HelmRelease", "HelmChart") == [
        f"HelmChart {NAMESPACE}-weave-gitops-enterprise",
        "HelmRelease weave-gitops-enterprise",
    ]
    assert kinds(world, "Deployment") == ["Deployment weave-gitops-enterprise-mccp-cluster-service"]
    assert held(world) == []
    stone = world.cluster.one("Secret", f"sh.helm.release.v1.{RELEASE}.v1")
    assert stone["metadata"]["labels"]["owner"] == "wge-tombstone"
    assert not witness.dark
    assert {entry["owner"] for entry in outcome.owners if entry["object"] == f"Service {NAMESPACE}/{WG_NAME}"} == {
        "you: neither a Helm release nor a HelmRelease holds it any more, whatever its labels say"
    }


def test_nothing_that_is_kept_goes_with_its_owner(archived: Archived) -> None:
    world, _flux, _before = archived
    finalise(world)
    for _ in range(3):
        archived[1].act()
    assert leads_to(world) == "wge"
    assert {f"Service {WG_NAME}", f"Ingress {WG_NAME}", "Secret cluster-user-auth"} <= set(kinds(world, "Service", "Ingress", "Secret"))


def test_a_helm_release_that_somebody_brings_back_takes_nothing_over(archived: Archived) -> None:
    world, flux, _before = archived
    finalise(world)
    witness = Witness(world)
    before = {path: item["metadata"]["resourceVersion"] for path, item in world.cluster.objects.items() if "/services/" in path}
    world.cluster.put(helm_release())
    for _ in range(5):
        flux.act()
    status = world.cluster.one("HelmRelease", RELEASE)["status"]
    assert status["conditions"][0]["message"] == "release: already exists"
    assert {path: world.cluster.objects[path]["metadata"]["resourceVersion"] for path in before} == before
    assert not witness.dark


@pytest.mark.parametrize(("at", "kind"), [(at, f"kill {when}") for at in range(WRITES) for when in ("before", "after")])
def test_a_removal_killed_at_any_write_is_brought_to_its_end(archived: Archived, finalised: dict[str, Object], at: int, kind: str) -> None:
    world, flux, _before = archived
    witness = Witness(world)
    assert finalise(world, Fault(at, kind)) is None
    flux.act()
    outcome = finalise(world)
    assert outcome is not None
    assert outcome.verdict in ("finalised", "already"), outcome.error
    left = told(world, runs=False)
    left.pop(LEASE, None)
    assert left == finalised
    assert (flux.uninstalled, witness.dark) == ([], [])


def test_resumed_after_the_removal_began_the_helm_release_is_not_deleted(archived: Archived) -> None:
    world, flux, _before = archived
    finalise(world, Fault(4, "kill after"))
    flux.absent = True
    item = world.cluster.one("HelmRelease", RELEASE)
    item["spec"]["suspend"] = False
    start(world)
    world.set(state="finalised")
    with pytest.raises(SafeStop, match=r"HelmRelease ww-gitops is not suspended by run \S+ any more; it was not removed"):
        finalise(world)
    assert world.cluster.one("HelmRelease", RELEASE)


def test_resumed_before_the_removal_nothing_is_removed(archived: Archived) -> None:
    world, flux, _before = archived
    flux.absent = True
    world.cluster.one("HelmRelease", RELEASE)["spec"]["suspend"] = False
    with pytest.raises(Blocked, match="something has changed since: still to be done is to suspend HelmRelease ww-gitops"):
        finalise(world)


def test_it_comes_back_out_of_the_archive_and_flux_takes_it_on(archived: Archived) -> None:
    world, flux, before = archived
    finalise(world)
    witness, fault = Witness(world), Fault()
    outcome = roll_back(world, fault)
    assert outcome is not None
    assert (outcome.verdict, outcome.error, len(fault.sent)) == ("rolled_back", None, RETURN_WRITES)
    for _ in range(4):
        flux.act()
    assert without_uids(told(world, runs=False)) == without_uids(before)
    assert not witness.dark


def test_an_archive_that_was_made_while_wg_was_parked_is_refused(archived: Archived) -> None:
    world, _flux, _before = archived
    noted = world.archives.make(world.look().snapshot, "later", lambda: None)
    finalise(world)
    world.set(archive=noted["path"])
    with pytest.raises(Blocked, match="was made while WG was parked"):
        roll_back(world)


@pytest.mark.parametrize("at", range(0, RETURN_WRITES, 2))
def test_a_return_killed_at_any_write_is_brought_to_its_end(archived: Archived, at: int) -> None:
    world, flux, before = archived
    finalise(world)
    witness = Witness(world)
    roll_back(world, Fault(at, "kill after"))
    flux.act()
    outcome = roll_back(world)
    assert outcome is not None
    assert (outcome.verdict, outcome.error) == ("rolled_back", None)
    for _ in range(4):
        flux.act()
    left = without_uids(told(world, runs=False))
    left.pop(LEASE, None)
    assert left == without_uids(before)
    assert not witness.dark


def without_uids(content: dict[str, Object]) -> dict[str, Object]:
    """Of what was made anew; a HelmChart Flux makes."""
    for item in content.values():
        item.get("metadata", {}).pop("uid", None)
    return content
