# SPDX-License-Identifier: GPL-3.0-or-later
"""What belongs into an archive: what the upgrade touches (``install``), and all that WG shows and uses (``everything``). PRIVATE.

Lists are packed item by item as their pages come, so thousands of objects cost little memory. Secrets are read by name; where many
are named in one namespace they are listed, those of Helm's own type left out, which may be a megabyte each.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator

from ..._errors import Blocked
from ..dig import texts_in
from ..forms.helm import manifest_of, newest, revisions_of
from ..made import CRD
from ..model import Cluster, Object
from ..names import JOURNAL_LABEL, KEPT_ANNOTATION, LEASE, RUN_LABEL, TOMBSTONE_OWNER
from ..objects import annotations_of, api_of, labels_of, name_of, namespace_of, selects
from ..snapshot import SERVED_KINDS, Snapshot
from .box import Box, packed
from .people import people
from .references import SECRET, Reference, in_pods, in_shown
from .served import Kind, Served

GROUPS = (".weave.works", ".toolkit.fluxcd.io", "infra.contrib.fluxcd.io", "fluxcd.controlplane.io")
"""The API groups whose objects WG shows, wherever they are served."""
INSTALL, EVERYTHING = "install", "everything"
SCOPES = (EVERYTHING, INSTALL)
MANY = 20
"""More Secrets than this of one namespace are listed, and not read one by one."""
_EVENTS = "events.toolkit.fluxcd.io"
_TOKEN = "kubernetes.io/service-account-token"  # noqa: S105 - a type; such a Secret cannot be applied again
_OWN_CRDS = ".weave.works"
RouteKinds = Iterable[tuple[str, str]]
"""``(apiVersion, kind)`` of what may lead to a Service."""


class Collector:
    """Puts the objects of one cluster into a box."""

    def __init__(self, cluster: Cluster, snapshot: Snapshot, routes: RouteKinds = (), tick: Callable[[], None] = lambda: None) -> None:
        """``tick`` is asked before each list and may raise: somebody wants to stop."""
        self.box = Box()
        self._cluster = cluster
        self._snapshot = snapshot
        self._routes = routes
        self._tick = tick
        self._served = Served(cluster)
        self._wanted: set[Reference] = set()
        self._services = tuple(map(name_of, kept_services(snapshot)))

    def collect(self, scope: str) -> Box:
        """Everything of a scope. Raises what reading raises."""
        self._install()
        self._referenced()
        self.box.core = frozenset(self.box.all_paths())
        if scope == EVERYTHING:
            self._lists(self._shown_kinds(), self._note)
            self._lists(self._route_kinds(), self._leads_here)
            self._people()
        self._referenced()
        return self.box

    def _install(self) -> None:
        snapshot = self._snapshot
        named = [item for item in (*snapshot.named.values(), *snapshot.delivered.values()) if item and item.get("kind") != CRD]
        for item in [*self._of_namespace(), *snapshot.kept, *named, *snapshot.releases, *snapshot.owners.all]:
            self._add(item)
        self._get("v1", "Namespace", snapshot.namespace)
        for item in _manifests(snapshot):
            self._get(str(item["apiVersion"]), str(item["kind"]), name_of(item), namespace_of(item) or snapshot.namespace)
        self._wanted |= in_pods(snapshot)

    def _of_namespace(self) -> Iterator[Object]:
        """The Services that lead to WG, the Ingresses that lead to those, and what binds or scales pods."""
        snapshot = self._snapshot
        yield from kept_services(snapshot)
        yield from filter(self._leads_here, snapshot.of("Ingress"))
        for kind in ("NetworkPolicy", "HorizontalPodAutoscaler", "PodDisruptionBudget", *SERVED_KINDS):
            yield from snapshot.of(kind)

    def _shown_kinds(self) -> Iterator[Kind]:
        for kind in self._served.of_groups(GROUPS):
            if kind.group != _EVENTS:
                yield kind
                if kind.group.endswith(_OWN_CRDS):
                    self._get("apiextensions.k8s.io/v1", "CustomResourceDefinition", f"{kind.plural}.{kind.group}")

    def _route_kinds(self) -> Iterator[Kind]:
        for version, name in self._routes:
            kind = self._served.kind(version, name) if version in self._snapshot.identity.served else None
            if kind:
                yield kind

    def _lists(self, kinds: Iterable[Kind], wanted: Callable[[Object], bool]) -> None:
        for kind in kinds:
            self._list(kind, "", wanted)

    def _list(self, kind: Kind, namespace: str, wanted: Callable[[Object], bool], fields: str = "") -> None:
        self._tick()

        def keep(item: Object) -> Object:
            return {"path": kind.path_of(item), "packed": packed(item)} if wanted(item) else {}

        for row in self._cluster.list(kind.collection(namespace), fields=fields, keep=keep):
            if row:
                self.box.add_packed(kind, row["path"], row["packed"])

    def _note(self, item: Object) -> bool:
        """Take it, and what it names."""
        self._wanted |= set(in_shown(item))
        return True

    def _leads_here(self, item: Object) -> bool:
        return any(name in text for text in (name_of(item), *texts_in(item.get("spec"))) for name in self._services)

    def _people(self) -> None:
        """Bindings of and to WG that people made, and the roles they name."""
        choose = people(self._snapshot)
        for name in ("ClusterRoleBinding", "RoleBinding"):
            self._tick()
            version = api_of(name)[0]
            path = self._required(version, name).collection()
            for binding in self._cluster.list(path, keep=lambda item: item if choose(item) else {}):
                if binding:
                    self._add(binding)
                    role = binding["roleRef"]
                    place = namespace_of(binding) if role["kind"] == "Role" else ""
                    self._get(version, str(role["kind"]), str(role["name"]), place)

    def _referenced(self) -> None:
        """The Secrets and ConfigMaps that something names."""
        places: dict[tuple[str, str], set[str]] = {}
        for reference in self._wanted:
            places.setdefault((reference.kind, reference.namespace), set()).add(reference.name)
        for (name, place), names in sorted(places.items()):
            kind = self._required("v1", name)
            missing = {one for one in names if not self.box.holds(kind, kind.path(one, place))}
            if len(missing) > MANY:
                fields = "type!=helm.sh/release.v1" if name == SECRET else ""
                self._list(kind, place, _is_one_of(missing), fields)
            else:
                for one in sorted(missing):
                    self._get("v1", name, one, place)

    def _get(self, version: str, name: str, one: str, place: str = "") -> None:
        """An object by its name; one that is not there, or of a kind that is not served, is left out."""
        kind = self._served.kind(version, name)
        if kind is None:
            return
        path = kind.path(one, place if kind.namespaced else "")
        if not self.box.holds(kind, path) and (item := self._cluster.get(path)) is not None:
            self._add(item)

    def _add(self, item: Object) -> None:
        if not _is_ours(item) and item.get("type") != _TOKEN:
            self.box.add(self._required(str(item["apiVersion"]), str(item["kind"])), item)

    def _required(self, version: str, name: str) -> Kind:
        kind = self._served.kind(version, name)
        if kind is None:
            raise Blocked(
                f"The API server has objects of {version} {name} and does not list them.", "Look at its discovery: kubectl api-resources."
            )
        return kind


def kept_services(snapshot: Snapshot) -> list[Object]:
    """The Services that lead, or led, to WG; not those of our own that rehearse."""
    labels = snapshot.installed.found.pod_labels
    return [
        item
        for item in snapshot.of("Service")
        if RUN_LABEL not in labels_of(item)
        and (KEPT_ANNOTATION in annotations_of(item) or selects(item.get("spec", {}).get("selector"), labels))
    ]


def _manifests(snapshot: Snapshot) -> Iterator[Object]:
    """The objects of WG's release, and of WGE's when it is there."""
    yield from snapshot.installed.manifest
    names = {labels_of(item).get("name", "") for item in snapshot.releases} - {snapshot.installed.found.release}
    for name in sorted(names):
        last = newest(revisions_of(snapshot.releases, name))
        yield from manifest_of(last.decoded()) if last else ()


def _is_one_of(names: set[str]) -> Callable[[Object], bool]:
    return lambda item: name_of(item) in names and item.get("type") != _TOKEN


def _is_ours(item: Object) -> bool:
    """What a run of ours keeps its own state in; it is not WG's, and a copy of it would lie."""
    labels = labels_of(item)
    lease = item.get("kind") == "Lease" and name_of(item) == LEASE
    return lease or JOURNAL_LABEL in labels or labels.get("owner") == TOMBSTONE_OWNER
