# SPDX-License-Identifier: GPL-3.0-or-later
"""SA-01, SA-02, SA-03 and SA-07."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from ansible_collections.weaveworks.wge.plugins.module_utils._engine.checks import registry
from ansible_collections.weaveworks.wge.plugins.module_utils._engine.checks.rehearsal import applied
from ansible_collections.weaveworks.wge.plugins.module_utils._engine.checks.safety import no_unfinished_run
from ansible_collections.weaveworks.wge.plugins.module_utils._engine.journal import Journal
from ansible_collections.weaveworks.wge.plugins.module_utils._engine.model import Object, Operation
from ansible_collections.weaveworks.wge.plugins.module_utils._engine.plan import Plan
from ansible_collections.weaveworks.wge.plugins.module_utils._engine.writes import Write
from ansible_collections.weaveworks.wge.plugins.module_utils._errors import SafeStop
from ansible_collections.weaveworks.wge.tests.unit.plugins.module_utils._engine.standin_archives import archive_of
from ansible_collections.weaveworks.wge.tests.unit.plugins.module_utils._engine.standin_products import NAMESPACE, RELEASE, WG_NAME, thing
from ansible_collections.weaveworks.wge.tests.unit.plugins.module_utils._engine.standin_world import World


def hold(world: World, renewed: str | None, holder: str = "20261123-1/ab") -> None:
    """Another run holds the lock; the API server's time is 12:00."""
    spec = {"holderIdentity": holder, "leaseDurationSeconds": 60, **({"renewTime": renewed} if renewed else {})}
    world.cluster.put(thing("coordination.k8s.io/v1", "Lease", "wge-upgrade", NAMESPACE, spec=spec))


def begin(world: World, run: str, state: str = "open") -> None:
    world.cluster.put(Journal(run, NAMESPACE, RELEASE, state=state, started=run).secret())


def test_no_lease_is_a_free_lock(world: World) -> None:
    assert world.findings()["SA-01"].evidence == "No run holds the lock."


def test_a_lease_without_a_holder_is_a_free_lock(world: World) -> None:
    hold(world, None, holder="")
    assert world.findings()["SA-01"].status == "pass"


def test_a_lock_renewed_just_now_is_warned_of_with_its_holder_and_what_the_upgrade_will_do(world: World) -> None:
    hold(world, "2026-11-23T11:59:40.000000Z")
    found = world.findings()["SA-01"]
    assert (found.status, found.evidence) == ("warn", "Run 20261123-1/ab holds the lock of this cluster and renewed it 20 s ago.")
    assert found.remedy == "While it lives the upgrade will not begin here; if it was killed, the upgrade takes over after 60 s."


@pytest.mark.parametrize(
    ("renewed", "words"),
    [
        ("2026-11-23T11:50:00.000000Z", "600 s ago"),
        ("2026-11-23T13:00:00.000000Z", "by a clock that is ahead"),
        ("soon", "at a time that cannot be read"),
        (None, "at a time that cannot be read"),
    ],
)
def test_a_lock_that_may_be_stale_is_warned_of_since_the_climb_waits_it_out(world: World, renewed: str | None, words: str) -> None:
    hold(world, renewed)
    found = world.findings()["SA-01"]
    assert (found.status, found.evidence) == ("warn", f"Run 20261123-1/ab holds the lock of this cluster; it was last renewed {words}.")
    assert found.remedy.startswith("Nothing need be done: the upgrade watches it for 60 s")


def test_no_journal_and_finished_ones_pass(world: World) -> None:
    begin(world, "20261101-1", "rolled-back")
    assert world.findings()["SA-03"].evidence == "No unfinished run (1 finished)."


def test_an_open_journal_is_warned_of_and_will_be_resumed(world: World) -> None:
    begin(world, "20261123-1")
    found = world.findings()["SA-03"]
    assert (found.status, found.evidence) == ("warn", "Run 20261123-1 has not been finished; the cluster is installed.")
    assert found.remedy == "Nothing need be done: the upgrade goes on where it ended; state=rolled_back takes it back instead."


