# SPDX-License-Identifier: GPL-3.0-or-later
"""The real kustomize-controller on the bed: artifacts of the bed's git, pruning, and what shields an object (K10, K11)."""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import Any

import pytest
import yaml
from testbed import Bed, Cluster, wait_until
from testbed.api import Api
from testbed.flux import forms, install
from testbed.flux.apply import apply
from testbed.flux.git import Repository
from testbed.flux.runtime import GIT_REPOSITORY, KUSTOMIZATION
from testbed.tests.flux_bed import settled

pytestmark = [pytest.mark.bed, pytest.mark.slow]


@pytest.fixture(autouse=True)
def _no_faults() -> None:
    """The other tests' bed is not needed here."""


NAMESPACE = "flux-system"
SOURCE = GIT_REPOSITORY.path((NAMESPACE, NAMESPACE))
SYNC = KUSTOMIZATION.path((NAMESPACE, NAMESPACE))
MAPS = "/api/v1/namespaces/default/configmaps"
SHIELD = {"metadata": {"annotations": {"kustomize.toolkit.fluxcd.io/reconcile": "disabled"}}}


@pytest.fixture(scope="module")
def flux(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    """A cluster with all of Flux, and a Kustomization of an almost empty path."""
    with Bed.up(tmp_path_factory.mktemp("flux"), clusters=1, wg="none") as bed:
        cluster = bed.clusters["c1"]
        install.install(cluster, install.ALL)
        git = Repository(bed.paths.git)
        git.commit({"sync/first.yaml": config_map("first")}, "Begin")
        apply(cluster.api(), forms.bootstrap(git, "sync", "1h"), "flux")
        yield cluster


@pytest.fixture
def api(flux: Cluster) -> Api:
    found = flux.api()
    forms.wait_ready(found, SYNC)
    return found


@pytest.fixture
def git(flux: Cluster) -> Repository:
    return Repository(flux.paths.bed.git)


def config_map(name: str, **data: str) -> str:
    meta = {"name": name, "namespace": "default"}
    return str(yaml.safe_dump({"apiVersion": "v1", "kind": "ConfigMap", "metadata": meta, "data": data}))


def synchronise(api: Api, git: Repository) -> None:
    """Until the newest commit was applied."""
    forms.reconcile(api, SOURCE)
    wait_until("the newest commit", lambda: api.get(SYNC)["status"].get("lastAppliedRevision") == f"main@sha1:{git.head}", 30)


def force(api: Api) -> None:
    """One more run that is proven: token, revision and Ready in one read (K17)."""
    forms.reconcile(api, SYNC)


def inventory(api: Api) -> set[str]:
    return {item["id"] for item in api.get(SYNC)["status"]["inventory"]["entries"]}


def data_of(api: Api, name: str) -> Any:
    found = api.find(f"{MAPS}/{name}")
    return None if found is None else found.get("data", {})


def test_apply_and_prune(api: Api, git: Repository) -> None:
    git.commit({"sync/a.yaml": config_map("a", value="1")}, "Add a")
    synchronise(api, git)
    assert data_of(api, "a") == {"value": "1"}
    assert api.get(f"{MAPS}/a")["metadata"]["labels"]["kustomize.toolkit.fluxcd.io/name"] == NAMESPACE
    assert "default_a__ConfigMap" in inventory(api)
    git.commit({"sync/a.yaml": None}, "Drop a")
    synchronise(api, git)
    wait_until("the pruning", lambda: data_of(api, "a") is None, 10)


def test_k10_shield(api: Api, git: Repository) -> None:
    """The live object's annotation alone keeps it from being applied and from being pruned; without it both happen."""
    git.commit({"sync/shielded.yaml": config_map("shielded", value="1"), "sync/bare.yaml": config_map("bare", value="1")}, "Add two")
    synchronise(api, git)
    api.patch(f"{MAPS}/shielded", SHIELD)
    force(api)
    for name in ("shielded", "bare"):
        api.patch(f"{MAPS}/{name}", {"data": {"value": "live"}})
    force(api)
    assert (data_of(api, "shielded"), data_of(api, "bare")) == ({"value": "live"}, {"value": "1"})
    git.commit({"sync/shielded.yaml": None, "sync/bare.yaml": None}, "Drop two")
    synchronise(api, git)
    wait_until("the pruning", lambda: data_of(api, "bare") is None, 10)
    assert data_of(api, "shielded") == {"value": "live"}
    api.patch(f"{MAPS}/shielded", {"metadata": {"annotations": {"kustomize.toolkit.fluxcd.io/reconcile": None}}})
    force(api)
    assert data_of(api, "shielded") == {"value": "live"}, "what left git while shielded is never pruned any more"


def test_k10_prune_disabled(api: Api, git: Repository) -> None:
    """Applied as usual, and left when git drops it."""
    git.commit({"sync/kept.yaml": config_map("kept", value="1")}, "Add kept")
    synchronise(api, git)
    api.patch(f"{MAPS}/kept", {"data": {"value": "live"}, "metadata": {"annotations": {"kustomize.toolkit.fluxcd.io/prune": "disabled"}}})
    force(api)
    assert data_of(api, "kept") == {"value": "1"}
    git.commit({"sync/kept.yaml": None}, "Drop kept")
    synchronise(api, git)
    settled(lambda: data_of(api, "kept") == {"value": "1"})


def test_k11_deleted_comes_back_at_the_token(api: Api, git: Repository) -> None:
    """Nothing watches what was applied; the next run makes it anew, with another uid and without the shield."""
    git.commit({"sync/back.yaml": config_map("back", value="1")}, "Add back")
    synchronise(api, git)
    api.patch(f"{MAPS}/back", SHIELD)
    before = api.get(f"{MAPS}/back")["metadata"]["uid"]
    api.delete(f"{MAPS}/back")
    settled(lambda: data_of(api, "back") is None)
    force(api)
    found = api.get(f"{MAPS}/back")["metadata"]
    assert found["uid"] != before
    assert "kustomize.toolkit.fluxcd.io/reconcile" not in (found.get("annotations") or {})


def test_revert_deletes_what_the_commit_added(api: Api, git: Repository) -> None:
    """Why a bare revert is the most destructive event there is."""
    git.commit({"sync/added.yaml": config_map("added")}, "Add added")
    synchronise(api, git)
    assert data_of(api, "added") == {}
    git.revert()
    synchronise(api, git)
    wait_until("the pruning", lambda: data_of(api, "added") is None, 10)


def test_suspended_answers_the_token(api: Api, git: Repository) -> None:
    """K17: acknowledged, not applied."""
    api.patch(SYNC, {"spec": {"suspend": True}})
    git.commit({"sync/first.yaml": config_map("first", value="new")}, "Change first")
    forms.reconcile(api, SOURCE)
    force(api)
    assert data_of(api, "first") == {}
    api.patch(SYNC, {"spec": {"suspend": False}})
    synchronise(api, git)
    assert data_of(api, "first") == {"value": "new"}


def test_source_that_is_gone_keeps_its_artifact(api: Api, git: Repository) -> None:
    away = git.path.with_name("away")
    revision = api.get(SOURCE)["status"]["artifact"]["revision"]
    git.path.rename(away)
    try:
        api.patch(SOURCE, {"metadata": {"annotations": {"reconcile.fluxcd.io/requestedAt": str(time.time())}}})
        wait_until("the failure", lambda: "repository not found" in str(api.get(SOURCE)["status"]["conditions"]), 20)
        assert api.get(SOURCE)["status"]["artifact"]["revision"] == revision
        force(api)
    finally:
        away.rename(git.path)
    forms.reconcile(api, SOURCE)
    forms.wait_ready(api, SOURCE)
