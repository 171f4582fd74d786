# SPDX-License-Identifier: GPL-3.0-or-later
"""CL-08 and CL-09."""

from __future__ import annotations

import copy
from collections.abc import Sequence
from typing import Any

import pytest

from ansible_collections.weaveworks.wge.plugins.module_utils._engine.checks.registry import Finding
from ansible_collections.weaveworks.wge.plugins.module_utils._engine.checks.sent import sent_by
from ansible_collections.weaveworks.wge.plugins.module_utils._engine.model import Object
from ansible_collections.weaveworks.wge.plugins.module_utils._errors import Forbidden, Rejected, WgeError
from ansible_collections.weaveworks.wge.tests.unit.plugins.module_utils._engine.standin import ALL_RIGHTS
from ansible_collections.weaveworks.wge.tests.unit.plugins.module_utils._engine.standin_products import thing
from ansible_collections.weaveworks.wge.tests.unit.plugins.module_utils._engine.standin_world import World

GROUP = "admissionregistration.k8s.io/v1"
EVERYTHING = {"apiGroups": ["*"], "apiVersions": ["*"], "operations": ["*"], "resources": ["*"], "scope": "*"}
DEPLOYMENTS = {"apiGroups": ["apps"], "apiVersions": ["v1"], "operations": ["CREATE"], "resources": ["deployments"]}
DENIED = 'POST … was refused: admission webhook "guard" denied the request: images must come from our mirror.'


def hook(world: World, rule: Object = EVERYTHING, kind: str = "Validating", **changes: Any) -> None:
    client = {"service": {"namespace": "guard", "name": "guard", "port": 443}}
    given = {"name": "guard.example.com", "clientConfig": client, "rules": [rule], "failurePolicy": "Fail", **changes}
    world.cluster.put(thing(GROUP, f"{kind}WebhookConfiguration", "guard", webhooks=[given]))


def endpoints(world: World, *, ready: bool = True) -> None:
    item = thing("discovery.k8s.io/v1", "EndpointSlice", "guard-x", "guard", ports=[{"name": "", "port": 443}])
    item["metadata"]["labels"] = {"kubernetes.io/service-name": "guard"}
    item["endpoints"] = [{"targetRef": {"kind": "Pod", "name": "guard-1"}, "conditions": {"ready": ready}}]
    world.cluster.put(item)


def judged(world: World, *, up: bool | None = None) -> Finding:
    """CL-08, with ready endpoints, with one that is not ready, or with none."""
    now = world.look()
    if up is not None:  # after the look: the stand-in's controllers would clear them away
        endpoints(world, ready=up)
    return world.findings(now)["CL-08"]


def refusing(world: World, *plurals: str, problem: WgeError) -> None:
    def refuse(verb: str, path: str) -> None:
        if verb == "dry-run" and path.split("/")[-1] in plurals:
            raise problem

    world.cluster.before = refuse


def tried(world: World) -> list[str]:
    return [path.split("/")[-1] for verb, path in world.cluster.requests if verb == "dry-run"]


def test_without_webhooks_it_passes(world: World) -> None:
    assert judged(world).evidence == "No webhook with a Service sees the upgrade's writes."


def test_a_webhook_with_a_ready_endpoint_passes(world: World) -> None:
    hook(world)
    found = judged(world, up=True)
    assert (found.status, found.evidence) == ("pass", "1 webhook to see the upgrade's writes: each has somebody to answer.")


@pytest.mark.parametrize("up", [False, None])
@pytest.mark.parametrize("kind", ["Validating", "Mutating"])
def test_one_that_refuses_what_it_cannot_ask_fails_by_name(world: World, kind: str, up: bool | None) -> None:
    hook(world, kind=kind)
    found = judged(world, up=up)
    assert found.status == "fail"
    assert (
        f"guard.example.com of {kind}WebhookConfiguration guard (Service guard in namespace guard has no ready endpoint)" in found.evidence
    )
    assert "exclude this namespace by their namespaceSelector" in found.remedy


def test_one_that_is_passed_over_when_it_does_not_answer_is_warned_of(world: World) -> None:
    hook(world, failurePolicy="Ignore")
    found = judged(world)
    assert found.status == "warn"
    assert found.evidence.startswith("Webhooks with nobody to answer slow every write down: guard.example.com")


@pytest.mark.parametrize(
    "changes",
    [
        {
            "namespaceSelector": {
                "matchExpressions": [{"key": "kubernetes.io/metadata.name", "operator": "NotIn", "values": ["flux-system"]}]
            }
        },
        {"objectSelector": {"matchLabels": {"guarded": "yes"}}},
        {"rules": [{**EVERYTHING, "resources": ["nodes"]}]},
        {"rules": [{**EVERYTHING, "operations": ["CONNECT"]}]},
        {"rules": [{**EVERYTHING, "apiGroups": ["batch"]}]},
        {"rules": [{**DEPLOYMENTS, "scope": "Cluster"}]},
        {"rules": [{**DEPLOYMENTS, "apiVersions": ["v1beta1"]}], "matchPolicy": "Exact"},
        {"clientConfig": {"url": "https://guard.example.com"}},
    ],
)
def test_one_that_does_not_see_what_we_write_is_no_matter(world: World, changes: Object) -> None:
    if "namespaceSelector" in changes:
        changes = {"rules": [{**EVERYTHING, "scope": "Namespaced"}], **changes}
    patched_only = {"objectSelector"} & changes.keys()
    if patched_only:
        changes = {"rules": [{**EVERYTHING, "operations": ["CREATE"]}], **changes}
    hook(world, **changes)
    assert judged(world).status == "pass"


