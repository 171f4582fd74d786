# SPDX-License-Identifier: GPL-3.0-or-later
"""Kubernetes objects as plain data."""

from __future__ import annotations

from typing import Any

import pytest

from ansible_collections.weaveworks.wge.plugins.module_utils._engine import objects
from ansible_collections.weaveworks.wge.plugins.module_utils._errors import SafeStop


def deployment(wanted: int = 2, **status: int) -> dict[str, Any]:
    rolled_out = {"observedGeneration": 3, "replicas": wanted, "updatedReplicas": wanted, "availableReplicas": wanted}
    return {"metadata": {"generation": 3}, "spec": {"replicas": wanted}, "status": {**rolled_out, **status}}


@pytest.mark.parametrize(
    ("kind", "namespace", "path"),
    [
        ("Secret", "flux-system", "/api/v1/namespaces/flux-system/secrets"),
        ("Deployment", "", "/apis/apps/v1/deployments"),
        ("ClusterRole", "flux-system", "/apis/rbac.authorization.k8s.io/v1/clusterroles"),
    ],
)
def test_a_collection_lies_where_its_kind_is_served(kind: str, namespace: str, path: str) -> None:
    assert objects.collection_path(kind, namespace) == path


def test_a_kind_we_have_no_business_with_is_named() -> None:
    with pytest.raises(SafeStop, match="Objects of kind Gadget are not known to this collection"):
        objects.collection_path("Gadget")


def test_an_rbac_name_is_quoted_for_a_url() -> None:
    path = objects.object_path("ClusterRole", "system:a/b c")
    assert path == "/apis/rbac.authorization.k8s.io/v1/clusterroles/system:a%2Fb%20c"


def test_an_objects_own_path_comes_from_its_kind_and_metadata() -> None:
    item = {"kind": "Service", "metadata": {"name": "s", "namespace": "n"}}
    assert objects.path_of(item) == "/api/v1/namespaces/n/services/s"
    assert objects.parent_path(objects.path_of(item)) == "/api/v1/namespaces/n/services"


def test_an_object_without_metadata_has_empty_names_and_maps() -> None:
    assert (objects.name_of({}), objects.namespace_of({}), objects.uid_of({})) == ("", "", "")
    assert (objects.labels_of({}), objects.annotations_of({"metadata": {"annotations": None}})) == ({}, {})


@pytest.mark.parametrize("selector", [None, {}])
def test_an_empty_selector_selects_nothing(selector: dict[str, str] | None) -> None:
    assert not objects.selects(selector, {"app": "x"})


def test_a_selector_selects_labels_that_have_all_its_keys() -> None:
    assert objects.selects({"app": "x"}, {"app": "x", "more": "y"})
    assert not objects.selects({"app": "x", "more": "z"}, {"app": "x", "more": "y"})


def test_a_ready_pod_that_goes_away_is_not_ready() -> None:
    pod: dict[str, Any] = {"metadata": {}, "status": {"conditions": [{"type": "Ready", "status": "True"}]}}
    assert objects.is_ready(pod)
    assert not objects.is_ready({**pod, "metadata": {"deletionTimestamp": "2026-01-01T00:00:00Z"}})
    assert not objects.is_ready({})


def test_a_deployment_that_rolled_out_is_available() -> None:
    assert objects.is_available(deployment())


@pytest.mark.parametrize(
    "status", [{"observedGeneration": 2}, {"updatedReplicas": 1}, {"availableReplicas": 1}, {"replicas": 3}], ids=lambda s: next(iter(s))
)
def test_a_deployment_in_the_middle_of_a_roll_out_is_not_available(status: dict[str, int]) -> None:
    assert not objects.is_available(deployment(**status))


def test_a_deployment_scaled_to_nothing_is_not_available() -> None:
    assert not objects.is_available(deployment(0))


def test_a_digest_does_not_depend_on_the_order_of_keys() -> None:
    assert objects.digest({"a": 1, "b": [1, 2]}) == objects.digest({"b": [1, 2], "a": 1})
    assert objects.digest({"a": 1}) != objects.digest({"a": "1"})
