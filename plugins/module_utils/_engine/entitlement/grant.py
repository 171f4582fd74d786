# SPDX-License-Identifier: GPL-3.0-or-later
"""The entitlement that a climb stands on: the one stored in the cluster, else the one that was given. PRIVATE.

Features, the checks EN-01 to EN-06 and rung ``prepared`` all look here, so they cannot disagree.
"""

from __future__ import annotations

import base64
import binascii
from dataclasses import dataclass, field
from datetime import datetime, timezone

from ..model import Object
from ..names import ENTITLEMENT_SECRET
from ..settings import Settings
from ..snapshot import Snapshot
from .features import Granted
from .keys import public_keys
from .verify import Judgement, trimmed, verify

KEY = "entitlement"
GIVEN, STORED, NOWHERE = "given", "stored", ""


@dataclass(frozen=True, slots=True)
class Grant:
    """Where the entitlement is from (one of the three words above), its text, and what it is."""

    source: str
    text: str = field(default="", repr=False)
    judgement: Judgement = field(default_factory=lambda: Judgement(False, "empty", "There is none."))

    @property
    def features(self) -> Granted:
        """What it grants; an entitlement that is not valid limits nothing, since nothing is installed with it."""
        return self.judgement.features if self.judgement.valid else None


def grant_of(settings: Settings, snapshot: Snapshot) -> Grant:
    """Judge it, by the API server's time. Raises InvalidSettings for public keys that are none."""
    secret = snapshot.named.get(ENTITLEMENT_SECRET)
    given = trimmed(settings.entitlement)
    if secret is None and not given:
        return Grant(NOWHERE)
    text = given if secret is None else stored_text(secret)
    now = snapshot.identity.server_time or datetime.now(timezone.utc)
    judgement = verify(text, public_keys(settings.entitlement_public_keys), now)
    return Grant(GIVEN if secret is None else STORED, text, judgement)


def stored_text(secret: Object) -> str:
    """The token in a Secret as WGE reads it, empty when there is none; what is not base64 or not text verifies nowhere.

    Line ends at its end are left out: Go's base64 passes over them, and so WGE does.
    """
    data = secret.get("data") or {}
    try:
        return base64.b64decode(str(data.get(KEY) or ""), validate=True).decode("utf-8").rstrip("\r\n")
    except (binascii.Error, UnicodeDecodeError):
        return "\N{REPLACEMENT CHARACTER}"
