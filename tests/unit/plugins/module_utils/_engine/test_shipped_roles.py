# SPDX-License-Identifier: GPL-3.0-or-later
"""docs/rbac: the least rights for each journey.

The files are made, not written. When this fails because a check or a step asks for something new, make them anew and look at the
difference before you commit it, since every user has to grant what is in it:

    WGE_WRITE_ROLES=1 python -m pytest tests/unit/plugins/module_utils/_engine/test_shipped_roles.py
    git diff docs/rbac
"""

from __future__ import annotations

import copy
import os
from pathlib import Path

import pytest
import yaml

from ansible_collections.weaveworks.wge.plugins.module_utils._engine import ladder
from ansible_collections.weaveworks.wge.plugins.module_utils._engine.archive.scope import GROUPS
from ansible_collections.weaveworks.wge.plugins.module_utils._engine.compatibility import FLUX_GROUPS
from ansible_collections.weaveworks.wge.plugins.module_utils._engine.model import Right
from ansible_collections.weaveworks.wge.plugins.module_utils._errors import WgeError
from ansible_collections.weaveworks.wge.tests.unit.plugins.module_utils._engine import shipped_rights
from ansible_collections.weaveworks.wge.tests.unit.plugins.module_utils._engine.shipped_rights import (
    FINALISE,
    PREFLIGHT,
    RESTORE,
    ROLES,
    ROLLBACK,
    SHOWN_GROUPS,
)
from ansible_collections.weaveworks.wge.tests.unit.plugins.module_utils._engine.shipped_roles import FOLDER, document, enforced, rich_world
from ansible_collections.weaveworks.wge.tests.unit.plugins.module_utils._engine.standin_meddlers import enforce
from ansible_collections.weaveworks.wge.tests.unit.plugins.module_utils._engine.standin_world import World

READS = {"get", "list", "watch"}


