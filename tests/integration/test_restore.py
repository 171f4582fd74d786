# SPDX-License-Identifier: GPL-3.0-or-later
"""WG and all its objects are archived, deleted, and put back: it serves again at its old addresses. No byte of a Secret is shown."""

from __future__ import annotations

import base64
import json
import signal
import time
import urllib.request
import uuid
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
import yaml
from chaos.gate import Gate, Trap
from chaos.points import MIDDLE, Point, Sent
from testbed import Cluster, wait_until
from witness.access import Access

from integration import evidence
from integration.lab import NAMESPACE, WG_SERVICE, Lab, Run
from integration.processes import system

CANARY = "canary-in-a-secret-4b1d"
RELEASE = "ww-gitops"
LOUD = "-vvvv"
SERVICES = f"/api/v1/namespaces/{NAMESPACE}/services"
SECRETS = f"/api/v1/namespaces/{NAMESPACE}/secrets"
DEPLOYMENT = f"/apis/apps/v1/namespaces/{NAMESPACE}/deployments/{WG_SERVICE}"
IN_THE_MIDDLE = Point(Sent("wge", "create", f"services/{WG_SERVICE}"), MIDDLE)
OURS = ("uid", "creationTimestamp", "managedFields", "resourceVersion", "generation")


@dataclass
class Round:
    """One cluster, what WG was on it, and every run."""

    lab: Lab
    cluster: Cluster
    folder: Path
    archive: str = ""
    before: dict[str, Any] = field(default_factory=dict)
    after: dict[str, Any] = field(default_factory=dict)
    runs: dict[str, Run] = field(default_factory=dict)
    writes: dict[str, list[str]] = field(default_factory=dict)
    uids: dict[str, str] = field(default_factory=dict)
    half: dict[str, Any] = field(default_factory=dict)
    finished: dict[str, Any] = field(default_factory=dict)
    served: str = ""
    served_again: str = ""
    _paths: list[str] = field(default_factory=list)

    def run(self, name: str, playbook: str | Path, *words: str, mark: str = "", **variables: Any) -> Run:
        """A playbook as somebody runs it who wants to see all, with the vault's password."""
        more = {"wge_archive": self.archive, "wge_lock_seconds": 15, **variables}
        began = time.time()
        host = {self.cluster.name: self.lab.host(self.cluster)}
        loud = (LOUD, "--diff", "--vault-id", f"prod@{self.folder / 'password'}")
        run = self.lab.run(playbook, host, *loud, *words, variables=more, environment={system.MARK: mark})
        self.runs[name] = run
        self.writes[name] = [f"{call.verb} {call.uri}" for call in evidence.calls(self.cluster, began) if call.write]
        return run

    def kill(self) -> None:
        """A restore all of whose processes are killed while one of its writes is being answered."""
        gate, mark = Gate(self.lab.relays, Access.from_kubeconfig(self.lab.identity(self.cluster))), uuid.uuid4().hex
        config = gate.write_kubeconfig(self.folder / "gate.kubeconfig", self.cluster.name)
        gate.begin(Trap(IN_THE_MIDDLE, lambda: system.kill(mark)))
        self.run("killed", "restore", "-e", f"wge_kubeconfig={config}", mark=mark)

    def export(self) -> str:
        """Archive it; where the archive is."""
        playbook = self.folder / "export.yml"
        task = {
            "name": "Export",
            "weaveworks.wge.wge_state_export": {
                "kubeconfig": "{{ wge_kubeconfig }}",
                "archive_dir": str(self.folder / "archives"),
                "vault_id": "prod",
            },
        }
        playbook.write_text(yaml.safe_dump([{"hosts": "fleet", "gather_facts": False, "tasks": [task]}]))
        run = self.run("export", playbook)
        assert run.rc == 0, run.text[-3000:]
        (path,) = (self.folder / "archives").iterdir()
        return str(path)

    def objects(self) -> dict[str, Any]:
        """WG's objects as they are stored, but for what nobody can choose."""
        found = {}
        for path in self.paths():
            item = self.cluster.api().find(path)
            found[path] = item and lasting(item)
        return found

    def paths(self) -> list[str]:
        """Where WG's objects lie, its release's revisions among them."""
        if not self._paths:
            api = self.cluster.api()
            kinds = {f"{place}/{row['name']}": row for place in groups(api) for row in api.get(place)["resources"] if usable(row)}
            self._paths = sorted(
                f"{collection(place, item)}/{item['metadata']['name']}"
                for place in kinds
                for item in api.get(place)["items"]
                if belongs(item)
            )
            api.close()
        return self._paths

    def delete(self) -> None:
        """Somebody deletes WG and everything that belongs to it."""
        api = self.cluster.api()
        for path in self.paths():
            api.delete(path)
        pods = f"/api/v1/namespaces/{NAMESPACE}/pods?labelSelector=app.kubernetes.io%2Finstance%3D{RELEASE}"
        wait_until("WG's pods to go", lambda: not api.get(pods)["items"], 60)
        wait_until("WG's objects to go", lambda: not any(api.find(path) for path in self.paths()), 30)
        api.close()

    def serve(self) -> str:
        """What the dashboard's old address answers, once WG is ready again."""

        def page() -> str:
            try:
                with urllib.request.urlopen(self.cluster.entry_url, timeout=5) as answer:
                    return str(answer.read().decode())
            except OSError:
                return ""

        return str(wait_until("WG to serve", page, 60))


