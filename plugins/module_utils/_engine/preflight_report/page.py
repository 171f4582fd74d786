# SPDX-License-Identifier: GPL-3.0-or-later
"""The preflight of a fleet as one HTML page: clusters by checks, and below what is not green. PRIVATE.

The page asks for nothing from anywhere, and its content security policy forbids it to: it runs its own script, known by its hash, and
no other. What comes from clusters is escaped where it is markup and where it is data. Without scripts the page is complete, but
for the filter and for the evidence of what passed.
"""

from __future__ import annotations

import base64
import hashlib
import json
import os
from collections.abc import Iterator, Mapping
from html import escape
from itertools import groupby
from typing import Any

from ..._files import read_limited
from .document import VERDICT_WORDS, Document
from .states import BLOCK, ERROR, GREEN, PASS, SKIP, STATES, WAIVED, WARN, phrase

Row = Mapping[str, Any]

GLYPHS = {BLOCK: "✕", ERROR: "?", WARN: "!", WAIVED: "w", SKIP: "\N{EN DASH}", PASS: "✓"}
MEANINGS = {
    BLOCK: "forbids the upgrade",
    ERROR: "could not be checked",
    WARN: "a person should look at it",
    WAIVED: "overruled by a waiver",
    SKIP: "does not apply",
    PASS: "all is well",
}
_FACTS = {"uid": "UID", "api": "API server", "version": "Kubernetes"}
_ASSET_BYTES = 100_000


def page(document: Document) -> str:
    """The whole file."""
    style, script = _asset("page.css"), _asset("page.js")
    policy = f"default-src 'none'; style-src {_hash(style)}; script-src {_hash(script)}; base-uri 'none'; form-action 'none'"
    return "\n".join(
        (
            '<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">',
            f'<meta http-equiv="Content-Security-Policy" content="{escape(policy)}">',
            '<meta name="viewport" content="width=device-width, initial-scale=1">\n<meta name="referrer" content="no-referrer">',
            f"<title>Preflight {escape(document['run'])}</title>\n<style>{style}</style>\n</head>\n<body>",
            *_head(document),
            *_filter(document),
            "<main>",
            *_matrix(document),
            *_findings(document),
            "</main>",
            _DIALOG,
            f'<script type="application/json" id="data">{_data(document)}</script>',
            f"<script>{script}</script>\n</body>\n</html>\n",
        )
    )


_DIALOG = """<dialog id="detail" aria-labelledby="detail-title">
<h2 id="detail-title"></h2><p class="about" id="detail-about"></p>
<h3>What was seen</h3><p class="text" id="detail-evidence"></p>
<div id="detail-do"><h3>What to do</h3><p class="text remedy" id="detail-remedy"></p></div>
<button type="button" id="detail-close">Close</button>
</dialog>"""


def _asset(name: str) -> str:
    return read_limited(os.path.join(os.path.dirname(__file__), name), _ASSET_BYTES).decode()


def _hash(text: str) -> str:
    return f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'"


def _data(document: Document) -> str:
    """What the script needs, so that no text can end the element it stands in."""
    clusters = [
        {
            **{name: cluster[name] for name in ("host", "verdict", "message", "twin")},
            "checks": {check["id"]: [check[name] for name in ("state", "evidence", "remedy")] for check in cluster["checks"]},
        }
        for cluster in document["clusters"]
    ]
    about = ("id", "group", "title", "severity")
    checks = [{name: check[name] for name in about} for check in document["checks"]]
    text = json.dumps({"meanings": MEANINGS, "checks": checks, "clusters": clusters}, ensure_ascii=False, separators=(",", ":"))
    return text.replace("&", "\\u0026").replace("<", "\\u003c").replace(">", "\\u003e")


def _head(document: Document) -> Iterator[str]:
    yield '<a class="jump" href="#findings">To the findings</a>\n<header>\n<h1>Preflight</h1>'
    yield f'<p class="sentence">{escape(document["fleet"]["sentence"])}</p>'
    yield '<ul class="verdicts">'
    for verdict, number in document["fleet"]["verdicts"].items():
        if number:
            yield f'<li class="{verdict}"><b>{number}</b> {escape(VERDICT_WORDS[verdict])}</li>'
    yield f'</ul>\n<p class="run">Run {escape(document["run"])}, made {escape(document["made"])}</p>\n</header>'


def _filter(document: Document) -> Iterator[str]:
    yield '<form id="filter" role="search" aria-label="Filter" hidden>'
    yield '<label>Text <input type="search" id="text" autocomplete="off" placeholder="cluster, id, evidence …"></label>'
    yield '<label>Group <select id="group"><option value="">all</option>'
    for group in dict.fromkeys(check["group"] for check in document["checks"]):
        yield f'<option value="{escape(group)}">{escape(group)}</option>'
    yield '</select></label>\n<fieldset><legend class="unseen">States</legend>'
    for state in STATES:
        number = document["fleet"]["states"][state]
        key = f'<span class="key {state}" aria-hidden="true">{GLYPHS[state]}</span>'
        box = f'<input type="checkbox" name="state" value="{state}" checked>'
        yield f'<label title="{MEANINGS[state]}">{box}{key}{state} <small>{number}</small></label>'
    yield '</fieldset>\n<button type="button" id="problems">Only what is not green</button>'
    yield '<button type="button" id="everything">Everything</button>\n<output id="count" aria-live="polite"></output>\n</form>'


