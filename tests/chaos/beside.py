# SPDX-License-Identifier: GPL-3.0-or-later
"""Cases beside the matrix: runs that meet each other, sleepers, dead holders of the lock, helm alone, the module on a bastion.

Each takes a cluster on which WG serves, and leaves one.
"""

from __future__ import annotations

import queue
import threading
import time
import uuid
from collections.abc import Callable, Sequence
from dataclasses import replace

from integration.processes import system
from integration.processes.sshd import Sshd

from . import anew
from .cases import Case, go
from .lane import Begun, Lane, Ran
from .matrix import BACK, CLIMB
from .points import AFTER, BASTION, BEFORE, HELM, MIDDLE, MOMENTS, RUN, Point, Sent
from .runs import Play

WG_DEPLOYMENT = "deployments/ww-gitops-weave-gitops"
LOCK = Sent("wge", "create", "leases/wge-upgrade")
RENEWAL = Sent("wge", "patch", "leases/wge-upgrade (spec)")
JOURNAL = Sent("wge", "create", "secrets/wge-journal-RUN")
SHADOW = Sent("wge", "create", "services/ww-gitops-weave-gitops-wge-shadow")
FLIP = Sent("wge", "patch", "services/ww-gitops-weave-gitops (selector, targetPort)")
SCALE = Sent("wge", "patch", f"{WG_DEPLOYMENT} (replicas)")
SHORT_LOCK = 15
RIVAL, SLEEPER, LATE, DEAD = "rival", "sleeper", "late request", "lock waited out"
PATIENCE = 90
EVERYTHING = "all"


def chosen(names: str) -> dict[str, Callable[[Lane], list[Case]]]:
    """What stands behind these names (or all)."""
    return {one.__name__: one for one in ALL if names == EVERYTHING or one.__name__ in names.split(",")}


def tried(lanes: Sequence[Lane], names: str, deadline: float) -> list[Case]:
    """Those of these names (or all), on whatever cluster is free; none is begun after the deadline."""
    waiting: queue.SimpleQueue[Callable[[Lane], list[Case]]] = queue.SimpleQueue()
    for one in chosen(names).values():
        waiting.put(one)
    found: list[Case] = []
    failures: list[BaseException] = []

    def work(lane: Lane) -> None:
        try:
            while time.monotonic() < deadline:
                one = waiting.get_nowait()
                anew.ready(lane)
                lane.tidy()
                for case in one(lane):
                    case.beside = one.__name__
                    found.append(case)
                    print(case.told, flush=True)
                lane.tidy()
        except queue.Empty:
            pass
        except BaseException as failure:
            failures.append(failure)

    threads = [threading.Thread(target=work, args=(lane,), daemon=True) for lane in lanes]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if failures:
        raise failures[0]
    return found


def _begun(lane: Lane, journey: str, sent: Sent, moment: str, way: str) -> Case:
    return Case(journey, Point(sent, moment, way), lane=lane.cluster.name, began=time.time())


def _judged(lane: Lane, case: Case, goal: str, said: list[str], ok: str) -> Case:
    case.wrong, case.outcome, case.ended = [*said, *lane.wrong(goal)], ok, time.time()
    return case


def _back(lane: Lane) -> None:
    ran = lane.play(BACK)
    if not ran.arrived(BACK):
        raise AssertionError(f"{lane.cluster.name} does not get back: {ran.told}\n{ran.text[-2000:]}")


# -- two at once


def rivals_at_the_same_moment(lane: Lane) -> list[Case]:
    """Both ask for the lock before either has it."""
    case = contest(lane)
    _back(lane)
    return [case]


def contest(lane: Lane) -> Case:
    """Of two runs that ask for the lock at the same moment one climbs."""
    other = lane.another_way_in("rival")
    case = _begun(lane, CLIMB, LOCK, BEFORE, RIVAL)
    runs = [lane.begin(CLIMB, case.point, _alive, way) for way in (lane.way_in, other)]
    for stage in (_hold, _reached, _let_go):
        for run in runs:
            stage(run)
    return _one_won(lane, case, [lane.end(run) for run in runs])