@pytest.fixture(autouse=True)
def elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The climb archives into the folder it is in."""
    monkeypatch.chdir(tmp_path)


@pytest.fixture
def there() -> World:
    """The cluster the roles were made on."""
    return rich_world()


@pytest.fixture
def parked(there: World) -> World:
    there.climb()
    return there


def written(name: str) -> str:
    role = ROLES[name]
    return document(name, role.title, role.note, role.rights())


def without(name: str, verb: str) -> list[Right]:
    """The rights of a role, but for one verb."""
    return [right for right in ROLES[name].rights() if right.verb != verb]


@pytest.mark.parametrize("name", ROLES)
def test_the_shipped_file_is_what_the_tables_say(name: str) -> None:
    path, made = FOLDER / ROLES[name].file, written(name)
    if os.environ.get("WGE_WRITE_ROLES"):
        path.write_text(made, encoding="utf-8")
    assert path.read_text(encoding="utf-8") == made


def test_every_file_there_is_made_here() -> None:
    assert {path.name for path in FOLDER.iterdir()} == {role.file for role in ROLES.values()}


@pytest.mark.parametrize("name", ROLES)
def test_every_role_is_bound_in_its_namespace(name: str) -> None:
    items = yaml.safe_load(written(name))["items"]
    roles = {(item["kind"], item["metadata"].get("namespace")) for item in items if not item["kind"].endswith("Binding")}
    bound = {(item["roleRef"]["kind"], item["metadata"].get("namespace")) for item in items if item["kind"].endswith("Binding")}
    assert roles == bound
    assert {item["metadata"]["name"] for item in items} == {name}


@pytest.mark.parametrize("name", [PREFLIGHT, shipped_rights.EXPORT])
def test_who_makes_a_preflight_or_an_archive_may_only_read(name: str) -> None:
    assert {right.verb for right in ROLES[name].rights()} <= READS


def test_who_verifies_may_only_read_and_sign_in() -> None:
    assert {(r.verb, r.resource) for r in shipped_rights.verifying() if r.verb not in READS} == {("create", "services/proxy")}


@pytest.mark.parametrize("name", [ROLLBACK, FINALISE])
def test_who_only_goes_back_or_finalises_cannot_give_rights_away(name: str) -> None:
    rights = ROLES[name].rights()
    assert not {"escalate", "bind"} & {right.verb for right in rights}
    made = {"leases"} | ({"secrets"} if name == FINALISE else set())  # of a record that Flux keeps a tombstone is made at the end
    assert {right.resource for right in rights if right.verb == "create"} == made


def test_no_role_but_those_of_archives_names_everything_of_a_group() -> None:
    for name in ROLES:
        wide = {right.group for right in ROLES[name].rights() if "*" in (right.verb, right.group, right.resource)}
        assert wide == (set(SHOWN_GROUPS) if name in (shipped_rights.EXPORT, RESTORE) else set())


def test_the_groups_of_an_archive_are_among_those_that_an_export_looks_for() -> None:
    assert all(group.endswith(GROUPS) or group in GROUPS for group in SHOWN_GROUPS)
    assert set(FLUX_GROUPS.values()) <= set(SHOWN_GROUPS)


def test_a_preflight_with_its_roles_makes_every_check_and_names_what_an_upgrade_lacks(there: World) -> None:
    enforced(there, shipped_rights.reading())
    found = there.findings()
    assert {name: f.evidence for name, f in found.items() if f.status == "error"} == {}
    assert {name for name, f in found.items() if f.status == "fail"} == {"PE-02", "PE-03", "PE-04"}
    assert found["CL-09"].status == "skip"


def test_an_upgrade_and_its_way_back_need_nothing_beyond_their_roles(there: World) -> None:
    enforced(there, shipped_rights.writing())
    assert {name: f.evidence for name, f in there.findings().items() if f.status in ("fail", "error")} == {}
    assert there.climb().verdict == "upgraded"
    assert ladder.roll_back(there.tools, there.settings, check_mode=False).verdict == "rolled_back"
    assert there.climb().verdict == "upgraded"
    assert shipped_rights.to_the_end(there) == "finalised"


def test_an_upgrade_with_a_policy_needs_the_guards_role_as_well(there: World) -> None:
    there.set(guard="policy")
    enforced(there, [*shipped_rights.writing(), *shipped_rights.guarding()])
    enforce(there)
    assert there.climb().verdict == "upgraded"
    assert {right.verb for right in shipped_rights.guarding()} == {"create", "delete", "get"}


@pytest.mark.parametrize("verb", ["create", "patch", "delete", "escalate", "bind", "watch", "update"])
def test_a_verb_that_is_taken_away_from_an_upgrade_is_missed_by_a_check(there: World, verb: str) -> None:
    enforced(there, without(shipped_rights.UPGRADE, verb))
    found = there.findings()
    missed = [f.evidence for name, f in found.items() if name in ("PE-02", "PE-03", "PE-04") and f.status == "fail"]
    assert any(verb in words for words in missed)


def back(world: World) -> str:
    """The verdict of a way back; the name of the error when it is refused before it begins."""
    try:
        return ladder.roll_back(world.tools, world.settings, check_mode=False).verdict
    except WgeError as problem:
        return type(problem).__name__


def ended(world: World) -> str:
    """The same of finalising."""
    try:
        return shipped_rights.to_the_end(world)
    except WgeError as problem:
        return type(problem).__name__


@pytest.mark.parametrize("rung", shipped_rights.RUNGS)
def test_the_way_back_needs_nothing_beyond_its_roles(there: World, rung: str) -> None:
    there.climb(rung)
    enforced(there, shipped_rights.rolling_back())
    assert back(there) == "rolled_back"


@pytest.mark.parametrize("verb", ["create", "delete", "get", "list", "patch"])
def test_without_one_verb_of_its_roles_there_is_no_way_back(parked: World, verb: str) -> None:
    enforced(parked, without(ROLLBACK, verb))
    assert back(parked) != "rolled_back"


def test_finalising_needs_nothing_beyond_its_roles(parked: World) -> None:
    enforced(parked, shipped_rights.removing())
    assert ended(parked) == "finalised"


@pytest.mark.parametrize("verb", ["create", "delete", "get", "list", "patch"])
def test_without_one_verb_of_its_roles_nothing_is_finalised(parked: World, verb: str) -> None:
    enforced(parked, without(FINALISE, verb))
    assert ended(parked) != "finalised"


def test_an_export_reads_no_less_with_its_roles() -> None:
    whole, little = shipped_rights.shown_world(), shipped_rights.shown_world()
    enforced(little, shipped_rights.exporting())
    paths = set(shipped_rights.collected(little).all_paths())
    assert paths == set(shipped_rights.collected(whole).all_paths())
    assert any("/namespaces/team/secrets/" in path for path in paths)


@pytest.mark.parametrize("verb", ["get", "list"])
def test_without_one_verb_of_its_roles_there_is_no_archive(verb: str) -> None:
    world = shipped_rights.shown_world()
    enforced(world, without(shipped_rights.EXPORT, verb))
    with pytest.raises(WgeError):
        shipped_rights.collected(world)


def test_a_restore_puts_back_what_is_gone_and_what_differs_with_its_roles() -> None:
    world = shipped_rights.shown_world()
    box = shipped_rights.collected(world)
    archive = shipped_rights.archived(box)
    enforced(world, shipped_rights.restoring())
    shipped_rights.lose(world, box)
    assert shipped_rights.restored(world, archive).verdict == "restored"
    spoil(world, box.all_paths())
    world.cluster.requests.clear()
    outcome = shipped_rights.restored(world, archive)
    assert (outcome.verdict, outcome.error) == ("restored", None)
    assert world.cluster.count("patch") > len(box) // 2


@pytest.mark.parametrize("verb", ["create", "get", "list", "patch"])
def test_without_one_verb_of_its_roles_a_restore_ends_with_an_error(verb: str) -> None:
    world = shipped_rights.shown_world()
    box = shipped_rights.collected(world)
    archive = shipped_rights.archived(box)
    shipped_rights.lose(world, box) if verb == "create" else spoil(world, box.all_paths())
    enforced(world, without(RESTORE, verb))
    try:
        verdict = shipped_rights.restored(world, archive).verdict
    except WgeError as problem:
        verdict = type(problem).__name__
    assert verdict != "restored"


@pytest.mark.parametrize("rung", ["prepared", "parked"])
def test_a_verification_reads_no_less_with_its_roles(there: World, rung: str) -> None:
    there.climb(rung)
    whole = shipped_rights.verified(there)
    enforced(there, shipped_rights.verifying())
    assert shipped_rights.verified(there).snapshot == whole.snapshot


@pytest.mark.parametrize("verb", ["get", "list"])
def test_without_one_verb_of_its_roles_nothing_is_verified(parked: World, verb: str) -> None:
    enforced(parked, without(shipped_rights.VERIFY, verb))
    with pytest.raises(WgeError):
        shipped_rights.verified(parked)


def spoil(world: World, paths: object) -> None:
    """Somebody labels everything that was archived."""
    for path in list(paths):  # type: ignore[call-overload]
        item = copy.deepcopy(world.cluster.objects[path])
        item["metadata"].setdefault("labels", {})["spoiled"] = "yes"
        world.cluster.put(item)
