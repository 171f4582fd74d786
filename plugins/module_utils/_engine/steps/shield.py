# SPDX-License-Identifier: GPL-3.0-or-later
"""Keep git off what we change: a shield on each live object, proven by a run of the Kustomization that came after it. PRIVATE.

Tried on kustomize-controller 1.7.3: a run that has begun does not see a shield written meanwhile (3c), so nothing is changed before a
later run is proven (K17), and a shield is never written together with a change.
Killed between a shield and its proof: the next run asks for another one.
"""

from __future__ import annotations

from collections.abc import Sequence

from ..._errors import SafeStop, StepFailed
from ..forms import flux_api
from ..forms.flux import REQUESTED
from ..forms.gitops import (
    SHIELD,
    SHIELDED,
    applies,
    is_shielded,
    last_request,
    lists,
    not_proven,
    revision_of,
    run_seconds,
    source_path,
)
from ..model import Cluster, Object, Operation, Right, Rung
from ..names import FIELD_MANAGER, SHIELDED_ANNOTATION
from ..objects import annotations_of, name_of, path_of, uid_of
from ..parked import REMOVAL
from ..patches import pointer, set_keys
from ..rights import of_path
from ..situation import Situation
from ..who import wrote
from ..work import Work
from ..writes import Write, patch
from .base import Step
from .owners import kept_objects

PROOF = "shielded"
"""The journal's note of the run that came after the shields."""

ASKED = "asked_git"
"""The note of the run that came after WG was removed."""


class Shield(Step):
    """S6s: shield what git applies and we will change, then see one run of the Kustomization pass it by."""

    id = "S6s"
    title = "shield what git applies"
    rung = Rung.PREPARED

    def writes(self, now: Situation) -> list[Write]:
        """The shields that are missing, and the request for the run that proves them."""
        kustomization = now.snapshot.owners.kustomization
        if kustomization is None:  # nobody applies anything any more
            return []
        shields = [write for item in _targets(now, kustomization) if (write := _shield(item, now.run))]
        proven = now.journal is not None and PROOF in now.journal.notes
        return [] if proven and not shields else [*shields, _request(kustomization, now.run)]

    def apply(self, work: Work) -> None:
        """Shield, and wait for the proof; only then does the journal say so."""
        kustomization = work.now.snapshot.owners.kustomization
        work.send_all(self.writes(work.now))
        if kustomization:
            token = _next_token(kustomization, work.now.run)
            wait_for_run(work, kustomization, token)
            work.journal.notes[PROOF] = {"token": token, "by": flux_api.path_of(kustomization)}
            work.save_journal()
        work.refresh()

    def undo(self, work: Work, entries: list[Object]) -> bool:
        """Take the shields off, and let git look again: it finds what it says, and changes nothing (4a).

        Until it has, its inventory does not hold what was shielded, and nobody could tell that WG comes out of git.
        """
        back = super().undo(work, entries)
        if back or _unlisted(work, entries):
            _ask_again(work, entries)
        return back

    def still_holds(self, work: Work) -> str:
        """Whose shield is gone, empty when all are there."""
        entries = work.now.journal.entries.get(self.id, []) if work.now.journal else []
        reasons = (_thawed(work.tools.cluster.get(e["path"]), e["path"], work.now.run) for e in entries if e.get("reverse"))
        return next((reason for reason in reasons if reason), "")

    def further_rights(self, now: Situation) -> list[Right]:
        """To read what the Kustomization takes its revisions from."""
        kustomization = now.snapshot.owners.kustomization
        path = source_path(kustomization, now.snapshot.identity.served) if kustomization else ""
        return [of_path("get", path)] if path else []


class AskGit(Step):
    """S16g: after WG is gone, one more run of the Kustomization must not bring its owner back (K11)."""

    id = "S16g"
    title = "see that git does not bring WG back"
    rung = Rung.FINALISED

    def writes(self, now: Situation) -> list[Write]:
        """The request for that run, until the journal says what came of it."""
        path = _applier(now)
        kustomization = now.snapshot.owners.kustomization or now.snapshot.named.get(path)
        asked = now.journal is not None and ASKED in now.journal.notes
        return [] if asked or not kustomization else [_request(kustomization, now.run)]

    def send(self, work: Work, writes: Sequence[Write]) -> None:
        """Ask, wait for the run, and look whether what was removed is back. Raises SafeStop when it is."""
        kustomization = work.tools.cluster.get(_applier(work.now))
        if kustomization is None:
            return
        token = _next_token(kustomization, work.now.run)
        work.send(_request(kustomization, work.now.run))
        try:
            wait_for_run(work, kustomization, token)
        except StepFailed as problem:
            raise SafeStop(f"{problem.what} WG is removed; whether git brings it back is not known.", problem.next_step) from problem
        back = [entry["path"] for entry in _removed(work) if work.tools.cluster.get(entry["path"])]
        if back:
            raise SafeStop(
                f"Git still renders {', '.join(back)}: Flux has made it again. It cannot install WG, as its release's name is taken.",
                "Take it out of git (wge_git_changes), then finalise again.",
            )
        work.journal.notes[ASKED] = token
        work.save_journal()


