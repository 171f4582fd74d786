# SPDX-License-Identifier: GPL-3.0-or-later
"""The names this collection leaves in a cluster. PRIVATE to the collection.

Users search for these with kubectl, so they are documented in the user guide and never change meaning.
"""

from __future__ import annotations

TOOL = "weaveworks.wge 0.1.0"
"""Who wrote a file, in files that are read again; the version is that of galaxy.yml."""

PREFIX = "wge.weave.works"

RUN_LABEL = f"{PREFIX}/run"
"""On every object we create: the run that created it. What does not carry it is never deleted."""

JOURNAL_LABEL = f"{PREFIX}/journal"
"""On a journal Secret: its state, one of the ``journal.STATES``."""

KEPT_ANNOTATION = f"{PREFIX}/kept"
"""On every object of WG that outlives it (Services, Ingresses, auth Secrets, admin RBAC)."""

FENCE_ANNOTATION = f"{PREFIX}/fence"
"""Put on and taken off again by a run that takes a dead run's lock: what that one had sent is for a version that is no more."""

SHIELDED_ANNOTATION = f"{PREFIX}/shielded"
"""Beside Flux's own annotation that keeps git off an object: the run that put both there."""

HANDED_OVER_ANNOTATION = f"{PREFIX}/handed-over"
"""On WG's HelmRelease: the run that took what outlives WG out of what Flux renders."""

SUSPENDED_ANNOTATION = f"{PREFIX}/suspended"
"""On WG's HelmRelease: the run that suspended it. What does not carry it is never resumed."""

GUARD_POLICY = "wge-guard"
"""With the namespace behind it: the ValidatingAdmissionPolicy, and its binding, that keep everybody else off while we watch."""

GUARD_PROBE = f"{PREFIX}/guard-probe"
"""An annotation that the policy refuses to everybody: a dry run of it shows that the policy is in force."""

FIELD_MANAGER = "weaveworks-wge"

LEASE = "wge-upgrade"
JOURNAL_PREFIX = "wge-journal-"
SHADOW_SUFFIX = "-wge-shadow"
TWIN_PREFIX = "wge-twin-"
EDGE_POLICY = "wge-allow-edge"
"""The NetworkPolicy that lets everybody through to WGE, where everybody got through to WG and only the chart's own is in the way."""

ADMIN_BINDING = "wge-admin-reader"

PARKED_OWNER = "wge-parked"
"""Value of Helm's ``owner`` label on a parked revision: hides it from helm, loses nothing (K6)."""

TOMBSTONE_OWNER = "wge-tombstone"

EDGE_RELEASE = "wge-edge"
"""Value of ``meta.helm.sh/release-name`` on kept objects: makes a stray install stop before any write (A-S11)."""

HELM_RELEASE_ANNOTATION = "meta.helm.sh/release-name"
HELM_NAMESPACE_ANNOTATION = "meta.helm.sh/release-namespace"
HELM_KEEP_ANNOTATION = "helm.sh/resource-policy"
MANAGED_BY_LABEL = "app.kubernetes.io/managed-by"

ENTITLEMENT_SECRET = "weave-gitops-enterprise-credentials"  # noqa: S105 - the name of a Secret
ENTITLEMENT_NAMESPACE = "flux-system"
LOGIN_SECRET = "cluster-user-auth"  # noqa: S105
OIDC_SECRET = "oidc-auth"  # noqa: S105
