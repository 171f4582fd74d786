# SPDX-License-Identifier: GPL-3.0-or-later
"""A climb that is killed, cut off, meddled with or told to stop at any one of its writes."""

from __future__ import annotations

from pathlib import Path

import pytest

from ansible_collections.weaveworks.wge.plugins.module_utils._engine.model import Rung
from ansible_collections.weaveworks.wge.plugins.module_utils._engine.objects import labels_of
from ansible_collections.weaveworks.wge.plugins.module_utils._engine.plan import rung_of
from ansible_collections.weaveworks.wge.plugins.module_utils._errors import Interrupted, SafeStop
from ansible_collections.weaveworks.wge.tests.unit.plugins.module_utils._engine.standin import path_of
from ansible_collections.weaveworks.wge.tests.unit.plugins.module_utils._engine.standin_faults import (
    FOREIGN,
    Fault,
    Witness,
    climb,
    content,
    leads_to,
    lived_in,
    roll_back,
    start,
)
from ansible_collections.weaveworks.wge.tests.unit.plugins.module_utils._engine.standin_products import NAMESPACE, WG_NAME, WGE_NAME
from ansible_collections.weaveworks.wge.tests.unit.plugins.module_utils._engine.standin_world import World

CLIMB = 28
"""Writes of a climb of the lived-in cluster, with those of the lock."""

BACK = 24
"""Writes of its way back from ``parked``."""

INSTALL = 16
"""The number of the write that runs ``helm install``."""

UNINSTALL = 7
"""The number of the write that runs ``helm uninstall`` on the way back."""

LEASE = f"/apis/coordination.k8s.io/v1/namespaces/{NAMESPACE}/leases/wge-upgrade"


@pytest.fixture
def scene(tmp_path: Path) -> World:
    return lived_in(tmp_path)


@pytest.fixture(scope="module")
def parked(tmp_path_factory: pytest.TempPathFactory) -> dict[str, object]:
    """What a climb that nobody disturbed leaves."""
    world = lived_in(tmp_path_factory.mktemp("undisturbed"))
    climb(world)
    return dict(content(world, runs=False))


def test_the_numbers_below_cover_every_write_there_and_back(scene: World) -> None:
    there, back = Fault(), Fault()
    climb(scene, there)
    roll_back(scene, back)
    assert (len(there.sent), len(back.sent)) == (CLIMB, BACK)
    assert (there.sent[INSTALL][0], back.sent[UNINSTALL][0]) == ("install", "uninstall")


# Killed


KILLS = [(at, f"kill {when}") for at in range(CLIMB) for when in ("before", "after")] + [(INSTALL, "kill within")]


@pytest.mark.parametrize(("at", "kind"), KILLS)
def test_a_climb_killed_at_any_write_is_brought_to_its_end_by_the_next_run(
    scene: World, parked: dict[str, object], at: int, kind: str
) -> None:
    witness = Witness(scene)
    assert climb(scene, Fault(at, kind)) is None
    outcome = climb(scene)
    assert outcome is not None
    assert outcome.verdict in ("upgraded", "already"), outcome.error
    assert rung_of(scene.look()) is Rung.PARKED
    assert not witness.dark
    left = content(scene, runs=False)
    left.pop(LEASE, None)  # killed after the journal was closed, before the lock was given back
    assert left == parked


@pytest.mark.parametrize("at", range(1, CLIMB, 5))
def test_a_climb_killed_twice_is_brought_to_its_end_by_the_run_after_that(scene: World, parked: dict[str, object], at: int) -> None:
    witness = Witness(scene)
    climb(scene, Fault(at, "kill after"))
    climb(scene, Fault(2, "kill before"))
    outcome = climb(scene)
    assert outcome is not None
    assert outcome.verdict in ("upgraded", "already"), outcome.error
    assert not witness.dark
    left = content(scene, runs=False)
    left.pop(LEASE, None)
    assert left == parked


@pytest.mark.parametrize(("at", "kind"), KILLS[::6] + KILLS[-1:])
def test_a_climb_killed_at_any_write_can_be_taken_back(scene: World, at: int, kind: str) -> None:
    before, witness = content(scene), Witness(scene)
    climb(scene, Fault(at, kind))
    outcome = roll_back(scene)
    assert outcome is not None
    assert (outcome.verdict, outcome.error) == ("rolled_back", None)
    assert not witness.dark
    left = content(scene)
    left.pop(LEASE, None)  # killed before the journal was there: nothing to take back, so no lock is taken
    assert left == before


