# SPDX-License-Identifier: GPL-3.0-or-later
"""A word is planted in every Secret of a cluster, and no run that works with them shows one, whatever is asked of it.

Every playbook runs with -vvvv and --diff. All that it prints and writes is searched, its archive included, which is encrypted; and
while it is at work the command lines of its processes and the files that it leaves for a moment only.
"""

from __future__ import annotations

import base64
import uuid
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
import yaml
from ansible.parsing.vault import VaultLib, VaultSecret
from testbed import Cluster, wait_until, workloads

from integration import canaries, evidence
from integration.canaries import Canaries, Lookout
from integration.lab import NAMESPACE, WG_SERVICE, Lab, Run, Variables
from integration.processes import system

HOST = "canaries"
SHOP = "shop"
VAULT_ID = "prod"
PASSWORD = b"c4n4ry-that-opens-every-archive-of-this-fleet"
IN_VALUES = "c4n4ry-among-the-values-of-the-release"
AUTH = f"/api/v1/namespaces/{NAMESPACE}/secrets/cluster-user-auth"
PULL = f"/api/v1/namespaces/{NAMESPACE}/secrets/pull"
RUNS = (
    "verify before",
    "preflight",
    "export",
    "upgrade preview",
    "upgrade",
    "verify",
    "rollback preview",
    "rollback",
    "restore preview",
    "restore",
    "upgrade again",
    "finalise preview",
    "finalise",
    "verify finalised",
    "rollback out of the archive",
)


@dataclass
class Planted:
    """A cluster full of canaries, and every run on it."""

    lab: Lab
    cluster: Cluster
    canaries: Canaries
    archive: str = ""
    runs: dict[str, Run] = field(default_factory=dict)
    lookouts: dict[str, Lookout] = field(default_factory=dict)
    token: str = ""

    @property
    def password(self) -> Path:
        return self.lab.root / "canaries-password"

    @property
    def home(self) -> Path:
        return self.lab.root / "canaries-home"

    def run(self, name: str, playbook: str, *words: str, **variables: Any) -> Run:
        """As somebody runs it who wants to see all, and with somebody at the next desk who looks on."""
        mark = uuid.uuid4().hex
        host: Variables = {**self.lab.host(self.cluster), "wge_dashboard_token": self.token, "wge_archive_vault_id": VAULT_ID}
        vault = ("--vault-id", f"{VAULT_ID}@{self.password}")
        environment = {system.MARK: mark, "HOME": str(self.home)}
        run = self.lab.start(playbook, {HOST: host}, "-vvvv", "--diff", *vault, *words, variables=variables, environment=environment)
        lookout = self.lookouts[name] = Lookout(run, mark, self.canaries, self.home)
        lookout.start()
        try:
            self.runs[name] = run.wait()
        finally:
            lookout.end()
        assert run.rc == 0, run.text[-3000:]
        return run


def _furnish(cluster: Cluster) -> None:
    """Secrets of the kinds that clusters hold, some of them named by WG; and a value of WG's release that is one."""
    api = cluster.api()
    api.create("/api/v1/namespaces", {"metadata": {"name": SHOP}})
    encoded = base64.b64encode(b'{"auths": {"registry.example.org": {"auth": "bm9ib2R5"}}}').decode()
    pull = {"metadata": {"name": "pull"}, "type": "kubernetes.io/dockerconfigjson", "data": {".dockerconfigjson": encoded}}
    tls = {"tls.crt": base64.b64encode(b"none").decode(), "tls.key": base64.b64encode(b"none").decode()}
    api.create(f"/api/v1/namespaces/{NAMESPACE}/secrets", pull)
    api.create(f"/api/v1/namespaces/{SHOP}/secrets", pull)
    api.create(f"/api/v1/namespaces/{SHOP}/secrets", {"metadata": {"name": "tls"}, "type": "kubernetes.io/tls", "data": tls})
    api.create(f"/api/v1/namespaces/{SHOP}/secrets", {"metadata": {"name": "till"}})
    source = [{"name": "KEY", "valueFrom": {"secretKeyRef": {"name": "till", "key": canaries.PLANTED}}}]
    pod = {"containers": [{"name": "till", "image": "registry.example.org/shop/till:7", "env": source}]}
    labels = {"app": "till"}
    spec = {"replicas": 1, "selector": {"matchLabels": labels}, "template": {"metadata": {"labels": labels}, "spec": pod}}
    api.create(f"/apis/apps/v1/namespaces/{SHOP}/deployments", {"metadata": {"name": "till"}, "spec": spec})
    api.close()
    words = ["upgrade", workloads.RELEASE, str(cluster.paths.bed.charts / "weave-gitops"), "-n", NAMESPACE, "--reuse-values"]
    workloads.helm(cluster, *words, "--set", "imagePullSecrets[0].name=pull", "--set-string", f"smtp.password={IN_VALUES}")
    wait_until("WG's new pod", lambda: workloads.rolled_out(cluster, f"{workloads.DEPLOYMENTS}/{WG_SERVICE}"), 60)


