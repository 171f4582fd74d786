# SPDX-License-Identifier: GPL-3.0-or-later
"""JSON Patches judged from a fresh read."""

from __future__ import annotations

from typing import Any

import pytest

from ansible_collections.weaveworks.wge.plugins.module_utils._engine.patches import (
    MISSING,
    guards_hold,
    is_applied,
    pointer,
    set_keys,
    still_missing,
    value_at,
)

Operations = list[dict[str, Any]]

SERVICE: dict[str, Any] = {
    "metadata": {"uid": "u1", "annotations": {"a/b": "1", "c~d": "2"}},
    "spec": {"selector": {"app": "wg"}, "ports": [{"port": 9001, "targetPort": "http"}]},
}


def replace_selector(value: dict[str, str]) -> Operations:
    return [{"op": "replace", "path": "/spec/selector", "value": value}]


def test_a_pointer_escapes_slash_and_tilde() -> None:
    assert pointer("metadata", "annotations", "a/b~c", 0) == "/metadata/annotations/a~1b~0c/0"


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("/metadata/annotations/a~1b", "1"),
        ("/metadata/annotations/c~0d", "2"),
        ("/spec/ports/0/port", 9001),
        ("/spec/ports/1/port", MISSING),
        ("/spec/ports/first", MISSING),
        ("/metadata/uid/deeper", MISSING),
    ],
)
def test_a_pointer_leads_through_maps_and_lists_or_is_missing(path: str, value: Any) -> None:
    assert value_at(SERVICE, path) == value


def test_a_guard_holds_for_the_same_value_in_any_key_order() -> None:
    live = {"spec": {"selector": {"x": "1", "y": "2"}}}
    assert guards_hold([{"op": "test", "path": "/spec/selector", "value": {"y": "2", "x": "1"}}], live)


@pytest.mark.parametrize("value", [{"app": "wg", "more": "x"}, {}, {"app": "other"}])
def test_a_guard_fails_for_a_subset_a_superset_or_another_value(value: dict[str, str]) -> None:
    assert not guards_hold([{"op": "test", "path": "/spec/selector", "value": value}], SERVICE)


def test_a_guard_for_null_holds_on_an_absent_key_only() -> None:
    assert guards_hold([{"op": "test", "path": "/metadata/labels", "value": None}], SERVICE)
    assert not guards_hold([{"op": "test", "path": "/metadata/annotations", "value": None}], SERVICE)


def test_a_guard_on_text_does_not_hold_for_the_number() -> None:
    assert not guards_hold([{"op": "test", "path": "/spec/ports/0/targetPort", "value": 9001}], SERVICE)


def test_a_patch_without_guards_may_always_be_sent() -> None:
    assert guards_hold(replace_selector({"app": "wge"}), SERVICE)


def test_a_patch_is_applied_when_every_change_is_there() -> None:
    changes: Operations = [
        {"op": "test", "path": "/metadata/uid", "value": "never looked at"},
        {"op": "replace", "path": "/spec/selector", "value": {"app": "wg"}},
        {"op": "add", "path": "/metadata/annotations/a~1b", "value": "1"},
        {"op": "remove", "path": "/metadata/labels"},
    ]
    assert is_applied(changes, SERVICE)


@pytest.mark.parametrize(
    "change",
    [
        {"op": "replace", "path": "/spec/selector", "value": {"app": "wge"}},
        {"op": "remove", "path": "/metadata/annotations/a~1b"},
        {"op": "add", "path": "/metadata/labels/x", "value": "1"},
    ],
)
def test_a_patch_is_not_applied_while_one_change_is_missing(change: dict[str, Any]) -> None:
    assert not is_applied([change], SERVICE)


def test_a_value_to_which_the_server_added_defaults_counts_as_added() -> None:
    live = {"probe": {"periodSeconds": 2, "successThreshold": 1}}
    assert is_applied([{"op": "add", "path": "/probe", "value": {"periodSeconds": 2}}], live)


def test_a_selector_united_with_old_keys_does_not_count_as_replaced() -> None:
    """The union of both selectors matches no pod (K4), so it is neither the one nor the other."""
    union = {"spec": {"selector": {"app": "wge", "name": "wg"}}}
    assert not is_applied(replace_selector({"app": "wge"}), union)
    assert not is_applied(replace_selector({"name": "wg"}), union)


def test_keys_that_are_as_wanted_need_no_patch() -> None:
    assert set_keys(SERVICE, "annotations", {"a/b": "1", "gone": None}) == ([], [])


def test_a_missing_map_is_added_whole_and_guarded_by_a_test_for_null() -> None:
    do, _ = set_keys({"metadata": {}}, "labels", {"x/y": "1"})
    assert do == [
        {"op": "test", "path": "/metadata/labels", "value": None},
        {"op": "add", "path": "/metadata/labels", "value": {"x/y": "1"}},
    ]


def test_each_key_is_guarded_by_its_old_value_and_its_absence_by_null() -> None:
    do, undo = set_keys(SERVICE, "annotations", {"a/b": "9", "new": "8"})
    assert do == [
        {"op": "test", "path": "/metadata/annotations/a~1b", "value": "1"},
        {"op": "add", "path": "/metadata/annotations/a~1b", "value": "9"},
        {"op": "test", "path": "/metadata/annotations/new", "value": None},
        {"op": "add", "path": "/metadata/annotations/new", "value": "8"},
    ]
    assert undo == [
        {"op": "test", "path": "/metadata/annotations/a~1b", "value": "9"},
        {"op": "add", "path": "/metadata/annotations/a~1b", "value": "1"},
        {"op": "test", "path": "/metadata/annotations/new", "value": "8"},
        {"op": "remove", "path": "/metadata/annotations/new"},
    ]


def test_a_removed_key_comes_back_with_its_old_value() -> None:
    do, undo = set_keys(SERVICE, "annotations", {"a/b": None})
    assert do[-1] == {"op": "remove", "path": "/metadata/annotations/a~1b"}
    assert undo == [
        {"op": "test", "path": "/metadata/annotations/a~1b", "value": None},
        {"op": "add", "path": "/metadata/annotations/a~1b", "value": "1"},
    ]


def test_after_the_patch_it_is_applied_and_its_reverse_may_be_sent() -> None:
    live = {"metadata": {"annotations": {"a/b": "9", "c~d": "2", "new": "8"}}}
    do, undo = set_keys(SERVICE, "annotations", {"a/b": "9", "new": "8"})
    assert is_applied(do, live)
    assert guards_hold(undo, live)
    assert not is_applied(undo, live)


def test_what_an_object_says_already_is_left_out_with_its_guard() -> None:
    uid = {"op": "test", "path": "/metadata/uid", "value": "u1"}
    selector = [{"op": "test", "path": "/spec/selector", "value": {"app": "wge"}}, *replace_selector({"app": "wg"})]
    port = [
        {"op": "test", "path": "/spec/ports/0/port", "value": 9001},
        {"op": "test", "path": "/spec/ports/0/targetPort", "value": "http"},
        {"op": "replace", "path": "/spec/ports/0/targetPort", "value": 8000},
    ]
    assert still_missing([uid, *selector, *port], SERVICE) == [uid, *port]
    assert still_missing([uid, *selector], SERVICE) == [uid]
    other = {**SERVICE, "spec": {**SERVICE["spec"], "selector": {"app": "theirs"}}}
    assert still_missing([uid, *selector], other) == [uid, *selector]
