# SPDX-License-Identifier: GPL-3.0-or-later
"""TA-06."""

from __future__ import annotations

from collections.abc import Sequence

from ansible_collections.weaveworks.wge.plugins.module_utils._engine.checks.crds import definitions
from ansible_collections.weaveworks.wge.plugins.module_utils._engine.checks.evidence import Judged
from ansible_collections.weaveworks.wge.plugins.module_utils._engine.model import Object
from ansible_collections.weaveworks.wge.tests.unit.plugins.module_utils._engine.standin_products import thing, wge_objects
from ansible_collections.weaveworks.wge.tests.unit.plugins.module_utils._engine.standin_world import World

NAME = "gitopstemplates.templates.weave.works"


def crd(served: Sequence[str], *, stored: Sequence[str] = (), labels: dict[str, str] | None = None, webhook: bool = False) -> Object:
    """A definition that serves these versions, the last of them the storage version."""
    versions = [{"name": name, "served": True, "storage": name == served[-1], "schema": {"big": "x"}} for name in served]
    spec: Object = {"group": "templates.weave.works", "versions": versions}
    if webhook:
        spec["conversion"] = {"strategy": "Webhook"}
    item = thing("apiextensions.k8s.io/v1", "CustomResourceDefinition", NAME, spec=spec)
    item["metadata"]["labels"] = labels or {}
    item["status"] = {"storedVersions": list(stored or served[-1:])}
    return item


def judged(world: World, wanted: Object) -> Judged:
    """TA-06 when the chart brings this one definition."""
    world.helm.render = lambda release: [*(o for o in wge_objects(release) if o["kind"] != "CustomResourceDefinition"), wanted]
    return definitions(world.evidence())


def test_a_definition_that_is_missing_will_be_added(world: World) -> None:
    found = judged(world, crd(["v1alpha1", "v1alpha2"]))
    assert (found.status, found.evidence) == ("pass", f"These definitions will be added: {NAME}.")


def test_a_definition_that_exists_and_serves_the_same_passes_with_its_owner(world: World) -> None:
    world.cluster.put(crd(["v1alpha1", "v1alpha2"], labels={"kustomize.toolkit.fluxcd.io/name": "apps"}))
    found = judged(world, crd(["v1alpha2"]))
    assert (found.status, found.evidence) == ("pass", f"These exist and serve what the chart wants: {NAME} (of apps).")


def test_an_old_definition_that_helm_would_leave_fails(world: World) -> None:
    world.cluster.put(crd(["v1alpha1"]))
    found = judged(world, crd(["v1alpha1", "v1alpha2"]))
    assert (found.status, found.evidence) == (
        "fail",
        f"Definitions that exist lack what this WGE reads, and helm leaves them as they are: {NAME} does not serve v1alpha2.",
    )
    assert found.remedy.startswith("Apply the chart's definitions first")


def test_a_newer_definition_is_warned_of(world: World) -> None:
    world.cluster.put(crd(["v1alpha2", "v1"], webhook=True))
    found = judged(world, crd(["v1alpha2"]))
    assert (found.status, found.evidence) == (
        "warn",
        f"Definitions that exist are newer than the chart's and stay as they are: {NAME} stores v1, converted by a webhook.",
    )


def test_without_definitions_the_question_does_not_arise(world: World) -> None:
    world.helm.render = lambda release: [item for item in wge_objects(release) if item["kind"] != "CustomResourceDefinition"]
    evidence = world.evidence()
    before = len(world.cluster.requests)
    assert definitions(evidence).status == "skip"
    assert len(world.cluster.requests) == before


def test_schemas_are_not_kept_in_memory(world: World) -> None:
    world.cluster.put(crd(["v1alpha2"]))
    evidence = world.evidence()
    definitions(evidence)
    assert "big" not in str(evidence._lists)
