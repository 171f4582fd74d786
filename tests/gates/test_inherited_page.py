# SPDX-License-Identifier: GPL-3.0-or-later
"""The page of what is inherited says what the tables say. Part of `make unit`."""

from __future__ import annotations

from gates.inherited_page import COMMAND, PAGE, page

from ansible_collections.weaveworks.wge.plugins.module_utils._engine.inherited import Row, all_rows


def test_the_page_is_made_from_the_tables_as_they_are() -> None:
    assert PAGE.read_text() == page(), f"docs/docsite/rst/inherited.rst is stale; make it anew with: {COMMAND}"


def test_every_setting_is_on_the_page() -> None:
    text = page()
    assert [row.setting for row in all_rows() if f"* - ``{row.setting}``" not in text] == []


def test_no_setting_is_there_twice() -> None:
    rows = [(row.kind, row.setting) for row in all_rows()]
    assert len(rows) == len(set(rows))


def test_a_setting_without_an_equivalent_has_an_empty_cell() -> None:
    assert page([Row("image.tag", "value", "kept", "its own", "")]).count("     -\n") >= 1
