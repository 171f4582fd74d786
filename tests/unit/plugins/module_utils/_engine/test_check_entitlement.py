# SPDX-License-Identifier: GPL-3.0-or-later
"""EN-01 to EN-06."""

from __future__ import annotations

import pytest

from ansible_collections.weaveworks.wge.plugins.module_utils._engine.model import Object, Release
from ansible_collections.weaveworks.wge.plugins.module_utils._errors import InvalidSettings
from ansible_collections.weaveworks.wge.tests.unit.plugins.module_utils._engine.standin_products import (
    entitlement,
    release_secret,
    released,
    secret,
    wg_objects,
    wge_objects,
)
from ansible_collections.weaveworks.wge.tests.unit.plugins.module_utils._engine.standin_vendor import (
    OTHER_TOKEN,
    PUBLIC_KEY,
    STRANGER,
    TOKEN,
    VENDOR,
    token,
)
from ansible_collections.weaveworks.wge.tests.unit.plugins.module_utils._engine.standin_world import World

PLACE = "Secret weave-gitops-enterprise-credentials in namespace flux-system"


def found(world: World, check: str, stored: str | None = None) -> tuple[str, str]:
    """Status and evidence of one check, with this entitlement stored and none given, or with the one given."""
    if stored is not None:
        world.cluster.put(entitlement(stored))
        world.set(entitlement="")
    finding = world.findings()[check]
    return finding.status, finding.evidence


class TestShape:
    """EN-01."""

    def test_a_stored_entitlement_passes_without_one_given(self, world: World) -> None:
        assert found(world, "EN-01", TOKEN) == ("pass", f"{PLACE} holds a signed token of three parts.")

    def test_the_same_entitlement_stored_and_given_passes(self, world: World) -> None:
        world.cluster.put(entitlement(TOKEN + "\n"))
        assert found(world, "EN-01")[0] == "pass"

    def test_one_that_is_given_where_none_is_stored_will_be_created(self, world: World) -> None:
        assert found(world, "EN-01") == ("pass", f"{PLACE} will be created from the entitlement that was given.")

    def test_none_stored_and_none_given_fails(self, world: World) -> None:
        world.set(entitlement="")
        assert found(world, "EN-01") == ("fail", f"There is no {PLACE}, and no entitlement was given.")
        assert world.findings()["EN-01"].remedy == "Give wge_entitlement, or apply the vendor's Secret."

    def test_another_one_stored_than_given_fails_and_shows_neither(self, world: World) -> None:
        world.cluster.put(entitlement(OTHER_TOKEN))
        finding = world.findings()["EN-01"]
        assert finding.status == "fail"
        assert finding.evidence == f"{PLACE} holds another entitlement than the one that was given; an upgrade never overwrites it."
        assert "install_entitlements.yml" in finding.remedy
        assert OTHER_TOKEN not in str(finding)
        assert TOKEN not in str(finding)

    def test_a_given_text_that_is_no_token_fails(self, world: World) -> None:
        world.set(entitlement="-----BEGIN LICENCE-----")
        assert found(world, "EN-01") == ("fail", "The entitlement that was given is no token. It has 1 part instead of three.")

    def test_a_secret_without_the_key_fails(self, world: World) -> None:
        world.cluster.put(secret("weave-gitops-enterprise-credentials", {"username": "x"}))
        assert found(world, "EN-01") == ("fail", f"{PLACE} has no key entitlement.")

    def test_a_stored_text_that_is_no_token_fails_without_being_shown(self, world: World) -> None:
        status, evidence = found(world, "EN-01", "changeme")
        assert (status, evidence) == ("fail", f"Key entitlement of {PLACE} is no token. It has 1 part instead of three.")

    def test_a_stored_token_behind_a_blank_is_no_token_since_wge_trims_nothing(self, world: World) -> None:
        assert found(world, "EN-01", " " + TOKEN) == ("fail", f"Key entitlement of {PLACE} is no token. Its header part is not base64url.")

    def test_a_key_that_is_not_base64_is_no_token(self, world: World) -> None:
        broken = entitlement(TOKEN)
        broken["data"]["entitlement"] = "%%%"
        world.cluster.put(broken)
        world.set(entitlement="")
        assert found(world, "EN-01")[0] == "fail"

    @pytest.mark.parametrize("there", [True, False])
    def test_where_wg_is_elsewhere_the_entitlements_namespace_must_exist(self, there: bool) -> None:
        world = World()
        for item in [released(item, "ww-gitops", "dash") for item in wg_objects()] + [release_secret("ww-gitops", wg_objects())]:
            if "namespace" in item["metadata"]:
                item["metadata"]["namespace"] = "dash"
            world.cluster.put(item)
        world.controllers.settle()
        if there:
            world.cluster.put({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "flux-system"}})
        status, evidence = found(world, "EN-01")
        assert status == ("pass" if there else "fail")
        if not there:
            assert evidence == "Namespace flux-system, where WGE looks for its entitlement, does not exist."


