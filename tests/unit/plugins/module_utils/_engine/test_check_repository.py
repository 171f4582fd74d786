# SPDX-License-Identifier: GPL-3.0-or-later
"""FL-07 for the repository of WGE's chart, and FL-02 and TA-06 where APIs of Flux move."""

from __future__ import annotations

from pathlib import Path

import pytest

from ansible_collections.weaveworks.wge.plugins.module_utils._engine.checks.registry import Finding
from ansible_collections.weaveworks.wge.plugins.module_utils._engine.model import Object
from ansible_collections.weaveworks.wge.tests.unit.plugins.module_utils._engine.standin_cells import cell
from ansible_collections.weaveworks.wge.tests.unit.plugins.module_utils._engine.standin_products import NAMESPACE, RELEASE, secret
from ansible_collections.weaveworks.wge.tests.unit.plugins.module_utils._engine.standin_runs import climb

# Where Flux fetches WGE's chart


def repository_check(tmp_path: Path, *secrets: Object) -> Finding:
    world = cell("helm", "flux", tmp_path).world
    for item in secrets:
        world.cluster.put(item)
    world.set(chart_secret="charts")
    return world.findings()["FL-07"]


@pytest.mark.parametrize("keys", [("username", "password"), (".dockerconfigjson",), ("caFile",)])
def test_a_login_at_the_chart_repository_is_there(tmp_path: Path, keys: tuple[str, ...]) -> None:
    found = repository_check(tmp_path, secret("charts", dict.fromkeys(keys, "hush")))
    assert (found.status, "Flux logs in at https://charts.example.com with Secret charts" in found.evidence) == ("pass", True)
    assert "hush" not in str(found)


def test_a_login_that_is_not_there_is_told_before_flux_tells_it(tmp_path: Path) -> None:
    found = repository_check(tmp_path)
    assert found.blocks
    assert found.evidence == (
        "Flux is to log in at https://charts.example.com with Secret charts in namespace flux-system, which is not there."
    )


def test_a_secret_without_a_login_is_told(tmp_path: Path) -> None:
    found = repository_check(tmp_path, secret("charts", {"user": "x"}))
    assert found.blocks
    assert "holds no login: its keys are user" in found.evidence


def test_where_a_helm_release_keeps_wg_its_own_chart_comes_first(tmp_path: Path) -> None:
    world = cell("flux", "flux", tmp_path).world
    world.set(chart_secret="charts")
    assert "The chart of HelmRelease ww-gitops cannot be fetched" in world.findings()["FL-07"].evidence
    chart = world.cluster.one("HelmChart", f"{NAMESPACE}-{RELEASE}")
    chart["status"] = {"artifact": {"revision": "4.0.36"}, "conditions": [{"type": "Ready", "status": "True"}]}
    assert "with Secret charts in namespace flux-system, which is not there" in world.findings()["FL-07"].evidence
    world.cluster.put(secret("charts", {"username": "x", "password": "y"}))
    assert world.findings()["FL-07"].status == "pass"


def test_without_flux_it_is_not_asked(tmp_path: Path) -> None:
    world = cell("helm", "helm", tmp_path).world
    world.set(chart_secret="charts")
    assert world.findings()["FL-07"].status == "skip"


# APIs of Flux that move


def test_a_wge_that_reads_what_the_cluster_serves_no_more_is_blocked_in_every_form(tmp_path: Path) -> None:
    world = cell("flux", "flux", tmp_path).world
    gone = [api for api in world.cluster.served if "toolkit.fluxcd.io" not in api]
    world.cluster.served = [*gone, "helm.toolkit.fluxcd.io/v2", "source.toolkit.fluxcd.io/v1"]
    now = world.look()
    container = now.target.container
    container["image"] = "registry.example.com/weaveworks/weave-gitops-enterprise-clusters-service:v0.38.1"
    found = world.findings(now)["FL-02"]
    assert found.blocks
    assert found.evidence.startswith("WGE 0.38.1 reads helm.toolkit.fluxcd.io/v2beta1 (last served by Flux 2.6)")
    assert found.remedy


def test_flux_leaves_definitions_that_are_there_as_they_are(tmp_path: Path) -> None:
    world = cell("helm", "flux", tmp_path).world
    assert climb(world, goal="rehearsed") is not None
    item = world.cluster.one("HelmRelease", "weave-gitops-enterprise")
    assert (item["spec"]["install"]["crds"], item["apiVersion"]) == ("Create", "helm.toolkit.fluxcd.io/v2")
