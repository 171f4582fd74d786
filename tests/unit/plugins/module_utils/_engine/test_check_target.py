# SPDX-License-Identifier: GPL-3.0-or-later
"""TA-02, TA-03, TA-05, TA-08 and TA-10."""

from __future__ import annotations

from dataclasses import replace

import pytest

from ansible_collections.weaveworks.wge.plugins.module_utils._engine.checks.registry import verdict
from ansible_collections.weaveworks.wge.plugins.module_utils._engine.checks.target import names_free
from ansible_collections.weaveworks.wge.plugins.module_utils._engine.model import Object, Release
from ansible_collections.weaveworks.wge.plugins.module_utils._engine.names import KEPT_ANNOTATION
from ansible_collections.weaveworks.wge.tests.unit.plugins.module_utils._engine.standin_products import (
    HASH,
    RBAC,
    RELEASE,
    TARGET_RELEASE,
    WGE_NAME,
    binding,
    release_secret,
    released,
    secret,
    thing,
    wge_objects,
)
from ansible_collections.weaveworks.wge.tests.unit.plugins.module_utils._engine.standin_world import World


def render_also(world: World, *more: Object) -> None:
    """The chart renders these objects as well."""
    world.helm.render = lambda release: [*wge_objects(release), *more]


def render_changed(world: World, kind: str, **content: Object) -> None:
    """The chart renders every object of a kind with other contents."""
    world.helm.render = lambda release: [{**item, **content} if item["kind"] == kind else item for item in wge_objects(release)]


def test_a_chart_that_renders_passes_with_its_size_and_version(world: World) -> None:
    assert world.findings()["TA-02"].evidence == "11 objects of WGE 0.38.1, rendered by helm 3.19.5."


def test_an_object_rendered_twice_fails(world: World) -> None:
    render_also(world, thing("v1", "ServiceAccount", "mccp"))
    found = world.findings()["TA-02"]
    assert (found.status, found.evidence) == ("fail", "The chart renders the same object twice: ServiceAccount mccp.")
    assert found.remedy == "Correct wge_values or the chart."


def test_the_same_name_in_two_namespaces_is_two_objects(world: World) -> None:
    render_also(world, thing("v1", "ServiceAccount", "mccp", "elsewhere"))
    assert world.findings()["TA-02"].status == "pass"


def test_kinds_that_are_not_looked_at_are_warned_of(world: World) -> None:
    render_also(world, thing("cert-manager.io/v1", "Issuer", "x"))
    found = world.findings()["TA-02"]
    assert found.status == "warn"
    assert found.evidence.endswith("rights and names are not looked at for Issuer.")


def test_a_helm_that_was_never_tried_is_warned_of(world: World) -> None:
    world.helm.version = lambda: "4.0.1"  # type: ignore[method-assign]
    found = world.findings()["TA-02"]
    assert found.status == "warn"
    assert found.evidence.endswith("rendered by helm 4.0.1; only helm 3 was tried.")


def test_a_helm_that_is_too_old_fails(world: World) -> None:
    world.helm.version = lambda: "3.12.3"  # type: ignore[method-assign]
    found = world.findings()["TA-02"]
    assert (found.status, found.evidence) == (
        "fail",
        "helm is 3.12.3; it must be 3.13 or newer, since older ones cannot mark a release's storage as ours.",
    )


def test_a_chart_of_known_facts_passes(world: World) -> None:
    assert "serves on port 8000, metrics on 8080" in world.findings()["TA-03"].evidence


def test_a_service_port_of_another_name_fails_with_the_fact(world: World) -> None:
    render_changed(world, "Service", spec={"ports": [{"name": "web", "port": 8000, "targetPort": 8000}]})
    found = world.findings()["TA-03"]
    assert found.status == "fail"
    assert found.evidence == "F2: Service clusters-service has no port named 'https' that leads to 8000 (its ports: web)."
    assert "ask for the chart of a known WGE version" in found.remedy


