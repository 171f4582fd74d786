# SPDX-License-Identifier: GPL-3.0-or-later
"""In which form WG was installed: by whom it is applied, seen from its Deployment outwards. PRIVATE.

A form is a chain: a Helm release may be kept by a HelmRelease, and that, or plain manifests, be applied by a Kustomization.
The marks on the Deployment name the links; a link counts only if the object it names is there.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

from ..model import Cluster, Object
from ..names import HELM_NAMESPACE_ANNOTATION, HELM_RELEASE_ANNOTATION
from ..objects import annotations_of, labels_of, name_of, namespace_of
from . import flux, gitops
from .flux_api import HELM_RELEASE, KUSTOMIZATION, path_in

HELM, FLUX, GITOPS, MANIFESTS, GITOPS_MANIFESTS = WORDS = {
    "helm": "a plain Helm release",
    "flux": "a Flux HelmRelease",
    "gitops": "a Flux HelmRelease out of git",
    "manifests": "plain manifests",
    "gitops_manifests": "plain manifests out of git",
}
WITH_RELEASE = frozenset({HELM, FLUX, GITOPS})
"""The forms of which Helm has stored a release."""


@dataclass(frozen=True, slots=True)
class Owners:
    """Who applies WG again and again: the objects as they were read, None for who does not exist.

    ``source`` is what the Kustomization takes its revisions from.
    """

    helm_release: Object | None = None
    kustomization: Object | None = None
    source: Object | None = None

    @property
    def namespace(self) -> str:
        """The namespace of the HelmRelease, empty without one."""
        return namespace_of(self.helm_release) if self.helm_release else ""

    @property
    def all(self) -> list[Object]:
        """Those that are there."""
        return [item for item in (self.helm_release, self.kustomization) if item]


def by_marks(deployment: Object) -> tuple[str, str]:
    """The form as far as the Deployment's own marks tell it, and the name under which WG is known in it."""
    release = annotations_of(deployment).get(HELM_RELEASE_ANNOTATION, "")
    if flux.NAME_LABEL in labels_of(deployment):
        return FLUX, release
    if _is_released(deployment):
        return HELM, release
    return MANIFESTS, name_of(deployment)


def read_owners(cluster: Cluster, deployment: Object, served: Collection[str]) -> Owners:
    """The objects that the marks name: no request where there are none, one for each link otherwise."""
    helm_release = _read(cluster, HELM_RELEASE, deployment, (flux.NAME_LABEL, flux.NAMESPACE_LABEL), served)
    applied = helm_release or deployment
    kustomization = _read(cluster, KUSTOMIZATION, applied, (gitops.NAME_LABEL, gitops.NAMESPACE_LABEL), served)
    path = gitops.source_path(kustomization, served) if kustomization else ""
    return Owners(helm_release, kustomization, cluster.get(path) if path else None)


def form_of(deployment: Object, owners: Owners) -> str:
    """The form by marks and by who is really there; orphans keep the labels of who left them (K9, 1j)."""
    applied = owners.helm_release or deployment
    from_git = owners.kustomization is not None and gitops.applies(owners.kustomization, applied)
    if owners.helm_release:
        return GITOPS if from_git else FLUX
    if _is_released(deployment):
        return HELM
    return GITOPS_MANIFESTS if from_git else MANIFESTS


def _is_released(deployment: Object) -> bool:
    annotations = annotations_of(deployment)
    own = annotations.get(HELM_NAMESPACE_ANNOTATION, "") == namespace_of(deployment)
    return bool(annotations.get(HELM_RELEASE_ANNOTATION)) and own


def _read(cluster: Cluster, kind: str, item: Object, marks: tuple[str, str], served: Collection[str]) -> Object | None:
    name, namespace = (labels_of(item).get(mark, "") for mark in marks)
    path = path_in(kind, name, namespace or namespace_of(item), served) if name else ""
    found = cluster.get(path) if path else None
    return {**found, "kind": kind} if found else None
