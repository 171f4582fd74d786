# SPDX-License-Identifier: GPL-3.0-or-later
"""The vendor's ledger: one JSON line for each entitlement that was issued, and never the entitlement itself. PRIVATE.

A signature by Ed25519 is deterministic and the claims are canonical JSON, so a row and the private key give the same token again;
the row's SHA-256 proves that they did. So an entitlement is issued once: the same customer, dates and features find their row.

The row is written, and on the disk, before the token goes anywhere. Killed in between, the next run finds the row and gives the same
token. Killed within the row, its line has no end: it was never handed out, is dropped with a warning, and the next row takes its place.
Anything else that is not a row is an error, for a row that is overlooked means a second entitlement.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from ..._errors import InvalidSettings
from ..model import Object
from . import verify as claim
from .features import Granted
from .keys import PrivateKey
from .request import DAY, Request, iso
from .token import LONGEST, signed

ISSUED, RENEWED, UNCHANGED = "issued", "renewed", "unchanged"
"""What became of a request: the customer's first, one more, or the one there is."""

_MEMBERS = ("jti", "customer", "issuer", "issued", "not_before", "expires", "features", "key_id", "sha256")
_DATES = ("issued", "not_before", "expires")
_ISO = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", re.ASCII)


@dataclass(frozen=True, slots=True)
class Row:
    """One entitlement: all that its claims are made of, the key's id, and the hash of the token."""

    jti: str
    customer: str
    issuer: str
    issued: int
    not_before: int
    expires: int
    features: Granted
    key_id: str
    sha256: str = ""

    def claims(self) -> Object:
        """As WGE reads them, ``features`` only when not all are granted."""
        found: Object = {
            claim.EXPIRES: self.expires,
            claim.ISSUED: self.issued,
            claim.NOT_BEFORE: self.not_before,
            claim.ISSUER: self.issuer,
            claim.CUSTOMER: self.customer,
            claim.IDENTIFIER: self.jti,
        }
        return found if self.features is None else {**found, claim.FEATURES: list(self.features)}

    def as_dict(self) -> Object:
        """For the ledger and for results; dates as ISO texts."""
        found: Object = {name: getattr(self, name) for name in _MEMBERS}
        found.update({name: iso(found[name]) for name in _DATES})
        found["features"] = None if self.features is None else list(self.features)
        return found

    def line(self) -> bytes:
        """The row in a ledger."""
        return json.dumps(self.as_dict(), ensure_ascii=False, separators=(",", ":")).encode() + b"\n"


@dataclass(frozen=True, slots=True)
class Ledger:
    """The rows of a ledger, oldest first. Its first ``kept`` bytes are sound; ``before`` has to precede the next row."""

    rows: tuple[Row, ...]
    kept: int
    before: bytes = b""
    warnings: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Decision:
    """The answer to a request: its row, the token, one of the three words, and what is to be added to the ledger (or nothing)."""

    row: Row
    token: str
    status: str
    addition: bytes
    kept: int
    warnings: tuple[str, ...] = ()


def decide(content: bytes, request: Request, now: datetime, key: PrivateKey, jti: str, place: str) -> Decision:
    """Find the row that answers a request, or make one with the identifier ``jti``. Raises InvalidSettings.

    A row that has this ``jti`` is our own, from a try whose end we did not see.
    """
    ledger = rows_of(content, place)
    key_id = key.public.key_id
    found = match(ledger.rows, request, now, key_id)
    others = any((row.customer, row.issuer) == (request.customer, request.issuer) for row in ledger.rows if row.jti != jti)
    fresh = RENEWED if others else ISSUED
    if found:
        status = fresh if found.jti == jti else UNCHANGED
        return Decision(found, _again(found, key, place), status, b"", ledger.kept, ledger.warnings)
    row, token = _new(request, int(now.timestamp()), key, jti)
    return Decision(row, token, fresh, ledger.before + row.line(), ledger.kept, ledger.warnings)


def match(rows: Sequence[Row], request: Request, now: datetime, key_id: str) -> Row | None:
    """The newest row that is what was requested, None when there is none or it has to be renewed."""
    return next((row for row in reversed(rows) if _answers(row, request, int(now.timestamp()), key_id)), None)


def rows_of(content: bytes, place: str) -> Ledger:
    """Read a ledger. Raises InvalidSettings, with its number, for a line that is not a row."""
    *lines, last = content.split(b"\n")
    rows = []
    for number, line in enumerate(lines, 1):
        row = _row(line)
        if row is None:
            raise InvalidSettings(f"Line {number} of {place} is not a row of a ledger.", "Restore the line from a copy, or remove it.")
        rows.append(row)
    if not last:
        return Ledger(tuple(rows), len(content))
    unfinished = _row(last)
    if unfinished:  # an editor took the last line's end away
        return Ledger((*rows, unfinished), len(content), b"\n")
    warning = f"The last line of {place} is torn, as by a machine that died; nothing was issued by it, and the next row replaces it."
    return Ledger(tuple(rows), len(content) - len(last), b"", (warning,))


def _answers(row: Row, request: Request, now: int, key_id: str) -> bool:
    same = (row.customer, row.issuer, row.features, row.key_id) == (request.customer, request.issuer, request.features, key_id)
    if not same or (request.not_before is not None and row.not_before != request.not_before):
        return False
    if request.expires is not None:
        return row.expires == request.expires
    return row.expires - row.not_before == request.valid_days * DAY and row.expires - now > request.renew_before_days * DAY


def _again(row: Row, key: PrivateKey, place: str) -> str:
    token = signed(row.claims(), key)
    if claim.fingerprint(token) != row.sha256:
        raise InvalidSettings(
            f"The row {row.jti} of {place} does not give the entitlement that was issued by it: the row was edited.",
            "Restore the row from a copy; removing it means a second entitlement.",
        )
    return token


def _new(request: Request, now: int, key: PrivateKey, jti: str) -> tuple[Row, str]:
    begins = now if request.not_before is None else request.not_before
    expires = begins + request.valid_days * DAY if request.expires is None else request.expires
    row = Row(jti, request.customer, request.issuer, now, begins, expires, request.features, key.public.key_id)
    token = signed(row.claims(), key)
    if len(token) > LONGEST:
        raise InvalidSettings(f"The entitlement would have {len(token)} characters.", f"At most {LONGEST} are read: grant fewer features.")
    return replace(row, sha256=claim.fingerprint(token)), token


def _row(line: bytes) -> Row | None:
    """None for what is not exactly a row."""
    try:
        found = json.loads(line.decode("utf-8"))
        if not isinstance(found, dict) or sorted(found) != sorted(_MEMBERS):
            return None
        features = found.pop("features")
        if not all(isinstance(value, str) and value for value in found.values()) or not _is_features(features):
            return None
        dates = dict(_seconds_of(found))
    except (ValueError, RecursionError):
        return None
    return Row(**{**found, **dates}, features=None if features is None else tuple(features))


def _is_features(value: Any) -> bool:
    return value is None or (isinstance(value, list) and all(isinstance(name, str) for name in value))


def _seconds_of(found: Object) -> Iterator[tuple[str, int]]:
    for name in _DATES:
        if not _ISO.fullmatch(found[name]):
            raise ValueError
        yield name, int(datetime.fromisoformat(f"{found[name][:-1]}+00:00").timestamp())
