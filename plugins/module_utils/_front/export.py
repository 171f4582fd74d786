# SPDX-License-Identifier: GPL-3.0-or-later
"""The question ``export``: everything WG has built up, into an archive on the controller. PRIVATE."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from .._engine import snapshot as reading
from .._engine.archive.box import Box
from .._engine.archive.making import Made, Trial
from .._engine.archive.model import VAULT
from .._engine.archive.scope import Collector
from .._engine.checks.binding_kinds import KINDS as BINDING_KINDS
from .._engine.checks.route_table import KINDS as ROUTE_KINDS
from .._engine.look import new_run
from .._engine.model import Object
from .._engine.snapshot import Snapshot
from .._errors import Interrupted
from .answers import counted
from .session import Session


def answer(session: Session) -> dict[str, Any]:
    """Read, write, prove; then let the user's command copy it. In check mode nothing is written."""
    archives = session.archives
    archives.keys()
    begun, tick = session.clock.monotonic(), tick_of(session)
    snapshot = reading.take(session.asked, session.settings)
    box = Collector(session.asked, snapshot, _foreign(snapshot), tick).collect(session.params["scope"])
    result = _about(session, snapshot, box)
    if session.surroundings.check_mode:
        return {**result, "verdict": "planned", "path": ""}
    run = new_run()
    trial = Trial(session.asked if session.params["dry_run"] else None)
    made = archives.written(snapshot, box, run, session.params["scope"], trial, tick)
    copied = archives.copied(made.path)
    return {
        **result,
        "path": made.path,
        "run": run,
        "digest": made.manifest["digest"],
        "vault_id": made.manifest["vault_id"],
        "compared": made.checked.compared,
        "tried": made.checked.tried,
        "copied": copied,
        "seconds": round(session.clock.monotonic() - begun, 3),
        "api": counted(session.cluster),
        "warnings": _warnings(session, made),
    }


def tick_of(session: Session) -> Callable[[], None]:
    """Raises Interrupted when somebody wants us to stop; nothing of the archive stays then."""

    def tick() -> None:
        if reason := session.surroundings.keep_going():
            raise Interrupted(f"Stopped on request ({reason}); no archive was made.", "Run the same command again.")

    return tick


def _foreign(snapshot: Snapshot) -> list[tuple[str, str]]:
    """The kinds that may lead to a Service of WG or bind its pods, in the version that is served."""
    rows = [(kind.group, kind.versions, kind.kind) for table in (ROUTE_KINDS, BINDING_KINDS) for kind in table]
    found = {}
    for group, versions, name in rows:
        version = next((v for v in versions if f"{group}/{v}" in snapshot.identity.served), "")
        if version:
            found[(group, name)] = (f"{group}/{version}", name)
    return list(found.values())


def _about(session: Session, snapshot: Snapshot, box: Box) -> Object:
    return {
        "changed": True,
        "verdict": "exported",
        "scope": session.params["scope"],
        "secrets": session.params["secrets"],
        "namespace": snapshot.namespace,
        "release": snapshot.installed.found.release,
        "objects": {kind.stem: len(box.paths(kind)) for kind in box.kinds()},
        "cluster": {"name": "", "uid": snapshot.identity.uid, "api": session.connection.server, "version": snapshot.identity.version},
        "api": counted(session.cluster),
        "message": "",
        "next_step": "",
    }


def _warnings(session: Session, made: Made) -> list[str]:
    found = [f"Not tried: {problem}" for problem in made.checked.untried]
    if session.params["secrets"] != VAULT:
        found.append(f"The archive {made.path} holds hashes of Secrets only: they cannot be restored from it.")
    if session.archives.goes_with_the_job(made.path):
        found.append(f"The archive {made.path} lies in the job's own folder and goes with the job; give a copy_command.")
    return found
