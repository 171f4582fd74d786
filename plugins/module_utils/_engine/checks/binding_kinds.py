# SPDX-License-Identifier: GPL-3.0-or-later
"""The kinds that bind pods by a selector, and of which no twin is made: where they live, and what their selector is written in. PRIVATE.

Twins are made of the kinds in ``steps/policies.py``. Here is what else may hold WG's pods and not WGE's, and what a person does
about it. A row is data.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

from ..selectors import Labels, calico_matches, cilium_matches, selector_matches

_CALICO_API, _CALICO_STORE = "projectcalico.org", "crd.projectcalico.org"
Matches = Callable[[Any, Labels, str], bool]
"""Whether a selector, as it is written in a kind, matches pods of these labels in a namespace."""


@dataclass(frozen=True, slots=True)
class BindingKind:
    """One kind. ``selectors`` are the paths to its selectors; without any there it binds every pod, and so WGE's as well.

    ``closes`` says whether traffic may end when it does not hold WGE's pods. ``places`` are namespaces beside WG's own from
    where it binds; None is everywhere.
    """

    kind: str
    group: str
    versions: tuple[str, ...]
    plural: str
    selectors: tuple[str, ...]
    matches: Matches
    closes: bool
    remedy: str
    places: tuple[str, ...] | None = ()

    def collection(self, served: Iterable[str]) -> str:
        """The path of the cluster's objects of this kind, empty when it is not served."""
        if self.group == _CALICO_STORE and f"{_CALICO_API}/v3" in served:
            return ""  # the same objects, shown twice
        found = next((version for version in self.versions if f"{self.group}/{version}" in served), "")
        return f"/apis/{self.group}/{found}/{self.plural}" if found else ""


def _by_labels(selector: Any, labels: Labels, _namespace: str) -> bool:
    return selector_matches(selector, labels)


def _by_map(selector: Any, labels: Labels, _namespace: str) -> bool:
    return bool(selector.items() <= labels.items())


def _by_cilium(selector: Any, labels: Labels, namespace: str) -> bool:
    return cilium_matches(selector, labels, namespace)


def _by_calico(selector: Any, labels: Labels, namespace: str) -> bool:
    place = {"projectcalico.org/namespace": namespace, "projectcalico.org/orchestrator": "k8s"}
    return calico_matches(str(selector), {**labels, **place})


SAME_RULES = "Write one with the same rules for WGE's pods and their port"
ISTIO_ROOT = ("istio-system",)
_ISTIO_SECURITY = ("security.istio.io", ("v1beta1", "v1"))
_ISTIO_NETWORK = ("networking.istio.io", ("v1", "v1beta1", "v1alpha3"))
_CALICO = ((_CALICO_API, ("v3",)), (_CALICO_STORE, ("v1",)))

KINDS: tuple[BindingKind, ...] = (
    *(
        BindingKind(kind, *_ISTIO_SECURITY, plural, ("spec.selector",), _by_labels, True, SAME_RULES, ISTIO_ROOT)
        for kind, plural in (("AuthorizationPolicy", "authorizationpolicies"), ("PeerAuthentication", "peerauthentications"))
    ),
    BindingKind("Sidecar", *_ISTIO_NETWORK, "sidecars", ("spec.workloadSelector.labels",), _by_map, False, SAME_RULES),
    BindingKind(
        "EnvoyFilter", "networking.istio.io", ("v1alpha3",), "envoyfilters", ("spec.workloadSelector.labels",), _by_map, False, SAME_RULES
    ),
    BindingKind(
        "Server",
        "policy.linkerd.io",
        ("v1beta3", "v1beta2", "v1beta1"),
        "servers",
        ("spec.podSelector",),
        _by_labels,
        True,
        "Write a Server for WGE's pods and its port, and let the same AuthorizationPolicies refer to it",
    ),
    BindingKind(
        "CiliumClusterwideNetworkPolicy",
        "cilium.io",
        ("v2",),
        "ciliumclusterwidenetworkpolicies",
        ("spec.endpointSelector", "specs.endpointSelector"),
        _by_cilium,
        True,
        SAME_RULES,
        None,
    ),
    *(BindingKind("NetworkPolicy", *api, "networkpolicies", ("spec.selector",), _by_calico, True, SAME_RULES) for api in _CALICO),
    *(
        BindingKind("GlobalNetworkPolicy", *api, "globalnetworkpolicies", ("spec.selector",), _by_calico, True, SAME_RULES, None)
        for api in _CALICO
    ),
    BindingKind(
        "NetworkPolicy",
        "crd.antrea.io",
        ("v1beta1", "v1alpha1"),
        "networkpolicies",
        ("spec.appliedTo.podSelector",),
        _by_labels,
        True,
        SAME_RULES,
    ),
    BindingKind(
        "SecurityGroupPolicy",
        "vpcresources.k8s.aws",
        ("v1beta1",),
        "securitygrouppolicies",
        ("spec.podSelector",),
        _by_labels,
        True,
        "Write one of the same security groups for WGE's pods before the upgrade, since a pod gets them when it is made",
    ),
)

SCALERS = (
    ("ScaledObject", "keda.sh", "v1alpha1", "scaledobjects", "spec.scaleTargetRef"),
    ("VerticalPodAutoscaler", "autoscaling.k8s.io", "v1", "verticalpodautoscalers", "spec.targetRef"),
)
"""Kinds that scale a Deployment by its name: kind, group, version, plural, and where the name is."""
