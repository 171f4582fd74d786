# SPDX-License-Identifier: GPL-3.0-or-later
"""Delivery ``helm``: the helm program installs WGE's chart. PRIVATE.

Killed here: half a WGE that nobody calls (Helm may show ``pending-install``); the next run uninstalls a release of its own that is
not ``deployed`` and installs anew.
"""

from __future__ import annotations

from dataclasses import replace

from ..._errors import Blocked, SafeStop
from ..forms.helm import newest, revisions_of, storage_name
from ..model import Object, Right
from ..names import RUN_LABEL
from ..objects import collection_path, labels_of, object_path
from ..rights import of_chart
from ..situation import Situation
from ..work import Work
from ..writes import Write, install

VERBS = ("get", "create", "patch")
UNDO_VERBS = ("delete",)
STORAGE_VERBS = ("get", "list", "create", "update")
STORAGE_UNDO_VERBS = ("get", "list", "update", "delete")
"""What helm does to its own release Secrets."""


class ByHelm:
    """``helm install``, without waiting and without taking ownership."""

    id = "helm"
    sets_probes = False

    def require(self, now: Situation) -> None:
        """No mirror: helm says itself what else it lacks, when the chart is rendered."""
        if now.settings.image_mirrors:
            raise Blocked(
                "WGE's images are to come out of a mirror, and helm installs the chart with the images that it names.",
                "Set wge_delivery to manifests or flux, or name the mirror in wge_values.",
            )

    def writes(self, now: Situation) -> list[Write]:
        """The install, unless a deployed release is there."""
        release = now.target.release
        last = newest(revisions_of(now.snapshot.releases, release.name))
        if last and last.status == "deployed":
            return []
        path = object_path("Secret", storage_name(release.name, 1), release.namespace)
        ours = replace(release, labels={RUN_LABEL: now.run})
        return [install(ours, path, f"helm install {release.name} {release.chart} {release.version}".rstrip())]

    def not_delivered(self, work: Work) -> str:
        """Nothing: helm has done all when it ends."""
        return ""

    def clear_half(self, work: Work) -> None:
        """Uninstall a release of this run that is not deployed."""
        release = work.now.target.release
        last = newest(revisions_of(work.now.snapshot.releases, release.name))
        if last and last.status != "deployed":
            if not _uninstall_ours(work, release.name, release.namespace):
                raise SafeStop(f"The Helm release {release.name} is {last.status} and not of this run.", "Uninstall it, then run again.")
            work.note(f"release {release.name} was {last.status}: it is removed and installed anew")
            work.refresh()

    def take_back(self, work: Work, entry: Object) -> bool:
        """Uninstall the release if it is this run's."""
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

    def rights(self, now: Situation) -> list[Right]:
        """To make the chart's objects and the release's Secrets."""
        return of_chart(now.target.objects, now.namespace, VERBS) + _storage(now, STORAGE_VERBS)

    def rights_back(self, now: Situation) -> list[Right]:
        """To delete them."""
        return of_chart(now.target.objects, now.namespace, UNDO_VERBS) + _storage(now, STORAGE_UNDO_VERBS)


def _storage(now: Situation, verbs: tuple[str, ...]) -> list[Right]:
    return [Right(verb, "", "secrets", now.namespace) for verb in verbs]


def _uninstall_ours(work: Work, name: str, namespace: str) -> bool:
    """Uninstall a release whose storage carries our run label; somebody else's of the same name is left alone."""
    labels = f"owner=helm,name={name},{RUN_LABEL}={work.now.run}"
    if not work.tools.cluster.list(collection_path("Secret", namespace), labels=labels, metadata_only=True):
        return False
    work.guard()
    work.tools.helm.uninstall(name, namespace)
    return True
