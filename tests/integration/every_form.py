# SPDX-License-Identifier: GPL-3.0-or-later
"""One cluster of each form (form C twice, of one path in git), and what is done with them: there and back, and to the end.

Flux's CRDs, kustomize-controller, Traefik, helm and git are real; source-controller and helm-controller are the bed's.
"""

from __future__ import annotations

import os
import time
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml
from testbed import Cluster, legacy, wait_until, workloads
from testbed.flux import repository

from . import evidence
from .lab import FAST, NAMESPACE, ROOT, UPGRADER, WG_SERVICE, Lab, Run, Variables
from .processes.plays import calls, results
from .witness import Seen, Witness

RUNGS = ["prepared", "rehearsed", "flipped", "soaked", "parked"]
BACK_FROM = RUNGS if os.environ.get("WGE_TEST_RUNGS") == "all" else ["parked"]
"""The rung from which these forms go back here. From each of them: `make integration RUNGS=all`."""
TOKENS = ("reconcile.fluxcd.io/requestedAt", "reconcile.fluxcd.io/forceAt")
RATE = 4.0
_PASSING = ("Pod", "ReplicaSet", "CustomResourceDefinition", "APIService", "ControllerRevision", "HelmChart")
"""Pods come back under other names; WGE's CRDs stay, as helm leaves them, and with each what the API server makes to serve it."""
_OURS = ("wge-journal-", "sh.helm.release.v1.")
"""Journals stay; how many revisions Flux has made is nobody's business."""
_OPTIONS = (
    *("kubeconfig", "cluster_uid", "chart", "chart_version", "chart_repository", "entitlement", "entitlement_public_keys", "login_secret"),
    *("helm", "entry_urls", "archive_dir", *(name.removeprefix("wge_") for name in FAST)),
)
Objects = dict[evidence.Key, evidence.Object]


@dataclass(frozen=True)
class Form:
    """How WG came onto a cluster, and under which name it is asked for there."""

    way: str
    namespace: str = NAMESPACE
    service: str = WG_SERVICE


A, B, C, C2, D = "fa", "fb", "fc1", "fc2", "fd"
FORMS = {
    A: Form("helm"),
    B: Form("helmrelease"),
    C: Form("kustomization-shared"),
    C2: Form("kustomization-shared"),
    D: Form("wego-app", legacy.NAMESPACE, legacy.NAME),
}


def clusters(lab: Lab) -> dict[str, Cluster]:
    """All of them, each behind Traefik; the control planes begin at once."""
    lab.clusters(*FORMS, wg="none")
    for way in dict.fromkeys(form.way for form in FORMS.values()):
        names = [name for name, form in FORMS.items() if form.way == way]
        lab.clusters(*names, wg=way, install=True, ingress=True)
    found = {name: lab.bed.clusters[name] for name in FORMS}
    _put_namespace(found[D])
    return found


def _put_namespace(cluster: Cluster) -> None:
    """Where WGE looks for its entitlement, which nobody needed before."""
    api, path = cluster.api(), f"/api/v1/namespaces/{NAMESPACE}"
    if api.find(path) is None:
        api.create("/api/v1/namespaces", {"metadata": {"name": NAMESPACE}})
    wait_until("the namespace's own account", lambda: api.find(f"{path}/serviceaccounts/default") is not None, 30)


@dataclass(frozen=True)
class View:
    """A cluster at one moment."""

    objects: Objects
    services: dict[str, Any]
    ingresses: dict[str, Any]

    @classmethod
    def of(cls, cluster: Cluster, namespace: str) -> View:
        """What people rely on, and what callers hold on to."""
        return cls(_lasting(cluster), evidence.services(cluster, namespace), _ingresses(cluster))

    def differences(self, other: View) -> list[str]:
        """What is not the same in both."""
        one, two = self.objects, other.objects
        return sorted(" ".join(key) for key in one.keys() | two.keys() if one.get(key) != two.get(key))


def _lasting(cluster: Cluster) -> Objects:
    kept: Objects = {}
    for key, item in evidence.objects(cluster).items():
        if key[1] not in _PASSING and not key[3].startswith(_OURS):
            annotations = item["metadata"].pop("annotations", None) or {}
            if left := {name: value for name, value in annotations.items() if name not in TOKENS}:
                item["metadata"]["annotations"] = left
            kept[key] = item
    return kept


