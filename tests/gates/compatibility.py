# SPDX-License-Identifier: GPL-3.0-or-later
"""Writes plugins/module_utils/_engine/compatibility_data.py out of roles/preflight/files/compatibility.yml.

A module that Ansible ships to another machine takes only Python along, so the table has to be Python as well. A unit test fails when
the two differ; run this file then, with no argument.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import yaml

ROOT = Path(__file__).resolve().parents[2]
SOURCE = ROOT / "roles" / "preflight" / "files" / "compatibility.yml"
MADE = ROOT / "plugins" / "module_utils" / "_engine" / "compatibility_data.py"
WIDTH = 138
HEAD = '''# SPDX-License-Identifier: GPL-3.0-or-later
"""The table of versions as modules carry it. PRIVATE. Made by tests/gates/compatibility.py; change the YAML, not this."""

from __future__ import annotations

import json
from typing import Any


def table() -> dict[str, Any]:
    """The content of roles/preflight/files/compatibility.yml."""
    content: dict[str, Any] = json.loads(_TABLE)
    return content


_TABLE = """
'''


def lines_of(table: dict[str, Any]) -> list[str]:
    """JSON with an entry a line."""
    lines = ["{"]
    for index, (key, value) in enumerate(table.items()):
        more = "," if index + 1 < len(table) else ""
        if isinstance(value, list):
            entries = ",\n".join(_entry(one) for one in value).split("\n")
            lines += [f'"{key}": [', *entries, f"]{more}"]
        else:
            lines.append(f'"{key}": {json.dumps(value)}{more}')
    return [*lines, "}"]


def _entry(entry: dict[str, Any]) -> str:
    """One entry, cut between its members where a line would be too long."""
    lines = [""]
    for part in json.dumps(entry, separators=(",", ": ")).replace(',"', ',\n"').split("\n"):
        if len(lines[-1]) + len(part) > WIDTH:
            lines.append(" ")
        lines[-1] += part
    return "\n".join(lines)


def made() -> str:
    """The Python file as it should be."""
    table = yaml.safe_load(SOURCE.read_text())
    return HEAD + "\n".join(lines_of(table)) + '\n"""\n'


if __name__ == "__main__":
    MADE.write_text(made())
