# SPDX-License-Identifier: GPL-3.0-or-later
"""Issuing as a user sees it: through the one door, with real files."""

from __future__ import annotations

import json
import os
import signal
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

import pytest

from ansible_collections.weaveworks.wge.plugins.module_utils._engine.entitlement.verify import fingerprint, verify
from ansible_collections.weaveworks.wge.plugins.module_utils._front import issue
from ansible_collections.weaveworks.wge.tests.unit.plugins.module_utils._engine.standin_vendor import VENDOR
from ansible_collections.weaveworks.wge.tests.unit.plugins.module_utils.vendor_folder import CURVE, CUSTOMER, ENCRYPTED, PEM, RSA, Vendor


@pytest.fixture
def vendor(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Vendor:
    monkeypatch.delenv("AWX_ISOLATED_DATA_DIR", raising=False)
    return Vendor(tmp_path)


def test_the_file_holds_a_secret_whose_token_verifies(vendor: Vendor) -> None:
    answer = vendor.issue(features=["templates", "pipelines"])
    found = verify(vendor.token(), [VENDOR.public], datetime.now(timezone.utc))
    assert found.valid and found.features == ("pipelines", "templates")
    assert (answer["changed"], answer["status"], answer["days_left"]) == (True, "issued", 364)
    assert answer["sha256"] == fingerprint(vendor.token()) and answer["jti"] == found.jti
    assert (answer["customer"], answer["path"]) == (CUSTOMER, str(vendor.output))
    assert vendor.output.stat().st_mode & 0o777 == 0o600


def test_or_the_token_alone(vendor: Vendor) -> None:
    answer = vendor.issue(format="token", return_token=True)
    assert vendor.output.read_text() == f"{answer['token']}\n"


def test_the_result_holds_no_token_unless_it_was_asked_for(vendor: Vendor) -> None:
    assert "token" not in vendor.issue()
    assert vendor.token() not in json.dumps(vendor.issue())
    assert vendor.issue(return_token=True)["token"] == vendor.token()


def test_the_ledger_holds_neither_token_nor_key(vendor: Vendor) -> None:
    vendor.issue()
    assert vendor.token().rpartition(".")[2] not in vendor.ledger.read_text()
    assert PEM.splitlines()[1] not in vendor.ledger.read_text()


def test_the_second_time_nothing_changes(vendor: Vendor) -> None:
    first = vendor.issue()
    before = vendor.output.stat()
    again = vendor.issue()
    assert (again["changed"], again["status"], again["sha256"]) == (False, "unchanged", first["sha256"])
    assert vendor.output.stat().st_mtime_ns == before.st_mtime_ns and vendor.output.stat().st_ino == before.st_ino
    assert len(vendor.rows()) == 1


def test_without_a_path_nothing_but_the_ledger_is_written(vendor: Vendor) -> None:
    answer = vendor.issue(path=None)
    assert (answer["changed"], answer["path"]) == (True, "")
    assert vendor.issue(path=None)["changed"] is False
    assert not vendor.output.parent.exists()


@pytest.mark.parametrize("damage", ["lost", "other", "exposed"])
def test_a_file_that_is_not_as_it_was_is_written_again_with_the_same_entitlement(vendor: Vendor, damage: str) -> None:
    vendor.issue()
    token = vendor.token()
    if damage == "lost":
        vendor.output.unlink()
    elif damage == "other":
        vendor.output.write_text("x")
    else:
        vendor.output.chmod(0o644)
    again = vendor.issue()
    assert (again["changed"], again["status"], vendor.token()) == (True, "unchanged", token)
    assert vendor.output.stat().st_mode & 0o777 == 0o600
    assert len(vendor.rows()) == 1


def test_killed_between_ledger_and_file_the_next_run_gives_the_same_entitlement(vendor: Vendor, monkeypatch: pytest.MonkeyPatch) -> None:
    child = os.fork()
    if child == 0:
        monkeypatch.setattr(issue, "write_private", lambda *_arguments: os.kill(os.getpid(), signal.SIGKILL))
        vendor.issue()
        os._exit(0)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == -signal.SIGKILL
    (row,) = vendor.rows()
    assert not vendor.output.exists()
    answer = vendor.issue()
    assert (answer["changed"], answer["status"], answer["jti"]) == (True, "unchanged", row["jti"])
    assert fingerprint(vendor.token()) == row["sha256"]
    assert len(vendor.rows()) == 1


def test_killed_within_the_row_the_next_run_replaces_it(vendor: Vendor) -> None:
    vendor.issue()
    vendor.output.unlink()
    vendor.ledger.write_bytes(vendor.ledger.read_bytes()[:-20])
    answer = vendor.issue()
    assert answer["status"] == "issued" and "torn" in answer["warnings"][0]
    assert len(vendor.rows()) == 1


def test_an_edited_row_is_an_error(vendor: Vendor) -> None:
    vendor.issue(expires="2099-01-01", path=None)
    vendor.ledger.write_text(vendor.ledger.read_text().replace('"features":null', '"features":[]'))
    assert "the row was edited" in vendor.refused(expires="2099-01-01", features=[])


@pytest.mark.parametrize("known", [False, True])
def test_check_mode_says_what_would_be_and_writes_nothing(vendor: Vendor, known: bool) -> None:
    if known:
        vendor.issue()
    before = {path: path.read_bytes() for path in vendor.ledger.parent.rglob("*") if path.is_file()}
    answer = vendor.issue(check=True, return_token=True)
    assert (answer["changed"], answer["status"]) == ((False, "unchanged") if known else (True, "issued"))
    assert bool(answer["jti"]) is bool(answer["sha256"]) is ("token" in answer) is known
    assert {path: path.read_bytes() for path in vendor.ledger.parent.rglob("*") if path.is_file()} == before
    assert vendor.issue(check=True, customer="b@example.com", path=None)["status"] == "issued"


def test_a_key_file_that_others_can_read_is_a_warning(vendor: Vendor) -> None:
    vendor.key.write_text(PEM)
    vendor.key.chmod(0o640)
    answer = vendor.issue(private_key=None, private_key_path=str(vendor.key))
    assert answer["warnings"] == [f"The private key {vendor.key} can be read by others than its owner; make its mode 0600."]
    vendor.key.chmod(0o600)
    assert vendor.issue(private_key=None, private_key_path=str(vendor.key))["warnings"] == []


def test_a_feature_that_nobody_knows_is_granted_with_a_warning(vendor: Vendor) -> None:
    answer = vendor.issue(features=["pipelines", "pipelins"])
    assert answer["warnings"] == ["This collection knows no feature called pipelins; it is granted nevertheless."]
    assert answer["features"] == ["pipelines", "pipelins"]


def test_an_output_that_dies_with_the_job_is_a_warning(vendor: Vendor, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWX_ISOLATED_DATA_DIR", str(vendor.output.parent / "artifacts" / "7"))
    assert "removed when the job ends" in vendor.issue()["warnings"][0]


def test_an_encrypted_key_gives_the_same_entitlement_as_the_plain_one(vendor: Vendor) -> None:
    first = vendor.issue()
    again = vendor.issue(private_key=ENCRYPTED, private_key_passphrase="pass phrase")
    assert (again["status"], again["sha256"]) == ("unchanged", first["sha256"])


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        ({"private_key": None}, "No private key was given."),
        ({"private_key": ""}, "No private key was given."),
        ({"private_key_path": "x"}, "Two private keys were given, private_key and private_key_path."),
        ({"private_key": "canary"}, "There is no PEM text in private_key."),
        ({"private_key": PEM.replace("MC4C", "M!4C")}, "The key in private_key cannot be read."),
        ({"private_key": PEM[:60]}, "The key in private_key cannot be read."),
        ({"private_key": RSA}, "The key in private_key is an RSA key; entitlements are signed with Ed25519."),
        ({"private_key": CURVE}, "The key in private_key is an EC key; entitlements are signed with Ed25519."),
        ({"private_key": ENCRYPTED}, "The key in private_key is encrypted, and no passphrase was given."),
        (
            {"private_key": ENCRYPTED, "private_key_passphrase": "wrong"},
            "The key in private_key cannot be read. The passphrase may be wrong.",
        ),
        ({"private_key_passphrase": "p"}, "The key in private_key is not encrypted, but a passphrase was given."),
        ({"private_key": VENDOR.public.pem}, "What is in private_key is no private key."),
        ({"private_key": None, "private_key_path": "/nowhere/key"}, "The file /nowhere/key cannot be read: No such file or directory."),
        ({"private_key": None, "private_key_path": "/"}, "The file / cannot be read: Is a directory."),
        ({"private_key": None, "private_key_path": "/dev/zero"}, "The file /dev/zero is longer than 16384 bytes."),
        ({"ledger": None}, "No ledger was given."),
        ({"ledger_configmap": "x"}, "Two ledgers were given, ledger and ledger_configmap."),
        ({"ledger": "/"}, "The file / cannot be locked: Is a directory."),
        ({"secret_name": "Upper"}, "secret_name is 'Upper'."),
        ({"secret_namespace": "a/b"}, "secret_namespace is 'a/b'."),
        ({"expires": "soon"}, "expires is 'soon', which is no date."),
        ({"customer": ""}, "customer is empty."),
        ({"valid_days": 20}, "renew_before_days is 30 and valid_days 20: each run would issue another one."),
    ],
)
def test_bad_input_is_one_sentence_and_shows_no_key(vendor: Vendor, options: dict[str, Any], sentence: str) -> None:
    said = vendor.refused(**options)
    assert said.startswith(sentence)
    for text in (PEM, ENCRYPTED, RSA, CURVE, VENDOR.public.pem, "canary"):
        assert not [line for line in text.splitlines() if not line.startswith("-----") and line in said]
    assert not vendor.ledger.exists()


def test_a_wrong_line_in_the_ledger_is_named(vendor: Vendor) -> None:
    vendor.ledger.write_text("canary\n")
    assert vendor.refused().startswith(f"Line 1 of the ledger {vendor.ledger} is not a row of a ledger.")


def test_an_output_that_cannot_be_written_issues_nothing_twice(vendor: Vendor) -> None:
    assert vendor.issue(path="/dev/null/x")["failed"]
    assert vendor.issue(path="/dev/null/x")["failed"]
    assert len(vendor.rows()) == 1
    assert vendor.issue()["jti"] == vendor.rows()[0]["jti"]


def test_what_is_far_longer_than_an_entitlement_is_not_overwritten(vendor: Vendor, tmp_path: Path) -> None:
    other = tmp_path / "somebody's"
    other.write_bytes(b"x" * 100_000)
    assert "is longer than" in vendor.issue(path=str(other))["msg"]
    assert other.stat().st_size == 100_000
