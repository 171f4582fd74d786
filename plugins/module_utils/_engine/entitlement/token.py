# SPDX-License-Identifier: GPL-3.0-or-later
"""An entitlement as text: a compact JWS (RFC 7515) with three base64url parts. PRIVATE.

Reading is stricter than libraries are: exactly one text stands for one signature, so nothing but the bytes that were
signed verifies. Bits that base64url does not use must be zero, and there is no padding.
"""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, NoReturn

from .keys import PrivateKey

LONGEST = 8 * 1024
"""Characters. A token with the claims WGE reads has about 300."""
ALGORITHM = "EdDSA"
_HEADER = {"alg": ALGORITHM, "typ": "JWT"}
_BASE64URL = re.compile(r"[A-Za-z0-9_-]+", re.ASCII)
_SIGNATURE_BYTES = 64


class Malformed(ValueError):
    """A text is no token of ours. ``reason`` is one word for programs; the message is a sentence that quotes nothing."""

    def __init__(self, reason: str, sentence: str) -> None:
        self.reason = reason
        super().__init__(sentence)


@dataclass(frozen=True, slots=True)
class Parts:
    """A token taken apart, its signature not yet looked at: ``signed`` is what the signature covers."""

    signed: bytes
    payload: bytes
    signature: bytes

    def claims(self) -> dict[str, Any]:
        """The payload as an object. To be asked only after the signature was verified; raises Malformed."""
        return _object(self.payload, "claims", "claims")


def signed(claims: Mapping[str, Any], key: PrivateKey) -> str:
    """The token of these claims. The same claims and key give the same text."""
    text = f"{_part(_HEADER)}.{_part(claims)}"
    return f"{text}.{_encoded(key.sign(text.encode('ascii')))}"


def parts_of(text: str) -> Parts:
    """Take a token apart. Raises Malformed for everything that is not three strict parts with an EdDSA header."""
    if not text:
        raise Malformed("empty", "It is empty.")
    if len(text) > LONGEST:
        raise Malformed("too_long", f"It is longer than {LONGEST} characters.")
    parts = text.split(".")
    if len(parts) != 3:
        raise Malformed("parts", f"It has {len(parts)} {'part' if len(parts) == 1 else 'parts'} instead of three.")
    header, payload, signature = (_decoded(part, name) for part, name in zip(parts, ("header", "claims", "signature"), strict=True))
    _judge_header(_object(header, "header", "header"))
    if len(signature) != _SIGNATURE_BYTES:
        raise Malformed("signature", f"Its signature has {len(signature)} bytes instead of {_SIGNATURE_BYTES}.")
    return Parts(text.rpartition(".")[0].encode("ascii"), payload, signature)


def _judge_header(header: Mapping[str, Any]) -> None:
    algorithm = header.get("alg")
    if algorithm != ALGORITHM:
        raise Malformed("algorithm", f"Its algorithm is not {ALGORITHM}.")
    if "crit" in header:
        raise Malformed("header", "Its header demands extensions that nobody here knows (crit).")


def _object(content: bytes, part: str, reason: str) -> dict[str, Any]:
    try:
        found = json.loads(content.decode("utf-8"), parse_constant=_no_constant, object_pairs_hook=_unique)
    except (ValueError, RecursionError):
        raise Malformed(reason, f"Its {part} part is not JSON.") from None
    if not isinstance(found, dict):
        raise Malformed(reason, f"Its {part} part is not a JSON object.")
    return found


def _no_constant(_word: str) -> NoReturn:
    """NaN and the infinities, which Python reads and JSON has not."""
    raise ValueError


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """Two members of one name mean different things to different readers."""
    if len({name for name, _value in pairs}) != len(pairs):
        raise ValueError
    return dict(pairs)


def _decoded(part: str, name: str) -> bytes:
    if not _BASE64URL.fullmatch(part) or len(part) % 4 == 1:
        raise Malformed("base64url", f"Its {name} part is not base64url.")
    content = base64.urlsafe_b64decode(part + "=" * (-len(part) % 4))
    if _encoded(content) != part:
        raise Malformed("base64url", f"Its {name} part is not base64url.")
    return content


def _encoded(content: bytes) -> str:
    return base64.urlsafe_b64encode(content).rstrip(b"=").decode("ascii")


def _part(value: Mapping[str, Any]) -> str:
    """Canonical JSON: sorted members, no blanks."""
    return _encoded(json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False).encode("utf-8"))
