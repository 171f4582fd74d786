# SPDX-License-Identifier: GPL-3.0-or-later
"""A credential program of a kubeconfig: hands out tokens of a ServiceAccount that die within seconds, as it is told.

    python -m integration.processes.credential BED CLUSTER ACCOUNT SECONDS told|untold LOG

`told` says when the token ends, as EKS and GKE do; `untold` leaves that to be found out. LOG gets a line a call: who asked.
"""

from __future__ import annotations

import json
import os
import sys
import time
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

from testbed import Bed, Cluster, kubeconfig
from testbed.pki import Authority

from integration.processes.system import command_line

API = "client.authentication.k8s.io/v1"
SPACE = "kube-system"


def main() -> None:
    bed, name, account, seconds, told, log = sys.argv[1:]
    token = Bed(bed).clusters[name].service_account_token(SPACE, account, float(seconds))
    status = {"token": token}
    if told == "told":
        status["expirationTimestamp"] = datetime.fromtimestamp(time.time() + float(seconds), timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")
    with open(log, "a", encoding="utf-8") as file:
        file.write(json.dumps({"caller": command_line(os.getppid()), "token": token}) + "\n")
    print(json.dumps({"apiVersion": API, "kind": "ExecCredential", "status": status}))


def make_account(cluster: Cluster, name: str) -> None:
    """A ServiceAccount that may do everything."""
    api = cluster.api()
    api.create(f"/api/v1/namespaces/{SPACE}/serviceaccounts", {"metadata": {"name": name}})
    binding: dict[str, Any] = {
        "metadata": {"name": name},
        "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": "cluster-admin"},
        "subjects": [{"kind": "ServiceAccount", "name": name, "namespace": SPACE}],
    }
    api.create("/apis/rbac.authorization.k8s.io/v1/clusterrolebindings", binding)
    api.close()


def write_kubeconfig(path: Path, cluster: Cluster, account: str, seconds: float, told: bool, log: Path) -> Path:
    """A kubeconfig whose only credentials are this program's."""
    words = [str(cluster.paths.bed.root), cluster.name, account, str(seconds), "told" if told else "untold", str(log)]
    program = {
        "apiVersion": API,
        "command": sys.executable,
        "args": ["-m", "integration.processes.credential", *words],
        "env": [{"name": "PYTHONPATH", "value": str(Path(__file__).resolve().parents[2])}],
        "interactiveMode": "Never",
    }
    kubeconfig.write(
        path, kubeconfig.document(cluster.name, cluster.server, Authority.load(cluster.paths.pki).pem, {"exec": program}, account)
    )
    return path


if __name__ == "__main__":
    main()
