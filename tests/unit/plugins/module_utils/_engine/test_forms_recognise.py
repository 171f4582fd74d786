# SPDX-License-Identifier: GPL-3.0-or-later
"""In which form WG was installed, by marks and by who is really there; and that it costs no request where no mark names anybody."""

from __future__ import annotations

import copy
import re
from pathlib import Path

import pytest

from ansible_collections.weaveworks.wge.plugins.module_utils._engine import snapshot
from ansible_collections.weaveworks.wge.plugins.module_utils._engine.forms import flux, flux_api, gitops, manifests, recognise
from ansible_collections.weaveworks.wge.plugins.module_utils._engine.forms.recognise import Owners, form_of, read_owners
from ansible_collections.weaveworks.wge.plugins.module_utils._engine.model import Object
from ansible_collections.weaveworks.wge.plugins.module_utils._engine.objects import path_of
from ansible_collections.weaveworks.wge.tests.unit.plugins.module_utils._engine.standin import StandInCluster
from ansible_collections.weaveworks.wge.tests.unit.plugins.module_utils._engine.standin_products import (
    NAMESPACE,
    RELEASE,
    WG_NAME,
    released,
    thing,
    wg_objects,
)
from ansible_collections.weaveworks.wge.tests.unit.plugins.module_utils._engine.standin_runs import lived_in

FLUX = ("helm.toolkit.fluxcd.io/v2", "helm.toolkit.fluxcd.io/v2beta1", "kustomize.toolkit.fluxcd.io/v1")
BY_FLUX = {"helm.toolkit.fluxcd.io/name": "wg", "helm.toolkit.fluxcd.io/namespace": NAMESPACE}
BY_GIT = {"kustomize.toolkit.fluxcd.io/name": "apps", "kustomize.toolkit.fluxcd.io/namespace": NAMESPACE}


def deployment(*, release: str = RELEASE, labels: dict[str, str] | None = None) -> Object:
    item = wg_objects()[0]
    if release:
        item = released(item, release)
    item = copy.deepcopy(item)
    item["metadata"]["labels"] = {**item["metadata"].get("labels", {}), **(labels or {})}
    return item


def helm_release(*, labels: dict[str, str] | None = None, **spec: object) -> Object:
    item = thing("helm.toolkit.fluxcd.io/v2", "HelmRelease", "wg", NAMESPACE, spec=spec)
    item["metadata"] |= {"labels": labels or {}, "generation": 2}
    return item


def kustomization(*listed: Object, **status: object) -> Object:
    entries = [{"id": gitops.entry_id(item), "v": "v1"} for item in listed]
    item = thing("kustomize.toolkit.fluxcd.io/v1", "Kustomization", "apps", NAMESPACE, spec={})
    item["metadata"]["generation"] = 1
    return {**item, "status": {"inventory": {"entries": entries}, **status}}


def shielded(item: Object, value: str = "disabled") -> Object:
    changed = copy.deepcopy(item)
    changed["metadata"].setdefault("annotations", {})[gitops.SHIELD] = value
    return changed


PLAIN = deployment(release="")
KEPT = helm_release(labels=BY_GIT)


@pytest.mark.parametrize(
    ("item", "owners", "form"),
    [
        (deployment(), Owners(), "helm"),
        (deployment(labels=BY_FLUX), Owners(helm_release()), "flux"),
        (deployment(labels=BY_FLUX), Owners(), "helm"),
        (deployment(labels=BY_FLUX), Owners(KEPT), "flux"),
        (deployment(labels=BY_FLUX), Owners(KEPT, kustomization(KEPT)), "gitops"),
        (deployment(labels=BY_FLUX), Owners(KEPT, kustomization(PLAIN)), "flux"),
        (deployment(labels=BY_FLUX), Owners(shielded(KEPT, "Disabled"), kustomization()), "gitops"),
        (deployment(labels=BY_FLUX), Owners(shielded(KEPT, "true"), kustomization()), "flux"),
        (PLAIN, Owners(), "manifests"),
        (PLAIN, Owners(None, kustomization(PLAIN)), "gitops_manifests"),
        (PLAIN, Owners(None, kustomization()), "manifests"),
    ],
    ids=[
        "A",
        "B",
        "the HelmRelease was deleted while suspended, its labels stay",
        "the Kustomization is gone",
        "C",
        "an orphan: labels, and not in the inventory",
        "out of the inventory since it is shielded",
        "a value that is no shield",
        "D by hand",
        "D out of git",
        "D, orphaned by git",
    ],
)
def test_a_form_is_told_by_who_is_really_there(item: Object, owners: Owners, form: str) -> None:
    assert form_of(item, owners) == form
    assert form in recognise.WORDS


