# SPDX-License-Identifier: GPL-3.0-or-later
"""Bad input: one sentence with host, fact and next step; nothing is written; the others go on (as test_fleet.py shows)."""

from __future__ import annotations

import re

import pytest

from integration import evidence
from integration.lab import Lab
from integration.mistakes import MISTAKES
from integration.story import Story

NAMES = [make.__name__.replace("_", "-") for make in MISTAKES]


@pytest.mark.parametrize("name", NAMES)
def test_the_sentence_names_host_fact_and_next_step(story: Story, name: str) -> None:
    mistake, entry = story.mistakes[name], story.upgrade.cluster(name)
    assert re.fullmatch(mistake.verdict, entry["verdict"]), entry
    said = entry["message"].removesuffix(entry["next_step"]).strip()
    assert re.search(mistake.fact, said), said
    assert entry["next_step"] and re.search(mistake.next_step, entry["next_step"]), entry["next_step"]
    assert "\n" not in said and ".." not in said and len(said) < 400, said


@pytest.mark.parametrize("name", NAMES)
def test_the_sentence_is_the_last_word_on_the_terminal(story: Story, name: str) -> None:
    entry = story.upgrade.cluster(name)
    said = entry["message"].removesuffix(entry["next_step"]).strip()
    last = story.upgrade.plain.rpartition("PLAY [Verdict]")[2]
    assert f"{name}: {entry['verdict']}. {said} {entry['next_step']}" in last
    assert re.search(rf"fatal: \[{name}\]: FAILED!", last)
    assert story.upgrade.recap[name]["failed"] == 1


@pytest.mark.parametrize("name", NAMES)
def test_nothing_is_written(story: Story, name: str) -> None:
    mistake = story.mistakes[name]
    if not mistake.cluster:
        assert story.upgrade.cluster(name)["api"]["writes"] == 0
        return
    made = evidence.calls(story.clusters[mistake.cluster], story.upgrade.began, mistake.user)
    assert not [evidence.told(call) for call in made if call.write]
    assert len(made) == story.upgrade.cluster(name)["api"]["requests"], [evidence.told(call) for call in made]


def test_an_inventory_without_clusters_is_refused(lab: Lab) -> None:
    run = lab.run("upgrade", {})
    assert run.rc != 0
    assert "The inventory holds no cluster; give one with -i" in run.plain
    assert "Traceback" not in run.text


def test_a_misspelt_variable_is_refused_before_any_cluster_is_asked(lab: Lab) -> None:
    near = {"wge_kubeconfig": str(lab.root / "nowhere"), "wge_soak_second": 5}
    run = lab.run("upgrade", {"pear": near, "apple": {"wge_kubeconfig": str(lab.root / "elsewhere")}})
    assert run.rc != 0
    assert "pear: wge_soak_second is not a setting of this collection; did you mean wge_soak_seconds?" in run.plain
    assert "PLAY [Preflight]" not in run.stdout
    assert "Traceback" not in run.text
