# SPDX-License-Identifier: GPL-3.0-or-later
"""Deliveries other than the form's own, on three real control planes: plain manifests out of an archive and a mirror, and Flux.

One run shows many promises, so they are made once, in order, and each test asserts one thing of what was kept.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import pytest
import yaml
from testbed import Cluster, legacy, wait_until, workloads
from testbed.flux import forms, install, repository

from integration import evidence
from integration.lab import NAMESPACE, UPGRADER, WG_SERVICE, Lab, Run, Variables
from integration.witness import Seen, Witness

PLAIN, OLD, FLUX = "o1", "o2", "o3"
"""WG by helm and WGE by manifests; WG of before its chart and WGE by manifests; WG by helm and WGE by Flux."""
PLACES = {PLAIN: (NAMESPACE, WG_SERVICE), OLD: (legacy.NAMESPACE, legacy.NAME), FLUX: (NAMESPACE, WG_SERVICE)}
RUNS = ("upgrade", "again", "rollback", "upgrade to the end", "finalise")
MIRROR = "mirror.example.com/all"
_PASSING = ("Pod", "ReplicaSet", "CustomResourceDefinition", "APIService", "ControllerRevision")
"""Pods come back under other names; WGE's CRDs stay, as helm leaves them, and with each what the API server makes to serve it."""
_FLUXES = ("HelmChart",)


@dataclass
class Story:
    """All runs on the clusters, by name, and what was seen before, during and after them; by cluster."""

    lab: Lab
    clusters: dict[str, Cluster]
    before: dict[str, dict[evidence.Key, evidence.Object]] = field(default_factory=dict)
    services: dict[str, Any] = field(default_factory=dict)
    runs: dict[str, Run] = field(default_factory=dict)
    after: dict[tuple[str, str], dict[evidence.Key, evidence.Object]] = field(default_factory=dict)
    services_after: dict[tuple[str, str], Any] = field(default_factory=dict)
    writes: dict[tuple[str, str], list[str]] = field(default_factory=dict)
    images: dict[str, set[str]] = field(default_factory=dict)
    seen: dict[str, Seen] = field(default_factory=dict)

    def play(self, name: str, playbook: str, *words: str) -> None:
        """One of our playbooks on all clusters, and what was there after it."""
        began = time.time()
        self.runs[name] = self.lab.run(playbook, {host: self.host(host) for host in self.clusters}, *words)
        time.sleep(0.5)  # the audit log is written after the answer
        for host, cluster in self.clusters.items():
            self.writes[name, host] = [evidence.told(call) for call in evidence.calls(cluster, began, UPGRADER) if call.write]
            self.after[name, host] = self.lasting(cluster)
            self.services_after[name, host] = evidence.services(cluster, PLACES[host][0])

    def host(self, name: str) -> Variables:
        """What an inventory says of a cluster."""
        (archive,) = self.lab.bed.paths.chart_repository.glob("mccp-*.tgz")
        plain: Variables = {
            "wge_chart": str(archive),
            "wge_delivery": "manifests",
            "wge_image_mirrors": {"ghcr.io": MIRROR, "docker.io": MIRROR},
        }
        login = {"username": workloads.USER, "password_hash": workloads.PASSWORD_HASH}
        chart = yaml.safe_load((self.lab.bed.paths.charts / "mccp" / "Chart.yaml").read_text(encoding="utf-8"))
        by_flux: Variables = {
            "wge_delivery": "flux",
            "wge_chart_repository": repository.PRIVATE_URL,
            "wge_chart_secret": "private-charts",
            "wge_chart_version": str(chart["version"]),
        }
        token: Variables = {"wge_entitlement": self.lab.bed.paths.entitlement.read_text(encoding="ascii")}
        more = {PLAIN: plain, OLD: {**plain, **token, "wge_login_secret": login}, FLUX: by_flux}
        return self.lab.host(self.clusters[name], **more[name])

    def lasting(self, cluster: Cluster) -> dict[evidence.Key, evidence.Object]:
        """What people rely on, with our journals left out, and what Flux makes for itself."""
        found = evidence.objects(cluster)
        return {k: item for k, item in found.items() if k[1] not in (*_PASSING, *_FLUXES) and not k[3].startswith("wge-journal-")}

    def running(self, host: str) -> set[str]:
        """The images of WGE's pods."""
        found = self.clusters[host].api().get(f"/apis/apps/v1/namespaces/{PLACES[host][0]}/deployments")["items"]
        ours = [item for item in found if "wge.weave.works/run" in (item["metadata"].get("labels") or {})]
        return {container["image"] for item in ours for container in item["spec"]["template"]["spec"]["containers"]}