def test_no_request_is_made_where_no_mark_names_an_owner() -> None:
    cluster = StandInCluster(served=FLUX)
    assert read_owners(cluster, deployment(), FLUX) == Owners()
    assert cluster.requests == []


def test_each_owner_that_is_named_costs_one_request_in_the_newest_version_that_is_served() -> None:
    cluster = _Answers({_HR: KEPT, _KS: kustomization(KEPT)})
    owners = read_owners(cluster, deployment(labels=BY_FLUX), FLUX)
    assert (len(owners.all), cluster.asked) == (2, [_HR, _KS])
    assert form_of(deployment(labels=BY_FLUX), owners) == "gitops"


def test_labels_of_a_flux_that_is_gone_cost_nothing() -> None:
    cluster = _Answers({})
    assert read_owners(cluster, deployment(labels=BY_FLUX), ["apps/v1"]) == Owners()
    assert cluster.asked == []


_HR = f"/apis/helm.toolkit.fluxcd.io/v2/namespaces/{NAMESPACE}/helmreleases/wg"
_KS = f"/apis/kustomize.toolkit.fluxcd.io/v1/namespaces/{NAMESPACE}/kustomizations/apps"


class _Answers(StandInCluster):
    """A cluster that answers by path."""

    def __init__(self, known: dict[str, Object]) -> None:
        super().__init__(served=FLUX)
        self.known = known
        self.asked: list[str] = []

    def get(self, path: str) -> Object | None:
        self.asked.append(path)
        return self.known.get(path)


def test_a_snapshot_reads_no_owner_of_a_plain_release(tmp_path: Path) -> None:
    world = lived_in(tmp_path)
    taken = snapshot.take(world.cluster, world.settings)
    assert (taken.owners, taken.installed.found.form) == (Owners(), "helm")
    assert not [path for _verb, path in world.cluster.requests if "toolkit.fluxcd.io" in path]


def test_a_snapshot_of_an_orphaned_release_is_that_of_a_plain_one(tmp_path: Path) -> None:
    world = lived_in(tmp_path)
    world.cluster.one("Deployment", WG_NAME)["metadata"]["labels"] |= BY_FLUX
    assert snapshot.take(world.cluster, world.settings).installed.found.form == "helm"


def test_the_versions_of_flux_are_those_that_are_served() -> None:
    assert flux_api.version_of("HelmRelease", ["helm.toolkit.fluxcd.io/v2beta1"]) == "helm.toolkit.fluxcd.io/v2beta1"
    assert flux_api.version_of("HelmRelease", FLUX) == "helm.toolkit.fluxcd.io/v2"
    assert flux_api.path_in("HelmRepository", "x", "y", FLUX) == ""
    assert flux_api.path_of(helm_release()) == _HR


@pytest.mark.parametrize(
    ("spec", "kept"),
    [
        ({}, flux.Kept("wg", NAMESPACE, NAMESPACE)),
        ({"targetNamespace": "wego"}, flux.Kept("wego-wg", "wego", NAMESPACE)),
        ({"targetNamespace": "wego", "storageNamespace": "wego", "releaseName": "ww"}, flux.Kept("ww", "wego", "wego")),
    ],
)
def test_the_release_of_a_helmrelease_is_worked_out_as_flux_does(spec: Object, kept: flux.Kept) -> None:
    assert flux.release_of(helm_release(**spec)) == kept


@pytest.mark.parametrize(("letters", "whole"), [(50, True), (51, False)])
def test_a_name_that_is_too_long_for_helm_is_cut_and_told_apart_by_a_hash(letters: int, whole: bool) -> None:
    name = flux.release_of(helm_release(targetNamespace="n" * letters)).name
    assert (name == "n" * letters + "-wg") is whole
    assert whole or re.fullmatch(r"n{40}-[0-9a-f]{12}", name)


