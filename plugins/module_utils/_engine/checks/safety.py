# SPDX-License-Identifier: GPL-3.0-or-later
"""SA: is somebody else at work here, or did somebody not finish? PRIVATE."""

from __future__ import annotations

from datetime import datetime

from .. import journal as journals
from ..names import LEASE
from .evidence import Evidence, Judged, failed, passed, warned


def lock_free(evidence: Evidence) -> Judged:
    """SA-01. No request. The Lease's stamp is its holder's clock, so it only ever says "surely fresh"; the climb watches it."""
    lease = evidence.now.snapshot.named.get(LEASE)
    spec = (lease or {}).get("spec") or {}
    holder = spec.get("holderIdentity")
    if not holder:
        return passed("No run holds the lock.")
    duration = float(spec.get("leaseDurationSeconds") or evidence.now.settings.lock_seconds)
    age = _age(str(spec.get("renewTime", "")), evidence.time)
    if age is not None and abs(age) < duration:
        return warned(
            f"Run {holder} holds the lock of this cluster and renewed it {max(0, round(age))} s ago.",
            f"While it lives the upgrade will not begin here; if it was killed, the upgrade takes over after {duration:g} s.",
        )
    seen = "at a time that cannot be read" if age is None else f"{round(age)} s ago" if age > 0 else "by a clock that is ahead"
    return warned(
        f"Run {holder} holds the lock of this cluster; it was last renewed {seen}.",
        f"Nothing need be done: the upgrade watches it for {duration:g} s and takes it when nobody renews it.",
    )


def no_unfinished_run(evidence: Evidence) -> Judged:
    """SA-03. No request. Raises SafeStop when a journal cannot be read."""
    now = evidence.now
    release = now.snapshot.installed.found.release
    known = [journal for journal in map(journals.journal_from, now.snapshot.journals) if journal.release == release]
    unfinished = sorted(journal.run for journal in known if journal.state == journals.OPEN)
    if len(unfinished) > 1:
        return failed(
            f"Several runs have not been finished: {', '.join(unfinished)}; only the newest could be resumed.",
            "Look at their journals (Secrets with the label wge.weave.works/journal=open), and delete those that left nothing behind.",
        )
    if unfinished:
        return warned(
            f"Run {unfinished[0]} has not been finished; the cluster is {evidence.rung.word}.",
            "Nothing need be done: the upgrade goes on where it ended; state=rolled_back takes it back instead.",
        )
    return passed(f"No unfinished run ({len(known)} finished).")


def _age(stamp: str, time: datetime) -> float | None:
    try:
        return (time - datetime.fromisoformat(stamp.replace("Z", "+00:00"))).total_seconds()
    except (TypeError, ValueError):
        return None
