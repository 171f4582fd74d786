# SPDX-License-Identifier: GPL-3.0-or-later
"""One cluster with Weave GitOps for all tests of the bed; `WGE_TESTBED_DIR` names a running bed to use instead."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from testbed import Bed, Cluster, wait_until, workloads


@pytest.fixture(scope="session")
def bed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Bed]:
    """A bed of one cluster."""
    given = os.environ.get("WGE_TESTBED_DIR")
    if given:
        yield Bed(given)
        return
    with Bed.up(tmp_path_factory.mktemp("bed"), clusters=1, wg="helm") as running:
        yield running


@pytest.fixture(scope="session")
def cluster(bed: Bed) -> Cluster:
    """Its cluster."""
    return bed.clusters["c1"]


@pytest.fixture(autouse=True)
def _no_faults(cluster: Cluster) -> Iterator[None]:
    """Each test begins and ends without faults."""
    cluster.faults()
    yield
    cluster.faults()


@pytest.fixture(scope="session")
def service_address(cluster: Cluster) -> Callable[[str], str]:
    """Name of a Service to its ClusterIP."""

    def find(name: str) -> str:
        return str(cluster.api().get(f"/api/v1/namespaces/{workloads.NAMESPACE}/services/{name}")["spec"]["clusterIP"])

    return find


@pytest.fixture(scope="session")
def wge(cluster: Cluster) -> Cluster:
    """The same cluster with Weave GitOps Enterprise beside it: plain HTTP, and as its chart makes it otherwise."""
    if "wge" not in workloads.helm(cluster, "list", "-n", workloads.NAMESPACE, "-q").split():
        workloads.helm(
            cluster, "install", "wge", str(cluster.paths.bed.charts / "mccp"), "-n", workloads.NAMESPACE, "--set", "tls.enabled=false"
        )
    wait_until("WGE", lambda: workloads.rolled_out(cluster, workloads.WGE), 60)
    wait_until("WGE's answer", lambda: cluster.ask({"url": f"http://{_address(cluster)}:8000/v1/featureflags"})[0].get("status") == 200, 30)
    return cluster


def _address(cluster: Cluster) -> str:
    return str(cluster.api().get(f"/api/v1/namespaces/{workloads.NAMESPACE}/services/clusters-service")["spec"]["clusterIP"])
