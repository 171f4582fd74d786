# SPDX-License-Identifier: GPL-3.0-or-later
"""Somebody else is at work on the cluster while it is upgraded: one sentence says what happened, and nothing is lost.

Told once, on one cluster, under the witness's load: each run begins where the one before it ended, so that going on is shown too.
"""

from __future__ import annotations

import json
import re
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import pytest
from chaos.gate import Gate, Trap
from chaos.points import AFTER, Point, Sent
from testbed import Cluster, ClusterError, entitlement, wait_until, workloads
from witness.access import Access

from integration import evidence
from integration.lab import NAMESPACE, WG_SERVICE, Lab, Run
from integration.witness import Seen, Witness

HOST = "m1"
SOAK = 8
"""Seconds; somebody acts in the middle of them."""
SERVICE = f"/api/v1/namespaces/{NAMESPACE}/services/{WG_SERVICE}"
DEPLOYMENT = f"{workloads.DEPLOYMENTS}/{WG_SERVICE}"
SECRETS = f"/api/v1/namespaces/{NAMESPACE}/secrets"
LEASE = f"/apis/coordination.k8s.io/v1/namespaces/{NAMESPACE}/leases/wge-upgrade"
TAKING_THE_LOCK = Point(Sent("wge", "create", "leases/wge-upgrade"), AFTER)
Act = Callable[[], object]
Recorder = Callable[[str, object], None]


@dataclass
class Meddled:
    """The cluster, the runs on it, and what was seen of each."""

    lab: Lab
    cluster: Cluster
    gate: Gate
    runs: dict[str, Run] = field(default_factory=dict)
    seen: dict[str, Seen] = field(default_factory=dict)
    leads_to: dict[str, str] = field(default_factory=dict)
    before: dict[evidence.Key, evidence.Object] = field(default_factory=dict)
    after: dict[str, dict[evidence.Key, evidence.Object]] = field(default_factory=dict)
    words: dict[str, str] = field(default_factory=dict)

    def play(self, name: str, playbook: str = "upgrade", act: Act | None = None, **variables: Any) -> Run:
        """A run under load, in whose soak somebody acts."""
        config = self.gate.write_kubeconfig(self.lab.root / "meddled.kubeconfig", HOST)
        host = {**self.lab.host(self.cluster), "wge_kubeconfig": str(config)}
        witness = Witness(self.cluster, self.lab.root / "meddled" / name.replace(" ", "-"), (WG_SERVICE,), 10.5)
        wait_until("the witness at work", witness.ready, 60)
        run = self.lab.start(playbook, {HOST: host}, variables={"wge_soak_seconds": SOAK, "wge_lock_seconds": 15, **variables})
        if act:
            wait_until(f"the soak of: {name}", lambda: _soaks(run) or run.process.poll() is not None, 120)
            time.sleep(1)
            act()
        self.runs[name] = run.wait()
        self.seen[name] = witness.stop(time.time())
        self.leads_to[name] = evidence.leads_to(self.cluster)
        return run

    def journal(self) -> Any:
        """The one of the run that is open."""
        items = self.cluster.api().get(f"{SECRETS}?labelSelector=wge.weave.works%2Fjournal%3Dopen")["items"]
        return items[0]

    def entry(self, name: str) -> dict[str, Any]:
        """What the report says."""
        return self.runs[name].cluster(HOST)


def _soaks(run: Run) -> bool:
    """Whether the run file says that the soak has begun."""
    lines = [line for path in run.reports.glob("*.jsonl") for line in path.read_text(encoding="utf-8").splitlines()]
    return any(record.get("step") == "S14" for record in map(json.loads, filter(_whole, lines)))


def _whole(line: str) -> bool:
    return line.endswith("}")


@pytest.fixture(scope="module")
def told(lab: Lab) -> Meddled:
    cluster = lab.cluster(HOST)
    gate = Gate(lab.relays, Access.from_kubeconfig(lab.identity(cluster)))
    found = Meddled(lab, cluster, gate)
    found.before = evidence.lasting(cluster)
    _between_plan_and_apply(found)
    _in_the_soak(found)
    _without_what_we_need(found)
    return found


