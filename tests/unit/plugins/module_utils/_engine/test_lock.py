# SPDX-License-Identifier: GPL-3.0-or-later
"""The Lease: taken, renewed, given back."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from ansible_collections.weaveworks.wge.plugins.module_utils._engine.lock import Lock
from ansible_collections.weaveworks.wge.plugins.module_utils._errors import Forbidden, SafeStop, UnknownOutcome
from ansible_collections.weaveworks.wge.tests.unit.plugins.module_utils._engine.standin import StandInCluster
from ansible_collections.weaveworks.wge.tests.unit.plugins.module_utils._engine.standin_tools import StandInClock

NAMESPACE = "flux-system"


class Bench:
    """An API server, time, and as many locks as are asked for."""

    def __init__(self) -> None:
        self.cluster, self.clock = StandInCluster(), StandInClock()
        self.notes: list[str] = []

    def lock(self, holder: str = "run-1/a", seconds: float = 60) -> Lock:
        return Lock(self.cluster, self.clock, NAMESPACE, holder, seconds)

    def held_by(self, holder: str, *, seconds: int = 60) -> None:
        spec = {"holderIdentity": holder, "leaseDurationSeconds": seconds}
        meta = {"name": "wge-upgrade", "namespace": NAMESPACE}
        self.cluster.put({"apiVersion": "coordination.k8s.io/v1", "kind": "Lease", "metadata": meta, "spec": spec})

    def acquire(self, **options: Any) -> Lock:
        lock = self.lock(**options)
        lock.acquire(self.notes.append)
        return lock

    @property
    def holder(self) -> str:
        return str(self.cluster.one("Lease", "wge-upgrade")["spec"]["holderIdentity"])

    def lose_answers(self, verb: str) -> None:
        """The next request with this verb is carried out and its answer lost."""
        function: Callable[..., Any] = getattr(self.cluster, verb)

        def once(*words: Any, **more: Any) -> Any:
            setattr(self.cluster, verb, function)
            function(*words, **more)
            raise UnknownOutcome("The answer was lost.")

        setattr(self.cluster, verb, once)


@pytest.fixture
def bench() -> Bench:
    return Bench()


def test_a_free_lock_is_taken_at_once(bench: Bench) -> None:
    assert bench.acquire().held
    assert (bench.holder, bench.clock.now, bench.notes) == ("run-1/a", 0, [])


def test_a_lock_that_was_given_back_is_gone(bench: Bench) -> None:
    lock = bench.acquire()
    lock.release()
    assert not lock.held
    assert not bench.cluster.all("Lease")


def test_a_lock_with_no_holder_is_taken_without_waiting(bench: Bench) -> None:
    bench.held_by("")
    bench.acquire()
    assert (bench.holder, bench.clock.now) == ("run-1/a", 0)


def test_a_stale_lock_is_waited_out_by_its_own_duration(bench: Bench) -> None:
    bench.held_by("dead", seconds=31)
    bench.acquire(seconds=90)
    assert bench.holder == "run-1/a"
    assert 31 <= bench.clock.now <= 33
    assert bench.notes[0] == "waiting 31 s for the lock of dead to go stale"


def test_a_lock_whose_holder_lives_is_not_taken(bench: Bench) -> None:
    bench.held_by("alive")
    bench.clock.on_sleep.append(lambda _seconds: bench.held_by("alive") if bench.clock.now > 10 else None)
    with pytest.raises(SafeStop, match=r"Another run holds the lock of this cluster: alive\."):
        bench.acquire()
    assert bench.cluster.count("create", "patch", "delete") == 0


def test_a_lock_given_back_while_we_wait_is_taken_at_once(bench: Bench) -> None:
    bench.held_by("ends")
    bench.clock.on_sleep.append(lambda _seconds: bench.cluster.remove("Lease", "wge-upgrade") if bench.cluster.all("Lease") else None)
    bench.acquire()
    assert (bench.holder, bench.clock.now) == ("run-1/a", 2)


def test_whoever_waits_can_be_told_to_stop(bench: Bench) -> None:
    bench.held_by("dead")

    def stop(_text: str) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        bench.lock().acquire(stop)
    assert bench.holder == "dead"


def test_of_two_that_find_it_free_one_gets_it(bench: Bench) -> None:
    bench.cluster.before = lambda verb, _path: bench.held_by("faster") if verb == "create" else None
    with pytest.raises(SafeStop, match=r"Another run took the lock of this cluster at the same moment: faster\."):
        bench.acquire()
    assert bench.holder == "faster"


def test_of_two_that_find_it_stale_one_gets_it(bench: Bench) -> None:
    bench.held_by("dead")
    bench.cluster.before = lambda verb, _path: bench.held_by("faster") if verb == "patch" else None
    with pytest.raises(SafeStop, match=r"The lock of this cluster was taken by another run: faster\."):
        bench.acquire()
    assert bench.holder == "faster"


@pytest.mark.parametrize(("seconds", "writes"), [(19, 0), (20, 1), (59, 1)])
def test_it_is_renewed_after_a_third_of_its_duration(bench: Bench, seconds: float, writes: int) -> None:
    lock = bench.acquire()
    bench.clock.sleep(seconds)
    lock.renew()
    lock.renew()
    assert bench.cluster.count("patch") == writes


def test_a_lock_that_is_not_held_is_not_renewed(bench: Bench) -> None:
    bench.clock.sleep(100)
    bench.lock().renew()
    assert bench.cluster.requests == []


def test_a_lock_taken_from_us_is_not_renewed_and_not_given_back(bench: Bench) -> None:
    lock = bench.acquire()
    bench.held_by("thief")
    bench.clock.sleep(30)
    with pytest.raises(SafeStop, match=r"The lock of this cluster was taken by another run: thief\."):
        lock.renew()
    lock.release()
    assert bench.holder == "thief"


def test_a_lock_that_is_gone_is_said_to_be_gone(bench: Bench) -> None:
    lock = bench.acquire()
    bench.cluster.remove("Lease", "wge-upgrade")
    bench.clock.sleep(30)
    with pytest.raises(SafeStop, match=r"The lock of this cluster is gone\."):
        lock.renew()
    assert not lock.held


def test_giving_back_deletes_only_the_version_we_wrote(bench: Bench) -> None:
    lock = bench.acquire()
    bench.held_by("thief")
    lock.release()
    assert bench.holder == "thief"


@pytest.mark.parametrize("verb", ["create", "patch"])
def test_a_lost_answer_is_read_back(bench: Bench, verb: str) -> None:
    if verb == "patch":
        bench.held_by("")
    bench.lose_answers(verb)
    assert bench.acquire().held


def test_a_lost_answer_to_a_lock_we_did_not_get_is_a_safe_stop(bench: Bench) -> None:
    def lost(*_: Any, **__: Any) -> Any:
        raise UnknownOutcome("The answer was lost.")

    bench.cluster.create = lost  # type: ignore[method-assign]
    with pytest.raises(SafeStop, match="The lock of this cluster could not be taken"):
        bench.acquire()


def test_a_lost_answer_to_giving_it_back_is_asked_again(bench: Bench) -> None:
    lock = bench.acquire()
    bench.lose_answers("delete")
    lock.release()
    assert not bench.cluster.all("Lease")


def test_a_forbidden_lock_keeps_its_own_words(bench: Bench) -> None:
    def refuse(verb: str, _path: str) -> None:
        if verb == "create":
            raise Forbidden("create leases is forbidden.")

    bench.cluster.before = refuse
    with pytest.raises(Forbidden):
        bench.acquire()
