# SPDX-License-Identifier: GPL-3.0-or-later
"""The fleet's table: levels, order, columns, warnings, the document and JUnit XML."""

from __future__ import annotations

import json
import locale
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import jsonschema
import pytest

from ansible_collections.weaveworks.wge.plugins.module_utils._engine.entitlement import table
from ansible_collections.weaveworks.wge.plugins.module_utils._errors import InvalidSettings

SCHEMA = json.loads((Path(__file__).parents[6] / "roles/entitlement_report/files/entitlements.schema.json").read_text())
MADE = "2026-11-23T10:15:00+00:00"
DAYS = [60, 30, 14]
NO_ANSWER = {"failed": True, "verdict": "unreachable", "msg": "https://c1 did not answer. Look.", "message": "https://c1 did not answer."}


def verified(days: int = 100, customer: str = "acme@example.com", **more: Any) -> dict[str, Any]:
    return {
        "changed": False,
        "valid": True,
        "expired": days < 0,
        "expires": "2027-03-03T12:00:00Z",
        "issued": "2026-11-22T12:00:00Z",
        "not_before": "",
        "days_left": days,
        "customer": customer,
        "features": None,
        "issuer": "sales@weave.works",
        "key_id": "kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k",
        "jti": "",
        "reason": "",
        "message": "",
        "advice": "",
        "effect": "entitled",
        "cluster": {"name": "", "uid": "u", "api": "https://c1"},
        "msg": "",
        **more,
    }


def invalid(sentence: str = "Its signature was not made by the public key that is trusted here.") -> dict[str, Any]:
    empty = dict.fromkeys(("expires", "issued", "customer", "issuer", "key_id"), "")
    return verified(valid=False, reason="signature", message=sentence, **empty) | {"days_left": None, "effect": "none"}


def issued(status: str, days: int = 365, **more: Any) -> dict[str, Any]:
    base = {"changed": True, "customer": "acme@example.com", "expires": "2027-11-23T00:00:00Z", "days_left": days, "features": ["explorer"]}
    return {**base, "key_id": "kPrK_qmxVW", "jti": "e-1", "status": status, "path": "out/acme.yml", **more}


def made(days: list[int] | None = None, **results: dict[str, Any]) -> dict[str, Any]:
    document = table.build(results, "run-1", MADE, DAYS if days is None else days)
    jsonschema.Draft202012Validator(SCHEMA, format_checker=jsonschema.FormatChecker()).validate(document)
    assert json.loads(json.dumps(document)) == document
    return document


def level_of(result: dict[str, Any], days: list[int] | None = None) -> str:
    return str(made(days, c1=result)["entitlements"][0]["level"])


# -- levels


@pytest.mark.parametrize(
    ("days", "level"),
    [(61, "ok"), (60, "notice"), (31, "notice"), (30, "warn"), (15, "warn"), (14, "urgent"), (0, "urgent"), (-1, "expired")],
)
def test_an_entitlement_is_warned_of_at_60_30_and_14_days(days: int, level: str) -> None:
    assert level_of(verified(days)) == level_of(issued("unchanged", days)) == level


@pytest.mark.parametrize(("days", "level"), [([], "ok"), ([5], "ok"), ([20], "urgent"), ([20, 5], "warn"), ([20, 20, 5], "warn")])
def test_the_days_are_the_caller_s(days: list[int], level: str) -> None:
    assert level_of(verified(20), days) == level


@pytest.mark.parametrize("days", [[1, 2, 3, 4], [-1]])
def test_days_that_cannot_be_used_are_refused(days: list[int]) -> None:
    with pytest.raises(InvalidSettings) as caught:
        table.build({}, "r", MADE, days)
    assert str(caught.value) == ("The days to warn at are not up to three numbers from 0 on. Give for instance warn_days: [60, 30, 14].")


@pytest.mark.parametrize(
    ("result", "level", "message"),
    [
        (invalid("It is empty."), "invalid", "It is empty."),
        (NO_ANSWER, "unreachable", "https://c1 did not answer."),
        ({}, "unreachable", "It gave no answer."),
        ({"unreachable": True, "msg": "no route"}, "unreachable", "no route"),
        ({"failed": True, "verdict": "blocked", "msg": "A path is wrong."}, "failed", "A path is wrong."),
        ({"failed": True}, "failed", "It gave no answer."),
    ],
)
def test_what_is_no_entitlement_has_its_sentence(result: dict[str, Any], level: str, message: str) -> None:
    (row,) = made(c1=result)["entitlements"]
    assert (row["level"], row["message"]) == (level, message)


