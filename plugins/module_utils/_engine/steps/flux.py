# SPDX-License-Identifier: GPL-3.0-or-later
"""WG as a Flux HelmRelease: take what outlives WG out of its release, suspend it, and remove it at the end. PRIVATE. S6a, S6b, S16o.

Flux is never asked to uninstall. What is kept drops out of the release first, through Flux's own upgrade, so that not even an
uninstall could take it; then the HelmRelease is suspended. At the end it is deleted while it is suspended, which leaves everything
else alone (K9), and when WG's objects are gone already: nobody can bring back a HelmRelease that adopts what it finds.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from ..._errors import SafeStop, StepFailed
from ..forms.flux import FORCED, REQUESTED, is_suspended, paths_of
from ..forms.flux_api import path_of
from ..forms.handover import dropped_by, element, renderers_of, without_ours
from ..forms.helm import newest
from ..model import Object, Operation, Right, Rung
from ..names import HANDED_OVER_ANNOTATION, SUSPENDED_ANNOTATION
from ..objects import annotations_of, name_of, uid_of
from ..objects import path_of as plain_path_of
from ..parked import REMOVAL
from ..patches import pointer, set_keys
from ..rights import of_path
from ..situation import Situation
from ..work import Work
from ..writes import Write, delete, patch
from .base import Step
from .flux_looks import (
    RENDERERS,
    at_work,
    by,
    held,
    name,
    not_ready_to_be_asked,
    owner_of,
    still_there,
    title,
    upgraded,
    wait_for_adoption,
)
from .owners import kept_objects

SUSPEND = pointer("spec", "suspend")
BETWEEN_LOOKS = 10
"""Seconds. Suspending does not end what Flux is at, and it may just have begun when it was looked at first."""


class HandOver(Step):
    """S6a: what is kept leaves WG's release by an upgrade that Flux does, and stays where it is (K5)."""

    id = "S6a"
    title = "take what outlives WG out of its HelmRelease"
    rung = Rung.PREPARED

    def writes(self, now: Situation) -> list[Write]:
        """One patch of the HelmRelease, unless our element is there or the release holds nothing that is kept."""
        item, kept = now.snapshot.owners.helm_release, held(now)
        if item is None or not kept or dropped_by(renderers_of(item), now.run):
            return []
        renderers = renderers_of(item)
        ours = element(kept, now.run)
        place = f"{RENDERERS}/{len(renderers)}" if renderers else RENDERERS
        value = ours if renderers else [ours]
        forth, back = set_keys(item, "annotations", _asked(f"{now.run}-over") | {HANDED_OVER_ANNOTATION: now.run})
        guards = [_uid(item), _test(SUSPEND, _suspend(item)), _test(RENDERERS, item["spec"].get("postRenderers"))]
        reverse = [_uid(item), _test(place, value), {"op": "remove", "path": place}, *back]
        return [patch(path_of(item), [*guards, {"op": "add", "path": place, "value": value}, *forth], reverse, _says(item, kept))]

    def done(self, now: Situation) -> bool:
        """Whether Flux has done it: the newest revision is deployed and holds nothing that is kept."""
        last = newest(now.snapshot.installed.revisions)
        return not held(now) and (last is None or last.status == "deployed")

    def apply(self, work: Work) -> None:
        """Ask Flux, and wait until the release is without what is kept; none of it may have been touched."""
        limit = work.now.settings.ready_seconds
        if self.writes(work.now) and not_ready_to_be_asked(work):  # somebody ran flux reconcile, say
            work.wait_until(lambda: not_ready_to_be_asked(work), limit, f"Flux does not end what it is at on {title(work.now)}")
            work.refresh()
        before, names = _uids(work.now), {name(item) for item in held(work.now)}
        work.send_all(self.writes(work.now))
        work.wait_until(lambda: still_there(work, names), limit, "Flux does not take WG's objects out")
        work.refresh()
        lost = sorted(path for path, uid in before.items() if _uids(work.now).get(path) != uid)
        if lost:
            raise StepFailed(f"While Flux upgraded WG, {', '.join(lost)} was deleted or made anew.", "Look who does that.")

    def undo(self, work: Work, entries: list[Object]) -> bool:
        """Take our element away, and give Flux time to take the objects back; it does so later when it cannot now."""
        back = super().undo(work, entries)
        for entry in entries:
            wait_for_adoption(work, entry)
        return back

    def reversal(self, now: Situation, entry: Object, live: Object | None) -> Write | None:
        """The patch without our element, whatever else is in the list by now."""
        if live is None:
            return None
        renderers = renderers_of(live)
        rest = without_ours(renderers, now.run)
        mark = annotations_of(live).get(HANDED_OVER_ANNOTATION) == now.run
        if not mark and len(rest) == len(renderers):
            return None
        operations: list[Operation] = [_uid(live)]
        if len(rest) < len(renderers):
            last: Operation = {"op": "replace", "path": RENDERERS, "value": rest} if rest else {"op": "remove", "path": RENDERERS}
            operations += [_test(RENDERERS, renderers), last]
        gone: dict[str, str | None] = {HANDED_OVER_ANNOTATION: None} if mark else {}
        marks, _again = set_keys(live, "annotations", {**_asked(f"{now.run}-back"), **gone})
        return Write("patch", entry["path"], f"take back: {entry['text']}", operations=(*operations, *marks))

    def further_rights(self, now: Situation) -> list[Right]:
        """To see what Flux makes of the release, which may be stored in another namespace."""
        return [Right(verb, "", "secrets", now.snapshot.storage) for verb in ("get", "list")]


