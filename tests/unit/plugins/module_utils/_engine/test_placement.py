# SPDX-License-Identifier: GPL-3.0-or-later
"""Which nodes take a pod, and what Kubernetes quantities mean."""

from __future__ import annotations

from decimal import Decimal

import pytest

from ansible_collections.weaveworks.wge.plugins.module_utils._engine.model import Object
from ansible_collections.weaveworks.wge.plugins.module_utils._engine.placement import refusal
from ansible_collections.weaveworks.wge.plugins.module_utils._engine.quantities import amounts, asked_by, quantity, shown

TAINT = {"key": "team", "value": "a", "effect": "NoSchedule"}


def node(labels: dict[str, str] | None = None, taints: list[Object] | None = None, ready: str = "True") -> Object:
    return {
        "metadata": {"name": "n", "labels": labels or {}},
        "spec": {"taints": taints or []},
        "status": {"conditions": [{"type": "Ready", "status": ready}]},
    }


def affinity(*terms: Object) -> Object:
    return {"affinity": {"nodeAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": {"nodeSelectorTerms": list(terms)}}}}


def expression(key: str, operator: str, *values: str) -> Object:
    return {"key": key, "operator": operator, "values": list(values)}


def test_a_plain_node_takes_a_plain_pod() -> None:
    assert refusal(node(), {}) == ""


def test_a_node_that_is_not_ready_takes_nothing() -> None:
    assert refusal(node(ready="Unknown"), {}) == "it is not ready"


@pytest.mark.parametrize(
    "toleration",
    [
        {"key": "team", "value": "a", "effect": "NoSchedule"},
        {"key": "team", "operator": "Exists"},
        {"operator": "Exists"},
        {"key": "team", "operator": "Equal", "value": "a"},
    ],
)
def test_a_toleration_that_fits_lets_the_pod_in(toleration: Object) -> None:
    assert refusal(node(taints=[TAINT]), {"tolerations": [toleration]}) == ""


@pytest.mark.parametrize(
    "toleration",
    [
        {"key": "team", "value": "b"},
        {"key": "other", "operator": "Exists"},
        {"key": "team", "value": "a", "effect": "NoExecute"},
        {"value": "a"},
    ],
)
def test_a_toleration_that_does_not_fit_keeps_it_out(toleration: Object) -> None:
    assert refusal(node(taints=[TAINT]), {"tolerations": [toleration]}) == "it has the taint team=a:NoSchedule"


def test_a_taint_that_only_prefers_keeps_nobody_out() -> None:
    assert refusal(node(taints=[{**TAINT, "effect": "PreferNoSchedule"}]), {}) == ""


@pytest.mark.parametrize(
    ("term", "fits"),
    [
        ({"matchExpressions": [expression("zone", "In", "a", "b")]}, True),
        ({"matchExpressions": [expression("zone", "NotIn", "a")]}, False),
        ({"matchExpressions": [expression("zone", "Exists")]}, True),
        ({"matchExpressions": [expression("zone", "DoesNotExist")]}, False),
        ({"matchExpressions": [expression("size", "Gt", "3")]}, True),
        ({"matchExpressions": [expression("size", "Lt", "3")]}, False),
        ({"matchExpressions": [expression("zone", "Gt", "3")]}, False),
        ({"matchFields": [expression("metadata.name", "In", "n")]}, True),
        ({"matchFields": [expression("metadata.name", "In", "m")]}, False),
        ({}, False),
    ],
)
def test_required_affinity_is_judged_term_by_term(term: Object, fits: bool) -> None:
    there = node({"zone": "a", "size": "4"})
    assert (refusal(there, affinity(term)) == "") is fits
    assert refusal(there, affinity(term, {"matchExpressions": [expression("zone", "In", "a")]})) == ""


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("1", "1"),
        ("250m", "0.25"),
        ("1Gi", "1073741824"),
        ("1.5G", "1500000000"),
        ("1e3", "1000"),
        ("100u", "0.0001"),
        (2, "2"),
        ("1E", "1e18"),
    ],
)
def test_a_quantity_is_a_number(text: object, number: str) -> None:
    assert quantity(text) == Decimal(number)


@pytest.mark.parametrize("text", ["", "lots", "1 Gi", None])
def test_what_is_no_quantity_is_refused_and_left_out_of_a_map(text: object) -> None:
    with pytest.raises(ValueError, match="is no quantity"):
        quantity(text)
    assert amounts({"cpu": text}) == {}


def test_a_pod_asks_for_what_runs_together_or_for_its_largest_beginning() -> None:
    spec = {
        "containers": [{"resources": {"requests": {"cpu": "100m"}}}, {"resources": {"limits": {"cpu": "200m", "memory": "1Gi"}}}],
        "initContainers": [
            {"resources": {"requests": {"cpu": "2", "memory": "1Mi"}}},
            {"restartPolicy": "Always", "resources": {"requests": {"memory": "1Gi"}}},
        ],
        "overhead": {"memory": "1Mi"},
    }
    assert asked_by(spec) == {"cpu": Decimal(2), "memory": quantity("2Gi") + quantity("1Mi")}
    assert asked_by({}) == {}


@pytest.mark.parametrize(
    ("name", "value", "words"),
    [("cpu", "0.250", "0.25"), ("memory", "536870912", "512Mi"), ("pods", "110", "110"), ("requests.memory", "0", "0")],
)
def test_amounts_are_shown_for_people(name: str, value: str, words: str) -> None:
    assert shown(name, Decimal(value)) == words
