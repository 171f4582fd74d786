# SPDX-License-Identifier: GPL-3.0-or-later
"""What WGE inherits from WG."""

from __future__ import annotations

import base64
from typing import Any

import pytest

from ansible_collections.weaveworks.wge.plugins.module_utils._engine import inherit
from ansible_collections.weaveworks.wge.plugins.module_utils._engine.discover import Found, Installed

LOGIN = "cluster-user-auth"
OIDC = "oidc-auth"


def wg(arguments: list[str] | None = None, **values: Any) -> Installed:
    container = {"name": "wg", "image": "x/wego-app:v0.38.0", "args": arguments or []}
    deployment = {"spec": {"template": {"spec": {"containers": [container]}}}}
    return Installed(Found(deployment, "helm", "ww-gitops"), values=values)


def secret(**data: str) -> dict[str, Any]:
    return {"data": {key: base64.b64encode(value.encode()).decode() for key, value in data.items()}}


def values(installed: Installed, secrets: dict[str, Any] | None = None, user: dict[str, Any] | None = None) -> dict[str, Any]:
    return inherit.values_for(installed, secrets or {}, user or {})


def test_wge_brings_no_ingress_of_its_own() -> None:
    assert values(wg())["ingress"] == {"enabled": False}


@pytest.mark.parametrize(("arguments", "tls"), [(["--insecure"], False), (["--tls-cert-file=/x"], True)])
def test_wge_speaks_the_scheme_that_wg_speaks(arguments: list[str], tls: bool) -> None:
    assert values(wg(arguments))["tls"] == {"enabled": tls}


def test_a_local_login_is_on_when_its_secret_is_there() -> None:
    assert values(wg(), {LOGIN: secret(username="admin")})["config"]["auth"]["userAccount"] == {"enabled": True}
    assert values(wg(), {LOGIN: None})["config"]["auth"]["userAccount"] == {"enabled": False}


def test_only_the_ways_to_log_in_that_wg_offers_are_offered() -> None:
    auth = values(wg(["--auth-methods=oidc, token-passthrough"]), {LOGIN: secret(username="admin")})["config"]["auth"]
    assert auth == {"userAccount": {"enabled": False}, "tokenPassthrough": {"enabled": True}}


def test_oidc_addresses_and_claims_are_inherited_and_its_secrets_stay_where_they_are() -> None:
    given = secret(issuerURL="https://dex", redirectURL="https://wg/cb", tokenDuration="1h", clientID="canary", clientSecret="canary")
    config = values(wg(), {OIDC: given})["config"]
    assert config["oidc"] == {
        "enabled": True,
        "clientCredentialsSecret": "oidc-auth",
        "issuerURL": "https://dex",
        "redirectURL": "https://wg/cb",
        "cookieDuration": "1h",
    }
    assert "canary" not in str(config)


def test_scopes_are_trimmed_because_wge_does_not() -> None:
    given = secret(issuerURL="https://dex", customScopes="openid, groups")
    assert values(wg(), {OIDC: given})["config"]["oidc"]["customScopes"] == "openid,groups"


@pytest.mark.parametrize("given", [None, {}, {"data": None}, secret(clientID="x")])
def test_without_an_issuer_there_is_no_oidc(given: Any) -> None:
    assert "oidc" not in values(wg(), {OIDC: given})["config"]


@pytest.mark.parametrize(("level", "inherited"), [("debug", "debug"), ("warn", "info"), ("loud", "info")])
def test_a_log_level_wge_does_not_know_becomes_info(level: str, inherited: str) -> None:
    assert values(wg(logLevel=level))["config"]["logLevel"] == inherited


def test_telemetry_stays_off_unless_it_was_on() -> None:
    off = {"name": "WEAVE_GITOPS_FEATURE_TELEMETRY", "value": "false"}
    on = {"name": "WEAVE_GITOPS_FEATURE_TELEMETRY", "value": "true"}
    assert values(wg())["extraEnvVars"] == [off]
    assert values(wg(envVars=[on]))["extraEnvVars"] == [on]


def test_feature_flags_are_inherited_but_for_those_the_chart_sets_itself() -> None:
    given = [
        {"name": "WEAVE_GITOPS_FEATURE_RUN_UI", "value": "true"},
        {"name": "WEAVE_GITOPS_FEATURE_CLUSTER", "value": "false"},
        {"name": "HTTP_PROXY", "value": "x"},
    ]
    names = [entry["name"] for entry in values(wg(envVars=given))["extraEnvVars"]]
    assert names == ["WEAVE_GITOPS_FEATURE_RUN_UI", "WEAVE_GITOPS_FEATURE_TELEMETRY"]


def test_pull_secrets_and_route_prefix_are_inherited_when_there() -> None:
    found = values(wg(["--route-prefix=/weave"], imagePullSecrets=[{"name": "regcred"}]))
    assert found["imagePullSecrets"] == [{"name": "regcred"}]
    assert found["additionalArgs"] == ["--route-prefix=/weave"]
    assert not {"imagePullSecrets", "additionalArgs"} & set(values(wg()))


def test_no_network_policy_is_made_where_wg_made_none() -> None:
    assert values(wg(networkPolicy={"create": False}))["networkPolicy"] == {"enabled": False}


def test_what_the_user_gives_wins() -> None:
    found = values(wg(), user={"config": {"logLevel": "debug"}, "tls": {"enabled": True}})
    assert found["config"]["logLevel"] == "debug"
    assert found["config"]["cluster"] == {"name": "Default"}
    assert found["tls"] == {"enabled": True}
