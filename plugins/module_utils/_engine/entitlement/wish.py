# SPDX-License-Identifier: GPL-3.0-or-later
"""What was asked of a renewal, and what came of it. PRIVATE."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from ..._errors import WgeError
from ..snapshot import Identity
from ..writes import Write
from .keys import PublicKey
from .server import Effect
from .stored import Stored
from .verify import Judgement

INSTALLED, UNCHANGED, PLANNED = "installed", "unchanged", "planned"
"""The verdicts of a call that did not fail."""


@dataclass(frozen=True, slots=True)
class Wish:
    """What was asked for. ``credentials`` are the Secret's keys and texts, empty when somebody else keeps it (``external``)."""

    name: str
    namespace: str
    keys: Sequence[PublicKey]
    credentials: dict[str, str] = field(default_factory=dict, repr=False)
    external: bool = False
    replace: bool = False
    restart: bool = True
    fail_if_expired: bool = False
    skew_seconds: float = 60.0
    server_namespace: str = ""
    cluster_uid: str = ""
    ready_seconds: float = 300.0


@dataclass(slots=True)
class Outcome:
    """What there is now. ``error`` is set when the call did not reach its end."""

    identity: Identity
    stored: Stored
    judgement: Judgement
    effect: Effect
    verdict: str = UNCHANGED
    changed: bool = False
    restarted: bool = False
    writes: list[Write] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)
    error: WgeError | None = None
