# SPDX-License-Identifier: GPL-3.0-or-later
"""Everything one call knows about a cluster, read once and shared by all that judge it. PRIVATE.

Reads come in two rounds: first what tells where WG is, then what lies in its namespace. Lists are read whole or not at
all (the cluster adapter restarts them), so nothing is ever judged from half a list.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime

from .._errors import Blocked, SafeStop
from . import made, removed
from .discover import Found, Installed, candidates, choose, installed
from .forms import gitops
from .forms.flux import release_of
from .forms.helm import newest, revisions_of
from .forms.recognise import WITH_RELEASE, Owners, form_of, read_owners
from .inherit import text_of
from .journal import OPEN
from .journal import newest as newest_journal
from .model import Cluster, Object
from .names import (
    ADMIN_BINDING,
    ENTITLEMENT_NAMESPACE,
    ENTITLEMENT_SECRET,
    JOURNAL_LABEL,
    LEASE,
    LOGIN_SECRET,
    OIDC_SECRET,
    RUN_LABEL,
)
from .objects import api_of, collection_path, labels_of, name_of, object_path, path_of, uid_of
from .settings import Settings

WG_SELECTORS = ("app.kubernetes.io/name=weave-gitops", "weave.works/app=weave-gitops-oss", "app=wego-app")
NAMESPACED_KINDS = (
    "Deployment",
    "Service",
    "EndpointSlice",
    "Ingress",
    "NetworkPolicy",
    "PodDisruptionBudget",
    "HorizontalPodAutoscaler",
    "Pod",
)
SELF_REVIEW = "/apis/authentication.k8s.io/v1/selfsubjectreviews"
REVIEWED_SINCE = 28
"""The minor version of Kubernetes from which an API server says who asks."""
SERVED_KINDS = ("AuthorizationPolicy", "CiliumNetworkPolicy", "PeerAuthentication", "RequestAuthentication")
"""Read as well where their API is served: policies of meshes and networks."""


@dataclass(frozen=True, slots=True)
class Identity:
    """Which cluster this is: UID of ``kube-system``, its version, and the API groups it serves."""

    uid: str
    version: str
    served: frozenset[str]
    server_time: datetime | None = None
    user: str = ""
    """As whom the API server knows us; asked only where it has to be written down."""

    @property
    def minor(self) -> int:
        """33 for Kubernetes v1.33.13, 0 when the version cannot be read."""
        match = re.match(r"v?1\.(\d+)", self.version)
        return int(match[1]) if match else 0


@dataclass(frozen=True, slots=True)
class Snapshot:
    """What was read. ``lists`` holds the namespace's objects by kind; ``named`` single objects, None when not there.

    ``owners`` are the Flux objects that apply WG, ``storage`` is the namespace in which its release is stored, and ``delivered`` is
    what the delivery of WGE makes one by one, by path, None when not there; ``from_git`` is what git holds of a WG of plain manifests.
    ``kept`` are the objects of WG's release that outlive it and are not in ``lists``: auth Secrets and people's RBAC.
    """

    identity: Identity
    installed: Installed
    lists: dict[str, list[Object]]
    releases: list[Object] = field(default_factory=list)
    journals: list[Object] = field(default_factory=list)
    kept: list[Object] = field(default_factory=list)
    named: dict[str, Object | None] = field(default_factory=dict)
    owners: Owners = field(default_factory=Owners)
    storage: str = ""
    delivered: dict[str, Object | None] = field(default_factory=dict)
    from_git: list[Object] = field(default_factory=list)

    @property
    def namespace(self) -> str:
        """The namespace of WG, which is WGE's as well (a selector cannot cross namespaces)."""
        return self.installed.found.namespace

    def of(self, kind: str) -> list[Object]:
        """The namespace's objects of a kind."""
        return self.lists.get(kind, [])

    def one(self, kind: str, name: str) -> Object | None:
        """One object of the namespace, None when it is not there."""
        return next((item for item in self.of(kind) if name_of(item) == name), None)

    def slices_of(self, service: str) -> list[Object]:
        """The EndpointSlices of a Service."""
        return [item for item in self.of("EndpointSlice") if labels_of(item).get("kubernetes.io/service-name") == service]


