# SPDX-License-Identifier: GPL-3.0-or-later
"""The table of the guide, form by delivery: what it says is what is done, and each cell names tests that are there."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

from ansible_collections.weaveworks.wge.plugins.module_utils._engine.forms.recognise import WORDS
from ansible_collections.weaveworks.wge.plugins.module_utils._engine.steps.forms import FORMS, WHY_NOT

ROOT = Path(__file__).resolve().parents[5]
PAGE = ROOT / "docs" / "docsite" / "rst" / "deliveries.rst"
ENGINE = "unit/plugins/module_utils/_engine"
EVERYWHERE = f"{ENGINE}/test_every_form_and_delivery.py"
"""What it proves of each cell, on stand-ins: there, nothing the second time, back from each rung, to the end."""

DELIVERIES = ("helm", "flux", "manifests")
ON_THE_BED = {
    ("helm", "helm"): "integration/test_way_back.py: test_from_each_rung_it_ends_rolled_back",
    ("helm", "flux"): "integration/test_other_deliveries.py: test_each_run_ends_well",
    ("helm", "manifests"): "integration/test_other_deliveries.py: test_the_way_back_leaves_nothing_of_us",
    ("flux", "flux"): "integration/test_every_form.py: test_from_each_rung_it_ends_rolled_back",
    ("gitops", "flux"): "integration/test_every_form.py: test_from_each_rung_it_ends_rolled_back",
    ("gitops", "manifests"): "integration/test_manifests_in_git.py: test_the_merge_changes_nothing_that_serves_and_pays_the_debt",
    ("manifests", "helm"): "integration/test_every_form.py: test_from_each_rung_it_ends_rolled_back",
    ("manifests", "manifests"): "integration/test_other_deliveries.py: test_each_run_ends_well",
}
"""On real control planes; what is not here is shown on stand-ins."""
REFUSED = f"{ENGINE}/test_deliveries.py: test_a_delivery_that_does_not_go_with_the_form_is_refused_with_the_reason"
SHOWN = "test_it_climbs_and_a_second_run_writes_nothing"
CELLS = [(form, delivery) for form in FORMS for delivery in DELIVERIES]


def proof_of(form: str, delivery: str) -> str:
    """The test that proves a cell, as ``file: function``."""
    if (form, delivery) in WHY_NOT:
        return REFUSED
    return ON_THE_BED.get((form, delivery), f"{EVERYWHERE}: {SHOWN}")


def said_of(form: str, delivery: str) -> str:
    """A cell of the table."""
    usual = " (default)" if FORMS[form].deliveries[0] == delivery else ""
    word = f"no: {WHY_NOT[form, delivery]}" if (form, delivery) in WHY_NOT else f"yes{usual}"
    file, _colon, function = proof_of(form, delivery).partition(": ")
    return f"{word}. ``{file.rpartition('/')[2]}``: ``{function}``"


def table() -> str:
    """The table as it stands in the page."""
    lines = [".. list-table::", "   :header-rows: 1", "   :stub-columns: 1", "   :widths: 16 28 28 28", "", "   * - WG is"]
    lines += [f"     - ``{delivery}``" for delivery in DELIVERIES]
    for form in FORMS:
        lines += [f"   * - {WORDS[form]} (``{form}``)"]
        lines += [f"     - {said_of(form, delivery)}" for delivery in DELIVERIES]
    return "\n".join(lines) + "\n"


def test_the_page_says_what_is_done() -> None:
    assert table() in PAGE.read_text(encoding="utf-8")


@pytest.mark.parametrize(("form", "delivery"), CELLS)
def test_each_cell_names_a_test_that_is_there(form: str, delivery: str) -> None:
    file, _colon, function = proof_of(form, delivery).partition(": ")
    tree = ast.parse((ROOT / "tests" / file).read_text(encoding="utf-8"))
    assert function in {node.name for node in tree.body if isinstance(node, ast.FunctionDef)}


def test_each_cell_that_is_allowed_is_tried_and_each_other_has_its_reason() -> None:
    assert {pair for pair in CELLS if pair[1] in FORMS[pair[0]].deliveries} == set(CELLS) - set(WHY_NOT)
    assert set(ON_THE_BED) <= set(CELLS) - set(WHY_NOT)
