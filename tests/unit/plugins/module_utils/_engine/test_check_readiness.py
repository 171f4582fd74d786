# SPDX-License-Identifier: GPL-3.0-or-later
"""TA-07."""

from __future__ import annotations

import pytest

from ansible_collections.weaveworks.wge.plugins.module_utils._engine.checks.evidence import Judged
from ansible_collections.weaveworks.wge.plugins.module_utils._engine.checks.readiness import probes_present
from ansible_collections.weaveworks.wge.plugins.module_utils._engine.model import Object
from ansible_collections.weaveworks.wge.tests.unit.plugins.module_utils._engine.standin_products import WGE_NAME, wge_objects
from ansible_collections.weaveworks.wge.tests.unit.plugins.module_utils._engine.standin_world import World


def judged(world: World, **container: Object) -> Judged:
    """TA-07 when the chart renders the server's container with these members."""

    def render(release: object) -> list[Object]:
        objects = wge_objects(release)  # type: ignore[arg-type]
        server = next(item for item in objects if item["metadata"]["name"] == WGE_NAME and item["kind"] == "Deployment")
        server["spec"]["template"]["spec"]["containers"][0].update(container)
        return objects

    world.helm.render = render
    return probes_present(world.evidence())


def get(port: int | str, scheme: str = "HTTP") -> Object:
    return {"httpGet": {"path": "/", "port": port, "scheme": scheme}}


def test_probes_that_the_chart_lacks_are_added(world: World) -> None:
    found = judged(world)
    assert (found.status, found.evidence) == ("pass", "WGE's server gets startupProbe, readinessProbe, livenessProbe by the plan.")


def test_a_probe_of_the_chart_stays(world: World) -> None:
    found = judged(world, livenessProbe=get("server"))
    assert found.status == "pass"
    assert found.evidence == "WGE's server has its own livenessProbe and gets startupProbe, readinessProbe by the plan."


def test_a_probe_of_a_port_that_is_not_there_fails(world: World) -> None:
    found = judged(world, readinessProbe=get("web"))
    assert (found.status, found.evidence) == (
        "fail",
        "The readinessProbe asks port web, which the container clusters-service does not have.",
    )
    assert found.remedy == "Take these probes out of wge_values: those that are missing are added."


@pytest.mark.parametrize("port", ["server", 8000])
def test_a_probe_of_another_scheme_fails(world: World, port: int | str) -> None:
    found = judged(world, livenessProbe=get(port, "HTTPS"))
    assert (found.status, found.evidence) == ("fail", "The livenessProbe speaks HTTPS, the server HTTP.")


@pytest.mark.parametrize("probe", [{"exec": {"command": ["true"]}}, {"tcpSocket": {"port": 8000}}, get("8000"), get("monitoring", "HTTPS")])
def test_other_probes_that_can_succeed_pass(world: World, probe: Object) -> None:
    assert judged(world, livenessProbe=probe).status == "pass"


def test_a_wge_that_runs_is_looked_at_as_it_is(world: World) -> None:
    world.climb("rehearsed")
    assert probes_present(world.evidence()).evidence == "WGE's server has its own startupProbe, readinessProbe, livenessProbe."
