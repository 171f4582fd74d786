# SPDX-License-Identifier: GPL-3.0-or-later
"""Ed25519 keys: the only place that imports ``cryptography``. PRIVATE.

No message here ever quotes what it was given: a private key may have been put where a public one belongs.
"""

from __future__ import annotations

import base64
import hashlib
import json
import re
import sys
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from ..._errors import InvalidSettings

try:
    from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
    from cryptography.hazmat.primitives import serialization
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

    HAS_CRYPTOGRAPHY = True
except ImportError:  # pragma: no cover - shown by _require
    HAS_CRYPTOGRAPHY = False

PRODUCT_KEY = """-----BEGIN PUBLIC KEY-----
MCowBQYDK2VwAyEA140z8yf4+R9MQwwS6yTrWIl/1IBOjLVvh9x87Wd84TU=
-----END PUBLIC KEY-----
"""
"""The public key in every WGE server from v0.0.8 to v0.38.1 (docs/facts.md, 4.2)."""

_BLOCK = re.compile(r"-----BEGIN ([A-Z0-9 ]+)-----.*?-----END \1-----", re.DOTALL)
LONGEST_PEM = 16 * 1024


@dataclass(frozen=True, slots=True)
class PublicKey:
    """A key that entitlements are verified with. ``key_id`` is its JWK thumbprint (RFC 7638, RFC 8037)."""

    key_id: str
    pem: str
    _key: Any = field(repr=False, compare=False)

    def verifies(self, signature: bytes, signed: bytes) -> bool:
        """Whether ``signature`` is this key's over ``signed``."""
        try:
            self._key.verify(signature, signed)
        except InvalidSignature:
            return False
        return True


@dataclass(frozen=True, slots=True)
class PrivateKey:
    """A key that entitlements are signed with."""

    public: PublicKey
    _key: Any = field(repr=False, compare=False)

    def sign(self, content: bytes) -> bytes:
        """64 bytes; the same content gives the same bytes (Ed25519 is deterministic, RFC 8032)."""
        signature: bytes = self._key.sign(content)
        return signature

    def pem(self, passphrase: str = "") -> str:
        """PKCS#8, encrypted when there is a passphrase. Raises InvalidSettings for one that OpenSSL does not take."""
        try:
            encryption = serialization.BestAvailableEncryption(passphrase.encode()) if passphrase else serialization.NoEncryption()
            text: bytes = self._key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, encryption)
        except ValueError:
            raise InvalidSettings("The key cannot be encrypted with this passphrase.", "Give a text of at most 1023 bytes.") from None
        return text.decode()


def generate() -> PrivateKey:
    """A new pair from the system's randomness. Raises InvalidSettings without ``cryptography``."""
    _require()
    return _private(Ed25519PrivateKey.generate())


def public_keys(texts: Iterable[str]) -> tuple[PublicKey, ...]:
    """The keys to trust: those in ``texts`` (PEM, one or several blocks each), or WGE's own when there is none.

    Raises InvalidSettings for a text that holds anything else.
    """
    _require()
    given = [text for text in texts if text.strip()]
    keys = [key for number, text in enumerate(given or [PRODUCT_KEY], 1) for key in _blocks(text, number)]
    return tuple({key.key_id: key for key in keys}.values())


def private_key(text: str, passphrase: str = "", place: str = "the private key") -> PrivateKey:
    """The Ed25519 key in a PKCS#8 PEM text. ``place`` says in messages where it came from. Raises InvalidSettings."""
    _require()
    if len(text) > LONGEST_PEM or "-----BEGIN" not in text:
        raise InvalidSettings(f"There is no PEM text in {place}.", "Give a PKCS#8 key: wge_entitlement_keypair makes one.")
    if "PRIVATE KEY-----" not in text:
        raise InvalidSettings(f"What is in {place} is no private key.", "Give the private key of the pair; the public one only verifies.")
    try:
        key = serialization.load_pem_private_key(text.encode(), passphrase.encode() if passphrase else None)
    except TypeError:
        problem = "is not encrypted, but a passphrase was given" if passphrase else "is encrypted, and no passphrase was given"
        raise InvalidSettings(f"The key in {place} {problem}.", "Correct the passphrase option.") from None
    except (ValueError, UnsupportedAlgorithm):
        hint = "The passphrase may be wrong." if passphrase else "Give a PKCS#8 PEM file as it was made."
        raise InvalidSettings(f"The key in {place} cannot be read.", hint) from None
    if not isinstance(key, Ed25519PrivateKey):
        raise InvalidSettings(f"The key in {place} is {_kind(key)}; entitlements are signed with Ed25519.", "Give an Ed25519 key.")
    return _private(key)


def _private(key: Ed25519PrivateKey) -> PrivateKey:
    return PrivateKey(_public(key.public_key()), key)


def _blocks(text: str, number: int) -> list[PublicKey]:
    place = f"public key {number}"
    if "PRIVATE KEY-----" in text:  # even a torn one
        raise InvalidSettings(
            f"What was given as {place} is a private key; it is not shown here.",
            "Give the public key of the pair, and treat the private one as known if others can read this place.",
        )
    blocks = [match[0] for match in _BLOCK.finditer(text)] if len(text) <= LONGEST_PEM else []
    if not blocks:
        raise InvalidSettings(f"What was given as {place} is not a PEM text.", "It begins with -----BEGIN PUBLIC KEY-----.")
    return [_load(block, place) for block in blocks]


def _load(text: str, place: str) -> PublicKey:
    try:
        key = serialization.load_pem_public_key(text.encode())
    except (ValueError, UnsupportedAlgorithm):
        raise InvalidSettings(f"What was given as {place} is not a public key in PEM.", "Copy the vendor's key once more.") from None
    if not isinstance(key, Ed25519PublicKey):
        raise InvalidSettings(f"What was given as {place} is {_kind(key)}; entitlements are signed with Ed25519.", "Give the vendor's key.")
    return _public(key)


def _public(key: Ed25519PublicKey) -> PublicKey:
    raw = key.public_bytes(serialization.Encoding.Raw, serialization.PublicFormat.Raw)
    pem = key.public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo).decode()
    return PublicKey(_thumbprint(raw), pem, key)


def _thumbprint(raw: bytes) -> str:
    """RFC 7638: the members of the JWK in alphabetical order, without blanks, hashed."""
    x = base64.urlsafe_b64encode(raw).rstrip(b"=").decode()
    jwk = json.dumps({"crv": "Ed25519", "kty": "OKP", "x": x}, separators=(",", ":"))
    return base64.urlsafe_b64encode(hashlib.sha256(jwk.encode()).digest()).rstrip(b"=").decode()


def _kind(key: object) -> str:
    """``_RSAPublicKey`` and the like as people call it."""
    name = type(key).__name__.strip("_").replace("PublicKey", "").replace("PrivateKey", "")
    words = {"EllipticCurve": "EC", "ECPublicKey": "EC"}
    word = words.get(name, name)
    return f"an {word} key" if word[:1] in "AEIOURSX" else f"a {word} key"


def _require() -> None:
    if not HAS_CRYPTOGRAPHY:
        raise InvalidSettings(
            "The Python library cryptography is missing.",
            f"Install it for the Python that runs this: {sys.executable} -m pip install cryptography.",
        )
