# SPDX-License-Identifier: GPL-3.0-or-later
"""Compact JSON Web Tokens: made with Ed25519 (entitlements) and ES256 (ServiceAccount tokens), verified with Ed25519."""

from __future__ import annotations

import base64
import json
from typing import Any

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, utils

Key = ed25519.Ed25519PrivateKey | ec.EllipticCurvePrivateKey


def encode(data: bytes) -> str:
    """base64url without padding."""
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode("ascii")


def decode(text: str) -> bytes:
    """The reverse of `encode`."""
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


def _json(value: Any) -> str:
    return encode(json.dumps(value, separators=(",", ":")).encode("utf-8"))


def sign(claims: dict[str, Any], key: Key, header: dict[str, str] | None = None) -> str:
    """header.claims.signature"""
    algorithm = "EdDSA" if isinstance(key, ed25519.Ed25519PrivateKey) else "ES256"
    text = f"{_json({'alg': algorithm, 'typ': 'JWT', **(header or {})})}.{_json(claims)}"
    if isinstance(key, ed25519.Ed25519PrivateKey):
        signature = key.sign(text.encode("ascii"))
    else:
        r, s = utils.decode_dss_signature(key.sign(text.encode("ascii"), ec.ECDSA(hashes.SHA256())))
        signature = r.to_bytes(32, "big") + s.to_bytes(32, "big")
    return f"{text}.{encode(signature)}"


def verified_claims(token: str, key: ed25519.Ed25519PublicKey) -> dict[str, Any] | None:
    """The claims of an EdDSA token signed by `key`; None for anything else."""
    try:
        head, body, signature = token.split(".")
        if json.loads(decode(head)).get("alg") != "EdDSA":
            return None
        key.verify(decode(signature), f"{head}.{body}".encode("ascii"))
        claims = json.loads(decode(body))
    except (ValueError, InvalidSignature, AttributeError):
        return None
    return claims if isinstance(claims, dict) else None
