# SPDX-License-Identifier: GPL-3.0-or-later
"""The way back from each rung, the end, and the way back from the end, on one cluster under load.

One run shows many promises, so they are made once, in order, and each test asserts one thing of what was kept.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from testbed import Cluster, wait_until
from witness.load import PORTS

from integration import evidence
from integration.lab import FAST, NAMESPACE, UPGRADER, WG_SERVICE, Lab, Run
from integration.processes.plays import calls, results
from integration.witness import Seen, Witness

HOST = "w1"
RUNGS = ["prepared", "rehearsed", "flipped", "soaked", "parked"]
ARCHIVE = "out of the archive"
LEGS = [*(f"{way} {rung}" for rung in RUNGS for way in ("up to", "back from")), "upgrade", "finalise", ARCHIVE]
GOALS = {"flipped": 30, "soaked": 30, "parked": 120, ARCHIVE: 900}
"""Seconds until WG serves again, which are told beside those that it took: how fast a machine is no test can say."""
PORTS_OF_A_LEG = 1400
QUIET = {"wge_quiet_seconds": 2.5}
"""Longer than this witness keeps a connection."""
Recorder = Callable[[str, object], None]


@dataclass
class Ways:
    """All runs on the cluster, by name, and what was seen during and after them."""

    lab: Lab
    cluster: Cluster
    before: dict[evidence.Key, evidence.Object] = field(default_factory=dict)
    services: dict[str, Any] = field(default_factory=dict)
    climbs: dict[str, dict[str, Any]] = field(default_factory=dict)
    runs: dict[str, Run] = field(default_factory=dict)
    seen: dict[str, Seen] = field(default_factory=dict)
    after: dict[str, dict[evidence.Key, evidence.Object]] = field(default_factory=dict)
    writes: dict[str, list[str]] = field(default_factory=dict)
    _walking: tuple[str, Witness] | None = None

    def play(self, name: str, playbook: str, *words: str) -> Run:
        """One of our playbooks on the cluster, and which writes the API server saw of it."""
        began = time.time()
        run = self.runs[name] = self.lab.run(playbook, {HOST: self.lab.host(self.cluster)}, *words, variables=QUIET)
        time.sleep(0.5)  # the audit log is written after the answer
        made = [call for call in evidence.calls(self.cluster, began, UPGRADER) if call.write]
        self.writes[name] = [evidence.told(call) for call in made]
        return run

    def climb(self, rung: str) -> None:
        """To one rung, and no further."""
        folder = self.lab.folder()
        times = {name.removeprefix("wge_"): value for name, value in {**FAST, **QUIET}.items()}
        options = {
            **times,
            "kubeconfig": str(self.lab.identity(self.cluster)),
            "cluster_uid": self.cluster.uid,
            "chart": str(self.lab.bed.paths.charts / "mccp"),
            "entitlement_public_keys": self.lab.public_keys,
            "helm": str(self.lab.bed.paths.helm),
            "entry_urls": [self.cluster.entry_url],
            "archive_dir": str(folder / "archive"),
            "state": rung,
        }
        run = self.lab.run(calls(folder, climb={"weaveworks.wge.wge_upgrade": options}), {HOST: self.lab.host(self.cluster)})
        assert run.rc == 0, run.text[-3000:]
        self.climbs[rung] = results(folder, HOST)["climb"]

    def leg(self, name: str) -> None:
        """From here on what is lost counts for this leg; its witness is at work before the one of the last leg goes."""
        folder = self.lab.root / "witness" / name.replace(" ", "-")
        first = str(PORTS[PORTS_OF_A_LEG * LEGS.index(name)])
        witness = Witness(self.cluster, folder, (WG_SERVICE,), 10.5, "--ports-from", first, "--renewal", "1")
        wait_until("the witness at work", witness.ready, 60)
        self.rest()
        self._walking = (name, witness)

    def rest(self) -> None:
        """The leg is over."""
        if self._walking:
            name, witness = self._walking
            self.seen[name], self._walking = witness.stop(time.time()), None

    def ours(self, name: str) -> list[str]:
        """What is left of us after a run, but for the journals."""
        words = ("wge.weave.works", "wge-", "weave-gitops-enterprise")
        marked = {key: item["metadata"] for key, item in self.after[name].items()}
        credentials = "weave-gitops-enterprise-credentials"  # somebody else's, put there before
        return [f"{key[1]} {key[3]}" for key, meta in marked.items() if key[3] != credentials and any(word in str(meta) for word in words)]


@pytest.fixture(scope="module")
def ways(lab: Lab) -> Iterator[Ways]:
    """Up to each rung and back, then to the end, and back from there out of the archive."""
    found = Ways(lab, lab.cluster(HOST))
    found.before, found.services = evidence.lasting(found.cluster), evidence.services(found.cluster)
    recorded = str(lab.root / "way-back-before.json")
    found.play("record", "verify", "-e", f"wge_verify_record_to={recorded}")
    for rung in RUNGS:
        found.leg(f"up to {rung}")
        found.climb(rung)
        if rung == "parked":
            found.play("preview back", "rollback", "--check", "--diff")
        found.leg(f"back from {rung}")
        found.play(rung, "rollback")
        found.after[rung] = evidence.lasting(found.cluster)
    found.play("again back", "rollback")
    _to_the_end(found, recorded)
    yield found


def _to_the_end(ways: Ways, recorded: str) -> None:
    ways.leg("upgrade")
    ways.play("upgrade", "upgrade")
    ways.play("early", "finalise")
    ways.play("preview", "finalise", "--check", "--diff", "-e", "wge_retention_days=0")
    ways.leg("finalise")
    ways.play("finalise", "finalise", "-e", "wge_retention_days=0")
    ways.play("again", "finalise", "-e", "wge_retention_days=0")
    ways.play("upgrade again", "upgrade")
    ways.play("verify", "verify", "-v", "-e", f"wge_verify_compare_with={recorded}")
    archive = Path(ways.runs["upgrade"].cluster(HOST)["archive"])
    elsewhere = archive.rename(ways.lab.folder() / archive.name)
    ways.play("without archive", "rollback")
    ways.after["end"] = evidence.lasting(ways.cluster)
    ways.leg(ARCHIVE)
    ways.play(ARCHIVE, "rollback", "-e", f"wge_archive={elsewhere}")
    ways.rest()
    ways.after[ARCHIVE] = evidence.lasting(ways.cluster)


def entry(ways: Ways, name: str) -> dict[str, Any]:
    """What the report of a run says of the cluster."""
    return ways.runs[name].cluster(HOST)


@pytest.mark.parametrize("rung", RUNGS)
def test_from_each_rung_it_ends_rolled_back(ways: Ways, rung: str) -> None:
    assert (ways.climbs[rung]["verdict"], ways.climbs[rung]["rung"]) == ("upgraded", rung)
    assert ways.runs[rung].rc == 0, ways.runs[rung].text[-3000:]
    assert (entry(ways, rung)["verdict"], entry(ways, rung)["rung"]) == ("rolled_back", "rolled_back")
    assert "1 cluster rolled back" in ways.runs[rung].plain


@pytest.mark.parametrize("leg", LEGS)
def test_nobody_loses_a_request(ways: Ways, leg: str, record_property: Recorder) -> None:
    seen = ways.seen[leg]
    record_property("requests", seen.requests)
    record_property("lost", seen.lost)
    assert seen.requests > 200
    assert seen.losses == []
    replay = seen.endpoints[WG_SERVICE]
    assert (replay.gaps, replay.ready_at_end) == (0, True)


@pytest.mark.parametrize("rung", RUNGS)
def test_every_object_is_what_it_was(ways: Ways, rung: str) -> None:
    assert ways.after[rung] == ways.before
    assert ways.ours(rung) == []


@pytest.mark.parametrize(("way", "goal"), GOALS.items())
def test_it_is_said_how_soon_wg_served_again(ways: Ways, way: str, goal: int, record_property: Recorder) -> None:
    seconds = entry(ways, way)["seconds"]
    record_property("seconds to traffic on WG", seconds["traffic_on_wg"])
    record_property("goal", goal)
    assert 0 < seconds["traffic_on_wg"] <= seconds["rolled_back"]


def test_a_preview_shows_the_way_back_and_writes_nothing(ways: Ways) -> None:
    run = ways.runs["preview back"]
    assert (run.rc, ways.writes["preview back"]) == (0, []), run.text[-3000:]
    for words in (f"take back: flip Service {WG_SERVICE} to WGE", "helm uninstall weave-gitops-enterprise", "take back: park revision"):
        assert words in run.plain


def test_rolling_back_again_writes_nothing(ways: Ways) -> None:
    assert (ways.runs["again back"].rc, ways.writes["again back"]) == (0, [])


def test_before_its_time_nothing_is_removed_and_it_is_said_when_it_may(ways: Ways) -> None:
    run = ways.runs["early"]
    assert run.rc != 0
    assert ways.writes["early"] == []
    assert f"{HOST}: blocked. WG was parked on" in run.plain and "it may be removed from" in run.plain


def test_the_end_is_previewed(ways: Ways) -> None:
    run = ways.runs["preview"]
    assert (run.rc, ways.writes["preview"]) == (0, []), run.text[-3000:]
    assert f"delete Deployment {NAMESPACE}/{WG_SERVICE}" in run.plain


def test_wg_goes_and_its_services_routes_and_logins_stay(ways: Ways) -> None:
    run = ways.runs["finalise"]
    assert run.rc == 0, run.text[-3000:]
    assert (entry(ways, "finalise")["verdict"], entry(ways, "finalise")["rung"]) == ("finalised", "finalised")
    names = {(key[1], key[3]) for key in ways.after["end"]}
    assert not {("Deployment", WG_SERVICE), ("ServiceAccount", WG_SERVICE), ("NetworkPolicy", "allow-dashboard-ingress")} & names
    assert {("Service", WG_SERVICE), ("Secret", "cluster-user-auth"), ("ClusterRole", "wego-admin-cluster-role")} <= names
    assert not [name for kind, name in names if kind == "Lease" and name == "wge-upgrade"]
    kept = ways.after["end"]["/api/v1", "Service", NAMESPACE, WG_SERVICE]
    assert kept["metadata"]["uid"] == ways.services[WG_SERVICE]["uid"]


def test_every_object_that_stays_has_an_owner(ways: Ways) -> None:
    owners = {entry["object"]: entry["owner"] for entry in entry(ways, "finalise")["owners"]}
    assert owners[f"Service {NAMESPACE}/{WG_SERVICE}"].startswith("you")
    assert owners[f"Deployment {NAMESPACE}/weave-gitops-enterprise-mccp-cluster-service"] == "Helm release weave-gitops-enterprise"


def test_finalising_again_writes_nothing(ways: Ways) -> None:
    assert (ways.runs["again"].rc, ways.writes["again"]) == (0, []), ways.runs["again"].text[-3000:]
    assert entry(ways, "again")["verdict"] == "already"


def test_an_upgrade_of_a_finalised_cluster_finds_it_upgraded(ways: Ways) -> None:
    assert (ways.runs["upgrade again"].rc, ways.writes["upgrade again"]) == (0, []), ways.runs["upgrade again"].text[-3000:]
    assert (entry(ways, "upgrade again")["verdict"], entry(ways, "upgrade again")["rung"]) == ("already", "finalised")


def test_a_finalised_cluster_is_verified(ways: Ways) -> None:
    run = ways.runs["verify"]
    assert ways.runs["record"].rc == 0, ways.runs["record"].text[-3000:]
    assert run.rc == 0, run.text[-3000:]
    assert "WGE 0.38.1 serves" in run.plain and "compared with WG 0.38.0, 20" in run.plain and "; 0 differences." in run.plain
    assert "rung: finalised" in run.plain and "verdict: verified" in run.plain
    assert not [call for call in ways.writes["verify"] if "/proxy/" not in call]


def test_back_from_the_end_the_archive_is_asked_for_by_its_name(ways: Ways) -> None:
    run = ways.runs["without archive"]
    assert run.rc != 0
    assert ways.writes["without archive"] == []
    assert f"{HOST}: blocked. WG was removed from this cluster, so going back needs the archive of run" in run.plain
    assert "wge_archive" in run.plain


def test_out_of_the_archive_every_object_is_what_it_was_but_for_uids(ways: Ways) -> None:
    run = ways.runs[ARCHIVE]
    assert run.rc == 0, run.text[-3000:]
    assert entry(ways, ARCHIVE)["verdict"] == "rolled_back"
    now, before = ways.after[ARCHIVE], ways.before
    assert now.keys() == before.keys()
    assert {key: _anew(item) for key, item in now.items()} == {key: _anew(item) for key, item in before.items()}
    assert evidence.services(ways.cluster) == ways.services
    assert ways.ours(ARCHIVE) == []


def _anew(item: evidence.Object) -> evidence.Object:
    """Without what nobody can choose of an object that is created again."""
    return {**item, "metadata": {key: value for key, value in item["metadata"].items() if key not in ("uid", "creationTimestamp")}}
