# SPDX-License-Identifier: GPL-3.0-or-later
"""Where everything of a bed and of one of its clusters lies."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

HERE = Path(__file__).resolve().parent
CHARTS = HERE / "charts"


@dataclass(frozen=True)
class BedPaths:
    """The folder a bed keeps: what users read lies at its top."""

    root: Path

    @property
    def inventory(self) -> Path:
        return self.root / "inventory.yml"

    @property
    def exec(self) -> Path:
        return self.root / "exec"

    @property
    def helm(self) -> Path:
        return self.root / "helm"

    @property
    def charts(self) -> Path:
        return self.root / "charts"

    @property
    def chart_repository(self) -> Path:
        return self.root / "repository"

    @property
    def git(self) -> Path:
        return self.root / "git"

    @property
    def entitlement(self) -> Path:
        return self.root / "entitlement.jwt"

    @property
    def entitlement_expired(self) -> Path:
        return self.root / "entitlement-expired.jwt"

    @property
    def entitlement_public(self) -> Path:
        return self.root / "entitlement.pub"

    @property
    def entitlement_key(self) -> Path:
        return self.root / "entitlement.key"

    @property
    def pids(self) -> Path:
        return self.root / "pids"

    @property
    def logs(self) -> Path:
        return self.root / "logs"

    def cluster(self, name: str) -> ClusterPaths:
        return ClusterPaths(self, name)

    def known_clusters(self) -> list[str]:
        """Names of every cluster that was ever begun here and not taken down."""
        found = {path.stem for path in self.pids.glob("*.lock")} | {path.name for path in (self.root / "clusters").glob("*")}
        return sorted(found, key=lambda name: (len(name), name))


@dataclass(frozen=True)
class ClusterPaths:
    """The files of one cluster."""

    bed: BedPaths
    name: str

    @property
    def root(self) -> Path:
        return self.bed.root / "clusters" / self.name

    @property
    def pki(self) -> Path:
        return self.root / "pki"

    @property
    def settings(self) -> Path:
        return self.root / "cluster.json"

    @property
    def faults(self) -> Path:
        return self.root / "faults.json"

    @property
    def servers(self) -> Path:
        return self.root / "servers.json"

    @property
    def pods(self) -> Path:
        return self.root / "pods"

    @property
    def logs(self) -> Path:
        return self.bed.logs / self.name

    @property
    def audit(self) -> Path:
        return self.logs / "audit.log"

    @property
    def kubeconfig(self) -> Path:
        return self.bed.root / f"{self.name}.kubeconfig"

    @property
    def lock(self) -> Path:
        return self.bed.pids / f"{self.name}.lock"

    @property
    def record(self) -> Path:
        return self.bed.pids / f"{self.name}.json"

    @property
    def stop(self) -> Path:
        return self.bed.pids / f"{self.name}.stop"
