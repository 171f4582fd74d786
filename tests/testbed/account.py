# SPDX-License-Identifier: GPL-3.0-or-later
"""As whom controllers beside the control plane speak to the API server: each as its ServiceAccount, by a client certificate."""

from __future__ import annotations

import json
import sys
from pathlib import Path

from . import kubeconfig
from .agent.client import Client, context_from
from .cluster import Cluster
from .layout import BedPaths, ClusterPaths
from .pki import Authority


def issue(cluster: Cluster, controller: str, namespace: str) -> Path:
    """Certificate and kubeconfig of a controller in `namespace`."""
    paths = cluster.paths
    authority = Authority.load(paths.pki)
    user = f"system:serviceaccount:{namespace}:{controller}"
    pair = authority.issue(user, ["system:serviceaccounts", f"system:serviceaccounts:{namespace}"])
    pair.write(paths.pki, controller)
    target = kubeconfig_of(paths, controller)
    kubeconfig.write(target, kubeconfig.document(cluster.name, cluster.server, authority.pem, kubeconfig.client(pair), user))
    return target


def kubeconfig_of(paths: ClusterPaths, controller: str) -> Path:
    return paths.root / f"{controller}.kubeconfig"


def of_process(controller: str) -> tuple[ClusterPaths, Client]:
    """For a controller's process, whose arguments are the bed's folder and the cluster's name."""
    paths = BedPaths(Path(sys.argv[1])).cluster(sys.argv[2])
    port = json.loads(paths.settings.read_text(encoding="utf-8"))["api_port"]
    pki = paths.pki
    context = context_from(str(pki / "ca.crt"), str(pki / f"{controller}.crt"), str(pki / f"{controller}.key"))
    return paths, Client(f"https://127.0.0.1:{port}", context)
