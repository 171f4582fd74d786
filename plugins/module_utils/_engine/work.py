# SPDX-License-Identifier: GPL-3.0-or-later
"""How a climb acts: every write guarded and read back, every wait watched. PRIVATE.

Ask before each write whether to go on, and renew the lock; how it is then sent is ``sending``'s.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Protocol

from .._errors import Interrupted, SafeStop, TrafficFault
from . import sending, traffic
from . import snapshot as reading
from .archive.store import NoStore, Store
from .continuity.asking import Caller
from .entitlement.grant import grant_of
from .journal import Journal
from .lock import Lock
from .model import Clock, Cluster, Helm, Object, Probes, Vantage, Watcher
from .names import RUN_LABEL
from .objects import labels_of, metadata, uid_of
from .sending import POLL_SECONDS
from .situation import Situation
from .writes import Write

RECENT_SECONDS = 15
"""How far back the traffic is judged; well beyond the windows of ``traffic.red``, and a soak of hours costs no more."""
SETTLE_SECONDS = 2
"""After a Service was put back, until it is known everywhere."""
AFTER_FAULT = "Look at the namespace's events for why WGE stopped answering, then run again."
CONTROLLER_GONE = "controller gone"
"""The one reason to stop after which not even a closing write is sent."""


@dataclass(slots=True)
class Tools:
    """The outside world of one call: adapters, or stand-ins in unit tests. ``keep_going`` answers "" or why to stop."""

    cluster: Cluster
    helm: Helm
    probes: Probes
    clock: Clock
    keep_going: Callable[[], str]
    tell: Callable[[Object], None]
    caller: Caller | None = None
    archives: Store = field(default_factory=NoStore)
    watcher: Watcher | None = None

    def time(self) -> datetime:
        """Now, by the API server's clock; by ours when it has not said."""
        return self.cluster.server_time or self.clock.wall()


class Guard(Protocol):
    """Who sees to it that the kept Services stay as the flip left them, as long as this call watches."""

    def judge(self, *, everything: bool = False) -> bool:
        """Look at what has changed, or at everything; whether something was put back. Raises StepFailed when that is no use."""

    def wait(self, seconds: float) -> None:
        """Let time pass, but not beyond the next change."""