BACK_KILLS = [(at, f"kill {when}") for at in range(BACK) for when in ("before", "after")] + [(UNINSTALL, "kill within")]


@pytest.mark.parametrize(("at", "kind"), BACK_KILLS)
def test_a_way_back_killed_at_any_write_is_brought_to_its_end_by_the_next(scene: World, at: int, kind: str) -> None:
    before, witness = content(scene), Witness(scene)
    climb(scene)
    assert roll_back(scene, Fault(at, kind)) is None
    outcome = roll_back(scene)
    assert outcome is not None
    assert (outcome.verdict, outcome.error) == ("rolled_back", None)
    assert not witness.dark
    left = content(scene)
    left.pop(LEASE, None)
    assert left == before


@pytest.mark.parametrize("at", range(1, BACK - 2, 4))
def test_after_a_killed_way_back_a_climb_reaches_parked_again(scene: World, parked: dict[str, object], at: int) -> None:
    climb(scene)
    witness = Witness(scene)
    roll_back(scene, Fault(at, "kill after"))
    outcome = climb(scene)
    assert outcome is not None
    assert outcome.verdict == "upgraded", outcome.error
    assert not witness.dark
    assert content(scene, runs=False) == parked


def test_a_climb_that_failed_and_was_killed_on_its_way_back_is_taken_back_by_the_next_run(scene: World) -> None:
    before = content(scene)
    scene.controllers.broken.add(WGE_NAME)
    climb(scene, Fault(INSTALL + 4, "kill after"))
    outcome = climb(scene)
    assert outcome is not None
    assert outcome.verdict == "rolled_back"
    assert content(scene) == before


# Answers that got lost


def lost(number: int) -> list[tuple[int, str]]:
    return [(at, f"lost {when}") for at in range(number) for when in ("before", "after")]


@pytest.mark.parametrize(("at", "kind"), [case for case in lost(CLIMB) if case[0] != INSTALL and case != (0, "lost before")])
def test_a_lost_answer_is_looked_up_and_the_climb_goes_on(scene: World, parked: dict[str, object], at: int, kind: str) -> None:
    witness = Witness(scene)
    outcome = climb(scene, Fault(at, kind))
    assert outcome is not None
    assert (outcome.verdict, outcome.error) == ("upgraded", None)
    assert not witness.dark
    left = content(scene, runs=False)
    left.pop(LEASE, None)  # giving it back is not tried twice
    assert left == parked


def test_a_lock_that_may_not_have_been_taken_is_a_safe_stop(scene: World) -> None:
    before = content(scene)
    fault = Fault(0, "lost before")
    outcome = climb(scene, fault)
    assert outcome is not None
    assert outcome.verdict == "safe_stop"
    assert "The lock of this cluster could not be taken" in str(outcome.error)
    assert content(scene) == before
    assert fault.sent_after == []


@pytest.mark.parametrize("kind", ["lost before", "lost after"])
def test_a_helm_of_which_nothing_is_known_is_taken_back(scene: World, kind: str) -> None:
    before = content(scene)
    outcome = climb(scene, Fault(INSTALL, kind))
    assert outcome is not None
    assert outcome.verdict == "rolled_back"
    assert content(scene) == before


@pytest.mark.parametrize(("at", "kind"), [case for case in lost(BACK)[2:] if case[0] != UNINSTALL])
def test_a_lost_answer_on_the_way_back_is_looked_up_too(scene: World, at: int, kind: str) -> None:
    before = content(scene)
    climb(scene)
    outcome = roll_back(scene, Fault(at, kind))
    assert outcome is not None
    assert (outcome.verdict, outcome.error) == ("rolled_back", None)
    left = content(scene)
    left.pop(LEASE, None)
    assert left == before


# Somebody else


