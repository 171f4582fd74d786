# SPDX-License-Identifier: GPL-3.0-or-later
"""The preflight of a fleet as Markdown, for a pull request or the summary of a pipeline. PRIVATE."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from .document import VERDICT_WORDS, Document
from .states import GREEN, phrase

Row = Mapping[str, Any]

_SPECIAL = re.compile(r"([\\`*_\[\]<>#|~&])")


def markdown(document: Document) -> str:
    """The whole file: the fleet, then of each cluster what is not green."""
    head = [
        "# Preflight",
        "",
        f"**{_safe(document['fleet']['sentence'])}**",
        "",
        f"Run {_safe(document['run'])}, {_safe(document['made'])}.",
    ]
    fleet = [_table_row(("cluster", "verdict", "checks")), _table_row(["---"] * 3), *map(_fleet_row, document["clusters"])]
    lines = [*head, "", *fleet]
    for cluster in document["clusters"]:
        lines += _cluster(cluster)
    return "\n".join(lines) + "\n"


def _fleet_row(cluster: Row) -> str:
    counts = phrase(cluster["states"]) if cluster["checks"] else cluster["message"]
    return _table_row([_safe(cluster["host"]), f"**{VERDICT_WORDS[cluster['verdict']]}**", _safe(counts)])


def _cluster(cluster: Row) -> Iterator[str]:
    shown = [check for check in cluster["checks"] if check["state"] not in GREEN]
    if not shown and not cluster["message"]:
        return
    yield from ("", f"## {_safe(cluster['host'])}: {VERDICT_WORDS[cluster['verdict']]}")
    said = " ".join(filter(None, (cluster["message"], cluster["next_step"])))
    if said and (cluster["twin"] or not shown):
        yield from ("", _safe(said))
    if shown:
        yield from ("", _table_row(("group", "id", "state", "what", "remedy")), _table_row(["---"] * 5))
    for check in shown:
        what = f"{check['title']}: {check['evidence']}"
        yield _table_row([_safe(check["group"]), check["id"], f"**{check['state']}**", _safe(what), _safe(check["remedy"])])


def _table_row(cells: Sequence[str]) -> str:
    return f"| {' | '.join(cells)} |"


def _safe(text: str) -> str:
    """As text, without markup; a line of several stays one row."""
    lines = (_SPECIAL.sub(r"\\\1", line) for line in text.splitlines())
    return "<br>".join(re.sub(r"^ +", lambda found: "&nbsp;" * len(found[0]), line) for line in lines)
