# SPDX-License-Identifier: GPL-3.0-or-later
"""A climb that fails is taken back, traffic first."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from ansible_collections.weaveworks.wge.plugins.module_utils._engine import ladder
from ansible_collections.weaveworks.wge.plugins.module_utils._engine.journal import journal_from
from ansible_collections.weaveworks.wge.plugins.module_utils._engine.model import Rung
from ansible_collections.weaveworks.wge.plugins.module_utils._errors import RolledBack
from ansible_collections.weaveworks.wge.tests.unit.plugins.module_utils._engine.standin_faults import Fault, crash, positions, short
from ansible_collections.weaveworks.wge.tests.unit.plugins.module_utils._engine.standin_products import WG_NAME, WGE_NAME
from ansible_collections.weaveworks.wge.tests.unit.plugins.module_utils._engine.standin_runs import KEPT, climb, start
from ansible_collections.weaveworks.wge.tests.unit.plugins.module_utils._engine.standin_witness import Witness, content, endpoints, leads_to
from ansible_collections.weaveworks.wge.tests.unit.plugins.module_utils._engine.standin_world import World


def assert_taken_back(scene: World, outcome: ladder.Outcome | None, before: dict[str, Any], words: str) -> None:
    assert outcome is not None
    assert isinstance(outcome.error, RolledBack)
    assert words in str(outcome.error)
    assert (outcome.verdict, outcome.rung) == ("rolled_back", Rung.ROLLED_BACK)
    assert content(scene) == before
    assert [leads_to(scene, service) for service in KEPT] == ["wg"] * 3
    (journal,) = [item for item in scene.cluster.all("Secret") if item["metadata"]["name"].startswith("wge-journal-")]
    assert journal_from(journal).state == "rolled-back"


def test_a_wge_that_never_gets_ready_is_taken_back_and_the_cluster_is_as_it_was(scene: World) -> None:
    before, witness = content(scene), Witness(scene)
    scene.controllers.broken.add(WGE_NAME)
    outcome = climb(scene)
    assert_taken_back(scene, outcome, before, "WGE does not get ready: not after 5 s")
    assert not witness.dark


@pytest.mark.parametrize("verb", ["install", "uninstall"])
def test_a_helm_that_fails_is_told(scene: World, verb: str) -> None:
    before = content(scene)
    scene.controllers.broken.add(WGE_NAME)
    scene.helm.fails.add(verb)
    outcome = climb(scene)
    if verb == "install":
        assert_taken_back(scene, outcome, before, "helm install failed.")
        return
    assert outcome is not None
    assert outcome.verdict == "safe_stop"
    assert "helm uninstall failed." in str(outcome.error)


def test_a_wge_without_entitlement_is_taken_back_before_any_traffic_reaches_it(scene: World) -> None:
    before = content(scene)
    scene.set(entitlement="")
    fault = Fault()
    outcome = climb(scene, fault)
    assert_taken_back(scene, outcome, before, "WGE finds no valid entitlement: its API answers 500.")
    assert [path for verb, path in fault.sent if verb == "patch"].count(f"/api/v1/namespaces/flux-system/services/{WG_NAME}") == 2


def test_a_dashboard_that_fails_before_the_flip_is_not_flipped(scene: World) -> None:
    before = content(scene)
    crash(scene, WG_NAME)
    outcome = climb(scene)
    assert outcome is not None
    assert "The dashboard already fails before the flip" in str(outcome.error)
    assert outcome.verdict == "rolled_back"
    assert content(scene) == before


def crash_when(scene: World, deployment: str, condition: Any) -> None:
    """Crash a Deployment at the first sleep at which the condition holds."""

    def look(_seconds: float) -> None:
        if deployment not in scene.controllers.broken and condition():
            crash(scene, deployment)

    scene.clock.on_sleep.append(look)


def flipped(scene: World) -> bool:
    return all(leads_to(scene, service) == "wge" for service in KEPT)


def test_traffic_that_goes_red_after_the_flip_is_flipped_back_first(scene: World) -> None:
    before = content(scene)
    crash_when(scene, WGE_NAME, lambda: flipped(scene))
    fault = Fault()
    outcome = climb(scene, fault)
    assert_taken_back(scene, outcome, before, "has no ready endpoint")
    writes = short(fault)
    switched = [index for name in KEPT for index in positions(writes, "patch", f"services/{name}")[1:3]]
    last_flip = positions(writes, "patch", f"services/{WG_NAME}")[1]
    assert [name for _, name in writes[last_flip + 1 : last_flip + 4]] == [f"services/{name}" for name in KEPT]
    assert max(switched) == last_flip + 3


def test_losses_after_the_flip_are_counted_until_traffic_is_back(scene: World) -> None:
    scene.set(soak_seconds=60)
    flip = [0.0]

    def twenty_seconds_later() -> bool:
        if flipped(scene) and not flip[0]:
            flip[0] = scene.clock.now
        return bool(flip[0]) and scene.clock.now >= flip[0] + 20

    crash_when(scene, WGE_NAME, twenty_seconds_later)
    outcome = climb(scene)
    assert outcome is not None
    assert outcome.verdict == "rolled_back"
    assert outcome.traffic["lost"] > 0
    assert outcome.traffic["endpoint_gaps"] == 3
    assert outcome.traffic["endpoint_gap_seconds"] / 3 < 5


def test_an_entry_url_that_goes_red_reverses_the_flip(scene: World) -> None:
    before = content(scene)
    scene.set(entry_urls=("https://wg.example.com",), soak_seconds=30)

    def fail(_seconds: float) -> None:
        if flipped(scene):
            scene.probes.faults.add("https://wg.example.com")

    scene.clock.on_sleep.append(fail)
    outcome = climb(scene)
    assert_taken_back(scene, outcome, before, "the last at https://wg.example.com")


def test_what_fails_after_parking_is_unparked_before_it_is_flipped_back(scene: World) -> None:
    before = content(scene)
    scene.set(quiet_seconds=0)

    def parked() -> bool:
        return bool(scene.cluster.one("Deployment", WG_NAME)["spec"]["replicas"] == 0)

    crashed = scene.cluster.after_write
    crashed.append(lambda: crash(scene, WGE_NAME) if parked() and WGE_NAME not in scene.controllers.broken else None)
    fault = Fault()
    outcome = climb(scene, fault)
    assert_taken_back(scene, outcome, before, "has no ready endpoint")
    writes = [(verb, path) for verb, path in fault.sent]
    scale = ("patch", f"/apis/apps/v1/namespaces/flux-system/deployments/{WG_NAME}")
    assert writes.count(scale) == 2
    back = len(writes) - 1 - writes[::-1].index(scale)
    assert writes[back + 1] == ("patch", f"/api/v1/namespaces/flux-system/services/{WG_NAME}")


def test_a_wg_that_does_not_come_back_keeps_wge_serving_and_is_a_safe_stop(scene: World) -> None:
    climb(scene)
    scene.controllers.broken.add(WG_NAME)
    witness = Witness(scene)
    start(scene)
    outcome = ladder.roll_back(scene.tools, replace(scene.settings, state="rolled_back"), check_mode=False)
    assert outcome.verdict == "safe_stop"
    assert "WG does not get ready" in str(outcome.error)
    assert leads_to(scene) == "wge"
    assert not witness.dark


def test_after_a_failed_climb_the_next_one_reaches_parked(scene: World) -> None:
    scene.controllers.broken.add(WGE_NAME)
    climb(scene)
    scene.controllers.broken.clear()
    outcome = climb(scene)
    assert outcome is not None
    assert (outcome.verdict, outcome.error) == ("upgraded", None)
    assert endpoints(scene, WG_NAME)