@pytest.mark.parametrize(
    "resource", ["deployments", "services", "secrets", "configmaps", "leases", "pods", "clusterroles", "networkpolicies"]
)
def test_one_that_sees_any_kind_of_ours_counts(world: World, resource: str) -> None:
    hook(world, {**EVERYTHING, "resources": [resource]})
    assert judged(world).status == "fail"


def test_a_namespace_is_judged_by_its_labels_where_namespaces_may_not_be_listed(world: World) -> None:
    world.cluster.one("Namespace", "flux-system")["metadata"]["labels"] = {"guarded": "yes"}
    hook(world, namespaceSelector={"matchLabels": {"guarded": "yes"}}, rules=[DEPLOYMENTS])

    def refuse(verb: str, path: str) -> None:
        if (verb, path) == ("list", "/api/v1/namespaces"):
            raise Forbidden("no", "no")

    world.cluster.before = refuse
    assert judged(world).status == "fail"


def test_where_its_endpoints_may_not_be_read_the_dry_run_has_to_tell(world: World) -> None:
    hook(world)

    def refuse(_verb: str, path: str) -> None:
        if "namespaces/guard/" in path:
            raise Forbidden("no", "no")

    world.cluster.before = refuse
    assert judged(world).status == "pass"


def test_an_upgraded_cluster_writes_nothing_that_a_webhook_could_see(world: World) -> None:
    world.climb()
    found = world.findings()
    assert (found["CL-08"].status, found["CL-08"].evidence) == ("skip", "Nothing is planned, so no webhook sees anything.")
    assert found["CL-09"].status == "skip"


def test_where_nothing_looks_on_only_the_server_and_the_shadow_are_tried(world: World) -> None:
    found = world.findings()["CL-09"]
    assert (found.status, found.evidence) == ("pass", "Admitted in a dry run: create services, create deployments.")
    assert tried(world) == ["services", "deployments"]


def test_where_everything_is_looked_at_one_of_each_kind_is_tried(world: World) -> None:
    hook(world)
    before = copy.deepcopy(world.cluster.objects)
    found = world.findings()["CL-09"]
    kinds = {(s.operation, s.resource) for s in sent_by(world.evidence()) if s.operation != "DELETE" and (s.body or s.write)}
    assert len(tried(world)) <= len(kinds) + 1
    assert found.status == "pass"
    assert {"clusterroles", "configmaps", "customresourcedefinitions", "pods", "secrets"} <= set(tried(world))
    assert world.cluster.objects == before


def test_a_policy_without_a_webhook_is_asked_too(world: World) -> None:
    constraints = {"resourceRules": [{**EVERYTHING, "operations": ["CREATE"], "resources": ["configmaps"]}]}
    world.cluster.put(thing(GROUP, "ValidatingAdmissionPolicy", "guard", spec={"matchConstraints": constraints}))
    world.findings()
    assert "configmaps" in tried(world)


@pytest.mark.parametrize("problem", [Rejected(DENIED, "x"), Forbidden(DENIED, "x")])
def test_what_a_policy_denies_fails_in_its_own_words(world: World, problem: WgeError) -> None:
    refusing(world, "deployments", problem=problem)
    found = world.findings()["CL-09"]
    assert (found.status, found.evidence) == ("fail", DENIED)
    assert found.remedy == "Change what it names, or have the policy except this namespace."


def test_a_denied_patch_of_what_is_there_fails_too(world: World) -> None:
    hook(world, {**EVERYTHING, "operations": ["UPDATE"], "resources": ["services"]})

    def refuse(verb: str, path: str) -> None:
        if verb == "dry-run" and path.endswith("/services/ww-gitops-weave-gitops"):
            raise Rejected("PATCH … was refused: Services are frozen.", "x")

    world.cluster.before = refuse
    assert world.findings()["CL-09"].evidence == "PATCH … was refused: Services are frozen."


def test_after_a_webhook_that_does_not_answer_no_other_kind_is_tried(world: World) -> None:
    hook(world)
    refusing(world, "services", "deployments", problem=Rejected('POST … was refused: failed calling webhook "guard".', "x"))
    attempts: Sequence[str] = []
    found = world.findings()["CL-09"]
    assert found.status == "fail"
    assert found.evidence.count("failed calling webhook") == 1
    assert tried(world) == attempts


def test_a_webhook_that_cannot_be_asked_beforehand_is_warned_of(world: World) -> None:
    refusing(world, "deployments", problem=Rejected("POST … was refused: admission webhook does not support dry run.", "x"))
    found = world.findings()["CL-09"]
    assert found.status == "warn"
    assert found.remedy == "Look whether its rules suit WGE; it cannot be asked beforehand."


def test_rights_that_cannot_be_handed_on_are_left_to_their_own_check(world: World) -> None:
    hook(world)
    refusing(world, "clusterroles", problem=Forbidden("x: attempting to grant RBAC permissions not currently held", "x"))
    assert world.findings()["CL-09"].status == "pass"


def test_what_we_may_not_create_is_not_tried_but_named(world: World) -> None:
    world.cluster.rules = [{**ALL_RIGHTS[0], "resources": ["services"]}]
    found = world.findings()["CL-09"]
    assert found.evidence == (
        "Admitted in a dry run: create services. Not tried: we may not create deployments.apps in namespace flux-system."
    )
    world.cluster.rules = [{**ALL_RIGHTS[0], "verbs": ["get", "list"]}]
    found = world.findings()["CL-09"]
    assert found.status == "skip"
    assert found.evidence.startswith("No dry run was made: we may not create deployments.apps in namespace flux-system")
