# SPDX-License-Identifier: GPL-3.0-or-later
"""The fleet that most tests look at, and the four runs against it.

One run shows many promises, so the runs are made once and each test asserts one thing of what was kept. Beside the clusters of cast.py
there is a host for each kind of bad input (mistakes.py), with an identity and an address of its own on one of these clusters.
"""

from __future__ import annotations

import base64
from dataclasses import dataclass, field
from typing import Any

from cryptography.hazmat.primitives.asymmetric import ed25519
from testbed import Cluster, entitlement, wait_until, workloads
from testbed.api import Api

from . import evidence
from .cast import CANARY, CLIMBERS, DYING, NAMES, OLDER, UNENTITLED, UNREADY, UPGRADED
from .evidence import Dashboard
from .lab import NAMESPACE, WG_SERVICE, Lab, Run, Variables
from .mistakes import MISTAKES, Mistake
from .witness import Attendance, Seen, Witness

SHOP = "shop"
DOORS = ("team-door", "team-inside")
CRASH_SECONDS = 20
AT_ONCE = "2"
"""Forks of the fleet run: on two cores, more climbs at once would only show what a starved machine does to timeouts."""


@dataclass
class Story:
    """The clusters, the runs, and what was seen before and after them."""

    lab: Lab
    clusters: dict[str, Cluster]
    forged: str = ""
    mistakes: dict[str, Mistake] = field(default_factory=dict)
    hosts: dict[str, Variables] = field(default_factory=dict)
    objects: dict[str, dict[evidence.Key, evidence.Object]] = field(default_factory=dict)
    objects_after: dict[str, dict[evidence.Key, evidence.Object]] = field(default_factory=dict)
    services: dict[str, dict[str, Any]] = field(default_factory=dict)
    services_after: dict[str, dict[str, Any]] = field(default_factory=dict)
    bystanders: dict[str, list[Any]] = field(default_factory=dict)
    dashboards: dict[str, Dashboard] = field(default_factory=dict)
    dashboards_after: dict[str, Dashboard] = field(default_factory=dict)
    seen: dict[str, Seen] = field(default_factory=dict)
    runs: dict[str, Run] = field(default_factory=dict)

    @property
    def upgrade(self) -> Run:
        """The run over the whole fleet."""
        return self.runs["upgrade"]


def tell(lab: Lab) -> Story:
    """Begin the clusters and make all runs."""
    story = Story(lab, _clusters(lab))
    _furnish(story)
    for name in CLIMBERS:
        cluster = story.clusters[name]
        story.objects[name], story.services[name] = evidence.objects(cluster), evidence.services(cluster)
        story.bystanders[name] = evidence.bystanders(cluster, SHOP)
        story.dashboards[name] = Dashboard.at(cluster.entry_url)
    upgradable = {name: story.hosts[name] for name in UPGRADED}
    story.runs["preflight"] = lab.run("preflight", upgradable)
    story.runs["plan"] = lab.run("upgrade", upgradable, "--check", "--diff")
    _upgrade(story)
    story.runs["again"] = lab.run("upgrade", upgradable)
    return story


def _clusters(lab: Lab) -> dict[str, Cluster]:
    lab.clusters(*NAMES, wg="none")  # all at once
    lab.clusters(OLDER, chart="weave-gitops-4.0.16", install=True)
    lab.clusters(CANARY, DYING, UNREADY, UNENTITLED, install=True)
    return {name: lab.bed.clusters[name] for name in NAMES}


def _furnish(story: Story) -> None:
    lab, clusters = story.lab, story.clusters
    _age(clusters[OLDER])
    _put_strangers(clusters[OLDER])
    clusters[UNREADY].faults({"image": "clusters-service", "never_ready": True})
    clusters[DYING].faults(
        {"image": "clusters-service", "crash_after_selected": f"{NAMESPACE}/{WG_SERVICE}={CRASH_SECONDS}", "stay_down": 120}
    )
    clusters[UNENTITLED].api().delete(f"/api/v1/namespaces/{NAMESPACE}/secrets/{entitlement.SECRET_NAME}")
    _expire(lab, clusters[OLDER])
    for name in CLIMBERS:
        _put_shop(clusters[name].api())
    stranger = ed25519.Ed25519PrivateKey.generate()
    story.forged = entitlement.issue(stranger, "forged@example.com", until=4102444800)
    story.hosts = {name: lab.host(clusters[name]) for name in CLIMBERS}
    story.hosts[OLDER]["wge_namespace"] = NAMESPACE  # there is another one
    story.hosts[UNREADY]["wge_ready_seconds"] = 8
    story.hosts[DYING]["wge_soak_seconds"] = 3 * CRASH_SECONDS
    # This host trusts the stranger; its WGE does not.
    story.hosts[UNENTITLED] = lab.host(
        clusters[UNENTITLED], wge_entitlement=story.forged, wge_entitlement_public_keys=[entitlement.public_pem(stranger)]
    )
    story.mistakes = {make.__name__.replace("_", "-"): make(lab, clusters) for make in MISTAKES}