def test_a_server_of_another_scheme_and_an_own_ingress_fail_together(world: World) -> None:
    render_also(world, thing("networking.k8s.io/v1", "Ingress", "mccp-ingress"))
    world.set(values={"tls": {"enabled": True}})
    found = world.findings()["TA-03"]
    assert found.status == "fail"
    assert "F4: the server speaks https while WG's routes expect http; F3: the chart brings an Ingress" in found.evidence


def test_names_that_are_free_pass(world: World) -> None:
    assert world.findings()["TA-05"].status == "pass"


def test_objects_are_looked_for_by_lists_of_metadata_and_never_one_by_one(world: World) -> None:
    evidence = world.evidence()
    before = len(world.cluster.requests)
    names_free(evidence)
    verbs = [verb for verb, _path in world.cluster.requests[before:]]
    assert verbs == ["list"] * 5


def test_a_name_taken_by_another_release_fails_with_its_owner(world: World) -> None:
    world.cluster.put(released(thing(RBAC, "ClusterRole", "gitops-reader"), "second", "elsewhere"))
    world.cluster.put(thing("v1", "ServiceAccount", "collector", "flux-system"))
    found = world.findings()["TA-05"]
    assert found.status == "fail"
    assert found.evidence == (
        f"Objects of these names exist and are not of release {TARGET_RELEASE}: "
        "ClusterRole gitops-reader (of release second in elsewhere), ServiceAccount collector."
    )
    assert found.remedy == "Remove or rename them: helm takes over nothing that is not its own."


def test_a_name_taken_in_another_namespace_is_free_here(world: World) -> None:
    world.cluster.put(thing("v1", "ServiceAccount", "mccp", "elsewhere"))
    assert world.findings()["TA-05"].status == "pass"


def test_a_hook_is_no_collision_since_helm_replaces_it(world: World) -> None:
    hook = thing("batch/v1", "Job", "migrate")
    hook["metadata"]["annotations"] = {"helm.sh/hook": "pre-install"}
    render_also(world, hook)
    world.cluster.put(thing("batch/v1", "Job", "migrate", "flux-system"))
    assert world.findings()["TA-05"].status == "pass"


def test_a_definition_that_exists_is_no_collision_since_helm_leaves_it(world: World) -> None:
    world.cluster.put(thing("apiextensions.k8s.io/v1", "CustomResourceDefinition", "apps.wego.weave.works"))
    assert world.findings()["TA-05"].status == "pass"


def test_a_wge_that_no_run_of_ours_made_fails(world: World) -> None:
    world.helm.install(Release(TARGET_RELEASE, "flux-system", "repo/mccp"))
    found = world.findings()["TA-05"]
    assert found.status == "fail"
    assert found.evidence == f"WGE is installed here already (Deployment {WGE_NAME}), and no run of this collection made it."
    assert found.remedy == "Remove it, or take this cluster out of the inventory if it is upgraded already."


def test_a_wge_of_an_upgrade_whose_journal_is_gone_is_not_to_be_removed(world: World) -> None:
    world.helm.install(Release(TARGET_RELEASE, "flux-system", "repo/mccp"))
    world.cluster.one("Secret", "cluster-user-auth")["metadata"].setdefault("annotations", {})[KEPT_ANNOTATION] = "true"
    found = world.findings()["TA-05"]
    assert found.evidence == f"WGE is installed here already (Deployment {WGE_NAME}), by an upgrade whose journal is gone."
    assert found.remedy.startswith("Restore the Secret wge-journal-")


def test_a_release_of_the_name_that_no_run_of_ours_made_fails(world: World) -> None:
    world.cluster.put(release_secret(TARGET_RELEASE, [], status="failed"))
    found = world.findings()["TA-05"]
    assert found.evidence == f"A Helm release {TARGET_RELEASE} is stored here already, and no run of this collection made it."