# -- order and counts


def test_what_cannot_wait_comes_first_and_then_the_name_counts() -> None:
    results = {
        "b": verified(),
        "a": verified(),
        "soon": verified(3),
        "old": verified(-3),
        "bad": invalid(),
        "gone": {},
        "mid": verified(20),
    }
    document = made(**results)
    assert [row["host"] for row in document["entitlements"]] == ["gone", "bad", "old", "soon", "mid", "a", "b"]
    assert document["levels"] == {
        "unreachable": 1,
        "failed": 0,
        "invalid": 1,
        "expired": 1,
        "urgent": 1,
        "warn": 1,
        "notice": 0,
        "ok": 2,
    }
    assert document["sentence"] == (
        "7 entitlements: 2 fine, 1 ending within 30 days, 1 ending within 14 days, 1 expired, 1 invalid, 1 unreachable"
    )


def test_a_fleet_of_one_and_of_none_have_sentences_too() -> None:
    assert made(c1=verified())["sentence"] == "1 entitlement: 1 fine"
    assert table.lines(made()) == ["0 entitlements: none"]


def test_one_entitlement_on_several_clusters_is_counted_and_shown() -> None:
    document = made(
        a=verified(jti="e-1"),
        b=verified(jti="e-1", customer="other"),
        c=verified(customer="solo"),
        d=verified(customer="pair"),
        e=verified(customer="pair"),
        f=verified(customer="pair", key_id="another"),
        g=invalid(),
        h=invalid(),
    )
    assert {row["host"]: row["holders"] for row in document["entitlements"]} == {**dict.fromkeys("abde", 2), **dict.fromkeys("cfgh", 1)}
    assert [(group["customer"], group["jti"], group["hosts"]) for group in document["shared"]] == [
        ("acme@example.com", "e-1", ["a", "b"]),
        ("pair", "", ["d", "e"]),
    ]
    assert sum("2 hosts" in line for line in table.lines(document)) == 4


# -- the terminal


def test_the_table_is_aligned_and_columns_that_no_row_has_are_left_out() -> None:
    shown = table.lines(made(prod=verified(9, features=["explorer", "pipelines"]), lab=verified(200, "lab@example.com", effect="")))
    assert shown == [
        "host  state   days left  expires     customer          features             key         effect",
        "prod  urgent          9  2027-03-03  acme@example.com  explorer, pipelines  kPrK_qmxVW  entitled",
        "lab   ok            200  2027-03-03  lab@example.com   all                  kPrK_qmxVW",
        "2 entitlements: 1 fine, 1 ending within 14 days",
    ]


def test_the_table_of_issued_entitlements_has_results_and_files() -> None:
    failed = {"failed": True, "verdict": "blocked", "msg": "The key cannot be read. Correct the path."}
    shown = table.lines(made(acme=issued("renewed"), zeta=issued("issued", features=[], jti="e-2"), bad=failed))
    assert shown == [
        "host  state   days left  expires     customer          features  key         result   file",
        "bad   failed",
        "acme  ok            365  2027-11-23  acme@example.com  explorer  kPrK_qmxVW  renewed  out/acme.yml",
        "zeta  ok            365  2027-11-23  acme@example.com  none      kPrK_qmxVW  issued   out/acme.yml",
        "bad: The key cannot be read. Correct the path.",
        "3 entitlements: 2 fine, 1 failed",
    ]


def test_what_there_is_to_say_of_a_cluster_follows_the_table() -> None:
    shown = table.lines(
        made(a=verified(advice="WGE runs without one: the next restart will help."), b=invalid("It is empty."), c=NO_ANSWER)
    )
    assert shown[4:-1] == [
        "c: https://c1 did not answer.",
        "b: It is empty.",
        "a: WGE runs without one: the next restart will help.",
    ]


