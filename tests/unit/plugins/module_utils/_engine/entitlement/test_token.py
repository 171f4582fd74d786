# SPDX-License-Identifier: GPL-3.0-or-later
"""A token as text: one signature has one text, and whatever else is given is told in a sentence that quotes nothing."""

from __future__ import annotations

import hashlib
import hmac
import json

import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature

from ansible_collections.weaveworks.wge.plugins.module_utils._engine.entitlement.token import LONGEST, Malformed, parts_of, signed
from ansible_collections.weaveworks.wge.tests.unit.plugins.module_utils._engine.entitlement.crafted import (
    CLAIMS,
    HEADER,
    KEY,
    TOKEN,
    encoded,
    quotes,
    raw,
)

PAYLOAD = json.dumps(CLAIMS).encode()
HEAD, BODY, SIGNATURE = TOKEN.split(".")
UNSIGNED = encoded(b'{"alg":"none"}')
DEEP = b'{"a":' * 900


def headed(header: bytes) -> str:
    return raw(header, PAYLOAD)


def refusal(text: str) -> tuple[str, str]:
    with pytest.raises(Malformed) as caught:
        parts_of(text).claims()
    assert not quotes(str(caught.value), text)
    return caught.value.reason, str(caught.value)


def hs256(secret: bytes) -> str:
    text = encoded(b'{"alg":"HS256","typ":"JWT"}') + "." + BODY
    return f"{text}.{encoded(hmac.digest(secret, text.encode(), hashlib.sha256))}"


def test_the_same_claims_and_key_give_the_same_text() -> None:
    assert signed(dict(reversed(CLAIMS.items())), KEY) == signed(CLAIMS, KEY) == TOKEN