@pytest.mark.parametrize("at", [at for at in range(CLIMB) if at != INSTALL])
def test_what_somebody_else_changed_is_never_overwritten(scene: World, at: int) -> None:
    witness, fault = Witness(scene), Fault(at, "meddle")
    outcome = climb(scene, fault)
    assert outcome is not None
    assert outcome.verdict in ("safe_stop", "upgraded")
    assert isinstance(outcome.error, SafeStop) or at in (24, CLIMB - 1)  # a shadow or a lock made anew is left alone
    live = scene.cluster.objects[path_of(fault.meddled)]
    assert {key: live[key] for key in live if key != "status"} == {key: fault.meddled[key] for key in live if key != "status"}
    assert all(path.endswith("leases/wge-upgrade") for _, path in fault.sent_after) or outcome.verdict == "upgraded"
    if at not in (21, 22, 23):  # there the selector itself was changed, by the somebody
        assert not witness.dark


def test_a_release_somebody_else_installed_under_wges_name_is_not_uninstalled(scene: World) -> None:
    fault = Fault(INSTALL, "meddle")
    outcome = climb(scene, fault)
    assert outcome is not None
    assert outcome.verdict in ("rolled_back", "safe_stop")
    assert path_of(fault.meddled) in scene.cluster.objects


def test_who_changed_it_is_named(scene: World) -> None:
    start(scene)
    scene.cluster.one("Service", "metrics")["metadata"]["managedFields"] = [{"manager": "kubectl-edit"}, {"manager": "helm"}]
    outcome = climb(scene, Fault(21, "meddle"))
    assert outcome is not None
    assert "Somebody else changed" in str(outcome.error)
    assert "(last managers: helm, kubectl-edit)" in str(outcome.error)


def test_after_a_safe_stop_the_rung_is_the_one_the_cluster_stands_on(scene: World) -> None:
    outcome = climb(scene, Fault(25, "meddle"))
    assert outcome is not None
    assert (outcome.verdict, outcome.rung) == ("safe_stop", Rung.SOAKED)
    assert leads_to(scene) == "wge"


def test_an_object_somebody_else_made_in_our_place_is_left_and_the_way_back_goes_on(scene: World) -> None:
    before = content(scene)
    climb(scene, Fault(2, "kill before"))
    foreign = {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "weave-gitops-enterprise-credentials", "namespace": NAMESPACE}}
    scene.cluster.put(foreign)
    outcome = roll_back(scene)
    assert outcome is not None
    assert (outcome.verdict, outcome.error) == ("rolled_back", None)
    after = content(scene)
    assert after.pop(path_of(foreign))
    assert after == before


# Told to stop


@pytest.mark.parametrize("at", range(1, CLIMB - 1, 3))
def test_a_signal_stops_before_the_next_write_and_the_lock_is_given_back(scene: World, at: int) -> None:
    witness, fault = Witness(scene), Fault(at, "stop", "signal")
    outcome = climb(scene, fault)
    assert outcome is not None
    if at < CLIMB - 2:
        assert isinstance(outcome.error, Interrupted)
        assert outcome.verdict == "safe_stop"
        assert "Stopped on request (signal)." in str(outcome.error)
    assert fault.sent_after == [("delete", LEASE)]
    assert not witness.dark
    again = climb(scene)
    assert again is not None
    assert again.verdict in ("upgraded", "already")


@pytest.mark.parametrize("at", range(CLIMB - 1))
def test_with_the_controller_gone_not_one_more_write_is_sent(scene: World, at: int) -> None:
    witness, fault = Witness(scene), Fault(at, "stop", "controller gone")
    climb(scene, fault)
    assert fault.sent_after == []
    assert not witness.dark


def test_a_deadline_stops_like_a_signal(scene: World) -> None:
    fault = Fault(5, "stop", "deadline")
    outcome = climb(scene, fault)
    assert outcome is not None
    assert "Stopped on request (deadline)." in str(outcome.error)
    assert fault.sent_after == [("delete", LEASE)]


def test_asked_to_stop_before_it_begins_a_climb_writes_nothing(scene: World) -> None:
    before, fault = content(scene), Fault()
    scene.stop = "signal"
    outcome = climb(scene, fault)
    assert outcome is not None
    assert outcome.verdict == "safe_stop"
    assert content(scene) == before
    assert not outcome.changed


