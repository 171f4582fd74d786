# SPDX-License-Identifier: GPL-3.0-or-later
"""What all integration tests share: one bed below a temporary folder, and ways to run our playbooks against it.

Every run gets a folder of its own with inventory, reports, archive and Ansible's temporary files, so that what a run left behind
can be looked at. Runs act as a user of their own (`UPGRADER`): the API server's audit log then tells their requests from ours.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import subprocess
import sys
import time
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

import yaml
from testbed import Bed, Cluster

from .relay import Relays

ROOT = Path(__file__).resolve().parents[2]
PLAYBOOKS = ROOT / "playbooks"
UPGRADER = "upgrader"
NAMESPACE = "flux-system"
WG_SERVICE = "ww-gitops-weave-gitops"
FAST: dict[str, Any] = {
    "wge_baseline_seconds": 1,
    "wge_rehearse_seconds": 1,
    "wge_verify_seconds": 2,
    "wge_soak_seconds": 2,
    "wge_quiet_seconds": 6,  # longer than the witness keeps a connection
    "wge_ready_seconds": 60,
}
"""Times for a bed on which nothing is far away."""
_RECAP = re.compile(r"^(\S+)\s+: (ok=.*)$", re.MULTILINE)
Variables = dict[str, Any]


@dataclass
class Run:
    """A playbook run: begun, or at its end."""

    folder: Path
    process: subprocess.Popen[str]
    began: float
    stdout: str = ""
    stderr: str = ""
    rc: int = -1
    more: dict[str, Any] = field(default_factory=dict)

    def wait(self, timeout: float = 400) -> Run:
        """Until it ends; a run that does not is killed with all its processes, and the test fails."""
        try:
            self.stdout, self.stderr = self.process.communicate(timeout=timeout)
        except subprocess.TimeoutExpired:
            os.killpg(self.process.pid, signal.SIGKILL)
            self.stdout, self.stderr = self.process.communicate()
            raise AssertionError(f"the run in {self.folder} did not end within {timeout:g} s:\n{self.text[-4000:]}") from None
        self.rc = self.process.returncode
        (self.folder / "stdout").write_text(self.stdout, encoding="utf-8")
        (self.folder / "stderr").write_text(self.stderr, encoding="utf-8")
        return self

    @property
    def text(self) -> str:
        """All that it printed."""
        return self.stdout + self.stderr

    @property
    def reports(self) -> Path:
        """The folder of run file and report."""
        return self.folder / "reports"

    @property
    def archive(self) -> Path:
        """Where the archives lie."""
        return self.folder / "archive"

    @cached_property
    def report(self) -> dict[str, Any]:
        """The one report it wrote."""
        (path,) = self.reports.glob("*.json")
        return dict(json.loads(path.read_text(encoding="utf-8")))

    def cluster(self, host: str) -> dict[str, Any]:
        """What the report says of one host."""
        return next(entry for entry in self.report["clusters"] if entry["host"] == host)

    @cached_property
    def recap(self) -> dict[str, dict[str, int]]:
        """The play recap: counts by host."""
        found = {}
        for host, words in _RECAP.findall(self.stdout):
            found[host] = {name: int(number) for name, number in (word.split("=") for word in words.split())}
        return found

    @cached_property
    def plain(self) -> str:
        """Standard output with all white space made one blank: sentences may be folded, or quoted as YAML or JSON wants it."""
        return " ".join(self.stdout.replace("''", "'").replace('\\"', '"').split())


class Lab:
    """The bed, and everything that runs against it."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.bed = Bed(root / "bed")
        self.relays = Relays()
        self.vault_password = root / "vault-password"
        """What an upgrade encrypts its archive with."""
        self.vault_password.write_text("the vault's password", encoding="ascii")
        self._runs = 0

    # -- clusters

    def clusters(
        self, *names: str, wg: str = "helm", chart: str = "weave-gitops", install: bool = False, ingress: bool = False
    ) -> list[Cluster]:
        """These clusters, begun when they are missing (a few at once is faster than one after another); `wg`: a way of the bed's installs.

        `install`: put WG onto those that were begun without. `ingress`: behind Traefik.
        """
        known = self.bed.clusters
        if install or not all(name in known and known[name].healthy() for name in names):
            Bed.up(self.bed.paths.root, clusters=list(names), wg=wg, chart=chart, ingress=ingress)
        return [self.bed.clusters[name] for name in names]

    def cluster(self, name: str, wg: str = "helm", chart: str = "weave-gitops") -> Cluster:
        """One cluster, begun when it is missing. Give it a name of your own when your test leaves it changed."""
        return self.clusters(name, wg=wg, chart=chart)[0]

    def end_clusters(self) -> None:
        """End all clusters; who wants one begins it anew."""
        if self.bed.clusters:
            self.bed.end()
            shutil.rmtree(self.root / "kubeconfigs", ignore_errors=True)

    def close(self) -> None:
        """End what was started."""
        self.relays.close()
        self.bed.down()

    # -- what an inventory says

    @property
    def public_keys(self) -> list[str]:
        """What the bed's entitlements are verified with."""
        return [self.bed.paths.entitlement_public.read_text(encoding="ascii")]

    def identity(self, cluster: Cluster, user: str = UPGRADER) -> Path:
        """The kubeconfig of a cluster administrator of that name."""
        path = self.root / "kubeconfigs" / f"{cluster.name}-{user}"
        if not path.exists():
            path.parent.mkdir(exist_ok=True)
            cluster.write_kubeconfig(path, user, ["system:masters"])
        return path

    def host(self, cluster: Cluster, user: str = UPGRADER, **more: Any) -> Variables:
        """The variables of a host that is this cluster."""
        known = {"wge_kubeconfig": str(self.identity(cluster, user)), "wge_cluster_uid": cluster.uid, "wge_entry_urls": [cluster.entry_url]}
        return {**known, **more}

    def inventory(
        self, folder: Path, hosts: dict[str, Variables], canaries: tuple[str, ...] = (), variables: Variables | None = None
    ) -> Path:
        """An inventory of group `fleet` with fast times; `variables` are everybody's."""
        common = {
            "ansible_connection": "local",
            "ansible_python_interpreter": "{{ ansible_playbook_python }}",
            "wge_chart": str(self.bed.paths.charts / "mccp"),
            "wge_helm": str(self.bed.paths.helm),
            "wge_entitlement_public_keys": self.public_keys,
            "wge_archive_dir": str(folder / "archive"),
            "wge_report_dir": str(folder / "reports"),
            **FAST,
            **(variables or {}),
        }
        fleet: Variables = {"vars": common, "hosts": hosts}
        if canaries:
            fleet["children"] = {"wge_canary": {"hosts": {name: {} for name in canaries}}}
        path = folder / "inventory.yml"
        path.write_text(yaml.safe_dump({"all": {"children": {"fleet": fleet}}}), encoding="utf-8")
        path.chmod(0o600)
        return path

    # -- runs

    def folder(self) -> Path:
        """A new one, for one run."""
        self._runs += 1
        path = self.root / f"run{self._runs}"
        path.mkdir()
        return path

    @staticmethod
    def environment(folder: Path) -> dict[str, str]:
        """That of a run in ``folder``: the user's own settings must not change what is tested."""
        foreign = ("ANSIBLE_", "K8S_AUTH_", "KUBE", "HELM_")
        return {
            **{name: value for name, value in os.environ.items() if not name.startswith(foreign)},
            "ANSIBLE_CONFIG": str(ROOT / "ansible.cfg"),
            "ANSIBLE_LOCAL_TEMP": str(folder / "ansible"),
            "ANSIBLE_NOCOLOR": "1",
            "LC_ALL": "C.UTF-8",
        }

    def start(
        self,
        playbook: str | Path,
        hosts: dict[str, Variables],
        *words: str,
        canaries: tuple[str, ...] = (),
        variables: Variables | None = None,
        environment: dict[str, str] | None = None,
    ) -> Run:
        """Begin a playbook (a name in playbooks/ without .yml, or a path) in a session of its own, and do not wait for it.

        It has the lab's vault password, unless its words or its environment name another.
        """
        folder = self.folder()
        inventory = self.inventory(folder, hosts, canaries, variables)
        path = PLAYBOOKS / f"{playbook}.yml" if isinstance(playbook, str) else playbook
        (folder / "tmp").mkdir()
        given = "--vault-id" in words or any(name.startswith("ANSIBLE_VAULT_") for name in environment or {})
        vault = {} if given else {"ANSIBLE_VAULT_PASSWORD_FILE": str(self.vault_password)}
        settings = {**self.environment(folder), **vault, "TMPDIR": str(folder / "tmp"), "COLUMNS": "200"}
        process = subprocess.Popen(
            [str(Path(sys.executable).parent / "ansible-playbook"), str(path), "-i", str(inventory), *words],
            cwd=folder,
            env={**settings, **(environment or {})},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )
        return Run(folder, process, time.time())

    def run(self, playbook: str | Path, hosts: dict[str, Variables], *words: str, timeout: float = 400, **more: Any) -> Run:
        """As `start`, to its end."""
        return self.start(playbook, hosts, *words, **more).wait(timeout)
