# SPDX-License-Identifier: GPL-3.0-or-later
"""S7: WGE beside WG, by the helm program, with the probes its chart lacks. PRIVATE.

No request of a user reaches it. Killed here: half a WGE that nobody calls (Helm may show ``pending-install``); the next run
uninstalls a release of its own that is not ``deployed`` and installs anew.
"""

from __future__ import annotations

from dataclasses import replace

from ..._errors import SafeStop
from .. import readiness
from ..forms.helm import newest, revisions_of, storage_name
from ..model import Object, Rung
from ..names import RUN_LABEL
from ..objects import collection_path, is_available, labels_of, object_path
from ..situation import Situation
from ..work import Work
from ..writes import Write, install, patch
from .base import Step


class InstallBeside(Step):
    """S7: install WGE with helm, then give its server the probes its chart lacks (F5)."""

    id = "S7"
    title = "install WGE beside WG"
    rung = Rung.REHEARSED
    watched = True

    def writes(self, now: Situation) -> list[Write]:
        """The install when no deployed release is there, and the patch of the probes."""
        return _install(now) + _probes(now)

    def done(self, now: Situation) -> bool:
        """Installed, with probes, and rolled out. On a parked cluster a pod that restarts is no reason to begin again."""
        ready = now.wge is not None and (now.is_parked or is_available(now.wge))
        return ready and not self.writes(now)

    def apply(self, work: Work) -> None:
        """Install, patch, and wait for the roll-out."""
        self._clear_half(work)
        work.send_all(self.writes(work.now))
        work.wait_until(lambda: _not_ready(work), work.now.settings.ready_seconds, "WGE does not get ready")
        work.refresh()

    def take_back(self, work: Work, entry: Object) -> bool:
        """Uninstall the release if it is this run's; the probes go with the Deployment."""
        release = entry.get("release") or {}
        return bool(release) and _uninstall_ours(work, release["name"], release["namespace"])

    def reversal(self, now: Situation, entry: Object, live: Object | None) -> Write | None:
        """The uninstall, while a revision of the release carries this run's label."""
        release = entry.get("release") or {}
        ours = [
            secret
            for secret in now.snapshot.releases
            if release and (labels_of(secret).get("name"), labels_of(secret).get(RUN_LABEL)) == (release["name"], now.run)
        ]
        return Write("uninstall", entry["path"], f"helm uninstall {release['name']}") if ours else None

    def _clear_half(self, work: Work) -> None:
        release = work.now.target.release
        last = newest(revisions_of(work.now.snapshot.releases, release.name))
        if last and last.status != "deployed":
            if not _uninstall_ours(work, release.name, release.namespace):
                raise SafeStop(f"The Helm release {release.name} is {last.status} and not of this run.", "Uninstall it, then run again.")
            work.note(f"release {release.name} was {last.status}: it is removed and installed anew")
            work.refresh()


def _uninstall_ours(work: Work, name: str, namespace: str) -> bool:
    """Uninstall a release whose storage carries our run label; somebody else's of the same name is left alone."""
    labels = f"owner=helm,name={name},{RUN_LABEL}={work.now.run}"
    if not work.tools.cluster.list(collection_path("Secret", namespace), labels=labels, metadata_only=True):
        return False
    work.guard()
    work.tools.helm.uninstall(name, namespace)
    return True


def _install(now: Situation) -> list[Write]:
    release = now.target.release
    last = newest(revisions_of(now.snapshot.releases, release.name))
    if last and last.status == "deployed":
        return []
    path = object_path("Secret", storage_name(release.name, 1), release.namespace)
    ours = replace(release, labels={RUN_LABEL: now.run})
    return [install(ours, path, f"helm install {release.name} {release.chart} {release.version}".rstrip())]


def _probes(now: Situation) -> list[Write]:
    if not now.target.deployment:  # neither a chart nor an installed WGE: only a way back is possible
        return []
    target, live = now.target, now.wge or now.target.deployment
    operations = readiness.operations(live, target.container_index, target.container["name"], probes_for(now))
    if not operations:
        return []
    path = object_path("Deployment", target.name, now.namespace)
    return [patch(path, operations, [], "give WGE's server probes and a drain time")]


def probes_for(now: Situation) -> Object:
    """The probes of this WGE: below the route prefix it inherits, in its scheme."""
    return readiness.wanted(now.snapshot.installed.route_prefix, tls=now.target.uses_tls, minor=now.snapshot.identity.minor)


def _not_ready(work: Work) -> str:
    return readiness.not_rolled_out(work.tools.cluster.get(object_path("Deployment", work.now.target.name, work.now.namespace)))
