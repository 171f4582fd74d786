# SPDX-License-Identifier: GPL-3.0-or-later
"""CL-05 and CL-06."""

from __future__ import annotations

import pytest

from ansible_collections.weaveworks.wge.plugins.module_utils._engine.model import Object
from ansible_collections.weaveworks.wge.plugins.module_utils._errors import Forbidden
from ansible_collections.weaveworks.wge.tests.unit.plugins.module_utils._engine.standin_products import thing, wg_objects
from ansible_collections.weaveworks.wge.tests.unit.plugins.module_utils._engine.standin_world import World


def api(name: str, status: str, reason: str = "") -> Object:
    conditions = [{"type": "Available", "status": status, "reason": reason}]
    return thing("apiregistration.k8s.io/v1", "APIService", name, status={"conditions": conditions})


def ending(name: str, since: str) -> Object:
    item = thing("v1", "Namespace", name, status={"phase": "Terminating"})
    item["metadata"]["deletionTimestamp"] = since
    return item


def test_available_apis_and_namespaces_that_end_in_time_pass(world: World) -> None:
    world.cluster.put(api("v1.apps", "True"))
    world.cluster.put(ending("going", "2026-11-23T11:55:00Z"))
    assert world.findings()["CL-05"].status == "pass"


def test_an_api_that_is_down_is_warned_of_with_its_reason(world: World) -> None:
    world.cluster.put(api("v1beta1.metrics.k8s.io", "False", "MissingEndpoints"))
    found = world.findings()["CL-05"]
    assert (found.status, found.evidence) == ("warn", "APIService v1beta1.metrics.k8s.io is not available (MissingEndpoints).")
    assert found.remedy.startswith("Repair or remove the APIServices")


def test_a_namespace_that_does_not_end_is_warned_of(world: World) -> None:
    world.cluster.put(ending("stuck", "2026-11-23T11:00:00Z"))
    found = world.findings()["CL-05"]
    assert (found.status, found.evidence) == ("warn", "namespace stuck has been ending for 60 minutes.")


def test_what_may_not_be_listed_is_an_error_that_blocks_nothing(world: World) -> None:
    def refuse(verb: str, path: str) -> None:
        if verb == "list" and path.endswith("apiservices"):
            raise Forbidden("GET apiservices is forbidden.", "Give our user this right.")

    world.cluster.before = refuse
    found = world.findings()["CL-05"]
    assert (found.status, found.evidence, found.blocks) == ("error", "GET apiservices is forbidden.", False)


def test_a_release_of_apis_that_are_served_passes(world: World) -> None:
    found = world.findings()["CL-06"]
    assert found.status == "pass"
    assert found.evidence.endswith("of the stored release ww-gitops are of APIs that are served.")


@pytest.mark.parametrize("version", ["policy/v1beta1", "extensions/v1beta1"])
def test_a_release_that_speaks_of_an_api_that_is_gone_fails_by_name(world: World, version: str) -> None:
    world.restore([*wg_objects(), thing(version, "PodSecurityPolicy", "wg")])
    found = world.findings()["CL-06"]
    assert found.status == "fail"
    assert (
        found.evidence
        == f"The stored release ww-gitops speaks of APIs that this cluster no longer serves: {version} (PodSecurityPolicy wg)."
    )
    assert "mapkubeapis" in found.remedy