def _matrix(document: Document) -> Iterator[str]:
    yield '<section aria-labelledby="matrix-title">\n<h2 id="matrix-title">Clusters and checks</h2>\n<ul class="legend">'
    for state in STATES:
        yield f'<li><span class="key {state}" aria-hidden="true">{GLYPHS[state]}</span> {state}: {MEANINGS[state]}</li>'
    yield '</ul>\n<p id="nothing" hidden>Nothing matches the filter.</p>'
    yield '<div class="scroll" tabindex="-1">\n<table id="matrix">\n<caption class="unseen">A row a cluster, a column a check.</caption>'
    yield from _columns(document)
    yield "<tbody>"
    for number, cluster in enumerate(document["clusters"]):
        yield from _row(number, cluster, document["checks"])
    yield "</tbody>\n</table>\n</div>\n</section>"


def _columns(document: Document) -> Iterator[str]:
    yield '<thead>\n<tr class="groups"><td></td>'
    for group, members in groupby(document["checks"], lambda check: str(check["group"])):
        size = len(list(members))
        yield f'<th scope="colgroup" colspan="{size}" data-size="{size}" title="{escape(group)}"><span>{escape(group)}</span></th>'
    yield '</tr>\n<tr class="ids"><th scope="col">Cluster</th>'
    for check in document["checks"]:
        title = escape(f"{check['id']} {check['title']} ({check['severity']})")
        yield f'<th scope="col" title="{title}"><span>{escape(check["id"])}</span></th>'
    yield "</tr>\n</thead>"


def _row(number: int, cluster: Row, columns: list[Row]) -> Iterator[str]:
    host, verdict = escape(cluster["host"]), cluster["verdict"]
    words = escape(VERDICT_WORDS[verdict] + (": in the inventory twice" if cluster["twin"] else ""))
    name = f'<a href="#c{number}">{host}</a>' if _has_words(cluster) else host
    yield f'<tr data-c="{number}"><th scope="row">{name} <small class="{verdict}">{words}</small></th>'
    made = {check["id"]: check["state"] for check in cluster["checks"]}
    if not made:
        yield f'<td class="silent" colspan="{max(len(columns), 1)}">{escape(cluster["message"])}</td>'
    for index, check in enumerate(columns if made else ()):
        state = made.get(check["id"])
        label = f"{host} {escape(check['id'])} {state}"
        button = f'<button type="button" class="{state}" data-k="{index}" aria-label="{label}">{GLYPHS[state]}</button>' if state else ""
        yield f"<td>{button}</td>"
    yield "</tr>"


def _findings(document: Document) -> Iterator[str]:
    index = {check["id"]: number for number, check in enumerate(document["checks"])}
    yield '<section id="findings" aria-labelledby="findings-title" tabindex="-1">\n<h2 id="findings-title">What is not green</h2>'
    for number, cluster in enumerate(document["clusters"]):
        if _has_words(cluster):
            yield from _article(number, cluster, index)
    yield "</section>"


def _has_words(cluster: Row) -> bool:
    return bool(cluster["message"] or any(check["state"] not in GREEN for check in cluster["checks"]))


def _article(number: int, cluster: Row, index: Mapping[str, int]) -> Iterator[str]:
    verdict = cluster["verdict"]
    yield f'<article id="c{number}">\n<h3>{escape(cluster["host"])} <small class="{verdict}">{escape(VERDICT_WORDS[verdict])}</small></h3>'
    yield f'<p class="facts">{escape(_facts(cluster))}</p>'
    shown = [check for check in cluster["checks"] if check["state"] not in GREEN]
    if cluster["message"] and (cluster["twin"] or not shown):
        yield f"{_text(cluster['message'])}\n{_text(cluster['next_step'], 'remedy')}"
    for check in shown:
        yield from _finding(check, index[check["id"]])
    yield "</article>"


def _finding(check: Row, index: int) -> Iterator[str]:
    state = check["state"]
    key = f'<span class="key {state}" title="{MEANINGS[state]}">{GLYPHS[state]}</span>'
    yield f'<div class="finding {state}" data-k="{index}">\n<h4>{key} {escape(check["id"])} {escape(check["title"])}'
    yield f"<small>{state}, {escape(check['group'])}</small></h4>\n{_text(check['evidence'])}"
    if check["remedy"]:
        yield _text(check["remedy"], "remedy")
    yield "</div>"


def _text(text: str, what: str = "") -> str:
    """A paragraph; a text of several lines is something to copy."""
    classes = " ".join(filter(None, ("text", what, "lines" if "\n" in text else "")))
    return f'<p class="{classes}">{escape(text)}</p>'


def _facts(cluster: Row) -> str:
    known = [f"{name} {cluster['cluster'][key]}" for key, name in _FACTS.items() if cluster["cluster"][key]]
    counts = [phrase(cluster["states"])] if cluster["checks"] else []
    return " · ".join([*counts, *known])
