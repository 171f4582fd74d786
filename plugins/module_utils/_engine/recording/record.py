# SPDX-License-Identifier: GPL-3.0-or-later
"""What a snapshot's file holds, as values. PRIVATE."""

from __future__ import annotations

import inspect
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from datetime import datetime
from typing import Any

from ... import _errors
from ..._errors import Conflict, WgeError
from ..checks.evidence import STATUSES, Judged
from ..entitlement.grant import Grant
from ..entitlement.verify import Judgement
from ..model import Object
from ..settings import Settings

SCHEMA = 1
SHOWN_SETTINGS = (
    *("chart", "chart_version", "values", "namespace", "release", "target_release", "cluster_uid", "entitlement_customer"),
    *("fail_if_expired", "state", "entry_urls", "baseline_seconds", "rehearse_seconds", "verify_seconds", "soak_seconds"),
    *("quiet_seconds", "ready_seconds", "lock_seconds"),
    *("delivery", "chart_repository", "chart_secret", "manifests", "image_mirrors"),
)
"""Of the options those that are kept: no entitlement, and no folder of the machine that asked."""
_ERRORS = {name: found for name, found in inspect.getmembers(_errors, inspect.isclass) if issubclass(found, WgeError)}
_DATES = ("expires", "issued", "not_before")


@dataclass(slots=True)
class Entry:
    """One answer: the server's time then, and how long the reads for it took. ``error`` is the refusal, if it was one."""

    answer: Any = None
    error: Object | None = None
    at: str = ""
    took: list[float] = field(default_factory=list)


@dataclass(slots=True)
class Record:
    """One preflight. Members that are empty were not reached; ``ended`` is the error that ended it."""

    taken: str = ""
    tool: str = ""
    api: str = ""
    uid: str = ""
    run: str = ""
    settings: Object = field(default_factory=dict)
    compatibility: Mapping[str, Any] | None = None
    waivers: list[Object] = field(default_factory=list)
    answers: dict[str, list[Entry]] = field(default_factory=dict)
    grant: Object | None = None
    controller_time: str = ""
    skew: float | None = None
    login_ends: str = ""
    judged: dict[str, list[str]] = field(default_factory=dict)
    plan_hash: str = ""
    ended: Object | None = None


def as_data(record: Record) -> Object:
    """For the file."""
    found = {entry.name: getattr(record, entry.name) for entry in fields(record)}
    answers = {question: [_lean(entry) for entry in entries] for question, entries in record.answers.items()}
    return {"schema": SCHEMA, **found, "answers": answers}


def _lean(entry: Entry) -> Object:
    found = {part.name: getattr(entry, part.name) for part in fields(entry)}
    return {name: value for name, value in found.items() if name == "answer" or value not in (None, "", [])}


def error_as(problem: WgeError) -> Object:
    """An error as plain data."""
    found: Object = {"class": type(problem).__name__, "what": problem.what, "next_step": problem.next_step}
    return {**found, "reason": problem.reason} if isinstance(problem, Conflict) else found


def error_from(found: Mapping[str, Any]) -> WgeError:
    """The error again. Raises KeyError for one that this version does not know."""
    kind = _ERRORS[found["class"]]
    problem: WgeError = kind(str(found["what"]), str(found["next_step"]))
    if isinstance(problem, Conflict):
        problem.reason = str(found["reason"])
    return problem


def settings_as(settings: Settings) -> Object:
    """The options that are kept."""
    found = {name: getattr(settings, name) for name in SHOWN_SETTINGS}
    return {**found, "entry_urls": list(settings.entry_urls)}


def settings_of(found: Mapping[str, Any]) -> Settings:
    """The options again; one that an older version did not keep has its default."""
    given = {name: found[name] for name in SHOWN_SETTINGS if name in found}
    return Settings(**{**given, "entry_urls": tuple(given.get("entry_urls") or ())})


def grant_as(grant: Grant) -> Object:
    """Where the entitlement is from, and what it was found to be; not the entitlement."""
    judged = {part.name: getattr(grant.judgement, part.name) for part in fields(grant.judgement)}
    dates = {name: text_of_time(judged[name]) for name in _DATES}
    features = judged["features"]
    return {"source": grant.source, "judgement": {**judged, **dates, "features": None if features is None else list(features)}}


def grant_of(found: Mapping[str, Any]) -> Grant:
    """The same, again. Raises KeyError, TypeError or ValueError for what is none."""
    judged = dict(found["judgement"])
    features = judged["features"]
    dates = {name: time_of(judged[name]) for name in _DATES}
    return Grant(str(found["source"]), "", Judgement(**{**judged, **dates, "features": None if features is None else tuple(features)}))


def judged_of(found: Mapping[str, list[str]]) -> dict[str, Judged]:
    """What the checks had found. Raises KeyError, TypeError or ValueError for what is none."""
    for texts in found.values():
        if texts[0] not in STATUSES or not all(isinstance(text, str) for text in texts):
            raise ValueError
    return {name: Judged(*texts) for name, texts in found.items()}


def text_of_time(time: datetime | None) -> str:
    """A time as text, empty for none."""
    return time.isoformat() if time else ""


def time_of(text: str) -> datetime | None:
    """The time again. Raises ValueError."""
    return datetime.fromisoformat(text) if text else None