def rival_of_a_run_at_work(lane: Lane) -> list[Case]:
    """The other comes while the first watches its flip, and renews its lock."""
    other = lane.another_way_in("later-rival")
    case = _begun(lane, CLIMB, FLIP, AFTER, RIVAL)
    first = lane.begin(CLIMB, case.point, _alive, soak_seconds=14, lock_seconds=SHORT_LOCK)
    _reached(first)
    second = lane.begin(CLIMB, way_in=other, lock_seconds=SHORT_LOCK)
    _one_won(lane, case, [lane.end(second), lane.end(first)])
    _back(lane)
    return [case]


def _one_won(lane: Lane, case: Case, ends: list[Ran]) -> Case:
    """One arrived; the other stopped and named who is at work."""
    winners = [ran for ran in ends if ran.arrived(CLIMB)]
    losers = [ran for ran in ends if not ran.arrived(CLIMB)]
    said = [] if len(winners) == 1 else [f"{len(winners)} arrived: {' / '.join(ran.told for ran in ends)}"]
    said += [f"the other did not say who: {ran.told}" for ran in losers if ran.verdict != "safe_stop" or not RUN.search(ran.message)]
    told = losers[0].message if losers else ""
    return _judged(lane, case, CLIMB, said, f"one arrived, the other: {told}")


# -- sleepers


def sleepers_and_a_climb(lane: Lane) -> list[Case]:
    """A run sleeps right after a write; another waits for its lock to go stale and climbs to the end; the first wakes."""
    return [_slept(lane, sent, CLIMB) for sent in (SHADOW, FLIP)]


def sleepers_and_a_rollback(lane: Lane) -> list[Case]:
    """A run sleeps right after a write; another takes everything back; the first wakes."""
    return [_slept(lane, sent, BACK) for sent in (SHADOW, FLIP)]


def more_sleepers(lane: Lane) -> list[Case]:
    """At the first write of all, and at the last that touches traffic."""
    return [_slept(lane, JOURNAL, BACK), _slept(lane, SCALE, BACK)]


def late_requests(lane: Lane) -> list[Case]:
    """A write that was on its way when its run fell asleep arrives after another run has taken everything back."""
    return [_slept(lane, sent, BACK, late=True) for sent in (FLIP, SCALE)]


def _slept(lane: Lane, sent: Sent, goal: str, late: bool = False) -> Case:
    other = lane.another_way_in(f"waker-{uuid.uuid4().hex[:6]}")
    case = _begun(lane, CLIMB, sent, BEFORE if late else AFTER, LATE if late else SLEEPER)
    asleep: list[list[int]] = []

    def pause(play: Play, _point: Point) -> bool:
        asleep.append(play.pause())
        return True

    first = lane.begin(CLIMB, case.point, pause, lock_seconds=SHORT_LOCK)
    if late:
        _hold(first)
    _reached(first)
    second = lane.play(goal, way_in=other, lock_seconds=SHORT_LOCK)
    _let_go(first)
    time.sleep(0.5 if late else 0)
    Play.wake(asleep[0])
    woken = lane.end(first)
    said = [] if second.arrived(goal) else [f"the run that was awake did not arrive: {second.told}"]
    said += [f"the sleeper says it arrived: {woken.told}"] if woken.verdict != "safe_stop" else []
    found = _judged(lane, case, goal, said, f"{goal} by another run; the sleeper: {woken.message}")
    if found.wrong:
        anew.mend(lane, goal)
    if goal != BACK:
        _back(lane)
    return found


# -- the lock


