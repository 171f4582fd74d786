# SPDX-License-Identifier: GPL-3.0-or-later
"""A host that is reached by ssh gets the module; a local one is answered in the worker itself."""

from __future__ import annotations

import re
from typing import Any

import pytest

from .bastion import PLANTED, Bastion

pytestmark = [pytest.mark.bed, pytest.mark.slow]
QUESTIONS = ["info", "preflight", "again"]
_DATA = ("plan", "checks", "seconds", "labels", "annotations", "spec", "summary")
"""Below these the keys are data, such as steps that were made."""


def shape(value: Any) -> Any:
    """The keys of a result, without what they lead to."""
    if isinstance(value, dict):
        return {key: None if key in _DATA else shape(item) for key, item in value.items()}
    return [shape(item) for item in value[:1]] if isinstance(value, list) else None


@pytest.mark.parametrize("question", QUESTIONS)
def test_a_bastions_result_has_the_keys_of_a_local_one(bastion_story: Bastion, question: str) -> None:
    here, there = bastion_story.direct[question], bastion_story.remote[question]
    assert not here["failed"] and not there["failed"], (here, there)
    assert shape(there) == shape(here)


@pytest.mark.parametrize("question", QUESTIONS)
def test_a_bastion_sees_the_same_cluster(bastion_story: Bastion, question: str) -> None:
    here, there = bastion_story.direct[question], bastion_story.remote[question]
    assert there["cluster"] == here["cluster"]
    assert [there.get(key) for key in ("verdict", "rung", "plan_hash")] == [here.get(key) for key in ("verdict", "rung", "plan_hash")]


def test_a_bastion_climbs(bastion_story: Bastion) -> None:
    prepared = bastion_story.remote["prepared"]
    assert (prepared["verdict"], prepared["rung"], prepared["changed"]) == ("upgraded", "prepared", True)
    assert bastion_story.direct["again"]["verdict"] == "already"


def test_without_an_archive_that_the_controller_made_a_bastion_does_not_begin(bastion_story: Bastion) -> None:
    refused = bastion_story.remote["unarchived"]
    assert (refused["failed"], refused["verdict"], refused["changed"]) == (True, "blocked", False)
    assert "SA-02 archive possible: The vault's secrets are on the controller only." in refused["msg"]


def test_secrets_do_not_go_into_a_file_there(bastion_story: Bastion) -> None:
    refused = bastion_story.remote["in_a_file"]
    assert refused["failed"]
    assert refused["msg"] == (
        "The options hold secrets, and without pipelining they would lie in a file on the remote host; "
        "set ansible_pipelining: true for it (or ANSIBLE_PIPELINING=true)."
    )


@pytest.mark.parametrize("name", ["validate", "report"])
def test_what_only_makes_sense_on_the_controller_is_refused_by_name(bastion_story: Bastion, name: str) -> None:
    refused = bastion_story.remote[name]
    assert refused["failed"]
    assert refused["msg"] == f"wge_{name} runs on the controller only; give the task delegate_to: localhost."


def test_no_secret_is_printed(bastion_story: Bastion) -> None:
    assert PLANTED not in bastion_story.text


def test_nothing_is_left_in_a_temporary_folder(bastion_story: Bastion) -> None:
    assert bastion_story.left == []


def test_on_the_controller_no_module_is_started(bastion_story: Bastion) -> None:
    """The local host's interpreter is a trap that writes down what it is given: ping falls into it, nothing of ours does."""
    assert bastion_story.direct["ping"]["failed"]
    assert [re.search(r"AnsiballZ_(\w+)", line).group(1) for line in bastion_story.interpreter_calls] == ["ping"]  # type: ignore[union-attr]


def test_become_is_refused_on_the_controller(bastion_story: Bastion) -> None:
    refused = bastion_story.direct["became"]
    assert refused["failed"]
    assert refused["msg"] == (
        "wge_info runs in the controller's own process, where become has no effect; remove become from this task, its play and its host."
    )


def test_a_climb_on_a_bastion_outlives_its_killed_controller(bastion_story: Bastion) -> None:
    """Nobody tells it; the cluster's lock keeps the next run away until it has ended."""
    climb = bastion_story.climb
    assert climb.alive_after_kill
    assert climb.journal == ["parked"]
    assert climb.left_processes == {}


def test_of_that_climb_only_ansibles_own_copy_of_the_module_is_left(bastion_story: Bastion) -> None:
    """Ansible packs a module once into its temporary folder, which a killed controller cannot remove; it holds no options."""
    assert [path for path in bastion_story.climb.left if "ansiballz_cache" not in path] == []
