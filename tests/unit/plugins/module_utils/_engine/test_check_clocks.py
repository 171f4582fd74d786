# SPDX-License-Identifier: GPL-3.0-or-later
"""CL-07."""

from __future__ import annotations

import pytest

from ansible_collections.weaveworks.wge.plugins.module_utils._engine.checks.clocks import clock_skew
from ansible_collections.weaveworks.wge.plugins.module_utils._engine.checks.evidence import Judged
from ansible_collections.weaveworks.wge.plugins.module_utils._errors import Forbidden
from ansible_collections.weaveworks.wge.tests.unit.plugins.module_utils._engine.standin_products import thing
from ansible_collections.weaveworks.wge.tests.unit.plugins.module_utils._engine.standin_world import World


def judged(world: World, skew: float | None) -> Judged:
    evidence = world.evidence()
    evidence.skew = skew
    return clock_skew(evidence)


def renewed(world: World, node: str, stamp: object) -> None:
    world.cluster.put(thing("coordination.k8s.io/v1", "Lease", node, "kube-node-lease", spec={"renewTime": stamp}))


def test_clocks_that_agree_pass(world: World) -> None:
    renewed(world, "node-1", "2026-11-23T12:00:00.000000Z")
    found = judged(world, 0.4)
    assert (found.status, found.evidence) == ("pass", "The API server's clock is within 5 s of the controller's.")


@pytest.mark.parametrize(
    ("skew", "words"),
    [
        (6.0, "The API server's clock is 6 s ahead of the controller's."),
        (-59.0, "The API server's clock is 59 s behind the controller's."),
    ],
)
def test_a_few_seconds_are_warned_of(world: World, skew: float, words: str) -> None:
    found = judged(world, skew)
    assert (found.status, found.evidence) == ("warn", words)
    assert "chrony" in found.remedy


@pytest.mark.parametrize("skew", [61.0, -3600.0])
def test_more_than_a_minute_fails(world: World, skew: float) -> None:
    assert judged(world, skew).status == "fail"


def test_a_node_that_stamps_the_future_is_warned_of_by_name(world: World) -> None:
    renewed(world, "node-1", "2026-11-23T12:00:30.000000Z")
    found = judged(world, 0.0)
    assert (found.status, found.evidence) == ("warn", "Nodes whose clock is ahead of the API server's: node-1 (30 s).")


def test_of_many_such_nodes_the_furthest_are_named(world: World) -> None:
    for number in range(7):
        renewed(world, f"node-{number}", f"2026-11-23T12:00:{20 + number}Z")
    assert judged(world, 0.0).evidence.endswith("node-6 (26 s), node-5 (25 s), node-4 (24 s), node-3 (23 s), node-2 (22 s) and 2 more.")


@pytest.mark.parametrize("stamp", ["2026-11-23T10:00:00Z", "yesterday", None])
def test_a_node_that_is_silent_or_says_nothing_readable_is_no_matter_of_clocks(world: World, stamp: object) -> None:
    renewed(world, "node-1", stamp)
    assert judged(world, 0.0).status == "pass"


def test_who_may_not_read_the_nodes_leases_is_judged_by_the_api_server_alone(world: World) -> None:
    evidence = world.evidence()
    evidence.skew = 0.0

    def refuse(_verb: str, path: str) -> None:
        if "kube-node-lease" in path:
            raise Forbidden("no", "no")

    world.cluster.before = refuse
    assert clock_skew(evidence).status == "pass"


def test_without_a_time_in_any_answer_it_is_skipped(world: World) -> None:
    found = judged(world, None)
    assert found.status == "skip"
    assert found.evidence == "No answer of the API server carried a time that could be compared with the controller's."