def lasting(item: Any) -> Any:
    """An object without status, and without what the API server and its controllers count."""
    metadata = {key: value for key, value in item["metadata"].items() if key not in OURS}
    if "annotations" in metadata:
        metadata["annotations"].pop("deployment.kubernetes.io/revision", None)
    return {**item, "metadata": metadata, "status": None}


def groups(api: Any) -> list[str]:
    """The API's versions."""
    return ["/api/v1", *(f"/apis/{group['preferredVersion']['groupVersion']}" for group in api.get("/apis")["groups"])]


def usable(row: Any) -> bool:
    return "/" not in row["name"] and {"list", "delete"} <= set(row["verbs"])


def belongs(item: Any) -> bool:
    meta = item["metadata"]
    if meta.get("ownerReferences"):  # a ReplicaSet: its Deployment makes it
        return False
    labels, annotations = meta.get("labels") or {}, meta.get("annotations") or {}
    revision = labels.get("owner") == "helm" and labels.get("name") == RELEASE
    return revision or annotations.get("meta.helm.sh/release-name") == RELEASE


def collection(place: str, item: Any) -> str:
    root, _, plural = place.rpartition("/")
    namespace = item["metadata"].get("namespace")
    return f"{root}/namespaces/{namespace}/{plural}" if namespace else place


@pytest.fixture(scope="module")
def told(lab: Lab, tmp_path_factory: pytest.TempPathFactory) -> Round:
    """The whole story, told once."""
    folder = tmp_path_factory.mktemp("restore")
    (folder / "password").write_text("the vault's password")
    found = Round(lab, lab.cluster("restored"), folder)
    api = found.cluster.api()
    encoded = base64.b64encode(CANARY.encode()).decode()
    api.patch(f"{SECRETS}/cluster-user-auth", {"data": {"planted": encoded}, "metadata": {"annotations": {"planted": "yes"}}})
    found.archive = found.export()
    found.before = found.objects()
    found.delete()
    found.run("plan", "restore", "--check")
    held = {"apiVersion": "v1", "kind": "Service", "metadata": {"name": "thief"}}
    address = found.before[f"{SERVICES}/{WG_SERVICE}"]["spec"]["clusterIP"]
    api.create("/api/v1/namespaces/default/services", {**held, "spec": {"clusterIP": address, "ports": [{"port": 1}]}})
    found.run("taken", "restore")
    api.delete("/api/v1/namespaces/default/services/thief")
    found.run("restore", "restore")
    found.after = found.objects()
    found.uids = {path: api.get(path)["metadata"]["uid"] for path in found.before}
    found.served = found.serve()
    found.run("again", "restore")
    replicas = [{"op": "replace", "path": "/spec/replicas", "value": 2}]
    api.patch(f"{DEPLOYMENT}?fieldManager=somebody", replicas, "application/json-patch+json")
    data = {"data": {"planted": base64.b64encode(f"{CANARY}-changed".encode()).decode()}}
    api.patch(f"{SECRETS}/cluster-user-auth?fieldManager=somebody", data)
    found.run("changed", "restore")
    found.run("overwrite", "restore", wge_restore_overwrite=True)
    found.run("at last", "restore")
    found.delete()
    found.kill()
    found.half = found.objects()
    found.run("finished", "restore")
    found.finished = found.objects()
    found.served_again = found.serve()
    api.close()
    return found


@pytest.mark.parametrize("name", ["restore", "finished"])
def test_everything_is_there_again_byte_for_byte(told: Round, name: str) -> None:
    assert told.runs[name].rc == 0, told.runs[name].text[-4000:]
    assert len(told.before) > 8 and None not in told.before.values()
    found = {"restore": told.after, "finished": told.finished}[name]
    for path, item in told.before.items():
        assert json.dumps(found[path], sort_keys=True) == json.dumps(item, sort_keys=True), path


