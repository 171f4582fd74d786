# SPDX-License-Identifier: GPL-3.0-or-later
"""By what a secret is known: the names people give it, and what some of them look like. PRIVATE: can change at any time."""

from __future__ import annotations

import re

TELLING = re.compile(
    r"pass(word|wd|phrase)|(?<!existing)(?<!credentials)secret(?!name|ref)|token(?!duration)|entitlement|bearer|"
    r"(api|access|signing|client|private|ssh)[-_]?key|key-data|basic[-_]?auth|^auth$",
    re.IGNORECASE,
)
"""Names of what is secret."""
PRIVATE_KEY = re.compile(r"-----BEGIN [A-Z0-9 ]*PRIVATE KEY-----")
"""The first line of a private key."""
