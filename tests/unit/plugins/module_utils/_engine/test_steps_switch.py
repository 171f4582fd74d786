# SPDX-License-Identifier: GPL-3.0-or-later
"""S12 to S15: flip, verify, soak, park."""

from __future__ import annotations

from typing import Any

import pytest

from ansible_collections.weaveworks.wge.plugins.module_utils._engine.objects import name_of
from ansible_collections.weaveworks.wge.plugins.module_utils._engine.patches import guards_hold
from ansible_collections.weaveworks.wge.plugins.module_utils._engine.steps.switch import Flip, Park, rights_to_probe
from ansible_collections.weaveworks.wge.plugins.module_utils._engine.writes import Write
from ansible_collections.weaveworks.wge.tests.unit.plugins.module_utils._engine.standin import patched
from ansible_collections.weaveworks.wge.tests.unit.plugins.module_utils._engine.standin_faults import Fault, crash
from ansible_collections.weaveworks.wge.tests.unit.plugins.module_utils._engine.standin_products import (
    TARGET_RELEASE,
    WG_LABELS,
    WG_NAME,
    WGE_NAME,
)
from ansible_collections.weaveworks.wge.tests.unit.plugins.module_utils._engine.standin_runs import climb, roll_back
from ansible_collections.weaveworks.wge.tests.unit.plugins.module_utils._engine.standin_witness import Witness, content, endpoints, leads_to
from ansible_collections.weaveworks.wge.tests.unit.plugins.module_utils._engine.standin_world import World

WGE_SELECTOR = {"app": "clusters-service", "app.kubernetes.io/instance": TARGET_RELEASE}


def flip_of(scene: World, name: str) -> Write:
    return next(write for write in Flip().writes(scene.look()) if write.path.endswith(f"/services/{name}"))


def spec_after_flip(scene: World, name: str) -> Any:
    return patched(scene.cluster.one("Service", name), flip_of(scene, name).operations)["spec"]


def test_the_flip_changes_selector_and_port_in_one_patch(scene: World) -> None:
    uid = scene.cluster.one("Service", WG_NAME)["metadata"]["uid"]
    assert list(flip_of(scene, WG_NAME).operations) == [
        {"op": "test", "path": "/metadata/uid", "value": uid},
        {"op": "test", "path": "/spec/selector", "value": WG_LABELS},
        {"op": "replace", "path": "/spec/selector", "value": WGE_SELECTOR},
        {"op": "test", "path": "/spec/ports/0/port", "value": 9001},
        {"op": "test", "path": "/spec/ports/0/targetPort", "value": "http"},
        {"op": "replace", "path": "/spec/ports/0/targetPort", "value": 8000},
    ]


def test_the_flip_touches_nothing_that_callers_rely_on(scene: World) -> None:
    before, after = scene.cluster.one("Service", WG_NAME)["spec"], spec_after_flip(scene, WG_NAME)
    assert {key: before[key] for key in before if key not in ("selector", "ports")} == {
        key: after[key] for key in after if key not in ("selector", "ports")
    }
    assert after["ports"] == [{**before["ports"][0], "targetPort": 8000}]


@pytest.mark.parametrize(("name", "targets"), [("by-hand", [8000, 8080]), ("metrics", [8080])])
def test_every_port_leads_to_its_counterpart_in_wge(scene: World, name: str, targets: list[int]) -> None:
    assert [port["targetPort"] for port in spec_after_flip(scene, name)["ports"]] == targets


def test_a_port_without_target_port_is_given_one(scene: World) -> None:
    del scene.cluster.one("Service", "metrics")["spec"]["ports"][0]["targetPort"]
    operations = flip_of(scene, "metrics").operations
    assert {"op": "replace", "path": "/spec/ports/0/targetPort", "value": 8080} in operations


def test_the_way_back_is_the_exact_reverse(scene: World) -> None:
    before, write = scene.cluster.one("Service", "by-hand"), flip_of(scene, "by-hand")
    assert patched(patched(before, write.operations), write.reverse) == before


