# SPDX-License-Identifier: GPL-3.0-or-later
"""What is there and differs: what others changed is left alone, unless told; what reads back differently is named."""

from __future__ import annotations

import copy
from typing import Any

from ansible_collections.weaveworks.wge.tests.unit.plugins.module_utils._engine.restore.archived import (
    DEPLOYMENT,
    LATER,
    SERVICE,
    Archived,
    clean,
    managed,
)
from ansible_collections.weaveworks.wge.tests.unit.plugins.module_utils._engine.standin_products import NAMESPACE, WG_NAME


def test_what_somebody_changed_is_left_alone_and_named(archived: Archived) -> None:
    archived.lose("Ingress")
    archived.change(DEPLOYMENT, spec={"replicas": 3})
    outcome = archived.restore()
    words = f"Deployment {WG_NAME} in namespace {NAMESPACE} was changed after the archive was made, by kubectl-edit at {LATER}"
    assert str(outcome.error).startswith(f"{words}; nothing was put back.") and "overwrite: true" in str(outcome.error)
    assert (outcome.verdict, archived.writes()) == ("blocked", [])


def test_it_is_put_back_when_told(archived: Archived) -> None:
    spec = copy.deepcopy(archived.cluster.objects[DEPLOYMENT]["spec"])
    archived.change(DEPLOYMENT, spec={**spec, "replicas": 3})
    outcome = archived.restore(overwrite=True)
    assert (outcome.verdict, archived.writes()) == ("restored", [f"patch {DEPLOYMENT}"])
    assert archived.cluster.objects[DEPLOYMENT]["spec"] == spec


def test_what_we_changed_ourselves_is_put_back(archived: Archived) -> None:
    archived.change(DEPLOYMENT, manager="weaveworks-wge", spec={**archived.cluster.objects[DEPLOYMENT]["spec"], "replicas": 0})
    assert archived.restore().verdict == "restored"
    assert archived.cluster.objects[DEPLOYMENT]["spec"]["replicas"] == 1


def test_a_selector_is_put_back_whole(archived: Archived) -> None:
    spec = archived.cluster.objects[SERVICE]["spec"]
    archived.change(SERVICE, spec={**spec, "selector": {"app": "other"}})
    archived.restore(overwrite=True)
    assert archived.cluster.objects[SERVICE]["spec"] == spec


def test_labels_that_somebody_added_go_only_when_told(archived: Archived) -> None:
    live = archived.cluster.objects[SERVICE]
    archived.change(SERVICE, metadata={**live["metadata"], "labels": {**live["metadata"]["labels"], "team": "a"}})
    assert archived.restore().verdict == "blocked"
    archived.restore(overwrite=True)
    assert "team" not in archived.cluster.objects[SERVICE]["metadata"]["labels"]


def test_an_object_that_somebody_created_anew_is_theirs(archived: Archived) -> None:
    archived.lose("Service")
    theirs = copy.deepcopy(clean(archived)[SERVICE])
    theirs["spec"]["clusterIP"] = "10.0.0.77"
    theirs["metadata"]["managedFields"] = [managed("kubectl-create", "spec", time=LATER)]
    archived.cluster.put(theirs)
    assert "kubectl-create at" in str(archived.restore().error)


def test_an_object_that_is_being_deleted_is_waited_for_by_a_person(archived: Archived) -> None:
    archived.cluster.objects[SERVICE]["metadata"]["deletionTimestamp"] = LATER
    assert "is being deleted; nothing was put back" in str(archived.restore().error)


def test_several_refusals_are_counted(archived: Archived) -> None:
    for path in (SERVICE, DEPLOYMENT):
        archived.change(path, spec={"replicas": 9})
    assert "(1 more object is refused, see plan.)" in str(archived.restore().error)


def test_somebody_who_writes_at_the_same_moment_is_not_overwritten(archived: Archived) -> None:
    spec = copy.deepcopy(archived.cluster.objects[DEPLOYMENT]["spec"])
    archived.change(DEPLOYMENT, spec={**spec, "replicas": 3})
    real = archived.cluster.patch

    def late(path: str, operations: Any, **more: Any) -> Any:
        if path == DEPLOYMENT and not more.get("dry_run"):
            archived.cluster.patch = real  # type: ignore[method-assign]
            archived.change(DEPLOYMENT, manager="other", spec={**spec, "replicas": 5})
        return real(path, operations, **more)

    archived.cluster.patch = late  # type: ignore[method-assign]
    outcome = archived.restore(overwrite=True)
    assert outcome.verdict == "safe_stop" and "Somebody else changed" in str(outcome.error)
    assert archived.cluster.objects[DEPLOYMENT]["spec"]["replicas"] == 5


def test_somebody_who_creates_the_same_at_the_same_moment_did_it_for_us(archived: Archived) -> None:
    assert meanwhile(archived, {}).verdict == "restored"


def test_somebody_who_creates_another_at_the_same_moment_is_not_overwritten(archived: Archived) -> None:
    outcome = meanwhile(archived, {"sessionAffinity": "ClientIP"})
    assert outcome.verdict == "safe_stop" and f"Somebody else changed {SERVICE}" in str(outcome.error)


def meanwhile(archived: Archived, spec: dict[str, Any]) -> Any:
    archived.lose("Service")
    item = copy.deepcopy(clean(archived)[SERVICE])
    item["spec"].update(spec)
    real = archived.cluster.create

    def late(path: str, body: Any, **more: Any) -> Any:
        if path.endswith("/services") and not more.get("dry_run"):
            archived.cluster.put(item)
        return real(path, body, **more)

    archived.cluster.create = late  # type: ignore[method-assign]
    return archived.restore()


def test_what_a_webhook_makes_of_it_is_told(archived: Archived) -> None:
    archived.lose("Ingress")
    mutating(archived)
    warnings = archived.restore().restored.warnings()
    assert any("reads back differently than it was put back (metadata.labels)" in words for words in warnings)


def test_and_is_not_written_again_and_again(archived: Archived) -> None:
    archived.lose("Ingress")
    mutating(archived)
    archived.restore()
    path = next(entry.path for entry in archived.contents.entries if entry.clean["kind"] == "Ingress")
    archived.cluster.objects[path]["metadata"]["managedFields"] = [managed("weaveworks-wge", "spec")]
    assert archived.again().verdict == "unchanged" and archived.writes() == []


def mutating(archived: Archived) -> None:
    """An admission webhook that labels every Ingress."""
    cluster = archived.cluster
    create, patch = cluster.create, cluster.patch

    def labelled(item: Any) -> Any:
        if item["kind"] == "Ingress":
            item["metadata"].setdefault("labels", {})["seen"] = "yes"
        return item

    def creating(path: str, body: Any, **more: Any) -> Any:
        return create(path, labelled(copy.deepcopy(body)), **more)

    def patching(path: str, operations: Any, **more: Any) -> Any:
        if more.get("dry_run"):
            return labelled(copy.deepcopy(patch(path, operations, **more)))
        return patch(path, operations, **more)

    cluster.create = creating  # type: ignore[method-assign]
    cluster.patch = patching  # type: ignore[method-assign]
