# SPDX-License-Identifier: GPL-3.0-or-later
"""A WG that was removed comes back out of the archive that the climb made."""

from __future__ import annotations

from pathlib import Path

import pytest

from ansible_collections.weaveworks.wge.plugins.module_utils._engine import ladder
from ansible_collections.weaveworks.wge.plugins.module_utils._engine.archive.model import Contents
from ansible_collections.weaveworks.wge.plugins.module_utils._engine.model import Object
from ansible_collections.weaveworks.wge.plugins.module_utils._errors import Blocked
from ansible_collections.weaveworks.wge.tests.unit.plugins.module_utils._engine.standin_faults import Fault
from ansible_collections.weaveworks.wge.tests.unit.plugins.module_utils._engine.standin_products import NAMESPACE, WG_NAME, thing
from ansible_collections.weaveworks.wge.tests.unit.plugins.module_utils._engine.standin_runs import (
    KEPT,
    climb,
    finalise,
    later,
    lived_in,
    roll_back,
    start,
)
from ansible_collections.weaveworks.wge.tests.unit.plugins.module_utils._engine.standin_witness import Witness, content, leads_to
from ansible_collections.weaveworks.wge.tests.unit.plugins.module_utils._engine.standin_world import World

RETURN_WRITES = 26
"""Writes of a way back out of the archive, with those of the lock."""


@pytest.fixture
def archived(tmp_path: Path) -> tuple[World, dict[str, Object]]:
    """A finalised cluster, its archive from before the upgrade, and what it was."""
    made = lived_in(tmp_path)
    made.cluster.put(thing("v1", "Namespace", NAMESPACE))
    before = content(made, runs=False)
    climb(made)
    later(made, days=8)
    finalise(made)
    return made, before


def test_out_of_its_archive_the_cluster_becomes_what_it_was(archived: tuple[World, dict[str, Object]]) -> None:
    world, before = archived
    witness = Witness(world)
    outcome = roll_back(world)
    assert outcome is not None
    assert outcome.verdict == "rolled_back", outcome.error
    assert content(world, runs=False) == before
    assert [leads_to(world, name) for name in KEPT] == ["wg"] * 3
    assert not witness.dark
    assert outcome.seconds["traffic_on_wg"] >= 0
    fault = Fault()
    assert roll_back(world, fault).verdict == "rolled_back"  # type: ignore[union-attr]
    assert fault.sent == []


def test_a_first_revision_comes_back_in_the_place_of_its_tombstone(world: World, tmp_path: Path) -> None:
    before = content(world, runs=False)
    climb(world)
    later(world, days=8)
    finalise(world)
    outcome = roll_back(world)
    assert outcome is not None
    assert outcome.verdict == "rolled_back", outcome.error
    assert content(world, runs=False) == before


def test_helms_record_of_wg_comes_back_after_wge_is_gone(archived: tuple[World, dict[str, Object]]) -> None:
    world, _before = archived
    fault = Fault()
    roll_back(world, fault)
    assert len(fault.sent) == RETURN_WRITES
    sent = [(verb, path.rsplit("/", 1)[-1]) for verb, path in fault.sent]
    uninstalled = sent.index(("uninstall", "weave-gitops-enterprise"))
    assert sent.index(("create", "sh.helm.release.v1.ww-gitops.v7")) > uninstalled > sent.index(("create", WG_NAME))


def test_a_way_back_out_of_the_archive_is_shown_in_check_mode(archived: tuple[World, dict[str, Object]]) -> None:
    world, _before = archived
    fault = start(world)
    outcome = ladder.roll_back(world.tools, world.settings, check_mode=True)
    assert (outcome.verdict, fault.sent) == ("planned", [])
    paths = [write.path for entry in outcome.plan.planned for write in entry.writes if write.verb == "create"]
    assert next(path.rsplit("/", 1)[1] for path in paths) == WG_NAME
    assert len(paths) == 6


@pytest.mark.parametrize("kind", ["kill before", "kill after"])
@pytest.mark.parametrize("at", range(RETURN_WRITES))
def test_a_way_back_out_of_the_archive_killed_at_any_write_is_ended_by_the_next(
    archived: tuple[World, dict[str, Object]], at: int, kind: str
) -> None:
    world, before = archived
    witness = Witness(world)
    assert roll_back(world, Fault(at, kind)) is None
    outcome = roll_back(world)
    assert outcome is not None
    assert outcome.verdict == "rolled_back", outcome.error
    assert content(world, runs=False) == before
    assert not witness.dark


@pytest.mark.parametrize("at", [3, 6, 9])
def test_while_it_is_on_its_way_back_nobody_climbs_or_finalises(archived: tuple[World, dict[str, Object]], at: int) -> None:
    world, _before = archived
    roll_back(world, Fault(at, "kill after"))
    for run in (climb, finalise):
        with pytest.raises(Blocked, match=r"The way back of run .* has begun"):
            run(world)


def test_an_archive_of_another_cluster_is_refused(archived: tuple[World, dict[str, Object]]) -> None:
    world, _before = archived
    (contents,) = world.archives.made.values()
    contents.manifest["cluster"]["uid"] = "another"
    with pytest.raises(Blocked, match="is of another cluster: its UID is another"):
        roll_back(world)


def test_an_archive_without_what_was_removed_is_refused(archived: tuple[World, dict[str, Object]]) -> None:
    world, _before = archived
    ((path, contents),) = world.archives.made.items()
    poor = Contents(contents.manifest, tuple(entry for entry in contents.entries if "/deployments/" not in entry.path))
    world.archives.made[path] = poor
    with pytest.raises(Blocked, match=f"does not hold /apis/apps/v1/namespaces/flux-system/deployments/{WG_NAME}"):
        roll_back(world)


def test_an_archive_that_was_made_while_wg_was_parked_is_refused(tmp_path: Path) -> None:
    """Its Deployment has no replicas: WG would be put back, and never get ready."""
    made = lived_in(tmp_path)
    climb(made)
    noted = made.archives.make(made.look().snapshot, "later", lambda: None)
    later(made, days=8)
    finalise(made)
    made.set(archive=noted["path"])
    with pytest.raises(Blocked, match="was made while WG was parked"):
        roll_back(made)


def test_an_archive_whose_vault_is_shut_is_refused(archived: tuple[World, dict[str, Object]]) -> None:
    world, _before = archived
    ((path, contents),) = world.archives.made.items()
    world.archives.made[path] = Contents(contents.manifest, contents.entries, opened=False)
    with pytest.raises(Blocked, match="needs its vault secret"):
        roll_back(world)


def test_the_archive_may_lie_elsewhere_than_the_journal_says(archived: tuple[World, dict[str, Object]]) -> None:
    world, before = archived
    (contents,) = world.archives.made.values()
    world.archives.made = {"/moved": contents}
    world.set(archive="/moved")
    roll_back(world)
    assert content(world, runs=False) == before


def test_a_half_removed_wg_comes_back_too(tmp_path: Path) -> None:
    made = lived_in(tmp_path)
    made.cluster.put(thing("v1", "Namespace", NAMESPACE))
    before = content(made, runs=False)
    climb(made)
    later(made, days=8)
    finalise(made, Fault(3, "kill after"))
    outcome = roll_back(made)
    assert outcome is not None
    assert outcome.verdict == "rolled_back", outcome.error
    assert content(made, runs=False) == before
