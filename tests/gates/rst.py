# SPDX-License-Identifier: GPL-3.0-or-later
"""What the pages that are made from tables have in common: a table in reStructuredText."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence


def table(title: str, widths: str, head: Sequence[str], rows: Sequence[Sequence[str]]) -> Iterator[str]:
    """The lines of a section that is one table."""
    yield from (title, "-" * len(title), "", ".. list-table::", "   :header-rows: 1", f"   :widths: {widths}", "")
    for cells in (head, *rows):
        for number, cell in enumerate(cells):
            yield f"   {'* -' if number == 0 else '  -'} {_marked(cell)}".rstrip()
    yield ""


def _marked(text: str) -> str:
    """Backticks of a table are code; what else would be markup is not."""
    if text.startswith("``"):
        return text
    parts = re.split(r"`([^`]*)`", " ".join(text.split()))
    return "".join(f"``{part}``" if number % 2 else re.sub(r"([*|\\_])", r"\\\1", part) for number, part in enumerate(parts))
