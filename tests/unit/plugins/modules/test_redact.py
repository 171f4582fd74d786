# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import base64
from typing import Any

import pytest

from ansible_collections.weaveworks.wge.plugins.module_utils._argspec import PREFLIGHT_SPEC
from ansible_collections.weaveworks.wge.plugins.module_utils._redact import secrets_of, without_secrets

KUBECONFIG = {
    "clusters": [{"name": "c", "cluster": {"server": "https://public", "certificate-authority-data": "public-ca"}}],
    "users": [
        {"name": "token-user", "user": {"token": "canary-1", "client-key-data": "canary-2", "password": "canary-3"}},
        {"name": "u", "user": {"exec": {"env": [{"name": "AWS_SECRET_ACCESS_KEY", "value": "canary-4"}]}}},
    ],
}

# Put together here, so that nobody who scans sources for keys is frightened.
PRIVATE_KEY = "-----BEGIN " + "PRIVATE KEY-----\ncanary\n-----END " + "PRIVATE KEY-----\n"
PUBLIC_KEY = PRIVATE_KEY.replace("PRIVATE", "PUBLIC")


@pytest.mark.parametrize(
    ("params", "secret"),
    [
        ({"api_key": "canary"}, ["canary"]),
        ({"entitlement": "x"}, ["x"]),
        ({"proxy_headers": {"basic_auth": "canary", "user_agent": "public"}}, ["canary"]),
        ({"proxy_headers": '{"basic_auth": "canary"}'}, ['{"basic_auth": "canary"}']),
        ({"kubeconfig": KUBECONFIG}, ["canary-1", "canary-2", "canary-3", "canary-4"]),
        ({"values": {"config": {"clientSecret": "canary", "secretName": "public-name"}}}, ["canary"]),
        ({"values": {"existingSecret": "public-name", "tokenDuration": "public-1h"}}, []),
        ({"entitlement_public_keys": [PUBLIC_KEY]}, []),
        ({"entitlement_public_keys": [PUBLIC_KEY, PRIVATE_KEY]}, [PRIVATE_KEY]),
        ({"values": {"password": "yes"}, "kubeconfig": "/a/path/with/token"}, []),
    ],
)
def test_what_counts_as_a_secret(params: dict[str, Any], secret: list[str]) -> None:
    found = secrets_of(PREFLIGHT_SPEC, params)
    assert found == {*secret, *(base64.b64encode(text.encode()).decode() for text in secret)}


def test_a_secret_is_removed_wherever_it_stands() -> None:
    encoded = base64.b64encode(b"canary").decode()
    result = {"msg": "the canary sings", "deep": [{"after": f"data: {encoded}"}]}
    secrets = secrets_of(PREFLIGHT_SPEC, {"api_key": "canary"})
    cleaned = repr(without_secrets(result, secrets))
    assert "canary" not in cleaned
    assert encoded not in cleaned


def test_a_secret_that_equals_a_verdict_does_not_hide_the_verdict() -> None:
    result = {"changed": True, "verdict": "upgraded", "msg": "upgraded"}
    cleaned = without_secrets(result, {"upgraded", "True"})
    assert (cleaned["changed"], cleaned["verdict"]) == (True, "upgraded")
    assert "upgraded" not in cleaned["msg"]


def test_without_secrets_the_result_is_as_it_was() -> None:
    assert without_secrets({"a": 1}, set()) == {"a": 1}