def test_several_open_journals_fail(world: World) -> None:
    begin(world, "20261123-1")
    begin(world, "20261122-1")
    found = world.findings()["SA-03"]
    assert (found.status, found.evidence) == (
        "fail",
        "Several runs have not been finished: 20261122-1, 20261123-1; only the newest could be resumed.",
    )


def test_a_journal_that_cannot_be_read_is_an_error_that_blocks(world: World) -> None:
    now = world.look()
    broken = {**Journal("20261123-1", NAMESPACE, RELEASE).secret(), "data": {"journal": "e30="}}
    now = replace(now, snapshot=replace(now.snapshot, journals=[broken]))
    found = world.findings(now)["SA-03"]
    assert (found.status, found.blocks) == ("error", True)
    assert found.evidence == "The journal Secret wge-journal-20261123-1 cannot be read ('schema')."
    with pytest.raises(SafeStop):
        no_unfinished_run(world.evidence(now))


class TestArchive:
    def two(self, world: World, folder: Path) -> tuple[str, str]:
        world.set(archive_dir=str(folder))
        found = world.findings()["SA-02"]
        return found.status, found.evidence

    def test_a_folder_that_is_not_there_yet_passes_and_is_not_made(self, world: World, tmp_path: Path) -> None:
        status, evidence = self.two(world, tmp_path / "a" / "b")
        assert status == "pass"
        assert evidence.startswith("The archive of this cluster takes 0.1 MiB in ")
        assert list(tmp_path.iterdir()) == []

    def test_a_file_in_the_way_fails(self, world: World, tmp_path: Path) -> None:
        (tmp_path / "a").write_text("")
        assert self.two(world, tmp_path / "a" / "b") == (
            "fail",
            f"The archive cannot be put into {tmp_path}/a/b: {tmp_path}/a is a file.",
        )

    def test_a_folder_that_may_not_be_written_fails(self, world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(os, "access", lambda path, _mode: path != str(tmp_path))  # chmod stops nobody who is root
        assert self.two(world, tmp_path / "a") == (
            "fail",
            f"The archive cannot be put into {tmp_path}/a: {tmp_path} cannot be written.",
        )

    def test_a_full_disk_fails(self, world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        usage = shutil.disk_usage(tmp_path)
        monkeypatch.setattr(shutil, "disk_usage", lambda _path: usage._replace(free=1024))
        assert self.two(world, tmp_path) == (
            "fail",
            f"The disk of {tmp_path} has 0.0 MiB left; the archive of this cluster takes 0.1 MiB.",
        )

    def test_without_a_vault_secret_who_only_looks_is_warned_and_who_upgrades_is_stopped(self, world: World) -> None:
        world.archives.problem = "There is no vault secret to encrypt Secrets with."
        assert world.findings()["SA-02"].status == "warn"
        evidence = world.evidence()
        evidence.climbing = True
        found = next(finding for finding in registry.run_all(evidence) if finding.id == "SA-02")
        assert (found.status, found.blocks) == ("fail", True)

    def test_an_archive_that_was_given_is_judged_and_no_folder_is_looked_at(self, world: World) -> None:
        world.set(archive="/exported", archive_dir="/dev/null/x")
        assert world.findings()["SA-02"].evidence == "The file /exported cannot be read."
        world.archives.made["/exported"] = archive_of(world.cluster, world.look().snapshot)
        found = world.findings()["SA-02"]
        assert (found.status, found.evidence) == (
            "pass",
            "The archive /exported, made 2026-11-23T10:00:00Z, holds what is needed to go back.",
        )

    def test_once_the_archive_is_made_it_is_not_looked_at(self, world: World, tmp_path: Path) -> None:
        world.set(archive_dir=str(tmp_path / "archive"))
        world.climb("prepared")
        assert self.two(world, tmp_path / "archive") == ("skip", "The cluster is prepared already.")


class TestWayBack:
    def seven(self, world: World, spoil: Callable[[Write], Write] = lambda write: write) -> tuple[str, str]:
        evidence = world.evidence()
        planned = tuple(replace(entry, writes=tuple(map(spoil, entry.writes))) for entry in evidence.plan.planned)
        evidence.plan = Plan(planned, evidence.plan.run)
        found = next(finding for finding in registry.run_all(evidence) if finding.id == "SA-07")
        return found.status, found.evidence

    def test_every_patch_of_a_plan_leads_back_to_what_there_was(self, world: World) -> None:
        status, evidence = self.seven(world)
        assert status == "pass"
        assert "patches, tried forth and back" in evidence
        assert "1 Helm release" in evidence
        assert evidence.endswith("Whether a registry still has WG's image is not asked.")

    def test_a_run_that_ended_between_wges_install_and_its_probes_can_be_resumed(self, world: World) -> None:
        world.climb("prepared")
        world.set(state="parked")
        world.helm.install(world.look().target.release)
        assert any("probes" in write.text for write in world.evidence().plan.writes)
        assert self.seven(world)[0] == "pass"

    @pytest.mark.parametrize("rung", ["prepared", "rehearsed", "flipped", "soaked"])
    def test_so_does_what_is_left_of_it_on_every_rung(self, world: World, rung: str) -> None:
        world.climb(rung)
        world.set(state="parked")
        assert self.seven(world)[0] == "pass"

    def test_a_patch_without_a_way_back_fails(self, world: World) -> None:
        flip = f"/services/{WG_NAME}"

        def spoil(write: Write) -> Write:
            return replace(write, reverse=()) if write.path.endswith(flip) and "flip" in write.text else write

        status, evidence = self.seven(world, spoil)
        assert status == "fail"
        assert evidence.startswith("nothing takes back: ")

    def test_a_way_back_that_forgets_something_fails(self, world: World) -> None:
        def spoil(write: Write) -> Write:
            return replace(write, reverse=write.reverse[:-1]) if write.verb == "patch" and "flip" in write.text else write

        status, evidence = self.seven(world, spoil)
        assert status == "fail"
        assert evidence.startswith("the way back does not lead to what there was: ")

    def test_guards_that_do_not_hold_fail(self, world: World) -> None:
        wrong: Operation = {"op": "test", "path": "/metadata/uid", "value": "another"}

        def spoil(write: Write) -> Write:
            return replace(write, operations=(wrong, *write.operations)) if write.verb == "patch" and "flip" in write.text else write

        assert self.seven(world, spoil)[1].startswith("the guards do not hold on what the cluster says: ")

    def test_an_image_that_is_not_pulled_any_more_fails(self, world: World) -> None:
        pod = next(item for item in world.cluster.all("Pod") if item["metadata"]["name"].startswith(WG_NAME))
        pod["status"]["containerStatuses"][0]["state"] = {"waiting": {"reason": "ImagePullBackOff"}}
        status, evidence = self.seven(world)
        assert (status, evidence) == (
            "fail",
            f"WG's image ghcr.io/weaveworks/wego-app:v0.38.0 is not pulled any more: pod {pod['metadata']['name']} says ImagePullBackOff.",
        )


@pytest.mark.parametrize(
    ("operation", "after"),
    [
        ({"op": "replace", "path": "/a/b", "value": 2}, {"a": {"b": 2}, "l": [1, 2]}),
        ({"op": "add", "path": "/a/x~1y", "value": 3}, {"a": {"b": 1, "x/y": 3}, "l": [1, 2]}),
        ({"op": "remove", "path": "/a/b"}, {"a": {}, "l": [1, 2]}),
        ({"op": "replace", "path": "/l/1", "value": 9}, {"a": {"b": 1}, "l": [1, 9]}),
        ({"op": "add", "path": "/l/0", "value": 9}, {"a": {"b": 1}, "l": [9, 1, 2]}),
        ({"op": "remove", "path": "/l/0"}, {"a": {"b": 1}, "l": [2]}),
        ({"op": "test", "path": "/a/b", "value": 7}, {"a": {"b": 1}, "l": [1, 2]}),
    ],
)
def test_a_patch_on_paper_does_what_the_api_server_does(operation: Operation, after: Object) -> None:
    before: Object = {"a": {"b": 1}, "l": [1, 2]}
    assert applied([operation], before) == after
    assert before == {"a": {"b": 1}, "l": [1, 2]}
