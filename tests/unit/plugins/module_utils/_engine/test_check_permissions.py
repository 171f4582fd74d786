# SPDX-License-Identifier: GPL-3.0-or-later
"""PE-02 and PE-03."""

from __future__ import annotations

import yaml

from ansible_collections.weaveworks.wge.plugins.module_utils._engine.model import Object, Right
from ansible_collections.weaveworks.wge.plugins.module_utils._engine.rbac import roles_for
from ansible_collections.weaveworks.wge.tests.unit.plugins.module_utils._engine.standin import ALL_RIGHTS
from ansible_collections.weaveworks.wge.tests.unit.plugins.module_utils._engine.standin_world import World

BUT_DELETE: list[Object] = [
    {"verbs": ["get", "list", "watch", "create", "update", "patch", "bind"], "apiGroups": ["*"], "resources": ["*"]},
]


def test_who_may_do_everything_passes_both(world: World) -> None:
    found = world.findings()
    assert found["PE-02"].status == found["PE-03"].status == "pass"
    assert found["PE-02"].evidence.startswith("All ")


def test_each_namespace_is_asked_about_once_for_both(world: World) -> None:
    world.findings()
    asked = [path.rsplit("/", 1)[1] for verb, path in world.cluster.requests if verb == "review"]
    assert sorted(asked) == ["selfsubjectreviews", "selfsubjectrulesreviews", "selfsubjectrulesreviews"]


def test_a_missing_right_fails_by_name_and_hands_out_a_role_that_grants_it(world: World) -> None:
    world.cluster.rules_in["flux-system"] = [
        {
            "verbs": ["*"],
            "apiGroups": ["", "apps", "rbac.authorization.k8s.io", "networking.k8s.io", "discovery.k8s.io"],
            "resources": ["*"],
        }
    ]
    found = world.findings()["PE-02"]
    assert found.status == "fail"
    assert "get, create, patch, delete leases.coordination.k8s.io in namespace flux-system" in found.evidence
    first, _, text = found.remedy.partition("\n")
    assert first == "Have an administrator apply these roles and bind them to the user of the kubeconfig:"
    (role,) = yaml.safe_load_all(text)
    assert (role["kind"], role["metadata"]) == ("Role", {"name": "wge-upgrade", "namespace": "flux-system"})
    rule = {"apiGroups": ["coordination.k8s.io"], "resources": ["leases"], "verbs": ["create", "delete", "get", "patch"]}
    assert role["rules"] == [rule]


def test_who_applies_the_role_that_was_handed_out_passes(world: World) -> None:
    world.cluster.rules = []
    roles = list(yaml.safe_load_all(world.findings()["PE-02"].remedy.partition("\n")[2]))
    wide = [rule for role in roles if role["kind"] == "ClusterRole" for rule in role["rules"]]
    world.cluster.rules = wide
    world.cluster.rules_in = {r["metadata"]["namespace"]: r["rules"] + wide for r in roles if r["kind"] == "Role"}
    assert world.findings()["PE-02"].status == "pass"


def test_who_may_go_forwards_but_not_back_fails_the_second_alone(world: World) -> None:
    lease = {"verbs": ["*"], "apiGroups": ["coordination.k8s.io"], "resources": ["leases"]}
    shadow = {"verbs": ["delete"], "apiGroups": [""], "resources": ["services"]}
    world.cluster.rules = [*BUT_DELETE, lease, shadow]
    found = world.findings()
    assert found["PE-02"].status == "pass"
    assert found["PE-03"].status == "fail"
    assert "rights to take the upgrade back or to finalise it are missing: " in found["PE-03"].evidence
    assert "delete deployments.apps in namespace flux-system" in found["PE-03"].evidence


def test_where_rules_are_incomplete_each_right_is_asked_for_by_itself(world: World) -> None:
    world.cluster.rules, world.cluster.incomplete = [], True
    world.cluster.allowed = lambda attributes: attributes["resource"] != "ingresses"
    found = world.findings()["PE-02"]
    assert found.status == "fail"
    assert "missing: patch, get ingresses.networking.k8s.io" in found.evidence


def test_the_lists_that_the_checks_themselves_read_are_asked_for_as_well(world: World) -> None:
    world.cluster.rules = [{**ALL_RIGHTS[0], "verbs": ["get", "create", "update", "patch", "delete", "bind"]}]
    found = world.findings()["PE-02"]
    assert found.status == "fail"
    assert "list clusterroles.rbac.authorization.k8s.io" in found.evidence


def test_an_upgraded_cluster_needs_no_rights(world: World) -> None:
    world.climb()
    world.cluster.rules = []
    found = world.findings()
    assert (found["PE-02"].status, found["PE-02"].evidence) == ("skip", "Nothing is planned, so no rights are needed.")
    assert found["PE-03"].status == "skip"


def test_roles_put_alike_resources_into_one_rule_and_named_ones_apart() -> None:
    rights = [
        Right("get", "", "secrets", "a"),
        Right("get", "", "services", "a"),
        Right("get", "", "services/proxy", "a", "http:x:9001"),
        Right("get", "", "services/proxy", "a", "http:y:9001"),
        Right("bind", "rbac.authorization.k8s.io", "clusterroles", name="gitops-reader"),
    ]
    wide, narrow = yaml.safe_load_all(roles_for(rights))
    assert wide["kind"] == "ClusterRole"
    assert wide["rules"][0]["resourceNames"] == ["gitops-reader"]
    assert narrow["rules"] == [
        {"apiGroups": [""], "resources": ["secrets", "services"], "verbs": ["get"]},
        {"apiGroups": [""], "resources": ["services/proxy"], "resourceNames": ["http:x:9001", "http:y:9001"], "verbs": ["get"]},
    ]


def test_a_role_says_nothing_of_one_object_that_it_says_of_all() -> None:
    rights = [Right("get", "", "secrets", "a"), Right("get", "", "secrets", "a", "x"), Right("patch", "", "secrets", "a", "x")]
    (role,) = yaml.safe_load_all(roles_for(rights))
    assert role["rules"] == [
        {"apiGroups": [""], "resources": ["secrets"], "verbs": ["get"]},
        {"apiGroups": [""], "resources": ["secrets"], "resourceNames": ["x"], "verbs": ["patch"]},
    ]