@pytest.mark.parametrize("path", ["uid", "selector", "port"])
def test_a_service_that_somebody_changed_is_not_flipped(scene: World, path: str) -> None:
    write, live = flip_of(scene, WG_NAME), scene.cluster.one("Service", WG_NAME)
    if path == "uid":
        live["metadata"]["uid"] = "recreated"
    elif path == "selector":
        live["spec"]["selector"]["more"] = "x"
    else:
        live["spec"]["ports"][0]["targetPort"] = "other"
    assert not guards_hold(write.operations, live)


def test_a_service_that_selects_something_else_is_not_kept(scene: World) -> None:
    scene.cluster.one("Service", "by-hand")["spec"]["selector"] = {"app": "podinfo"}
    assert [name_of(service) for service in scene.look().kept_services] == ["metrics", WG_NAME]


def test_a_flipped_service_is_still_known_as_kept(scene: World) -> None:
    climb(scene)
    assert len(scene.look().kept_services) == 3
    assert Flip().writes(scene.look()) == []


def test_before_the_flip_wge_is_asked_once_more(scene: World) -> None:
    """Days may lie between ``rehearsed`` and the flip."""
    climb(scene, goal="rehearsed")
    scene.controllers.deaf.add(WGE_NAME)
    witness = Witness(scene)
    outcome = climb(scene)
    assert outcome is not None
    assert outcome.verdict == "rolled_back"
    assert "WGE cannot be asked through the API server" in str(outcome.error)
    assert not witness.dark


def test_verifying_removes_the_shadow_and_not_before(scene: World) -> None:
    climb(scene, goal="rehearsed")
    shadow = f"{WG_NAME}-wge-shadow"
    assert endpoints(scene, shadow)
    climb(scene, goal="flipped")
    assert shadow not in [name_of(item) for item in scene.cluster.all("Service")]


def test_the_soak_lasts_as_long_as_asked(scene: World) -> None:
    scene.set(soak_seconds=45)
    outcome = climb(scene, goal="soaked")
    assert outcome is not None
    assert outcome.seconds["soaked"] == 45


def test_a_soak_that_was_killed_begins_anew(scene: World) -> None:
    scene.set(soak_seconds=45)
    climb(scene, Fault(24, "kill after"))
    outcome = climb(scene)
    assert outcome is not None
    assert outcome.seconds["soaked"] == 45


def test_wg_is_left_alone_until_its_last_connections_had_time_to_end(scene: World) -> None:
    scene.set(quiet_seconds=90)
    scaled: list[float] = []
    flipped: list[float] = []

    def look() -> None:
        if leads_to(scene) == "wge":
            flipped.append(scene.clock.now)
        if scene.cluster.one("Deployment", WG_NAME)["spec"]["replicas"] == 0:
            scaled.append(scene.clock.now)

    scene.cluster.after_write.append(look)
    climb(scene)
    assert scaled[0] - flipped[0] >= 90


def test_parking_notes_how_many_replicas_there_were(scene: World) -> None:
    scene.cluster.one("Deployment", WG_NAME)["spec"]["replicas"] = 3
    scene.controllers.settle()
    (write,) = Park().writes(scene.look())
    assert write.text == f"scale Deployment {WG_NAME} from 3 to 0"
    assert write.reverse[-1] == {"op": "replace", "path": "/spec/replicas", "value": 3}


def test_going_back_scales_wg_to_what_it_had(scene: World) -> None:
    scene.cluster.one("Deployment", WG_NAME)["spec"]["replicas"] = 3
    scene.controllers.settle()
    climb(scene)
    roll_back(scene)
    assert scene.cluster.one("Deployment", WG_NAME)["spec"]["replicas"] == 3


def test_a_service_taken_back_by_somebody_before_parking_keeps_wg_running(scene: World) -> None:
    scene.set(quiet_seconds=30)

    def take(_seconds: float) -> None:
        service = scene.cluster.one("Service", "by-hand")
        if leads_to(scene) == "wge" and leads_to(scene, "by-hand") == "wge" and scene.clock.now > 10:
            service["spec"] = {
                "selector": dict(WG_LABELS),
                "ports": [{"port": 80, "targetPort": 9001}, {"name": "metrics", "port": 2112, "targetPort": 2112}],
            }
            scene.controllers.settle()

    scene.clock.on_sleep.append(take)
    witness = Witness(scene)
    outcome = climb(scene)
    assert outcome is not None
    assert "A kept Service no longer leads to WGE" in str(outcome.error)
    assert outcome.verdict == "rolled_back"
    assert not witness.dark


