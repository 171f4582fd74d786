# SPDX-License-Identifier: GPL-3.0-or-later
"""How WGE judges its entitlement: once, when the process starts."""

from __future__ import annotations

import enum
import time
from pathlib import Path

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ed25519

from .. import jwt

#: The key built into the real server: used when the bed gives none of its own.
PRODUCT_KEY = b"""-----BEGIN PUBLIC KEY-----
MCowBQYDK2VwAyEA140z8yf4+R9MQwwS6yTrWIl/1IBOjLVvh9x87Wd84TU=
-----END PUBLIC KEY-----
"""


class State(enum.Enum):
    """What a server may be."""

    ENTITLED = "entitled"
    EXPIRED = "expired"
    NONE = "none"  #: missing, malformed or forged: not to be told apart from outside


def load_key(path: str) -> ed25519.Ed25519PublicKey:
    """The bed's public key if there is one, else the product's."""
    file = Path(path) if path else None
    key = serialization.load_pem_public_key(file.read_bytes() if file and file.exists() else PRODUCT_KEY)
    assert isinstance(key, ed25519.Ed25519PublicKey)
    return key


def judge(token: bytes | None, key: ed25519.Ed25519PublicKey) -> State:
    """Whitespace is not trimmed, a `nbf` to come counts as invalid, and the last second still counts as licensed."""
    claims = jwt.verified_claims(token.decode("ascii", "replace"), key) if token else None
    if claims is None or not isinstance(claims.get("licencedUntil"), int) or claims.get("nbf", 0) > time.time():
        return State.NONE
    return State.EXPIRED if time.time() > claims["licencedUntil"] else State.ENTITLED
