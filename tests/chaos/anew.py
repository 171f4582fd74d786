# SPDX-License-Identifier: GPL-3.0-or-later
"""How a cluster gets back to WG when the collection's own rollback is not the way: after `finalised`, or after an unsafe case."""

from __future__ import annotations

import contextlib

from integration.lab import NAMESPACE
from testbed import wait_until, workloads
from testbed.api import Api, ApiError
from testbed.cluster import ClusterError

from .lane import Lane

TARGET = "weave-gitops-enterprise"
SPACE = f"namespaces/{NAMESPACE}"
RBAC = "/apis/rbac.authorization.k8s.io/v1"
THINGS = (
    f"/apis/apps/v1/{SPACE}/deployments",
    f"/api/v1/{SPACE}/services",
    f"/api/v1/{SPACE}/secrets",
    f"/api/v1/{SPACE}/configmaps",
    f"/api/v1/{SPACE}/serviceaccounts",
    f"/apis/networking.k8s.io/v1/{SPACE}/networkpolicies",
    f"/apis/coordination.k8s.io/v1/{SPACE}/leases",
    f"{RBAC}/{SPACE}/roles",
    f"{RBAC}/{SPACE}/rolebindings",
    f"{RBAC}/clusterroles",
    f"{RBAC}/clusterrolebindings",
)
OF_THE_CLUSTER = ("default", "kube-root-ca.crt")
RELEASE_NAME, RUN_LABEL = "meta.helm.sh/release-name", "wge.weave.works/run"


def ready(lane: Lane) -> None:
    """Whatever is to be tried next begins at WG."""
    if lane.over:
        install(lane)


def install(lane: Lane) -> None:
    """WG as on the first day, by helm. Nobody counts requests meanwhile: there is nobody to answer them."""
    lane.leave()
    api = lane.cluster.api()
    for release in (TARGET, workloads.RELEASE):
        with contextlib.suppress(ClusterError):  # half a release: what is left of it is removed below
            workloads.helm(lane.cluster, "uninstall", release, "-n", NAMESPACE, "--ignore-not-found")
    for path in THINGS:
        _empty(api, path)
    wait_until("an empty namespace", lambda: not api.get(f"/api/v1/{SPACE}/pods")["items"], 60)
    api.close()
    workloads.install_wg(lane.cluster)
    lane.learn_identities()
    lane.over = False
    lane.watch()


def mend(lane: Lane, journey: str) -> None:
    """After an unsafe case: run again, and when that does not help, begin anew."""
    for _attempt in range(2):
        lane.forget_holder()
        if lane.play(journey).arrived(journey) and not lane.wrong(journey):
            return
    install(lane)
    goals = {"rolled_back": (), "parked": ("parked",), "finalised": ("parked", "finalised")}
    for goal in goals[journey]:
        ran = lane.play(goal)
        if not ran.arrived(goal):
            raise AssertionError(f"{lane.cluster.name} cannot be put back: {ran.told}")


def _empty(api: Api, path: str) -> None:
    """Delete what products and upgrades made; of what belongs to no namespace, what helm or an upgrade has marked."""
    for item in api.get(path)["items"]:
        metadata = item["metadata"]
        marked = RELEASE_NAME in (metadata.get("annotations") or {}) or RUN_LABEL in (metadata.get("labels") or {})
        if metadata["name"] in OF_THE_CLUSTER or not (marked or metadata.get("namespace")):
            continue
        try:
            api.delete(f"{path}/{metadata['name']}")
        except ApiError as error:
            if error.status != 404:
                raise
