# SPDX-License-Identifier: GPL-3.0-or-later
"""bcrypt, as both products compare passwords, through the system's libcrypt (part of every Debian)."""

from __future__ import annotations

import asyncio
import ctypes
import ctypes.util
import hmac


def _library() -> ctypes.CDLL | None:
    name = ctypes.util.find_library("crypt") or "libcrypt.so.1"
    try:
        library = ctypes.CDLL(name)
    except OSError:
        return None
    library.crypt.restype = ctypes.c_char_p
    return library


_CRYPT = _library()


def hash_of(password: bytes, setting: bytes) -> bytes:
    """bcrypt of `password` with cost and salt of `setting`; empty when it cannot be made."""
    return (_CRYPT.crypt(password, setting) or b"") if _CRYPT else b""


async def matches(password: str, known: bytes) -> bool:
    """Is `known` the bcrypt hash of `password`? Off the loop, for it takes its time by design."""
    if not known.startswith(b"$2"):
        return False
    made = await asyncio.to_thread(hash_of, password.encode("utf-8"), known)
    return bool(made) and hmac.compare_digest(made, known)
