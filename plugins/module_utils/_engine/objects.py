# SPDX-License-Identifier: GPL-3.0-or-later
"""Kubernetes objects as plain data: where a kind lives in the API, and short ways to its metadata. PRIVATE."""

from __future__ import annotations

import hashlib
import json
from typing import Any
from urllib.parse import quote

from .._errors import SafeStop
from .model import Object

NAMESPACED = {
    "AuthorizationPolicy": ("security.istio.io/v1beta1", "authorizationpolicies"),
    "CiliumNetworkPolicy": ("cilium.io/v2", "ciliumnetworkpolicies"),
    "ConfigMap": ("v1", "configmaps"),
    "DaemonSet": ("apps/v1", "daemonsets"),
    "Deployment": ("apps/v1", "deployments"),
    "EndpointSlice": ("discovery.k8s.io/v1", "endpointslices"),
    "HorizontalPodAutoscaler": ("autoscaling/v2", "horizontalpodautoscalers"),
    "Ingress": ("networking.k8s.io/v1", "ingresses"),
    "Job": ("batch/v1", "jobs"),
    "Kustomization": ("kustomize.toolkit.fluxcd.io/v1", "kustomizations"),
    "Lease": ("coordination.k8s.io/v1", "leases"),
    "LimitRange": ("v1", "limitranges"),
    "NetworkPolicy": ("networking.k8s.io/v1", "networkpolicies"),
    "PeerAuthentication": ("security.istio.io/v1beta1", "peerauthentications"),
    "PersistentVolumeClaim": ("v1", "persistentvolumeclaims"),
    "Pod": ("v1", "pods"),
    "PodDisruptionBudget": ("policy/v1", "poddisruptionbudgets"),
    "ResourceQuota": ("v1", "resourcequotas"),
    "RequestAuthentication": ("security.istio.io/v1beta1", "requestauthentications"),
    "Role": ("rbac.authorization.k8s.io/v1", "roles"),
    "RoleBinding": ("rbac.authorization.k8s.io/v1", "rolebindings"),
    "Secret": ("v1", "secrets"),
    "Service": ("v1", "services"),
    "ServiceAccount": ("v1", "serviceaccounts"),
    "StatefulSet": ("apps/v1", "statefulsets"),
}
CLUSTER_SCOPED = {
    "APIService": ("apiregistration.k8s.io/v1", "apiservices"),
    "ClusterRole": ("rbac.authorization.k8s.io/v1", "clusterroles"),
    "ClusterRoleBinding": ("rbac.authorization.k8s.io/v1", "clusterrolebindings"),
    "CustomResourceDefinition": ("apiextensions.k8s.io/v1", "customresourcedefinitions"),
    "MutatingWebhookConfiguration": ("admissionregistration.k8s.io/v1", "mutatingwebhookconfigurations"),
    "Namespace": ("v1", "namespaces"),
    "Node": ("v1", "nodes"),
    "ValidatingAdmissionPolicy": ("admissionregistration.k8s.io/v1", "validatingadmissionpolicies"),
    "ValidatingAdmissionPolicyBinding": ("admissionregistration.k8s.io/v1", "validatingadmissionpolicybindings"),
    "ValidatingWebhookConfiguration": ("admissionregistration.k8s.io/v1", "validatingwebhookconfigurations"),
}


def api_of(kind: str) -> tuple[str, str]:
    """``(apiVersion, plural)`` of a kind; raises SafeStop for one this collection has no business with."""
    found = NAMESPACED.get(kind) or CLUSTER_SCOPED.get(kind)
    if not found:
        raise SafeStop(f"Objects of kind {kind} are not known to this collection.", "Take them out of the chart's values.")
    return found


def collection_path(kind: str, namespace: str = "") -> str:
    """The REST path of a kind's collection; all namespaces when ``namespace`` is empty."""
    version, plural = api_of(kind)
    root = f"/apis/{version}" if "/" in version else f"/api/{version}"
    place = f"/namespaces/{namespace}" if namespace and kind in NAMESPACED else ""
    return f"{root}{place}/{plural}"


def object_path(kind: str, name: str, namespace: str = "") -> str:
    """The REST path of one object (RBAC names may hold characters that a URL does not take)."""
    return f"{collection_path(kind, namespace)}/{quote(name, safe=':')}"


def path_of(item: Object) -> str:
    """The REST path of an object from its own kind and metadata."""
    return object_path(item["kind"], name_of(item), namespace_of(item))


def parent_path(path: str) -> str:
    """The collection an object's path lies in."""
    return path.rsplit("/", 1)[0]


def metadata(item: Object) -> Object:
    """The object's metadata, an empty dict when it has none."""
    return item.get("metadata") or {}


def name_of(item: Object) -> str:
    """metadata.name"""
    return str(metadata(item).get("name", ""))


def namespace_of(item: Object) -> str:
    """metadata.namespace, empty for cluster-scoped objects."""
    return str(metadata(item).get("namespace", ""))


def uid_of(item: Object) -> str:
    """metadata.uid"""
    return str(metadata(item).get("uid", ""))


def labels_of(item: Object) -> dict[str, str]:
    """metadata.labels, never None."""
    return metadata(item).get("labels") or {}


def annotations_of(item: Object) -> dict[str, str]:
    """metadata.annotations, never None."""
    return metadata(item).get("annotations") or {}


def pod_template(deployment: Object) -> Object:
    """spec.template of a Deployment."""
    template: Object = deployment.get("spec", {}).get("template", {})
    return template


def containers_of(deployment: Object) -> list[Object]:
    """The containers of a Deployment's pod template."""
    return pod_template(deployment).get("spec", {}).get("containers") or []


def selects(selector: dict[str, str] | None, labels: dict[str, str]) -> bool:
    """Whether a map selector matches labels; a missing or empty one selects nothing (Service semantics)."""
    return bool(selector) and all(labels.get(key) == value for key, value in (selector or {}).items())


def is_ready(pod: Object) -> bool:
    """Whether a pod's Ready condition is true and it is not going away."""
    if metadata(pod).get("deletionTimestamp"):
        return False
    conditions: list[Object] = pod.get("status", {}).get("conditions") or []
    return any(c.get("type") == "Ready" and c.get("status") == "True" for c in conditions)


def is_available(deployment: Object) -> bool:
    """Whether a Deployment has rolled out what it now says: generation seen, all replicas updated and available."""
    wanted = deployment.get("spec", {}).get("replicas", 1)
    status = deployment.get("status", {})
    return bool(
        status.get("observedGeneration", 0) >= metadata(deployment).get("generation", 1)
        and status.get("updatedReplicas", 0) >= wanted
        and status.get("availableReplicas", 0) >= wanted
        and status.get("replicas", 0) == wanted
        and wanted > 0
    )


def digest(value: Any) -> str:
    """SHA-256 of a value's canonical JSON, in hexadecimal."""
    text = json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=True)
    return hashlib.sha256(text.encode()).hexdigest()
