# SPDX-License-Identifier: GPL-3.0-or-later
"""Where Flux's kinds live on a cluster: the newest version that it serves, since none is served by every Flux. PRIVATE."""

from __future__ import annotations

from collections.abc import Collection

from ..model import Object
from ..objects import name_of, namespace_of

HELM_RELEASE = "HelmRelease"
KUSTOMIZATION = "Kustomization"
_HELM = "helm.toolkit.fluxcd.io"
_KUSTOMIZE = "kustomize.toolkit.fluxcd.io"
_SOURCE = "source.toolkit.fluxcd.io"
KINDS: dict[str, tuple[str, str, tuple[str, ...]]] = {
    HELM_RELEASE: (_HELM, "helmreleases", ("v2", "v2beta2", "v2beta1")),
    KUSTOMIZATION: (_KUSTOMIZE, "kustomizations", ("v1", "v1beta2", "v1beta1")),
    "Bucket": (_SOURCE, "buckets", ("v1", "v1beta2", "v1beta1")),
    "GitRepository": (_SOURCE, "gitrepositories", ("v1", "v1beta2", "v1beta1")),
    "HelmChart": (_SOURCE, "helmcharts", ("v1", "v1beta2", "v1beta1")),
    "HelmRepository": (_SOURCE, "helmrepositories", ("v1", "v1beta2", "v1beta1")),
    "OCIRepository": (_SOURCE, "ocirepositories", ("v1", "v1beta2")),
}
"""``(group, plural, versions)``, the newest version first."""


def version_of(kind: str, served: Collection[str]) -> str:
    """The newest ``group/version`` of a kind that is served, empty when none is."""
    group, _plural, versions = KINDS[kind]
    return next((f"{group}/{version}" for version in versions if f"{group}/{version}" in served), "")


def path_in(kind: str, name: str, namespace: str, served: Collection[str]) -> str:
    """The REST path of one object, empty when the cluster serves no version of its kind."""
    version = version_of(kind, served)
    return f"/apis/{version}/namespaces/{namespace}/{KINDS[kind][1]}/{name}" if version else ""


def path_of(item: Object) -> str:
    """The REST path of an object in the version in which it was read."""
    return f"/apis/{item['apiVersion']}/namespaces/{namespace_of(item)}/{KINDS[item['kind']][1]}/{name_of(item)}"