def _ingresses(cluster: Cluster) -> dict[str, Any]:
    """Of each its UID, its generation and what it says."""
    items = cluster.api().get("/apis/networking.k8s.io/v1/ingresses")["items"]
    return {item["metadata"]["name"]: (item["metadata"]["uid"], item["metadata"]["generation"], item["spec"]) for item in items}


@dataclass
class Journey:
    """Runs on these clusters by name, and what was seen before, during and after them."""

    lab: Lab
    clusters: dict[str, Cluster]
    before: dict[str, View] = field(default_factory=dict)
    runs: dict[str, Run] = field(default_factory=dict)
    writes: dict[tuple[str, str], list[str]] = field(default_factory=dict)
    """By run and cluster, what was stored for us."""
    after: dict[tuple[str, str], View] = field(default_factory=dict)
    climbs: dict[tuple[str, str], dict[str, Any]] = field(default_factory=dict)
    answers: dict[str, dict[str, Any]] = field(default_factory=dict)
    """What wge_git_changes made, and the debts."""
    appliers: dict[str, evidence.Object] = field(default_factory=dict)
    dashboards: dict[str, evidence.Dashboard] = field(default_factory=dict)
    deleted: dict[str, list[str]] = field(default_factory=dict)
    seen: dict[str, Seen] = field(default_factory=dict)
    _witnesses: dict[str, Witness] = field(default_factory=dict)

    def begin(self, name: str) -> None:
        """See what there is, and put load on all doors."""
        for host, cluster in self.clusters.items():
            self.before[host], form = self.view(host), FORMS[host]
            folder, place = self.lab.root / "witness" / f"{name}-{host}", (form.namespace, form.service)
            self._witnesses[host] = Witness(cluster, folder, (form.service,), RATE, service=place, ingress=True)
        wait_until("witnesses at work", lambda: all(witness.ready() for witness in self._witnesses.values()), 60)

    def end(self) -> None:
        """The load goes."""
        with ThreadPoolExecutor(len(self._witnesses)) as pool:
            found = pool.map(lambda witness: witness.stop(time.time()), self._witnesses.values())
        self.seen = dict(zip(self._witnesses, found, strict=True))

    def play(self, name: str, playbook: str | Path, *words: str, only: Iterable[str] = (), **variables: Any) -> Run:
        """One playbook on all clusters or on some, and what the API servers stored for it."""
        began, hosts = time.time(), list(only) or list(self.clusters)
        given = {host: {**self.host(host), **variables} for host in hosts}
        run = self.runs[name] = self.lab.run(playbook, given, *words, timeout=900)
        time.sleep(0.5)  # the audit log is written after the answer
        for host in hosts:
            made = evidence.calls(self.clusters[host], began, UPGRADER)
            self.writes[name, host] = [evidence.told(call) for call in made if call.write]
        return run

    def climb(self, rung: str) -> None:
        """To one rung, and no further."""
        folder = self.lab.folder()
        options = {option: f"{{{{ wge_{option} | default(omit, true) }}}}" for option in _OPTIONS}
        self.play(f"up to {rung}", calls(folder, climb={"weaveworks.wge.wge_upgrade": {**options, "state": rung}}))
        for host in self.clusters:
            self.climbs[rung, host] = results(folder, host)["climb"]

    def look(self, name: str, *hosts: str) -> None:
        """What is there now."""
        for host in hosts or self.clusters:
            self.after[name, host] = self.view(host)

    def view(self, host: str) -> View:
        """What is on one cluster."""
        return View.of(self.clusters[host], FORMS[host].namespace)

    def host(self, name: str) -> Variables:
        """What an inventory says of such a cluster."""
        cluster, way = self.clusters[name], FORMS[name].way
        token = self.lab.bed.paths.entitlement.read_text(encoding="ascii")
        login = {"username": workloads.USER, "password_hash": workloads.PASSWORD_HASH}
        more: dict[str, Variables] = {"helm": {}, "wego-app": {"wge_entitlement": token, "wge_login_secret": login}}
        urls = [cluster.entry_url, cluster.ingress_url]
        return self.lab.host(cluster, wge_entry_urls=urls, **more.get(way, _by_flux()))


def _by_flux() -> Variables:
    chart = yaml.safe_load((ROOT / "tests/testbed/charts/mccp/Chart.yaml").read_text(encoding="utf-8"))
    return {"wge_chart_repository": repository.CHARTS_URL, "wge_chart_version": str(chart["version"])}