def test_an_error_s_next_step_is_told_once() -> None:
    (row,) = made(c1={**NO_ANSWER, "next_step": "Look."})["entitlements"]
    assert (row["message"], row["advice"]) == ("https://c1 did not answer.", "Look.")


def test_long_names_are_shortened_on_the_terminal_only() -> None:
    document = made(c1=verified(customer="c" * 200))
    assert "c" * 39 + "…  " in table.lines(document)[1]
    assert document["entitlements"][0]["customer"] == "c" * 200


def test_nothing_in_the_document_moves_a_cursor_or_breaks_a_line() -> None:
    document = made(**{"c\x1b[2J1": {"failed": True, "msg": "a\nb\x00\x1b[31m\ud800\ufffe"}})
    text = "".join(table.lines(document))
    assert text.isprintable() and "a b" in text
    assert ElementTree.fromstring(table.junit(document, fail_if_expired=False)) is not None


def test_an_effect_may_be_a_word_or_a_dictionary_with_a_state() -> None:
    document = made(a=verified(effect="none"), b=verified(effect={"state": "expired", "reason": ""}), c=verified(effect=None))
    assert [row["effect"] for row in document["entitlements"]] == ["none", "expired", ""]


# -- warnings


def test_each_number_of_days_has_one_warning() -> None:
    document = made(a=verified(3), b=verified(5), c=verified(20), d=verified(50), e=verified(-2), f=verified(), g=invalid())
    assert table.warnings(document) == [
        "The entitlement has expired: e.",
        "The entitlement ends within 14 days: a, b.",
        "The entitlement ends within 30 days: c.",
        "The entitlement ends within 60 days: d.",
    ]
    assert table.warnings(made(a=verified())) == []


def test_a_large_fleet_s_warning_stays_short() -> None:
    (warning,) = table.warnings(made(**{f"c{number:03}": verified(1) for number in range(200)}))
    assert warning.endswith("c009 and 190 more.")


# -- JUnit


def cases(document: dict[str, Any], *, fail_if_expired: bool = False) -> tuple[dict[str, str], dict[str, tuple[str, str]]]:
    """The suite's own attributes, and by host what the test case holds."""
    suite = ElementTree.fromstring(table.junit(document, fail_if_expired=fail_if_expired)).find("testsuite")
    assert suite is not None
    found = {case.attrib["name"]: [(child.tag, child.text or "") for child in case] for case in suite.iter("testcase")}
    return dict(suite.attrib), {name: children[0] if children else ("", "") for name, children in found.items()}


def test_junit_tells_failures_errors_and_warnings_apart() -> None:
    document = made(
        fine=verified(), soon=verified(10), old=verified(-1), bad=invalid("It is <empty>."), gone=NO_ANSWER, other={"failed": True}
    )
    suite, found = cases(document)
    assert {name: suite[name] for name in ("name", "tests", "failures", "errors", "skipped")} == {
        "name": "entitlements",
        "tests": "6",
        "failures": "1",
        "errors": "2",
        "skipped": "0",
    }
    assert found == {
        "fine": ("", ""),
        "soon": ("system-out", "It ends on 2027-03-03, within 14 days."),
        "old": ("system-out", "It expired on 2027-03-03."),
        "bad": ("failure", "It is <empty>."),
        "gone": ("error", "https://c1 did not answer."),
        "other": ("error", "It gave no answer."),
    }


def test_an_expired_entitlement_is_a_failure_when_it_is_wanted() -> None:
    suite, found = cases(made(old=verified(-1), soon=verified(10)), fail_if_expired=True)
    assert suite["failures"] == "1"
    assert (found["old"], found["soon"][0]) == (("failure", "It expired on 2027-03-03."), "system-out")


def test_junit_is_utf_8_whatever_the_system_s_words_are(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(locale, "getpreferredencoding", lambda *_: "ascii")
    text = table.junit(made(zoë=invalid("Zoë.")), fail_if_expired=False)
    assert text.startswith("<?xml version='1.0' encoding='utf-8'?>") and "Zoë." in text


def test_a_large_fleet_with_one_entitlement_makes_a_document_that_grows_with_it() -> None:
    document = made(**{f"c{number:03}": verified() for number in range(200)})
    assert len(json.dumps(document)) < 200 * 800
    assert len(document["shared"][0]["hosts"]) == 200
