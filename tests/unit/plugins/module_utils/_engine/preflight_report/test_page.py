# SPDX-License-Identifier: GPL-3.0-or-later
"""The HTML page as text: its structure, and that nothing a cluster says becomes markup. A browser looks at it in `make browser`."""

from __future__ import annotations

import base64
import hashlib
import json
import re
from html.parser import HTMLParser
from typing import Any

import pytest

from ansible_collections.weaveworks.wge.plugins.module_utils._engine.preflight_report.document import build
from ansible_collections.weaveworks.wge.plugins.module_utils._engine.preflight_report.page import page

from .fleet import HOSTILE, document, result

_VOID = ("meta", "input")
_ADDRESSES = ("src", "href", "action", "srcset", "poster", "data", "formaction", "background")


class Reader(HTMLParser):
    """The elements in their order, with attributes and text; complains of one that is not closed."""

    def __init__(self, text: str) -> None:
        super().__init__(convert_charrefs=True)
        self.elements: list[tuple[str, dict[str, str]]] = []
        self.texts: list[tuple[str, str]] = []
        self._open: list[str] = []
        self.feed(text)
        self.close()
        assert self._open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, {name: value or "" for name, value in attrs}))
        if tag not in _VOID:
            self._open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self._open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.texts.append((self._open[-1] if self._open else "", data))

    def all(self, tag: str) -> list[dict[str, str]]:
        return [attributes for name, attributes in self.elements if name == tag]

    def inside(self, tag: str) -> list[str]:
        return [text for name, text in self.texts if name == tag]


@pytest.fixture(scope="module")
def text() -> str:
    return page(document(again=result("pass", uid="u1"), **{'<b>"host"</b>': result("pass", uid="u7")}))


@pytest.fixture(scope="module")
def read(text: str) -> Reader:
    return Reader(text)


def test_every_element_is_closed_and_the_page_has_a_language_and_a_title(read: Reader) -> None:
    assert read.all("html") == [{"lang": "en"}]
    assert read.inside("title") == ["Preflight 20261123T101500Z-5f3a1c"]


def test_nothing_is_asked_for_from_anywhere(read: Reader, text: str) -> None:
    addresses = [value for _tag, attributes in read.elements for name, value in attributes.items() if name in _ADDRESSES]
    assert addresses and all(value.startswith("#") for value in addresses)
    assert not re.search(r"@import|url\(", "".join(read.inside("style")))
    assert {tag for tag, _attributes in read.elements} & {"img", "link", "iframe", "object", "embed", "base"} == set()


def test_only_the_page_s_own_script_and_style_may_run_and_nothing_may_be_fetched(read: Reader) -> None:
    (policy,) = [one["content"] for one in read.all("meta") if one.get("http-equiv") == "Content-Security-Policy"]
    script, style = read.inside("script")[-1], read.inside("style")[0]
    hashes = [base64.b64encode(hashlib.sha256(code.encode()).digest()).decode() for code in (style, script)]
    assert (
        policy
        == f"default-src 'none'; style-src 'sha256-{hashes[0]}'; script-src 'sha256-{hashes[1]}'; base-uri 'none'; form-action 'none'"
    )


def test_no_markup_has_a_script_or_a_style_in_an_attribute(read: Reader) -> None:
    names = {name for _tag, attributes in read.elements for name in attributes}
    assert not [name for name in names if name.startswith("on") or name == "style"]


def test_what_a_cluster_says_stays_text(read: Reader, text: str) -> None:
    assert len(read.all("script")) == 2
    assert [tag for tag, _attributes in read.elements if tag in ("b", "img")] == ["b"] * 5  # the numbers of the five verdicts
    assert HOSTILE.replace("\x1b", "\N{REPLACEMENT CHARACTER}") in read.inside("p")
    assert "window.pwned=1</script>" not in text


def test_the_data_is_json_in_which_no_tag_can_end(read: Reader) -> None:
    raw = read.inside("script")[0]
    assert not set("<>&") & set(raw)
    data: dict[str, Any] = json.loads(raw)
    clusters = {cluster["host"]: cluster for cluster in data["clusters"]}
    assert clusters["ready"]["checks"]["NE-02"] == ["skip", "Nothing is routed.", ""]
    assert clusters["blocked"]["checks"]["NE-02"][1].startswith("</script>")


def test_a_row_is_a_cluster_and_a_button_is_a_check_that_says_whose_it_is(read: Reader) -> None:
    labels = [button["aria-label"] for button in read.all("button") if "data-k" in button]
    assert len(labels) == 6 * 5
    assert "blocked PE-02 block" in labels and '<b>"host"</b> CL-01 pass' in labels
    assert len([row for row in read.all("tr") if "data-c" in row]) == 10


def test_heads_of_rows_columns_and_groups_have_their_scope(read: Reader) -> None:
    scopes = [head.get("scope") for head in read.all("th")]
    assert {scope: scopes.count(scope) for scope in set(scopes)} == {"colgroup": 4, "col": 6, "row": 10}
    assert [head["colspan"] for head in read.all("th") if head.get("scope") == "colgroup"] == ["1", "2", "1", "1"]


def test_a_cluster_without_findings_has_its_sentence_over_the_whole_row(read: Reader) -> None:
    assert [cell for cell in read.all("td") if cell.get("class") == "silent"] == [{"class": "silent", "colspan": "5"}] * 4
    assert "The API server does not answer." in read.inside("td")


def test_clusters_where_all_is_green_are_not_listed_again(read: Reader) -> None:
    assert len(read.all("article")) == 9
    assert '<b>"host"</b>' in [text.strip() for text in read.inside("th")]


def test_every_control_has_a_name(read: Reader) -> None:
    assert [box["value"] for box in read.all("input") if box.get("name") == "state"] == ["block", "error", "warn", "waived", "skip", "pass"]
    assert [option["value"] for option in read.all("option")] == ["", "cluster", "permissions", "network", "safety"]
    assert read.all("dialog") == [{"id": "detail", "aria-labelledby": "detail-title"}]


def test_an_empty_fleet_is_a_page_too() -> None:
    assert "0 clusters: none" in Reader(page(build({}, "r", "2026-11-23T10:15:00+00:00"))).inside("p")


def test_a_page_of_five_hundred_clusters_stays_small_enough_to_send() -> None:
    many = {f"c{number}": result("pass", uid=f"u{number}") for number in range(500)}
    assert len(page(build(many, "r", "2026-11-23T10:15:00+00:00"))) < 500 * 5 * 300
