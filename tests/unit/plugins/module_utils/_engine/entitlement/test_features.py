# SPDX-License-Identifier: GPL-3.0-or-later
"""The upgrade turns on only what the entitlement grants."""

from __future__ import annotations

import pytest

from ansible_collections.weaveworks.wge.plugins.module_utils._engine.entitlement import features
from ansible_collections.weaveworks.wge.plugins.module_utils._engine.model import Object
from ansible_collections.weaveworks.wge.tests.unit.plugins.module_utils._engine.standin_products import entitlement
from ansible_collections.weaveworks.wge.tests.unit.plugins.module_utils._engine.standin_vendor import STRANGER, token
from ansible_collections.weaveworks.wge.tests.unit.plugins.module_utils._engine.standin_world import World


def installed_with(world: World, text: str) -> Object:
    """The values WGE is rendered with when this entitlement is stored."""
    world.cluster.put(entitlement(text))
    world.set(entitlement="")
    values: Object = world.look().target.release.values
    return values


def test_an_entitlement_without_a_list_leaves_every_switch_alone(world: World) -> None:
    assert features.limits(None) == {}
    assert "enablePipelines" not in installed_with(world, token())


def test_what_is_not_granted_is_switched_off(world: World) -> None:
    values = installed_with(world, token(features=["explorer"]))
    assert values["enablePipelines"] is False
    assert values["gitopssets-controller"] == {"enabled": False}
    assert values["policy-agent"] == {"enabled": False}


def test_what_is_granted_stays_as_the_chart_has_it(world: World) -> None:
    values = installed_with(world, token(features=["pipelines", "policy-agent"]))
    assert "enablePipelines" not in values
    assert "policy-agent" not in values


def test_users_turn_on_what_is_granted(world: World) -> None:
    world.set(values={"policy-agent": {"enabled": True, "config": {"accountId": "x"}}})
    assert installed_with(world, token(features=["policy-agent"]))["policy-agent"] == {"enabled": True, "config": {"accountId": "x"}}


def test_users_cannot_turn_on_what_is_not(world: World) -> None:
    world.set(values={"policy-agent": {"enabled": True, "config": {"accountId": "x"}}, "enablePipelines": True})
    values = installed_with(world, token(features=[]))
    assert values["policy-agent"] == {"enabled": False, "config": {"accountId": "x"}}
    assert values["enablePipelines"] is False


def test_a_list_that_a_stranger_signed_limits_nothing(world: World) -> None:
    assert "enablePipelines" not in installed_with(world, token(STRANGER, features=[]))


def test_an_expired_entitlement_grants_what_it_lists(world: World) -> None:
    values = installed_with(world, token(days=-3, features=["explorer"]))
    assert "explorer" not in values
    assert values["enablePipelines"] is False


def test_unknown_names_are_told_apart() -> None:
    assert features.unknown(("pipelines", "teleport", "beam")) == ["beam", "teleport"]
    assert features.unknown(None) == []


@pytest.mark.parametrize("feature", features.FEATURES, ids=lambda feature: feature.name)
def test_each_feature_is_withheld_by_its_own_switches(feature: features.Feature) -> None:
    others = tuple(sorted(features.KNOWN - {feature.name}))
    assert features.withheld(others) == [feature]
    values: Object = {}
    for switch in feature.switches:
        *path, last = switch.split(".")
        place = values
        for key in path:
            place = place.setdefault(key, {})
        place[last] = False
    assert features.limits(others) == values
