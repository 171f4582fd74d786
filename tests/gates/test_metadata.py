# SPDX-License-Identifier: GPL-3.0-or-later
"""What the collection says about itself agrees with what it holds. Part of `make unit`."""

from __future__ import annotations

import ast
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

ROOT = Path(__file__).resolve().parents[2]
MODULES = sorted((ROOT / "plugins" / "modules").glob("*.py"))
ROLES = sorted(path for path in (ROOT / "roles").glob("*") if path.is_dir())
# What a distribution calls its top-level modules.
DISTRIBUTIONS = {"yaml": "PyYAML"}
# Comes with Ansible, or is this tree.
NOT_REQUIRED = {"ansible", "ansible_collections"}


def load(path: str) -> Any:
    """A YAML file of this tree."""
    return yaml.safe_load((ROOT / path).read_text())


def documentation(module: Path) -> dict[str, Any]:
    """The DOCUMENTATION of a module."""
    for node in ast.parse(module.read_text()).body:
        if isinstance(node, ast.Assign) and getattr(node.targets[0], "id", "") == "DOCUMENTATION":
            return dict(yaml.safe_load(ast.literal_eval(node.value)))
    raise AssertionError(f"{module.name} has no DOCUMENTATION")


def test_the_action_group_has_every_module_that_connects_to_a_cluster() -> None:
    connecting = [
        module.stem for module in MODULES if "weaveworks.wge.connection" in documentation(module).get("extends_documentation_fragment", [])
    ]
    assert sorted(load("meta/runtime.yml")["action_groups"]["wge"]) == connecting


@pytest.mark.parametrize("module", MODULES, ids=lambda path: path.stem)
def test_a_module_has_an_action_plugin_of_its_name(module: Path) -> None:
    assert (ROOT / "plugins" / "action" / module.name).is_file()


@pytest.mark.parametrize("role", ROLES, ids=lambda path: path.name)
@pytest.mark.parametrize("file", ["README.md", "meta/argument_specs.yml", "meta/main.yml", "tasks/main.yml"])
def test_a_role_has_all_its_files(role: Path, file: str) -> None:
    assert (role / file).is_file()


def test_every_imported_distribution_is_a_requirement_of_execution_environments() -> None:
    imported = set()
    for path in (ROOT / "plugins").rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Import):
                imported |= {alias.name.partition(".")[0] for alias in node.names}
            elif isinstance(node, ast.ImportFrom) and not node.level and node.module:
                imported.add(node.module.partition(".")[0])
    needed = {DISTRIBUTIONS.get(name, name) for name in imported - NOT_REQUIRED - set(sys.stdlib_module_names)}
    lines = (ROOT / "meta" / "ee-requirements.txt").read_text().splitlines()
    stated = {line.partition(">=")[0] for line in lines if line and not line.startswith("#")}
    assert stated == needed


def test_sanity_has_no_ignore_file() -> None:
    assert not list((ROOT / "tests").glob("sanity/ignore*"))


def test_no_file_of_the_collection_names_a_place_of_this_machine() -> None:
    shipped = [ROOT / name for name in ("plugins", "roles", "playbooks", "meta", "docs")]
    files = [path for place in shipped for path in place.rglob("*") if path.is_file() and path.suffix != ".pyc"]
    assert [str(path) for path in files if str(ROOT) in path.read_text()] == []
