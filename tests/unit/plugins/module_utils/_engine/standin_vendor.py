# SPDX-License-Identifier: GPL-3.0-or-later
"""A vendor with a key of its own, the same in every run, and what it has signed."""

from __future__ import annotations

from typing import Any

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from ansible_collections.weaveworks.wge.plugins.module_utils._engine.entitlement.keys import PrivateKey, private_key
from ansible_collections.weaveworks.wge.plugins.module_utils._engine.entitlement.token import signed

from .standin import NOW

DAY = 86400


def key_of(seed: bytes) -> PrivateKey:
    """A pair that anybody can make again: for tests alone."""
    raw = Ed25519PrivateKey.from_private_bytes(seed.ljust(32, b"."))
    pem = raw.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    return private_key(pem.decode())


VENDOR = key_of(b"the vendor")
STRANGER = key_of(b"somebody else")
PUBLIC_KEY = VENDOR.public.pem


def claims(*, days: float = 365, customer: str = "test@example.com", **more: Any) -> dict[str, Any]:
    """What WGE reads, issued a year ago; a claim given as None is left out."""
    began, until = int(NOW.timestamp()) - 365 * DAY, int(NOW.timestamp() + days * DAY)
    found = {"licencedUntil": until, "iat": began, "nbf": began, "iss": "sales@weave.works", "sub": customer, **more}
    return {name: value for name, value in found.items() if value is not None}


def token(key: PrivateKey = VENDOR, **more: Any) -> str:
    """An entitlement with these claims."""
    return signed(claims(**more), key)


TOKEN = token()
OTHER_TOKEN = token(customer="other@example.com")
