# SPDX-License-Identifier: GPL-3.0-or-later
"""CU-06."""

from __future__ import annotations

import pytest

from ansible_collections.weaveworks.wge.plugins.module_utils._engine.checks.evidence import Judged
from ansible_collections.weaveworks.wge.plugins.module_utils._engine.checks.inheritance import settings_inherited
from ansible_collections.weaveworks.wge.plugins.module_utils._engine.model import Object
from ansible_collections.weaveworks.wge.tests.unit.plugins.module_utils._engine.standin_products import (
    RELEASE,
    release_secret,
    wg_objects,
    wge_objects,
)
from ansible_collections.weaveworks.wge.tests.unit.plugins.module_utils._engine.standin_world import World

DEFAULTS: Object = {
    "replicaCount": 1,
    "service": {"port": 9001},
    "nodeSelector": {},
    "rbac": {"create": True, "impersonationResourceNames": []},
    "envVars": [{"name": "WEAVE_GITOPS_FEATURE_TENANCY", "value": "true"}],
}


def judged(world: World, *arguments: str, values: Object | None = None, **given: object) -> Judged:
    """CU-06 when people gave WG's release these values, and the server these arguments."""
    if arguments:
        world.install_wg(arguments=("--insecure", *arguments))
    world.cluster.put(release_secret(RELEASE, wg_objects(), chart={"values": DEFAULTS}, config=given))
    world.set(values=values or {})
    return settings_inherited(world.evidence())


def test_a_wg_as_its_chart_makes_it_is_inherited(world: World) -> None:
    found = judged(world)
    assert (found.status, found.evidence) == (
        "pass",
        "3 settings of WG were looked at, and each is carried over, kept, or not needed.",
    )


def test_values_that_are_carried_over_pass(world: World) -> None:
    given = {
        "service": {"type": "NodePort"},
        "adminUser": {"create": True, "passwordHash": "x"},
        "logLevel": "debug",
        "metrics": {"enabled": True},
    }
    assert judged(world, **given).status == "pass"


def test_a_value_that_is_the_charts_own_is_no_matter(world: World) -> None:
    assert judged(world, replicaCount=1, nodeSelector={}, rbac={"impersonationResourceNames": []}).status == "pass"


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"replicaCount": 2}, "replicaCount (WGE has one replica; logins are held in memory)"),
        ({"resources": {"limits": {"cpu": 1}}}, "resources (WGE's chart has no value for it)"),
        ({"podLabels": {"team": "x"}}, "podLabels (WGE's chart has no value for it)"),
        ({"WEAVE_GITOPS_FEATURE_TELEMETRY": "true"}, "WEAVE_GITOPS_FEATURE_TELEMETRY (no chart of WG knows this value)"),
    ],
)
def test_what_nobody_needs_is_told(world: World, given: Object, words: str) -> None:
    found = judged(world, **given)
    assert (found.status, found.evidence) == ("warn", f"WGE does not inherit {words}.")


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"nodeSelector": {"a": "b"}}, "nodeSelector (WGE's chart has no value for it; WGE's pod may land on any node)"),
        ({"tolerations": [{"key": "x"}]}, "tolerations (WGE's chart has no value for it; WGE's pod may find no node)"),
        ({"rbac": {"impersonationResourceNames": ["a"]}}, "rbac.impersonationResourceNames (WGE may act as any user and group)"),
    ],
)
def test_what_is_lost_fails_until_somebody_answers_for_it(world: World, given: Object, words: str) -> None:
    found = judged(world, **given)
    assert (found.status, found.evidence) == ("fail", f"WGE does not inherit {words}.")
    assert found.remedy == "Decide whether WGE may do without; who accepts the loss waives this check."


def test_a_value_of_wge_answers_for_one_that_is_lost(world: World) -> None:
    volumes = [{"name": "ca"}]
    found = judged(world, extraVolumes=volumes)
    assert found.status == "fail"
    assert found.remedy.startswith("Set extraVolumes in wge_values;")
    assert judged(world, values={"extraVolumes": volumes}, extraVolumes=volumes).status == "pass"


def test_a_variable_of_somebodys_own_has_to_be_given_again(world: World) -> None:
    proxy = [{"name": "HTTPS_PROXY", "value": "http://canary"}, {"name": "WEAVE_GITOPS_FEATURE_CLUSTER", "value": "false"}]
    found = judged(world, envVars=proxy)
    assert (found.status, found.evidence) == (
        "fail",
        "WGE does not inherit variable HTTPS_PROXY (only WEAVE_GITOPS_… variables are carried over).",
    )
    assert "canary" not in str(found)
    assert judged(world, values={"extraEnvVars": proxy[:1]}, envVars=proxy).status == "pass"


@pytest.mark.parametrize(
    ("flag", "status"),
    [
        ("--auth-methods=oidc", "pass"),
        ("--oidc-secret-name=oidc-auth", "pass"),
        ("--oidc-secret-name=dex", "fail"),
        ("--oidc-issuer-url=https://dex", "fail"),
        ("--insecure-no-authentication-user=x", "fail"),
        ("--use-k8s-cached-clients", "warn"),
        ("--shiny=1", "fail"),
        ("--route-prefix=/wg", "pass"),
    ],
)
def test_every_argument_is_looked_at(world: World, flag: str, status: str) -> None:
    found = judged(world, flag)
    assert found.status == status
    if status != "pass":
        assert flag.split("=")[0] in found.evidence


def test_a_route_prefix_is_lost_on_a_wge_before_0_38(world: World) -> None:
    def render(release: object) -> list[Object]:
        objects = wge_objects(release)  # type: ignore[arg-type]
        objects[-1]["spec"]["template"]["spec"]["containers"][0]["image"] = "x/server:v0.36.0"
        return objects

    world.helm.render = render
    found = judged(world, "--route-prefix=/wg")
    assert (found.status, found.evidence) == (
        "fail",
        "WGE does not inherit --route-prefix (WGE 0.36.0 cannot serve below a path, 0.38.0 can).",
    )