@pytest.mark.parametrize(
    ("status", "words"),
    [
        ({}, "Flux has not seen its generation 2"),
        ({"observedGeneration": 2}, "it is not known to be ready or failed"),
        ({"observedGeneration": 1, "conditions": [{"type": "Ready", "status": "True"}]}, "Flux has not seen its generation 2"),
        (
            {"observedGeneration": 2, "conditions": [{"type": "Reconciling", "status": "True", "reason": "Progressing"}]},
            "it is reconciling (Progressing)",
        ),
        ({"observedGeneration": 2, "conditions": [{"type": "Stalled", "status": "True"}]}, "it is stalled (no reason given)"),
        ({"observedGeneration": 2, "conditions": [{"type": "Ready", "status": "False"}]}, ""),
        ({"observedGeneration": 2, "conditions": [{"type": "Ready", "status": "True"}]}, ""),
    ],
)
def test_flux_at_work_is_seen_by_conditions_and_generation(status: Object, words: str) -> None:
    assert flux.in_flight({**helm_release(), "status": status}) == words


READY = {"type": "Ready", "status": "True", "observedGeneration": 1}
RUN = {"lastHandledReconcileAt": "t1", "conditions": [READY], "lastAppliedRevision": "main@sha1:b"}


def test_a_run_is_proven_by_four_things_in_one_read() -> None:
    assert gitops.not_proven(kustomization(**RUN), "t1", "main@sha1:b") == ""


@pytest.mark.parametrize(
    ("changed", "spec", "words"),
    [
        ({"lastHandledReconcileAt": "t0"}, {}, "it has not taken up the request"),
        ({}, {"suspend": True}, "it is suspended"),
        ({"conditions": [{**READY, "status": "False", "message": "broken"}]}, {}, "it is not ready (broken)"),
        ({"conditions": []}, {}, "it is not ready (it says nothing)"),
        ({"conditions": [{**READY, "observedGeneration": 0}]}, {}, "it is ready for an older state of itself"),
        ({"lastAppliedRevision": "main@sha1:a"}, {}, "it has applied main@sha1:a, and its source is at main@sha1:b"),
        ({"lastAppliedRevision": None}, {}, "it has applied nothing, and its source is at main@sha1:b"),
    ],
)
def test_a_run_that_lacks_one_of_them_is_not_proven(changed: Object, spec: Object, words: str) -> None:
    found = {**kustomization(**{**RUN, **changed}), "spec": spec}
    assert gitops.not_proven(found, "t1", "main@sha1:b") == words


@pytest.mark.parametrize(
    ("item", "entry"),
    [
        (thing("v1", "Service", "s", "wg"), "wg_s__Service"),
        (thing("rbac.authorization.k8s.io/v1", "ClusterRole", "a:b"), "_a__b_rbac.authorization.k8s.io_ClusterRole"),
        (helm_release(), f"{NAMESPACE}_wg_helm.toolkit.fluxcd.io_HelmRelease"),
    ],
)
def test_an_inventory_names_objects_in_its_own_way(item: Object, entry: str) -> None:
    assert gitops.entry_id(item) == entry


def test_a_shield_may_be_a_label() -> None:
    item = helm_release(labels={gitops.SHIELD: "disabled"})
    assert gitops.is_shielded(item)
    assert gitops.applies(kustomization(), item)


def test_a_legacy_wg_consists_of_what_its_manifests_hold_and_neither_crd_nor_flux() -> None:
    item = thing("apps/v1", "Deployment", "wego-app", "wego-system")
    objects = manifests.objects_of(item, "")
    names = {(o["kind"], o["metadata"]["name"]) for o in objects}
    assert {("Service", "wego-app"), ("ClusterRole", "wego-helm-watcher-role"), ("RoleBinding", "admin-read-resources")} <= names
    assert not {kind for kind, _ in names} & {"CustomResourceDefinition", "Namespace"}
    assert all(path_of(o) for o in objects)


@pytest.mark.parametrize("user", ["admin", "jane"])
def test_a_rendered_chart_consists_of_what_its_release_would_hold(user: str) -> None:
    rendered = {path_of(o) for o in wg_objects(user=user)}
    assert rendered <= {path_of(o) for o in manifests.objects_of(PLAIN, user)}


def test_the_bindings_of_people_say_whom_they_bind() -> None:
    (bound,) = [o for o in manifests.objects_of(PLAIN, "jane") if o["kind"] == "ClusterRoleBinding" and "subjects" in o]
    assert (bound["roleRef"]["kind"], bound["roleRef"]["name"]) == ("ClusterRole", "wego-admin-cluster-role")
    assert bound["subjects"][0]["name"] == "jane"
