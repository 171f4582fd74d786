# SPDX-License-Identifier: GPL-3.0-or-later
"""CU-05 and TA-09."""

from __future__ import annotations

import pytest

from ansible_collections.weaveworks.wge.plugins.module_utils._engine.checks.authentication import auth_sources, issuer
from ansible_collections.weaveworks.wge.plugins.module_utils._engine.checks.evidence import Judged
from ansible_collections.weaveworks.wge.tests.unit.plugins.module_utils._engine.standin_products import secret
from ansible_collections.weaveworks.wge.tests.unit.plugins.module_utils._engine.standin_world import World

OIDC = {
    "issuerURL": "https://dex.example.com",
    "clientID": "canary-id",
    "clientSecret": "canary-secret",
    "redirectURL": "https://wg.example.com/oauth2/callback",
}


def with_flags(*arguments: str) -> World:
    world = World()
    world.install_wg(arguments=("--insecure", *arguments))
    return world


def ways(world: World) -> Judged:
    return auth_sources(world.evidence())


def oidc(world: World, name: str = "oidc-auth", **changed: str) -> Judged:
    """TA-09 when WG has this OIDC Secret."""
    world.cluster.put(secret(name, {key: value for key, value in {**OIDC, **changed}.items() if value}))
    return issuer(world.evidence())


def test_a_local_user_that_wge_inherits_passes(world: World) -> None:
    found = ways(world)
    assert (found.status, found.evidence) == ("pass", "WG offers the local user, and WGE will.")


def test_oidc_is_inherited_too(world: World) -> None:
    world.cluster.put(secret("oidc-auth", OIDC))
    found = ways(world)
    assert (found.status, found.evidence) == ("pass", "WG offers the local user, OIDC, and WGE will.")
    assert "canary" not in str(found)


def test_nobody_can_log_in_when_all_secrets_are_missing(world: World) -> None:
    world.cluster.remove("Secret", "cluster-user-auth")
    found = ways(world)
    assert (found.status, found.evidence) == (
        "fail",
        "Nobody can log in to WG: it offers user-account, oidc, and the Secrets for that are missing or incomplete.",
    )
    assert found.remedy == "Create cluster-user-auth (gitops get bcrypt-hash makes the hash) or oidc-auth."


def test_an_oidc_secret_of_another_name_is_lost_unless_values_say_otherwise() -> None:
    world = with_flags("--oidc-secret-name=dex", "--auth-methods=oidc")
    world.cluster.put(secret("dex", OIDC))
    found = ways(world)
    assert (found.status, found.evidence) == ("fail", "WG offers OIDC, and none of it would work in WGE.")
    assert found.remedy == "WGE inherits OIDC from Secret oidc-auth alone: give config.oidc in wge_values."
    world.set(values={"config": {"oidc": {"enabled": True, "clientCredentialsSecret": "dex", **OIDC}}})
    assert ways(world).status == "pass"


def test_oidc_by_flags_is_lost_beside_a_local_user() -> None:
    world = with_flags("--oidc-issuer-url=https://dex.example.com")
    found = ways(world)
    assert (found.status, found.evidence) == ("warn", "WG offers the local user, OIDC; WGE would not offer OIDC.")


def test_a_login_secret_of_another_name_has_to_be_copied() -> None:
    world = with_flags("--admin-secret", "wg-user-auth", "--auth-methods", "user-account")
    world.cluster.remove("Secret", "cluster-user-auth")
    found = ways(world)
    assert found.status == "fail"
    assert found.remedy == "Copy Secret wg-user-auth to cluster-user-auth, which WGE reads."


def test_a_dashboard_without_a_login_is_not_opened_to_all_unasked() -> None:
    world = with_flags("--insecure-no-authentication-user=view", "--auth-methods=anonymous")
    found = ways(world)
    assert (found.status, found.evidence) == ("fail", "WG offers no login at all, and none of it would work in WGE.")
    world.set(values={"config": {"auth": {"noAuthentication": {"user": "view"}}}})
    assert ways(world).status == "pass"


def test_bearer_tokens_are_inherited() -> None:
    assert ways(with_flags("--auth-methods=token-passthrough")).evidence == "WG offers bearer tokens, and WGE will."


def test_without_oidc_there_is_no_issuer(world: World) -> None:
    assert (issuer(world.evidence()).status, issuer(world.evidence()).evidence) == ("skip", "WGE gets no OIDC.")


def test_an_issuer_that_sends_people_to_a_kept_route_passes_and_was_not_asked(world: World) -> None:
    found = oidc(world)
    assert (found.status, found.evidence) == (
        "pass",
        "The issuer sends people back to wg.example.com, which is kept. Whether the issuer answers, and knows this client, was not asked.",
    )
    assert "canary" not in str(found)


def test_an_entry_url_counts_as_a_kept_address(world: World) -> None:
    world.set(entry_urls=("https://dash.example.com",))
    assert oidc(world, redirectURL="https://dash.example.com/oauth2/callback").status == "pass"


@pytest.mark.parametrize("key", ["clientID", "clientSecret"])
def test_a_client_without_its_secret_fails(world: World, key: str) -> None:
    found = oidc(world, **{key: ""})
    assert (found.status, found.evidence) == (
        "fail",
        f"OIDC is switched on, but there is no {key} in Secret oidc-auth: WGE would not start.",
    )


def test_values_without_an_issuer_or_a_secret_fail(world: World) -> None:
    world.set(values={"config": {"oidc": {"enabled": True, "redirectURL": "https://x"}}})
    assert issuer(world.evidence()).evidence == (
        "OIDC is switched on, but there is no clientID in Secret (none) and no clientSecret in Secret (none) and no config.oidc.issuerURL: "
        "WGE would not start."
    )


def test_a_host_that_leads_nowhere_fails_when_the_addresses_are_known(world: World) -> None:
    world.set(entry_urls=("https://wg.example.com",))
    found = oidc(world, redirectURL="https://old.example.com/oauth2/callback")
    assert (found.status, found.evidence) == (
        "fail",
        "The issuer sends people back to old.example.com, which is no host of a kept route or an entry URL (wg.example.com).",
    )
    assert found.remedy.startswith("Correct redirectURL")


def test_a_host_that_nothing_speaks_of_is_warned_of(world: World) -> None:
    found = oidc(world, redirectURL="https://gateway.example.com/oauth2/callback")
    assert found.status == "warn"
    assert found.remedy == "Name the addresses of the dashboard in wge_entry_urls, then run again."


def test_another_path_than_wge_serves_is_warned_of(world: World) -> None:
    found = oidc(world, redirectURL="https://wg.example.com/wg/oauth2/callback")
    assert found.status == "warn"
    assert "but WGE takes them at /oauth2/callback." in found.evidence