def identify(cluster: Cluster, *, uid: str = "") -> Identity:
    """Ask the API server who it is, and refuse to go on when it is not the cluster named ``uid``."""
    system = cluster.get(object_path("Namespace", "kube-system"))
    if system is None:
        raise SafeStop("The API server has no namespace kube-system.", "Check that the kubeconfig leads to a Kubernetes cluster.")
    if uid and uid_of(system) != uid:
        raise Blocked(
            f"This is another cluster: its UID is {uid_of(system)}, the inventory says {uid}.",
            "Correct the kubeconfig, the context or wge_cluster_uid.",
        )
    version = cluster.get("/version") or {}
    groups = (cluster.get("/apis") or {}).get("groups") or []
    served = frozenset(v["groupVersion"] for group in groups for v in group.get("versions") or []) | {"v1"}
    return Identity(uid_of(system), str(version.get("gitVersion", "")), served, cluster.server_time)


def find(cluster: Cluster, settings: Settings) -> Found:
    """Where WG is; raises Blocked when there is not exactly one to climb with."""
    path = collection_path("Deployment", settings.namespace)
    read = (item for selector in WG_SELECTORS for item in cluster.list(path, labels=selector))
    found = candidates(list(read))
    if not any(settings.namespace in ("", f.namespace) and settings.release in ("", f.release) for f in found):
        remembered = removed.remembered(cluster, settings.namespace, settings.release)
        if remembered:
            return remembered
    return choose(found, namespace=settings.namespace, release=settings.release)


def take(cluster: Cluster, settings: Settings) -> Snapshot:
    """Read all that the checks, the plan and the steps judge. About 25 requests."""
    identity = identify(cluster, uid=settings.cluster_uid)
    if settings.guard == "policy":
        identity = replace(identity, user=user_of(cluster, identity))
    return refresh(cluster, settings, identity, find(cluster, settings))


def refresh(cluster: Cluster, settings: Settings, identity: Identity, found: Found) -> Snapshot:
    """Read the namespace of a WG that was found before. Raises Blocked for a form that this version cannot climb."""
    namespace = found.namespace
    kinds = (*NAMESPACED_KINDS, *(kind for kind in SERVED_KINDS if api_of(kind)[0] in identity.served))
    lists = {kind: cluster.list(collection_path(kind, namespace)) for kind in kinds}
    again = next((item for item in lists["Deployment"] if uid_of(item) == uid_of(found.deployment)), None)
    owners = read_owners(cluster, again or found.deployment, identity.served)
    form = form_of(again, owners) if again else found.form
    journals = cluster.list(collection_path("Secret", namespace), labels=JOURNAL_LABEL)
    storage = _storage(owners, journals, found)
    secrets = _release_secrets(cluster, namespace, storage, found.release if form in WITH_RELEASE else "", settings.target_release)
    unrecorded = not _is_recorded(secrets, found.release) and removed.is_removing(journals, found.release)
    named = _named(cluster, namespace) | {path: cluster.get(path) for path in _policies(journals, found)}
    if again is None or unrecorded:
        current = removed.installed(found, journals, again)
    else:
        user = text_of(named[LOGIN_SECRET], "username").strip()
        current = installed(Found(again, form, found.release), secrets, user)
    known = {path_of(item): item for items in lists.values() for item in items}
    known |= {path_of(item): item for item in named.values() if item}

    def read(path: str) -> Object | None:
        return known.get(path) or cluster.get(path)

    kept = _kept(current, journals, read)
    delivered = made.delivered(cluster, settings, owners, journals, found, identity.served, known)
    from_git = _from_git(current, owners, read)
    return Snapshot(identity, current, lists, secrets, journals, kept, named, owners, storage, delivered, from_git)


def _from_git(wg: Installed, owners: Owners, read: Callable[[str], Object | None]) -> list[Object]:
    applier = owners.kustomization
    if applier is None or owners.helm_release or wg.found.gone:
        return []
    return [live for item in wg.manifest if (live := read(path_of(item))) and gitops.applies(applier, live)]


