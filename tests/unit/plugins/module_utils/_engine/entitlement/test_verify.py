# SPDX-License-Identifier: GPL-3.0-or-later
"""The one verifier: whose signature, which claims, which moment."""

from __future__ import annotations

import json
from datetime import datetime, timedelta, timezone
from typing import Any

import pytest

from ansible_collections.weaveworks.wge.plugins.module_utils._engine.entitlement.keys import public_keys
from ansible_collections.weaveworks.wge.plugins.module_utils._engine.entitlement.token import signed
from ansible_collections.weaveworks.wge.plugins.module_utils._engine.entitlement.verify import (
    LAST_SECOND,
    Judgement,
    fingerprint,
    trimmed,
    verify,
    written,
)
from ansible_collections.weaveworks.wge.tests.unit.plugins.module_utils._engine.entitlement.crafted import (
    CLAIMS,
    DAY,
    GROUP_ORDER,
    HEADER,
    KEY,
    NOW,
    OTHER,
    SECONDS,
    TOKEN,
    decoded,
    encoded,
    quotes,
    raw,
    with_claims,
)

TRUSTED = [KEY.public]
ONE_KEY = "Its signature was not made by the public key that is trusted here."
UPSTREAM_GENUINE = (
    "eyJhbGciOiJFZERTQSIsInR5cCI6IkpXVCJ9."
    "eyJsaWNlbmNlZFVudGlsIjoxNjMxMzYxMjg2LCJpYXQiOjE2MzEyNzQ4ODYsImlzcyI6InNhbGVzQHdlYXZlLndvcmtzIiwibmJmIjoxNjMxMjc0ODg2LCJzdWIiOi"
    "J0ZXN0QHdlYXZlLndvcmtzIn0."
    "EKGp89DFcRKZ_kGmC8FuLVPB0wiab2KddkQKAmVNC9UH459v63tCP13eFybx9dAmMuaC77SA8rp7ukN1qZM7DA"
)
"""In the product's own tests; expired in 2021."""
UPSTREAM_FORGED = (
    "eyJhbGciOiJFZERTQSIsInR5cCI6IkpXVCJ9."
    "eyJsaWNlbmNlZFVudGlsIjoxNjMxMzYxNDkwLCJpYXQiOjE2MzEyNzUwOTAsImlzcyI6InNhbGVzQHdlYXZlLndvcmtzIiwibmJmIjoxNjMxMjc1MDkwLCJzdWIiOi"
    "J0ZXN0QHdlYXZlLndvcmtzIn0."
    "E3Kfg4YzDOYJsTN9lD6B4uoW29tE0IB9X7lOpirSTwcZ7vVHk5PUXznYdiPIi9aSgLGAPIQL3YkAM4lyft3BDg"
)


def judged(text: str) -> Judgement:
    """What is not valid says why, and quotes nothing."""
    judgement = verify(text, TRUSTED, NOW)
    assert judgement.valid == (not judgement.reason) == (not judgement.message)
    assert not quotes(judgement.message, text)
    return judgement


def unfit(text: str) -> str:
    """The sentence about a well signed token with claims that cannot be used; nothing of the claims is told."""
    judgement = judged(text)
    assert judgement == Judgement(False, "claims", judgement.message, key_id=KEY.public.key_id)
    return judgement.message


# -- good ones


def test_a_genuine_entitlement_tells_all_its_claims() -> None:
    token = with_claims(features=["pipelines", "explorer"], jti="e-1")
    assert judged(token).as_dict() == {
        "valid": True,
        "expired": False,
        "expires": "2027-03-03T12:00:00Z",
        "issued": "2026-11-22T12:00:00Z",
        "not_before": "2026-11-22T12:00:00Z",
        "days_left": 100,
        "customer": "customer@example.com",
        "features": ["pipelines", "explorer"],
        "issuer": "sales@weave.works",
        "key_id": KEY.public.key_id,
        "jti": "e-1",
        "reason": "",
        "message": "",
    }


def test_the_product_s_own_token_is_genuine_and_expired() -> None:
    judgement = verify(UPSTREAM_GENUINE, public_keys([]), NOW)
    assert (judgement.valid, judgement.expired, judgement.reason) == (True, True, "")
    assert (judgement.customer, written(judgement.expires)) == ("test@weave.works", "2021-09-11T11:54:46Z")
    assert judgement.features is None and judgement.jti == ""


