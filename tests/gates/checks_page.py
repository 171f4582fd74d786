# SPDX-License-Identifier: GPL-3.0-or-later
"""Writes docs/docsite/rst/checks.rst, the page of all checks, from their registry.

    build/venv/bin/python tests/gates/checks_page.py

A test compares the page with the registry, so that neither can be forgotten.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from itertools import groupby
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
if "ansible_collections" not in sys.modules:  # pytest has Ansible's own finder already
    sys.path[:0] = [str(ROOT / "tests"), str(ROOT / "build" / "collections")]

from gates.rst import table  # noqa: E402

from ansible_collections.weaveworks.wge.plugins.module_utils._engine.checks.check import Check  # noqa: E402
from ansible_collections.weaveworks.wge.plugins.module_utils._engine.checks.registry import CHECKS  # noqa: E402

PAGE = ROOT / "docs" / "docsite" / "rst" / "checks.rst"
HEADINGS = ("Id", "Check", "Severity", "What it looks at", "What to do", "Waivable")
COMMAND = "build/venv/bin/python tests/gates/checks_page.py"

HEAD = """\
..
  SPDX-License-Identifier: GPL-3.0-or-later

  Made by tests/gates/checks_page.py from the registry of checks; do not edit it.

.. _ansible_collections.weaveworks.wge.docsite.checks:

The checks before an upgrade
============================

The preflight makes {number} checks on each cluster and writes nothing. Ids are never reused and never renumbered.

A check with severity ``block`` forbids the upgrade when it fails, and also when it could not be made. With ``warn`` a person should
look at it; ``info`` is only told. What cannot be waived is what nobody can answer for; the others can be overruled for a while with
``wge_waivers``, and then stand in every report as waived.

.. contents::
   :local:
   :depth: 1
"""


def page(checks: Sequence[Check] = CHECKS) -> str:
    """The whole page."""
    ordered = sorted(checks, key=lambda check: _order(checks).index(check.group))
    return "\n".join((HEAD.format(number=len(checks)), *_groups(ordered))).rstrip() + "\n"


def _order(checks: Sequence[Check]) -> list[str]:
    return list(dict.fromkeys(check.group for check in checks))


def _groups(checks: Sequence[Check]) -> Iterator[str]:
    for group, members in groupby(checks, lambda check: check.group):
        rows = [
            (f"``{check.id}``", check.title, f"``{check.severity}``", check.reads, check.remedy, "yes" if check.waivable else "no")
            for check in sorted(members, key=lambda one: one.id)
        ]
        yield from table(group[:1].upper() + group[1:], "8 17 8 28 30 9", HEADINGS, rows)


if __name__ == "__main__":
    PAGE.write_text(page())
    print(f"{PAGE.relative_to(ROOT)}: {len(CHECKS)} checks")