@pytest.fixture(scope="module")
def story(lab: Lab) -> Iterator[Story]:
    """There and back, and to the end, on all three at once, under load."""
    found = Story(lab, {name: lab.cluster(name, wg="wego-app" if name == OLD else "helm") for name in PLACES})
    _prepare(found)
    for host, cluster in found.clusters.items():
        found.before[host], found.services[host] = found.lasting(cluster), evidence.services(cluster, PLACES[host][0])
    witnesses = {
        host: Witness(cluster, lab.root / "witness" / host, (PLACES[host][1],), rate=10.5, service=PLACES[host])
        for host, cluster in found.clusters.items()
    }
    for witness in witnesses.values():
        wait_until("the witness at work", witness.ready, 60)
    found.play("upgrade", "upgrade")
    found.images = {host: found.running(host) for host in (PLAIN, OLD)}
    found.play("again", "upgrade")
    found.play("rollback", "rollback")
    found.play("upgrade to the end", "upgrade")
    found.play("finalise", "finalise", "-e", "wge_retention_days=0")
    found.seen = {host: witness.stop(time.time()) for host, witness in witnesses.items()}
    yield found


def _prepare(story: Story) -> None:
    """Where WGE looks for its entitlement; and Flux with a private chart repository."""
    paths = story.lab.bed.paths
    forms.prepare_bed(paths.charts, paths.chart_repository)
    api = story.clusters[OLD].api()
    if api.find(f"/api/v1/namespaces/{NAMESPACE}") is None:
        api.create("/api/v1/namespaces", {"metadata": {"name": NAMESPACE}})
        path = f"/api/v1/namespaces/{NAMESPACE}/serviceaccounts/default"
        wait_until("the namespace's own account", lambda: api.find(path) is not None, 30)
    install.install(story.clusters[FLUX])
    login = {"username": repository.USER, "password": repository.PASSWORD}
    secret = {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "private-charts"}, "stringData": login}
    story.clusters[FLUX].api().create(f"/api/v1/namespaces/{NAMESPACE}/secrets", secret)


@pytest.mark.parametrize("name", RUNS)
def test_each_run_ends_well(story: Story, name: str) -> None:
    assert story.runs[name].rc == 0, story.runs[name].text[-3000:]


@pytest.mark.parametrize("host", PLACES)
def test_no_request_is_lost_and_no_instant_is_without_an_endpoint(story: Story, host: str) -> None:
    seen = story.seen[host]
    assert seen.requests > 500
    assert seen.lost == 0, seen.streams
    assert not seen.endpoints[PLACES[host][1]].gaps


@pytest.mark.parametrize("host", PLACES)
def test_the_service_is_still_itself(story: Story, host: str) -> None:
    name = PLACES[host][1]
    assert {run: story.services_after[run, host][name] for run in RUNS} == dict.fromkeys(RUNS, story.services[host][name])


@pytest.mark.parametrize("host", PLACES)
def test_a_second_run_writes_nothing(story: Story, host: str) -> None:
    assert story.writes["again", host] == []


@pytest.mark.parametrize("host", PLACES)
def test_the_way_back_leaves_nothing_of_us(story: Story, host: str) -> None:
    before, after = story.before[host], story.after["rollback", host]
    assert sorted(" ".join(key) for key in before.keys() | after.keys() if before.get(key) != after.get(key)) == []


@pytest.mark.parametrize("host", [PLAIN, OLD])
def test_plain_manifests_leave_no_release_and_run_images_of_the_mirror(story: Story, host: str) -> None:
    assert story.images[host]
    assert all(image.startswith(f"{MIRROR}/") for image in story.images[host])
    assert not [key for key in story.after["upgrade", host] if key[3].startswith("sh.helm.release.v1.weave-gitops-enterprise.")]


def test_flux_logs_in_at_the_chart_repository_with_the_given_secret(story: Story) -> None:
    names = {(key[1], key[3]) for key in story.after["upgrade", FLUX]}
    assert {("HelmRepository", "weave-gitops-enterprise"), ("HelmRelease", "weave-gitops-enterprise")} <= names


@pytest.mark.parametrize("host", PLACES)
def test_at_the_end_wg_is_gone_and_wge_serves(story: Story, host: str) -> None:
    left = {(key[1], key[3]) for key in story.after["finalise", host]}
    name = PLACES[host][1]
    assert ("Deployment", name) not in left
    assert ("Service", name) in left
    assert evidence.Dashboard.at(story.clusters[host].entry_url).sign_in == 200
