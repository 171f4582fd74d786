# SPDX-License-Identifier: GPL-3.0-or-later
"""WG inside another chart: that of AWS Marketplace is climbed, one that brings more of its own is refused with the reason."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from ansible_collections.weaveworks.wge.plugins.module_utils._engine.forms.helm import values_of, wrapper_of
from ansible_collections.weaveworks.wge.plugins.module_utils._engine.inherit import values_for
from ansible_collections.weaveworks.wge.plugins.module_utils._engine.model import Object
from ansible_collections.weaveworks.wge.tests.unit.plugins.module_utils._engine.standin_products import (
    NAMESPACE,
    RELEASE,
    WG_NAME,
    release_secret,
    released,
    thing,
    wg_objects,
)
from ansible_collections.weaveworks.wge.tests.unit.plugins.module_utils._engine.standin_runs import (
    climb,
    finalise,
    later,
    lived_in,
    roll_back,
)
from ansible_collections.weaveworks.wge.tests.unit.plugins.module_utils._engine.standin_witness import Witness, content, leads_to
from ansible_collections.weaveworks.wge.tests.unit.plugins.module_utils._engine.standin_world import World

ABOUT = {"name": "wego-marketplace", "version": "1.2.3"}
GIVEN = {"gitops": {"logLevel": "debug", "networkPolicy": {"create": True}}}


def wrapped(folder: Path, *more: Object, about: Object | None = None, config: Object | None = None) -> World:
    """The lived-in cluster, its release made from another chart that holds more."""
    world = lived_in(folder)
    objects = [*wg_objects(), *more]
    for item in more:
        world.cluster.put(released(item, RELEASE))
    chart = {"metadata": about or ABOUT, "values": {"gitops": {}}}
    world.cluster.put(release_secret(RELEASE, objects, revision=7, chart=chart, config=GIVEN if config is None else config))
    world.controllers.settle()
    return world


def metering() -> list[Object]:
    """What the chart of AWS Marketplace brings besides WG."""
    labels = {"app": "wego-metering"}
    pods = {"metadata": {"labels": labels}, "spec": {"containers": [{"name": "metering", "image": "metering:v1"}]}}
    spec = {"replicas": 1, "selector": {"matchLabels": labels}, "template": pods}
    account = thing("v1", "ServiceAccount", "wego-service-account", NAMESPACE)
    return [thing("apps/v1", "Deployment", "wego-metering", NAMESPACE, spec=spec), account]


def deployments(world: World) -> set[str]:
    return {item["metadata"]["name"] for item in world.cluster.all("Deployment")}


def test_that_of_aws_marketplace_is_climbed_and_its_metering_goes_with_wg(tmp_path: Path) -> None:
    world = wrapped(tmp_path, *metering())
    witness = Witness(world)
    found = world.findings()["CU-01"]
    assert found.status == "pass"
    assert "chart wego-marketplace 1.2.3" in found.evidence
    assert "Deployment wego-metering runs on until WG is removed" in found.evidence
    outcome = climb(world)
    assert outcome is not None
    assert (outcome.verdict, str(outcome.error or "")) == ("upgraded", "")
    assert "wego-metering" in deployments(world)
    later(world, days=8)
    ended = finalise(world)
    assert ended is not None
    assert (ended.verdict, str(ended.error or "")) == ("finalised", "")
    assert not {"wego-metering", WG_NAME} & deployments(world)
    assert (leads_to(world), witness.dark) == ("wge", [])


def test_it_goes_back_to_what_was(tmp_path: Path) -> None:
    world = wrapped(tmp_path, *metering())
    before = content(world)
    climb(world)
    outcome = roll_back(world)
    assert outcome is not None
    assert (outcome.verdict, content(world)) == ("rolled_back", before)


def test_what_was_given_to_wg_lies_one_level_deeper(tmp_path: Path) -> None:
    now = wrapped(tmp_path, *metering()).look()
    wg = now.snapshot.installed
    assert (wg.wrapper, wg.log_level) == ("wego-marketplace", "debug")
    assert values_for(wg, now.snapshot.named, {})["config"]["logLevel"] == "debug"


@pytest.mark.parametrize(
    ("about", "config", "values"),
    [
        ({"name": "weave-gitops"}, {"logLevel": "debug", "gitops": {"x": 1}}, {"logLevel": "debug", "gitops": {"x": 1}}),
        ({"name": "platform", "dependencies": [{"name": "weave-gitops"}]}, {"weave-gitops": {"logLevel": "debug"}}, {"logLevel": "debug"}),
        ({"name": "p", "dependencies": [{"name": "weave-gitops", "alias": "ui"}]}, {"ui": {"logLevel": "debug"}}, {"logLevel": "debug"}),
        ({"name": "p", "dependencies": [{"name": "weave-gitops", "alias": "ui"}]}, {"logLevel": "debug"}, {}),
        ({"name": "our-weave-gitops"}, {"logLevel": "debug"}, {"logLevel": "debug"}),
        ({"name": "wego"}, {"gitops": {"logLevel": "debug"}, "awsRegion": "x"}, {"logLevel": "debug"}),
    ],
)
def test_where_its_values_lie_is_told_by_the_chart(about: Object, config: Object, values: Any) -> None:
    stored = {"chart": {"metadata": about, "values": {}}, "config": config}
    assert values_of(stored) == values
    assert wrapper_of(stored) == ("" if about["name"] == "weave-gitops" else about["name"])


@pytest.mark.parametrize("kind", ["Deployment", "StatefulSet", "PersistentVolumeClaim", "CustomResourceDefinition", "CronJob"])
def test_one_that_brings_more_of_its_own_is_refused(tmp_path: Path, kind: str) -> None:
    world = wrapped(tmp_path)
    objects = [*wg_objects(), thing("v1", kind, "theirs", "" if kind == "CustomResourceDefinition" else NAMESPACE, spec={})]
    world.cluster.put(release_secret(RELEASE, objects, revision=7, chart={"metadata": ABOUT}))
    found = world.findings()["CU-01"]
    assert found.blocks
    assert f"holds more than WG, which would be frozen and removed with it: {kind} theirs" in found.evidence
