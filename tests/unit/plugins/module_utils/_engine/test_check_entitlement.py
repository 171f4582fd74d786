# SPDX-License-Identifier: GPL-3.0-or-later
"""EN-01."""

from __future__ import annotations

import pytest

from ansible_collections.weaveworks.wge.plugins.module_utils._engine.checks.entitlement import looks_like_token
from ansible_collections.weaveworks.wge.tests.unit.plugins.module_utils._engine.standin_products import (
    OTHER_TOKEN,
    TOKEN,
    entitlement,
    release_secret,
    released,
    secret,
    wg_objects,
)
from ansible_collections.weaveworks.wge.tests.unit.plugins.module_utils._engine.standin_world import World

PLACE = "Secret weave-gitops-enterprise-credentials in namespace flux-system"


def test_a_stored_entitlement_passes_without_one_given(world: World) -> None:
    world.cluster.put(entitlement())
    world.set(entitlement="")
    found = world.findings()["EN-01"]
    assert (found.status, found.evidence) == ("pass", f"{PLACE} holds a signed token of three parts.")


def test_the_same_entitlement_stored_and_given_passes(world: World) -> None:
    world.cluster.put(entitlement(TOKEN + "\n"))
    assert world.findings()["EN-01"].status == "pass"


def test_one_that_is_given_where_none_is_stored_will_be_created(world: World) -> None:
    assert world.findings()["EN-01"].evidence == f"{PLACE} will be created from the entitlement that was given."


def test_none_stored_and_none_given_fails(world: World) -> None:
    world.set(entitlement="")
    found = world.findings()["EN-01"]
    assert (found.status, found.evidence) == ("fail", f"There is no {PLACE}, and no entitlement was given.")
    assert found.remedy == "Give wge_entitlement, or apply the vendor's Secret."


def test_another_one_stored_than_given_fails_and_shows_neither(world: World) -> None:
    world.cluster.put(entitlement(OTHER_TOKEN))
    found = world.findings()["EN-01"]
    assert found.status == "fail"
    assert found.evidence == f"{PLACE} holds another entitlement than the one that was given; it is never overwritten."
    assert OTHER_TOKEN not in str(found)
    assert TOKEN not in str(found)


def test_a_given_text_that_is_no_token_fails(world: World) -> None:
    world.set(entitlement="-----BEGIN LICENCE-----")
    found = world.findings()["EN-01"]
    assert (found.status, found.evidence) == ("fail", "The entitlement that was given is not a signed token of three parts.")


def test_a_secret_without_the_key_fails(world: World) -> None:
    world.cluster.put(secret("weave-gitops-enterprise-credentials", {"username": "x"}))
    assert world.findings()["EN-01"].evidence == f"{PLACE} has no key entitlement."


def test_a_stored_text_that_is_no_token_fails_without_being_shown(world: World) -> None:
    world.cluster.put(entitlement("changeme"))
    found = world.findings()["EN-01"]
    assert (found.status, found.evidence) == ("fail", f"Key entitlement of {PLACE} is not a signed token of three parts.")
    assert "changeme" not in str(found)


@pytest.mark.parametrize("there", [True, False])
def test_where_wg_is_elsewhere_the_entitlements_namespace_must_exist(there: bool) -> None:
    world = World()
    for item in [released(item, "ww-gitops", "dash") for item in wg_objects()] + [release_secret("ww-gitops", wg_objects())]:
        if "namespace" in item["metadata"]:
            item["metadata"]["namespace"] = "dash"
        world.cluster.put(item)
    world.controllers.settle()
    if there:
        world.cluster.put({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "flux-system"}})
    found = world.findings()["EN-01"]
    assert found.status == ("pass" if there else "fail")
    if not there:
        assert found.evidence == "Namespace flux-system, where WGE looks for its entitlement, does not exist."


@pytest.mark.parametrize(
    ("text", "good"), [(TOKEN, True), ("a.b", False), ("a.b.c.d", False), ("a.b.c=", False), ("a..c", False), ("", False)]
)
def test_a_token_has_three_base64url_parts(text: str, good: bool) -> None:
    assert looks_like_token(text) is good
