# SPDX-License-Identifier: GPL-3.0-or-later
"""A repository that Flux reads, a checkout of it, and what upgraded clusters say of it. The git program is the real one."""

from __future__ import annotations

import copy
import subprocess
from pathlib import Path
from typing import Any

from ansible_collections.weaveworks.wge.plugins.module_utils._argspec import GIT_CHANGES_SPEC
from ansible_collections.weaveworks.wge.plugins.module_utils._front import Surroundings, call

NAME = "ww-gitops"
NAMESPACE = "flux-system"
URL = "https://git.example.org/fleet.git"
ADDED = "weave-gitops-enterprise.yaml"
AUTHOR = {"user.name": "Ada", "user.email": "ada@example.org", "commit.gpgsign": "false"}

SOURCE = """\
---
# where the chart comes from
apiVersion: source.toolkit.fluxcd.io/v1beta2
kind: HelmRepository
metadata:
  name: ww-gitops
  namespace: flux-system
spec: {interval: 1h0m0s, url: "https://charts.example.org"}
"""
RELEASE = """\
---
apiVersion: helm.toolkit.fluxcd.io/v2beta1
kind: HelmRelease
metadata: {name: ww-gitops, namespace: flux-system}
spec:
  interval: 1h0m0s  # never in a hurry
  chart: {spec: {chart: weave-gitops, version: 4.0.36, sourceRef: {kind: HelmRepository, name: ww-gitops}}}
"""
OTHER = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: other, namespace: flux-system}\n"

WG = {"apiVersion": "helm.toolkit.fluxcd.io/v2", "kind": "HelmRelease", "metadata": {"name": NAME, "namespace": NAMESPACE}}
WGE: dict[str, Any] = {
    "apiVersion": "helm.toolkit.fluxcd.io/v2",
    "kind": "HelmRelease",
    "metadata": {
        "name": "weave-gitops-enterprise",
        "namespace": NAMESPACE,
        "uid": "u1",
        "resourceVersion": "7",
        "generation": 1,
        "labels": {"wge.weave.works/run": "r1", "team": "a"},
        "annotations": {"reconcile.fluxcd.io/requestedAt": "r1-wge"},
        "managedFields": [{"manager": "weaveworks-wge"}],
    },
    "spec": {"interval": "10m", "values": {"config": {"logLevel": "info"}}},
    "status": {"observedGeneration": 1},
}
SERVICE: dict[str, Any] = {
    "apiVersion": "v1",
    "kind": "Service",
    "metadata": {
        "name": "ww-gitops-weave-gitops",
        "namespace": NAMESPACE,
        "uid": "u2",
        "labels": {
            "app.kubernetes.io/managed-by": "Helm",
            "helm.sh/chart": "weave-gitops-4.0.36",
            "app.kubernetes.io/name": "weave-gitops",
        },
        "annotations": {"meta.helm.sh/release-name": NAME, "wge.weave.works/kept": "true", "helm.sh/resource-policy": "keep"},
    },
    "spec": {
        "type": "NodePort",
        "clusterIP": "10.0.0.1",
        "clusterIPs": ["10.0.0.1"],
        "ipFamilies": ["IPv4"],
        "selector": {"app": "clusters-service"},
        "ports": [{"name": "http", "port": 9001, "targetPort": 8000, "nodePort": 30901, "protocol": "TCP"}],
    },
}


class Fleet:
    """The repository ``origin``, and a checkout of it."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.origin, self.checkout = folder, folder / "origin.git", folder / "fleet"
        self.git("init", "--quiet", "--bare", "--initial-branch=main", str(self.origin), at=folder)
        self.git("clone", "--quiet", str(self.origin), str(self.checkout), at=folder)
        for name, value in AUTHOR.items():
            self.git("config", name, value)
        self.git("checkout", "--quiet", "-B", "main")

    def git(self, *words: str, at: Path | None = None) -> str:
        done = subprocess.run(["git", *words], cwd=at or self.checkout, check=True, capture_output=True, text=True)
        return done.stdout.rstrip("\n")

    def commit(self, files: dict[str, str]) -> str:
        for name, text in files.items():
            path = self.checkout / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)
        self.git("add", "--all")
        self.git("commit", "--quiet", "-m", "more")
        self.git("push", "--quiet", "origin", "main")
        return self.head

    @property
    def head(self) -> str:
        return self.git("rev-parse", "HEAD")

    def text(self, name: str, at: str = "HEAD") -> str:
        return self.git("show", f"{at}:{name}") + "\n"

    def says(self, path: str = "./clusters/c1", *, host: str = "c1", rung: str = "parked", **git: Any) -> dict[str, Any]:
        """The result of a cluster that reads ``path``."""
        known = {"state": "open", "kustomization": "flux-system/flux-system", "source": "GitRepository", "url": URL, "ref": "branch main"}
        applied = {"path": path, "revision": f"main@sha1:{self.head}"}
        pieces = {"objects": [copy.deepcopy(WGE), copy.deepcopy(SERVICE)], "drop": [WG], "alters": [], "notes": []}
        return {"host": host, "rung": rung, "git": {**known, **applied, **pieces, **git}}

    def ask(self, *clusters: dict[str, Any], check: bool = False, diff: bool = False, **given: Any) -> dict[str, Any]:
        known = {"checkout": str(self.checkout), "patch_dir": str(self.folder / "out"), "clusters": list(clusters) or [self.says()]}
        params = {name: {**known, **given}.get(name, option.get("default")) for name, option in GIT_CHANGES_SPEC.items()}
        return call("git_changes", params, Surroundings(lambda: "", lambda _event: None, check_mode=check, diff=diff))