@dataclass(slots=True)
class Work:
    """A climb at work: the tools, the lock, the journal, and the newest situation (``now``).

    ``flipped_at`` is when the first Service was flipped (monotonic), None again once that is reversed; ``first_flip`` stays.
    ``settled_at`` is from when on the traffic is judged, once a Service had to be put back; ``standing`` is the guard that does that.
    ``closing`` is set while everything is taken back: that is
    brought to its end even when somebody asks to stop, unless the controller is gone.
    """

    tools: Tools
    lock: Lock
    now: Situation
    flipped_at: float | None = None
    first_flip: float | None = None
    settled_at: float = 0.0
    watching: bool = False
    closing: bool = False
    standing: Guard | None = None

    @property
    def journal(self) -> Journal:
        """This run's journal; SafeStop when a step asks for it before it exists."""
        if self.now.journal is None:
            raise SafeStop("There is no journal of this run.", "Run again.")
        return self.now.journal

    def note(self, text: str) -> None:
        """Tell the person who is watching."""
        self.tools.tell({"event": "note", "text": text})

    def guard(self) -> None:
        """Before each write and in each wait: may we go on, and is the lock still ours? Raises Interrupted or SafeStop."""
        reason = self.tools.keep_going()
        if reason and not (self.closing and reason != CONTROLLER_GONE):
            raise Interrupted(f"Stopped on request ({reason}).", "Run the same command again to go on from here.")
        self.lock.renew()

    def refresh(self) -> Situation:
        """Read the namespace anew."""
        old = self.now
        fresh = reading.refresh(self.tools.cluster, old.settings, old.snapshot.identity, old.snapshot.installed.found)
        self.now = replace(old, snapshot=fresh, grant=grant_of(old.settings, fresh))
        return self.now

    def send(self, write: Write) -> None:
        """Make one write happen. Raises SafeStop when somebody else changed the object meanwhile."""
        sending.send(write, self.tools.cluster, self.tools.clock, self.guard, self.tools.helm)

    def send_all(self, writes: Sequence[Write]) -> None:
        """Make writes happen, in order."""
        for write in writes:
            self.send(write)

    def remove_ours(self, path: str) -> bool:
        """Delete an object of this run; False when it is not there, SafeStop when it is not ours."""
        live = self.tools.cluster.get(path)
        if live is None:
            return False
        if labels_of(live).get(RUN_LABEL) != self.now.run:
            raise SafeStop(f"{path} was not created by this run and is left alone.", "Delete it yourself if it is not needed.")
        self.send(Write("delete", path, f"delete {path}", uid=uid_of(live)))
        return True

    def watch(self, vantages: Sequence[Vantage]) -> None:
        """Start the probes and the watch on the kept Services' endpoints, once."""
        if not self.watching:
            names = [metadata(service)["name"] for service in self.now.kept_services]
            self.tools.probes.start(vantages, self.now.namespace, names)
            self.watching = True

    def check_traffic(self) -> None:
        """Raises TrafficFault when the dashboard has gone red since the flip, and not because a Service had to be put back."""
        try:
            self._require_green()
        except TrafficFault:
            if not (self.standing and self.standing.judge(everything=True)):
                raise

    def put_back(self) -> None:
        """A Service leads to WGE again: the traffic is judged anew, a little later."""
        self.flipped_at = self.tools.clock.monotonic()
        self.settled_at = self.flipped_at + SETTLE_SECONDS

    def _require_green(self) -> None:
        if self.flipped_at is None or not self.watching or self.tools.clock.monotonic() < self.settled_at:
            return
        events = self.tools.probes.events()
        for service in self.now.kept_services:
            name = metadata(service)["name"]
            if any(event.service == name for event in events) and not traffic.ready_now(events, name):
                raise TrafficFault(f"Service {name} has no ready endpoint.", AFTER_FAULT)
        time = self.tools.clock.monotonic()
        reason = traffic.red(self.tools.probes.samples(max(self.flipped_at, self.settled_at, time - RECENT_SECONDS)), time)
        if reason:
            raise TrafficFault(f"{reason}.", AFTER_FAULT)

    def wait(self, seconds: float, what: str) -> None:
        """Let time pass, watched. ``what`` tells the person why."""
        if seconds > 0:
            self.note(f"{what}: {seconds:g} s")
        end = self.tools.clock.monotonic() + seconds
        while (left := end - self.tools.clock.monotonic()) > 0:
            self._tick(min(left, POLL_SECONDS))

    def listen(self, what: str) -> str:
        """Let the baseline's time pass: where the last request failed meanwhile and why, empty when none did."""
        started = self.tools.clock.monotonic()
        self.wait(self.now.settings.baseline_seconds, what)
        lost = [sample for sample in self.tools.probes.samples(started) if sample.fault]
        return f"{lost[-1].vantage}: {lost[-1].fault}" if lost else ""

    def wait_until(self, missing: Callable[[], str], seconds: float, what: str) -> None:
        """Wait, watched, until ``missing`` answers "". Raises StepFailed with the last answer when the time is over."""
        sending.wait_until(missing, seconds, what, self.tools.clock, self._tick)

    def save_journal(self) -> None:
        """Store what the journal says now."""
        write = Write("patch", self.journal.path, "save the journal", operations=tuple(self.journal.save_operations()))
        self.send(write)

    def _tick(self, seconds: float) -> None:
        self.guard()
        if self.standing is None or self.closing:
            self.check_traffic()
            self.tools.clock.sleep(seconds)
        else:
            self.standing.judge()
            self.check_traffic()
            self.standing.wait(seconds)