def test_a_token_has_the_product_s_header_and_canonical_claims() -> None:
    assert encoded(HEADER) == HEAD
    claims = {**CLAIMS, "sub": "Zoë"}
    payload = parts_of(signed(claims, KEY)).payload
    assert payload == json.dumps(claims, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()


def test_what_json_has_not_is_never_signed() -> None:
    for value in (float("nan"), float("inf"), "\ud800"):
        with pytest.raises(ValueError):
            signed({**CLAIMS, "sub": value}, KEY)


def test_taking_a_token_apart_gives_what_was_signed() -> None:
    parts = parts_of(TOKEN)
    assert parts.signed == f"{HEAD}.{BODY}".encode()
    assert parts.claims() == CLAIMS
    assert KEY.public.verifies(parts.signature, parts.signed)


def test_members_of_the_header_that_demand_nothing_are_let_be() -> None:
    assert parts_of(headed(b'{"typ":"other","kid":"k","alg":"EdDSA","jwk":{}}')).claims() == CLAIMS


@pytest.mark.parametrize(
    ("text", "reason", "sentence"),
    [
        pytest.param("", "empty", "It is empty.", id="empty"),
        pytest.param("x" * 1_000_000, "too_long", f"It is longer than {LONGEST} characters.", id="1 MB of junk"),
        pytest.param("." * 1_000_000, "too_long", f"It is longer than {LONGEST} characters.", id="1 MB of dots"),
        pytest.param(TOKEN + "A" * LONGEST, "too_long", f"It is longer than {LONGEST} characters.", id="grown"),
        pytest.param(HEAD, "parts", "It has 1 part instead of three.", id="one part"),
        pytest.param(f"{HEAD}.{BODY}", "parts", "It has 2 parts instead of three.", id="two parts"),
        pytest.param(f"{TOKEN}.{SIGNATURE}", "parts", "It has 4 parts instead of three.", id="four parts"),
        pytest.param(f"{TOKEN}..", "parts", "It has 5 parts instead of three.", id="five parts"),
        pytest.param("\0", "parts", "It has 1 part instead of three.", id="a NUL byte"),
        pytest.param(f".{BODY}.{SIGNATURE}", "base64url", "Its header part is not base64url.", id="no header"),
        pytest.param(f"{HEAD}..{SIGNATURE}", "base64url", "Its claims part is not base64url.", id="no claims"),
        pytest.param(f"{HEAD}.{BODY}.", "base64url", "Its signature part is not base64url.", id="no signature"),
        pytest.param(f"{TOKEN}\0", "base64url", "Its signature part is not base64url.", id="NUL at the end"),
        pytest.param(f"{TOKEN}\n", "base64url", "Its signature part is not base64url.", id="a line's end"),
        pytest.param(f" {TOKEN}", "base64url", "Its header part is not base64url.", id="a blank before"),
        pytest.param(f"{HEAD}.{BODY[:8]}\n{BODY[8:]}.{SIGNATURE}", "base64url", "Its claims part is not base64url.", id="folded"),
        pytest.param(f"{TOKEN}==", "base64url", "Its signature part is not base64url.", id="padded"),
        pytest.param(f"{TOKEN}A", "signature", "Its signature has 65 bytes instead of 64.", id="a signature with a character more"),
        pytest.param(f"\ud800{TOKEN}", "base64url", "Its header part is not base64url.", id="a lone surrogate"),
        pytest.param(f"{HEAD}.{BODY}.{SIGNATURE[:-1]}ü", "base64url", "Its signature part is not base64url.", id="not ASCII"),
        pytest.param(f"{HEAD}.{BODY}.{'+/' * 43}", "base64url", "Its signature part is not base64url.", id="base64 as of MIME"),
        pytest.param(TOKEN[:-10], "signature", "Its signature has 57 bytes instead of 64.", id="truncated"),
        pytest.param(TOKEN[:-9], "base64url", "Its signature part is not base64url.", id="truncated within a byte"),
        pytest.param(headed(b'{"alg":"none"}'), "algorithm", "Its algorithm is not EdDSA.", id="alg none"),
        pytest.param(f"{UNSIGNED}.{BODY}.", "base64url", "Its signature part is not base64url.", id="alg none, unsigned"),
        pytest.param(hs256(KEY.public.pem.encode()), "algorithm", "Its algorithm is not EdDSA.", id="HS256 with the public key"),
        pytest.param(headed(b'{"alg":"ES256"}'), "algorithm", "Its algorithm is not EdDSA.", id="ES256"),
        pytest.param(headed(b'{"alg":"eddsa"}'), "algorithm", "Its algorithm is not EdDSA.", id="other case"),
        pytest.param(headed(b'{"alg":["EdDSA"]}'), "algorithm", "Its algorithm is not EdDSA.", id="a list"),
        pytest.param(headed(b'{"typ":"JWT"}'), "algorithm", "Its algorithm is not EdDSA.", id="no alg"),
        pytest.param(
            headed(b'{"alg":"EdDSA","crit":["exp"]}'), "header", "Its header demands extensions that nobody here knows (crit).", id="crit"
        ),
        pytest.param(headed(b'{"alg":"none","alg":"EdDSA"}'), "header", "Its header part is not JSON.", id="alg twice"),
        pytest.param(headed(b"[" * 5000), "header", "Its header part is not JSON.", id="a deep header"),
        pytest.param(headed(b"\xff\xfe"), "header", "Its header part is not JSON.", id="a header that is not UTF-8"),
        pytest.param(headed(b'"EdDSA"'), "header", "Its header part is not a JSON object.", id="a header that is a text"),
        pytest.param(raw(HEADER, b"no JSON"), "claims", "Its claims part is not JSON.", id="claims that are no JSON"),
        pytest.param(raw(HEADER, b"{}{}"), "claims", "Its claims part is not JSON.", id="two objects"),
        pytest.param(raw(HEADER, b"\xef\xbb\xbf{}"), "claims", "Its claims part is not JSON.", id="a byte order mark"),
        pytest.param(raw(HEADER, b"[]"), "claims", "Its claims part is not a JSON object.", id="claims that are a list"),
        pytest.param(raw(HEADER, b"null"), "claims", "Its claims part is not a JSON object.", id="claims that are null"),
        pytest.param(raw(HEADER, b'{"a":1,"a":1}'), "claims", "Its claims part is not JSON.", id="a claim twice"),
        pytest.param(raw(HEADER, b'{"a":{"b":1,"b":2}}'), "claims", "Its claims part is not JSON.", id="twice, further down"),
        pytest.param(raw(HEADER, b'{"a":NaN}'), "claims", "Its claims part is not JSON.", id="NaN"),
        pytest.param(raw(HEADER, b'{"a":-Infinity}'), "claims", "Its claims part is not JSON.", id="infinity"),
        pytest.param(raw(HEADER, b'{"a":' + b"9" * 5000 + b"}"), "claims", "Its claims part is not JSON.", id="5,000 digits"),
        pytest.param(raw(HEADER, b"[" * 5900), "claims", "Its claims part is not JSON.", id="deep claims"),
    ],
)
def test_what_is_no_token_of_ours_is_one_sentence(text: str, reason: str, sentence: str) -> None:
    assert refusal(text) == (reason, sentence)


def test_deep_claims_that_python_can_read_are_read() -> None:
    assert "a" in parts_of(raw(HEADER, DEEP + b"1" + b"}" * 900)).claims()


def test_bits_that_base64url_does_not_use_must_be_zero() -> None:
    alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
    last = alphabet.index(SIGNATURE[-1])
    assert last % 16 == 0, "64 bytes leave four bits over"
    for bits in range(1, 16):
        assert refusal(TOKEN[:-1] + alphabet[last + bits]) == ("base64url", "Its signature part is not base64url.")


def test_a_real_es256_token_is_not_taken() -> None:
    text = encoded(b'{"alg":"ES256"}') + "." + BODY
    key = ec.generate_private_key(ec.SECP256R1())
    r, s = decode_dss_signature(key.sign(text.encode(), ec.ECDSA(hashes.SHA256())))
    assert refusal(f"{text}.{encoded(r.to_bytes(32, 'big') + s.to_bytes(32, 'big'))}")[0] == "algorithm"
