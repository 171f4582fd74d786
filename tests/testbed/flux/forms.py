# SPDX-License-Identifier: GPL-3.0-or-later
"""Weave GitOps as Flux brings it: form B, a HelmRelease applied by hand, and form C, the same from git by a Kustomization."""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import Any

import yaml

from .. import tools, workloads
from ..api import Api
from ..cluster import Cluster, ClusterError, wait_until
from . import install, repository
from .apply import apply, path_of
from .git import BRANCH, Repository
from .runtime import GIT_REPOSITORY, HELM_RELEASE, KUSTOMIZATION, TOKEN, Conditions
from .values import merged

Object = dict[str, Any]

NAMESPACE = workloads.NAMESPACE
NAME = workloads.RELEASE
#: What `gitops create dashboard` labelled its HelmRepository with.
CREATED = {
    "app.kubernetes.io/name": "weave-gitops-dashboard",
    "app.kubernetes.io/component": "ui",
    "app.kubernetes.io/part-of": "weave-gitops",
    "app.kubernetes.io/created-by": "weave-gitops-cli",
}
HAND = "kubectl-client-side-apply"
RELEASE_PATH = HELM_RELEASE.path((NAMESPACE, NAME))
#: The path that several clusters read.
SHARED = "clusters/shared"


def values(files: list[Path] | None = None) -> Object:
    """What the user of form A sets, in a HelmRelease."""
    found = workloads.values()
    for file in files or []:
        found = merged(found, yaml.safe_load(file.read_text(encoding="utf-8")) or {})
    return found


def chart_version(cluster: Cluster, chart: str) -> str:
    content: Object = yaml.safe_load((cluster.paths.bed.charts / chart / "Chart.yaml").read_text(encoding="utf-8"))
    return str(content["version"])


def dashboard(version: str, given: Object, api: str = "v2beta1", source: str = "v1beta2") -> list[Object]:
    """HelmRepository and HelmRelease, as `gitops create dashboard` writes them."""
    meta = {"name": NAME, "namespace": NAMESPACE}
    sources = {"interval": "1h0m0s", "url": repository.CHARTS_URL}
    chart = {"chart": "weave-gitops", "version": version, "sourceRef": {"kind": "HelmRepository", "name": NAME}}
    return [
        {
            "apiVersion": f"source.toolkit.fluxcd.io/{source}",
            "kind": "HelmRepository",
            "metadata": {**meta, "labels": CREATED},
            "spec": sources,
        },
        {
            "apiVersion": f"helm.toolkit.fluxcd.io/{api}",
            "kind": "HelmRelease",
            "metadata": meta,
            "spec": {"interval": "1h0m0s", "chart": {"spec": chart}, "values": given},
        },
    ]


def apply_by_hand(api: Api, items: list[Object]) -> None:
    """As `kubectl apply -f`: created or merged in, with the last applied state in an annotation."""
    for item in items:
        text = json.dumps(item, separators=(",", ":")) + "\n"
        noted = merged(item, {"metadata": {"annotations": {"kubectl.kubernetes.io/last-applied-configuration": text}}})
        path = path_of(item)
        if api.find(path) is None:
            api.create(f"{path.rpartition('/')[0]}?fieldManager={HAND}", noted)
        else:
            api.patch(f"{path}?fieldManager={HAND}", noted)


def by_helm_release(cluster: Cluster, chart: str = "weave-gitops", files: list[Path] | None = None) -> None:
    """Form B."""
    install.install(cluster)
    api = cluster.api()
    if api.find(RELEASE_PATH) is None:
        apply_by_hand(api, dashboard(chart_version(cluster, chart), values(files)))
    wait_ready(api, RELEASE_PATH)
    workloads.entitle_and_wait(cluster, api)
    api.close()


def by_kustomization(cluster: Cluster, chart: str = "weave-gitops", files: list[Path] | None = None, path: str = "") -> Repository:
    """Form C; `path` is below the repository, by default this cluster's own."""
    install.install(cluster, install.ALL)
    git = Repository(cluster.paths.bed.git)
    path = path or f"clusters/{cluster.name}"
    objects = dashboard(chart_version(cluster, chart), values(files))
    api = cluster.api()
    if api.find(KUSTOMIZATION.path((NAMESPACE, NAMESPACE))) is None:
        git.commit({f"{path}/weave-gitops-dashboard.yaml": yaml.safe_dump_all(objects, sort_keys=False)}, f"Add dashboard to {path}")
        apply(api, bootstrap(git, path), "flux")
    wait_ready(api, KUSTOMIZATION.path((NAMESPACE, NAMESPACE)))
    wait_ready(api, RELEASE_PATH)
    workloads.entitle_and_wait(cluster, api)
    api.close()
    return git


def bootstrap(git: Repository, path: str, interval: str = "10m0s") -> list[Object]:
    """What `flux bootstrap` leaves: the source, and the Kustomization that prunes."""
    meta = {"name": NAMESPACE, "namespace": NAMESPACE}
    source = {"interval": "1m0s", "url": git.url, "ref": {"branch": BRANCH}}
    spec = {
        "interval": interval,
        "path": f"./{path}",
        "prune": True,
        "sourceRef": {"kind": GIT_REPOSITORY.name, "name": NAMESPACE},
    }
    return [
        {"apiVersion": GIT_REPOSITORY.api_version, "kind": GIT_REPOSITORY.name, "metadata": meta, "spec": source},
        {"apiVersion": KUSTOMIZATION.api_version, "kind": KUSTOMIZATION.name, "metadata": meta, "spec": spec},
    ]


def wait_ready(api: Api, path: str, seconds: float = 90) -> Object:
    """Until the object's controller has brought about what its newest generation says."""
    last: Object = {}

    def ready() -> Object | None:
        found: Object = api.get(path)
        status = found.get("status") or {}
        last.update(status)
        current = status.get("observedGeneration") == found["metadata"]["generation"]
        return found if current and Conditions(dict(status), 0).is_true("Ready") else None

    try:
        found: Object = wait_until(f"{path} to be ready", ready, seconds)
    except ClusterError as error:
        raise ClusterError(f"{error}; its conditions: {json.dumps(last.get('conditions'))[:1500]}") from error
    return found


def reconcile(api: Api, path: str, *more: str, seconds: float = 60) -> Object:
    """As `flux reconcile`: write the token, also as forceAt or resetAt if named, and wait until it was handled."""
    token = f"{time.time():.6f}"
    marks = {TOKEN: token, **{f"reconcile.fluxcd.io/{name}": token for name in more}}
    api.patch(f"{path}?fieldManager=flux", {"metadata": {"annotations": marks}})

    def handled() -> Object | None:
        found: Object = api.get(path)
        return found if (found.get("status") or {}).get("lastHandledReconcileAt") == token else None

    found: Object = wait_until(f"{path} to be reconciled", handled, seconds)
    return found


def prepare_bed(bed_charts: Path, folder: Path) -> None:
    """Fill the bed's chart repository with its fixture charts, once."""
    charts = [path for path in sorted(bed_charts.iterdir()) if (path / "Chart.yaml").is_file()]
    if not (folder / "index.yaml").exists():
        repository.pack(charts, folder, tools.ensure(tools.HELM) / "helm")
