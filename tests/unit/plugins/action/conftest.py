# SPDX-License-Identifier: GPL-3.0-or-later
"""Real ansible-playbook runs on a copy of the collection whose `_front` is a stand-in."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

HERE = Path(__file__).parent
ROOT = HERE.parents[3]
SHIPPED = ("plugins", "roles", "playbooks", "meta")
LOCAL = {"ansible_connection": "local", "ansible_python_interpreter": sys.executable}

Clusters = dict[str, dict[str, Any]]


@dataclass(frozen=True)
class Run:
    """How a run of Ansible ended."""

    code: int
    output: str
    reports: Path

    @property
    def document(self) -> dict[str, Any]:
        (path,) = self.reports.glob("*.json")
        found: dict[str, Any] = json.loads(path.read_text())
        return found

    @property
    def verdicts(self) -> dict[str, str]:
        return {cluster["host"]: cluster["verdict"] for cluster in self.document["clusters"]}


@dataclass
class Bench:
    """A folder to run Ansible in, with our collection and nobody else's settings."""

    collections: Path
    folder: Path
    variables: dict[str, str] = field(default_factory=dict)

    @property
    def collection(self) -> Path:
        return self.collections / "ansible_collections/weaveworks/wge"

    def environment(self) -> dict[str, str]:
        kept = {name: value for name, value in os.environ.items() if not name.startswith(("ANSIBLE_", "K8S_AUTH_"))}
        ours = {
            "ANSIBLE_COLLECTIONS_PATH": str(self.collections),
            "ANSIBLE_CONFIG": str(self.folder / "ansible.cfg"),
            "ANSIBLE_HOME": str(self.folder / "home"),
            "ANSIBLE_LOCALHOST_WARNING": "false",
            "ANSIBLE_INVENTORY_UNPARSED_WARNING": "false",
            "ANSIBLE_NOCOLOR": "true",
            "LC_ALL": "C.UTF-8",
        }
        return {**kept, **ours, **self.variables}

    def inventory(self, clusters: Clusters, groups: dict[str, list[str]] | None = None) -> Path:
        """Each cluster is given by its variables without the prefix; `release` says how it behaves."""
        hosts = {}
        for name, variables in clusters.items():
            plain = {key: value for key, value in variables.items() if key.startswith("ansible_")}
            ours = {f"wge_{key}": value for key, value in variables.items() if key not in plain}
            hosts[name] = {**LOCAL, "wge_host": f"https://{name}:6443", "wge_api_key": "planted-token", **ours, **plain}
        children = {name: {"hosts": dict.fromkeys(members)} for name, members in (groups or {}).items()}
        path = self.folder / "inventory.json"
        path.write_text(json.dumps({"all": {"hosts": hosts, "children": children}}))
        return path

    def command(self, program: str, *words: str | Path) -> list[str]:
        return [sys.executable, "-m", "ansible", program, *map(str, words)]

    def run(self, program: str, *words: str | Path) -> Run:
        done = subprocess.run(
            self.command(program, *words),
            cwd=self.folder,
            env=self.environment(),
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=55,
            check=False,
        )
        return Run(done.returncode, done.stdout, self.folder / "wge-reports")

    def playbook(self, plays: list[dict[str, Any]], clusters: Clusters, *words: str) -> Run:
        """Run plays written as data."""
        path = self.folder / "playbook.json"
        path.write_text(json.dumps(plays))
        return self.run("playbook", path, "-i", self.inventory(clusters), *words)

    def task(self, task: dict[str, Any], *words: str, **variables: Any) -> Run:
        """Run one task on one cluster and write what it registers to `registered.json`."""
        copy = {"content": "{{ seen | to_json }}", "dest": str(self.folder / "registered.json"), "mode": "0600"}
        keep = {"ansible.builtin.copy": copy, "delegate_to": "localhost", "vars": {**LOCAL, "ansible_become": False}}
        tasks = [{"register": "seen", "ignore_errors": True, **task}, keep]
        play = {"hosts": "all", "gather_facts": False, "tasks": tasks}
        return self.playbook([play], {"c1": variables}, *words)

    @property
    def registered(self) -> dict[str, Any]:
        found: dict[str, Any] = json.loads((self.folder / "registered.json").read_text())
        return found


@pytest.fixture(scope="session")
def collections(tmp_path_factory: pytest.TempPathFactory) -> Path:
    top: Path = tmp_path_factory.mktemp("collections")
    copy = top / "ansible_collections/weaveworks/wge"
    for name in SHIPPED:
        shutil.copytree(ROOT / name, copy / name, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(ROOT / "galaxy.yml", copy)
    shutil.rmtree(copy / "plugins/module_utils/_front")
    shutil.copy(HERE / "fake_front.py", copy / "plugins/module_utils/_front.py")
    return top


@pytest.fixture
def bench(collections: Path, tmp_path: Path) -> Bench:
    (tmp_path / "ansible.cfg").touch()
    return Bench(collections, tmp_path)


Upgrade = Callable[..., Run]


@pytest.fixture
def upgrade(bench: Bench) -> Iterator[Upgrade]:
    """Run the playbook upgrade.yml by its FQCN."""

    def run(clusters: Clusters, *words: str, groups: dict[str, list[str]] | None = None, play: str = "upgrade") -> Run:
        return bench.run("playbook", f"weaveworks.wge.{play}", "-i", bench.inventory(clusters, groups), *words)

    yield run