def _between_plan_and_apply(told: Meddled) -> None:
    """WG's Service gets another port while the lock is being taken: the plan has been made, and nothing is written yet."""
    api = told.cluster.api()
    live = api.get(SERVICE)["spec"]["ports"]

    def change() -> bool:
        told.cluster.api().patch(f"{SERVICE}?fieldManager=somebody", {"spec": {"ports": [*live, {**_plain(live[0]), "name": "more"}]}})
        return True

    told.gate.begin(Trap(TAKING_THE_LOCK, change))
    told.play("changed between plan and apply")
    told.after["changed between plan and apply"] = evidence.lasting(told.cluster)
    api.patch(SERVICE, {"spec": {"ports": live}})
    told.gate.begin()
    api.close()


def _plain(port: Any) -> Any:
    return {"port": 9002, "protocol": port["protocol"], "targetPort": port["targetPort"]}


def _in_the_soak(told: Meddled) -> None:
    old = told.cluster.api().get(SERVICE)
    manifest = {"spec": {"selector": old["spec"]["selector"], "ports": old["spec"]["ports"]}}
    told.play("apply", act=lambda: told.cluster.api().patch(f"{SERVICE}?fieldManager=kubectl-client-side-apply", manifest))
    told.after["apply"] = evidence.lasting(told.cluster)
    told.play("helm, shown the release again", act=lambda: _helm_all_the_same(told))


def _helm_all_the_same(told: Meddled) -> None:
    """Somebody sees that helm no longer finds the release, makes its revision visible and goes on."""
    name = f"sh.helm.release.v1.{workloads.RELEASE}.v1"
    told.cluster.api().patch(f"{SECRETS}/{name}", {"metadata": {"labels": {"owner": "helm"}}})
    _helm(told, "helm, shown the release again")


def _helm(told: Meddled, name: str, *words: str) -> None:
    """What a pipeline does that nobody has told."""
    chart, values = str(told.cluster.paths.bed.charts / "weave-gitops"), str(told.cluster.paths.root / "wg-values.json")
    command = ["upgrade", "--install", workloads.RELEASE, chart, "-n", NAMESPACE, "-f", values, *words]
    try:
        told.words[name] = workloads.helm(told.cluster, *command)
    except ClusterError as problem:
        told.words[name] = str(problem)


def _without_what_we_need(told: Meddled) -> None:
    api = told.cluster.api()
    told.play("lease deleted", act=lambda: told.cluster.api().delete(LEASE))

    def lose_the_entitlement() -> None:
        told.cluster.api().delete(f"{SECRETS}/{entitlement.SECRET_NAME}")
        _helm(told, "helm with force", "--force")

    told.play("entitlement deleted", act=lose_the_entitlement)
    told.play("back", "rollback")
    told.after["back"] = evidence.lasting(told.cluster)
    workloads.put_entitlement(api, told.cluster.paths.bed.entitlement.read_text(encoding="ascii"))
    kept: list[Any] = []

    def lose_the_journal() -> None:
        kept.append(told.journal())
        told.cluster.api().delete(f"{SECRETS}/{kept[0]['metadata']['name']}")

    (archive,) = told.play("journal deleted", act=lose_the_journal).archive.iterdir()
    told.play("without journal")
    told.play("back without journal", "rollback")
    told.play("restored", "restore", wge_archive=str(archive))
    meta = {key: kept[0]["metadata"][key] for key in ("name", "labels")}
    api.create(SECRETS, {"metadata": meta, "type": kept[0]["type"], "data": kept[0]["data"]})
    told.play("journal put back", act=lambda: _helm(told, "helm"))
    api.close()


def said(told: Meddled, name: str) -> str:
    """The one sentence about a run, which is on the terminal too."""
    entry = told.entry(name)
    sentence = str(entry["message"]).removesuffix(str(entry["next_step"])).strip()
    assert f"{HOST}: {entry['verdict']}. {sentence}" in told.runs[name].plain
    assert "Traceback" not in told.runs[name].text
    assert "\n" not in sentence and len(sentence) < 400
    return sentence


STOPPED = ["changed between plan and apply", "lease deleted", "journal deleted", "back without journal"]
TAKEN_BACK = ["apply", "helm, shown the release again"]
WENT_ON = ["entitlement deleted", "journal put back"]


