# SPDX-License-Identifier: GPL-3.0-or-later
"""Texts that come from clusters, made safe for every output. PRIVATE."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

_NAMES_SHOWN = 10


def plain(value: Any) -> str:
    """Without what would move a cursor, hide a part or is no character of XML; the ends of lines are kept (a remedy may be a file)."""
    lines = str("" if value is None else value).expandtabs(4).splitlines()
    return "\n".join("".join(map(_printable, line)).rstrip() for line in lines).strip("\n")


def one_line(value: Any) -> str:
    """As ``plain``, on one line."""
    return " ".join(plain(value).split())


def listed(names: Sequence[str]) -> str:
    """``a, b and c``; of very many only the first."""
    if len(names) > _NAMES_SHOWN:
        return f"{', '.join(names[:_NAMES_SHOWN])} and {len(names) - _NAMES_SHOWN} more"
    return " and ".join(filter(None, (", ".join(names[:-1]), *names[-1:])))


def _printable(letter: str) -> str:
    if letter.isprintable():
        return letter
    return " " if letter.isspace() else "\N{REPLACEMENT CHARACTER}"
