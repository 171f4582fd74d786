# SPDX-License-Identifier: GPL-3.0-or-later
"""Helm's stored releases."""

from __future__ import annotations

import base64
import gzip
import json
from typing import Any

import pytest

from ansible_collections.weaveworks.wge.plugins.module_utils._engine.forms import helm
from ansible_collections.weaveworks.wge.plugins.module_utils._errors import InvalidSettings, SafeStop

STORED = {
    "manifest": "---\nkind: Service\nmetadata: {name: s}\n---\n# nothing\n---\nkind: Deployment\nmetadata: {name: d}\n",
    "chart": {"metadata": {"version": "4.0.36"}, "values": {"a": {"x": 1, "y": 2}, "list": [1]}},
    "config": {"a": {"y": 3}, "list": [2]},
}


def packed(stored: dict[str, Any]) -> str:
    """As Helm does it: JSON, gzip, base64, and base64 once more as any Secret's data."""
    return base64.b64encode(base64.b64encode(gzip.compress(json.dumps(stored).encode()))).decode()


def revision(
    number: int, *, release: str = "ww-gitops", owner: str = "helm", status: str = "superseded", data: str = "x"
) -> dict[str, Any]:
    secret: dict[str, Any] = {
        "metadata": {"name": f"sh.helm.release.v1.{release}.v{number}", "labels": {"owner": owner, "name": release, "status": status}}
    }
    if data:
        secret["data"] = {"release": data}
    return secret


def decoded(stored: dict[str, Any]) -> dict[str, Any]:
    (one,) = helm.revisions_of([revision(1, data=packed(stored))], "ww-gitops")
    return one.decoded()


def test_revisions_are_sorted_by_number_not_by_name() -> None:
    found = helm.revisions_of([revision(10), revision(9), revision(11, status="deployed")], "ww-gitops")
    assert [r.number for r in found] == [9, 10, 11]
    assert found[-1].status == "deployed"


def test_a_release_whose_name_begins_alike_is_another() -> None:
    others = [revision(1, release="ww-gitops-2"), revision(1, release="ww"), {"metadata": {"name": "cluster-user-auth"}}]
    assert helm.revisions_of(others, "ww-gitops") == []


def test_a_release_name_with_a_version_in_it_is_read_right() -> None:
    assert [r.number for r in helm.revisions_of([revision(3, release="wg.v1")], "wg.v1")] == [3]


def test_parked_revisions_count_and_a_tombstone_does_not_hold_a_release() -> None:
    found = helm.revisions_of([revision(1, owner="wge-tombstone", data=""), revision(7, owner="wge-parked")], "ww-gitops")
    assert [(r.number, r.owner, r.is_real) for r in found] == [(1, "wge-tombstone", False), (7, "wge-parked", True)]
    newest = helm.newest(found)
    assert newest is not None
    assert newest.number == 7


def test_a_tombstone_alone_is_no_newest_revision() -> None:
    assert helm.newest(helm.revisions_of([revision(1, data="")], "ww-gitops")) is None


def test_a_stored_release_is_decoded() -> None:
    stored = decoded(STORED)
    assert helm.chart_version_of(stored) == "4.0.36"
    assert [item["kind"] for item in helm.manifest_of(stored)] == ["Service", "Deployment"]
    assert helm.values_of(stored) == {"a": {"x": 1, "y": 3}, "list": [2]}


def test_a_release_that_says_little_is_read_as_empty() -> None:
    assert (helm.chart_version_of({}), helm.manifest_of({}), helm.values_of({"chart": None, "config": None})) == ("", [], {})


@pytest.mark.parametrize(
    "data",
    ["!!!", base64.b64encode(b"!!!").decode(), base64.b64encode(base64.b64encode(b"no gzip")).decode(), packed(STORED)[:-40]],
    ids=["no base64", "no base64 inside", "no gzip", "cut"],
)
def test_a_release_that_cannot_be_decoded_is_named(data: str) -> None:
    (one,) = helm.revisions_of([revision(4, data=data)], "ww-gitops")
    with pytest.raises(SafeStop, match=r"The Helm release Secret sh\.helm\.release\.v1\.ww-gitops\.v4 cannot be decoded"):
        one.decoded()


def test_a_manifest_that_is_not_yaml_is_named() -> None:
    with pytest.raises(InvalidSettings, match="A manifest is not YAML"):
        helm.manifest_of({"manifest": "a: [1\nb: }"})


def test_merging_leaves_both_trees_as_they_were() -> None:
    under, over = {"a": {"x": 1}}, {"a": {"y": 2}, "b": None}
    assert helm.merged(under, over) == {"a": {"x": 1, "y": 2}, "b": None}
    assert (under, over) == ({"a": {"x": 1}}, {"a": {"y": 2}, "b": None})