@pytest.mark.parametrize("name", STOPPED)
def test_what_cannot_be_judged_is_a_safe_stop_with_a_next_step(told: Meddled, name: str) -> None:
    assert told.runs[name].rc != 0
    assert (told.entry(name)["verdict"], bool(told.entry(name)["next_step"])) == ("safe_stop", True)
    assert said(told, name)


@pytest.mark.parametrize("name", [*STOPPED, *WENT_ON, "without journal", "back", "restored"])
def test_no_request_is_lost(told: Meddled, name: str) -> None:
    seen = told.seen[name]
    assert seen.requests > 100
    assert (seen.losses, seen.endpoints[WG_SERVICE].gaps) == ([], 0)


def test_a_wg_that_was_changed_between_plan_and_apply_is_not_written_to(told: Meddled) -> None:
    name = "changed between plan and apply"
    assert said(told, name) == "The cluster has changed since the plan was made; nothing was written."
    service = ("/api/v1", "Service", NAMESPACE, WG_SERVICE)
    now, before = dict(told.after[name]), dict(told.before)
    assert len(now.pop(service)["spec"]["ports"]) == len(before.pop(service)["spec"]["ports"]) + 1
    assert now == before


@pytest.mark.parametrize("name", TAKEN_BACK)
def test_who_takes_the_services_back_has_the_upgrade_taken_back(told: Meddled, name: str, record_property: Recorder) -> None:
    assert told.entry(name)["verdict"] == "rolled_back"
    assert told.leads_to[name] == "WG"
    record_property("said", said(told, name))
    record_property("requests", told.seen[name].requests)
    record_property("lost", told.seen[name].lost)
    assert told.seen[name].endpoints[WG_SERVICE].ready_at_end


def test_an_apply_of_the_old_manifest_leaves_everything_as_it_was(told: Meddled) -> None:
    assert told.after["apply"] == told.before


@pytest.mark.parametrize(("helm", "name"), [("helm", "journal put back"), ("helm with force", "entitlement deleted")])
def test_a_helm_upgrade_is_refused_and_the_climb_goes_on(told: Meddled, helm: str, name: str) -> None:
    assert "Unable to continue with install" in told.words[helm]
    assert (told.entry(name)["verdict"], told.entry(name)["rung"]) == ("upgraded", "parked")
    assert told.leads_to[name] == "WGE"


def test_a_lost_lock_is_said_to_be_gone_and_the_next_run_goes_on(told: Meddled) -> None:
    assert said(told, "lease deleted") == "The lock of this cluster is gone."
    assert told.leads_to["lease deleted"] == "WGE"
    assert (told.entry("entitlement deleted")["verdict"], told.entry("entitlement deleted")["rung"]) == ("upgraded", "parked")


def test_a_lost_entitlement_is_told_and_the_way_back_is_open(told: Meddled) -> None:
    assert f"The Secret {entitlement.SECRET_NAME} in namespace {NAMESPACE} is gone" in told.runs["entitlement deleted"].stderr
    assert told.entry("back")["verdict"] == "rolled_back"
    gone = ("/api/v1", "Secret", NAMESPACE, entitlement.SECRET_NAME)
    assert {key for key in told.before if key not in told.after["back"]} == {gone}


def test_a_journal_that_is_deleted_in_the_soak_leaves_wg_running(told: Meddled) -> None:
    assert re.fullmatch(
        r"The journal of this upgrade \(wge-journal-\S+\) was deleted .*; WG was not parked\.", said(told, "journal deleted")
    )
    assert (told.entry("journal deleted")["rung"], told.leads_to["journal deleted"]) == ("soaked", "WGE")


def test_without_the_journal_nobody_guesses_and_traffic_stays(told: Meddled) -> None:
    assert "by an upgrade whose journal is gone." in said(told, "without journal")
    assert said(told, "back without journal").startswith("The journal of the upgrade is gone, while its marks are there: ")
    for name in ("without journal", "back without journal"):
        assert told.runs[name].rc != 0
        assert "wge-journal-" in told.entry(name)["next_step"]
        assert told.leads_to[name] == "WGE"


def test_the_archive_puts_wg_back_where_the_journal_is_lost(told: Meddled) -> None:
    run = told.runs["restored"]
    assert run.rc == 0, run.text[-3000:]
    assert told.leads_to["restored"] == "WG"
