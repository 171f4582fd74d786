# SPDX-License-Identifier: GPL-3.0-or-later
"""Puts Weave GitOps onto a cluster as users do: with helm, in flux-system, behind a NodePort."""

from __future__ import annotations

import base64
import http.client
import json
import os
import subprocess
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from . import entitlement, network
from .api import Api, ApiError
from .cluster import Cluster, ClusterError, wait_until

NAMESPACE = "flux-system"
RELEASE = "ww-gitops"
USER = "admin"
PASSWORD = "dashboard"
#: bcrypt of PASSWORD, cost 10
PASSWORD_HASH = "$2b$10$TestBedOnlyNotASecret.zdbhA4nDbHXXFrCBgzktDMS30wfmg1O"
DEPLOYMENTS = f"/apis/apps/v1/namespaces/{NAMESPACE}/deployments"
#: the fixture chart `mccp` as release `wge`
WGE = f"{DEPLOYMENTS}/wge-mccp-cluster-service"


def values() -> dict[str, Any]:
    """What a user sets."""
    return {
        "adminUser": {"create": True, "username": USER, "passwordHash": PASSWORD_HASH},
        "service": {"type": "NodePort", "nodePort": network.ENTRY_NODE_PORT},
    }


def helm(cluster: Cluster, *arguments: str, config: Path | None = None, timeout: float = 120) -> str:
    """Run the bed's helm against a cluster; its output, or ClusterError with its last words."""
    home = cluster.paths.root / "helm"
    environment = {
        **os.environ,
        "KUBECONFIG": str(config or cluster.kubeconfig),
        **{f"HELM_{part}_HOME": str(home / part.lower()) for part in ("CACHE", "CONFIG", "DATA")},
    }
    done = subprocess.run(
        [str(cluster.paths.bed.helm), *arguments], capture_output=True, text=True, check=False, env=environment, timeout=timeout
    )
    if done.returncode:
        raise ClusterError(f"helm {arguments[0]} on {cluster.name}: {done.stderr.strip()[-600:]}")
    return done.stdout


def put_entitlement(api: Api, token: str, namespace: str = NAMESPACE) -> None:
    """Create or replace the entitlement's Secret."""
    path = f"/api/v1/namespaces/{namespace}/secrets"
    data = {
        key: base64.b64encode(value.encode()).decode()
        for key, value in (("entitlement", token), ("username", "customer"), ("password", "none"))
    }
    try:
        api.create(path, {"metadata": {"name": entitlement.SECRET_NAME}, "type": "Opaque", "data": data})
    except ApiError as error:
        if error.status != 409:
            raise
        api.patch(f"{path}/{entitlement.SECRET_NAME}", {"data": data})


def answers(url: str) -> int:
    """The status of a GET, 0 when there is no answer."""
    parts = urlsplit(url)
    connection = http.client.HTTPConnection(parts.hostname or "", parts.port, timeout=5)
    try:
        connection.request("GET", parts.path or "/")
        return connection.getresponse().status
    except (OSError, http.client.HTTPException):
        return 0
    finally:
        connection.close()


def install_wg(cluster: Cluster, chart: str = "weave-gitops", extra: list[Path] | None = None) -> None:
    """`helm install`, the entitlement's Secret, and the wait until the dashboard answers from outside."""
    api = cluster.api()
    file = cluster.paths.root / "wg-values.json"
    file.write_text(json.dumps(values()), encoding="utf-8")
    more = [part for path in extra or [] for part in ("-f", str(path))]
    if not helm(cluster, "list", "--deployed", "-n", NAMESPACE, "-q", "--filter", f"^{RELEASE}$").strip():
        helm(cluster, "uninstall", RELEASE, "-n", NAMESPACE, "--ignore-not-found", "--wait")  # what a killed `up` left half done
        where = str(cluster.paths.bed.charts / chart)
        helm(cluster, "install", RELEASE, where, "-n", NAMESPACE, "--create-namespace", "-f", str(file), *more)
    entitle_and_wait(cluster, api)
    api.close()


def entitle_and_wait(cluster: Cluster, api: Api, namespace: str = NAMESPACE) -> None:
    """The entitlement's Secret, unless there is one, and the wait until the dashboard answers from outside."""
    if api.find(f"/api/v1/namespaces/{namespace}/secrets/{entitlement.SECRET_NAME}") is None:
        put_entitlement(api, cluster.paths.bed.entitlement.read_text(encoding="ascii"), namespace)
    wait_until(f"a ready pod of Weave GitOps on {cluster.name}", lambda: _ready(api, namespace), 60)
    wait_until(f"the dashboard of {cluster.name} at {cluster.entry_url}", lambda: answers(cluster.entry_url) == 200, 30)


def _ready(api: Api, namespace: str) -> bool:
    """By the image's name, which all versions share."""
    found = api.get(f"/apis/apps/v1/namespaces/{namespace}/deployments")["items"]
    ours = [item for item in found if any("/wego-app:" in part["image"] for part in item["spec"]["template"]["spec"]["containers"])]
    return any(item.get("status", {}).get("readyReplicas", 0) >= 1 for item in ours)


def wge_there(cluster: Cluster) -> bool:
    """Has this cluster been upgraded already? Then its WG is not asked about."""
    api = cluster.api()
    try:
        return api.find(f"/api/v1/namespaces/{NAMESPACE}/services/clusters-service") is not None
    finally:
        api.close()


def rolled_out(cluster: Cluster, path: str) -> dict[str, Any] | None:
    """The Deployment, when all its pods are new and available."""
    found: dict[str, Any] = cluster.api().get(path)
    status = found.get("status", {})
    wanted = found["spec"]["replicas"]
    good = (
        status.get("observedGeneration") == found["metadata"]["generation"]
        and status.get("updatedReplicas", 0) == wanted
        and status.get("replicas", 0) == wanted
        and status.get("availableReplicas", 0) == wanted
    )
    return found if good else None
