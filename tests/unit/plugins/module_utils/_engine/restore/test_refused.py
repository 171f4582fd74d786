# SPDX-License-Identifier: GPL-3.0-or-later
"""What Kubernetes refuses, and what an upgrade holds: each is named before the first write."""

from __future__ import annotations

from typing import Any

import pytest

from ansible_collections.weaveworks.wge.plugins.module_utils._engine.journal import OPEN, PARKED, ROLLED_BACK
from ansible_collections.weaveworks.wge.plugins.module_utils._engine.restore.selection import Selection
from ansible_collections.weaveworks.wge.plugins.module_utils._errors import Conflict, Forbidden, Rejected
from ansible_collections.weaveworks.wge.tests.unit.plugins.module_utils._engine.restore.archived import (
    LATER,
    Archived,
    config_map,
    journalled,
    kinds_written,
)
from ansible_collections.weaveworks.wge.tests.unit.plugins.module_utils._engine.standin_products import NAMESPACE, WG_NAME, thing


@pytest.mark.parametrize(
    ("spec", "what", "held"),
    [
        ({"clusterIP": "10.0.0.9"}, "ClusterIP 10.0.0.9", "ClusterIP 10.0.0.9"),
        ({"ports": [{"port": 1, "nodePort": 30901}]}, "nodePort 30901", "nodePort 30901"),
        ({"healthCheckNodePort": 30901}, "nodePort 30901", "healthCheckNodePort 30901"),
    ],
)
def test_who_holds_an_address_is_named(archived: Archived, spec: dict[str, Any], what: str, held: str) -> None:
    archived.lose("Service")
    archived.cluster.put(thing("v1", "Service", "thief", "elsewhere", spec=spec))
    outcome = archived.restore()
    words = f"cannot have its {what} back, which Service thief in namespace elsewhere holds as its {held}; nothing was put back."
    assert words in str(outcome.error) and archived.writes() == []


def test_an_address_that_is_taken_in_the_last_moment_is_named_too(archived: Archived) -> None:
    archived.lose("Service")
    real = archived.cluster.create

    def taken(path: str, body: Any, **more: Any) -> Any:
        if path.endswith("/services") and not more.get("dry_run"):
            archived.cluster.put(thing("v1", "Service", "thief", "elsewhere", spec={"clusterIP": "10.0.0.9"}))
            raise Rejected("provided IP is already allocated.")
        return real(path, body, **more)

    archived.cluster.create = taken  # type: ignore[method-assign]
    outcome = archived.restore()
    assert "which Service thief in namespace elsewhere holds" in str(outcome.error) and outcome.verdict == "safe_stop"


def test_services_that_may_not_be_listed_are_left_to_the_api_server(archived: Archived) -> None:
    archived.lose("Service")

    def forbidden(verb: str, path: str) -> None:
        if (verb, path) == ("list", "/api/v1/services"):
            raise Forbidden("You may not list services.")

    archived.cluster.before = forbidden
    assert archived.restore().verdict == "restored"


def refusing(archived: Archived, problem: Exception, kind: str = "/deployments") -> None:
    real = archived.cluster.create

    def refuse(path: str, body: Any, **more: Any) -> Any:
        if path.endswith(kind) and more.get("dry_run"):
            raise problem
        return real(path, body, **more)

    archived.cluster.create = refuse  # type: ignore[method-assign]


def test_what_a_dry_run_refuses_is_said_before_the_first_write(archived: Archived) -> None:
    archived.lose("Deployment", "Ingress")
    refusing(archived, Forbidden("POST was forbidden: denied by policy no-latest.", "Change the policy."))
    outcome = archived.restore()
    assert "cannot be put back: POST was forbidden: denied by policy no-latest; nothing was put back." in str(outcome.error)
    assert archived.writes() == []


@pytest.mark.parametrize("problem", [Rejected("webhook x does not support dry run."), Conflict("exists", reason="AlreadyExists")])
def test_what_cannot_be_tried_is_written_untried(archived: Archived, problem: Exception) -> None:
    archived.lose("Deployment")
    refusing(archived, problem)
    assert archived.restore().verdict == "restored"


def test_a_kind_that_is_not_served_is_named(archived: Archived) -> None:
    archived.cluster.served.append("kustomize.toolkit.fluxcd.io/v1")
    archived.cluster.put(thing("kustomize.toolkit.fluxcd.io/v1", "Kustomization", "apps", NAMESPACE, spec={}))
    archived.archive()
    archived.lose("Kustomization")
    archived.cluster.served.pop()
    words = f"Kustomization apps in namespace {NAMESPACE} is of a kind that this cluster does not serve (kustomize.toolkit.fluxcd.io/v1)"
    assert words in str(archived.restore().error)


def test_a_definition_is_waited_for_before_its_objects(archived: Archived) -> None:
    version = "kustomize.toolkit.fluxcd.io/v1"
    spec = {"group": version.split("/", maxsplit=1)[0], "names": {"kind": "Kustomization"}, "versions": [{"name": "v1"}]}
    archived.cluster.put(thing("apiextensions.k8s.io/v1", "CustomResourceDefinition", "kustomizations.x", spec=spec))
    archived.cluster.put(thing(version, "Kustomization", "apps", NAMESPACE, spec={}))
    archived.archive()
    archived.lose()
    archived.world.clock.on_sleep.append(lambda _s: archived.cluster.served.append(version))
    outcome = archived.restore()
    assert outcome.verdict == "restored"
    assert kinds_written(outcome)[:2] == ["Namespace", "CustomResourceDefinition"]  # the lock lies in the Namespace


def test_a_namespace_that_is_nowhere_is_named(archived: Archived) -> None:
    archived.cluster.put(config_map("far", "away"))
    archived.archive()
    archived.lose("ConfigMap")
    outcome = archived.restore()
    assert "ConfigMap far in namespace away has no place: its namespace is not there" in str(outcome.error)


def test_a_namespace_that_is_being_deleted_is_named(archived: Archived) -> None:
    archived.lose("Service")
    archived.cluster.one("Namespace", NAMESPACE)["metadata"]["deletionTimestamp"] = LATER
    outcome = archived.restore(selection=Selection(kinds=("Service",)))
    assert "has no place: its namespace is being deleted" in str(outcome.error)


def test_the_lock_needs_the_namespace(archived: Archived) -> None:
    archived.lose()
    outcome = archived.restore(selection=Selection(kinds=("ClusterRole",)))
    assert f"Namespace {NAMESPACE}, where the lock lies, is not there and not selected" in str(outcome.error)


@pytest.mark.parametrize("state", [OPEN, PARKED])
def test_what_an_upgrade_holds_is_refused(archived: Archived, state: str) -> None:
    journalled(archived, state)
    archived.lose("Service", "Ingress")
    outcome = archived.restore()
    assert f"Service {WG_NAME} in namespace {NAMESPACE} is held by the upgrade of run r9 ({state}); nothing was put back." in str(
        outcome.error
    )
    assert archived.restore(selection=Selection(kinds=("Ingress",))).verdict == "restored"


def test_what_an_upgrade_that_was_rolled_back_held_is_not(archived: Archived) -> None:
    journalled(archived, ROLLED_BACK)
    archived.lose("Service")
    assert archived.restore().verdict == "restored"
