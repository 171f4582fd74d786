# SPDX-License-Identifier: GPL-3.0-or-later
"""How a climb acts: guard, send, read back, wait."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from ansible_collections.weaveworks.wge.plugins.module_utils._engine.lock import Lock
from ansible_collections.weaveworks.wge.plugins.module_utils._engine.names import RUN_LABEL
from ansible_collections.weaveworks.wge.plugins.module_utils._engine.sending import TRIES
from ansible_collections.weaveworks.wge.plugins.module_utils._engine.work import Work
from ansible_collections.weaveworks.wge.plugins.module_utils._engine.writes import Write, create, patch
from ansible_collections.weaveworks.wge.plugins.module_utils._errors import (
    Forbidden,
    Interrupted,
    SafeStop,
    StepFailed,
    TrafficFault,
    UnknownOutcome,
)
from ansible_collections.weaveworks.wge.tests.unit.plugins.module_utils._engine.standin_faults import crash
from ansible_collections.weaveworks.wge.tests.unit.plugins.module_utils._engine.standin_products import NAMESPACE, WG_NAME
from ansible_collections.weaveworks.wge.tests.unit.plugins.module_utils._engine.standin_world import World

SERVICE = f"/api/v1/namespaces/{NAMESPACE}/services/{WG_NAME}"
THING = f"/api/v1/namespaces/{NAMESPACE}/configmaps/thing"


@pytest.fixture
def work(world: World) -> Work:
    now = world.look()
    lock = Lock(world.cluster, world.clock, NAMESPACE, "us", 60)
    return Work(world.tools, lock, now)


def annotate(world: World, old: str | None = None) -> Write:
    """A write that begins with a guard."""
    uid = world.cluster.one("Service", WG_NAME)["metadata"]["uid"]
    path = "/metadata/annotations/x"
    guards = [{"op": "test", "path": "/metadata/uid", "value": uid}, {"op": "test", "path": path, "value": old}]
    return patch(SERVICE, [*guards, {"op": "add", "path": path, "value": "ours"}], [], "annotate")


def thing(work: Work) -> Write:
    """A create."""
    meta = {"name": "thing", "namespace": NAMESPACE, "labels": {RUN_LABEL: work.now.run}}
    return create({"apiVersion": "v1", "kind": "ConfigMap", "metadata": meta}, THING, "create the thing")


def losing(world: World, times: int, *, applied: bool) -> Callable[..., Any]:
    """``patch`` whose first answers are lost."""
    real, left = world.cluster.patch, [None] * times

    def send(*words: Any, **more: Any) -> Any:
        if not left:
            return real(*words, **more)
        left.pop()
        if applied:
            real(*words, **more)
        raise UnknownOutcome("The answer was lost.")

    return send


def mark(world: World) -> Any:
    return world.cluster.one("Service", WG_NAME)["metadata"]["annotations"].get("x")


def test_a_write_is_sent_once(world: World, work: Work) -> None:
    work.send(annotate(world))
    assert (mark(world), world.cluster.count("patch")) == ("ours", 1)


@pytest.mark.parametrize(("applied", "sent"), [(True, 1), (False, 2)])
def test_after_a_lost_answer_it_is_sent_again_only_if_it_did_not_happen(world: World, work: Work, applied: bool, sent: int) -> None:
    write = annotate(world)
    calls: list[str] = []
    lose = losing(world, 1, applied=applied)

    def count(*words: Any, **more: Any) -> Any:
        calls.append("sent")
        return lose(*words, **more)

    world.cluster.patch = count  # type: ignore[method-assign]
    work.send(write)
    assert (mark(world), len(calls)) == ("ours", sent)


def test_answers_that_stay_away_end_in_a_safe_stop(world: World, work: Work) -> None:
    write = annotate(world)
    world.cluster.patch = losing(world, TRIES, applied=False)  # type: ignore[method-assign]
    with pytest.raises(SafeStop, match=f"annotate: no answer after {TRIES} tries"):
        work.send(write)


def test_a_guard_that_fails_because_it_is_done_already_is_no_fault(world: World, work: Work) -> None:
    write = annotate(world)
    world.cluster.one("Service", WG_NAME)["metadata"]["annotations"]["x"] = "ours"
    work.send(write)
    assert mark(world) == "ours"


def test_a_guard_that_fails_because_of_somebody_else_is_a_safe_stop(world: World, work: Work) -> None:
    write = annotate(world)
    meta = world.cluster.one("Service", WG_NAME)["metadata"]
    meta["annotations"]["x"], meta["managedFields"] = "theirs", [{"manager": "argocd"}]
    with pytest.raises(SafeStop, match=rf"Somebody else changed {SERVICE} .*\(last managers: argocd\): annotate was not done"):
        work.send(write)
    assert mark(world) == "theirs"


def test_an_object_that_is_gone_is_a_safe_stop(world: World, work: Work) -> None:
    write = annotate(world)
    world.cluster.remove("Service", WG_NAME)
    with pytest.raises(SafeStop, match=f"{SERVICE} is gone: annotate was not done"):
        work.send(write)


def test_a_create_of_what_this_run_made_before_is_done(world: World, work: Work) -> None:
    work.send(thing(work))
    work.send(thing(work))
    assert len(world.cluster.all("ConfigMap")) == 1


def test_a_create_of_what_somebody_else_made_is_a_safe_stop(world: World, work: Work) -> None:
    write = thing(work)
    world.cluster.put({**write.body, "metadata": {"name": "thing", "namespace": NAMESPACE}})
    with pytest.raises(SafeStop, match="create the thing was not done"):
        work.send(write)


def test_a_refusal_keeps_its_own_words(world: World, work: Work) -> None:
    def refuse(verb: str, _path: str) -> None:
        if verb == "patch":
            raise Forbidden("denied by policy guard.")

    write = annotate(world)
    world.cluster.before = refuse
    with pytest.raises(Forbidden, match="denied by policy guard"):
        work.send(write)


def test_only_what_this_run_made_is_removed(world: World, work: Work) -> None:
    assert not work.remove_ours(THING)
    work.send(thing(work))
    assert work.remove_ours(THING)
    assert not world.cluster.all("ConfigMap")


def test_what_another_run_made_is_not_removed(world: World, work: Work) -> None:
    body = thing(work).body
    body["metadata"]["labels"][RUN_LABEL] = "another"
    world.cluster.put(body)
    with pytest.raises(SafeStop, match=f"{THING} was not created by this run and is left alone"):
        work.remove_ours(THING)


@pytest.mark.parametrize("reason", ["signal", "deadline", "controller gone"])
def test_a_reason_to_stop_is_asked_for_before_each_write(world: World, work: Work, reason: str) -> None:
    write, world.stop = annotate(world), reason
    with pytest.raises(Interrupted, match=rf"Stopped on request \({reason}\)"):
        work.send(write)
    assert mark(world) is None


@pytest.mark.parametrize(("reason", "goes_on"), [("signal", True), ("deadline", True), ("controller gone", False)])
def test_while_everything_is_taken_back_only_a_dead_controller_stops_it(world: World, work: Work, reason: str, goes_on: bool) -> None:
    work.closing, world.stop = True, reason
    if goes_on:
        work.guard()
        return
    with pytest.raises(Interrupted):
        work.guard()


def test_waiting_takes_the_time_it_says(world: World, work: Work) -> None:
    work.wait(7.3, "waiting for a test")
    assert world.clock.now == pytest.approx(7.3)
    assert world.told[-1] == {"event": "note", "text": "waiting for a test: 7.3 s"}


def test_no_time_is_no_wait_and_no_word(world: World, work: Work) -> None:
    work.wait(0, "nothing")
    assert (world.clock.now, world.told) == (0, [])


def test_a_wait_is_stopped_like_a_write(world: World, work: Work) -> None:
    world.clock.on_sleep.append(lambda _seconds: setattr(world, "stop", "signal"))
    with pytest.raises(Interrupted):
        work.wait(60, "waiting")
    assert world.clock.now < 2


def test_waiting_until_something_ends_when_it_is_there(world: World, work: Work) -> None:
    work.wait_until(lambda: "" if world.clock.now >= 3 else "not yet", 10, "it")
    assert world.clock.now == pytest.approx(3)


def test_waiting_until_something_ends_with_the_last_reason(work: Work) -> None:
    with pytest.raises(StepFailed, match="WGE does not get ready: not after 4 s, its image cannot be pulled"):
        work.wait_until(lambda: "its image cannot be pulled", 4, "WGE does not get ready")


def watched(work: Work) -> Work:
    work.watch([])
    work.flipped_at = work.tools.clock.monotonic()
    return work


def test_before_the_flip_traffic_is_not_judged(world: World, work: Work) -> None:
    work.watch([])
    crash(world, WG_NAME)
    work.check_traffic()


def test_after_the_flip_a_service_without_endpoint_is_a_fault(world: World, work: Work) -> None:
    watched(work).check_traffic()
    crash(world, WG_NAME)
    with pytest.raises(TrafficFault, match=f"Service {WG_NAME} has no ready endpoint"):
        work.check_traffic()


def test_the_probes_are_started_once(world: World, work: Work) -> None:
    work.watch([])
    started = len(world.probes.events())
    work.watch([])
    assert len(world.probes.events()) == started