class Suspend(Step):
    """S6b: Flux leaves WG's release alone from here on. A suspended HelmRelease neither upgrades nor, when deleted, uninstalls."""

    id = "S6b"
    title = "suspend the HelmRelease of WG"
    rung = Rung.PREPARED
    after_record = True

    def writes(self, now: Situation) -> list[Write]:
        """The patch, unless it is suspended, by whomever."""
        item = now.snapshot.owners.helm_release
        if item is None or is_suspended(item):
            return []
        before = _suspend(item)
        forth, back = set_keys(item, "annotations", {SUSPENDED_ANNOTATION: now.run})
        still = annotations_of(item).get(HANDED_OVER_ANNOTATION)
        guards = [_uid(item), *([_test(pointer("metadata", "annotations", HANDED_OVER_ANNOTATION), still)] if still else [])]
        operations = [*guards, _test(SUSPEND, before), {"op": "add", "path": SUSPEND, "value": True}, *forth]
        return [patch(path_of(item), operations, [_uid(item), *_resumed(before), *back], f"suspend HelmRelease {name_of(item)}")]

    def done(self, now: Situation) -> bool:
        """Whether it is suspended, and by this run."""
        item = now.snapshot.owners.helm_release
        return item is not None and is_suspended(item) and annotations_of(item).get(SUSPENDED_ANNOTATION) == now.run

    def apply(self, work: Work) -> None:
        """Suspend, and see twice that Flux has ended what it was at."""
        if not self.writes(work.now):
            raise SafeStop(f"{title(work.now)} is suspended, and not by this run{by(owner_of(work))}.", "Ask who froze it, and why.")
        super().apply(work)
        for pause in (0, BETWEEN_LOOKS):
            work.wait(pause, "seeing that Flux has ended what it was at")
            work.wait_until(lambda: at_work(work), work.now.settings.ready_seconds, "Flux does not end what it is at")
        work.refresh()

    def reversal(self, now: Situation, entry: Object, live: Object | None) -> Write | None:
        """Resume it, while it carries our mark; what somebody has resumed already only loses the mark."""
        if live is None or annotations_of(live).get(SUSPENDED_ANNOTATION) != now.run:
            return None
        marks, _again = set_keys(live, "annotations", {SUSPENDED_ANNOTATION: None})
        # What there was before us is in the journal: false, or nothing.
        reverse = [op for op in entry.get("reverse") or [] if op["path"] == SUSPEND] if is_suspended(live) else []
        return Write("patch", entry["path"], f"take back: {entry['text']}", operations=(_uid(live), *reverse, *marks))

    def still_holds(self, work: Work) -> str:
        """Why Flux could act on WG again, empty when it cannot."""
        item = work.tools.cluster.get(path_of(work.now.snapshot.owners.helm_release or {})) if _known(work) else None
        if item is None:
            return f"{title(work.now)} is gone"
        if not is_suspended(item):
            return f"{title(work.now)} is not suspended any more{by(item)}"
        if annotations_of(item).get(SUSPENDED_ANNOTATION) != work.now.run:
            return f"{title(work.now)} does not carry the mark of this run any more"
        return at_work(work, item) or upgraded(work)


