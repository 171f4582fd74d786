# SPDX-License-Identifier: GPL-3.0-or-later
"""An entitlement as a file: what is written is read again, and nothing of what was read is ever quoted."""

from __future__ import annotations

import base64
import json

import pytest
import yaml

from ansible_collections.weaveworks.wge.plugins.module_utils._engine.entitlement.keys import generate
from ansible_collections.weaveworks.wge.plugins.module_utils._engine.entitlement.manifest import (
    check_names,
    credentials_of,
    secret_manifest,
)
from ansible_collections.weaveworks.wge.plugins.module_utils._errors import InvalidSettings

from ..standin_vendor import TOKEN

NAME, NAMESPACE = "weave-gitops-enterprise-credentials", "flux-system"


def secret(**more: object) -> str:
    return yaml.safe_dump({"apiVersion": "v1", "kind": "Secret", "metadata": {"name": NAME}, **more})


def in_base64(text: str) -> str:
    return base64.b64encode(text.encode()).decode()


def refusal(content: str | bytes) -> str:
    with pytest.raises(InvalidSettings) as problem:
        credentials_of(content, "the file x")
    assert problem.value.next_step
    return problem.value.what


def test_a_manifest_is_the_secret_in_which_wge_looks() -> None:
    found = yaml.safe_load(secret_manifest(TOKEN, NAME, NAMESPACE))
    assert found["metadata"] == {"name": NAME, "namespace": NAMESPACE}
    assert (found["apiVersion"], found["kind"], found["type"]) == ("v1", "Secret", "Opaque")
    assert base64.b64decode(found["data"]["entitlement"]).decode() == TOKEN


def test_a_name_that_yaml_would_take_for_a_number_stays_a_name() -> None:
    assert yaml.safe_load(secret_manifest(TOKEN, "1e5", "0"))["metadata"] == {"name": "1e5", "namespace": "0"}


def test_what_is_written_is_read_again() -> None:
    assert credentials_of(secret_manifest(TOKEN, NAME, NAMESPACE)) == {"entitlement": TOKEN}


@pytest.mark.parametrize("text", [TOKEN, f"{TOKEN}\n", f"\n  {TOKEN}\r\n", f"\ufeff{TOKEN}"])
def test_a_bare_token_is_one_with_white_space_around_it(text: str) -> None:
    assert credentials_of(text) == credentials_of(text.encode()) == {"entitlement": TOKEN}


@pytest.mark.parametrize("text", ["", "a.b", "a.b.c.d", "two lines\nof words"])
def test_what_is_no_manifest_is_left_to_the_verifier(text: str) -> None:
    assert credentials_of(text) == {"entitlement": text}


def test_all_that_wge_reads_is_taken_and_nothing_else() -> None:
    data = {
        "entitlement": in_base64(TOKEN),
        "username": in_base64("u"),
        "password": in_base64("p"),
        "deploy-key": in_base64("d"),
        "x": "eA==",
    }
    assert credentials_of(secret(data=data)) == {"entitlement": TOKEN, "username": "u", "password": "p", "deploy-key": "d"}


def test_plain_data_wins_as_in_an_api_server() -> None:
    assert credentials_of(secret(data={"entitlement": in_base64("old")}, stringData={"entitlement": TOKEN})) == {"entitlement": TOKEN}


def test_json_is_read_too() -> None:
    item = {"apiVersion": "v1", "kind": "Secret", "data": {"entitlement": in_base64(TOKEN)}}
    assert credentials_of(json.dumps(item, indent=1)) == {"entitlement": TOKEN}


def test_a_password_that_looks_like_a_number_stays_as_it_is() -> None:
    assert credentials_of(f"---\n{secret(stringData={'entitlement': TOKEN})}  password: 007\n")["password"] == "007"


def test_base64_may_be_folded_into_lines() -> None:
    encoded = in_base64(TOKEN)
    folded = "".join(f"    {encoded[start : start + 76]}\n" for start in range(0, len(encoded), 76))
    assert credentials_of(f"apiVersion: v1\nkind: Secret\ndata:\n  entitlement: |\n{folded}") == {"entitlement": TOKEN}


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (secret(data={"username": "dQ=="}), "The Secret in the file x has no key entitlement."),
        (secret(), "The Secret in the file x has no key entitlement."),
        (secret(data={"entitlement": "canary!"}), "In the Secret in the file x the key entitlement is not base64 of a text."),
        (secret(data={"entitlement": "Y2FuYXJ"}), "In the Secret in the file x the key entitlement is not base64 of a text."),
        (secret(data={"entitlement": "/w=="}), "In the Secret in the file x the key entitlement is not base64 of a text."),
        (secret(data={"entitlement": TOKEN}), "In the Secret in the file x the key entitlement is not base64 of a text."),
        (secret(data=["canary"]), "In the Secret in the file x data is not a mapping of texts."),
        (secret(stringData={"entitlement": ["canary"]}), "In the Secret in the file x stringData is not a mapping of texts."),
        (secret().replace("kind: Secret", "kind: SealedSecret"), "What is in the file x is neither a token nor the manifest of a Secret"),
        (secret().replace("apiVersion: v1", "apiVersion: v2"), "What is in the file x is neither a token nor the manifest of a Secret"),
        ("canary: [1, 2]", "What is in the file x is neither a token nor the manifest of a Secret"),
        ("- canary: 1", "What is in the file x is neither a token nor the manifest of a Secret"),
        ("canary:\n - [", "What is in the file x is neither a token nor YAML."),
        ("canary: !!python/object:os.system x\n  : ]", "What is in the file x is neither a token nor YAML."),
        ("canary: &a [*a]", "What is in the file x is neither a token nor YAML."),
        ("canary: " + "[" * 60000, "What is in the file x is neither a token nor YAML."),
        (f"{secret()}---\n{secret()}", "There are 2 YAML documents in the file x instead of one."),
        ("canary" * 20000, "What is in the file x is longer than 65536 bytes, so it is no entitlement."),
        ("canary\x00", "What is in the file x holds NUL bytes or other control characters, so it is no entitlement."),
        (b"\x7fELF\xff\xfecanary", "What is in the file x is not a text."),
        ("\ud800canary", "What is in the file x is not a text."),
        (generate().pem(), "In the file x there is a PEM text, which is a key or a certificate and no entitlement; it is not shown here."),
    ],
)
def test_what_cannot_be_used_is_one_sentence_that_quotes_nothing(content: str | bytes, sentence: str) -> None:
    said = refusal(content)
    assert said.startswith(sentence)
    assert "canary" not in said and TOKEN[:20] not in said


@pytest.mark.parametrize("name", ["", "Upper", "a/b", "a\nb", "-a", "a" * 254])
def test_a_secret_is_called_what_an_api_server_takes(name: str) -> None:
    with pytest.raises(InvalidSettings, match="secret_name is"):
        check_names(name, NAMESPACE)
    with pytest.raises(InvalidSettings, match="secret_namespace is"):
        check_names(NAME, name)
    check_names(NAME, NAMESPACE)