def _age(cluster: Cluster) -> None:
    """Users have upgraded this one often: helm keeps only its last revisions."""
    chart = str(cluster.paths.bed.charts / "weave-gitops-4.0.16")
    words = ["upgrade", workloads.RELEASE, chart, "-n", NAMESPACE, "--reuse-values", "--history-max", "2"]
    for level in ("debug", "info"):
        workloads.helm(cluster, *words, "--set", f"logLevel={level}")
    wait_until("WG's new pods", lambda: workloads.rolled_out(cluster, f"{workloads.DEPLOYMENTS}/{WG_SERVICE}"), 60)
    revisions = [item["metadata"]["labels"]["version"] for item in _revisions(cluster)]
    assert "1" not in revisions, revisions


def _expire(lab: Lab, cluster: Cluster) -> None:
    """The entitlement it holds is a day past its end."""
    token = lab.bed.paths.entitlement_expired.read_bytes()
    path = f"/api/v1/namespaces/{NAMESPACE}/secrets/{entitlement.SECRET_NAME}"
    cluster.api().patch(path, {"data": {"entitlement": base64.b64encode(token).decode("ascii")}})


def _revisions(cluster: Cluster) -> list[Any]:
    query = "labelSelector=owner%3Dhelm,name%3D" + workloads.RELEASE
    return list(cluster.api().get(f"/api/v1/namespaces/{NAMESPACE}/secrets?{query}")["items"])


def _put_strangers(cluster: Cluster) -> None:
    """Two Services of the users' own, and Deployments elsewhere that are WG too: by hand, and by a HelmRelease that is gone."""
    api = cluster.api()
    wg = api.get(f"{workloads.DEPLOYMENTS}/{WG_SERVICE}")
    selector = wg["spec"]["selector"]["matchLabels"]
    for name, kind in zip(DOORS, ("NodePort", "ClusterIP"), strict=True):
        spec = {"type": kind, "selector": selector, "ports": [{"name": "web", "port": 80, "targetPort": "http"}]}
        api.create(f"/api/v1/namespaces/{NAMESPACE}/services", {"metadata": {"name": name}, "spec": spec})
    for place, labels in (
        ("by-hand", {}),
        ("no-owner", {"helm.toolkit.fluxcd.io/name": "wg", "helm.toolkit.fluxcd.io/namespace": "no-owner"}),
    ):
        api.create("/api/v1/namespaces", {"metadata": {"name": place}})
        metadata = {"name": "wg", "labels": {"app.kubernetes.io/name": "weave-gitops", **labels}}
        body = {"metadata": metadata, "spec": {**wg["spec"], "replicas": 0}}
        api.create(f"/apis/apps/v1/namespaces/{place}/deployments", body)


def _put_shop(api: Api) -> None:
    """A workload that has nothing to do with us, of an image that nobody knows."""
    api.create("/api/v1/namespaces", {"metadata": {"name": SHOP}})
    labels = {"app": "till"}
    pod = {"metadata": {"labels": labels}, "spec": {"containers": [{"name": "till", "image": "registry.example.org/shop/till:7"}]}}
    spec = {"replicas": 2, "selector": {"matchLabels": labels}, "template": pod}
    api.create(f"/apis/apps/v1/namespaces/{SHOP}/deployments", {"metadata": {"name": "till"}, "spec": spec})
    path = f"/apis/apps/v1/namespaces/{SHOP}/deployments/till"
    wait_until("the shop", lambda: api.get(path)["status"].get("readyReplicas") == 2, 60)


def _upgrade(story: Story) -> None:
    """The fleet run, under the witness's load on every cluster that climbs."""
    lab = story.lab
    hosts = {**story.hosts, **{name: mistake.variables for name, mistake in story.mistakes.items()}}
    witnesses = {name: _witness(story, name) for name in CLIMBERS}
    wait_until("witnesses at work", lambda: all(witness.ready() for witness in witnesses.values()), 60)
    run = lab.start("upgrade", hosts, "-vvv", "--forks", AT_ONCE, canaries=(CANARY,))
    attendance = Attendance(run, witnesses)
    attendance.start()
    try:
        story.runs["upgrade"] = run.wait()
    finally:
        story.seen = attendance.end()
    for name in CLIMBERS:
        cluster = story.clusters[name]
        story.objects_after[name], story.services_after[name] = evidence.objects(cluster), evidence.services(cluster)
        story.dashboards_after[name] = Dashboard.at(cluster.entry_url)
        cluster.faults()


def _witness(story: Story, name: str) -> Witness:
    watched = (WG_SERVICE, *DOORS) if name == OLDER else (WG_SERVICE,)
    return Witness(story.clusters[name], story.lab.root / "witness" / name, watched, rate=10.5 if name == CANARY else 5.0)
