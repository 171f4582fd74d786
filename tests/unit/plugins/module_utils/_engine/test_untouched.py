# SPDX-License-Identifier: GPL-3.0-or-later
"""What is not in the plan is the same before and after, or is named."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from ansible_collections.weaveworks.wge.plugins.module_utils._engine import ladder, untouched
from ansible_collections.weaveworks.wge.plugins.module_utils._engine.model import Object
from ansible_collections.weaveworks.wge.plugins.module_utils._errors import Forbidden
from ansible_collections.weaveworks.wge.tests.unit.plugins.module_utils._engine.standin_products import (
    NAMESPACE,
    WG_NAME,
    pod,
    secret,
    thing,
)
from ansible_collections.weaveworks.wge.tests.unit.plugins.module_utils._engine.standin_world import QUICK, World


@pytest.fixture
def world(tmp_path: Path) -> World:
    """WG, and a shop in another namespace: a Deployment, its Service, its database."""
    made = World(settings=replace(QUICK, archive_dir=str(tmp_path / "archive")))
    made.install_wg()
    for item in (shop("web", "Deployment"), shop("db", "StatefulSet"), shop("web", "Service"), secret("theirs", {"a": "canary"})):
        made.cluster.put(item)
    running = pod("web-0", {"app": "web"})
    running["metadata"]["namespace"] = "shop"
    running["status"]["containerStatuses"] = [{"name": "web", "restartCount": 0}]
    made.cluster.put(running)
    return made


def shop(name: str, kind: str) -> Object:
    version = "v1" if kind == "Service" else "apps/v1"
    template = {"metadata": {"labels": {"app": name}}, "spec": {"containers": []}}
    return thing(version, kind, name, "shop", spec={"selector": {"app": name}, "replicas": 1, "template": template})


def differences(world: World, before: untouched.Seen, *planned: str) -> Object:
    return untouched.differences(before, untouched.record(world.cluster, world.look()), planned)


def changed(world: World, before: untouched.Seen, *planned: str) -> list[tuple[str, str]]:
    return [(entry["object"], entry["what"]) for entry in differences(world, before, *planned)["changed"]]


def begin(world: World) -> untouched.Seen:
    return untouched.record(world.cluster, world.look())


def test_nothing_changed_when_nothing_was_touched(world: World) -> None:
    found = differences(world, begin(world))
    assert found["objects"] >= 5
    assert (found["changed"], found["changed_count"], found["unseen"]) == ([], 0, [])


def test_a_changed_spec_is_named_with_its_generation(world: World) -> None:
    before = begin(world)
    item = world.cluster.one("StatefulSet", "db")
    item["spec"]["replicas"] = 2
    item["metadata"]["generation"] = 2
    assert changed(world, before) == [("StatefulSet shop/db", "its spec changed, generation 1 → 2")]


def test_a_restart_is_named(world: World) -> None:
    before = begin(world)
    world.cluster.one("Pod", "web-0")["status"]["containerStatuses"][0]["restartCount"] = 2
    assert changed(world, before) == [("Pod shop/web-0", "restarts 0 → 2")]


def test_what_is_gone_or_made_anew_is_named(world: World) -> None:
    before = begin(world)
    world.cluster.remove("StatefulSet", "db")
    world.cluster.one("Service", "web")["metadata"]["uid"] = "another"
    assert changed(world, before) == [("Service shop/web", "it was made anew"), ("StatefulSet shop/db", "it is gone")]


def test_a_secret_is_judged_by_its_version_and_no_byte_of_it_is_read(world: World) -> None:
    before = begin(world)
    assert "canary" not in str(before)
    world.cluster.one("Secret", "theirs")["metadata"]["resourceVersion"] = "later"
    assert changed(world, before) == [(f"Secret {NAMESPACE}/theirs", "its content or metadata changed")]


def test_what_the_plan_writes_to_is_not_compared(world: World) -> None:
    before = begin(world)
    world.cluster.one("Deployment", WG_NAME)["spec"]["replicas"] = 0
    assert changed(world, before) == [(f"Deployment {NAMESPACE}/{WG_NAME}", "its spec changed")]
    assert changed(world, before, f"Deployment {NAMESPACE}/{WG_NAME}") == []


@pytest.mark.parametrize(
    ("path", "title"),
    [
        ("/apis/apps/v1/namespaces/shop/deployments/web", "Deployment shop/web"),
        ("/api/v1/namespaces/shop/secrets/theirs", "Secret shop/theirs"),
        ("/api/v1/namespaces/shop", ""),
        ("/apis/rbac.authorization.k8s.io/v1/clusterroles/x", ""),
    ],
)
def test_a_path_names_the_object_that_is_compared(path: str, title: str) -> None:
    assert untouched.title_of_path(path) == title


def test_what_our_user_may_not_list_is_said_and_not_compared(world: World) -> None:
    def refuse(verb: str, path: str) -> None:
        if verb == "list" and path == "/apis/apps/v1/statefulsets":
            raise Forbidden("no", "")

    world.cluster.before = refuse
    found = differences(world, begin(world))
    assert found["unseen"] == ["StatefulSet: our user may not list it"]


def test_beyond_so_many_objects_no_further_kind_is_read(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(untouched, "MOST", 1)
    found = differences(world, begin(world))
    assert "Secret: there are more than 1 objects" in found["unseen"]


def test_many_changes_are_counted_and_the_first_are_listed(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(untouched, "LISTED", 1)
    before = begin(world)
    for kind in ("Deployment", "Service"):
        world.cluster.one(kind, "web")["metadata"]["uid"] = "another"
    found = differences(world, before)
    assert (len(found["changed"]), found["changed_count"]) == (1, 2)


def test_a_climb_and_the_way_back_touch_nothing_else(world: World) -> None:
    up = world.climb()
    assert up.verdict == "upgraded", up.error
    assert (up.untouched["changed"], up.untouched["unseen"]) == ([], [])
    assert up.untouched["objects"] >= 5
    down = ladder.roll_back(world.tools, world.settings, check_mode=False)
    assert down.verdict == "rolled_back", down.error
    assert (down.untouched["changed"], down.untouched["unseen"]) == ([], [])


def test_a_climb_says_what_somebody_else_changed_meanwhile(world: World) -> None:
    once: list[float] = []

    def meddle(seconds: float) -> None:
        if not once:
            once.append(seconds)
            world.cluster.one("Service", "web")["spec"]["selector"] = {"app": "other"}

    world.clock.on_sleep.append(meddle)
    outcome = world.climb()
    assert outcome.untouched["changed"] == [{"object": "Service shop/web", "what": "its spec changed"}]


def test_looking_takes_eight_lists_at_each_end(world: World) -> None:
    now = world.look()
    before = world.cluster.count("list")
    untouched.record(world.cluster, now)
    assert world.cluster.count("list") - before == 8