class TestSignature:
    """EN-02."""

    def test_a_genuine_one_passes_and_names_the_key(self, world: World) -> None:
        assert found(world, "EN-02") == ("pass", f"The entitlement that was given was signed with the key {VENDOR.public.key_id}.")

    def test_another_keys_signature_blocks_before_anything_is_written(self, world: World) -> None:
        status, evidence = found(world, "EN-02", token(STRANGER))
        assert status == "fail"
        assert evidence == "The stored entitlement is not genuine. Its signature was not made by the public key that is trusted here."
        assert "wge_entitlement_public_keys" in world.findings()["EN-02"].remedy

    def test_without_keys_of_ones_own_the_products_key_counts(self, world: World) -> None:
        world.set(entitlement_public_keys=())
        assert found(world, "EN-02")[0] == "fail"

    def test_a_second_key_is_trusted_as_well(self, world: World) -> None:
        world.set(entitlement_public_keys=(STRANGER.public.pem, PUBLIC_KEY))
        assert found(world, "EN-02")[0] == "pass"

    def test_what_is_no_token_is_left_to_the_check_of_its_shape(self, world: World) -> None:
        assert found(world, "EN-02", "changeme") == ("skip", "There is no token to look at, see EN-01.")

    def test_public_keys_that_are_none_are_refused(self, world: World) -> None:
        world.set(entitlement_public_keys=("ssh-ed25519 AAAA",))
        with pytest.raises(InvalidSettings, match="public key 1 is not a PEM text"):
            world.look()


class TestClaims:
    """EN-03."""

    def test_the_customer_and_what_is_granted_are_told(self, world: World) -> None:
        assert found(world, "EN-03") == ("pass", "For test@example.com, granting all features.")

    @pytest.mark.parametrize(
        ("features", "words"), [([], "granting no feature."), (["explorer", "pipelines"], "granting explorer, pipelines.")]
    )
    def test_features_are_named(self, world: World, features: list[str], words: str) -> None:
        assert found(world, "EN-03", token(features=features))[1].endswith(words)

    def test_a_missing_expiry_blocks(self, world: World) -> None:
        status, evidence = found(world, "EN-03", token(licencedUntil=None))
        assert (status, evidence) == ("fail", "The stored entitlement cannot be used. Its claim licencedUntil is missing.")

    def test_one_that_is_not_valid_yet_blocks(self, world: World) -> None:
        status, evidence = found(world, "EN-03", token(nbf=1800000000))
        assert (status, evidence) == ("fail", "The stored entitlement cannot be used. It is not valid before 2027-01-15T08:00:00Z.")

    def test_a_forged_one_is_left_to_the_check_of_its_signature(self, world: World) -> None:
        assert found(world, "EN-03", token(STRANGER))[0] == "skip"

    def test_unknown_features_warn_and_are_kept(self, world: World) -> None:
        status, evidence = found(world, "EN-03", token(features=["pipelines", "teleport"]))
        assert (status, evidence) == ("warn", "The entitlement grants features unknown here, which change nothing: teleport.")

    def test_values_that_want_more_than_is_granted_are_named(self, world: World) -> None:
        world.set(values={"enablePipelines": True})
        status, evidence = found(world, "EN-03", token(features=["explorer"]))
        assert (status, evidence) == ("warn", "wge_values turn on what the entitlement does not grant: pipelines. It stays off.")