def user_of(cluster: Cluster, identity: Identity) -> str:
    """As whom the API server knows us, empty where it does not say it."""
    if identity.minor < REVIEWED_SINCE:
        return ""
    body = {"apiVersion": "authentication.k8s.io/v1", "kind": "SelfSubjectReview"}
    status = cluster.review(SELF_REVIEW, body).get("status") or {}
    return str((status.get("userInfo") or {}).get("username") or "")


def _policies(journals: Sequence[Object], found: Found) -> list[str]:
    """Where the guard's policy is: looked for only where a run that is open has made one."""
    run = newest_journal(journals, found.release)
    return [entry["path"] for entry in run.entries.get("S11v", [])] if run and run.state == OPEN else []


def _is_recorded(secrets: Iterable[Object], release: str) -> bool:
    return newest(revisions_of(list(secrets), release)) is not None


def _release_secrets(cluster: Cluster, namespace: str, storage: str, wg: str, wge: str) -> list[Object]:
    """Of both releases; that of WG may be stored in another namespace."""
    names = sorted({release for release in (wge, wg if storage == namespace else "") if release})
    found = cluster.list(collection_path("Secret", namespace), labels=f"name in ({','.join(names)})")
    return found + (cluster.list(collection_path("Secret", storage), labels=f"name in ({wg})") if wg and storage != namespace else [])


def _storage(owners: Owners, journals: Sequence[Object], found: Found) -> str:
    if owners.helm_release:
        return release_of(owners.helm_release).storage
    return removed.storage_of(journals, found.release) or found.namespace


def _kept(wg: Installed, journals: Sequence[Object], read: Callable[[str], Object | None]) -> list[Object]:
    """What of WG outlives it: what its release holds, and what was protected; not what a run of ours made in its place."""
    namespace, release = wg.found.namespace, wg.found.release
    protected = [read(path) for path in removed.kept_paths(journals, release, namespace)]
    found = protected if wg.found.gone else [*_outliving(wg, namespace, read), *protected]
    return list({path_of(item): item for item in found if item and RUN_LABEL not in labels_of(item)}.values())


def _outliving(wg: Installed, namespace: str, read: Callable[[str], Object | None]) -> list[Object | None]:
    """Secrets of WG, and bindings of people (not of the ServiceAccount) with the roles they name."""
    found = [read(object_path("Secret", name_of(item), namespace)) for item in wg.objects("Secret")]
    for kind, role in (("RoleBinding", "Role"), ("ClusterRoleBinding", "ClusterRole")):
        for binding in wg.objects(kind):
            people = any(s.get("kind") != "ServiceAccount" for s in binding.get("subjects") or [])
            if people and (live := read(object_path(kind, name_of(binding), namespace))):  # without a release it need not be there
                found += [read(object_path(role, binding["roleRef"]["name"], namespace)), live]
    return found


def _named(cluster: Cluster, namespace: str) -> dict[str, Object | None]:
    wanted = {
        LOGIN_SECRET: object_path("Secret", LOGIN_SECRET, namespace),
        OIDC_SECRET: object_path("Secret", OIDC_SECRET, namespace),
        ENTITLEMENT_SECRET: object_path("Secret", ENTITLEMENT_SECRET, ENTITLEMENT_NAMESPACE),
        LEASE: object_path("Lease", LEASE, namespace),
        ADMIN_BINDING: object_path("ClusterRoleBinding", f"{ADMIN_BINDING}-{namespace}"),
    }
    return {name: cluster.get(path) for name, path in wanted.items()}


def ready_pods(slices: Iterable[Object]) -> set[str]:
    """The names of pods that a Service's slices send traffic to; a slice without ports sends to none (F2b)."""
    return {
        (endpoint.get("targetRef") or {}).get("name", "")
        for item in slices
        if item.get("ports")
        for endpoint in item.get("endpoints") or []
        if (endpoint.get("conditions") or {}).get("ready") is not False
    }


def pods_of(snapshot: Snapshot, labels: dict[str, str]) -> list[Object]:
    """The namespace's pods that carry these labels."""
    return [pod for pod in snapshot.of("Pod") if labels.items() <= labels_of(pod).items()]
