# SPDX-License-Identifier: GPL-3.0-or-later
"""Tokens made by hand, good and bad, for the tests of the verifier. The keys are made of fixed bytes, so every run is the same."""

from __future__ import annotations

import base64
import json
from datetime import datetime, timezone
from typing import Any

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from ansible_collections.weaveworks.wge.plugins.module_utils._engine.entitlement.keys import PrivateKey, private_key
from ansible_collections.weaveworks.wge.plugins.module_utils._engine.entitlement.token import signed

NOW = datetime(2026, 11, 23, 12, tzinfo=timezone.utc)
SECONDS = int(NOW.timestamp())
DAY = 86400
HEADER = b'{"alg":"EdDSA","typ":"JWT"}'
GROUP_ORDER = 2**252 + 27742317777372353535851937790883648493
"""L of RFC 8032: S and S + L name the same point."""


def pem_of(key: Any, *, public: bool = False) -> str:
    """Any key of ``cryptography``, as PKCS#8 or as its public half."""
    if public:
        form = serialization.PublicFormat.SubjectPublicKeyInfo
        return str(key.public_key().public_bytes(serialization.Encoding.PEM, form).decode())
    form, plain = serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    return str(key.private_bytes(serialization.Encoding.PEM, form, plain).decode())


def key_of(seed: bytes) -> PrivateKey:
    """The pair of these 32 bytes."""
    return private_key(pem_of(Ed25519PrivateKey.from_private_bytes(seed)))


KEY = key_of(bytes(range(32)))
OTHER = key_of(bytes(range(32, 64)))
CLAIMS: dict[str, Any] = {
    "licencedUntil": SECONDS + 100 * DAY,
    "iat": SECONDS - DAY,
    "nbf": SECONDS - DAY,
    "iss": "sales@weave.works",
    "sub": "customer@example.com",
}
TOKEN = signed(CLAIMS, KEY)


def encoded(content: bytes) -> str:
    """base64url without padding."""
    return base64.urlsafe_b64encode(content).rstrip(b"=").decode()


def decoded(part: str) -> bytes:
    """The reverse."""
    return base64.urlsafe_b64decode(part + "=" * (-len(part) % 4))


def raw(header: bytes, payload: bytes, key: PrivateKey = KEY) -> str:
    """A token of exactly these bytes, well signed."""
    text = f"{encoded(header)}.{encoded(payload)}"
    return f"{text}.{encoded(key.sign(text.encode()))}"


def with_claims(**changes: Any) -> str:
    """Well signed; a claim set to ``...`` is left out."""
    claims = {name: value for name, value in {**CLAIMS, **changes}.items() if value is not ...}
    return raw(HEADER, json.dumps(claims).encode())


def quotes(message: str, *secrets: str, length: int = 8) -> bool:
    """Whether a message holds a piece of what it is about."""
    return any(secret[at : at + length] in message for secret in secrets for at in range(len(secret) - length + 1))
