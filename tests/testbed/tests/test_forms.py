# SPDX-License-Identifier: GPL-3.0-or-later
"""Every form in which Weave GitOps is found, brought up by the bed's own command, serves; each looks as its form looks."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml
from testbed import Bed, Cluster, legacy, workloads
from testbed.flux import forms
from testbed.flux.runtime import GIT_REPOSITORY, KUSTOMIZATION
from testbed.layout import HERE

pytestmark = [pytest.mark.bed, pytest.mark.slow]


@pytest.fixture(autouse=True)
def _no_faults() -> None:
    """The other tests' bed is not needed here."""


SERVICES = "/api/v1/namespaces/{}/services/{}"
WG = "ww-gitops-weave-gitops"


@pytest.fixture
def up(tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[Cluster]:
    """One cluster of the form that the test names, twice up: the second time nothing is left to do."""
    command = [sys.executable, str(HERE / "bed.py"), "up", "--dir", str(tmp_path / "bed"), "--wg", request.param]
    with Bed(tmp_path / "bed") as bed:
        subprocess.run(command, check=True, timeout=300)
        cluster = bed.clusters["c1"]
        before = cluster.record["children"]
        subprocess.run(command, check=True, timeout=120)
        assert cluster.record["children"] == before
        assert workloads.answers(cluster.entry_url) == 200
        yield cluster


@pytest.mark.parametrize("up", ["helmrelease"], indirect=True)
def test_form_b(up: Cluster) -> None:
    api = up.api()
    release = api.get(forms.RELEASE_PATH)
    assert release["status"]["history"][0]["chartName"] == "weave-gitops"
    assert "kustomize.toolkit.fluxcd.io/name" not in release["metadata"].get("labels", {})
    labels = api.get(SERVICES.format(forms.NAMESPACE, WG))["metadata"]["labels"]
    assert labels["helm.toolkit.fluxcd.io/name"] == forms.NAME
    assert labels["app.kubernetes.io/managed-by"] == "Helm"
    assert workloads.helm(up, "list", "-n", forms.NAMESPACE, "-q").split() == [forms.NAME]


@pytest.mark.parametrize("up", ["kustomization"], indirect=True)
def test_form_c(up: Cluster) -> None:
    api = up.api()
    release = api.get(forms.RELEASE_PATH)
    assert release["metadata"]["labels"]["kustomize.toolkit.fluxcd.io/name"] == forms.NAMESPACE
    sync = api.get(KUSTOMIZATION.path((forms.NAMESPACE, forms.NAMESPACE)))
    assert sync["spec"]["prune"] is True
    inventory = {item["id"] for item in sync["status"]["inventory"]["entries"]}
    assert f"{forms.NAMESPACE}_{forms.NAME}_helm.toolkit.fluxcd.io_HelmRelease" in inventory
    source = api.get(GIT_REPOSITORY.path((forms.NAMESPACE, forms.NAMESPACE)))
    assert sync["status"]["lastAppliedRevision"] == source["status"]["artifact"]["revision"]


@pytest.mark.parametrize("up", ["wego-app", "wego-app-git"], indirect=True)
def test_form_d(up: Cluster) -> None:
    api = up.api()
    service = api.get(SERVICES.format(legacy.NAMESPACE, legacy.NAME))
    assert service["spec"]["selector"] == {"app": legacy.NAME}
    port = service["spec"]["ports"][0]
    assert (port.get("name"), port["port"], port["targetPort"]) == (None, 9001, 9001)
    managers = {item["manager"] for item in service["metadata"]["managedFields"]}
    assert managers & {legacy.MANAGER, "kustomize-controller"}
    assert not any("helm" in key for key in service["metadata"].get("annotations", {}))
    assert api.find(f"/api/v1/namespaces/{legacy.NAMESPACE}/secrets/cluster-user-auth") is None
    assert api.get(f"/apis/wego.weave.works/v1alpha1/namespaces/{legacy.NAMESPACE}/apps/podinfo")
    deployments = {item["metadata"]["name"] for item in api.get(f"/apis/apps/v1/namespaces/{legacy.NAMESPACE}/deployments")["items"]}
    assert deployments >= {legacy.NAME, "source-controller", "helm-controller"}
    answer = up.ask({"url": f"http://{service['spec']['clusterIP']}:9001/v1/applications"})[0]
    assert (answer["status"], answer["body"]) == (200, '{"applications":[]}')
    inventory = yaml.safe_load(up.paths.bed.inventory.read_text(encoding="utf-8"))
    assert "c1" in inventory["all"]["children"]["fleet"]["hosts"]
