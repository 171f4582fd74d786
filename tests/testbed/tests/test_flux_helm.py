# SPDX-License-Identifier: GPL-3.0-or-later
"""The stand-in for helm-controller shows what the real one does, before anything relies on it."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from testbed import Bed, Cluster, wait_until, workloads
from testbed.api import Api
from testbed.flux import forms, install, repository
from testbed.flux.runtime import FINALIZER, OCI_REPOSITORY
from testbed.flux.storage import decode, encode
from testbed.tests import flux_bed
from testbed.tests.flux_bed import NAMESPACE, HelmRelease, Object, settled

pytestmark = [pytest.mark.bed, pytest.mark.slow]


@pytest.fixture(autouse=True)
def _no_faults() -> None:
    """The other tests' bed is not needed here."""


@pytest.fixture(scope="module")
def flux(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    """A cluster with Flux's stand-ins and nothing else."""
    with Bed.up(tmp_path_factory.mktemp("flux"), clusters=1, wg="none") as bed:
        cluster = bed.clusters["c1"]
        flux_bed.pack(cluster, tmp_path_factory.mktemp("charts"))
        install.install(cluster)
        flux_bed.source(cluster.api())
        yield cluster


@pytest.fixture
def api(flux: Cluster) -> Api:
    return flux.api()


def create_service(api: Api, name: str, owner: str = "") -> Object:
    meta: Object = {"name": name}
    if owner:
        meta["annotations"] = {"meta.helm.sh/release-name": owner, "meta.helm.sh/release-namespace": NAMESPACE}
        meta["labels"] = {"app.kubernetes.io/managed-by": "Helm"}
    spec = {"ports": [{"port": 80}], "selector": {"app": "nobody"}}
    found: Object = api.create(f"/api/v1/namespaces/{NAMESPACE}/services", {"metadata": meta, "spec": spec})
    return found


def test_install(api: Api) -> None:
    """Finalizer, HelmChart, conditions, history, observedGeneration, labels of the owner."""
    release = HelmRelease(api, "fresh")
    found = release.wait_ready()
    assert found["metadata"]["finalizers"] == [FINALIZER]
    status = found["status"]
    assert status["helmChart"] == f"{NAMESPACE}/{NAMESPACE}-fresh"
    assert (status["storageNamespace"], status["lastAttemptedRevision"]) == (NAMESPACE, "1.0.0")
    assert [item["status"] for item in status["history"]] == ["deployed"]
    assert {item["type"]: item["status"] for item in status["conditions"]} == {"Released": "True", "Ready": "True"}
    service = release.service()
    assert service is not None
    labels = service["metadata"]["labels"]
    assert labels["helm.toolkit.fluxcd.io/name"] == "fresh"
    assert labels["helm.toolkit.fluxcd.io/namespace"] == NAMESPACE
    release.patch(values={"color": "green"})
    assert release.wait_ready()["status"]["history"][0]["version"] == 2
    assert [item["status"] for item in release.status()["history"]] == ["deployed", "superseded"]
    assert release.color() == "green"


def test_suspend(api: Api) -> None:
    """A suspended one is looked at, and nothing is done; the token is acknowledged all the same."""
    release = HelmRelease(api, "still")
    release.wait_ready()
    release.patch(suspend=True, values={"color": "blue"})
    release.wait_observed()
    release.reconcile()
    settled(lambda: release.color() == "red" and release.condition("Ready")["status"] == "True")
    release.patch(suspend=False)
    release.wait_ready()
    wait_until("the new colour", lambda: release.color() == "blue", 20)


def test_k9_deletion(api: Api) -> None:
    """A suspended HelmRelease leaves release, HelmChart and objects; one that is not suspended takes all with it."""
    release = HelmRelease(api, "gone")
    release.wait_ready()
    release.patch(suspend=True)
    release.delete()
    assert release.color() == "red"
    assert release.service() and release.chart()
    assert len(release.secrets()) == 1
    again = HelmRelease(api, "gone")
    again.wait_ready()
    again.delete()
    assert again.color() is None and again.service() is None
    assert not again.secrets()
    wait_until("end of the HelmChart", lambda: again.chart() is None, 10)


def test_k8_other_chart_uninstalls_first(api: Api) -> None:
    release = HelmRelease(api, "moved", values={"serviceName": "kept-by-name"})
    release.wait_ready()
    before = release.service("kept-by-name")
    release.patch(chart={"spec": {"chart": "other"}})
    found = release.wait_ready()
    after = release.service("kept-by-name")
    assert before and after
    assert before["metadata"]["uid"] != after["metadata"]["uid"]
    assert [(item["chartName"], item["version"]) for item in found["status"]["history"]] == [("other", 1)]


def test_k8_other_release_name_uninstalls_first(api: Api) -> None:
    release = HelmRelease(api, "named", values={"serviceName": "named-service"})
    release.wait_ready()
    before = release.service("named-service")
    release.patch(releaseName="renamed")
    release.wait_ready()
    after = release.service("named-service")
    assert before and after and before["metadata"]["uid"] != after["metadata"]["uid"]
    assert not release.secrets() and len(release.secrets(name="renamed")) == 1


def test_k12_takes_ownership(api: Api) -> None:
    """On install and on upgrade, of what nobody owns and of what another release owns."""
    stranger = create_service(api, "taken", owner="somebody")
    release = HelmRelease(api, "taken")
    release.wait_ready()
    service = release.service()
    assert service and service["metadata"]["uid"] == stranger["metadata"]["uid"]
    assert service["metadata"]["annotations"]["meta.helm.sh/release-name"] == "taken"
    create_service(api, "taken-later", owner="somebody")
    release.patch(values={"serviceName": "taken-later"})
    release.wait_ready()
    later = release.service("taken-later")
    assert later and later["metadata"]["annotations"]["meta.helm.sh/release-name"] == "taken"


def test_disable_take_ownership(api: Api) -> None:
    stranger = create_service(api, "not-taken", owner="somebody")
    release = HelmRelease(api, "not-taken", install={"disableTakeOwnership": True})
    words = release.wait_condition("Ready", "InstallFailed")["message"]
    assert "cannot be imported into the current release" in words
    service = release.service()
    assert service and service["metadata"]["resourceVersion"] == stranger["metadata"]["resourceVersion"]
    assert release.color() is None
    release.patch(suspend=True)
    release.wait_observed()
    release.delete()


def test_k5_dropped_objects(api: Api) -> None:
    """What drops out of the manifest goes, unless the live object is annotated to stay."""
    for name, keep in (("dropped", False), ("left", True)):
        release = HelmRelease(api, name)
        release.wait_ready()
        if keep:
            path = f"/api/v1/namespaces/{NAMESPACE}/services/{name}"
            api.patch(path, {"metadata": {"annotations": {"helm.sh/resource-policy": "keep"}}})
        release.patch(values={"service": False})
        release.wait_ready()
        assert (release.service() is not None) == keep
        release.delete()
        assert (release.service() is not None) == keep


def test_token_and_force(api: Api) -> None:
    """Changed sources of values wake nobody; the token does, and a forced one upgrades what is in sync."""
    data = f"/api/v1/namespaces/{NAMESPACE}/configmaps"
    api.create(data, {"metadata": {"name": "colours"}, "data": {"values.yaml": "color: white"}})
    release = HelmRelease(api, "asked", valuesFrom=[{"kind": "ConfigMap", "name": "colours"}])
    release.wait_ready()
    assert release.color() == "white"
    api.patch(f"{data}/colours", {"data": {"values.yaml": "color: black"}})
    settled(lambda: release.color() == "white")
    status = release.reconcile()["status"]
    assert release.color() == "black"
    assert status["history"][0]["version"] == 2
    release.reconcile()
    assert release.status()["history"][0]["version"] == 2
    release.reconcile("forceAt")
    assert release.status()["history"][0]["version"] == 3


def test_failed_upgrade_stalls(api: Api) -> None:
    """Without remediation it stays failed, the history says so, and nothing is tried again until something changes."""
    release = HelmRelease(api, "stalled")
    release.wait_ready()
    release.patch(values={"color": "pink", "port": 99999999})
    release.wait_condition("Stalled", "RetriesExceeded")
    release.wait_observed()
    status = release.status()
    assert [item["status"] for item in status["history"]] == ["failed", "deployed"]
    assert (status["failures"], status["upgradeFailures"]) == (1, 1)
    assert release.condition("Ready")["reason"] == "UpgradeFailed"
    release.patch(values={"color": "pink", "port": 81})
    release.wait_ready()
    assert not release.condition("Stalled")
    assert release.color() == "pink"


def test_rollback(api: Api) -> None:
    """Remediation by rollback brings the former state back and leaves Ready False."""
    remediation = {"remediateLastFailure": True, "strategy": "rollback"}
    release = HelmRelease(api, "rolled", upgrade={"remediation": remediation})
    release.wait_ready()
    release.patch(values={"color": "pink", "port": 99999999})
    release.wait_condition("Ready", "RollbackSucceeded")
    release.wait_condition("Stalled", "RetriesExceeded")
    assert release.condition("Remediated")["status"] == "True"
    assert release.condition("Ready")["status"] == "False"
    assert release.color() == "red"
    assert [decode(item)["info"]["status"] for item in release.secrets()].count("deployed") == 1


def test_install_retries(api: Api) -> None:
    """Each failed install is uninstalled before the next; then it stalls with nothing left."""
    release = HelmRelease(api, "retried", values={"port": 99999999}, install={"remediation": {"retries": 1, "remediateLastFailure": True}})
    release.wait_condition("Stalled", "RetriesExceeded")
    assert release.status()["installFailures"] == 2
    assert not release.secrets()
    assert release.color() is None
    release.patch(values={"port": 80})
    release.wait_ready()


def test_parked_release_is_absent_to_flux(api: Api) -> None:
    """Why a release that Flux owns must not be parked: Flux installs again. Helm's own Secret names stop it here."""
    release = HelmRelease(api, "parked")
    release.wait_ready()
    for item in release.secrets():
        api.patch(f"/api/v1/namespaces/{NAMESPACE}/secrets/{item['metadata']['name']}", {"metadata": {"labels": {"owner": "parked"}}})
    api.patch(release.path, {"metadata": {"annotations": {"reconcile.fluxcd.io/requestedAt": "now"}}})
    assert "already exists" in release.wait_condition("Ready", "InstallFailed")["message"]
    release.patch(suspend=True)  # else it would be tried again and again


def test_changed_behind_its_back_is_upgraded(flux: Cluster, api: Api) -> None:
    release = HelmRelease(api, "foreign")
    release.wait_ready()
    chart = str(flux.paths.bed.chart_repository / "probe-1.0.0.tgz")
    workloads.helm(flux, "upgrade", "foreign", chart, "-n", NAMESPACE, "--set", "color=foreign")
    assert release.color() == "foreign"
    release.reconcile()
    release.wait_ready()
    assert release.color() == "red"


def test_pending_release_is_unlocked(api: Api) -> None:
    release = HelmRelease(api, "pending")
    release.wait_ready()
    secret = release.secrets()[0]
    content = decode(secret)
    content["info"]["status"] = "pending-upgrade"
    data = {"data": {"release": encode(content)}, "metadata": {"labels": {"status": "pending-upgrade"}}}
    api.patch(f"/api/v1/namespaces/{NAMESPACE}/secrets/{secret['metadata']['name']}", data)
    release.reconcile()
    found = release.wait_ready()
    assert found["status"]["history"][0]["version"] == 2


def test_namespaces(api: Api) -> None:
    """Objects and release Secrets in other namespaces than the HelmRelease."""
    for name in ("target", "storage"):
        api.create("/api/v1/namespaces", {"metadata": {"name": name}})
    release = HelmRelease(api, "afar", targetNamespace="target", storageNamespace="storage")
    found = release.wait_ready()
    assert found["status"]["history"][0]["namespace"] == "target"
    assert len(release.secrets("storage", "target-afar")) == 1
    assert not release.secrets("target", "target-afar")
    assert api.find("/api/v1/namespaces/target/configmaps/target-afar")
    release.patch(values={"color": "green"})
    release.wait_ready()
    assert len(release.secrets("storage", "target-afar")) == 2
    release.delete()
    assert api.find("/api/v1/namespaces/target/configmaps/target-afar") is None
    assert not release.secrets("storage", "target-afar")


def test_post_renderers(api: Api) -> None:
    patch = '[{"op": "add", "path": "/metadata/annotations", "value": {"patched": "yes"}}]'
    renderer = {"kustomize": {"patches": [{"patch": patch, "target": {"kind": "Service"}}]}}
    release = HelmRelease(api, "patched", postRenderers=[renderer])
    release.wait_ready()
    service = release.service()
    assert service and service["metadata"]["annotations"]["patched"] == "yes"
    release.patch(postRenderers=None)
    release.wait_ready()
    service = release.service()
    assert service and "patched" not in service["metadata"]["annotations"]


def test_chart_not_found(api: Api) -> None:
    release = HelmRelease(api, "no-chart", version="9.9.9")
    words = release.wait_condition("Ready", "SourceNotReady")["message"]
    assert "latest generation of object has not been reconciled" in words
    wait_until("the HelmChart to say why", lambda: "invalid chart reference" in str(release.chart()), 20)
    release.patch(chart={"spec": {"version": "1.x"}})
    assert release.wait_ready()["status"]["lastAttemptedRevision"] == "1.1.0"


def test_dependency(api: Api) -> None:
    release = HelmRelease(api, "after", dependsOn=[{"name": "before"}])
    release.wait_condition("Ready", "DependencyNotReady")
    HelmRelease(api, "before").wait_ready()
    release.wait_ready()


def test_oci_chart_reference(api: Api) -> None:
    spec = {"interval": "1h", "url": "oci://registry.example.org/charts/probe", "ref": {"tag": "1.1.0"}}
    path = OCI_REPOSITORY.path((NAMESPACE, "probe"))
    item = {"apiVersion": OCI_REPOSITORY.api_version, "kind": "OCIRepository", "metadata": {"name": "probe"}, "spec": spec}
    api.create(path.rpartition("/")[0], item)
    release = HelmRelease(api, "by-oci", chartRef={"kind": "OCIRepository", "name": "probe"})
    status = release.wait_ready()["status"]
    assert status["lastAttemptedRevisionDigest"].startswith("sha256:")
    assert "helmChart" not in status
    api.patch(path, {"spec": {"ref": {"tag": "1.0.0"}}})
    wait_until("the other version", lambda: release.status()["history"][0]["chartVersion"] == "1.0.0", 20)


def test_sources(flux: Cluster, api: Api) -> None:
    """A login is needed where one is asked for; an artifact outlives its server, and releases go on with it."""
    secret = {"metadata": {"name": "login"}, "stringData": {"username": repository.USER, "password": "wrong"}}
    api.create(f"/api/v1/namespaces/{NAMESPACE}/secrets", secret)
    path = flux_bed.source(api, "private", url=repository.PRIVATE_URL, secretRef={"name": "login"})
    wait_until("the refusal", lambda: "401" in str(api.get(path).get("status", {}).get("conditions")), 20)
    api.patch(f"/api/v1/namespaces/{NAMESPACE}/secrets/login", {"stringData": {"password": repository.PASSWORD}})
    forms.reconcile(api, path)
    assert forms.wait_ready(api, path)["status"]["artifact"]["digest"].startswith("sha256:")
    release = HelmRelease(api, "orphan")
    release.wait_ready()
    flux.withdraw(repository.NAME)
    try:
        api.patch(path, {"metadata": {"annotations": {"reconcile.fluxcd.io/requestedAt": "down"}}})
        wait_until("the failure", lambda: api.get(path)["status"]["conditions"][-1]["status"] == "False", 20)
        assert api.get(path)["status"]["artifact"]
        release.patch(values={"color": "green"})
        release.wait_ready()
        assert release.color() == "green"
    finally:
        install.start(flux, install.STAND_INS)


def test_killed_in_the_middle(flux: Cluster, api: Api) -> None:
    """Whatever state it leaves, the next process brings it to its end."""
    release = HelmRelease(api, "killed")
    wait_until("the finalizer", lambda: release.get()["metadata"].get("finalizers"), 20)
    flux.kill("helm-controller")
    release.wait_ready(60)
    assert release.color() == "red"


def test_versions_of_the_kind(api: Api) -> None:
    """Flux's own CRDs: what was written in the oldest version is served in all."""
    HelmRelease(api, "versions").wait_ready()
    for version in ("v2beta1", "v2beta2", "v2"):
        found = api.get(f"/apis/helm.toolkit.fluxcd.io/{version}/namespaces/{NAMESPACE}/helmreleases/versions")
        assert found["status"]["observedGeneration"] == 1
    for path in ("helmrepositories/charts", f"helmcharts/{NAMESPACE}-versions"):
        assert api.get(f"/apis/source.toolkit.fluxcd.io/v1beta2/namespaces/{NAMESPACE}/{path}")["status"]["artifact"]
