# SPDX-License-Identifier: GPL-3.0-or-later
"""The fleet's entitlements as one document, and that document as a table, as warnings and as JUnit XML. PRIVATE.

The document's schema is ``roles/entitlement_report/files/entitlements.schema.json``. What is in it comes from results of
``wge_entitlement_verify`` or ``wge_entitlement_issue``; no token and no key was ever in those.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any
from xml.etree import ElementTree

from ..._errors import InvalidSettings

SCHEMA = 1
UNREACHABLE, FAILED, INVALID, EXPIRED, URGENT, WARN, NOTICE, OK = (
    "unreachable",
    "failed",
    "invalid",
    "expired",
    "urgent",
    "warn",
    "notice",
    "ok",
)
LEVELS = (UNREACHABLE, FAILED, INVALID, EXPIRED, URGENT, WARN, NOTICE, OK)
"""From what cannot wait to what needs nobody."""
UNANSWERED = (UNREACHABLE, FAILED)
_SOON = (URGENT, WARN, NOTICE)

Document = dict[str, Any]
Row = Mapping[str, Any]

_TEXTS = ("status", "customer", "expires", "issued", "not_before", "issuer", "key_id", "jti", "reason", "path")
_NAMES_SHOWN = 10
_CELL = 40
_KEY_SHOWN = 10
_NUMBERS = ("days left",)


def build(results: Mapping[str, Row], run: str, made: str, warn_days: Sequence[int]) -> Document:
    """The document of results by host name; an empty result is a host that gave none. Raises InvalidSettings for ``warn_days``."""
    limits = _limits(warn_days)
    rows = sorted((_row(host, result, limits) for host, result in results.items()), key=_urgency)
    shared = _shared(rows)
    for row in rows:
        row["holders"] = next((len(group["hosts"]) for group in shared if row["host"] in group["hosts"]), 1)
    levels = {level: sum(row["level"] == level for row in rows) for level in LEVELS}
    document: Document = {"schema": SCHEMA, "run": run, "made": made, "warn_days": limits, "levels": levels}
    document |= {"entitlements": rows, "shared": shared}
    return {**document, "sentence": _sentence(document)}


def lines(document: Document) -> list[str]:
    """The document for a terminal: the table, what there is to say of single rows, and the whole in one sentence."""
    rows: list[Row] = document["entitlements"]
    columns = [column for column in zip(*map(_cells, rows), strict=True) if any(text for _name, text in column)]
    notes = [f"{row['host']}: {_said(row['message'], row['advice'])}" for row in rows if row["message"] or row["advice"]]
    return [*_aligned([(column[0][0], [text for _name, text in column]) for column in columns]), *notes, document["sentence"]]


def warnings(document: Document) -> list[str]:
    """One sentence for what has expired, and for each number of days that was reached."""
    phrases = {EXPIRED: "has expired", **{level: f"ends within {days} days" for level, days in document["warn_days"].items()}}
    named = {level: [row["host"] for row in document["entitlements"] if row["level"] == level] for level in (EXPIRED, *_SOON)}
    return [f"The entitlement {phrases[level]}: {_listed(hosts)}." for level, hosts in named.items() if hosts]


def junit(document: Document, *, fail_if_expired: bool) -> str:
    """One suite, a test case a row. Invalid is a failure, no answer an error; what only warns passes, and says so in its output."""
    rows: list[Row] = document["entitlements"]
    bad = (INVALID, EXPIRED) if fail_if_expired else (INVALID,)
    counts = {"failures": sum(row["level"] in bad for row in rows), "errors": sum(row["level"] in UNANSWERED for row in rows)}
    numbers = {name: str(number) for name, number in {"tests": len(rows), **counts, "skipped": 0}.items()}
    root = ElementTree.Element("testsuites", numbers)
    suite = ElementTree.SubElement(root, "testsuite", {"name": "entitlements", **numbers, "timestamp": document["made"]})
    for row in rows:
        case = ElementTree.SubElement(suite, "testcase", {"classname": "entitlements", "name": row["host"]})
        text = _said(row["message"] or _soon(row, document), row["advice"])
        if row["level"] in (*bad, *UNANSWERED):
            kind = "failure" if row["level"] in bad else "error"
            ElementTree.SubElement(case, kind, {"type": row["level"], "message": text}).text = text
        elif text:
            ElementTree.SubElement(case, "system-out").text = text
    ElementTree.indent(root)
    content: bytes = ElementTree.tostring(root, "utf-8", xml_declaration=True)
    return content.decode() + "\n"


def _limits(warn_days: Sequence[int]) -> dict[str, int]:
    """Days by level, the fewest first."""
    days = sorted(set(warn_days))
    if len(days) > len(_SOON) or (days and days[0] < 0):
        raise InvalidSettings("The days to warn at are not up to three numbers from 0 on.", "Give for instance warn_days: [60, 30, 14].")
    return dict(zip(_SOON, days, strict=False))


def _row(host: str, result: Row, limits: Mapping[str, int]) -> dict[str, Any]:
    cluster, features = result.get("cluster") or {}, result.get("features")
    level = _level(result, limits)
    silent = "It gave no answer." if level in UNANSWERED else ""
    return {
        "host": _plain(host),
        "level": level,
        **{name: _plain(result.get(name)) for name in _TEXTS},
        "days_left": result.get("days_left"),
        "features": [_plain(name) for name in features] if features is not None else None,
        "effect": _plain(_effect(result.get("effect"))),
        "message": _plain(result.get("message") or result.get("msg") or silent),
        "advice": _plain(result.get("advice") or (result.get("next_step") if result.get("message") else "")),
        "cluster": {name: _plain(cluster.get(name)) for name in ("uid", "api")},
        "holders": 1,
    }


def _level(result: Row, limits: Mapping[str, int]) -> str:
    if "valid" in result and not result["valid"]:
        return INVALID
    days = result.get("days_left")
    if "valid" not in result and (result.get("failed") or result.get("unreachable") or days is None):
        return FAILED if result.get("failed") and result.get("verdict") != UNREACHABLE else UNREACHABLE
    if result.get("expired") or (days is not None and days < 0):
        return EXPIRED
    return next((level for level, limit in limits.items() if days is not None and days <= limit), OK)


def _effect(value: Any) -> Any:
    return value.get("state") if isinstance(value, Mapping) else value


def _urgency(row: Row) -> tuple[int, str]:
    return LEVELS.index(row["level"]), row["host"]


def _shared(rows: Sequence[Row]) -> list[dict[str, Any]]:
    """The entitlements that several hosts have: the same key, and the same identifier or, without one, customer."""
    groups: dict[tuple[str, str], list[Row]] = {}
    for row in rows:
        if row["expires"] and row["level"] != INVALID:
            groups.setdefault((row["key_id"], row["jti"] or row["customer"]), []).append(row)
    return [
        {**{name: group[0][name] for name in ("customer", "key_id", "jti")}, "hosts": sorted(row["host"] for row in group)}
        for group in groups.values()
        if len(group) > 1
    ]


def _said(*sentences: str) -> str:
    return " ".join(filter(None, sentences))


def _soon(row: Row, document: Document) -> str:
    if row["level"] == EXPIRED:
        return f"It expired on {row['expires'][:10]}."
    return f"It ends on {row['expires'][:10]}, within {document['warn_days'][row['level']]} days." if row["level"] in _SOON else ""


def _cells(row: Row) -> list[tuple[str, str]]:
    return [
        ("host", row["host"]),
        ("state", row["level"]),
        ("days left", "" if row["days_left"] is None else str(row["days_left"])),
        ("expires", row["expires"][:10]),
        ("customer", _short(row["customer"])),
        ("features", _short(_granted(row))),
        ("key", row["key_id"][:_KEY_SHOWN]),
        ("effect", row["effect"]),
        ("shared", f"{row['holders']} hosts" if row["holders"] > 1 else ""),
        ("result", row["status"]),
        ("file", row["path"]),
    ]


def _granted(row: Row) -> str:
    if not row["expires"]:
        return ""
    return "all" if row["features"] is None else ", ".join(row["features"]) or "none"


def _aligned(columns: Sequence[tuple[str, Sequence[str]]]) -> list[str]:
    padded = []
    for name, texts in columns:
        width = max(map(len, (name, *texts)))
        padded.append([text.rjust(width) if name in _NUMBERS else text.ljust(width) for text in (name, *texts)])
    return ["  ".join(cells).rstrip() for cells in zip(*padded, strict=True)]


def _sentence(document: Document) -> str:
    words = {OK: "fine", **{level: f"ending within {days} days" for level, days in document["warn_days"].items()}}
    rows, levels = document["entitlements"], document["levels"]
    parts = [f"{levels[level]} {words.get(level, level)}" for level in reversed(LEVELS) if levels[level]]
    return f"{len(rows)} entitlement{'' if len(rows) == 1 else 's'}: {', '.join(parts) or 'none'}"


def _listed(names: Sequence[str]) -> str:
    more = len(names) - _NAMES_SHOWN
    return ", ".join(names[:_NAMES_SHOWN]) + (f" and {more} more" if more > 0 else "")


def _short(text: str) -> str:
    return text if len(text) <= _CELL else text[: _CELL - 1] + "…"


def _plain(value: Any) -> str:
    """On one line, and without what would move a cursor or is no character of XML."""
    return "".join(_printable(" ".join(str(value or "").split())))


def _printable(text: str) -> Iterable[str]:
    return (letter if letter.isprintable() else "\N{REPLACEMENT CHARACTER}" for letter in text)
