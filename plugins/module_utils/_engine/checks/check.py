# SPDX-License-Identifier: GPL-3.0-or-later
"""What a check is, and what it has found. PRIVATE.

Ids are promises to users: never reused, never renumbered. A check's row says also what people read in the documentation: what
the check looks at, and what is done about it when it fails.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, dataclass, field

from ..model import Object, Rung
from .evidence import ERROR, FAIL, Evidence, Judged

BLOCK, WARNING, INFO = "block", "warn", "info"
"""How severe a failure is: it forbids the upgrade, a person should look at it, or it is only told."""


@dataclass(frozen=True, slots=True)
class Check:
    """One row of the table. From the rung ``until`` on the question no longer arises and the check is skipped.

    ``reads`` and ``remedy`` are for the documentation; ``waivable`` says whether a person may overrule it. ``stored``: on a
    snapshot its finding stands as it was recorded, since it needs a Secret's bytes or a file of the machine that asked.
    """

    id: str
    group: str
    title: str
    severity: str
    function: Callable[[Evidence], Judged]
    reads: str
    remedy: str
    until: Rung | None = None
    waivable: bool = True
    stored: bool = False


@dataclass(frozen=True, slots=True)
class Finding:
    """What one check found on one cluster. ``waiver`` says who overruled it, empty when nobody did."""

    id: str
    group: str
    title: str
    severity: str
    status: str
    evidence: str
    remedy: str
    waiver: Object = field(default_factory=dict)

    @property
    def blocks(self) -> bool:
        """Whether this finding alone forbids the upgrade."""
        return self.severity == BLOCK and self.status in (FAIL, ERROR) and not self.waiver

    def as_dict(self) -> Object:
        """The finding for results and reports."""
        return asdict(self)
