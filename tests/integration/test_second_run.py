# SPDX-License-Identifier: GPL-3.0-or-later
"""What does not write: the plan before, the preflight, and the same command once more."""

from __future__ import annotations

import pytest
from testbed import audit

from integration import evidence
from integration.cast import UPGRADED
from integration.story import Story

QUIET = ("preflight", "plan", "again")
ORDER = ("preflight", "plan", "upgrade", "again")
MOST_REQUESTS = 60


def requests(story: Story, run: str, name: str) -> list[audit.Call]:
    """What a run asked of a cluster, by the API server's audit log."""
    following = ORDER[ORDER.index(run) + 1 :]
    end = story.runs[following[0]].began if following else float("inf")
    return [call for call in evidence.calls(story.clusters[name], story.runs[run].began) if call.time < end]


@pytest.mark.parametrize("name", UPGRADED)
@pytest.mark.parametrize("run", QUIET)
def test_it_writes_nothing(story: Story, run: str, name: str) -> None:
    made = requests(story, run, name)
    assert made
    assert not [evidence.told(call) for call in made if call.write]
    assert not [evidence.told(call) for call in made if call.verb in audit.WRITES and not call.review and not call.dry_run]


@pytest.mark.parametrize("run", QUIET)
def test_it_ends_well(story: Story, run: str) -> None:
    assert story.runs[run].rc == 0, story.runs[run].text[-3000:]


@pytest.mark.parametrize("name", UPGRADED)
def test_the_preflight_asks_little(story: Story, name: str, record_property: pytest.FixtureRequest) -> None:
    made = requests(story, "preflight", name)
    record_property("requests", len(made))  # type: ignore[operator]
    assert 0 < len(made) <= MOST_REQUESTS, [evidence.told(call) for call in made]


@pytest.mark.parametrize("name", UPGRADED)
@pytest.mark.parametrize("run", ["preflight", "again"])
def test_nothing_is_reported_as_changed(story: Story, run: str, name: str) -> None:
    recap = story.runs[run].recap
    assert recap[name]["changed"] == 0 and recap[name]["failed"] == 0
    assert all(host["changed"] == 0 for host in recap.values())


@pytest.mark.parametrize("name", UPGRADED)
def test_an_upgraded_cluster_is_found_upgraded(story: Story, name: str) -> None:
    entry = story.runs["again"].cluster(name)
    assert (entry["verdict"], entry["rung"], entry["api"]["writes"]) == ("already", "parked", 0)


@pytest.mark.parametrize("name", UPGRADED)
def test_no_lock_is_taken(story: Story, name: str) -> None:
    taken = {run: [call for call in requests(story, run, name) if "/leases" in call.uri and call.write] for run in ORDER}
    assert taken.pop("upgrade")
    assert not [evidence.told(call) for calls in taken.values() for call in calls]


@pytest.mark.parametrize("name", UPGRADED)
def test_the_plan_is_shown_write_by_write(story: Story, name: str) -> None:
    run = story.runs["plan"]
    assert f"changed: [{name}]" in run.stdout and f"{name}: planned" in run.stdout
    for words in ("S7 install WGE beside WG", "S12 flip the Services to WGE", "S15 park WG", "flip Service ww-gitops-weave-gitops to WGE"):
        assert words in run.stdout
    patched = ["op: test path: /spec/selector value: app.kubernetes.io/instance: ww-gitops", "path: /spec/ports/0/targetPort value: 8000"]
    assert all(words in " ".join(run.stdout.replace("+", " ").replace(" - ", " ").split()) for words in patched)


def test_check_mode_leaves_no_file(story: Story) -> None:
    run = story.runs["plan"]
    assert not run.reports.exists() and not run.archive.exists()
