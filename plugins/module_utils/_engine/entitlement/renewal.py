# SPDX-License-Identifier: GPL-3.0-or-later
"""An entitlement put where WGE looks for it, and a running WGE made to read it. PRIVATE.

What a call finds, and what it does then; nothing is remembered but in the cluster, so a killed call is finished by the next one:

- what is given is not valid: nothing is read any further, nothing written;
- the Secret is missing, or lacks a key: one create, or one guarded patch;
- it holds another entitlement: refused, or with ``replace`` one create of a Secret ``…-former`` with what is replaced, and one patch
  that tests the old bytes. Killed between the two: the next call finds the former one and makes the patch;
- it holds the same one: nothing. Killed here or after the write: the Secret is newer than WGE's pods, see the next line;
- WGE started before the Secret was written, or shows that it does not run with it: one patch of its Deployment, which restarts it;
- that restart still rolls out (killed after the patch): it is waited for, and not begun again;
- WGE is newer than the Secret and entitled, or is not running: nothing.

After the restart WGE is asked. If it accepts, the former content is let go. If it does not accept what we hold for valid (it trusts
another key), the former content is put back, by this call or, when this one is killed, by the next. A new pod that never gets ready
is a safe stop, since the old one serves on. No Lease is taken: there are few writes, each bound to the bytes it replaces, and a
second call at the same moment fails on these guards. An upgrade that holds its Lease is waited for or refused, because it judges the
very pod that would be restarted.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime

from ..._errors import Blocked, Forbidden, Interrupted, SafeStop, StepFailed, WgeError
from .. import lock, readiness, sending, snapshot
from ..look import new_run
from ..names import LEASE
from ..objects import collection_path, name_of, object_path
from ..work import CONTROLLER_GONE, Tools
from ..writes import Write
from . import effect, restart, server, stored
from .grant import KEY
from .server import Effect, Server
from .stored import Stored
from .verify import Judgement, verify, written
from .wish import INSTALLED, PLANNED, UNCHANGED, Outcome, Wish

SETTLE_SECONDS = 1.5
"""Above the whole second in which the API server tells times, and the moment its proxy lags behind an endpoint."""
LOCK_SECONDS = 60.0
NO_DRAIN = (
    "WGE's server had no drain time before this restart, so requests that were under way when its old pod ended may have been cut; "
    "it has one now."
)


class Renewal:
    """One call at work."""

    def __init__(self, tools: Tools, wish: Wish) -> None:
        self._tools, self._cluster, self._clock, self._wish = tools, tools.cluster, tools.clock, wish
        self._closing = False
        self._former = stored.former_of(Stored(wish.name, wish.namespace, None))

    def run(self, *, check_mode: bool) -> Outcome:
        """Bring it about, or (in check mode) say what would be done. Raises before the first write, and not after it."""
        wish = self._wish
        identity = snapshot.identify(self._cluster, uid=wish.cluster_uid)
        self._judge_given()
        before = self._stored(check_mode=check_mode)
        todo = stored.writes(before, wish.credentials, new_run(), replace=wish.replace)
        if before.secret is None and todo:
            self._require_namespace()
        found, shown = self._running()
        outcome = Outcome(identity, before, self._judged(before), shown, writes=todo)
        restarts = found if self._restarts(outcome, found, writing=bool(todo)) else None
        self._former = stored.read(self._cluster, stored.former_of(before).name, wish.namespace)
        if todo and restarts:
            outcome.writes = [*stored.keep(before, self._former, wish.credentials, new_run()), *todo]
        elif not restarts and outcome.effect.state in effect.ACCEPTED:
            outcome.writes = stored.let_go(self._former)
        begun = bool(restarts and not todo and restart.is_begun(before, restarts))
        if restarts:
            self._plan_restart(outcome, restarts, begun=begun)
        if check_mode:
            outcome.verdict = PLANNED if outcome.writes else UNCHANGED
            return outcome
        try:
            self._apply(outcome, before, restarts, begun=begun)
        except WgeError as problem:
            outcome.error = problem
            self._look_again(outcome)
        return outcome

    # What is judged before the first write.

    def _now(self) -> datetime:
        return self._cluster.server_time or self._clock.wall()

    def _judged(self, found: Stored) -> Judgement:
        return found.judged(self._wish.keys, self._now(), self._wish.skew_seconds)

    def _judge_given(self) -> None:
        if self._wish.external:
            return
        found = verify(self._wish.credentials[KEY], self._wish.keys, self._now(), skew_seconds=self._wish.skew_seconds)
        if not found.valid:
            raise Blocked(f"The entitlement that was given is not valid: {found.message}", "Ask the vendor for a valid one.")
        self._refuse_expired(found)

    def _refuse_expired(self, found: Judgement) -> None:
        if found.expired and self._wish.fail_if_expired:
            whose = "is stored" if self._wish.external else "was given"
            raise Blocked(f"The entitlement that {whose} expired on {written(found.expires)}.", "Ask the vendor for a new one.")

    def _stored(self, *, check_mode: bool) -> Stored:
        wish = self._wish
        found = stored.read(self._cluster, wish.name, wish.namespace)
        if not wish.external:
            return found

        def missing() -> str:
            nonlocal found
            found = stored.read(self._cluster, wish.name, wish.namespace)
            judgement = self._judged(found)
            return "" if judgement.valid else judgement.message

        try:
            sending.wait_until(
                missing, 0 if check_mode else wish.ready_seconds, f"{found} holds no valid entitlement", self._clock, self._tick
            )
        except StepFailed as problem:
            raise Blocked(problem.what, "Look at what keeps the Secret, and at its events.") from problem
        self._refuse_expired(self._judged(found))
        return found

    def _require_namespace(self) -> None:
        name = self._wish.namespace
        if self._cluster.get(object_path("Namespace", name)) is None:
            raise Blocked(
                f"Namespace {name}, where the entitlement is to be stored, does not exist.", "Create it, or correct secret_namespace."
            )

    def _running(self) -> tuple[Server | None, Effect]:
        try:
            found = server.find(self._cluster, self._wish.server_namespace)
        except (Blocked, Forbidden) as problem:
            if self._wish.restart:
                raise  # written first and not restarted afterwards would be half of what was asked for
            return None, Effect(effect.UNKNOWN, problem.what.rstrip("."))
        return found, server.observe(self._cluster, self._clock, found)

    def _restarts(self, outcome: Outcome, found: Server | None, *, writing: bool) -> bool:
        """Whether WGE is to be restarted, or its restart waited for."""
        if not self._wish.restart or found is None or found.started() is None:
            return False
        return writing or bool(restart.reason(outcome.stored, outcome.judgement, found, outcome.effect))

    def _plan_restart(self, outcome: Outcome, found: Server, *, begun: bool) -> None:
        before = outcome.stored
        if found.reads != (before.name, before.namespace):
            what = f"WGE reads its entitlement from {Stored(*found.reads, None)}, and not from {before}."
            raise Blocked(what, "Correct secret_name and secret_namespace, or give restart: false.")
        if not begun:
            self._refuse_beside_an_upgrade(found)
            outcome.writes = [*outcome.writes, restart.write(found, outcome.identity.minor, self._now())]

    def _refuse_beside_an_upgrade(self, found: Server) -> None:
        lease = self._cluster.get(object_path("Lease", LEASE, found.namespace))
        if lease is None:
            return
        try:
            lock.wait_out(self._cluster, self._clock, lease, LOCK_SECONDS, self._waiting)
        except SafeStop as problem:
            raise Blocked(f"An upgrade is at work on this cluster. {problem.what}", "Run this again when it has ended.") from problem

    # What is done.

    def _apply(self, outcome: Outcome, before: Stored, found: Server | None, *, begun: bool) -> None:
        secret_writes = [write for write in outcome.writes if write.path == before.path]
        for write in outcome.writes:
            if write.path in (before.path, self._former.path):
                self._send(outcome, write)
        if outcome.changed:
            outcome.verdict = INSTALLED
            outcome.stored = stored.read(self._cluster, before.name, before.namespace)
            outcome.judgement = self._judged(outcome.stored)
        if found is None:
            if secret_writes and self._wish.restart and outcome.effect.state == effect.UNKNOWN:
                outcome.warnings.append(f"WGE was not restarted: {outcome.effect.reason}. Run this again when it serves.")
            return
        self._restart(outcome, found, begun=begun)
        self._former = stored.read(self._cluster, self._former.name, self._former.namespace)
        if outcome.effect.state == effect.NONE:
            self._refused(outcome, before if secret_writes else None)
        if outcome.effect.state in effect.ACCEPTED:
            self._let_go(outcome)

    def _restart(self, outcome: Outcome, found: Server, *, begun: bool) -> None:
        """Restart it, wait until only the new pods serve, and ask it."""
        if not begun:
            self._pause()
            live = self._cluster.get(found.path) or found.deployment
            fresh = replace(found, target=replace(found.target, deployment=live))
            self._send(outcome, restart.write(fresh, outcome.identity.minor, self._now()))
            outcome.verdict, outcome.restarted = INSTALLED, True
            outcome.warnings += [] if found.drains else [NO_DRAIN]
        self._note(f"{name_of(found.deployment)} is restarted: the new pod gets ready before the old one goes")
        try:
            self._wait(lambda: readiness.not_rolled_out(self._cluster.get(found.path)), "WGE's new pod does not get ready")
            self._wait(lambda: self._old_serves(found), "WGE's old pod is still asked")
        except StepFailed as problem:
            raise SafeStop(f"{problem.what} The old pod still serves.", "Look at the new pod; then run again.") from problem
        self._pause()
        outcome.effect = server.look(self._cluster, self._clock, found.namespace)

    def _old_serves(self, found: Server) -> str:
        if not found.service:
            return ""
        pods = server.find(self._cluster, found.namespace)
        names = {name_of(pod) for pod in pods.pods} if pods else set()
        labels = f"kubernetes.io/service-name={found.service}"
        ready = snapshot.ready_pods(self._cluster.list(collection_path("EndpointSlice", found.namespace), labels=labels))
        return "" if ready and ready <= names else "its endpoints have not changed yet"

    def _refused(self, outcome: Outcome, before: Stored | None) -> None:
        """WGE does not accept what our keys verify. Taken back to the end even when somebody asks to stop.

        ``before`` is None when this call wrote nothing; then a killed one may have kept what there was.
        """
        self._closing = True
        words = "WGE was restarted and finds no valid entitlement: it trusts another public key than the one used here"
        if before is None and self._former.secret is None:
            raise SafeStop(f"{words}.", f"Ask the vendor which key belongs to this WGE; {outcome.stored} was not changed.")
        before = before or stored.restored(outcome.stored, self._former)
        for write in stored.put_back(before, outcome.stored):
            self._send(outcome, write)
        outcome.stored = stored.read(self._cluster, before.name, before.namespace)
        outcome.judgement = self._judged(outcome.stored)
        again = server.find(self._cluster, self._wish.server_namespace) if before.secret is not None else None
        if again:
            self._restart(outcome, again, begun=False)
        self._let_go(outcome)
        done = "its former content was put back and WGE restarted once more" if again else f"{before} was deleted again"
        raise StepFailed(f"{words}; {done}.", "Ask the vendor for an entitlement that this WGE accepts, and check public_keys.")

    def _let_go(self, outcome: Outcome) -> None:
        for write in stored.let_go(self._former):
            self._send(outcome, write)

    def _look_again(self, outcome: Outcome) -> None:
        """What there is after something went wrong, as far as it can still be read."""
        try:
            outcome.stored = stored.read(self._cluster, self._wish.name, self._wish.namespace)
            outcome.judgement = self._judged(outcome.stored)
            outcome.effect = server.look(self._cluster, self._clock, self._wish.server_namespace)
        except WgeError:
            return

    # How it is done.

    def _send(self, outcome: Outcome, write: Write) -> None:
        self._note(write.text)
        sending.send(write, self._cluster, self._clock, self._guard)
        outcome.changed = True

    def _wait(self, missing: Callable[[], str], what: str) -> None:
        sending.wait_until(missing, self._wish.ready_seconds, what, self._clock, self._tick)

    def _pause(self) -> None:
        self._tick(SETTLE_SECONDS)

    def _tick(self, seconds: float) -> None:
        self._guard()
        self._clock.sleep(seconds)

    def _guard(self) -> None:
        reason = self._tools.keep_going()
        if reason and not (self._closing and reason != CONTROLLER_GONE):
            raise Interrupted(f"Stopped on request ({reason}).", "Run the same command again to go on from here.")

    def _waiting(self, text: str) -> None:
        self._guard()
        self._note(text)

    def _note(self, text: str) -> None:
        self._tools.tell({"event": "note", "text": text})