def test_a_selector_that_somebody_united_goes_back_to_wgs(scene: World) -> None:
    """A stray apply leaves the union of both selectors (K4), which matches no pod: the dashboard is dark until it is undone."""
    before = content(scene)

    def unite(_seconds: float) -> None:
        service = scene.cluster.one("Service", "by-hand")
        if leads_to(scene) == "wge" and leads_to(scene, "by-hand") == "wge":
            service["spec"]["selector"] |= WG_LABELS
            scene.controllers.settle()

    scene.clock.on_sleep.append(unite)
    outcome = climb(scene)
    assert outcome is not None
    assert outcome.verdict == "rolled_back"
    assert content(scene) == before


def test_wge_is_not_uninstalled_while_a_kept_service_leads_to_it(scene: World) -> None:
    climb(scene)
    seen: list[str] = []
    scene.helm.cluster.before = lambda verb, _path: None
    uninstall = scene.helm.uninstall

    def watched(name: str, namespace: str) -> None:
        seen.append(leads_to(scene))
        uninstall(name, namespace)

    scene.helm.uninstall = watched  # type: ignore[method-assign]
    roll_back(scene)
    assert seen == ["wg"]


def test_a_wge_that_had_traffic_gets_time_for_its_last_requests(scene: World) -> None:
    scene.set(quiet_seconds=90)
    climb(scene)
    began = scene.clock.now
    roll_back(scene)
    assert scene.clock.now - began >= 90


def test_the_policies_of_wge_stay_until_its_last_requests_are_over(scene: World) -> None:
    scene.set(quiet_seconds=90)
    climb(scene)
    gone: list[float] = []

    def look() -> None:
        if not [item for item in scene.cluster.all("NetworkPolicy") if name_of(item).startswith("wge-twin-")]:
            gone.append(scene.clock.now)

    scene.cluster.after_write.append(look)
    began = scene.clock.now
    roll_back(scene)
    assert gone[0] - began >= 90


def test_a_wge_that_is_not_ready_has_no_requests_to_wait_for(scene: World) -> None:
    scene.set(quiet_seconds=90)
    before = content(scene)
    scene.controllers.broken.add(WGE_NAME)
    climb(scene)
    assert content(scene) == before
    assert scene.clock.now < 30


def test_a_dead_wge_is_left_without_waiting(scene: World) -> None:
    climb(scene)
    crash(scene, WGE_NAME)
    scene.set(quiet_seconds=90)
    began = scene.clock.now
    outcome = roll_back(scene)
    assert outcome is not None
    assert outcome.verdict == "rolled_back"
    assert scene.clock.now - began < 30


def test_probing_needs_the_exact_string_of_service_and_shadow(scene: World) -> None:
    assert [str(right) for right in rights_to_probe(scene.look())] == [
        f"get services/proxy 'http:{WG_NAME}:9001' in namespace flux-system",
        f"get services/proxy 'http:{WG_NAME}-wge-shadow:9001' in namespace flux-system",
    ]


def test_a_main_service_whose_first_port_carries_metrics_is_asked_at_the_other(scene: World) -> None:
    ports = scene.cluster.one("Service", WG_NAME)["spec"]["ports"]
    ports.insert(0, {"name": "http-metrics", "port": 2112, "targetPort": "http-metrics"})
    scene.controllers.settle()
    outcome = climb(scene)
    assert outcome is not None
    assert outcome.verdict == "upgraded", outcome.error
    asked = {path.split("/proxy")[0].rsplit(":", 1)[1] for verb, path in scene.cluster.requests if verb == "raw"}
    assert asked == {"9001"}
    assert {vantage["name"] for vantage in outcome.traffic["vantages"]} == {"service proxy"}
