# SPDX-License-Identifier: GPL-3.0-or-later
"""The question ``restore``: put an archive, or a part of it, back. PRIVATE."""

from __future__ import annotations

from typing import Any

from .._engine.archive.model import HASHES_ONLY, Contents
from .._engine.model import Object
from .._engine.restore.plan import CREATE, NOTHING, PATCH, REFUSE, Planned
from .._engine.restore.run import Outcome, Run, Terms
from .._engine.restore.selection import Selection
from .._engine.restore.wish import Wish
from .._engine.restore.words import shown, told
from .._errors import InvalidSettings
from .answers import counted, failure
from .session import Session

_MOST_SENTENCES = 20


def answer(session: Session) -> dict[str, Any]:
    """Do it, or show what would be done."""
    params = session.params
    if params["overwrite"] and params["missing_only"]:
        raise InvalidSettings("Both overwrite and missing_only were given.", "Give one of them.")
    wish = Wish(
        Selection(tuple(params["kinds"]), tuple(params["names"]), params.get("label") or ""),
        overwrite=bool(params["overwrite"]),
        missing_only=bool(params["missing_only"]),
        foreign=bool(params["allow_other_cluster"]),
    )
    terms = Terms(params.get("cluster_uid") or "", bool(params["allow_other_cluster"]), params["lock_seconds"])
    contents = _archive(session)
    outcome = Run(session.tools, contents, wish, terms).run(check_mode=session.surroundings.check_mode)
    result = _told(session, contents, outcome)
    if session.surroundings.diff:
        result["diff"] = [_diff(one) for one in outcome.restored.plan.planned if one.action != NOTHING]
    return result


def _archive(session: Session) -> Contents:
    """The archive, read and checked before the cluster is asked anything. Raises InvalidSettings."""
    if session.surroundings.vault is None:
        raise InvalidSettings("The vault's secrets are on the controller only.", "Give the task delegate_to: localhost.")
    return session.archives.contents(session.params["archive"])


def _told(session: Session, contents: Contents, outcome: Outcome) -> dict[str, Any]:
    restored, manifest = outcome.restored, contents.manifest
    planned = session.surroundings.check_mode and not restored.plan.refused
    result: dict[str, Any] = {
        "changed": outcome.changed or (planned and bool(restored.plan.todo)),
        "verdict": outcome.verdict,
        "message": "",
        "next_step": "",
        "plan": [_row(one) for one in restored.plan.planned if one.action != NOTHING],
        "written": [one.entry.path for one in restored.made],
        "unchanged": sum(one.action == NOTHING for one in restored.plan.planned),
        "skipped": [{"object": told(entry.clean), "reason": reason} for entry, reason in restored.skipped],
        "identity": restored.identity(),
        "archive": {key: manifest[key] for key in ("made", "namespace", "release", "run", "secrets", "vault_id")},
        "cluster": {"name": "", "uid": outcome.identity.uid, "api": session.connection.server, "version": outcome.identity.version},
        "api": counted(session.cluster),
    }
    if said := _warnings(contents, outcome):
        result["warnings"] = said
    if outcome.error:
        result |= failure(outcome.error)
    return result


def _warnings(contents: Contents, outcome: Outcome) -> list[str]:
    said = [*outcome.restored.warnings(), *outcome.warnings]
    if len(said) > _MOST_SENTENCES:
        said = [*said[:_MOST_SENTENCES], f"{len(said) - _MOST_SENTENCES} more sentences like these are left out; identity holds all."]
    if contents.manifest["secrets"] == HASHES_ONLY:
        said.append("The archive holds hashes of Secrets only: no Secret was put back, and what needs one does not work without it.")
    return said


def _row(one: Planned) -> Object:
    row: Object = {"action": one.action, "object": told(one.entry.clean), "path": one.entry.path}
    return {**row, "reason": one.reason, "next_step": one.remedy} if one.action == REFUSE else row


def _diff(one: Planned) -> Object:
    words = {CREATE: "to be created", PATCH: "to be put back", REFUSE: f"refused: it {one.reason}"}
    return {
        "before_header": f"{one.entry.path} (cluster)",
        "after_header": f"{one.entry.path} (archive, {words[one.action]})",
        "before": shown(one.live, one.wanted) if one.live else "",
        "after": shown(one.wanted, one.live),
    }
