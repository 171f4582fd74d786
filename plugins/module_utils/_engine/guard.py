# SPDX-License-Identifier: GPL-3.0-or-later
"""While one call watches, the kept Services stay as the flip left them: what somebody changes is put back at once, or all of it. PRIVATE.

From the flip to the end of the call. A change wakes the call, the object is read, and the flip's own patch is made for what it says
now, so a union of WG's and WGE's labels (K4) is undone too. Who fights back, or has thawed what froze WG, has the upgrade taken back.
Between calls nobody is there; the next call tells what it finds changed. Killed, a guard leaves nothing.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass, field

from .._errors import SafeStop, StepFailed, WgeError
from .forms.flux_api import path_of as flux_path_of
from .model import Change, Object, Right, Watcher
from .names import FIELD_MANAGER
from .objects import name_of, path_of, uid_of
from .rights import of_path
from .situation import Situation, ports_of
from .steps.base import Step
from .steps.forms import thawed
from .steps.guard import OFF, journalled, lift
from .steps.shield import Shield
from .steps.switch import FLIPPED, Flip, Park, Soak, Verify, flip_of
from .who import wrote
from .work import CONTROLLER_GONE, Work

TIMES = 3
WITHIN_SECONDS = 60
"""Who changes a Service more often than so many times in this time is not to be won against."""

GUARDED = (Flip.id, Verify.id, Soak.id, Park.id)
PUT_BACK = "put back"
TAKEN_BACK = "the upgrade is taken back"
FOUND = "found so at the beginning of this call"


@dataclass(frozen=True, slots=True)
class Record:
    """What somebody else did: ``at`` by the API server's clock, ``by`` out of the managed fields, ``seconds`` until it was put back."""

    at: str
    object: str
    field: str
    by: str
    did: str
    seconds: float | None = None


@dataclass(slots=True)
class Standing:
    """The guard of one call, at work."""

    work: Work
    watcher: Watcher
    records: list[Record] = field(default_factory=list)
    _put_back: list[float] = field(default_factory=list)

    def begin(self) -> None:
        """Watch, and tell what was changed since an earlier call flipped the Services."""
        self.watcher.start(watched_paths(self.work.now))
        self._tell_gap()

    def wait(self, seconds: float) -> None:
        """Let time pass, but not beyond the next change."""
        self.watcher.wait(seconds)

    def judge(self, *, everything: bool = False) -> bool:
        """Look at what has changed, or at every kept Service; whether one was put back.

        Raises StepFailed when WG is not frozen any more, or when putting back is no use.
        """
        changes = self.watcher.changes()
        if self.work.closing or self.work.flipped_at is None:
            return False
        services = {path_of(service): service for service in self.work.now.kept_services}
        seen = {change.path: change for change in reversed(changes)}
        paths = services if everything else [path for path in seen if path in services]
        acted = [self._look_at(path, services[path], seen.get(path)) for path in paths]
        if any(acted) or seen.keys() - services.keys():
            self._require_frozen()
        return any(acted)

    def _look_at(self, path: str, known: Object, change: Change | None) -> bool:
        """Put one Service back when it does not lead to WGE."""
        for attempt in range(TIMES):
            live = self._require_there(path, known)
            write = flip_of(live, self.work.now, known)
            if write is None:
                return attempt > 0
            self._require_peace(live)
            try:
                self.work.send(write)
            except SafeStop:
                if attempt == TIMES - 1 or not self.work.lock.held:
                    raise
                continue  # changed once more between reading and writing
            self._note_put_back(live, change)
            return True
        return False

    def _require_there(self, path: str, known: Object) -> Object:
        live = self.work.tools.cluster.get(path)
        if live is None:
            raise self._lost(known, "metadata", "", f"Service {name_of(known)} was deleted while WGE was watched.")
        by = wrote(live, "spec", "selector")
        if uid_of(live) != uid_of(known):
            raise self._lost(known, "metadata.uid", by, f"Service {name_of(known)} was deleted and made anew{_by(by)}.")
        missing = {port["port"] for port in ports_of(known)} - {port["port"] for port in ports_of(live)}
        if missing:
            by = wrote(live, "spec", "ports", besides=FIELD_MANAGER)
            raise self._lost(known, "spec.ports", by, f"Service {name_of(known)} has lost port {min(missing)}{_by(by)}.")
        return live

    def _lost(self, known: Object, what: str, by: str, sentence: str) -> StepFailed:
        self._record(name_of(known), what, by, TAKEN_BACK)
        return StepFailed(sentence, "See who did that; put what is missing back with restore.yml, then run again.")

    def _require_peace(self, live: Object) -> None:
        now = self.work.tools.clock.monotonic()
        recent = [at for at in self._put_back if now - at < WITHIN_SECONDS]
        if len(recent) < TIMES:
            return
        what, by = self._what(live)
        self._record(name_of(live), what, by, TAKEN_BACK)
        raise StepFailed(
            f"Service {name_of(live)} was put back {TIMES} times within {WITHIN_SECONDS} s, and its {what} was changed again{_by(by)}.",
            "Stop who changes it, then run again.",
        )

    def _require_frozen(self) -> None:
        if reason := thawed(self.work):
            self._record("WG's release", "", "", f"{TAKEN_BACK}: {reason}")
            raise StepFailed(f"The release of WG is not frozen any more: {reason}.", "Stop what runs helm or Flux on this release.")

    def _what(self, live: Object) -> tuple[str, str]:
        """Which field leads elsewhere, and who wrote it."""
        keys = ("spec", "selector" if live["spec"].get("selector") != self.work.now.target.selector else "ports")
        return ".".join(keys), wrote(live, *keys, besides=FIELD_MANAGER)

    def _note_put_back(self, live: Object, change: Change | None) -> None:
        what, by = self._what(live)
        self.work.put_back()
        now = self.work.tools.clock.monotonic()
        self._put_back.append(now)
        self._record(name_of(live), what, by, PUT_BACK, round(now - change.at, 3) if change else None)

    def _record(self, name: str, what: str, by: str, did: str, seconds: float | None = None) -> None:
        at = self.work.tools.time().isoformat(timespec="seconds")
        self.records.append(Record(at, name, what, by, did, seconds))
        self.work.note(f"guard: {name}{f', {what}' if what else ''}{f', changed by {by}' if by else ''}: {did}")

    def _tell_gap(self) -> None:
        """Between two calls there is no guard."""
        now, noted = self.work.now, (self.work.journal.notes.get(FLIPPED) or {})
        for service in now.kept_services:
            uid = noted.get(path_of(service))
            if uid and uid != uid_of(service):
                self._record(name_of(service), "metadata.uid", wrote(service, "spec", "selector"), FOUND)
            elif uid and flip_of(service, now):
                what, by = self._what(service)
                self._record(name_of(service), what, by, FOUND)


