# SPDX-License-Identifier: GPL-3.0-or-later
"""What a vendor wants to grant, and to whom. PRIVATE. Dates are whole seconds since 1970 in UTC, as the claims have them.

An expiry is an ISO date, which counts to the end of that day, an ISO date-time with its zone, or Unix seconds. Without one an
entitlement is valid for a number of days, and is renewed when few are left.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timezone
from typing import Any

from ..._errors import InvalidSettings
from .features import Granted
from .verify import LAST_SECOND

ALL, NONE = "all", "none"
"""Words in place of a list of features; a survey has no way to say "nothing is left out" or "an empty list"."""
DAY = 86400
LONGEST_NAME = 254
"""Characters of an e-mail address (RFC 5321), which customers are named by."""
LONGEST_VALIDITY = 36500
MOST_FEATURES = 64
_FEATURE = re.compile(r"[a-z0-9][a-z0-9-]{0,62}", re.ASCII)
_DATE = re.compile(r"(\d{4,})-(\d\d)-(\d\d)", re.ASCII)
_SECONDS = re.compile(r"\d{1,20}", re.ASCII)
_FORMS = "Give a date (2027-11-23), a date-time with its zone (2027-11-23T12:00:00Z) or Unix seconds."


@dataclass(frozen=True, slots=True)
class Request:
    """One entitlement as it is wanted, features sorted. ``expires`` None: ``valid_days`` after the moment it is issued."""

    customer: str
    issuer: str
    features: Granted
    expires: int | None
    not_before: int | None
    valid_days: int
    renew_before_days: int


def request_from(params: Mapping[str, Any], now: datetime) -> Request:
    """The request in the options of a call at the moment ``now``. Raises InvalidSettings."""
    not_before = _moment(params.get("not_before"), "not_before", "00:00:00")
    expires = _moment(params.get("expires"), "expires", "23:59:59")
    valid_days = _days(params, "valid_days", 1)
    if expires is None and not_before is not None:
        expires = _not_after_9999(not_before + valid_days * DAY, "expires")  # so that it does not move from run to run
    request = Request(
        customer=_name(params.get("customer"), "customer"),
        issuer=_name(params.get("issuer"), "issuer"),
        features=_features(params.get("features")),
        expires=expires,
        not_before=not_before,
        valid_days=valid_days,
        renew_before_days=_days(params, "renew_before_days", 0),
    )
    _check_order(request, int(now.timestamp()))
    return request


def iso(seconds: int) -> str:
    """``2027-11-23T23:59:59Z``."""
    return datetime.fromtimestamp(seconds, timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")


def _check_order(request: Request, now: int) -> None:
    if request.expires is None:
        if request.renew_before_days >= request.valid_days:
            raise InvalidSettings(
                f"renew_before_days is {request.renew_before_days} and valid_days {request.valid_days}: each run would issue another one.",
                "Give a smaller renew_before_days.",
            )
        return
    if request.not_before is not None and request.expires <= request.not_before:
        raise InvalidSettings(f"expires is {iso(request.expires)}, before not_before, {iso(request.not_before)}.", "Correct one of them.")
    if request.expires <= now:
        raise InvalidSettings(f"expires is {iso(request.expires)}, which is in the past.", "Give a later date.")


def _name(value: object, option: str) -> str:
    text = str(value or "")
    if not text.strip():
        raise InvalidSettings(f"{option} is empty.", f"Give the {option}'s name or e-mail address.")
    if not text.isprintable() or text != text.strip():
        raise InvalidSettings(f"{option} has control characters, or blanks at an end.", "Take them out.")
    if len(text) > LONGEST_NAME:
        raise InvalidSettings(f"{option} has {len(text)} characters.", f"Give at most {LONGEST_NAME}.")
    return text


def _features(value: Sequence[object] | None) -> Granted:
    if value is None:
        return None
    names = [str(name) for name in value]
    if names == [ALL]:
        return None
    if names == [NONE]:
        return ()
    if ALL in names or NONE in names:
        raise InvalidSettings(f"features has {ALL} or {NONE} beside other names.", "Give the word alone, or the names.")
    for number, name in enumerate(names, 1):
        if not _FEATURE.fullmatch(name):
            problem = "is empty" if not name.strip() else "is not made of lower-case letters, digits and hyphens"
            raise InvalidSettings(f"Name {number} in features {problem}.", "Names are like policy-agent, of at most 63 characters.")
    if len(set(names)) > MOST_FEATURES:
        raise InvalidSettings(f"features has {len(set(names))} names.", f"Give at most {MOST_FEATURES}, or {ALL}.")
    return tuple(sorted(set(names)))


def _days(params: Mapping[str, Any], option: str, least: int) -> int:
    days = int(params[option])
    if not least <= days <= LONGEST_VALIDITY:
        raise InvalidSettings(f"{option} is {days}.", f"Give {least} to {LONGEST_VALIDITY} days.")
    return days


def _moment(value: object, option: str, time_of_day: str) -> int | None:
    """Seconds; a date alone counts with the time of day."""
    text = str(value if value is not None else "").strip()
    if not text:
        return None
    if _SECONDS.fullmatch(text):
        return _not_after_9999(int(text), option)
    date = _DATE.fullmatch(text)
    if (date and len(date[1]) > 4) or re.match(r"\d{5,}-", text, re.ASCII):
        return _not_after_9999(LAST_SECOND + 1, option)
    try:
        found = datetime.fromisoformat(f"{text}T{time_of_day}+00:00" if date else re.sub("[Zz]$", "+00:00", text))
        if found.tzinfo is None:
            raise InvalidSettings(f"{option} is {text!r}, which has no zone.", "Put Z for UTC, or +01:00 and the like, at its end.")
        return _not_after_9999(int(found.timestamp()), option)
    except (ValueError, OverflowError):
        raise InvalidSettings(f"{option} is {text[:40]!r}, which is no date.", _FORMS) from None


def _not_after_9999(seconds: int, option: str) -> int:
    if not 0 < seconds <= LAST_SECOND:
        raise InvalidSettings(f"{option} is not between 1970 and the end of 9999.", "Correct the date.")
    return seconds
