# SPDX-License-Identifier: GPL-3.0-or-later
"""PE-01, PE-04 and PE-05."""

from __future__ import annotations

from datetime import timedelta

import pytest
import yaml

from ansible_collections.weaveworks.wge.plugins.module_utils._engine.checks.access import known_user
from ansible_collections.weaveworks.wge.plugins.module_utils._engine.checks.evidence import Judged
from ansible_collections.weaveworks.wge.plugins.module_utils._engine.model import Object, Release
from ansible_collections.weaveworks.wge.plugins.module_utils._engine.rbac import covers
from ansible_collections.weaveworks.wge.tests.unit.plugins.module_utils._engine.standin import ALL_RIGHTS, NOW, StandInCluster
from ansible_collections.weaveworks.wge.tests.unit.plugins.module_utils._engine.standin_products import RBAC, binding, thing, wge_objects
from ansible_collections.weaveworks.wge.tests.unit.plugins.module_utils._engine.standin_world import World

BUT_HANDING_ON: Object = {**ALL_RIGHTS[0], "verbs": ["get", "list", "watch", "create", "update", "patch", "delete"]}
IMPERSONATION: Object = {"apiGroups": [""], "resources": ["users"], "verbs": ["impersonate"]}
GROUP = "rbac.authorization.k8s.io"


def ending_in(world: World, minutes: float | None) -> Judged:
    evidence = world.evidence()
    evidence.login_ends = None if minutes is None else NOW + timedelta(minutes=minutes)
    return known_user(evidence)


def render(world: World, *more: Object) -> None:
    def rendered(release: Release) -> list[Object]:
        return [*wge_objects(release), *more]

    world.helm.render = rendered


def handing_on(verb: str, resource: str, *names: str) -> Object:
    return {"verbs": [verb], "apiGroups": [GROUP], "resources": [resource], **({"resourceNames": list(names)} if names else {})}


def test_who_is_known_and_stays_so_passes(world: World) -> None:
    found = ending_in(world, None)
    assert (found.status, found.evidence) == (
        "pass",
        "We are upgrader; the credentials have no end that can be seen, or renew themselves.",
    )
    assert ending_in(world, 600).evidence == "We are upgrader; the credentials hold until 2026-11-23 22:00 UTC."


def test_nobody_known_fails(world: World) -> None:
    world.cluster.user = "system:anonymous"
    found = world.findings()["PE-01"]
    assert (found.status, found.evidence) == ("fail", "The API server does not know us: no credentials were sent.")
    assert found.remedy == "Give a kubeconfig, a token or a client certificate."


def test_credentials_that_end_in_the_middle_fail(world: World) -> None:
    world.set(soak_seconds=3600.0)
    found = ending_in(world, 45)
    assert found.status == "fail"
    assert found.evidence.startswith(
        "We are upgrader; the credentials end at 2026-11-23 12:45 UTC, in 45 minutes, and the upgrade may take 6"
    )
    assert "credential program (exec)" in found.remedy


def test_where_nothing_is_planned_a_short_time_is_enough(world: World) -> None:
    world.climb()
    assert ending_in(world, 1).status == "pass"


def test_an_older_api_server_is_not_asked_who_we_are() -> None:
    world = World(StandInCluster(version="v1.27.3"))
    world.install_wg()
    found = world.findings()["PE-01"]
    assert found.status == "pass"
    assert found.evidence.startswith("The API server does not say who we are (it does from 1.28 on);")


def test_who_may_do_everything_may_grant_everything(world: World) -> None:
    before = world.cluster.counters.requests
    found = world.findings()["PE-04"]
    assert (found.status, found.evidence) == ("pass", "The 2 roles of WGE's chart may be granted out of our own rights.")
    assert world.cluster.counters.requests > before


def test_who_has_all_that_the_chart_grants_may_grant_it(world: World) -> None:
    world.cluster.rules = [BUT_HANDING_ON, handing_on("bind", "clusterroles", "gitops-reader")]
    assert world.findings()["PE-04"].status == "pass"


def test_a_right_that_we_lack_fails_and_hands_out_the_roles_that_allow_it(world: World) -> None:
    world.cluster.rules = [BUT_HANDING_ON]
    role = thing(RBAC, "ClusterRole", "impersonator", rules=[IMPERSONATION])
    render(world, role, binding("impersonator", "impersonator", "somebody"))
    found = world.findings()["PE-04"]
    assert found.status == "fail"
    assert found.evidence == (
        "WGE's chart grants more rights than we have; what allows that is missing: "
        "escalate clusterroles.rbac.authorization.k8s.io; bind clusterroles.rbac.authorization.k8s.io 'impersonator'."
    )
    (handed,) = yaml.safe_load_all(found.remedy.partition("\n")[2])
    assert handed["kind"] == "ClusterRole"
    world.cluster.rules = [BUT_HANDING_ON, *handed["rules"]]
    assert world.findings()["PE-04"].evidence == "The 3 roles of WGE's chart may be granted with bind, escalate."


def test_a_kept_binding_of_wg_is_patched_and_that_takes_the_right_to_bind_its_role(world: World) -> None:
    world.cluster.one("Role", "wego-admin-role")["rules"] = [IMPERSONATION]
    world.cluster.rules = [BUT_HANDING_ON]
    assert world.findings()["PE-04"].evidence.endswith(
        "missing: escalate roles.rbac.authorization.k8s.io in namespace flux-system; "
        "bind roles.rbac.authorization.k8s.io 'wego-admin-role' in namespace flux-system."
    )


