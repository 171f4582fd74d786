# SPDX-License-Identifier: GPL-3.0-or-later
"""Small playbooks of single module calls, whose results can be read afterwards as plain data."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import yaml

Task = dict[str, Any]


def calls(folder: Path, **tasks: Task) -> Path:
    """A playbook that does ``tasks`` on the fleet, goes on after failures, and keeps every result under its name."""
    kept = {name: f"{{{{ {name} | default({{}}) }}}}" for name in tasks}
    keep = {
        "ansible.builtin.copy": {
            "content": "{{ results | to_json }}",
            "dest": f"{folder}/results-{{{{ inventory_hostname }}}}.json",
            "mode": "0600",
        },
        "delegate_to": "localhost",
        "vars": {"results": kept},
    }
    steps = [{"name": name, "register": name, "ignore_errors": True, **task} for name, task in tasks.items()]
    play = {"hosts": "fleet", "gather_facts": False, "tasks": [*steps, {"name": "keep", **keep}]}
    path = folder / f"{next(iter(tasks))}.yml"
    path.write_text(yaml.safe_dump([play], sort_keys=False), encoding="utf-8")
    path.chmod(0o600)
    return path


def results(folder: Path, host: str) -> dict[str, dict[str, Any]]:
    """What the calls answered on one host."""
    return dict(json.loads((folder / f"results-{host}.json").read_text(encoding="utf-8")))
