# SPDX-License-Identifier: GPL-3.0-or-later
"""SA: is somebody else at work here, or did somebody not finish? PRIVATE."""

from __future__ import annotations

import json
import os
import shutil
from datetime import datetime

from ..._errors import WgeError
from .. import journal as journals
from ..archive.fitness import require_way_back
from ..model import Rung
from ..names import LEASE
from ..situation import Situation
from .check import BLOCK, WARNING, Check
from .evidence import PASS, Evidence, Judged, failed, passed, warned
from .occasion import alerts, plan, window
from .rehearsal import way_back

MEBIBYTE = 1024 * 1024


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


def archive_possible(evidence: Evidence) -> Judged:
    """SA-02. Reads the archive that was given; else no file is made: the folder, or the nearest one above it that exists, is looked at."""
    given = evidence.now.settings.archive
    try:
        if given:
            contents = evidence.archives.contents(given)
            require_way_back(evidence.now, given, contents)
            return passed(f"The archive {given}, made {contents.manifest['made']}, holds what is needed to go back.")
        unfit = _unfit(evidence)
        if unfit.status == PASS:
            evidence.archives.require()
        return unfit
    except WgeError as problem:
        # Who only looks need not have the vault's password; who upgrades must.
        return (failed if given or evidence.climbing else warned)(problem.what, problem.next_step)


def _unfit(evidence: Evidence) -> Judged:
    wanted = os.path.abspath(os.path.expanduser(evidence.now.settings.archive_dir))
    folder = wanted
    while not os.path.lexists(folder):
        folder = os.path.dirname(folder)
    if not os.path.isdir(folder):
        return failed(f"The archive cannot be put into {wanted}: {folder} is a file.", "Correct wge_archive_dir.")
    if not os.access(folder, os.W_OK | os.X_OK):
        return failed(
            f"The archive cannot be put into {wanted}: {folder} cannot be written.", "Correct wge_archive_dir, or the permissions."
        )
    size, free = _size(evidence.now), shutil.disk_usage(folder).free
    if free < 2 * size + MEBIBYTE:
        return failed(
            f"The disk of {wanted} has {free / MEBIBYTE:.1f} MiB left; the archive of this cluster takes {size / MEBIBYTE:.1f} MiB.",
            "Make room there, or give another wge_archive_dir.",
        )
    return passed(f"The archive of this cluster takes {size / MEBIBYTE:.1f} MiB in {wanted}; {free / MEBIBYTE:.0f} MiB are free there.")


def _size(now: Situation) -> int:
    """About so many bytes: each object twice, and the vault's text is four times as long as what is in it."""
    snapshot = now.snapshot
    found = [*snapshot.installed.manifest, *snapshot.kept, *now.kept_services, *snapshot.of("NetworkPolicy"), *snapshot.of("Ingress")]
    secrets = [*snapshot.releases, *(item for item in snapshot.named.values() if item)]
    return 2 * len(json.dumps(found)) + 8 * len(json.dumps(secrets))


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


CHECKS = (
    Check(
        "SA-01",
        "safety",
        "lock free",
        BLOCK,
        lock_free,
        "Lease `wge-upgrade`",
        "Wait for the other run.",
        waivable=False,
    ),
    Check(
        "SA-02",
        "safety",
        "archive possible",
        BLOCK,
        archive_possible,
        "the folder for archives on the controller, the room there, and the vault's secret; or the archive in `wge_archive`",
        "Correct `wge_archive_dir`, make room, or give a vault password.",
        until=Rung.PREPARED,
        stored=True,
    ),
    Check(
        "SA-03",
        "safety",
        "no unfinished run",
        BLOCK,
        no_unfinished_run,
        "the journals of earlier runs",
        "Resume it, or roll it back.",
    ),
    Check(
        "SA-04",
        "safety",
        "change window",
        BLOCK,
        window,
        "the windows of `wge_change_windows`, by the API server's clock",
        "Begin in a window.",
        until=Rung.PREPARED,
    ),
    Check(
        "SA-05",
        "safety",
        "reviewed plan",
        BLOCK,
        plan,
        "the hash of the plan, against `wge_plan_hash`",
        "Review the plan once more.",
        until=Rung.PREPARED,
    ),
    Check(
        "SA-06",
        "safety",
        "alerts quiet",
        WARNING,
        alerts,
        "the alerts of the Alertmanager in `wge_alerts_url`",
        "Wait until it is quiet.",
        until=Rung.PARKED,
    ),
    Check(
        "SA-07",
        "safety",
        "way back rehearsed",
        BLOCK,
        way_back,
        "the plan, forth and back on the objects as they were read; WG's pods",
        "Mirror WG's image; report a way back that does not lead back.",
        until=Rung.PARKED,
    ),
)
