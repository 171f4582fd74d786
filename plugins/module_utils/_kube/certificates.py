# SPDX-License-Identifier: GPL-3.0-or-later
"""When a certificate ends. PRIVATE: can change at any time.

The standard library shows that of a peer's certificate only, and importing ``cryptography.x509`` costs more than a
whole preflight's requests. The seven fields up to ``notAfter`` are at fixed places, so they are walked here.
"""

from __future__ import annotations

import re
import ssl
from datetime import datetime, timezone

_FIRST = re.compile(r"-----BEGIN CERTIFICATE-----.+?-----END CERTIFICATE-----", re.DOTALL)
_VERSION_TAG = 0xA0
_SHORT_YEAR_TAG = 0x17


def not_after(pem: str) -> datetime | None:
    """The end of the first certificate in ``pem``, None when there is none that can be read."""
    found = _FIRST.search(pem)
    if not found:
        return None
    try:
        return _end_of(ssl.PEM_cert_to_DER_cert(found.group()))
    except (ValueError, IndexError):
        return None


def _end_of(der: bytes) -> datetime:
    at = _element(der, _element(der, 0)[1])[1]
    if der[at] == _VERSION_TAG:
        at = _element(der, at)[2]
    for _serial_algorithm_issuer in range(3):
        at = _element(der, at)[2]
    begin = _element(der, at)[1]
    tag, start, end = _element(der, _element(der, begin)[2])
    digits = der[start:end].decode("ascii").rstrip("Z")
    if tag == _SHORT_YEAR_TAG:
        digits = f"20{digits}"
    year, month, day, hour, minute, second = (int(digits[:4]), *(int(digits[at : at + 2]) for at in range(4, 14, 2)))
    return datetime(year, month, day, hour, minute, second, tzinfo=timezone.utc)


def _element(der: bytes, at: int) -> tuple[int, int, int]:
    """Tag, first byte and end of the content of the element at ``at``."""
    length, start = der[at + 1], at + 2
    if length & 0x80:
        size = length & 0x7F
        length = int.from_bytes(der[start : start + size], "big")
        start += size
    return der[at], start, start + length
