# SPDX-License-Identifier: GPL-3.0-or-later
"""What is stored against what runs: WGE reads its entitlement once, when it starts, so the two can differ. PRIVATE."""

from __future__ import annotations

from .effect import ENTITLED, EXPIRED, NONE
from .server import Effect
from .stored import Stored
from .verify import Judgement

VALID, INVALID, MISSING = "valid", "invalid", "missing"
STORED_EXPIRED = "expired"
NOT_THERE = ("no_secret", "no_key", "empty")
"""The reasons of a judgement that mean that there is nothing to judge."""

_HELP = "the next restart will help"
_FAIL = "the next restart will fail, and WGE's API will answer 500"

ADVICE = {
    (VALID, EXPIRED): f"WGE runs with an expired entitlement, and a valid one is stored: {_HELP}.",
    (VALID, NONE): f"WGE runs without an entitlement, and a valid one is stored: {_HELP}.",
    (STORED_EXPIRED, ENTITLED): "WGE runs with an entitlement that has not expired, and the one stored has: "
    "after the next restart WGE works and warns its users.",
    (STORED_EXPIRED, NONE): f"WGE runs without an entitlement, and one is stored that has expired: {_HELP}, WGE then works and warns.",
    (INVALID, ENTITLED): f"WGE is entitled by what it read when it started, and what is stored now is not valid: {_FAIL}.",
    (INVALID, EXPIRED): f"WGE works by what it read when it started, and what is stored now is not valid: {_FAIL}.",
    (INVALID, NONE): "WGE's API answers 500, and what is stored is not valid: store a valid entitlement, and restart WGE.",
    (MISSING, ENTITLED): f"WGE is entitled by what it read when it started, and nothing is stored now: {_FAIL}.",
    (MISSING, EXPIRED): f"WGE works by what it read when it started, and nothing is stored now: {_FAIL}.",
    (MISSING, NONE): "WGE's API answers 500, and nothing is stored: store a valid entitlement, and restart WGE.",
}


def advice(judgement: Judgement, shown: Effect, judged: Stored) -> str:
    """A sentence when what runs and what is stored differ, or both are bad; empty when all is as it looks."""
    if shown.reads and shown.reads != (judged.name, judged.namespace):
        return f"WGE reads its entitlement from {Stored(*shown.reads, None)}, and not from the one that was judged."
    return ADVICE.get((_kind(judgement), shown.state), "")


def _kind(stored: Judgement) -> str:
    if not stored.valid:
        return MISSING if stored.reason in NOT_THERE else INVALID
    return STORED_EXPIRED if stored.expired else VALID