def watched_paths(now: Situation) -> list[str]:
    """The kept Services, and the objects of Flux that were frozen."""
    found = [path_of(service) for service in now.kept_services]
    if now.snapshot.owners.helm_release:
        found.append(flux_path_of(now.snapshot.owners.helm_release))
    shielded = now.journal.entries.get(Shield.id, []) if now.journal else []
    return list(dict.fromkeys([*found, *(entry["path"] for entry in shielded if entry.get("reverse"))]))


def rights_to_watch(now: Situation) -> list[Right]:
    """What a guard needs beside the rights of the flip: a watch begins with a list."""
    if now.settings.guard == OFF:
        return []
    return [of_path(verb, path) for path in watched_paths(now) for verb in ("list", "watch")]


def stand(work: Work, step: Step) -> None:
    """Have a guard from the first step on in which the Services lead to WGE."""
    watcher = work.tools.watcher
    if watcher and work.standing is None and step.id in GUARDED and work.now.settings.guard != OFF:
        guard = Standing(work, watcher)
        guard.begin()
        work.standing = guard


def relieve(work: Work) -> Object:
    """End the guard, and a policy with it; what it has to tell, for the result. Empty when there was none."""
    _leave_no_policy(work)
    guard = work.standing
    if not isinstance(guard, Standing):
        return {}
    guard.watcher.stop()
    records = [asdict(record) for record in guard.records]
    return {"mode": work.now.settings.guard, "records": records, "blind": guard.watcher.troubles()}


def _leave_no_policy(work: Work) -> None:
    """However a call ends, between calls nobody is kept off; what cannot be removed any more, the next run removes."""
    if not (work.lock.held and journalled(work.now.journal)) or work.tools.keep_going() == CONTROLLER_GONE:
        return
    work.closing = True
    try:
        lift(work)
    except WgeError as problem:
        work.note(f"the guard's policy was not taken away: {problem.what}")


def _by(who: str) -> str:
    return f" by {who}" if who else ""
