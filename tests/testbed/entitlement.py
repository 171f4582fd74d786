# SPDX-License-Identifier: GPL-3.0-or-later
"""The bed's own entitlements: an Ed25519 pair of its own, one valid and one expired token.

They have the product's shape (EdDSA, `licencedUntil`, `iat`, `nbf`, `iss`, `sub`) and are worth nothing outside the bed.
"""

from __future__ import annotations

import time
from pathlib import Path

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ed25519

from . import jwt
from .layout import BedPaths
from .pki import write_private

SECRET_NAME = "weave-gitops-enterprise-credentials"
ISSUER = "sales@weave.works"
DAY = 86400


def issue(key: ed25519.Ed25519PrivateKey, customer: str, until: float, issued: float | None = None) -> str:
    """A token for `customer`, licensed until the given Unix time."""
    began = int(issued if issued is not None else min(time.time(), until) - DAY)
    return jwt.sign({"licencedUntil": int(until), "iat": began, "iss": ISSUER, "nbf": began, "sub": customer}, key)


def load_key(path: Path) -> ed25519.Ed25519PrivateKey:
    """The bed's signing key."""
    key = serialization.load_pem_private_key(path.read_bytes(), None)
    assert isinstance(key, ed25519.Ed25519PrivateKey)
    return key


def public_pem(key: ed25519.Ed25519PrivateKey) -> str:
    """What verifies the key's signatures."""
    form = serialization.PublicFormat.SubjectPublicKeyInfo
    return key.public_key().public_bytes(serialization.Encoding.PEM, form).decode("ascii")


def prepare(bed: BedPaths) -> None:
    """Key pair and the two tokens, made once for a bed."""
    if bed.entitlement_expired.exists():
        return
    key = ed25519.Ed25519PrivateKey.generate()
    private = key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    write_private(bed.entitlement_key, private)
    bed.entitlement_public.write_text(public_pem(key), encoding="ascii")
    now = time.time()
    write_private(bed.entitlement, issue(key, "customer@example.com", now + 365 * DAY).encode("ascii"))
    write_private(bed.entitlement_expired, issue(key, "customer@example.com", now - DAY).encode("ascii"))
