# SPDX-License-Identifier: GPL-3.0-or-later
"""A vendor's pair of keys: made once, never overwritten."""

from __future__ import annotations

import json
import os
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

import pytest

from ansible_collections.weaveworks.wge.plugins.module_utils._argspec import KEYPAIR_SPEC
from ansible_collections.weaveworks.wge.plugins.module_utils._engine.entitlement.keys import generate, public_keys
from ansible_collections.weaveworks.wge.plugins.module_utils._engine.entitlement.verify import verify
from ansible_collections.weaveworks.wge.tests.unit.plugins.module_utils._engine.standin_vendor import VENDOR
from ansible_collections.weaveworks.wge.tests.unit.plugins.module_utils.vendor_folder import ENCRYPTED, PEM, RSA, Vendor, asked


@pytest.fixture
def vendor(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Vendor:
    monkeypatch.delenv("AWX_ISOLATED_DATA_DIR", raising=False)
    return Vendor(tmp_path)


def pair(path: Path, *, check: bool = False, **more: Any) -> dict[str, Any]:
    return asked("keypair", KEYPAIR_SPEC, {"path": str(path), **more}, check=check)


@pytest.mark.parametrize("passphrase", [None, "pass phrase"])
def test_a_pair_is_made_that_signs_and_verifies(vendor: Vendor, passphrase: str | None) -> None:
    made = pair(vendor.key, passphrase=passphrase)
    public = Path(f"{vendor.key}.pub")
    assert made["changed"] and (made["path"], made["public_path"]) == (str(vendor.key), str(public))
    assert (vendor.key.stat().st_mode & 0o777, public.stat().st_mode & 0o777) == (0o600, 0o644)
    assert public.read_text() == made["public_key"]
    assert ("ENCRYPTED" in vendor.key.read_text()) is bool(passphrase)
    answer = vendor.issue(private_key=None, private_key_path=str(vendor.key), private_key_passphrase=passphrase)
    (key,) = public_keys([made["public_key"]])
    assert answer["key_id"] == made["key_id"] == key.key_id
    assert verify(vendor.token(), [key], datetime.now(timezone.utc)).valid
    assert pem_lines(vendor.key) & set(json.dumps(made).split("\\n")) == set()


def pem_lines(path: Path) -> set[str]:
    return {line for line in path.read_text().splitlines() if not line.startswith("-----")}


def test_a_pair_is_never_overwritten(vendor: Vendor) -> None:
    made = pair(vendor.key)
    content = vendor.key.read_bytes()
    again = pair(vendor.key)
    assert (again["changed"], again["public_key"], again["key_id"]) == (False, made["public_key"], made["key_id"])
    assert vendor.key.read_bytes() == content


def test_a_public_key_that_was_lost_is_written_again(vendor: Vendor) -> None:
    made = pair(vendor.key)
    os.unlink(made["public_path"])
    assert pair(vendor.key, check=True)["changed"] and not os.path.exists(made["public_path"])
    assert pair(vendor.key) == made
    assert not pair(vendor.key)["changed"]


def test_processes_that_make_a_pair_at_once_agree_on_one(vendor: Vendor) -> None:
    children = []
    for number in range(6):
        child = os.fork()
        if child == 0:
            made = pair(vendor.key)
            (vendor.key.parent / f"said{number}").write_text(made.get("key_id", made.get("msg", "")))
            os._exit(0)
        children.append(child)
    for child in children:
        os.waitpid(child, 0)
    assert {path.read_text() for path in vendor.key.parent.glob("said*")} == {pair(vendor.key)["key_id"]}
    assert not list(vendor.key.parent.glob("*.part"))


def test_check_mode_makes_no_pair(vendor: Vendor) -> None:
    answer = pair(vendor.key, check=True)
    assert (answer["changed"], answer["public_key"]) == (True, "")
    assert os.listdir(vendor.key.parent) == []


@pytest.mark.parametrize(
    ("private", "public", "options", "sentence"),
    [
        (PEM, generate().public.pem, {}, "The public key in {key}.pub does not belong to the private key."),
        (PEM, "", {}, "The file {key}.pub is empty."),
        (PEM, PEM, {}, "What was given as public key 1 is a private key; it is not shown here."),
        (None, VENDOR.public.pem, {}, "There is a public key {key}.pub, but no private key {key}."),
        ("", None, {}, "There is no PEM text in {key}."),
        ("canary", None, {}, "There is no PEM text in {key}."),
        (RSA, None, {}, "The key in {key} is an RSA key; entitlements are signed with Ed25519."),
        (ENCRYPTED, None, {}, "The key in {key} is encrypted, and no passphrase was given."),
        (ENCRYPTED, None, {"passphrase": "wrong"}, "The key in {key} cannot be read."),
        (VENDOR.public.pem, None, {}, "What is in {key} is no private key."),
        (None, None, {"public_path": "{key}"}, "path and public_path are the same file."),
    ],
)
def test_files_that_are_no_pair_are_one_sentence(
    vendor: Vendor, private: str | None, public: str | None, options: dict[str, str], sentence: str
) -> None:
    for path, text in ((vendor.key, private), (Path(f"{vendor.key}.pub"), public)):
        if text is not None:
            path.write_text(text)
    before = sorted(os.listdir(vendor.key.parent))
    answer = pair(vendor.key, **{name: value.format(key=vendor.key) for name, value in options.items()})
    assert answer["failed"] and answer["msg"].startswith(sentence.format(key=vendor.key))
    assert sorted(os.listdir(vendor.key.parent)) == before
    assert PEM.splitlines()[1] not in answer["msg"]


def test_a_private_key_that_dies_with_the_job_is_a_warning(vendor: Vendor, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWX_ISOLATED_DATA_DIR", str(vendor.key.parent / "artifacts" / "7"))
    assert "removed when the job ends" in pair(vendor.key)["warnings"][0]
