# SPDX-License-Identifier: GPL-3.0-or-later
"""A snapshot's file: one JSON document, compressed when its name ends in ``.gz``, for its owner alone. PRIVATE."""

from __future__ import annotations

import gzip
import io
import json
import zlib
from collections.abc import Callable, Iterable, Mapping
from dataclasses import fields
from typing import Any

from ..._errors import InvalidSettings
from ..._files import read_limited, write_private
from ..model import Object
from .kinds import Objects, names_in, packed, users_in
from .questions import fits
from .record import SCHEMA, Entry, Record, as_data, error_from, grant_of, judged_of, settings_of, time_of
from .redaction import Redactor, replaced, standing

LARGEST = 64 * 1024 * 1024
LARGEST_UNPACKED = 512 * 1024 * 1024
PACKED = ".gz"
ADVICE = "Take it again with snapshot_to, and send it as a whole."
_ANSWERS, _SECRETS = "answers", "/secrets"
_ENTRY = {"answer": object, "error": Mapping, "at": str, "took": list}
_SHAPE: Mapping[str, tuple[type, ...]] = {
    **dict.fromkeys(("taken", "tool", "api", "uid", "run", "controller_time", "login_ends", "plan_hash"), (str,)),
    **dict.fromkeys(("settings", "judged", _ANSWERS), (dict,)),
    **dict.fromkeys(("compatibility", "grant", "ended"), (dict, type(None))),
    "waivers": (list,),
    "skew": (int, float, type(None)),
}


def save(record: Record, path: str, known: Iterable[str] = ()) -> None:
    """Write it, without secrets; ``known`` are some that were given. Raises InvalidSettings."""
    content = json.dumps(redacted(record, known), separators=(",", ":"), default=str).encode()
    write_private(path, gzip.compress(content, mtime=0) if path.endswith(PACKED) else content)


def redacted(record: Record, known: Iterable[str] = ()) -> Object:
    """What the file holds."""
    redactor = Redactor(known)
    everything = [entry.answer for entries in record.answers.values() for entry in entries]
    objects = Objects(redactor, set().union(*map(users_in, everything)) if everything else ())
    data = as_data(record)
    data["settings"] = {**data["settings"], "values": redactor.values(data["settings"].get("values") or {})}
    data["api"] = redactor.text(record.api)
    data["settings"]["entry_urls"] = [redactor.text(url) for url in data["settings"].get("entry_urls") or []]
    data[_ANSWERS] = {redactor.text(question): _cleaned(question, entries, objects) for question, entries in data[_ANSWERS].items()}
    names = set().union(*map(names_in, everything), *([question] for question in record.answers if not question.startswith("ENTRY ")))
    sentences = {name: data[name] for name in ("judged", "ended")}
    words = standing(sentences, redactor.told, set())
    data |= replaced(sentences, {word: redactor.mark(word) for word in words})
    words = standing(data, redactor.known, names)
    found: Object = replaced(data, {word: redactor.mark(word) for word in words}) if words else data
    return found


def _cleaned(question: str, entries: list[Object], objects: Objects) -> list[Object]:
    of_secrets = _SECRETS in question.split(" ")[1] if " " in question else False
    return [{**entry, "answer": objects.cleaned(_typed(entry.get("answer")) if of_secrets else entry.get("answer"))} for entry in entries]


def _typed(answer: Any) -> Any:
    """Secrets that a ``keep`` has left without their kind."""
    if isinstance(answer, list):
        return [_typed(item) for item in answer]
    return {"kind": "Secret", **answer} if isinstance(answer, dict) and "metadata" in answer else answer


def load(path: str) -> Record:
    """Read it. Raises InvalidSettings for a file that is none, is cut, is of another schema or was changed."""
    content = _unpacked(path, read_limited(path, LARGEST))
    try:
        data = json.loads(content)
    except (ValueError, RecursionError):
        raise InvalidSettings(f"The snapshot {path} is no JSON document, or a part of it is missing.", ADVICE) from None
    if not isinstance(data, dict) or "schema" not in data or _ANSWERS not in data:
        raise InvalidSettings(f"The file {path} is no snapshot of a preflight.", "Give a file that snapshot_to has written.")
    if data["schema"] != SCHEMA:
        raise InvalidSettings(
            f"The snapshot {path} has schema {data['schema']!r}, this version reads {SCHEMA}.",
            "Use the version of the collection that took it, or take it again with this one.",
        )
    return _record(path, data)


def _unpacked(path: str, content: bytes) -> bytes:
    if not content.startswith(b"\x1f\x8b"):
        return content
    try:
        with gzip.GzipFile(fileobj=io.BytesIO(content)) as file:
            found = file.read(LARGEST_UNPACKED + 1)
    except (OSError, EOFError, zlib.error):
        raise InvalidSettings(f"The snapshot {path} cannot be decompressed: it is damaged, or a part of it is missing.", ADVICE) from None
    if len(found) > LARGEST_UNPACKED:
        raise InvalidSettings(f"The snapshot {path} is longer than {LARGEST_UNPACKED} bytes when it is decompressed.", ADVICE)
    return found


def _record(path: str, data: Object) -> Record:
    """The record, after a look at each of its members."""
    for name, types in _SHAPE.items():
        if not isinstance(data.get(name), types) or isinstance(data.get(name), bool):
            raise _changed(path, name)
    answers = {question: _entries(path, question, found) for question, found in data[_ANSWERS].items()}
    record = Record(**{**{part.name: data[part.name] for part in fields(Record)}, _ANSWERS: answers})
    _try(path, record)
    return record


def _entries(path: str, question: str, found: Any) -> list[Entry]:
    if not isinstance(found, list) or not found or not all(_is_entry(question, entry) for entry in found):
        raise _changed(path, f"the answer to {question}")
    return [Entry(packed(entry.get("answer")), entry.get("error"), entry.get("at", ""), entry.get("took", [])) for entry in found]


def _is_entry(question: str, entry: Any) -> bool:
    if not isinstance(entry, dict) or not all(name in _ENTRY and isinstance(value, _ENTRY[name]) for name, value in entry.items()):
        return False
    try:
        time_of(entry.get("at", ""))
        if "error" in entry:
            error_from(entry["error"])
        elif not fits(question, entry.get("answer")):
            return False
    except (KeyError, TypeError, ValueError):
        return False
    return all(isinstance(seconds, (int, float)) for seconds in entry.get("took", []))


def _try(path: str, record: Record) -> None:
    """Make once what will be made of the members, so that one that was changed is named here."""
    makers: dict[str, Callable[[], object]] = {
        "settings": lambda: settings_of(record.settings),
        "waivers": lambda: [dict(entry) for entry in record.waivers],
        "grant": lambda: grant_of(record.grant) if record.grant else None,
        "judged": lambda: judged_of(record.judged),
        "ended": lambda: error_from(record.ended) if record.ended else None,
        "taken": lambda: time_of(record.taken or "-"),
        "controller_time": lambda: time_of(record.controller_time),
        "login_ends": lambda: time_of(record.login_ends),
    }
    for name, make in makers.items():
        try:
            make()
        except (KeyError, TypeError, ValueError, AttributeError):
            raise _changed(path, name) from None


def _changed(path: str, where: str) -> InvalidSettings:
    return InvalidSettings(f"The snapshot {path} was changed after it was taken: {where} is not as it was written.", ADVICE)
