# SPDX-License-Identifier: GPL-3.0-or-later
"""The one verifier: is this an entitlement, whose, for what, until when? Nothing is asked of anybody. PRIVATE.

A bad entitlement is a judgement, not an error, and no sentence here quotes it. Claims are those WGE reads (docs/facts.md, 4.2),
and ``features`` and ``jti``.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timezone
from typing import Any

from ..model import Object
from .keys import PublicKey
from .token import Malformed, parts_of

SKEW_SECONDS = 60.0
"""How far the clocks of vendor and cluster may differ before ``iat`` and ``nbf`` count as in the future."""
LAST_SECOND = 253402300799
"""9999-12-31T23:59:59Z, the last moment that dates can be written of."""
EXPIRES, ISSUED, NOT_BEFORE, ISSUER, CUSTOMER, FEATURES, IDENTIFIER = "licencedUntil", "iat", "nbf", "iss", "sub", "features", "jti"


@dataclass(frozen=True, slots=True)
class Judgement:
    """What one entitlement is. ``reason`` (a word) and ``message`` (a sentence) are empty when it is ``valid``.

    ``features`` None means that all are granted. Dates are UTC, None where they are not known: what an invalid entitlement
    claims is told only when its signature was good.
    """

    valid: bool
    reason: str = ""
    message: str = ""
    expired: bool = False
    expires: datetime | None = None
    issued: datetime | None = None
    not_before: datetime | None = None
    days_left: int | None = None
    customer: str = ""
    issuer: str = ""
    features: tuple[str, ...] | None = None
    key_id: str = ""
    jti: str = ""

    def as_dict(self) -> Object:
        """For results and reports."""
        return {
            "valid": self.valid,
            "expired": self.expired,
            "expires": written(self.expires),
            "issued": written(self.issued),
            "not_before": written(self.not_before),
            "days_left": self.days_left,
            "customer": self.customer,
            "features": None if self.features is None else list(self.features),
            "issuer": self.issuer,
            "key_id": self.key_id,
            "jti": self.jti,
            "reason": self.reason,
            "message": self.message,
        }


class _Unfit(ValueError):
    """A claim of a well signed token cannot be used."""


def verify(text: str, keys: Sequence[PublicKey], now: datetime, *, skew_seconds: float = SKEW_SECONDS) -> Judgement:
    """Judge a token by the keys that are trusted, at the moment ``now`` (aware). Raises nothing.

    ``text`` is taken as it is: white space around it makes it invalid, see ``trimmed``.
    """
    try:
        parts = parts_of(text)
        signer = next((key for key in keys if key.verifies(parts.signature, parts.signed)), None)
        if signer is None:
            return Judgement(False, "signature", f"Its signature was not made by {_trusted(keys)}.")
        claims = parts.claims()
    except Malformed as problem:
        return Judgement(False, problem.reason, str(problem))
    try:
        return _judged(claims, signer, now, skew_seconds)
    except _Unfit as problem:
        return Judgement(False, "claims", str(problem), key_id=signer.key_id)


def trimmed(text: str) -> str:
    """A token as people hand it over: files and variables end with a new line."""
    return text.strip()


def fingerprint(text: str) -> str:
    """SHA-256 in hex: tells two entitlements apart and reveals neither."""
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()


def written(moment: datetime | None) -> str:
    """``2027-11-23T00:00:00Z``; empty for None."""
    return moment.astimezone(timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ") if moment else ""


def _trusted(keys: Sequence[PublicKey]) -> str:
    return "the public key that is trusted here" if len(keys) == 1 else f"any of the {len(keys)} public keys that are trusted here"


def _judged(claims: Mapping[str, Any], signer: PublicKey, now: datetime, skew_seconds: float) -> Judgement:
    expires, issued, begins = (_moment(claims, name) for name in (EXPIRES, ISSUED, NOT_BEFORE))
    if expires is None:
        raise _Unfit(f"Its claim {EXPIRES} is missing.")
    early = max((moment for moment in (issued, begins) if moment), default=None)
    too_early = early is not None and (early - now).total_seconds() > skew_seconds
    return Judgement(
        valid=not too_early,
        reason="not_yet_valid" if too_early else "",
        message=f"It is not valid before {written(early)}." if too_early else "",
        expired=now > expires,
        expires=expires,
        issued=issued,
        not_before=begins,
        days_left=(expires - now).days,
        customer=_text(claims, CUSTOMER),
        issuer=_text(claims, ISSUER),
        features=_features(claims),
        key_id=signer.key_id,
        jti=_text(claims, IDENTIFIER) if IDENTIFIER in claims else "",
    )


def _moment(claims: Mapping[str, Any], name: str) -> datetime | None:
    """A NumericDate in whole seconds, as the product writes it."""
    if name not in claims:
        return None
    value = claims[name]
    if isinstance(value, bool) or not isinstance(value, int):
        raise _Unfit(f"Its claim {name} is not a whole number of seconds.")
    if not 0 < value <= LAST_SECOND:
        raise _Unfit(f"Its claim {name} is no date between 1970 and 9999.")
    return datetime.fromtimestamp(value, timezone.utc)


def _text(claims: Mapping[str, Any], name: str) -> str:
    value = claims.get(name)
    if not _is_text(value):
        raise _Unfit(f"Its claim {name} is not a text.")
    return str(value)


def _is_text(value: object) -> bool:
    """Nothing empty, and nothing that would move a terminal's cursor."""
    return isinstance(value, str) and bool(value.strip()) and value.isprintable()


def _features(claims: Mapping[str, Any]) -> tuple[str, ...] | None:
    """Only a claim that is absent grants all: one that cannot be read must not."""
    if FEATURES not in claims:
        return None
    value = claims[FEATURES]
    if not isinstance(value, list) or not all(_is_text(name) for name in value):
        raise _Unfit(f"Its claim {FEATURES} is not a list of names.")
    return tuple(value)