def wait_for_run(work: Work, kustomization: Object, token: str) -> None:
    """Until a run that took up ``token`` has applied the newest revision. Raises StepFailed."""
    path, cluster = flux_api.path_of(kustomization), work.tools.cluster
    source = source_path(kustomization, work.now.snapshot.identity.served)
    seconds = run_seconds(kustomization, work.now.settings.ready_seconds)
    what = f"Kustomization {name_of(kustomization)} did not run"
    work.wait_until(lambda: not_run(cluster, path, source, token), seconds, what)


def not_run(cluster: Cluster, path: str, source: str, token: str) -> str:
    """Why a run with this token is not proven, empty when it is. The source is read last, and only when all else is there."""
    live = cluster.get(path)
    if live is None:
        return "it is gone"
    applied = str((live.get("status") or {}).get("lastAppliedRevision") or "")
    if reason := not_proven(live, token, applied):
        return reason
    return not_proven(live, token, revision_of(cluster.get(source) if source else None))


def _targets(now: Situation, kustomization: Object) -> list[Object]:
    """What is shielded: once the journal says what, that; git may hold more by the time it says what the cluster is."""
    owner, kept = now.snapshot.owners.helm_release, kept_objects(now)
    stays = {_path(item) for item in kept if item["kind"] != "Service"}  # it is marked only, and git may go on applying it
    found = {_path(item): item for item in ([owner] if owner else now.snapshot.from_git)}
    found |= {_path(item): item for item in kept}
    noted = {entry["path"] for entry in now.journal.entries.get(Shield.id, [])} if now.journal else set()
    if noted:
        return [item for path, item in found.items() if path in noted]
    return [item for path, item in found.items() if path not in stays and applies(kustomization, item)]


def _shield(item: Object, run: str) -> Write | None:
    if is_shielded(item) and annotations_of(item).get(SHIELDED_ANNOTATION) != run:
        return None  # somebody else's: neither ours to claim nor ours to take off (FL-05)
    forth, back = set_keys(item, "annotations", {SHIELD: SHIELDED, SHIELDED_ANNOTATION: run})
    if not forth:
        return None
    uid: Operation = {"op": "test", "path": "/metadata/uid", "value": uid_of(item)}
    return patch(_path(item), [uid, *forth], [uid, *back], f"shield {item['kind']} {name_of(item)} from git")


def _request(kustomization: Object, run: str) -> Write:
    uid: Operation = {"op": "test", "path": "/metadata/uid", "value": uid_of(kustomization)}
    token = _next_token(kustomization, run)
    root, marks = pointer("metadata", "annotations"), annotations_of(kustomization)
    change: list[Operation] = [{"op": "add", "path": root + pointer(REQUESTED), "value": token}]
    if not marks:
        change = [{"op": "test", "path": root, "value": None}, {"op": "add", "path": root, "value": {REQUESTED: token}}]
    return patch(flux_api.path_of(kustomization), [uid, *change], [], f"ask Kustomization {name_of(kustomization)} for a run")


def _next_token(kustomization: Object, run: str) -> str:
    """A token that was never handled: one that was would prove a run from before the shield."""
    number = last_request(kustomization).removeprefix(f"{run}-")
    return f"{run}-{int(number) + 1 if number.isdigit() else 1}"


def _applier(now: Situation) -> str:
    note = now.journal.notes.get(PROOF) or {} if now.journal else {}
    return str(note.get("by") or "")


def _removed(work: Work) -> list[Object]:
    """What was deleted and had been shielded: git held it."""
    shielded = {entry["path"] for entry in work.journal.entries.get(Shield.id, [])}
    return [entry for entry in work.journal.entries.get(REMOVAL, []) if entry["verb"] == "delete" and entry["path"] in shielded]


def _thawed(live: Object | None, path: str, run: str) -> str:
    if live is None:
        return f"{path} is gone"
    ours = is_shielded(live) and annotations_of(live).get(SHIELDED_ANNOTATION) == run
    last = wrote(live, "metadata", besides=FIELD_MANAGER)
    by = f" (last written by {last})" if last else ""
    return "" if ours else f"the shield of {live.get('kind')} {name_of(live)} was taken off{by}, and git may change it back"


def _unlisted(work: Work, entries: list[Object]) -> bool:
    """Whether a run that was killed took shields off, and did not ask git to look."""
    applier = work.tools.cluster.get(_applier_in(entries)) if _applier_in(entries) else None
    shielded = (work.tools.cluster.get(entry["path"]) for entry in entries if entry.get("reverse"))
    return applier is not None and any(item and not lists(applier, item) for item in shielded)


def _applier_in(entries: list[Object]) -> str:
    return next((str(entry["path"]) for entry in entries if not entry.get("reverse")), "")


def _ask_again(work: Work, entries: list[Object]) -> None:
    path = _applier_in(entries)
    live = work.tools.cluster.get(path) if path else None
    if live is None:
        return
    try:
        work.send(_request(live, work.now.run))
        wait_for_run(work, live, _next_token(live, work.now.run))
    except StepFailed as problem:
        work.note(f"{problem.what} Nothing of the upgrade is left that git would change.")


def _path(item: Object) -> str:
    return flux_api.path_of(item) if item["kind"] in flux_api.KINDS else path_of(item)
