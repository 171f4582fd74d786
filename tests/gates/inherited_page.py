# SPDX-License-Identifier: GPL-3.0-or-later
"""Writes docs/docsite/rst/inherited.rst, what becomes of each setting of WG, from its tables.

    build/venv/bin/python tests/gates/inherited_page.py

A test compares the page with the tables, so that neither can be forgotten.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
if "ansible_collections" not in sys.modules:  # pytest has Ansible's own finder already
    sys.path[:0] = [str(ROOT / "tests"), str(ROOT / "build" / "collections")]

from gates.rst import table  # noqa: E402

from ansible_collections.weaveworks.wge.plugins.module_utils._engine.inherited import Row, all_rows  # noqa: E402

PAGE = ROOT / "docs" / "docsite" / "rst" / "inherited.rst"
COMMAND = "build/venv/bin/python tests/gates/inherited_page.py"
TITLES = {
    "value": "Values of WG's chart",
    "flag": "Flags of WG's server",
    "variable": "Environment variables",
    "secret": "Secrets",
}

HEAD = """\
..
  SPDX-License-Identifier: GPL-3.0-or-later

  Made by tests/gates/inherited_page.py from the tables of the engine; do not edit it.

.. _ansible_collections.weaveworks.wge.docsite.inherited:

What is inherited
=================

What becomes of each setting of WG when WGE takes its place. ``kept`` works on as it did, or WGE has no need of it. ``told`` is no longer
there, and the preflight says so. ``lost`` changes what people rely on: check CU-06 blocks the upgrade until somebody gives the
equivalent in ``wge_values``, or waives the check. The module ``wge_info`` shows the rows that matter on a cluster in ``inherited``.

A flag that is not in the table is lost, since WGE ends at a flag that it does not know. A value that is not in it does nothing in WG.

.. contents::
   :local:
   :depth: 1
"""


def page(rows: Sequence[Row] | None = None) -> str:
    """The whole page."""
    return "\n".join((HEAD, *_sections(all_rows() if rows is None else rows))).rstrip() + "\n"


def _sections(rows: Sequence[Row]) -> Iterator[str]:
    for kind, title in TITLES.items():
        chosen = sorted((row for row in rows if row.kind == kind), key=lambda one: one.setting)
        cells = [(f"``{r.setting}``", f"``{r.fate}``", r.words, f"``{r.equivalent}``" if r.equivalent else "") for r in chosen]
        yield from table(title, "30 8 40 22", ("Setting", "Fate", "What happens", "In WGE's values"), cells)


if __name__ == "__main__":
    PAGE.write_text(page())
    print(f"{PAGE.relative_to(ROOT)}: {len(all_rows())} settings")
