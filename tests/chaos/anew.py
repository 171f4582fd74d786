# SPDX-License-Identifier: GPL-3.0-or-later
"""How a cluster gets back to WG when the collection's own rollback is not the way: after `finalised`, or after an unsafe case."""

from __future__ import annotations

import contextlib
from typing import Any

from testbed import wait_until, workloads
from testbed.api import Api, ApiError
from testbed.cluster import ClusterError
from testbed.flux.git import Repository

from . import debt
from .lane import Lane

TARGET = "weave-gitops-enterprise"
RBAC = "apis/rbac.authorization.k8s.io/v1"
IN_A_NAMESPACE = (
    ("apis/apps/v1", "deployments"),
    ("api/v1", "services"),
    ("api/v1", "secrets"),
    ("api/v1", "configmaps"),
    ("api/v1", "serviceaccounts"),
    ("apis/networking.k8s.io/v1", "networkpolicies"),
    ("apis/coordination.k8s.io/v1", "leases"),
    (RBAC, "roles"),
    (RBAC, "rolebindings"),
)
OF_NO_NAMESPACE = (f"/{RBAC}/clusterroles", f"/{RBAC}/clusterrolebindings")
OF_FLUX = ("app.kubernetes.io/part-of", "flux")
OF_THE_CLUSTER = ("default", "kube-root-ca.crt")
RELEASE_NAME, RUN_LABEL = "meta.helm.sh/release-name", "wge.weave.works/run"


def ready(lane: Lane) -> None:
    """Whatever is to be tried next begins at WG."""
    if lane.over:
        install(lane)


def install(lane: Lane) -> None:
    """WG as on the first day, in its form. Nobody counts requests meanwhile: there is nobody to answer them."""
    lane.leave()
    lane.form.withdraw(lane.cluster)
    if lane.form.owes_git:
        debt.forget(Repository(lane.lab.bed.paths.git), lane.cluster)
    for release in (TARGET, workloads.RELEASE):
        with contextlib.suppress(ClusterError):  # half a release: what is left of it is removed below
            workloads.helm(lane.cluster, "uninstall", release, "-n", lane.form.namespace, "--ignore-not-found")
    api = lane.cluster.api()
    for space in lane.form.namespaces:
        for group, kind in IN_A_NAMESPACE:
            _empty(api, f"/{group}/namespaces/{space}/{kind}")
    for path in OF_NO_NAMESPACE:
        _empty(api, path)
    wait_until("nobody at work", lambda: not _at_work(api, lane.form.namespace), 60)
    api.close()
    lane.form.install(lane.cluster)
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


def _at_work(api: Api, space: str) -> list[str]:
    """Pods that are not of Flux."""
    found = api.get(f"/api/v1/namespaces/{space}/pods")["items"]
    return [item["metadata"]["name"] for item in found if not _of_flux(item)]


def _of_flux(item: dict[str, Any]) -> bool:
    key, value = OF_FLUX
    return bool((item["metadata"].get("labels") or {}).get(key) == value)


def _empty(api: Api, path: str) -> None:
    """Delete what products and upgrades made; of what belongs to no namespace, what helm or an upgrade has marked."""
    for item in api.get(path)["items"]:
        metadata = item["metadata"]
        marked = RELEASE_NAME in (metadata.get("annotations") or {}) or RUN_LABEL in (metadata.get("labels") or {})
        if metadata["name"] in OF_THE_CLUSTER or _of_flux(item) or not (marked or metadata.get("namespace")):
            continue
        try:
            api.delete(f"{path}/{metadata['name']}")
        except ApiError as error:
            if error.status != 404:
                raise