def test_the_token_that_the_product_calls_invalid_has_a_foreign_signature() -> None:
    judgement = verify(UPSTREAM_FORGED, public_keys([]), NOW)
    assert judgement == Judgement(False, "signature", ONE_KEY)


def test_an_expired_entitlement_is_valid_still() -> None:
    judgement = judged(with_claims(licencedUntil=SECONDS - 1))
    assert (judgement.valid, judgement.expired, judgement.days_left) == (True, True, -1)


@pytest.mark.parametrize(
    ("left", "expired", "days"),
    [(0, False, 0), (1, False, 0), (DAY - 1, False, 0), (DAY, False, 1), (-1, True, -1), (-DAY, True, -1), (-DAY - 1, True, -2)],
)
def test_it_expires_after_its_last_second_as_in_the_product_and_whole_days_are_counted(left: int, expired: bool, days: int) -> None:
    judgement = judged(with_claims(licencedUntil=SECONDS + left))
    assert (judgement.expired, judgement.days_left) == (expired, days)


def test_the_moment_may_be_given_in_any_time_zone() -> None:
    elsewhere = NOW.astimezone(timezone(timedelta(hours=-11)))
    assert verify(TOKEN, TRUSTED, elsewhere) == judged(TOKEN)


def test_the_last_date_that_can_be_written_is_taken() -> None:
    assert judged(with_claims(licencedUntil=LAST_SECOND)).as_dict()["expires"] == "9999-12-31T23:59:59Z"


def test_without_iat_and_nbf_it_is_valid_from_ever() -> None:
    judgement = judged(with_claims(iat=..., nbf=...))
    assert (judgement.valid, judgement.issued, judgement.not_before) == (True, None, None)


def test_no_list_of_features_grants_all_and_an_empty_one_none() -> None:
    assert judged(TOKEN).features is None
    assert judged(with_claims(features=[])).features == ()


def test_claims_that_nobody_here_knows_are_let_be() -> None:
    assert judged(with_claims(aud="x", exp=1, more={"a": [1]})).valid


# -- whose signature


def test_an_old_and_a_new_key_may_both_be_trusted() -> None:
    both = [OTHER.public, KEY.public]
    for key in (KEY, OTHER):
        assert verify(signed(CLAIMS, key), both, NOW).key_id == key.public.key_id


def test_a_signature_from_another_key_is_refused() -> None:
    assert judged(signed(CLAIMS, OTHER)) == Judgement(False, "signature", ONE_KEY)


def test_how_many_keys_were_tried_is_told() -> None:
    stranger = raw(HEADER, b"{}", OTHER)
    message = verify(stranger, [KEY.public, *public_keys([])], NOW).message
    assert message == "Its signature was not made by any of the 2 public keys that are trusted here."


def test_a_good_signature_over_other_claims_is_refused() -> None:
    head, _body, signature = TOKEN.split(".")
    longer = encoded(json.dumps({**CLAIMS, "licencedUntil": LAST_SECOND}).encode())
    assert judged(f"{head}.{longer}.{signature}") == Judgement(False, "signature", ONE_KEY)


def test_a_good_signature_over_another_header_is_refused() -> None:
    _head, body, signature = TOKEN.split(".")
    turned = encoded(b'{"typ":"JWT","alg":"EdDSA"}')
    assert judged(f"{turned}.{body}.{signature}").reason == "signature"


def test_a_second_signature_cannot_be_derived_from_the_first() -> None:
    text, _, signature = TOKEN.rpartition(".")
    point, scalar = decoded(signature)[:32], int.from_bytes(decoded(signature)[32:], "little")
    for times in range(1, 16):
        larger = scalar + times * GROUP_ORDER
        if larger < 2**256:
            assert judged(f"{text}.{encoded(point + larger.to_bytes(32, 'little'))}").reason == "signature"


@pytest.mark.parametrize("point", [bytes(32), bytes([1]) + bytes(31), b"\xff" * 32, b"\xec" + b"\xff" * 30 + b"\x7f"])
@pytest.mark.parametrize("scalar", [bytes(32), b"\xff" * 32, GROUP_ORDER.to_bytes(32, "little")])
def test_signatures_of_nothing_are_refused(point: bytes, scalar: bytes) -> None:
    text = TOKEN.rpartition(".")[0]
    for keys in (TRUSTED, public_keys([])):
        assert verify(f"{text}.{encoded(point + scalar)}", keys, NOW).reason == "signature"


def test_what_an_unsigned_token_claims_is_not_told() -> None:
    stranger = raw(HEADER, b'{"sub":"mallory@example.com"}', OTHER)
    assert "mallory" not in repr(judged(stranger))


