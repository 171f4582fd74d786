# SPDX-License-Identifier: GPL-3.0-or-later
"""What a vendor may ask for, and one sentence for each thing that cannot be granted."""

from __future__ import annotations

from datetime import datetime, timezone
from typing import Any

import pytest

from ansible_collections.weaveworks.wge.plugins.module_utils._engine.entitlement.request import Request, iso, request_from
from ansible_collections.weaveworks.wge.plugins.module_utils._errors import InvalidSettings

NOW = datetime(2026, 11, 23, 12, 0, 0, tzinfo=timezone.utc)
DEFAULTS = {"customer": "a@example.com", "issuer": "sales@weave.works", "valid_days": 365, "renew_before_days": 30}


def asked(**more: Any) -> Request:
    return request_from({**DEFAULTS, **more}, NOW)


def expiry(value: Any, **more: Any) -> str:
    expires = asked(expires=value, **more).expires
    assert expires is not None
    return iso(expires)


@pytest.mark.parametrize(
    ("given", "meant"),
    [
        ("2027-11-23", "2027-11-23T23:59:59Z"),
        ("2028-02-29", "2028-02-29T23:59:59Z"),
        ("9999-12-31", "9999-12-31T23:59:59Z"),
        ("2027-11-23T12:00:00Z", "2027-11-23T12:00:00Z"),
        ("2027-11-23t12:00:00z", "2027-11-23T12:00:00Z"),
        ("2027-11-23 12:00:00+00:00", "2027-11-23T12:00:00Z"),
        ("2027-11-23T12:00:00.900+02:00", "2027-11-23T10:00:00Z"),
        ("1826971200", "2027-11-23T12:00:00Z"),
        (1826971200, "2027-11-23T12:00:00Z"),
    ],
)
def test_an_expiry_is_a_date_to_its_end_a_moment_or_unix_seconds(given: Any, meant: str) -> None:
    assert expiry(given) == meant


def test_a_date_that_validity_begins_on_counts_from_its_beginning() -> None:
    begins = asked(not_before="2026-12-01").not_before
    assert begins is not None
    assert iso(begins) == "2026-12-01T00:00:00Z"


def test_days_counted_from_a_fixed_beginning_are_a_fixed_expiry() -> None:
    assert expiry(None, not_before="2026-12-01", valid_days=31) == "2027-01-01T00:00:00Z"


@pytest.mark.parametrize("nothing", [None, "", "  "])
def test_without_a_date_days_count(nothing: Any) -> None:
    request = asked(expires=nothing, valid_days=90)
    assert (request.expires, request.valid_days) == (None, 90)


@pytest.mark.parametrize(
    ("given", "meant"),
    [
        (None, None),
        (["all"], None),
        ([], ()),
        (["none"], ()),
        (["templates", "pipelines", "templates"], ("pipelines", "templates")),
        (["gitopssets", "policy-agent", "2fa"], ("2fa", "gitopssets", "policy-agent")),
    ],
)
def test_features_are_sorted_and_each_is_there_once(given: Any, meant: Any) -> None:
    assert asked(features=given).features == meant


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        ({"customer": ""}, "customer is empty."),
        ({"customer": None}, "customer is empty."),
        ({"customer": "  "}, "customer is empty."),
        ({"customer": "a\x1b[2Jb"}, "customer has control characters, or blanks at an end."),
        ({"customer": "a\x00"}, "customer has control characters, or blanks at an end."),
        ({"customer": "a\u2028b"}, "customer has control characters, or blanks at an end."),
        ({"customer": " a"}, "customer has control characters, or blanks at an end."),
        ({"customer": "a" * 255}, "customer has 255 characters. Give at most 254."),
        ({"issuer": ""}, "issuer is empty."),
        ({"features": [""]}, "Name 1 in features is empty."),
        ({"features": ["pipelines", " "]}, "Name 2 in features is empty."),
        ({"features": ["Pipelines"]}, "Name 1 in features is not made of lower-case letters, digits and hyphens."),
        ({"features": ["-a"]}, "Name 1 in features is not made of"),
        ({"features": ["a_b"]}, "Name 1 in features is not made of"),
        ({"features": ["a" * 64]}, "Name 1 in features is not made of"),
        ({"features": ["ä"]}, "Name 1 in features is not made of"),
        ({"features": ["all", "pipelines"]}, "features has all or none beside other names."),
        ({"features": [f"f{number}" for number in range(65)]}, "features has 65 names. Give at most 64, or all."),
        ({"expires": "2026-11-22"}, "expires is 2026-11-22T23:59:59Z, which is in the past."),
        ({"expires": "1"}, "expires is 1970-01-01T00:00:01Z, which is in the past."),
        ({"expires": "2027-11-23T12:00:00"}, "expires is '2027-11-23T12:00:00', which has no zone."),
        ({"expires": "2027-02-29"}, "expires is '2027-02-29', which is no date."),
        ({"expires": "tomorrow"}, "expires is 'tomorrow', which is no date."),
        ({"expires": "-5"}, "expires is '-5', which is no date."),
        ({"expires": "1e12"}, "expires is '1e12', which is no date."),
        ({"expires": "NaN"}, "expires is 'NaN', which is no date."),
        ({"expires": "9999-12-31T23:59:59-01:00"}, "expires is not between 1970 and the end of 9999."),
        ({"expires": "10000-01-01"}, "expires is not between 1970 and the end of 9999."),
        ({"expires": "10000-01-01T00:00:00Z"}, "expires is not between 1970 and the end of 9999."),
        ({"expires": "253402300800"}, "expires is not between 1970 and the end of 9999."),
        ({"expires": "1969-12-31T23:59:59Z"}, "expires is not between 1970 and the end of 9999."),
        (
            {"expires": "2027-01-01", "not_before": "2027-02-01"},
            "expires is 2027-01-01T23:59:59Z, before not_before, 2027-02-01T00:00:00Z.",
        ),
        ({"not_before": "2025-01-01", "valid_days": 30}, "expires is 2025-01-31T00:00:00Z, which is in the past."),
        ({"not_before": "9999-12-01"}, "expires is not between 1970 and the end of 9999."),
        ({"valid_days": 0}, "valid_days is 0. Give 1 to 36500 days."),
        ({"valid_days": 36501}, "valid_days is 36501."),
        ({"renew_before_days": -1}, "renew_before_days is -1. Give 0 to 36500 days."),
        ({"valid_days": 30}, "renew_before_days is 30 and valid_days 30: each run would issue another one."),
    ],
)
def test_what_cannot_be_granted_is_one_sentence(options: dict[str, Any], sentence: str) -> None:
    with pytest.raises(InvalidSettings) as refusal:
        asked(**options)
    assert str(refusal.value).startswith(sentence)
    assert refusal.value.next_step


def test_renewal_does_not_concern_a_fixed_expiry() -> None:
    assert expiry("2026-12-01", valid_days=10, renew_before_days=30) == "2026-12-01T23:59:59Z"