def _known(lab: Lab, cluster: Cluster) -> Canaries:
    """What is planted, and the secrets that are there anyhow."""
    found = canaries.plant(cluster)
    config = yaml.safe_load(lab.identity(cluster).read_text(encoding="utf-8"))
    key = base64.b64decode(config["users"][0]["user"]["client-key-data"])
    api = cluster.api()
    entitlement = evidence.secret(api, "weave-gitops-enterprise-credentials", "entitlement")
    api.close()
    more = {
        "password hash": workloads.PASSWORD_HASH.encode(),
        "value of the release": IN_VALUES.encode(),
        "vault password": PASSWORD,
        "entitlement": entitlement[-60:],
        "client key": key.splitlines()[1],
    }
    return {**found, **{kind: canaries.forms(secret) for kind, secret in more.items()}}


@pytest.fixture(scope="module")
def told(lab: Lab) -> Planted:
    cluster = lab.cluster(HOST)
    _furnish(cluster)
    found = Planted(lab, cluster, _known(lab, cluster))
    found.token = cluster.service_account_token(NAMESPACE, "default")
    found.canaries["dashboard token"] = canaries.forms(found.token[-60:].encode())
    found.home.mkdir()
    found.password.write_bytes(PASSWORD)
    _there_and_back(found)
    _to_the_end_and_back(found)
    return found


def _there_and_back(told: Planted) -> None:
    recorded = str(told.lab.root / "canaries-before.json")
    told.run("verify before", "verify", wge_verify_record_to=recorded)
    told.run("preflight", "preflight")
    (path,) = told.run("export", "export").archive.iterdir()
    told.archive = str(path)
    told.run("upgrade preview", "upgrade", "--check")
    told.run("upgrade", "upgrade")
    told.run("verify", "verify", wge_verify_compare_with=recorded)
    told.run("rollback preview", "rollback", "--check")
    told.run("rollback", "rollback")
    api = told.cluster.api()
    word = b"c4n4ry-that-somebody-put-there-in-the-meantime"
    told.canaries["what was changed"] = canaries.forms(word)
    api.patch(f"{AUTH}?fieldManager=somebody", {"data": {canaries.PLANTED: base64.b64encode(word).decode()}})
    api.delete(PULL)
    api.close()
    told.run("restore preview", "restore", "--check", wge_archive=told.archive, wge_restore_overwrite=True)
    told.run("restore", "restore", wge_archive=told.archive, wge_restore_overwrite=True)


def _to_the_end_and_back(told: Planted) -> None:
    told.run("upgrade again", "upgrade")
    told.run("finalise preview", "finalise", "--check", wge_retention_days=0)
    told.run("finalise", "finalise", wge_retention_days=0)
    told.run("verify finalised", "verify")
    told.run("rollback out of the archive", "rollback", wge_archive=told.archive)


@pytest.mark.parametrize("name", RUNS)
def test_nothing_shows_a_byte_of_a_secret(told: Planted, name: str) -> None:
    assert told.lookouts[name].hits == set()


@pytest.mark.parametrize("name", RUNS)
def test_the_whole_run_was_looked_at(told: Planted, name: str) -> None:
    lookout = told.lookouts[name]
    assert any("ansible-playbook" in command for command in lookout.commands)
    assert {"stdout", "stderr"} <= {path.name for path in lookout.files}
    assert "-vvvv" in " ".join(lookout.commands)


def test_helms_command_lines_were_looked_at(told: Planted) -> None:
    for name in ("upgrade", "upgrade again", "rollback"):
        assert any(" install " in f" {command} " or " uninstall " in f" {command} " for command in told.lookouts[name].commands)


def test_the_canaries_are_in_every_secret_of_the_cluster(told: Planted) -> None:
    places = {kind.partition(" ")[2] for kind in told.canaries if kind.startswith("Secret ")}
    assert {f"{SHOP}/till", f"{SHOP}/tls", f"{SHOP}/pull", f"{NAMESPACE}/cluster-user-auth", f"{NAMESPACE}/pull"} <= places
    assert f"{NAMESPACE}/sh.helm.release.v1.{workloads.RELEASE}.v1" in places


def test_what_was_searched_for_is_in_the_archive_once_it_is_decrypted(told: Planted) -> None:
    vault = VaultLib([(VAULT_ID, VaultSecret(PASSWORD))])
    members = [path for path in Path(told.archive).glob("secrets/*") if path.is_file()]
    assert members
    plain = b"".join(vault.decrypt(path.read_bytes()) for path in members)
    found = canaries.found_in(plain, told.canaries)
    assert {f"Secret {NAMESPACE}/cluster-user-auth", f"Secret {NAMESPACE}/pull", "password hash"} <= found
    assert f"Secret {NAMESPACE}/sh.helm.release.v1.{workloads.RELEASE}.v2" in found


def test_a_word_is_found_in_every_form_in_which_it_could_be_shown() -> None:
    word = b"c4n4ry-in-some-form"
    for text in (b"a: " + word, b"x" + word + b"y", b"xy" + word, b"xyz" + word):
        once = base64.b64encode(text)
        twice = base64.b64encode(b'{"data": "' + once + b'"}')
        folded = twice[:40] + b"\n  " + twice[40:]
        known = {"word": canaries.forms(word)}
        assert [canaries.found_in(content, known) for content in (text, once, twice, folded)] == [{"word"}] * 4
