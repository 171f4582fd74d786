# SPDX-License-Identifier: GPL-3.0-or-later
"""A climb during which somebody else changes what it writes."""

from __future__ import annotations

import pytest

from ansible_collections.weaveworks.wge.plugins.module_utils._engine.model import Rung
from ansible_collections.weaveworks.wge.plugins.module_utils._errors import SafeStop
from ansible_collections.weaveworks.wge.tests.unit.plugins.module_utils._engine.standin import path_of
from ansible_collections.weaveworks.wge.tests.unit.plugins.module_utils._engine.standin_faults import Fault
from ansible_collections.weaveworks.wge.tests.unit.plugins.module_utils._engine.standin_products import NAMESPACE
from ansible_collections.weaveworks.wge.tests.unit.plugins.module_utils._engine.standin_runs import CLIMB, INSTALL, climb, roll_back, start
from ansible_collections.weaveworks.wge.tests.unit.plugins.module_utils._engine.standin_witness import Witness, content, leads_to
from ansible_collections.weaveworks.wge.tests.unit.plugins.module_utils._engine.standin_world import World


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