def test_a_role_that_gathers_others_needs_everything(world: World) -> None:
    gathering = thing(RBAC, "ClusterRole", "gathering", aggregationRule={"clusterRoleSelectors": [{}]}, rules=[])
    render(world, gathering)
    assert world.findings()["PE-04"].status == "pass"
    world.cluster.rules = [BUT_HANDING_ON]
    assert "escalate clusterroles" in world.findings()["PE-04"].evidence


def test_escalate_on_one_name_does_not_do_since_a_create_has_none(world: World) -> None:
    render(world, thing(RBAC, "ClusterRole", "impersonator", rules=[IMPERSONATION]))
    world.cluster.rules = [BUT_HANDING_ON, handing_on("escalate", "clusterroles", "impersonator")]
    assert world.findings()["PE-04"].status == "fail"


@pytest.mark.parametrize(("there", "passes"), [(True, True), (False, False)])
def test_a_role_that_the_chart_binds_and_does_not_bring_is_looked_up(world: World, there: bool, passes: bool) -> None:
    render(world, binding("viewing", "view", "somebody"))
    if there:
        rule = {"apiGroups": [""], "resources": ["pods"], "verbs": ["get"]}
        world.cluster.put(thing(RBAC, "ClusterRole", "view", rules=[rule]))
    world.cluster.rules = [BUT_HANDING_ON]
    assert (world.findings()["PE-04"].status == "pass") is passes


def test_a_role_in_a_namespace_is_judged_by_the_rights_there(world: World) -> None:
    role = thing(RBAC, "Role", "local", "flux-system", rules=[IMPERSONATION])
    render(world, role)
    world.cluster.rules = [BUT_HANDING_ON]
    assert "escalate roles.rbac.authorization.k8s.io in namespace flux-system" in world.findings()["PE-04"].evidence
    world.cluster.rules_in["flux-system"] = [BUT_HANDING_ON, IMPERSONATION]
    assert world.findings()["PE-04"].status == "pass"


def test_where_nothing_is_installed_nothing_is_granted(world: World) -> None:
    world.set(state="prepared")
    assert world.findings()["PE-04"].evidence == "Nothing is installed, so nobody is given rights."


@pytest.mark.parametrize(
    ("own", "wanted", "covered"),
    [
        ({"verbs": ["get", "list"]}, {"verbs": ["get"]}, True),
        ({"verbs": ["get"]}, {"verbs": ["get", "list"]}, False),
        ({"resources": ["pods"]}, {"resources": ["*"]}, False),
        ({"resources": ["*"]}, {"resources": ["*"]}, True),
        ({"resourceNames": ["a"]}, {"resourceNames": ["a"]}, True),
        ({"resourceNames": ["a"]}, {}, False),
        ({}, {"resourceNames": ["a"]}, True),
        ({"nonResourceURLs": ["/metrics/*"]}, {"apiGroups": [], "resources": [], "nonResourceURLs": ["/metrics/cadvisor"]}, True),
        ({}, {"apiGroups": [], "resources": [], "nonResourceURLs": ["/metrics"]}, False),
    ],
)
def test_a_rule_is_covered_when_each_part_of_it_is(own: Object, wanted: Object, covered: bool) -> None:
    base = {"verbs": ["get"], "apiGroups": [""], "resources": ["pods"]}
    assert covers([{**base, **own}], {**base, **wanted}) is covered


def test_two_rules_may_cover_a_third_together() -> None:
    base = {"verbs": ["get"], "apiGroups": [""]}
    own = [{**base, "resources": ["pods"]}, {**base, "resources": ["secrets"]}]
    assert covers(own, {**base, "resources": ["pods", "secrets"]})


def test_secrets_that_may_be_read_pass_by_name(world: World) -> None:
    found = world.findings()["PE-05"]
    assert found.status == "pass"
    assert found.evidence == ("Each of cluster-user-auth, oidc-auth, weave-gitops-enterprise-credentials may be read, if it is there.")


def test_a_secret_that_may_not_be_read_fails_with_a_role_for_exactly_it(world: World) -> None:
    world.cluster.rules = [
        {"verbs": ["*"], "apiGroups": [""], "resources": ["secrets"], "resourceNames": ["cluster-user-auth", "oidc-auth"]}
    ]
    found = world.findings()["PE-05"]
    assert found.status == "fail"
    assert found.evidence == "We may not read these Secrets: weave-gitops-enterprise-credentials in namespace flux-system."
    (role,) = yaml.safe_load_all(found.remedy.partition("\n")[2])
    assert role["rules"] == [
        {"apiGroups": [""], "resources": ["secrets"], "resourceNames": ["weave-gitops-enterprise-credentials"], "verbs": ["get"]}
    ]


def test_the_secret_that_wg_was_told_to_read_is_asked_about(world: World) -> None:
    deployment = world.cluster.one("Deployment", "ww-gitops-weave-gitops")
    deployment["spec"]["template"]["spec"]["containers"][0]["args"].append("--oidc-secret-name=sso")
    assert "cluster-user-auth, sso, " in world.findings()["PE-05"].evidence
