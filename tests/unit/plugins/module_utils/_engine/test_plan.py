# SPDX-License-Identifier: GPL-3.0-or-later
"""The plan: what is missing, its hash, and the permissions it needs."""

from __future__ import annotations

import pytest

from ansible_collections.weaveworks.wge.plugins.module_utils._engine import ladder
from ansible_collections.weaveworks.wge.plugins.module_utils._engine.model import Rung
from ansible_collections.weaveworks.wge.plugins.module_utils._engine.plan import (
    FIRST,
    THEN,
    Plan,
    plan_for,
    rights_backwards,
    rights_forwards,
    rung_of,
    steps_of,
    steps_to,
)
from ansible_collections.weaveworks.wge.plugins.module_utils._engine.steps.forms import FORMS, Form
from ansible_collections.weaveworks.wge.tests.unit.plugins.module_utils._engine.standin_faults import crash
from ansible_collections.weaveworks.wge.tests.unit.plugins.module_utils._engine.standin_products import WG_NAME, WGE_NAME
from ansible_collections.weaveworks.wge.tests.unit.plugins.module_utils._engine.standin_runs import climb
from ansible_collections.weaveworks.wge.tests.unit.plugins.module_utils._engine.standin_world import World

STEPS = (*FIRST, *FORMS["helm"].freeze, *THEN)


def plan(scene: World) -> Plan:
    return ladder.plan_of(scene.tools, scene.look())


@pytest.mark.parametrize("form", FORMS.values(), ids=lambda form: form.id)
def test_every_step_has_an_id_a_title_and_a_rung_of_its_own_kind(form: Form) -> None:
    steps = (*FIRST, *form.freeze, *THEN, *form.final)
    climbing = steps[: len(steps) - len(form.final)]
    assert len({step.id for step in climbing}) == len(climbing)
    assert all(step.title and step.rung > Rung.INSTALLED for step in steps)
    assert [step.rung for step in steps] == sorted(step.rung for step in steps)


def test_protecting_comes_before_parking_and_both_before_the_install() -> None:
    ids = [step.id for step in STEPS]
    assert ids.index("S11") < ids.index("S6") < ids.index("S7") < ids.index("S12") < ids.index("S15")


def test_the_steps_to_a_rung_leave_out_those_beyond(scene: World) -> None:
    now = scene.look()
    assert {step.rung for step in steps_to(now, Rung.REHEARSED)} == {Rung.PREPARED, Rung.REHEARSED}
    assert list(steps_to(now, Rung.PARKED)) == list(steps_of(now)) == list(STEPS)


def test_a_fresh_cluster_misses_every_step(scene: World) -> None:
    assert [entry.step.id for entry in plan(scene).planned] == [step.id for step in STEPS]


def test_the_same_cluster_gives_the_same_hash_whatever_the_runs_are_called(scene: World) -> None:
    assert plan(scene).hash == plan(scene).hash


@pytest.mark.parametrize("changed", ["service", "entitlement", "chart"])
def test_what_will_be_sent_changes_the_hash(scene: World, changed: str) -> None:
    before = plan(scene).hash
    if changed == "service":
        scene.cluster.one("Service", "by-hand")["spec"]["ports"][0]["targetPort"] = "http"
    elif changed == "entitlement":
        scene.set(entitlement="another")
    else:
        scene.set(chart_version="0.38.2", values={"config": {"logLevel": "debug"}})
    assert plan(scene).hash != before


def test_what_will_not_be_sent_does_not_change_the_hash(scene: World) -> None:
    before = plan(scene).hash
    scene.cluster.one("Deployment", WG_NAME)["status"] = {"replicas": 9}
    scene.cluster.one("Service", "by-hand")["metadata"]["resourceVersion"] = "99999"
    assert plan(scene).hash == before


def test_a_cluster_without_our_hand_is_installed(scene: World) -> None:
    assert rung_of(scene.look()) is Rung.INSTALLED


def test_nothing_is_missing_on_a_parked_cluster(scene: World) -> None:
    climb(scene)
    assert plan_for(scene.look(), Rung.PARKED).planned == ()


def test_a_wge_that_is_restarting_is_still_a_parked_cluster(scene: World) -> None:
    """A second run a month later must not take a whole upgrade back because one pod is starting."""
    climb(scene)
    crash(scene, WGE_NAME)
    assert rung_of(scene.look()) is Rung.PARKED


def test_every_write_needs_its_permission_and_a_read_back(scene: World) -> None:
    found = plan(scene)
    needed = [str(right) for right in rights_forwards(scene.look(), found)]
    assert f"patch services '{WG_NAME}' in namespace flux-system" in needed
    assert f"get services '{WG_NAME}' in namespace flux-system" in needed
    assert "create leases.coordination.k8s.io in namespace flux-system" in needed
    assert f"get services/proxy 'http:{WG_NAME}:9001' in namespace flux-system" in needed
    assert "bind clusterroles.rbac.authorization.k8s.io 'gitops-reader'" in needed
    assert "create deployments.apps in namespace flux-system" in needed
    assert len(needed) == len(set(needed))


def test_going_back_needs_deletes_of_what_we_create(scene: World) -> None:
    needed = [str(right) for right in rights_backwards(scene.look(), plan(scene))]
    assert "delete networkpolicies.networking.k8s.io 'wge-twin-allow-dashboard-ingress' in namespace flux-system" in needed
    assert f"patch deployments.apps '{WG_NAME}' in namespace flux-system" in needed
    assert "delete deployments.apps in namespace flux-system" in needed


def test_a_parked_cluster_needs_no_permission_to_install(scene: World) -> None:
    climb(scene)
    now = scene.look()
    needed = [str(right) for right in rights_forwards(now, plan_for(now, Rung.PARKED))]
    assert not [right for right in needed if right.startswith("create deployments")]
