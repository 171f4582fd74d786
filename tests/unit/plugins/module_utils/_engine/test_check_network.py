# SPDX-License-Identifier: GPL-3.0-or-later
"""NE-01."""

from __future__ import annotations

from ansible_collections.weaveworks.wge.plugins.module_utils._engine.model import Object
from ansible_collections.weaveworks.wge.tests.unit.plugins.module_utils._engine.standin_products import (
    NAMESPACE,
    WG_LABELS,
    WG_NAME,
    pod,
    thing,
)
from ansible_collections.weaveworks.wge.tests.unit.plugins.module_utils._engine.standin_world import World


def service(name: str, *ports: Object, selector: dict[str, str] | None = None) -> Object:
    return thing("v1", "Service", name, NAMESPACE, spec={"selector": selector or WG_LABELS, "ports": list(ports)})


def add(world: World, *items: Object) -> None:
    for item in items:
        world.cluster.put(item)
    world.controllers.settle()


def test_every_kept_service_is_shown_with_its_ports(world: World) -> None:
    add(world, service("metrics-only", {"port": 2112, "targetPort": "http-metrics"}))
    found = world.findings()["NE-01"]
    assert found.status == "pass"
    assert found.evidence == (f"metrics-only (ClusterIP ): 2112 -> 8080; {WG_NAME} (NodePort 10.0.0.9): 9001 (node port 30901) -> 8000.")


def test_no_service_at_all_fails(world: World) -> None:
    world.cluster.remove("Service", WG_NAME)
    found = world.findings()["NE-01"]
    assert (found.status, found.evidence) == ("fail", "No Service leads to WG, so there is no address to keep.")


def test_a_port_that_leads_nowhere_in_wge_fails(world: World) -> None:
    world.cluster.one("Service", WG_NAME)["spec"]["ports"].append({"name": "debug", "port": 6060, "targetPort": 6060})
    found = world.findings()["NE-01"]
    assert (found.status, found.evidence) == ("fail", f"port 6060 of Service {WG_NAME} leads to 6060, for which WGE has nothing.")


def test_metrics_alone_are_no_dashboard(world: World) -> None:
    world.cluster.remove("Service", WG_NAME)
    add(world, service("metrics-only", {"port": 2112, "targetPort": 2112}))
    assert world.findings()["NE-01"].evidence == "no Service leads to WG's dashboard, only to its metrics."


def test_a_second_service_beside_the_releases_own_passes(world: World) -> None:
    add(world, service("extra", {"port": 80, "targetPort": 9001}))
    assert world.findings()["NE-01"].status == "pass"


def test_two_services_of_which_neither_is_the_releases_own_fail(world: World) -> None:
    world.cluster.remove("Service", WG_NAME)
    add(world, service("one", {"port": 80, "targetPort": 9001}), service("two", {"port": 80, "targetPort": "http"}))
    found = world.findings()["NE-01"]
    assert (found.status, found.evidence) == ("fail", "which Service is the dashboard's main one cannot be told: one, two.")


def test_a_service_that_leads_to_other_pods_as_well_fails(world: World) -> None:
    shared = {"app.kubernetes.io/instance": "ww-gitops"}
    world.cluster.put(pod("neighbour-1-0", shared))
    add(world, service("all", {"port": 80, "targetPort": 9001}, selector=shared))
    found = world.findings()["NE-01"]
    assert (found.status, found.evidence) == ("fail", "Service all leads to pods that are not WG's as well: neighbour-1-0.")


def test_after_the_flip_the_same_services_are_kept(world: World) -> None:
    world.climb("flipped")
    found = world.findings()["NE-01"]
    assert (found.status, found.evidence) == ("pass", f"{WG_NAME} (NodePort 10.0.0.9): 9001 (node port 30901) -> 8000.")
