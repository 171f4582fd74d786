# SPDX-License-Identifier: GPL-3.0-or-later
"""Form C with WGE as plain manifests, on a real control plane with the real kustomize-controller: they go into git as they are."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import pytest
from testbed import wait_until
from testbed.flux.git import Repository

from integration import evidence
from integration.gitops_story import WG_PATH, Story
from integration.lab import NAMESPACE, WG_SERVICE, Lab, Variables
from integration.witness import Seen, Witness

HOST = "g3"
RUN = "wge.weave.works/run"
RUNS = ("upgrade", "change", "again", "change again", "finalise")


@dataclass
class Plain(Story):
    """As form C's, with WGE's objects, by run, as far as they serve: by path, uid, spec and what else they hold."""

    made: dict[str, dict[evidence.Key, Any]] = field(default_factory=dict)
    witnessed: Seen | None = None

    @property
    def host(self) -> Variables:
        """What an inventory says of such a cluster."""
        return self.lab.host(self.cluster, wge_delivery="manifests")

    def look(self, name: str) -> None:
        """WGE's objects now."""
        found = evidence.objects(self.cluster)
        ours = {key: item for key, item in found.items() if RUN in (item["metadata"].get("labels") or {}) and key[1] != "Secret"}
        self.made[name] = {key: _what_serves(item) for key, item in ours.items()}


def _what_serves(item: dict[str, Any]) -> Any:
    return item["metadata"]["uid"], {key: value for key, value in item.items() if key != "metadata"}


@pytest.fixture(scope="module")
def story(lab: Lab) -> Iterator[Plain]:
    """Up, the merge, and the end, all under load."""
    cluster = lab.cluster(HOST, wg="kustomization")
    found = Plain(lab, cluster, Repository(lab.bed.paths.git), evidence.services(cluster))
    witness = Witness(cluster, lab.root / "witness" / HOST, (WG_SERVICE,), rate=10.5)
    wait_until("the witness at work", witness.ready, 60)
    found.play("upgrade", "upgrade")
    found.look("upgrade")
    found.merge(found.ask_git("change"), "merged")
    for _time in range(3):
        found.reconcile()
    found.look("merged")
    found.play("again", "upgrade")
    found.ask_git("change again")
    found.play("finalise", "finalise", "-e", "wge_retention_days=0")
    found.reconcile()
    found.look("after the end")
    found.shoot("after the end")
    found.witnessed = witness.stop(time.time())
    yield found


@pytest.mark.parametrize("name", RUNS)
def test_each_run_ends_well(story: Plain, name: str) -> None:
    assert story.runs[name].rc == 0, story.runs[name].text[-3000:]


def test_no_request_is_lost_and_no_instant_is_without_an_endpoint(story: Plain) -> None:
    seen = story.witnessed
    assert seen is not None
    assert seen.requests > 500
    assert seen.lost == 0, seen.streams
    assert not seen.endpoints[WG_SERVICE].gaps


def test_the_merge_changes_nothing_that_serves_and_pays_the_debt(story: Plain) -> None:
    assert any(key[1] == "Deployment" for key in story.made["upgrade"])
    assert story.made["merged"] == story.made["upgrade"]
    ids = {entry["id"] for entry in story.shots["merged"]["applier"]["status"]["inventory"]["entries"]}
    server = next(key[3] for key in story.made["upgrade"] if key[1] == "Deployment")
    assert f"{NAMESPACE}_{server}_apps_Deployment" in ids
    assert story.answers["change again"]["debt"]["state"] == "paid"
    assert [entry["state"] for entry in story.answers["change again"]["made"]["paths"]] == ["same"]


def test_a_second_run_writes_nothing(story: Plain) -> None:
    assert story.writes["again"] == []


def test_at_the_end_wg_is_gone_and_wge_stays_as_it_was(story: Plain) -> None:
    assert story.shots["after the end"][WG_PATH] is None
    serving = {key: item for key, item in story.made["after the end"].items() if key in story.made["upgrade"]}
    gone = {key[1] for key in story.made["upgrade"].keys() - serving.keys()}
    assert serving == {key: item for key, item in story.made["upgrade"].items() if key in serving}
    assert gone <= {"Service", "NetworkPolicy"}
    assert evidence.services(story.cluster)[WG_SERVICE] == story.services[WG_SERVICE]
