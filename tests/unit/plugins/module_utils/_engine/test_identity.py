# SPDX-License-Identifier: GPL-3.0-or-later
"""Proof that the kept Services are still themselves."""

from __future__ import annotations

from typing import Any

import pytest

from ansible_collections.weaveworks.wge.plugins.module_utils._engine.identity import facts_of, identity_of
from ansible_collections.weaveworks.wge.tests.unit.plugins.module_utils._engine.standin_products import WG_NAME
from ansible_collections.weaveworks.wge.tests.unit.plugins.module_utils._engine.standin_runs import climb
from ansible_collections.weaveworks.wge.tests.unit.plugins.module_utils._engine.standin_world import World


def service(scene: World) -> dict[str, Any]:
    return scene.cluster.one("Service", WG_NAME)


def test_a_flip_leaves_the_identity_as_it_was(scene: World) -> None:
    before = scene.look()
    climb(scene)
    assert [entry["same"] for entry in identity_of(before, scene.look())] == [True] * 3


@pytest.mark.parametrize("changed", ["uid", "nodePort", "clusterIPs", "type", "affinity", "load balancer"])
def test_what_callers_rely_on_is_part_of_it(scene: World, changed: str) -> None:
    before, live = facts_of(service(scene)), service(scene)
    if changed == "uid":
        live["metadata"]["uid"] = "another"
    elif changed == "nodePort":
        live["spec"]["ports"][0]["nodePort"] = 31000
    elif changed == "clusterIPs":
        live["spec"]["clusterIPs"] = ["10.0.0.77"]
    elif changed == "type":
        live["spec"]["type"] = "ClusterIP"
    elif changed == "affinity":
        live["spec"]["sessionAffinity"] = "ClientIP"
    else:
        live["status"] = {"loadBalancer": {"ingress": [{"ip": "192.0.2.1"}]}}
    assert facts_of(live) != before


def test_a_service_that_is_gone_is_not_the_same(scene: World) -> None:
    before = scene.look()
    scene.cluster.remove("Service", WG_NAME)
    entry = next(entry for entry in identity_of(before, scene.look()) if entry["service"] == WG_NAME)
    assert (entry["same"], entry["after"]) == (False, {})