class TestExpiry:
    """EN-04: a warning, not a lock."""

    def test_a_year_is_fine(self, world: World) -> None:
        assert found(world, "EN-04") == ("pass", "The entitlement that was given is good until 2027-11-23 12:00 UTC, 365 days from now.")

    def test_expired_warns_and_does_not_block(self, world: World) -> None:
        status, evidence = found(world, "EN-04", token(days=-1))
        assert (status, evidence) == (
            "warn",
            "The stored entitlement expired on 2026-11-22 12:00 UTC: WGE works, and warns its users.",
        )

    def test_expired_blocks_who_asks_for_that(self, world: World) -> None:
        world.set(fail_if_expired=True)
        assert found(world, "EN-04", token(days=-1))[0] == "fail"

    def test_soon_warns(self, world: World) -> None:
        status, evidence = found(world, "EN-04", token(days=13.5))
        assert (status, evidence) == ("warn", "The stored entitlement is good until 2026-12-07 00:00 UTC, 13 days from now.")

    def test_one_that_expires_during_the_soak_warns(self, world: World) -> None:
        world.set(soak_seconds=3600)
        status, evidence = found(world, "EN-04", token(days=0.01))
        assert status == "warn"
        assert evidence.endswith("before the upgrade is at its end.")

    def test_a_forged_one_has_no_expiry(self, world: World) -> None:
        assert found(world, "EN-04", token(STRANGER))[0] == "skip"


class TestCustomer:
    """EN-05: report only."""

    def test_whose_it_is_stands_in_the_evidence(self, world: World) -> None:
        assert found(world, "EN-05") == ("pass", "The entitlement that was given was issued to test@example.com.")

    def test_somebody_elses_warns(self, world: World) -> None:
        world.set(entitlement_customer="us@example.com")
        status, evidence = found(world, "EN-05")
        assert (status, evidence) == ("warn", "The entitlement that was given was issued to test@example.com, not to us@example.com.")

    def test_a_forged_one_is_nobodys(self, world: World) -> None:
        assert found(world, "EN-05", token(STRANGER))[0] == "skip"


class TestReadable:
    """EN-06."""

    def test_the_charts_own_binding_passes(self, world: World) -> None:
        assert found(world, "EN-06") == ("pass", f"ServiceAccount mccp may read the {PLACE}.")

    def test_without_it_the_upgrade_is_blocked(self, world: World) -> None:
        world.helm.render = _without_binding
        assert found(world, "EN-06") == ("fail", f"The chart does not let WGE's ServiceAccount mccp read the {PLACE}.")

    def test_a_role_of_somebody_else_cannot_be_judged(self, world: World) -> None:
        world.helm.render = _bound_to_a_foreign_role
        status, evidence = found(world, "EN-06")
        assert status == "warn"
        assert evidence.endswith("rests on roles that are not in the chart: our-own-reader.")


def _without_binding(release: Release) -> list[Object]:
    return [item for item in wge_objects(release) if item["metadata"]["name"] != "clusters-service-read-entitlements"]


def _bound_to_a_foreign_role(release: Release) -> list[Object]:
    objects = wge_objects(release)
    for item in objects:
        if item["metadata"]["name"] == "clusters-service-read-entitlements":
            item["roleRef"]["name"] = "our-own-reader"
    return objects
