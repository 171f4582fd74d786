# SPDX-License-Identifier: GPL-3.0-or-later
"""The one entitlement that checks, features and rung ``prepared`` speak of."""

from __future__ import annotations

from ansible_collections.weaveworks.wge.plugins.module_utils._engine.entitlement.grant import stored_text
from ansible_collections.weaveworks.wge.plugins.module_utils._front import answers
from ansible_collections.weaveworks.wge.tests.unit.plugins.module_utils._engine.standin_products import entitlement
from ansible_collections.weaveworks.wge.tests.unit.plugins.module_utils._engine.standin_vendor import OTHER_TOKEN, TOKEN, token
from ansible_collections.weaveworks.wge.tests.unit.plugins.module_utils._engine.standin_world import World


def test_the_stored_one_counts_above_the_one_given(world: World) -> None:
    world.cluster.put(entitlement(OTHER_TOKEN))
    grant = world.look().grant
    assert (grant.source, grant.judgement.customer) == ("stored", "other@example.com")


def test_the_one_given_counts_where_none_is_stored(world: World) -> None:
    grant = world.look().grant
    assert (grant.source, grant.text, grant.judgement.customer) == ("given", TOKEN, "test@example.com")


def test_without_any_nothing_is_valid(world: World) -> None:
    world.set(entitlement="")
    grant = world.look().grant
    assert (grant.source, grant.judgement.valid, grant.features) == ("", False, None)


def test_its_text_is_in_no_representation(world: World) -> None:
    now = world.look()
    assert TOKEN not in repr(now.grant) + repr(now.settings)


def test_line_ends_behind_a_stored_one_are_passed_over_as_wge_does() -> None:
    assert stored_text(entitlement(TOKEN + "\r\n")) == TOKEN


def test_other_white_space_is_kept_since_wge_trips_over_it() -> None:
    assert stored_text(entitlement(TOKEN + " ")) == TOKEN + " "


def test_an_upgrade_warns_of_an_expired_one_and_names_the_customer(world: World) -> None:
    world.set(entitlement=token(days=-1))
    now = world.look()
    assert answers.warnings(now) == [
        "The entitlement of test@example.com expired on 2026-11-22T12:00:00Z: WGE works, and warns its users.",
    ]
    assert answers.entitlement(now)["expired"] is True


def test_an_upgrade_does_not_warn_of_a_good_one(world: World) -> None:
    assert answers.warnings(world.look()) == []


def test_after_the_climb_the_stored_one_is_in_the_answer(world: World) -> None:
    outcome = world.climb("prepared")
    assert answers.entitlement(outcome.after)["source"] == "stored"