def test_wge_under_the_name_of_wgs_release_fails(world: World) -> None:
    world.set(target_release=RELEASE)
    found = world.findings()["TA-05"]
    assert (found.status, found.evidence) == ("fail", f"WGE is to get the name of WG's own Helm release, {RELEASE}.")
    assert found.remedy == "Give another wge_target_release."


def test_a_run_that_was_cut_short_finds_its_own_objects(world: World) -> None:
    world.helm.fails.add("uninstall")
    world.controllers.broken.add(WGE_NAME)
    world.climb("rehearsed")
    world.cluster.remove("CustomResourceDefinition", "apps.wego.weave.works")
    assert world.cluster.one("Deployment", WGE_NAME)
    assert world.findings()["TA-05"].status == "pass"


def test_the_namespace_of_the_services_passes(world: World) -> None:
    assert world.findings()["TA-08"].evidence == "WGE's server goes to namespace flux-system, where the Services are."


def test_a_server_in_another_namespace_fails(world: World) -> None:
    now = world.look()
    server = {**now.target.deployment, "metadata": {"name": WGE_NAME, "namespace": "wge"}}
    found = world.findings(replace(now, target=replace(now.target, deployment=server)))["TA-08"]
    assert (found.status, found.evidence) == (
        "fail",
        "The chart puts WGE's server into namespace wge; the Services that are kept are in flux-system.",
    )


def test_a_local_user_that_gets_wges_role_passes(world: World) -> None:
    assert world.findings()["TA-10"].evidence == "The local user admin has, or gets, WGE's role gitops-reader."


def test_the_user_of_the_chart_passes() -> None:
    world = World()
    world.install_wg(user="wego-admin")
    assert world.findings()["TA-10"].evidence == "The local user wego-admin is the one to whom WGE's chart gives rights."


def test_without_a_local_login_the_question_does_not_arise() -> None:
    world = World()
    world.install_wg(arguments=("--insecure", "--auth-methods=oidc"))
    found = world.findings()["TA-10"]
    assert (found.status, found.evidence) == ("skip", "WGE gets no local login, since WG has none.")


def test_a_local_login_that_values_switch_on_without_a_secret_fails(world: World) -> None:
    world.cluster.remove("Secret", "cluster-user-auth")
    world.set(values={"config": {"auth": {"userAccount": {"enabled": True}}}})
    found = world.findings()["TA-10"]
    assert (found.status, found.evidence) == (
        "fail",
        "The local login is switched on, but there is no Secret cluster-user-auth: WGE would not start.",
    )


@pytest.mark.parametrize(
    "data",
    [{"username": "admin", "password": "secret1"}, {"password": HASH}, {"username": "admin"}, {"username": "admin", "password": HASH[:-1]}],
)
def test_a_login_nobody_could_use_fails_and_is_not_shown(world: World, data: dict[str, str]) -> None:
    world.cluster.put(secret("cluster-user-auth", data))
    found = world.findings()["TA-10"]
    assert (found.status, found.evidence) == (
        "fail",
        "Secret cluster-user-auth has no username, or its password is not a bcrypt hash: nobody could log in.",
    )
    assert "secret1" not in str(found)


def test_a_binding_of_ours_for_another_user_fails(world: World) -> None:
    world.cluster.put(binding("wge-admin-reader-flux-system", "gitops-reader", "somebody"))
    found = world.findings()["TA-10"]
    assert (found.status, found.evidence) == (
        "fail",
        "ClusterRoleBinding wge-admin-reader-flux-system binds another user than admin, who would see nothing in WGE.",
    )


def test_a_chart_without_the_reader_role_is_warned_of(world: World) -> None:
    world.helm.render = lambda release: [item for item in wge_objects(release) if item["kind"] != "ClusterRole"]
    found = world.findings()
    assert found["TA-10"].status == "warn"
    assert found["TA-10"].remedy == "Bind admin to the roles it needs after the upgrade."
    assert verdict(list(found.values())) == "warn"
