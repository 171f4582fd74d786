# SPDX-License-Identifier: GPL-3.0-or-later
"""Selectors, as Kubernetes, Cilium and Calico read them."""

from __future__ import annotations

import pytest

from ansible_collections.weaveworks.wge.plugins.module_utils._engine.selectors import (
    NotUnderstood,
    calico_matches,
    cilium_matches,
    selector_matches,
)

LABELS = {"app": "wg", "tier": "web-front"}


@pytest.mark.parametrize(
    ("operator", "values", "matches"),
    [
        ("In", ["a", "b"], True),
        ("In", ["b"], False),
        ("NotIn", ["b"], True),
        ("NotIn", ["a"], False),
        ("Exists", None, True),
        ("DoesNotExist", None, False),
    ],
)
def test_expressions_are_judged_as_the_api_server_does(operator: str, values: list[str] | None, matches: bool) -> None:
    assert selector_matches({"matchExpressions": [{"key": "k", "operator": operator, "values": values}]}, {"k": "a"}) is matches


def test_no_selector_matches_nothing_and_an_empty_one_everything() -> None:
    assert selector_matches(None, {"k": "a"}) is False
    assert selector_matches({}, {}) is True


@pytest.mark.parametrize(
    ("labels", "matches"),
    [
        ({"k8s:app": "wg"}, True),
        ({"any:app": "wg", "tier": "web-front"}, True),
        ({"k8s:app": "other"}, False),
        ({"k8s:io.kubernetes.pod.namespace": "here"}, True),
        ({"io.kubernetes.pod.namespace": "there"}, False),
    ],
)
def test_cilium_names_the_source_of_a_label_and_the_namespace(labels: dict[str, str], matches: bool) -> None:
    assert cilium_matches({"matchLabels": labels}, LABELS, "here") is matches


def test_cilium_reads_expressions_too_and_no_selector_matches_nothing() -> None:
    assert cilium_matches({"matchExpressions": [{"key": "k8s:app", "operator": "In", "values": ["wg"]}]}, LABELS, "here") is True
    assert cilium_matches(None, LABELS, "here") is False


@pytest.mark.parametrize(
    ("text", "matches"),
    [
        ("", True),
        ("all()", True),
        ("global()", False),
        ("app == 'wg'", True),
        ('app == "x"', False),
        ("app != 'x'", True),
        ("has(app)", True),
        ("!has(app)", False),
        ("has(x) || app == 'wg' && tier == 'db'", False),
        ("(has(x) || app == 'wg') && !(tier == 'db')", True),
        ("app in {'a', 'wg'}", True),
        ("app not in {'a'}", True),
        ("app in {}", False),
        ("tier contains 'front'", True),
    ],
)
def test_calicos_own_words(text: str, matches: bool) -> None:
    assert calico_matches(text, LABELS) is matches


@pytest.mark.parametrize(
    "text", ["app == wg", "app", "app ~ 'x'", "has(app", "app in {'a'", "app == 'wg' tier", "any(app)", "app like 'x'"]
)
def test_a_calico_selector_that_is_not_understood_is_never_guessed(text: str) -> None:
    with pytest.raises(NotUnderstood):
        calico_matches(text, LABELS)
