# SPDX-License-Identifier: GPL-3.0-or-later
"""The result of one preflight without what the table on the terminal says already. PRIVATE."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from .states import GREEN, state_of

_KEPT = ("id", "title", "severity", "status")


def short(result: Mapping[str, Any]) -> dict[str, Any]:
    """Without the plan; of the checks only those that are not green, and those without their texts."""
    cut = {name: value for name, value in result.items() if name != "plan"}
    if "checks" in result:
        cut["checks"] = [{name: check.get(name) for name in _KEPT} for check in result["checks"] if state_of(check) not in GREEN]
    return cut
