# SPDX-License-Identifier: GPL-3.0-or-later
"""The page of all checks says what the registry says. Part of `make unit`."""

from __future__ import annotations

from gates.checks_page import COMMAND, PAGE, page

from ansible_collections.weaveworks.wge.plugins.module_utils._engine.checks.registry import CHECKS


def test_the_page_of_checks_is_made_from_the_registry() -> None:
    written = PAGE.read_text() if PAGE.exists() else ""
    missing = [check.id for check in CHECKS if f"``{check.id}``" not in written]
    assert written == page(), f"docs/docsite/rst/checks.rst and the registry differ (not on the page: {missing}). Make it anew: {COMMAND}"


def test_every_check_says_what_it_looks_at_and_what_to_do() -> None:
    assert [check.id for check in CHECKS if not (check.reads.strip() and check.remedy.strip())] == []
