# SPDX-License-Identifier: GPL-3.0-or-later
"""FL (but for FL-02, see test_check_versions.py) and PE-06."""

from __future__ import annotations

import pytest

from ansible_collections.weaveworks.wge.plugins.module_utils._engine.checks import flux
from ansible_collections.weaveworks.wge.plugins.module_utils._engine.checks.evidence import Judged
from ansible_collections.weaveworks.wge.plugins.module_utils._engine.model import Object
from ansible_collections.weaveworks.wge.tests.unit.plugins.module_utils._engine.standin_products import NAMESPACE, WG_NAME, thing
from ansible_collections.weaveworks.wge.tests.unit.plugins.module_utils._engine.standin_world import World


def controller(name: str, *, available: bool = True, image: str = "ghcr.io/fluxcd/x:v1.3.0", version: str = "") -> Object:
    """A controller of Flux."""
    template = {"spec": {"containers": [{"name": "manager", "image": image}]}}
    item = thing("apps/v1", "Deployment", name, NAMESPACE, spec={"replicas": 1, "template": template})
    item["metadata"]["labels"] = {"app.kubernetes.io/part-of": "flux", **({"app.kubernetes.io/version": version} if version else {})}
    ready = 1 if available else 0
    item["status"] = {"observedGeneration": 1, "replicas": 1, "updatedReplicas": 1, "availableReplicas": ready}
    return item


def ready(world: World) -> Judged:
    return flux.controllers_ready(world.evidence())


def applied(world: World) -> Judged:
    return flux.who_applies(world.evidence())


def test_without_flux_in_the_namespace_it_is_not_needed(world: World) -> None:
    found = ready(world)
    assert (found.status, found.evidence) == ("skip", "No controller of Flux runs in namespace flux-system; this upgrade needs none.")


def test_controllers_that_are_available_pass_with_their_version(world: World) -> None:
    world.cluster.put(controller("source-controller", version="v2.4.0"))
    world.cluster.put(controller("helm-controller", version="v2.4.0"))
    found = ready(world)
    assert (found.status, found.evidence) == ("pass", "Flux v2.4.0: helm-controller, source-controller are available.")


@pytest.mark.parametrize(
    ("image", "version"), [("ghcr.io/fluxcd/x:v1.3.0", "2.3.x"), ("ghcr.io/fluxcd/x@sha256:0", "of an unknown version")]
)
def test_an_unlabelled_flux_is_told_by_its_source_controller(world: World, image: str, version: str) -> None:
    world.cluster.put(controller("source-controller", image=image))
    assert ready(world).evidence.startswith(f"Flux {version}: ")


def test_a_controller_that_is_not_available_is_warned_of(world: World) -> None:
    world.cluster.put(controller("helm-controller", available=False, version="v2.4.0"))
    found = ready(world)
    assert (found.status, found.evidence) == (
        "warn",
        "Flux v2.4.0: helm-controller in namespace flux-system is not available. The upgrade itself does not need it.",
    )
    assert found.remedy.startswith("Repair Flux first (flux check)")


def test_objects_that_only_helm_applied_pass(world: World) -> None:
    assert applied(world).status == "pass"


@pytest.mark.parametrize(
    ("place", "key", "value", "words"),
    [
        ("labels", "kustomize.toolkit.fluxcd.io/name", "apps", "the Flux Kustomization apps"),
        ("labels", "helm.toolkit.fluxcd.io/name", "wg", "the Flux HelmRelease wg"),
        ("annotations", "argocd.argoproj.io/tracking-id", "wg:/Service:flux-system/x", "the Argo CD application wg"),
        ("labels", "objectset.rio.cattle.io/id", "wg", "the Fleet bundle wg"),
    ],
)
def test_a_service_that_another_program_applies_fails_with_its_name(world: World, place: str, key: str, value: str, words: str) -> None:
    world.cluster.one("Service", WG_NAME)["metadata"].setdefault(place, {})[key] = value
    found = applied(world)
    assert (found.status, found.evidence) == (
        "fail",
        f"Somebody else applies these objects and would undo the upgrade: Service {WG_NAME} by {words}.",
    )
    assert found.remedy.startswith("Take them out of what it applies, without deleting them")


def test_a_field_manager_tells_it_too(world: World) -> None:
    fields = [{"manager": "helm"}, {"manager": "kustomize-controller"}, {"manager": "argocd-controller", "subresource": "status"}]
    world.cluster.one("Ingress", WG_NAME)["metadata"]["managedFields"] = fields
    assert applied(world).evidence.endswith(f"Ingress {WG_NAME} by kustomize-controller.")


def test_an_owner_tells_it_too(world: World) -> None:
    world.cluster.one("Deployment", WG_NAME)["metadata"]["ownerReferences"] = [{"kind": "Dashboard", "name": "wg"}]
    assert applied(world).evidence.endswith(f"Deployment {WG_NAME} by Dashboard wg.")


def test_a_secret_that_an_operator_makes_is_no_matter(world: World) -> None:
    world.cluster.one("Secret", "cluster-user-auth")["metadata"]["ownerReferences"] = [{"kind": "ExternalSecret", "name": "x"}]
    assert applied(world).status == "pass"


def test_what_only_git_needs_is_skipped_with_that_reason(world: World) -> None:
    evidence = world.evidence()
    answers = [check.function(evidence) for check in flux.CHECKS if check.id in ("FL-08", "FL-09")]
    assert [(a.status, a.evidence) for a in answers] == [("skip", "Nothing of WG comes out of git here.")] * 2