def test_a_text_that_is_no_token_is_judged_with_its_reason() -> None:
    assert judged("") == Judgement(False, "empty", "It is empty.")
    assert judged("x" * 1_000_000).reason == "too_long"
    assert judged(f"{TOKEN}\n").reason == "base64url"
    assert judged("\ud800\0").reason == "parts"


# -- dates


@pytest.mark.parametrize("name", ["licencedUntil", "iat", "nbf"])
@pytest.mark.parametrize("value", ["2027-01-01", "1", 1.5, 1e300, True, None, [], {}], ids=repr)
def test_a_date_must_be_a_whole_number(name: str, value: Any) -> None:
    assert unfit(with_claims(**{name: value})) == f"Its claim {name} is not a whole number of seconds."


def test_a_float_that_python_reads_as_infinite_is_no_date() -> None:
    token = raw(HEADER, json.dumps(CLAIMS).replace(str(CLAIMS["licencedUntil"]), "1e400").encode())
    assert unfit(token) == "Its claim licencedUntil is not a whole number of seconds."


@pytest.mark.parametrize("name", ["licencedUntil", "iat", "nbf"])
@pytest.mark.parametrize("value", [-1, 0, LAST_SECOND + 1, 10**30, -(10**30)])
def test_a_date_must_lie_between_1970_and_9999(name: str, value: int) -> None:
    assert unfit(with_claims(**{name: value})) == f"Its claim {name} is no date between 1970 and 9999."


def test_an_entitlement_without_an_end_is_none() -> None:
    assert unfit(with_claims(licencedUntil=...)) == "Its claim licencedUntil is missing."


@pytest.mark.parametrize("name", ["iat", "nbf"])
def test_a_beginning_within_the_skew_of_two_clocks_is_forgiven(name: str) -> None:
    assert judged(with_claims(**{name: SECONDS + 60})).valid


@pytest.mark.parametrize("name", ["iat", "nbf"])
def test_a_beginning_in_the_future_is_told_with_its_date(name: str) -> None:
    judgement = judged(with_claims(**{name: SECONDS + 61}))
    assert (judgement.valid, judgement.reason) == (False, "not_yet_valid")
    assert judgement.message == "It is not valid before 2026-11-23T12:01:01Z."
    assert judgement.customer == "customer@example.com", "its signature is good, so its claims are told"


def test_the_skew_is_the_caller_s() -> None:
    token = with_claims(nbf=SECONDS + 60)
    assert not verify(token, TRUSTED, NOW, skew_seconds=59).valid
    assert verify(token, TRUSTED, NOW, skew_seconds=0).reason == "not_yet_valid"


# -- texts


@pytest.mark.parametrize("name", ["sub", "iss"])
@pytest.mark.parametrize("value", [..., None, "", "  ", 1, ["a"], "a\nb", "a\x1b[2Jb", "a\0", "a\u202eb", "\ud800"], ids=repr)
def test_customer_and_issuer_must_be_texts_that_can_be_printed(name: str, value: Any) -> None:
    assert unfit(with_claims(**{name: value})) == f"Its claim {name} is not a text."


@pytest.mark.parametrize("value", [None, "", 1, ["a"], "a\x1b[2J"], ids=repr)
def test_an_identifier_must_be_a_text_when_there_is_one(value: Any) -> None:
    assert unfit(with_claims(jti=value)) == "Its claim jti is not a text."


@pytest.mark.parametrize("value", [None, "pipelines", {"pipelines": True}, [1], [""], ["a\n"], [["a"]], True], ids=repr)
def test_features_that_cannot_be_read_never_grant_all(value: Any) -> None:
    assert unfit(with_claims(features=value)) == "Its claim features is not a list of names."


# -- helpers


def test_blanks_around_a_token_are_the_caller_s_to_take_off() -> None:
    assert trimmed(f"\r\n {TOKEN}\n") == TOKEN


def test_a_fingerprint_tells_tokens_apart_and_takes_anything() -> None:
    assert len({fingerprint(text) for text in (TOKEN, TOKEN + " ", "", "\ud800")}) == 4
    assert not quotes(fingerprint(TOKEN), TOKEN)


def test_dates_are_written_in_utc() -> None:
    assert written(datetime(2027, 1, 1, 1, tzinfo=timezone(timedelta(hours=2)))) == "2026-12-31T23:00:00Z"
    assert written(None) == ""
