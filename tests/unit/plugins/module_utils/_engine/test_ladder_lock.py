# SPDX-License-Identifier: GPL-3.0-or-later
"""The lock: one run at a time, and nothing is written without it."""

from __future__ import annotations

import pytest

from ansible_collections.weaveworks.wge.plugins.module_utils._engine import ladder
from ansible_collections.weaveworks.wge.plugins.module_utils._engine.plan import Plan
from ansible_collections.weaveworks.wge.plugins.module_utils._engine.situation import Situation
from ansible_collections.weaveworks.wge.plugins.module_utils._errors import Blocked
from ansible_collections.weaveworks.wge.tests.unit.plugins.module_utils._engine.standin_faults import Fault
from ansible_collections.weaveworks.wge.tests.unit.plugins.module_utils._engine.standin_products import NAMESPACE
from ansible_collections.weaveworks.wge.tests.unit.plugins.module_utils._engine.standin_runs import KEPT, LOCK, climb, start
from ansible_collections.weaveworks.wge.tests.unit.plugins.module_utils._engine.standin_witness import content, leads_to
from ansible_collections.weaveworks.wge.tests.unit.plugins.module_utils._engine.standin_world import World


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


@pytest.mark.parametrize("goal", ["rehearsed", "flipped", "parked"])
def test_the_lock_of_a_run_killed_at_its_very_end_goes_with_the_next_run(scene: World, goal: str) -> None:
    climb(scene, goal=goal)
    before = content(scene)
    held(scene, "a dead run")
    fault = Fault()
    outcome = climb(scene, fault, goal)
    assert outcome is not None
    assert (outcome.verdict, outcome.error) == ("already", None)
    assert (fault.sent[0], fault.sent[-1]) == (("patch", LOCK), ("delete", LOCK))
    assert content(scene) == before  # between them the dead run is fenced off, of which nothing stays


def test_a_rung_that_is_reached_while_another_run_is_at_work_is_a_safe_stop(scene: World) -> None:
    climb(scene, goal="flipped")
    held(scene)
    scene.clock.on_sleep.append(lambda _seconds: held(scene))
    fault = Fault()
    outcome = climb(scene, fault, "flipped")
    assert outcome is not None
    assert "Another run holds the lock of this cluster: another run." in str(outcome.error)
    assert (outcome.verdict, fault.sent) == ("safe_stop", [])


def test_a_stale_lock_is_taken_after_its_own_duration_on_our_clock(scene: World) -> None:
    held(scene, seconds=40)
    fault = Fault()
    outcome = climb(scene, fault)
    assert outcome is not None
    assert outcome.verdict == "upgraded"
    assert fault.sent[0] == ("patch", LOCK)
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
    assert "The lock of this cluster was taken by another run: another run." in str(outcome.error)
    assert fault.sent[-1] == ("patch", LOCK)
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
    assert fault.sent[-1] == ("patch", LOCK)


def test_a_long_soak_renews_the_lock(scene: World) -> None:
    scene.set(soak_seconds=120)
    fault = Fault()
    climb(scene, fault)
    assert 5 <= fault.sent.count(("patch", LOCK)) <= 7


def test_what_a_dead_run_had_begun_may_go_on_until_its_lock_is_stale(scene: World) -> None:
    """Helm or a controller ends what that run asked for: the plan is made anew and judged anew."""
    climb(scene, goal="prepared")
    held(scene, "a dead run")
    judged: list[str] = []

    def goes_on(_seconds: float) -> None:
        scene.clock.on_sleep.clear()
        scene.cluster.one("Service", "by-hand")["spec"]["ports"][0]["targetPort"] = "http"

    scene.clock.on_sleep.append(goes_on)
    start(scene)
    scene.set(state="parked")
    outcome = ladder.climb(scene.tools, scene.settings, lambda _now, plan: judged.append(plan.hash), check_mode=False)
    assert (outcome.verdict, outcome.error) == ("upgraded", None)
    assert len(set(judged)) == 2
    assert outcome.plan.hash == judged[-1]


def test_a_preflight_that_blocks_the_plan_made_anew_stops_before_a_write(scene: World) -> None:
    climb(scene, goal="prepared")
    held(scene, "a dead run")
    before = content(scene)

    def check(_now: Situation, _plan: Plan) -> None:
        if not scene.clock.on_sleep:
            raise Blocked("CU-01 form: changed.", "Look.")

    def goes_on(_seconds: float) -> None:
        scene.clock.on_sleep.clear()
        scene.cluster.one("Service", "by-hand")["spec"]["ports"][0]["targetPort"] = "http"

    scene.clock.on_sleep.append(goes_on)
    fault = start(scene)
    scene.set(state="parked")
    outcome = ladder.climb(scene.tools, scene.settings, check, check_mode=False)
    assert outcome.verdict == "blocked"
    assert {path.rsplit("/", 1)[-1] for _, path in fault.sent} <= {"wge-upgrade", *KEPT}
    scene.cluster.one("Service", "by-hand")["spec"]["ports"][0]["targetPort"] = 9001
    assert content(scene) == {key: item for key, item in before.items() if not key.endswith("leases/wge-upgrade")}
