# SPDX-License-Identifier: GPL-3.0-or-later
"""The preflight as JUnit XML and as Markdown."""

from __future__ import annotations

from xml.etree import ElementTree

from ansible_collections.weaveworks.wge.plugins.module_utils._engine.preflight_report.junit import junit
from ansible_collections.weaveworks.wge.plugins.module_utils._engine.preflight_report.markdown import markdown

from .fleet import document, result


def suites() -> dict[str, ElementTree.Element]:
    root = ElementTree.fromstring(junit(document(again=result("pass", uid="u1"))))
    return {suite.get("name", ""): suite for suite in root.iter("testsuite")}


def case(host: str, name: str) -> ElementTree.Element:
    (found,) = [one for one in suites()[host].iter("testcase") if one.get("name", "").startswith(name)]
    return found


def child(host: str, name: str, tag: str) -> ElementTree.Element:
    found = case(host, name).find(tag)
    assert found is not None
    return found


def test_a_cluster_is_a_suite_and_a_check_is_a_case() -> None:
    found = suites()
    assert sorted(found) == ["again", "blocked", "lost", "mistaken", "never", "ready", "silent", "unsure", "warned"]
    cases = [(one.get("classname"), one.get("name")) for one in found["warned"].iter("testcase")]
    assert cases[1] == ("warned.permissions", "PE-02 rights to upgrade")
    assert len(cases) == 5


def test_what_forbids_the_upgrade_is_a_failure_with_its_remedy() -> None:
    failure = child("blocked", "PE-02", "failure")
    assert (failure.get("type"), failure.get("message")) == ("block", "2 of 40 rights are missing.")
    assert "kind: Role\nrules:" in str(failure.text)


def test_what_could_not_be_checked_is_an_error() -> None:
    assert child("unsure", "SA-03", "error").get("message") == "It may not be read."


def test_what_warns_or_was_waived_passes_and_says_so() -> None:
    assert [next(iter(case("warned", name))).tag for name in ("PE-03", "NE-02")] == ["system-out", "system-out"]
    assert str(child("warned", "PE-03", "system-out").text).startswith("waived: Missing. (Waived by ann@example.com")
    assert child("warned", "NE-02", "system-out").text == "warn: One route is of an unknown kind.\nName it."


def test_what_does_not_apply_is_skipped_and_what_passed_is_silent() -> None:
    assert child("ready", "NE-02", "skipped").get("message") == "Nothing is routed."
    assert list(case("warned", "CL-01")) == []


def test_a_cluster_that_could_not_be_asked_is_an_error_of_its_own() -> None:
    error = child("lost", "can be asked", "error")
    assert (error.get("type"), error.get("message")) == ("unreachable", "The API server does not answer.")
    assert suites()["never"].get("errors") == "1"


def test_a_cluster_under_two_names_fails_under_both() -> None:
    for host in ("ready", "again"):
        assert "again and ready are one cluster" in str(child(host, "one cluster", "failure").get("message"))


def test_the_numbers_are_those_of_the_cases() -> None:
    suite = suites()["blocked"]
    assert {name: suite.get(name) for name in ("tests", "failures", "errors", "skipped")} == {
        "tests": "5",
        "failures": "1",
        "errors": "0",
        "skipped": "0",
    }
    root = ElementTree.fromstring(junit(document()))
    assert (root.get("tests"), root.get("failures"), root.get("errors")) == ("24", "1", "5")


def test_a_suite_says_which_cluster_it_is() -> None:
    found = {one.get("name"): one.get("value") for one in suites()["warned"].iter("property")}
    assert found == {"verdict": "warn", "uid": "u2", "api": "https://u2:6443", "version": "v1.33.1"}


def test_markdown_has_the_fleet_and_what_is_not_green() -> None:
    text = markdown(document())
    assert "**8 clusters: 1 ready, 1 ready with warnings, 2 unreachable, 3 not judged, 1 blocked**" in text
    assert "| warned | **ready with warnings** | 1 warns, 1 waived, 3 passed |" in text
    assert "| network | NE-02 | **warn** | routes: One route is of an unknown kind. | Name it. |" in text
    assert "## ready" not in text
    assert "The API server does not answer. Wait." in text


def test_a_row_of_markdown_is_one_line_whatever_a_cluster_says() -> None:
    (row,) = [line for line in markdown(document()).splitlines() if line.startswith("| network | NE-02 | **warn** | routes: \\<")]
    assert "\\</script\\>\\<script\\>" in row
    assert "\\|\\`\\*\\_\\[a\\](b)" in row
    assert " | Name them. |" in row


def test_the_lines_of_a_role_are_kept_in_markdown() -> None:
    assert 'kind: Role<br>rules:<br>&nbsp;&nbsp;- apiGroups: \\[""\\]<br>' in markdown(document())
