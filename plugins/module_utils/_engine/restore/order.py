# SPDX-License-Identifier: GPL-3.0-or-later
"""In which order objects are put back: what others need comes first. PRIVATE.

Policies come before the pods they bind, Services before the pods that look for their addresses, and routes after what they lead to.

The storage of Helm releases comes after all that they hold, oldest revision first. It is what says "installed": as long as it is not
whole, helm finds no deployed release and so neither upgrades nor uninstalls what is half there. A restore that was killed leaves objects
without a release, and never a release without its objects.

What applies objects again and again comes last of all: a HelmRelease that does not find its release installs it anew over what is there
and takes every Service for its own (K12), and a Kustomization makes the HelmReleases that git holds.
"""

from __future__ import annotations

from ..archive.model import Entry
from ..forms import flux_api
from ..model import Object
from ..objects import labels_of, name_of, namespace_of

RELEASE_TYPE = "helm.sh/release.v1"
_KINDS = (
    ("CustomResourceDefinition",),
    ("Namespace",),
    ("PriorityClass", "StorageClass", "ResourceQuota", "LimitRange"),
    ("ServiceAccount",),
    ("ClusterRole", "Role"),
    ("ClusterRoleBinding", "RoleBinding"),
    ("Secret", "ConfigMap"),
    ("PersistentVolume", "PersistentVolumeClaim"),
    ("NetworkPolicy", "CiliumNetworkPolicy", "AuthorizationPolicy", "PeerAuthentication", "RequestAuthentication"),
    ("Service",),
    ("Deployment", "StatefulSet", "DaemonSet", "CronJob"),
    ("PodDisruptionBudget", "HorizontalPodAutoscaler"),
    ("Ingress", "IngressRoute", "Route", "Gateway", "HTTPRoute", "GRPCRoute", "TLSRoute", "TCPRoute", "VirtualService"),
)
_RANKS = {kind: rank for rank, kinds in enumerate(_KINDS) for kind in kinds}
CUSTOM = len(_KINDS)
ADMISSION = CUSTOM + 1
RELEASE = CUSTOM + 2
"""Webhooks and policies of admission judge what is put back, so they come when all else is there."""
APPLIERS = {kind: RELEASE + rank for rank, kind in enumerate((flux_api.HELM_RELEASE, flux_api.KUSTOMIZATION), start=1)}


def is_release(item: Object) -> bool:
    """Whether this is a revision of a Helm release."""
    labels = labels_of(item)
    stored = item.get("type") == RELEASE_TYPE or (item.get("kind") == "ConfigMap" and labels.get("owner") == "helm")
    return stored and name_of(item).startswith("sh.helm.release.v1.")


def rank_of(item: Object) -> int:
    """The place of an object's kind in the order."""
    if is_release(item):
        return RELEASE
    if str(item.get("apiVersion", "")).startswith("admissionregistration.k8s.io/"):
        return ADMISSION
    kind = str(item.get("kind"))
    return APPLIERS.get(kind) or _RANKS.get(kind, CUSTOM)


def key_of(entry: Entry) -> tuple[int, str, str, int, str]:
    """By what entries are sorted; revisions by their number, since v10 comes after v9."""
    item = entry.clean
    revision = labels_of(item).get("version", "") if is_release(item) else ""
    return rank_of(item), str(item.get("kind")), namespace_of(item), int(revision) if revision.isdigit() else 0, name_of(item)
