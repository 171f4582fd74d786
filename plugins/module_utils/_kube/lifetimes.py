# SPDX-License-Identifier: GPL-3.0-or-later
"""When credentials end that nobody renews. PRIVATE: can change at any time."""

from __future__ import annotations

import base64
import json
from datetime import datetime, timezone

from .certificates import not_after
from .connection import User
from .credentials import Identity


def end_of(user: User, identity: Identity) -> datetime | None:
    """The end of a token or client certificate; None for those that a program or a file renews, and for those without an end."""
    if user.plugin is not None and not user.token:
        return None
    token = None if user.token_file and not user.token else _end_of_token(identity.token)
    certificate = None if user.certificate_file and not user.certificate else not_after(identity.certificate)
    return min((end for end in (token, certificate) if end is not None), default=None)


def _end_of_token(token: str) -> datetime | None:
    """The claim ``exp`` of a JWT, which is read and not verified; None for any other kind of token."""
    try:
        _header, payload, _signature = token.split(".")
        claims = json.loads(base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4)))
        return datetime.fromtimestamp(float(claims["exp"]), timezone.utc)
    except (ValueError, KeyError, TypeError, OverflowError, OSError):
        return None
