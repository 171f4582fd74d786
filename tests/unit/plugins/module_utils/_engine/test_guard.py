# SPDX-License-Identifier: GPL-3.0-or-later
"""The guard: whoever changes a kept Service while a call watches is undone, or the upgrade is."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from ansible_collections.weaveworks.wge.plugins.module_utils._engine.guard import rights_to_watch, watched_paths
from ansible_collections.weaveworks.wge.plugins.module_utils._engine.ladder import Outcome
from ansible_collections.weaveworks.wge.plugins.module_utils._engine.model import Object
from ansible_collections.weaveworks.wge.tests.unit.plugins.module_utils._engine import standin_flux
from ansible_collections.weaveworks.wge.tests.unit.plugins.module_utils._engine.standin import copied
from ansible_collections.weaveworks.wge.tests.unit.plugins.module_utils._engine.standin_faults import crash
from ansible_collections.weaveworks.wge.tests.unit.plugins.module_utils._engine.standin_meddlers import (
    as_old,
    as_union,
    change,
    in_step,
    told,
)
from ansible_collections.weaveworks.wge.tests.unit.plugins.module_utils._engine.standin_products import NAMESPACE, WG_NAME, WGE_NAME
from ansible_collections.weaveworks.wge.tests.unit.plugins.module_utils._engine.standin_runs import KEPT, climb, roll_back
from ansible_collections.weaveworks.wge.tests.unit.plugins.module_utils._engine.standin_tools import StandInWatcher
from ansible_collections.weaveworks.wge.tests.unit.plugins.module_utils._engine.standin_witness import Witness, content, leads_to
from ansible_collections.weaveworks.wge.tests.unit.plugins.module_utils._engine.standin_world import World

BY = "kubectl-client-side-apply at 2026-11-23T12:00:00Z"
Change = Callable[[Object], None]


def ended(world: World, goal: str = "parked", **settings: Any) -> Outcome:
    """A call of its own, with a soak in which there is time for others."""
    world.set(**{"soak_seconds": 20, **settings})
    outcome = climb(world, goal=goal)
    assert outcome is not None
    return outcome


def did(outcome: Outcome) -> list[tuple[str, str, str]]:
    return [(record["object"], record["field"], record["did"]) for record in outcome.guard["records"]]


@pytest.mark.parametrize("how", [as_union, as_old])
@pytest.mark.parametrize("step", ["S13", "S14", "S15"])
def test_a_service_that_somebody_takes_is_put_back(scene: World, how: Change, step: str) -> None:
    in_step(scene, step, lambda: change(scene, how))
    outcome = ended(scene, quiet_seconds=40)
    assert (outcome.verdict, outcome.error) == ("upgraded", None)
    assert did(outcome) == [(WG_NAME, "spec.selector", "put back")]
    (record,) = outcome.guard["records"]
    assert record["by"] == BY
    assert 0 <= record["seconds"] < 5
    assert {leads_to(scene, name) for name in KEPT} == {"wge"}
    assert f"guard: {WG_NAME}, spec.selector, changed by {BY}: put back" in [event.get("text") for event in scene.told]


def test_a_union_is_gone_after_one_wait(scene: World) -> None:
    witness = Witness(scene)
    in_step(scene, "S14", lambda: change(scene, as_union))
    ended(scene)
    assert len({moment.split(" at ")[1] for moment in witness.dark}) == 1


def test_a_target_port_alone_is_put_back_too(scene: World) -> None:
    def other_port(service: Object) -> None:
        service["spec"]["ports"][0]["targetPort"] = 1234

    in_step(scene, "S14", lambda: change(scene, other_port))
    outcome = ended(scene)
    assert did(outcome) == [(WG_NAME, "spec.ports", "put back")]
    assert leads_to(scene) == "wge"


def test_what_does_not_lead_elsewhere_is_left_alone(scene: World) -> None:
    in_step(scene, "S14", lambda: change(scene, lambda service: service["metadata"].setdefault("annotations", {}).update(team="x")))
    outcome = ended(scene)
    assert (outcome.verdict, outcome.guard) == ("upgraded", {"mode": "watch", "records": [], "blind": []})
    assert scene.cluster.one("Service", WG_NAME)["metadata"]["annotations"]["team"] == "x"


def test_who_changes_it_again_and_again_has_the_upgrade_taken_back(scene: World) -> None:
    before = content(scene)
    in_step(scene, "S14", lambda: change(scene, as_old), times=4)
    outcome = ended(scene)
    assert outcome.verdict == "rolled_back"
    assert [entry[2] for entry in did(outcome)] == ["put back"] * 3 + ["the upgrade is taken back"]
    assert f"put back 3 times within 60 s, and its spec.selector was changed again by {BY}" in str(outcome.error)
    assert leads_to(scene) == "wg"
    assert content(scene).keys() == before.keys()


def test_three_times_in_a_longer_time_are_put_back(scene: World) -> None:
    last = [0.0]

    def now_and_then() -> None:
        if scene.clock.now - last[0] > 30 and leads_to(scene) == "wge":
            last[0] = scene.clock.now
            change(scene, as_union)

    in_step(scene, "S14", now_and_then, times=1000)
    outcome = ended(scene, soak_seconds=200)
    assert outcome.verdict == "upgraded"
    assert len(outcome.guard["records"]) > 4


@pytest.mark.parametrize("anew", [False, True])
def test_a_service_that_is_deleted_has_the_upgrade_taken_back(scene: World, anew: bool) -> None:
    def remove() -> None:
        item = copied(scene.cluster.one("Service", "metrics"))
        scene.cluster.remove("Service", "metrics")
        if anew:
            item["metadata"].pop("uid")
            scene.cluster.put(item)
        told(scene)

    in_step(scene, "S14", remove)
    outcome = ended(scene)
    assert outcome.verdict in ("rolled_back", "safe_stop")
    assert ("metrics", "metadata.uid" if anew else "metadata", "the upgrade is taken back") in did(outcome)
    assert "Service metrics was deleted" in str(outcome.error)
    assert leads_to(scene) == "wg"


def test_a_release_that_somebody_shows_to_helm_again_has_the_upgrade_taken_back(scene: World) -> None:
    def upgrade() -> None:
        for item in scene.cluster.all("Secret"):
            if (item["metadata"].get("labels") or {}).get("owner") == "wge-parked":
                item["metadata"]["labels"]["owner"] = "helm"
        change(scene, as_union)

    in_step(scene, "S14", upgrade)
    outcome = ended(scene)
    assert outcome.verdict == "rolled_back"
    assert did(outcome)[0] == (WG_NAME, "spec.selector", "put back")
    assert "The release of WG is not frozen any more" in str(outcome.error)
    assert leads_to(scene) == "wg"


def test_a_helm_release_that_somebody_resumes_is_seen_at_once(tmp_path: Any) -> None:
    world = standin_flux.lived_in(tmp_path)[0]
    at: list[float] = []

    def resume() -> None:
        at.append(world.clock.now)
        item = copied(world.cluster.one("HelmRelease", "ww-gitops"))
        item["spec"]["suspend"] = False
        world.cluster.put(item)
        told(world)

    in_step(world, "S14", resume)
    outcome = ended(world, soak_seconds=60)
    assert outcome.verdict == "rolled_back"
    begun = [event for event in world.told if event.get("state") == "undo"]
    assert begun
    assert "is not suspended any more" in str(outcome.error)
    assert did(outcome)[0][0] == "WG's release"


def test_off_is_off(scene: World) -> None:
    in_step(scene, "S14", lambda: change(scene, as_union))
    outcome = ended(scene, guard="off")
    assert (outcome.verdict, outcome.guard) == ("rolled_back", {}), outcome.error
    assert not scene.watcher.running


def test_the_guard_goes_with_the_call_and_is_not_there_before_the_flip(scene: World) -> None:
    assert ended(scene, "rehearsed").guard == {}
    assert ended(scene, "flipped").guard == {"mode": "watch", "records": [], "blind": []}
    assert not scene.watcher.running


@pytest.mark.parametrize("how", [as_union, as_old])
def test_what_was_done_between_two_calls_is_told_by_the_next(scene: World, how: Change) -> None:
    ended(scene, "flipped")
    change(scene, how, "metrics")
    outcome = ended(scene)
    assert did(outcome)[0] == ("metrics", "spec.selector", "found so at the beginning of this call")
    assert outcome.verdict == "upgraded"


def test_the_way_back_is_not_held_up_by_the_guard(scene: World) -> None:
    before = content(scene)
    ended(scene, "soaked")
    outcome = roll_back(scene)
    assert outcome is not None
    assert (outcome.verdict, outcome.guard) == ("rolled_back", {}), outcome.error
    assert content(scene) == before


def test_a_watch_that_could_not_see_is_told(scene: World) -> None:
    in_step(scene, "S14", lambda: scene.watcher.blind.append("the connection was cut"))
    assert ended(scene).guard["blind"] == ["the connection was cut"]


def test_what_only_the_traffic_shows_is_put_back_too(scene: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """The endpoints may be seen to be gone before the change of the Service is."""
    monkeypatch.setattr(StandInWatcher, "changes", lambda _self: [])
    in_step(scene, "S14", lambda: change(scene, as_union))
    outcome = ended(scene)
    assert outcome.verdict == "upgraded"
    (record,) = outcome.guard["records"]
    assert (record["did"], record["seconds"]) == ("put back", None)


def test_a_fault_that_nobody_made_is_not_the_guards(scene: World) -> None:
    in_step(scene, "S14", lambda: crash(scene, WGE_NAME))
    outcome = ended(scene)
    assert (outcome.verdict, outcome.guard["records"]) == ("rolled_back", [])


def test_the_right_to_watch_is_among_those_that_are_asked_for(scene: World) -> None:
    now = scene.look()
    assert [path.rsplit("/", 1)[1] for path in watched_paths(now)] == [*("metrics",), *sorted(set(KEPT) - {"metrics"})]
    wanted = {f"{verb} services {name!r} in namespace {NAMESPACE}" for name in KEPT for verb in ("list", "watch")}
    assert {str(right) for right in rights_to_watch(now)} == wanted
    scene.cluster.rules = [{"verbs": ["get", "list", "create", "patch", "delete"], "apiGroups": ["*"], "resources": ["*"]}]
    assert "watch services" in scene.findings()["PE-02"].evidence
    scene.set(guard="off")
    assert "watch services" not in scene.findings()["PE-02"].evidence
