# SPDX-License-Identifier: GPL-3.0-or-later
"""The ways in which the bed brings Weave GitOps onto a cluster; what a way needs beyond the core set is built only for it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from . import ingress, legacy, workloads
from .cluster import Cluster, wait_until
from .flux import forms
from .flux import install as flux
from .layout import BedPaths
from .tools import Tool

#: Cluster, name of the fixture chart, more files of values.
Install = Callable[[Cluster, str, list[Path] | None], object]


@dataclass(frozen=True)
class Way:
    """How it is installed, with what; None leaves the cluster without it."""

    install: Install | None
    tools: tuple[Tool, ...] = ()
    #: Namespace and Service to which an Ingress is made by hand, for this way makes none.
    service: tuple[str, str] | None = None

    def prepare(self, bed: BedPaths) -> None:
        """What all clusters share."""
        if self.tools:
            forms.prepare_bed(bed.charts, bed.chart_repository)

    def bring(self, cluster: Cluster, chart: str, values: list[Path], with_ingress: bool) -> None:
        """Install it; with an ingress controller and an Ingress if wanted."""
        assert self.install is not None
        if with_ingress:
            ingress.install(cluster)
            values = [ingress.values(cluster), *values]
        self.install(cluster, chart, values)
        if with_ingress:
            self._reach(cluster)

    def _reach(self, cluster: Cluster) -> None:
        if self.service:
            ingress.route(cluster.api(), *self.service)
        wait_until(f"the dashboard of {cluster.name} at {cluster.ingress_url}", lambda: workloads.answers(cluster.ingress_url) == 200, 30)


WAYS = {
    "none": Way(None),
    "helm": Way(workloads.install_wg),
    "helmrelease": Way(forms.by_helm_release, flux.TOOLS),
    "kustomization": Way(forms.by_kustomization, flux.ALL_TOOLS),
    "kustomization-shared": Way(partial(forms.by_kustomization, path=forms.SHARED), flux.ALL_TOOLS),
    "wego-app": Way(lambda cluster, _chart, _values: legacy.by_hand(cluster), flux.TOOLS, (legacy.NAMESPACE, legacy.NAME)),
    "wego-app-git": Way(lambda cluster, _chart, _values: legacy.by_git(cluster), flux.ALL_TOOLS, (legacy.NAMESPACE, legacy.NAME)),
}
HELP = (
    "how Weave GitOps is installed: by helm (form A), by a HelmRelease applied by hand (B) or from git by a Kustomization (C), "
    "from the manifests of v0.6.2 by hand or from git (D), or not at all"
)
