# SPDX-License-Identifier: GPL-3.0-or-later
"""The archive that an upgrade makes for itself: encrypted, proven, where it lasts, and found again."""

from __future__ import annotations

import sys
from dataclasses import replace
from pathlib import Path

import pytest

from ansible_collections.weaveworks.wge.plugins.module_utils._engine.archive.fitness import require_way_back
from ansible_collections.weaveworks.wge.plugins.module_utils._errors import Forbidden, InvalidSettings
from ansible_collections.weaveworks.wge.plugins.module_utils._front.archives import Archives, Wanted, wanted_from
from ansible_collections.weaveworks.wge.tests.unit.plugins.module_utils._engine.archive.pieces import CANARY, lived_in_with_secrets
from ansible_collections.weaveworks.wge.tests.unit.plugins.module_utils._engine.standin_world import World
from ansible_collections.weaveworks.wge.tests.unit.plugins.module_utils.test_front_export import ToyVault


@pytest.fixture
def world(tmp_path: Path) -> World:
    return lived_in_with_secrets(tmp_path)


@pytest.fixture
def archives(world: World, tmp_path: Path) -> Archives:
    return Archives(Wanted(str(tmp_path / "archives")), ToyVault(), lambda: world.cluster, world.clock, lambda: "", {})


def made(archives: Archives, world: World) -> dict[str, object]:
    return archives.make(world.look().snapshot, "r1", lambda: None)


def test_an_upgrades_options_and_an_exports_say_the_same() -> None:
    said = {"format": "tar.gz", "vault_id": "prod", "copy_command": ["cp", "{path}", "/x"]}
    upgrade = wanted_from({"archive_dir": "/a", **{f"archive_{name}": value for name, value in said.items()}})
    assert upgrade == wanted_from({"archive_dir": "/a", **said}) == Wanted("/a", "tar.gz", "vault", "prod", ("cp", "{path}", "/x"))


@pytest.mark.parametrize("form", ["folder", "tar.gz"])
def test_it_holds_what_is_needed_to_go_back_and_no_secret_in_plain(archives: Archives, world: World, form: str) -> None:
    archives = replace(archives, wanted=replace(archives.wanted, form=form))
    noted = made(archives, world)
    path = str(noted["path"])
    assert archives.exists(path)
    contents = archives.contents(path)
    assert (contents.manifest["digest"], contents.manifest["run"], contents.manifest["scope"]) == (noted["digest"], "r1", "install")
    require_way_back(world.look(), path, contents)
    place = Path(path)
    files = [place] if place.is_file() else [file for file in place.rglob("*") if file.is_file()]
    assert files and not any(CANARY.encode() in file.read_bytes() for file in files)


def test_without_a_vault_it_is_hashed_and_its_secrets_stay_shut(archives: Archives, world: World) -> None:
    path = str(made(archives, world)["path"])
    there = replace(archives, vault=None)
    contents = there.contents(path)
    assert not contents.opened
    assert not [entry.path for entry in contents.entries if "/secrets/" in entry.path]
    require_way_back(world.look(), path, contents)
    member = next(Path(path).glob("secrets/read-*"))
    member.write_bytes(member.read_bytes() + b" ")
    with pytest.raises(InvalidSettings, match="instead of"):
        there.contents(path)


def test_a_dry_run_that_is_not_allowed_is_noted_and_stops_nobody(archives: Archives, world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    def forbidden(path: str, _body: object, *, dry_run: bool = False) -> object:
        raise Forbidden(f"You may not create {path}.", "Ask for it.")

    monkeypatch.setattr(world.cluster, "create", forbidden)
    noted = made(archives, world)
    assert noted["tried"] == 0
    assert all(str(sentence).startswith("You may not create") for sentence in noted["untried"])  # type: ignore[attr-defined]


def test_a_vault_problem_is_said_before_anything_is_read(archives: Archives, world: World) -> None:
    with pytest.raises(InvalidSettings, match="There is no vault secret"):
        replace(archives, vault=ToyVault("There is no vault secret.")).require()
    with pytest.raises(InvalidSettings, match="on the controller only"):
        replace(archives, vault=None).require()
    assert world.cluster.requests == []


class TestInAJobsFolder:
    """AWX and ansible-runner remove their private folder when the job ends."""

    @pytest.fixture
    def archives(self, archives: Archives, tmp_path: Path) -> Archives:
        return replace(archives, environment={"AWX_ISOLATED_DATA_DIR": str(tmp_path / "artifacts" / "7")})

    def test_an_archive_that_would_go_with_the_job_is_refused(self, archives: Archives) -> None:
        with pytest.raises(InvalidSettings, match="goes with the job: nobody could go back with it"):
            archives.require()
        with pytest.raises(InvalidSettings, match="goes with the job"):
            archives.confirm(str(Path(archives.wanted.folder) / "x"))

    def test_a_command_that_copies_it_makes_it_last(self, archives: Archives, world: World, tmp_path: Path) -> None:
        copy = (sys.executable, "-c", "import shutil, sys; shutil.copytree(*sys.argv[1:])", "{path}", str(tmp_path / "copy"))
        noted = made(replace(archives, wanted=replace(archives.wanted, copy_command=copy)), world)
        assert noted["copied"] is True
        assert (tmp_path / "copy" / "manifest.json").is_file()

    def test_a_copy_that_fails_stops_the_upgrade(self, archives: Archives, world: World) -> None:
        with pytest.raises(InvalidSettings, match="copy_command 'false' ended with 1"):
            made(replace(archives, wanted=replace(archives.wanted, copy_command=("false",))), world)

    def test_a_folder_that_outlives_the_job_needs_no_copy(self, archives: Archives, tmp_path: Path) -> None:
        replace(archives, wanted=replace(archives.wanted, folder="/somewhere/else")).require()
