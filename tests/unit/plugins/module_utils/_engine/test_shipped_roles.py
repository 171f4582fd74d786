# SPDX-License-Identifier: GPL-3.0-or-later
"""docs/rbac: the least rights for a preflight and for an upgrade.

The files are made, not written. When this fails because a check or a step asks for something new, make them anew and look at the
difference before you commit it, since every user has to grant what is in it:

    WGE_WRITE_ROLES=1 python -m pytest tests/unit/plugins/module_utils/_engine/test_shipped_roles.py
    git diff docs/rbac
"""

from __future__ import annotations

import os
from pathlib import Path

import pytest
import yaml

from ansible_collections.weaveworks.wge.plugins.module_utils._engine import ladder
from ansible_collections.weaveworks.wge.tests.unit.plugins.module_utils._engine import shipped_roles
from ansible_collections.weaveworks.wge.tests.unit.plugins.module_utils._engine.shipped_roles import PREFLIGHT, UPGRADE
from ansible_collections.weaveworks.wge.tests.unit.plugins.module_utils._engine.standin_world import World

FILES = {PREFLIGHT: "preflight.yml", UPGRADE: "upgrade.yml"}
READS = {"get", "list", "watch"}


@pytest.fixture(autouse=True)
def elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The climb archives into the folder it is in."""
    monkeypatch.chdir(tmp_path)


@pytest.fixture
def there() -> World:
    """The cluster the roles were made on."""
    return shipped_roles.rich_world()


@pytest.mark.parametrize("name", FILES)
def test_the_shipped_file_is_what_the_tables_say(name: str) -> None:
    path, made = shipped_roles.FOLDER / FILES[name], shipped_roles.document(name)
    if os.environ.get("WGE_WRITE_ROLES"):
        path.write_text(made, encoding="utf-8")
    assert path.read_text(encoding="utf-8") == made


@pytest.mark.parametrize("name", FILES)
def test_every_role_is_bound_in_its_namespace(name: str) -> None:
    items = yaml.safe_load(shipped_roles.document(name))["items"]
    roles = {(item["kind"], item["metadata"].get("namespace")) for item in items if not item["kind"].endswith("Binding")}
    bound = {(item["roleRef"]["kind"], item["metadata"].get("namespace")) for item in items if item["kind"].endswith("Binding")}
    assert roles == bound
    assert {item["metadata"]["name"] for item in items} == {name}


def test_who_makes_a_preflight_may_only_read() -> None:
    assert {right.verb for right in shipped_roles.reading()} <= READS
    assert not any("*" in (right.verb, right.group, right.resource) for right in shipped_roles.writing())


def test_a_preflight_with_its_roles_makes_every_check_and_names_what_an_upgrade_lacks(there: World) -> None:
    shipped_roles.enforced(there, shipped_roles.reading())
    found = there.findings()
    assert {name: f.evidence for name, f in found.items() if f.status == "error"} == {}
    assert {name for name, f in found.items() if f.status == "fail"} == {"PE-02", "PE-03", "PE-04"}
    assert found["CL-09"].status == "skip"


def test_an_upgrade_and_its_way_back_need_nothing_beyond_their_roles(there: World) -> None:
    shipped_roles.enforced(there, shipped_roles.writing())
    assert {name: f.evidence for name, f in there.findings().items() if f.status in ("fail", "error")} == {}
    assert there.climb().verdict == "upgraded"
    assert ladder.roll_back(there.tools, there.settings, check_mode=False).verdict == "rolled_back"


@pytest.mark.parametrize("verb", ["create", "patch", "delete", "escalate", "bind", "watch", "update"])
def test_a_verb_that_is_taken_away_from_an_upgrade_is_missed_by_a_check(there: World, verb: str) -> None:
    shipped_roles.enforced(there, [right for right in shipped_roles.writing() if right.verb != verb])
    found = there.findings()
    missed = [f.evidence for name, f in found.items() if name in ("PE-02", "PE-03", "PE-04") and f.status == "fail"]
    assert any(verb in words for words in missed)
