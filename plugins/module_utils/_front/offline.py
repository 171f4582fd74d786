# SPDX-License-Identifier: GPL-3.0-or-later
"""A preflight that is kept in a file, and one that is judged again from it. PRIVATE."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime, timezone
from typing import Any

from .._argspec import PREFLIGHT_SPEC
from .._engine.checks import registry
from .._engine.checks.waivers import Waiver, waivers_from
from .._engine.compatibility_table import content_of
from .._engine.model import Object
from .._engine.recording import file
from .._engine.recording.again import Replay, differing, replay
from .._engine.recording.notes import note_call
from .._engine.recording.record import Record
from .._errors import Interrupted, InvalidSettings, WgeError
from .._redact import secrets_of
from .session import Session


def check(params: Mapping[str, Any]) -> None:
    """Raises InvalidSettings for options that cannot be used together, before anything is asked."""
    to, source = params.get("snapshot_to"), params.get("snapshot_from")
    if to and source:
        raise InvalidSettings("Both snapshot_to and snapshot_from were given.", "Give one: a snapshot is taken of a live cluster.")
    if to and os.path.isdir(to):
        raise InvalidSettings(f"{to} (snapshot_to) is a folder.", "Give the path of a file, e.g. one that ends in .json.gz.")


@contextmanager
def kept(session: Session) -> Iterator[None]:
    """Write the snapshot at the end, when there is to be one; also when the cluster cannot be judged. Raises InvalidSettings."""
    try:
        yield
    except Interrupted:
        raise
    except WgeError as problem:
        try:
            _write(session, problem)
        except InvalidSettings as unwritten:
            problem.next_step = f"{problem.next_step} No snapshot was taken: {unwritten.what}".strip()
        raise
    _write(session)


def _write(session: Session, ended: WgeError | None = None) -> None:
    record = session.record
    if record and record.answers:
        note_call(record, session.settings, datetime.now(timezone.utc), ended)
        record.api, record.compatibility = session.connection.server, content_of(session.params.get("compatibility"))
        record.waivers = [dict(entry) for entry in session.params.get("waivers") or []]
        file.save(record, session.params["snapshot_to"], secrets_of(PREFLIGHT_SPEC, session.params))


def source_of(session: Session) -> Record | None:
    """The record to judge again, None for a live cluster. Raises InvalidSettings."""
    path = session.params.get("snapshot_from")
    return file.load(path) if path else None


def again(session: Session, record: Record) -> Replay:
    """The record looked at with this version."""
    return replay(record, session.params.get("compatibility"))


def saved(session: Session) -> Object:
    """What a result says of the snapshot that was taken."""
    record = session.record
    return {"snapshot": {"taken": record.taken, "by": record.tool, "cluster": record.uid}} if record else {}


def waivers_of(session: Session, record: Record) -> tuple[Waiver, ...]:
    """The waivers given now, else those of then. Raises InvalidSettings."""
    return waivers_from(session.params.get("waivers") or record.waivers, registry.CHECKS)


def told(found: Replay) -> Object:
    """What a result says of the snapshot it rests on."""
    stored = {check.id for check in registry.CHECKS if check.stored}
    judged = {n: [j.status, j.evidence, j.remedy] for n, j in found.evidence.judged.items() if n not in stored}
    return found.told(differing(judged, found.record))
