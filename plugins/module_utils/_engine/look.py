# SPDX-License-Identifier: GPL-3.0-or-later
"""One look at a cluster: read it, render WGE with what it inherits, adopt an open journal. Nothing is written. PRIVATE."""

from __future__ import annotations

import secrets
import time
from dataclasses import replace

from .._errors import InvalidSettings
from . import journal as journals
from . import snapshot as reading
from . import target as targets
from .deliveries import chosen, mirrors
from .entitlement.features import limits
from .entitlement.grant import Grant, grant_of
from .forms.helm import manifest_of, merged, newest, revisions_of
from .inherit import values_for
from .journal import Journal
from .logins import with_login
from .model import Release
from .settings import Settings
from .situation import Situation
from .snapshot import Snapshot
from .target import Target
from .work import Tools


def look(tools: Tools, settings: Settings) -> Situation:
    """Read the cluster, render the chart, adopt an open journal: everything a judgement needs, without a write."""
    return situation_from(tools, settings, reading.take(tools.cluster, settings))


def situation_from(tools: Tools, settings: Settings, snapshot: Snapshot, *, grant: Grant | None = None, run: str = "") -> Situation:
    """The situation of a snapshot: WGE rendered with the values it inherits from this WG.

    ``grant`` is what the entitlement was found to be, when that was judged before; ``run`` the id of a run that goes on.
    """
    grant = grant or grant_of(settings, snapshot)
    values = merged(values_for(snapshot.installed, with_login(settings, snapshot), settings.values), limits(grant.features))
    release = settings.release_to_install(snapshot.namespace, values)
    known = journal_in(snapshot)
    run = known.run if known else run or new_run()
    return Situation(settings, snapshot, _target(tools, settings, release, snapshot), run, grant, known)


def journal_in(snapshot: Snapshot) -> Journal | None:
    """The journal of the run that is not over, as it is stored."""
    found = journals.newest(snapshot.journals, snapshot.installed.found.release)
    return found if found and not _is_over(found, snapshot) else None


def _is_over(journal: Journal, snapshot: Snapshot) -> bool:
    """Whether a journal is of the past: taken back, or its WG was removed and this is another one."""
    found = snapshot.installed.found
    return journal.state == journals.ROLLED_BACK or (journal.state == journals.FINALISED and not found.gone)


def _target(tools: Tools, settings: Settings, release: Release, snapshot: Snapshot) -> Target:
    """WGE as the chart renders it; without a chart, or with no WG to inherit from, as it was installed, or nothing when it was not."""
    if (release.chart or release.rendered) and not snapshot.installed.found.gone:
        version, served = snapshot.identity.version, sorted(snapshot.identity.served)
        rendered = tools.helm.template(release, kube_version=version, api_versions=served)
        found = targets.target_from(release, mirrors.out_of(rendered, settings.image_mirrors))
        return replace(found, moved=mirrors.renamed(rendered, settings.image_mirrors))
    stored = newest(revisions_of(snapshot.releases, release.name))
    if stored:
        return targets.target_from(release, manifest_of(stored.decoded()))
    made = [item for item in snapshot.delivered.values() if item]
    return targets.target_from(release, made) if any(map(targets.is_server, made)) else targets.nothing(release)


def new_run() -> str:
    """A run id that sorts by time and never comes twice."""
    return time.strftime("%Y%m%d-%H%M%S", time.gmtime()) + "-" + secrets.token_hex(3)


def require_chart(now: Situation) -> None:
    """Raises InvalidSettings when there is neither a chart to render nor a WGE that was installed from one."""
    if not now.target.deployment:
        raise InvalidSettings(
            "There is no chart of WGE to install.", "Give its path or reference in wge_chart, or a rendered file in wge_manifests."
        )


def with_journal(now: Situation, tools: Tools) -> Situation:
    """The situation with a journal to write into: the adopted one, or a new one that is not stored yet."""
    if now.journal is not None:
        return now
    release = now.snapshot.installed.found.release
    started = tools.clock.wall().isoformat(timespec="seconds")
    fresh = Journal(now.run, now.namespace, release, started=started, form=now.form, delivery=chosen(now))
    return replace(now, journal=fresh)