class RemoveOwner(Step):
    """S16o: the HelmRelease goes while it is suspended, when all that it kept is gone; then the HelmChart that Flux made for it."""

    id = "S16o"
    title = "remove the HelmRelease of WG"
    rung = Rung.FINALISED

    def writes(self, now: Situation) -> list[Write]:
        """The deletes that are missing. Raises SafeStop when the HelmRelease is not suspended by this run any more."""
        found = list(_journalled(now)) if now.journal and now.journal.entries.get(REMOVAL) else list(_found(now))
        for _write, live in found:
            if live["kind"] == "HelmRelease":
                _require_frozen(now, live)
        return [write for write, _live in found]

    def send(self, work: Work, writes: Sequence[Write]) -> None:
        """Look once more, delete, and wait until Flux has let the HelmRelease go."""
        for write in writes:
            live = work.tools.cluster.get(write.path)
            if live is None or uid_of(live) != write.uid:
                continue
            if "/helmreleases/" in write.path:
                _require_frozen(work.now, live)
            work.send(write)
            limit = work.now.settings.ready_seconds
            work.wait_until(lambda w=write: _not_gone(work, w), limit, f"{write.text}: it does not go")  # type: ignore[misc]

    def further_rights(self, now: Situation) -> list[Right]:
        """To read and delete both."""
        return [of_path(verb, path) for path in _paths(now) for verb in ("get", "delete")]


def _paths(now: Situation) -> list[str]:
    item = now.snapshot.owners.helm_release
    return paths_of(item, now.snapshot.identity.served) if item else []


def _found(now: Situation) -> Iterator[tuple[Write, Object]]:
    live = {path: now.snapshot.named.get(path) for path in _paths(now)}
    for path, item in live.items():
        if item:
            yield delete(path, uid_of(item), f"delete {item['kind']} {name_of(item)}"), item


def _journalled(now: Situation) -> Iterator[tuple[Write, Object]]:
    for entry in now.journal.entries[REMOVAL] if now.journal else []:
        live = now.snapshot.named.get(entry["path"])
        if live and live["kind"] in ("HelmRelease", "HelmChart") and entry["verb"] == "delete" and uid_of(live) == entry["uid"]:
            yield delete(entry["path"], entry["uid"], entry["text"]), live


def _require_frozen(now: Situation, live: Object) -> None:
    if not is_suspended(live) or annotations_of(live).get(SUSPENDED_ANNOTATION) != now.run:
        raise SafeStop(
            f"HelmRelease {name_of(live)} is not suspended by run {now.run} any more{by(live)}; it was not removed.",
            f"See who resumed it; suspend it again with flux suspend and the annotation {SUSPENDED_ANNOTATION}={now.run}, then finalise.",
        )


def _not_gone(work: Work, write: Write) -> str:
    live = work.tools.cluster.get(write.path)
    return "it is still there" if live and uid_of(live) == write.uid else ""


def _known(work: Work) -> bool:
    return work.now.snapshot.owners.helm_release is not None


def _uids(now: Situation) -> dict[str, str]:
    return {plain_path_of(item): uid_of(item) for item in kept_objects(now)}


def _says(item: Object, kept: list[Object]) -> str:
    return f"take {len(kept)} kept objects out of HelmRelease {name_of(item)}"


def _asked(token: str) -> dict[str, str | None]:
    """Both, since old versions do not look at what a changed post-renderer would make."""
    return {REQUESTED: token, FORCED: token}


def _suspend(item: Object) -> bool | None:
    found: bool | None = item["spec"].get("suspend")
    return found


def _resumed(before: bool | None) -> list[Operation]:
    back: Operation = {"op": "remove", "path": SUSPEND} if before is None else {"op": "replace", "path": SUSPEND, "value": before}
    return [_test(SUSPEND, True), back]


def _test(path: str, value: object) -> Operation:
    return {"op": "test", "path": path, "value": value}


def _uid(item: Object) -> Operation:
    return _test("/metadata/uid", uid_of(item))
