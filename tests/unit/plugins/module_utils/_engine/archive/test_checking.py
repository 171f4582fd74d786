# SPDX-License-Identifier: GPL-3.0-or-later
"""An archive counts when it reads back as it was written, and the API server would take its objects."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from ansible_collections.weaveworks.wge.plugins.module_utils._engine.archive import checking
from ansible_collections.weaveworks.wge.plugins.module_utils._engine.archive.checking import BOUND, check, is_chosen, without_addresses
from ansible_collections.weaveworks.wge.plugins.module_utils._engine.archive.reading import InMemory, Reader
from ansible_collections.weaveworks.wge.plugins.module_utils._errors import Conflict, Forbidden, InvalidSettings, Rejected, SafeStop
from ansible_collections.weaveworks.wge.tests.unit.plugins.module_utils._engine.archive.pieces import (
    CONFIG_MAP,
    collected,
    decrypt,
    encrypt,
    lived_in_with_secrets,
    small_box,
    thing,
    written,
)
from ansible_collections.weaveworks.wge.tests.unit.plugins.module_utils._engine.standin import StandInCluster


def reader(files: dict[str, bytes]) -> Reader:
    return Reader(InMemory(files), decrypt)


def failing(problem: Exception) -> StandInCluster:
    cluster = StandInCluster()

    def fail(verb: str, _path: str) -> None:
        if verb == "dry-run":
            raise problem

    cluster.before = fail
    return cluster


def test_every_object_of_a_real_cluster_is_compared_and_tried(tmp_path: Path) -> None:
    world = lived_in_with_secrets(tmp_path)
    box = collected(world)
    world.cluster.requests.clear()
    found = check(reader(written(box)), box, world.cluster)
    assert (found.compared, found.tried, found.untried) == (len(box), len(box), ())
    assert {verb for verb, _path in world.cluster.requests} == {"dry-run"}


def test_an_object_that_was_deleted_meanwhile_is_proof_too(tmp_path: Path) -> None:
    box = small_box()
    assert check(reader(written(box)), box, StandInCluster()).tried == 3


@pytest.mark.parametrize("cipher", [encrypt, None])
def test_without_dry_runs_everything_is_still_compared(cipher: Any) -> None:
    box = small_box()
    found = check(reader(written(box, cipher)), box, None)
    assert (found.compared, found.tried) == (3 if cipher else 1, 0)


def test_of_many_objects_some_are_tried_spread_evenly() -> None:
    for count in (1, BOUND, BOUND + 1, 2_000, 4_999):
        chosen = [index for index in range(count) if is_chosen(index, count)]
        assert len(chosen) == min(count, BOUND)
        assert chosen[0] == 0
        assert max(b - a for a, b in zip(chosen, [*chosen[1:], count], strict=True)) <= count // BOUND + 1
    box = small_box(*(thing(CONFIG_MAP, f"c{number}") for number in range(700)))
    files = written(box)
    found = check(reader(files), box, StandInCluster())
    assert (found.compared, found.tried) == (703, BOUND + 2)
    box.core = frozenset(box.all_paths())
    assert check(reader(files), box, StandInCluster()).tried == 703, "what an upgrade touches is tried whole"


@pytest.mark.parametrize("problem", [Rejected("spec.x: Invalid value."), Forbidden("no."), Conflict("The namespace is going.")])
def test_an_object_that_would_be_refused_is_named_with_the_servers_words(problem: Exception) -> None:
    box = small_box()
    with pytest.raises(
        SafeStop, match="ConfigMap settings in namespace apps could not be applied again, so the archive was not kept"
    ) as caught:
        check(reader(written(box)), box, failing(problem))
    assert str(problem) in caught.value.what
    assert caught.value.next_step


def test_a_webhook_that_knows_no_dry_run_is_told_and_no_failure() -> None:
    box = small_box()
    problem = Rejected("POST x was refused: admission webhook a.b does not support dry run.")
    found = check(reader(written(box)), box, failing(problem))
    assert (found.tried, found.untried) == (0, (problem.what,))


@pytest.mark.parametrize("change", ["other", "more", "less"])
def test_what_reads_back_differently_does_not_count(change: str) -> None:
    box = small_box()
    files = written(box)
    if change == "less":
        box.add(CONFIG_MAP, thing(CONFIG_MAP, "another"))
    elif change == "other":
        box.add(CONFIG_MAP, thing(CONFIG_MAP, "settings", data={"a": "2"}))
    else:
        files = written(small_box(thing(CONFIG_MAP, "zz")))
    with pytest.raises(InvalidSettings, match="The archive reads back differently"):
        check(reader(files), box, None)


def test_a_service_is_tried_without_the_addresses_it_has_itself() -> None:
    spec = {"clusterIP": "10.0.0.1", "clusterIPs": ["10.0.0.1"], "ports": [{"port": 80, "nodePort": 30080}], "type": "NodePort"}
    service = {"apiVersion": "v1", "kind": "Service", "metadata": {"name": "x"}, "spec": spec}
    assert without_addresses(service)["spec"] == {"ports": [{"port": 80}], "type": "NodePort"}
    headless = {**service, "spec": {"clusterIP": "None", "ports": [{"port": 80}]}}
    assert without_addresses(headless) == headless
    assert without_addresses({**service, "kind": "Deployment"})["spec"] == spec
    assert checking.BOUND == 500, "the documentation names it"
