# SPDX-License-Identifier: GPL-3.0-or-later
"""Somebody else at work on a cluster while it is upgraded, under the witness's load.

Told once, on one cluster: each run begins where the one before it ended, so that going on is shown too.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from chaos.gate import Gate, Trap
from chaos.points import AFTER, Point, Sent
from testbed import Cluster, ClusterError, entitlement, wait_until, workloads
from testbed.api import ApiError
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
JSON_PATCH = "application/json-patch+json"
LEASE = f"/apis/coordination.k8s.io/v1/namespaces/{NAMESPACE}/leases/wge-upgrade"
TAKING_THE_LOCK = Point(Sent("wge", "create", "leases/wge-upgrade"), AFTER)
Act = Callable[[], object]


@dataclass
class Meddled:
    """The cluster, the runs on it, and what was seen of each."""

    lab: Lab
    cluster: Cluster
    gate: Gate
    host: str = HOST
    more: dict[str, Any] = field(default_factory=dict)
    runs: dict[str, Run] = field(default_factory=dict)
    seen: dict[str, Seen] = field(default_factory=dict)
    leads_to: dict[str, str] = field(default_factory=dict)
    before: dict[evidence.Key, evidence.Object] = field(default_factory=dict)
    after: dict[str, dict[evidence.Key, evidence.Object]] = field(default_factory=dict)
    words: dict[str, str] = field(default_factory=dict)
    moments: dict[str, float] = field(default_factory=dict)
    old: dict[str, Any] = field(default_factory=dict)
    services: dict[str, Any] = field(default_factory=dict)

    def play(self, name: str, playbook: str = "upgrade", act: Act | None = None, **variables: Any) -> Run:
        """A run under load, in whose soak somebody acts."""
        config = self.gate.write_kubeconfig(self.lab.root / f"{self.host}.kubeconfig", self.host)
        host = {**self.lab.host(self.cluster, **self.more), "wge_kubeconfig": str(config)}
        witness = Witness(self.cluster, self.lab.root / self.host / name.replace(" ", "-"), (WG_SERVICE,), 10.5)
        wait_until("the witness at work", witness.ready, 60)
        run = self.lab.start(playbook, {self.host: host}, variables={"wge_soak_seconds": SOAK, "wge_lock_seconds": 15, **variables})
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

    def tries(self, name: str, act: Act) -> None:
        """Somebody does something, and is told no or is not."""
        self.moments[name] = time.time()
        try:
            act()
            self.words[name] = "done"
        except (ApiError, ClusterError) as problem:
            self.words[name] = str(problem)
        time.sleep(1)

    def lost(self, name: str, since: str, until: str = "") -> int:
        """How many requests of a run were lost between two moments."""
        end = self.moments[until] if until else time.time()
        began = [datetime.fromisoformat(loss["at"]).timestamp() for one in self.seen[name].streams for loss in one["losses"]]
        return sum(self.moments[since] <= at < end for at in began)

    def entry(self, name: str) -> dict[str, Any]:
        """What the report says."""
        return self.runs[name].cluster(self.host)


def _soaks(run: Run) -> bool:
    """Whether the run file says that the soak has begun."""
    lines = [line for path in run.reports.glob("*.jsonl") for line in path.read_text(encoding="utf-8").splitlines()]
    return any(record.get("step") == "S14" for record in map(json.loads, filter(_whole, lines)))


def _whole(line: str) -> bool:
    return line.endswith("}")


def tell(lab: Lab) -> Meddled:
    """All runs, in order."""
    cluster = lab.cluster(HOST)
    found = Meddled(lab, cluster, Gate(lab.relays, Access.from_kubeconfig(lab.identity(cluster))))
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
    """The old manifest comes back by every way there is: first the guard undoes it, then a policy refuses it."""
    spec = told.cluster.api().get(SERVICE)["spec"]
    told.old = {"selector": spec["selector"], "ports": spec["ports"]}
    told.play("taken back", act=lambda: _bring_back(told, "put back", helm="helm, shown the release again"))
    told.play("policy", act=lambda: _bring_back(told, "refused", helm="helm, refused"), wge_guard="policy")
    told.after["policy"] = evidence.lasting(told.cluster)
    _helm(told, "repair")  # the revision that the policy let fail


def _bring_back(told: Meddled, word: str, *, helm: str) -> None:
    api, old = told.cluster.api(), {"spec": told.old}
    replace = [{"op": "replace", "path": f"/spec/{key}", "value": value} for key, value in told.old.items()]
    told.tries(f"apply, {word}", lambda: api.patch(f"{SERVICE}?fieldManager=kubectl-client-side-apply", old))
    told.tries(f"replace, {word}", lambda: api.patch(f"{SERVICE}?fieldManager=kubectl-replace", replace, JSON_PATCH))
    if word == "refused":
        told.tries("delete, refused", lambda: api.delete(SERVICE))
        told.tries("delete of all, refused", lambda: api.delete(f"{SERVICE.rsplit('/', 1)[0]}?fieldSelector=metadata.name%3D{WG_SERVICE}"))
    told.moments[helm] = time.time()
    _helm_all_the_same(told, helm)


def _helm_all_the_same(told: Meddled, name: str) -> None:
    """Somebody sees that helm no longer finds the release, makes its revision visible and goes on."""
    for item in told.cluster.api().get(f"{SECRETS}?labelSelector=owner%3Dwge-parked")["items"]:
        told.cluster.api().patch(f"{SECRETS}/{item['metadata']['name']}", {"metadata": {"labels": {"owner": "helm"}}})
    _helm(told, name)


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
    assert f"{told.host}: {entry['verdict']}. {sentence}" in told.runs[name].plain
    assert "Traceback" not in told.runs[name].text
    assert "\n" not in sentence and len(sentence) < 400
    return sentence