def lock_of_a_dead_run(lane: Lane) -> list[Case]:
    """Nobody renews it; the next run waits it out by its own clock."""
    case = _begun(lane, CLIMB, FLIP, AFTER, DEAD)
    lane.play(CLIMB, replace(case.point, way="worker"), lock_seconds=SHORT_LOCK)
    ran = lane.play(CLIMB, lock_seconds=SHORT_LOCK)
    said = [] if ran.arrived(CLIMB) else [ran.told]
    said += [] if "to go stale" in ran.text else ["it was not waited for"]
    case.further = 1
    found = _judged(lane, case, CLIMB, said, "waited, then reached")
    _back(lane)
    return [found]


def killed_while_renewing_the_lock(lane: Lane) -> list[Case]:
    """The lock's own writes are writes, too."""
    found = []
    for moment in MOMENTS:
        case = Case(CLIMB, Point(RENEWAL, moment))
        found.append(case)
        go(lane, CLIMB, [case], lock_seconds=SHORT_LOCK, soak_seconds=6)
        _back(lane)
    return found


# -- helm and bastion


def helm_alone(lane: Lane) -> list[Case]:
    """helm is killed in the middle of an install and of an uninstall, and leaves `pending-install`, `uninstalling` or a half."""
    up = [
        ("create", "secrets", AFTER),
        ("create", "clusterroles", MIDDLE),
        ("create", "deployments", BEFORE),
        ("update", "secrets", BEFORE),
    ]
    found = []
    for verb, kind, moment in up:
        found.append(Case(CLIMB, Point(Sent(HELM, verb, kind), moment, HELM)))
        go(lane, CLIMB, found[-1:])
        _back(lane)
    for verb, kind, moment in [("update", "secrets", AFTER), ("delete", "deployments", MIDDLE), ("delete", "secrets", BEFORE)]:
        lane.play(CLIMB)
        found.append(Case(BACK, Point(Sent(HELM, verb, kind), moment, HELM)))
        go(lane, BACK, found[-1:])
    return found


def module_on_a_bastion(lane: Lane) -> list[Case]:
    """The connection of the host is ssh: what dies is the module there. It climbs with an archive that was made on the controller."""
    sshd = Sshd(lane.folder / "sshd", uuid.uuid4().hex)
    try:
        way = lane.another_way_in("bastion", **sshd.variables(), wge_archive=str(lane.archive()))
        points = [(CLIMB, JOURNAL, AFTER), (CLIMB, FLIP, MIDDLE), (CLIMB, SCALE, AFTER), (BACK, SCALE, BEFORE), (BACK, FLIP, MIDDLE)]
        found = []
        for journey, sent, moment in points:
            case = Case(journey, Point(sent, moment, BASTION))
            found.append(case)
            go(lane, journey, [case], strike=lambda _play, _point: _kill_there(sshd), way_in=way)
            if journey == CLIMB and (journey, sent, moment) != points[2]:
                _back(lane)
            elif journey == BACK and (journey, sent, moment) != points[-1]:
                lane.play(CLIMB)
        return found
    finally:
        sshd.close()


def _kill_there(sshd: Sshd) -> bool:
    Play.kill(list(sshd.processes()))
    system.lingering(sshd.mark, seconds=5)
    return False


# -- small things


def _alive(_play: Play, _point: Point) -> bool:
    return True


def _hold(run: Begun) -> None:
    assert run.trap
    run.trap.release.clear()


def _let_go(run: Begun) -> None:
    assert run.trap
    run.trap.release.set()


def _reached(run: Begun) -> None:
    assert run.trap
    if not run.trap.done.wait(PATIENCE):
        raise AssertionError(f"{run.trap.point.sent} was not sent:\n{run.play.text[-2000:]}")


ALL: tuple[Callable[[Lane], list[Case]], ...] = (
    helm_alone,
    module_on_a_bastion,
    sleepers_and_a_climb,
    sleepers_and_a_rollback,
    more_sleepers,
    rivals_at_the_same_moment,
    rival_of_a_run_at_work,
    lock_of_a_dead_run,
    killed_while_renewing_the_lock,
    late_requests,
)
