# SPDX-License-Identifier: GPL-3.0-or-later
"""Check mode, and what ends a climb before its first write."""

from __future__ import annotations

from typing import Any

import pytest

from ansible_collections.weaveworks.wge.plugins.module_utils._engine import ladder
from ansible_collections.weaveworks.wge.plugins.module_utils._errors import Blocked, InvalidSettings, SafeStop
from ansible_collections.weaveworks.wge.tests.unit.plugins.module_utils._engine.standin_faults import Fault
from ansible_collections.weaveworks.wge.tests.unit.plugins.module_utils._engine.standin_runs import climb, sent, start
from ansible_collections.weaveworks.wge.tests.unit.plugins.module_utils._engine.standin_witness import content
from ansible_collections.weaveworks.wge.tests.unit.plugins.module_utils._engine.standin_world import World


def planned(world: World) -> ladder.Outcome:
    start(world)
    return ladder.climb(world.tools, world.settings, lambda _now, _plan: None, check_mode=True)


def test_check_mode_shows_the_plan_and_writes_nothing(scene: World) -> None:
    before = content(scene)
    outcome = planned(scene)
    assert (outcome.verdict, outcome.changed) == ("planned", True)
    assert content(scene) == before
    assert scene.cluster.count("create", "patch", "delete") == 0
    assert not scene.helm.calls.count("install")


def test_the_plan_is_what_is_sent(scene: World) -> None:
    plan = planned(scene).plan
    shown = [(write.verb, "/".join(write.path.split("/")[-2:])) for entry in plan.planned if entry.step.foreseen for write in entry.writes]
    writes = [(verb, name) for verb, name in sent(scene) if "/wge-journal" not in name and "leases/" not in name and verb != "delete"]
    assert [
        ("helm", "secrets/sh.helm.release.v1.weave-gitops-enterprise.v1") if verb == "install" else (verb, name) for verb, name in writes
    ] == shown


def test_the_shown_plan_holds_no_secret_byte(scene: World) -> None:
    text = str(planned(scene).plan.shown())
    data = [value for item in scene.cluster.all("Secret") for value in item.get("data", {}).values()]
    assert not [value for value in data if value in text]
    assert scene.settings.entitlement not in text


def test_check_mode_on_a_parked_cluster_is_already(scene: World) -> None:
    climb(scene)
    assert planned(scene).verdict == "already"


def test_a_preflight_that_blocks_leaves_the_cluster_untouched(scene: World) -> None:
    before = content(scene)
    fault = start(scene)

    def check(*_: Any) -> None:
        raise Blocked("No.", "Never.")

    with pytest.raises(Blocked):
        ladder.climb(scene.tools, scene.settings, check, check_mode=False)
    assert content(scene) == before
    assert fault.sent == []


def test_without_a_chart_there_is_nothing_to_install(scene: World) -> None:
    scene.set(chart="")
    with pytest.raises(InvalidSettings, match="There is no chart of WGE to install"):
        climb(scene)


def test_a_cluster_that_changed_since_the_plan_is_not_written_to(scene: World) -> None:
    fault = start(scene)

    def check(*_: Any) -> None:
        scene.cluster.one("Service", "by-hand")["metadata"]["uid"] = "recreated"

    outcome = ladder.climb(scene.tools, scene.settings, check, check_mode=False)
    assert isinstance(outcome.error, SafeStop)
    assert "The cluster has changed since the plan was made" in str(outcome.error)
    assert [path.rsplit("/", 1)[1] for _, path in fault.sent] == ["wge-upgrade"] * 2
    assert not outcome.changed


def test_an_archive_that_cannot_be_made_ends_before_the_first_write(scene: World) -> None:
    before = content(scene)
    scene.archives.problem = "There is no vault secret to encrypt Secrets with."
    fault = Fault()
    outcome = climb(scene, fault)
    assert outcome is not None
    assert isinstance(outcome.error, InvalidSettings)
    assert (outcome.verdict, outcome.changed) == ("blocked", False)
    assert "There is no vault secret" in str(outcome.error)
    assert content(scene) == before
    assert [path.rsplit("/", 1)[-1] for _, path in fault.sent] == ["wge-upgrade"] * 2
