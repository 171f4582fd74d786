# SPDX-License-Identifier: GPL-3.0-or-later
"""The real ingress controller: it leads to the dashboard by EndpointSlices, not by kube-proxy, and follows them."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from testbed import Bed, Cluster, wait_until, workloads
from testbed.load import Load

pytestmark = [pytest.mark.bed, pytest.mark.slow]


@pytest.fixture(autouse=True)
def _no_faults() -> None:
    """The other tests' bed is not needed here."""


INGRESS = f"/apis/networking.k8s.io/v1/namespaces/{workloads.NAMESPACE}/ingresses/ww-gitops-weave-gitops"
DEPLOYMENT = f"{workloads.DEPLOYMENTS}/ww-gitops-weave-gitops"


@pytest.fixture(scope="module")
def reached(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    """A cluster with Weave GitOps behind Traefik."""
    with Bed.up(tmp_path_factory.mktemp("ingress"), clusters=1, wg="helm", ingress=True) as bed:
        yield bed.clusters["c1"]


def test_serves_without_kube_proxy(reached: Cluster) -> None:
    found = wait_until("the Ingress's address", lambda: reached.api().get(INGRESS)["status"]["loadBalancer"].get("ingress"), 20)
    assert found == [{"ip": "192.168.77.10"}]
    reached.exec("nft", "flush", "ruleset")
    result = Load(reached.ingress_url, 25, 4, kept=False).run()
    assert (result["sent"], result["lost"]) == (100, 0)


def test_follows_endpoints(reached: Cluster) -> None:
    """No pod, no answer; a new one, and it answers again. Other names than the Ingress's are not served."""
    api = reached.api()
    api.patch(DEPLOYMENT, {"spec": {"replicas": 0}})
    wait_until("503", lambda: workloads.answers(reached.ingress_url) == 503, 20)
    api.patch(DEPLOYMENT, {"spec": {"replicas": 1}})
    wait_until("200", lambda: workloads.answers(reached.ingress_url) == 200, 40)
    assert workloads.answers(reached.ingress_url.replace("localhost", "127.0.0.1")) == 404