def test_wg_serves_again_at_its_old_address(told: Round) -> None:
    assert told.served
    before, after = (state[f"{SERVICES}/{WG_SERVICE}"]["spec"] for state in (told.before, told.after))
    assert before["clusterIP"] == after["clusterIP"] and after["clusterIP"] != "None"
    assert [port["nodePort"] for port in before["ports"]] == [port["nodePort"] for port in after["ports"]]


def test_it_says_that_uids_are_new(told: Round) -> None:
    plain = told.runs["restore"].plain + told.runs["restore"].stderr
    assert "the uid, the resource version and the creation time are new, which Kubernetes lets nobody choose" in " ".join(plain.split())
    assert "uid_before" in told.runs["restore"].text


def test_it_says_of_each_object_what_could_not_be_kept(told: Round) -> None:
    """Every object that was created is named with the uid it had and the one it has; a Service with what it kept of its addresses."""
    answer = evidence.result(told.runs["restore"], "restore : Put the archive back")
    plan, rows = answer["plan"], answer["identity"]
    assert {row["path"] for row in rows} == {row["path"] for row in plan if row["action"] == "create"} >= set(told.before)
    for row in rows:
        assert row["uid"] != row["uid_before"], row
        assert row["uid"] == told.uids.get(row["path"], row["uid"]), row
    (service,) = [row for row in rows if row["path"] == f"{SERVICES}/{WG_SERVICE}"]
    spec = told.before[service["path"]]["spec"]
    ports = [f"nodePort {port['nodePort']}" for port in spec["ports"]]
    assert (service["kept"], service["lost"]) == ([f"ClusterIP {spec['clusterIP']}", *ports], [])


def test_a_restore_that_is_killed_in_its_middle_is_brought_to_its_end_by_the_next(told: Round) -> None:
    assert told.runs["killed"].rc == -signal.SIGKILL
    assert {None} < {item and "there" for item in told.half.values()}, "it was not killed in its middle"
    assert told.served_again
    calls = [call.split("?")[0] for name in ("killed", "finished") for call in told.writes[name] if "/leases" not in call]
    created = [call for call in calls if call.startswith("create ")]
    assert len(created) == len(told.before), "each object is created once"
    touched = {" ".join(call.split()[:2]) for call in calls if call not in created}
    assert touched <= {f"patch {path}" for path in told.before}, "who takes a dead run's lock touches what its late requests could change"


def test_helm_finds_its_release(told: Round) -> None:
    revisions = [path for path in told.after if "/secrets/sh.helm.release.v1." in path]
    assert revisions and all(told.after[path]["metadata"]["labels"]["owner"] == "helm" for path in revisions)
    last = [call for call in told.writes["restore"] if "/leases" not in call][-1]
    assert last.split("?")[0] == f"create {SECRETS}"


def test_the_plan_writes_nothing(told: Round) -> None:
    assert told.runs["plan"].rc == 0, told.runs["plan"].text[-4000:]
    assert told.writes["plan"] == [] and "planned" in told.runs["plan"].stdout


def test_who_holds_the_address_is_named_and_nothing_written(told: Round) -> None:
    run = told.runs["taken"]
    assert run.rc != 0 and told.writes["taken"] == []
    address = told.before[f"{SERVICES}/{WG_SERVICE}"]["spec"]["clusterIP"]
    assert f"cannot have its ClusterIP {address} back, which Service thief in namespace default holds" in run.plain


def test_a_second_run_writes_nothing(told: Round) -> None:
    assert told.runs["again"].rc == 0, told.runs["again"].text[-4000:]
    assert told.writes["again"] == [] and told.runs["again"].recap[told.cluster.name]["changed"] == 0


def test_what_somebody_changed_is_refused_and_named(told: Round) -> None:
    run = told.runs["changed"]
    assert run.rc != 0 and told.writes["changed"] == []
    assert "was changed after the archive was made, by somebody at " in run.plain


def test_it_is_put_back_when_told_and_then_all_is_as_it_was(told: Round) -> None:
    assert told.runs["overwrite"].rc == 0, told.runs["overwrite"].text[-4000:]
    changed = [call for call in told.writes["overwrite"] if "/leases" not in call]
    assert len(changed) == 2 and all(call.startswith("patch ") for call in changed)
    assert told.runs["at last"].rc == 0 and told.writes["at last"] == []


def test_no_run_shows_a_byte_of_a_secret(told: Round) -> None:
    words = (CANARY, base64.b64encode(CANARY.encode()).decode().rstrip("=")[:-2])
    for name, run in told.runs.items():
        assert not [word for word in words if word in run.text], name
        for path in run.folder.rglob("*"):
            assert not path.is_file() or not [word for word in words if word.encode() in path.read_bytes()], path


def test_nothing_in_the_archive_shows_one(told: Round) -> None:
    for path in Path(told.archive).rglob("*"):
        assert not path.is_file() or CANARY.encode() not in path.read_bytes()
