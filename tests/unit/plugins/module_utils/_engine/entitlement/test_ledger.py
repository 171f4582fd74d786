# SPDX-License-Identifier: GPL-3.0-or-later
"""The ledger: an entitlement is issued once, and found again byte for byte."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import datetime, timedelta, timezone
from typing import Any

import pytest

from ansible_collections.weaveworks.wge.plugins.module_utils._engine.entitlement.keys import PrivateKey
from ansible_collections.weaveworks.wge.plugins.module_utils._engine.entitlement.ledger import (
    ISSUED,
    RENEWED,
    UNCHANGED,
    Decision,
    decide,
    rows_of,
)
from ansible_collections.weaveworks.wge.plugins.module_utils._engine.entitlement.request import request_from
from ansible_collections.weaveworks.wge.plugins.module_utils._engine.entitlement.verify import fingerprint, verify
from ansible_collections.weaveworks.wge.plugins.module_utils._errors import InvalidSettings

from ..standin_vendor import STRANGER, VENDOR

NOW = datetime(2026, 11, 23, 12, 0, 0, tzinfo=timezone.utc)
PLACE = "the ledger"
DEFAULTS: dict[str, Any] = {"customer": "a@example.com", "issuer": "sales@weave.works", "valid_days": 365, "renew_before_days": 30}


def ask(content: bytes, *, jti: str = "j1", days: float = 0, key: PrivateKey = VENDOR, **more: Any) -> Decision:
    """One request, ``days`` after the first."""
    now = NOW + timedelta(days=days)
    return decide(content, request_from({**DEFAULTS, **more}, now), now, key, jti, PLACE)


def after(content: bytes, decision: Decision) -> bytes:
    return content[: decision.kept] + decision.addition


def ledger(**more: Any) -> bytes:
    """One that holds one row."""
    return after(b"", ask(b"", **more))


def refusal(content: bytes, **more: Any) -> str:
    with pytest.raises(InvalidSettings) as problem:
        ask(content, **more)
    assert problem.value.next_step
    return problem.value.what


def test_a_row_says_what_was_granted_and_not_the_token() -> None:
    decision = ask(b"", features=["pipelines"])
    assert json.loads(decision.addition) == {
        "jti": "j1",
        "customer": "a@example.com",
        "issuer": "sales@weave.works",
        "issued": "2026-11-23T12:00:00Z",
        "not_before": "2026-11-23T12:00:00Z",
        "expires": "2027-11-23T12:00:00Z",
        "features": ["pipelines"],
        "key_id": VENDOR.public.key_id,
        "sha256": fingerprint(decision.token),
    }
    assert decision.token.rpartition(".")[2].encode() not in decision.addition


@pytest.mark.parametrize("features", [None, [], ["pipelines", "templates"]])
def test_the_one_verifier_agrees_with_what_was_asked(features: Any) -> None:
    decision = ask(b"", features=features, expires="2027-06-30", customer="Jürgen & Söhne")
    found = verify(decision.token, [VENDOR.public], NOW)
    assert found.valid and not found.expired
    assert (found.customer, found.issuer, found.jti) == ("Jürgen & Söhne", "sales@weave.works", "j1")
    assert found.features == (None if features is None else tuple(features))
    assert found.expires == datetime(2027, 6, 30, 23, 59, 59, tzinfo=timezone.utc)


def test_the_same_request_gives_the_same_entitlement_again() -> None:
    first = ask(b"", features=["b", "a"])
    again = ask(first.addition, jti="j2", days=100, features=["a", "b", "a"])
    assert (again.status, again.token, again.addition) == (UNCHANGED, first.token, b"")
    assert again.row.jti == "j1"


@pytest.mark.parametrize(
    "other",
    [
        {"customer": "b@example.com"},
        {"issuer": "us@example.com"},
        {"features": []},
        {"features": ["pipelines"]},
        {"valid_days": 366},
        {"expires": "2027-11-23"},
        {"not_before": "2026-12-01"},
        {"key": STRANGER},
    ],
)
def test_any_other_request_gives_another_entitlement(other: dict[str, Any]) -> None:
    decision = ask(ledger(), jti="j2", **other)
    assert decision.row.jti == "j2"
    assert decision.status == (ISSUED if "customer" in other or "issuer" in other else RENEWED)


@pytest.mark.parametrize(("days", "status"), [(334.9, UNCHANGED), (335, RENEWED), (400, RENEWED)])
def test_days_are_renewed_when_few_are_left(days: float, status: str) -> None:
    decision = ask(ledger(), jti="j2", days=days)
    assert decision.status == status


def test_the_newest_of_several_counts() -> None:
    content = ledger()
    content = after(content, ask(content, jti="j2", days=340))
    assert ask(content, jti="j3", days=341).row.jti == "j2"


@pytest.mark.parametrize("options", [{"expires": "2026-12-31"}, {"not_before": "2026-11-01", "valid_days": 40}])
def test_a_fixed_expiry_is_not_renewed_before_it(options: dict[str, Any]) -> None:
    assert ask(ledger(**options), jti="j2", days=7, **options).status == UNCHANGED


def test_a_try_whose_end_nobody_saw_finds_its_own_row_and_counts_as_new() -> None:
    content = ledger()
    assert ask(content, jti="j1").status == ISSUED
    assert ask(after(content, ask(content, jti="j2", days=340)), jti="j2", days=340).status == RENEWED


@pytest.mark.parametrize("cut", [1, 10, 200, -2])
def test_a_torn_last_line_is_dropped_with_a_warning_and_replaced(cut: int) -> None:
    content = ledger()
    torn = content + ask(content, jti="j2", customer="b").addition[:cut]
    decision = ask(torn, jti="j3", customer="b")
    assert decision.row.jti == "j3"
    assert "torn" in decision.warnings[0]
    assert [row.jti for row in rows_of(after(torn, decision), PLACE).rows] == ["j1", "j3"]


def test_a_whole_last_line_counts_even_when_an_editor_took_its_end() -> None:
    content = ledger().rstrip(b"\n")
    assert ask(content, jti="j2").status == UNCHANGED
    decision = ask(content, jti="j2", customer="b")
    assert [row.jti for row in rows_of(after(content, decision), PLACE).rows] == ["j1", "j2"]


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (b"2027-11-23T12:00:00Z", b"2029-11-23T12:00:00Z"),
        (b'"features":null', b'"features":["pipelines"]'),
        (b'"a@example.com"', b'"b@example.com"'),
    ],
)
def test_an_edited_row_gives_nothing(old: bytes, new: bytes) -> None:
    content = ledger().replace(old, new)
    row = rows_of(content, PLACE).rows[0]
    options = {"customer": row.customer, "features": row.features, "expires": str(row.expires)}
    assert refusal(content, **options) == (
        "The row j1 of the ledger does not give the entitlement that was issued by it: the row was edited."
    )


@pytest.mark.parametrize(
    "line",
    [
        b"",
        b"junk",
        b"[]",
        b"{}",
        b"\xff\xfe",
        b"[" * 100000,
        b'{"jti":"x"}',
        ledger().strip().replace(b'"jti"', b'"id"'),
        ledger().strip().replace(b"}", b',"more":1}'),
        ledger().strip().replace(b'"features":null', b'"features":"all"'),
        ledger().strip().replace(b'"features":null', b'"features":[1]'),
        ledger().strip().replace(b'"customer":"a@example.com"', b'"customer":7'),
        ledger().strip().replace(b"2027-11-23T12:00:00Z", b"2027-11-23"),
        ledger().strip().replace(b"2027-11-23T12:00:00Z", b"2027-13-23T12:00:00Z"),
    ],
)
def test_a_line_that_is_no_row_is_named_by_its_number(line: bytes) -> None:
    content = ledger() + line + b"\n" + ledger(customer="c")
    assert refusal(content) == "Line 2 of the ledger is not a row of a ledger."


def test_a_token_that_no_verifier_would_read_is_not_issued() -> None:
    request = request_from(DEFAULTS, NOW)
    huge = replace(request, features=tuple(f"{number:063}" for number in range(200)))
    with pytest.raises(InvalidSettings, match="The entitlement would have"):
        decide(b"", huge, NOW, VENDOR, "j1", PLACE)


def test_the_most_that_can_be_asked_for_can_be_issued() -> None:
    most = {"customer": "\N{SMILE}" * 254, "issuer": "\N{SMILE}" * 254, "features": [f"{number:063}" for number in range(64)]}
    decision = ask(b"", **most)
    assert verify(decision.token, [VENDOR.public], NOW).valid
