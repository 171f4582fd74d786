# SPDX-License-Identifier: GPL-3.0-or-later
"""Ansible's own vault behind archives: which id is written with, and what is said when there is none."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest
from ansible import constants
from ansible.parsing.vault import VaultLib, VaultSecret

from ansible_collections.weaveworks.wge.plugins.module_utils._errors import InvalidSettings
from ansible_collections.weaveworks.wge.plugins.plugin_utils._vault import ControllerVault

PLAIN = b"data:\n  password: c4n4ry\n"


def vault(**secrets: str) -> ControllerVault:
    given = [(name, VaultSecret(text.encode())) for name, text in secrets.items()]
    return ControllerVault(SimpleNamespace(_vault=VaultLib(given)))


@pytest.fixture(autouse=True)
def no_setting(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(constants, "DEFAULT_VAULT_ENCRYPT_IDENTITY", None)


def test_what_is_encrypted_opens_again_and_shows_nothing() -> None:
    ours = vault(prod="pw")
    name, encrypt = ours.writer("")
    text = encrypt(PLAIN)
    assert name == "prod"
    assert text.startswith(b"$ANSIBLE_VAULT;1.2;AES256;prod\n")
    assert b"c4n4ry" not in text
    assert ours.decrypt(text) == PLAIN


def test_the_id_is_the_one_named_then_ansibles_own_then_the_only_one(monkeypatch: pytest.MonkeyPatch) -> None:
    both = vault(dev="a", prod="b")
    assert both.writer("dev")[0] == "dev"
    monkeypatch.setattr(constants, "DEFAULT_VAULT_ENCRYPT_IDENTITY", "prod")
    assert both.writer("")[0] == "prod"
    assert both.writer("dev")[0] == "dev"
    assert vault(default="x").writer("default")[0] == "default"


def test_of_several_ids_none_is_guessed() -> None:
    with pytest.raises(InvalidSettings, match=r"There are several vault ids: dev, prod\. Name one in vault_id"):
        vault(dev="a", prod="b").writer("")


def test_an_id_without_a_secret_is_named() -> None:
    with pytest.raises(InvalidSettings, match=r"There is no secret of vault id stage; there is dev, prod\. Correct vault_id"):
        vault(dev="a", prod="b").writer("stage")


@pytest.mark.parametrize("loader", [SimpleNamespace(_vault=VaultLib([])), SimpleNamespace(_vault=VaultLib(None)), SimpleNamespace()])
def test_without_a_vault_secret_it_is_said_how_to_give_one(loader: SimpleNamespace) -> None:
    ours = ControllerVault(loader)
    with pytest.raises(InvalidSettings, match=r"There is no vault secret to encrypt Secrets with\. Give it with --vault-id .*hashes_only"):
        ours.writer("")
    with pytest.raises(InvalidSettings, match="There is no vault secret to open the archive with"):
        ours.decrypt(b"$ANSIBLE_VAULT;1.1;AES256\n00")


@pytest.mark.parametrize("damage", ["password", "cut", "text"])
def test_what_does_not_open_is_told_without_a_byte_of_it(damage: str) -> None:
    text = vault(prod="pw").writer("")[1](PLAIN)
    broken = {"password": text, "cut": text[:-20], "text": b"c4n4ry"}[damage]
    other = vault(prod="wrong" if damage == "password" else "pw")
    with pytest.raises(InvalidSettings, match=r"does not open with the vault secrets that were given \(prod\)") as caught:
        other.decrypt(broken)
    assert "c4n4ry" not in str(caught.value)


def test_ansible_vault_view_opens_it(tmp_path: Path) -> None:
    (tmp_path / "password").write_text("pw")
    (tmp_path / "member.yaml").write_bytes(vault(prod="pw").writer("")[1](PLAIN))
    program = Path(sys.executable).parent / "ansible-vault"
    words = [str(program), "view", "--vault-id", f"prod@{tmp_path / 'password'}", str(tmp_path / "member.yaml")]
    done = subprocess.run(words, capture_output=True, check=True, env={**os.environ, "LC_ALL": "C.UTF-8"})
    assert done.stdout.strip() == PLAIN.strip()
