# SPDX-License-Identifier: GPL-3.0-or-later
"""In which order objects are put back: what others need comes first. PRIVATE.

Policies come before the pods they bind, Services before the pods that look for their addresses, and routes after what they lead to.

The storage of Helm releases comes last of all, oldest revision first. It is what says "installed": as long as it is not whole, helm
finds no deployed release and so neither upgrades nor uninstalls what is half there. A restore that was killed leaves objects without
a release, and never a release without its objects.
"""

from __future__ import annotations

from ..archive.model import Entry
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
    return _RANKS.get(str(item.get("kind")), CUSTOM)


def key_of(entry: Entry) -> tuple[int, str, str, int, str]:
    """By what entries are sorted; revisions by their number, since v10 comes after v9."""
    item = entry.clean
    revision = labels_of(item).get("version", "") if is_release(item) else ""
    return rank_of(item), str(item.get("kind")), namespace_of(item), int(revision) if revision.isdigit() else 0, name_of(item)
