# SPDX-License-Identifier: GPL-3.0-or-later
"""What a preflight found, as a table for a terminal. PRIVATE.

One cluster is a table with a closing line; the fleet is a line a cluster that is not ready, and a closing line. Colour is the
caller's: ``paint`` is given a text and a state of ``states`` (or a verdict of ``document``).
"""

from __future__ import annotations

import textwrap
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any

from .document import READY, VERDICT_WORDS, Document, verdict_of
from .states import GREEN, counted, phrase, state_of
from .texts import listed, one_line, plain

Paint = Callable[[str, str], str]
Row = Mapping[str, Any]

_GAP = 2
_NARROWEST = 32
_WIDEST = 140
_ARROW = "→ "


def unpainted(text: str, _tone: str) -> str:
    """For where there is no colour."""
    return text


def table(host: str, result: Row, width: int, *, everything: bool = False, paint: Paint = unpainted) -> list[str]:
    """One cluster: what is not green (or everything), and the counts. Nothing for one that gave no findings."""
    checks: Sequence[Row] = result.get("checks") or []
    if not checks:
        return []
    shown = [check for check in checks if everything or state_of(check) not in GREEN]
    return [*(_rows(shown, min(width, _WIDEST), paint) if shown else ()), _closing(host, result, checks, paint)]


def summary(document: Document, paths: Iterable[str] = (), paint: Paint = unpainted) -> list[str]:
    """The fleet: who is not ready and why, the counts, and where the files are."""
    bad = [cluster for cluster in document["clusters"] if cluster["verdict"] not in READY]
    columns = [(cluster["verdict"], cluster["host"], _why(cluster)) for cluster in bad]
    first, second = (max((len(row[n]) for row in columns), default=0) for n in (0, 1))
    rows = [f"  {paint(verdict.ljust(first), verdict)}  {host.ljust(second)}  {why}" for verdict, host, why in columns]
    return [*rows, document["fleet"]["sentence"], *(f"  {path}" for path in paths)]


def _why(cluster: Row) -> str:
    """The checks that forbid it, or the sentence about a cluster that has none."""
    forbidding = [check["id"] for check in cluster["checks"] if check["severity"] == "block" and check["state"] in ("block", "error")]
    return one_line(cluster["message"]) if cluster["twin"] or not forbidding else listed(forbidding)


def _rows(checks: Sequence[Row], width: int, paint: Paint) -> Iterator[str]:
    cells = [(one_line(check.get("group")), one_line(check.get("id")), state_of(check)) for check in checks]
    widths = [max(len(row[n]) for row in cells) for n in range(3)]
    indent = 2 + sum(widths) + 3 * _GAP
    group = ""
    for check, (own, name, state) in zip(checks, cells, strict=True):
        first, *others = _texts(check, max(width - indent, _NARROWEST))
        shown = "" if own == group else own
        head = [shown.ljust(widths[0]), paint(name.ljust(widths[1]), state), paint(state.ljust(widths[2]), state), first]
        yield "  " + (" " * _GAP).join(head).rstrip()
        yield from ((" " * indent + other).rstrip() for other in others)
        group = own


def _texts(check: Row, width: int) -> list[str]:
    """Title and evidence, then the remedy; of several lines each stays one, so that a printed role can be copied."""
    title, evidence = one_line(check.get("title")), plain(check.get("evidence"))
    lines = _wrapped(f"{title}: {evidence}" if evidence else title, width)
    remedy = plain(check.get("remedy"))
    if remedy:
        first, *others = _wrapped(remedy, width - len(_ARROW))
        lines += [_ARROW + first, *(" " * len(_ARROW) + other for other in others)]
    return lines


def _wrapped(text: str, width: int) -> list[str]:
    lines: list[str] = []
    for line in text.splitlines():
        hanging = " " * (len(line) - len(line.lstrip()))
        options: dict[str, Any] = {"break_long_words": False, "break_on_hyphens": False}
        lines += textwrap.wrap(line, width, subsequent_indent=hanging, **options) or [""]
    return lines or [""]


def _closing(host: str, result: Row, checks: Sequence[Row], paint: Paint) -> str:
    verdict = verdict_of(result)
    return f"{one_line(host)}: {paint(VERDICT_WORDS[verdict], verdict)} ({phrase(counted(map(state_of, checks)))})"