def test_a_signal_on_the_way_back_does_not_leave_it_half_done(scene: World) -> None:
    before = content(scene)
    climb(scene)
    outcome = roll_back(scene, Fault(3, "stop", "signal"))
    assert outcome is not None
    assert outcome.verdict == "rolled_back"
    assert content(scene) == before


@pytest.mark.parametrize("at", range(1, BACK - 1, 3))
def test_with_the_controller_gone_the_way_back_stops_too(scene: World, at: int) -> None:
    climb(scene)
    fault = Fault(at, "stop", "controller gone")
    witness = Witness(scene)
    roll_back(scene, fault)
    assert fault.sent_after == []
    assert not witness.dark


# The lock


def held(scene: World, holder: str = "another run", seconds: int = 60) -> None:
    spec = {"holderIdentity": holder, "leaseDurationSeconds": seconds}
    scene.cluster.put(
        {"apiVersion": "coordination.k8s.io/v1", "kind": "Lease", "metadata": {"name": "wge-upgrade", "namespace": NAMESPACE}, "spec": spec}
    )


def test_a_lock_held_by_a_live_run_is_a_safe_stop_without_a_write(scene: World) -> None:
    held(scene)
    scene.clock.on_sleep.append(lambda _seconds: held(scene))  # it renews
    fault = Fault()
    outcome = climb(scene, fault)
    assert outcome is not None
    assert outcome.verdict == "safe_stop"
    assert "Another run holds the lock of this cluster: another run." in str(outcome.error)
    assert (fault.sent, outcome.changed) == ([], False)


def test_a_stale_lock_is_taken_after_its_own_duration_on_our_clock(scene: World) -> None:
    held(scene, seconds=40)
    fault = Fault()
    outcome = climb(scene, fault)
    assert outcome is not None
    assert outcome.verdict == "upgraded"
    assert fault.sent[0] == ("patch", LEASE)
    notes = [event["text"] for event in scene.told if "for the lock of another run" in event.get("text", "")]
    assert len(notes) == 20


def test_a_lock_taken_from_us_in_mid_climb_is_a_safe_stop_without_another_write(scene: World) -> None:
    scene.set(soak_seconds=60)
    fault = start(scene)

    def steal(_seconds: float) -> None:
        if leads_to(scene) == "wge":
            held(scene)

    scene.clock.on_sleep.append(steal)
    outcome = climb(scene, fault)
    assert outcome is not None
    assert outcome.verdict == "safe_stop"
    assert "The lock of this cluster was taken by another run." in str(outcome.error)
    assert fault.sent[-1] == ("patch", LEASE)
    assert scene.cluster.one("Lease", "wge-upgrade")["spec"]["holderIdentity"] == "another run"


def test_a_lock_that_is_gone_in_mid_climb_is_a_safe_stop(scene: World) -> None:
    scene.set(soak_seconds=60)

    def lose(_seconds: float) -> None:
        if leads_to(scene) == "wge" and scene.cluster.all("Lease"):
            scene.cluster.remove("Lease", "wge-upgrade")

    scene.clock.on_sleep.append(lose)
    fault = Fault()
    outcome = climb(scene, fault)
    assert outcome is not None
    assert outcome.verdict == "safe_stop"
    assert "The lock of this cluster is gone." in str(outcome.error)
    assert leads_to(scene) == "wge"
    assert fault.sent[-1] == ("patch", LEASE)


def test_a_long_soak_renews_the_lock(scene: World) -> None:
    scene.set(soak_seconds=120)
    fault = Fault()
    climb(scene, fault)
    assert 5 <= fault.sent.count(("patch", LEASE)) <= 7


# In between


def test_a_run_killed_before_it_judged_the_rehearsal_judges_it_again(scene: World) -> None:
    """The shadow Service alone does not say that WGE answered through it."""
    scene.set(entitlement="")
    climb(scene, Fault(19, "kill after"))  # one write less: no entitlement
    assert scene.cluster.one("Service", f"{WG_NAME}-wge-shadow")
    witness = Witness(scene)
    outcome = climb(scene)
    assert outcome is not None
    assert outcome.verdict == "rolled_back"
    assert "finds no valid entitlement" in str(outcome.error)
    assert not witness.dark
    assert not [item for item in scene.cluster.all("Secret") if labels_of(item).get("owner") == FOREIGN]
