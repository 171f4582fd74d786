# SPDX-License-Identifier: GPL-3.0-or-later
"""What an API server serves, asked group by group: where the objects of a kind lie, also of kinds no table of ours names. PRIVATE."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from urllib.parse import quote

from ..model import Cluster, Object
from ..objects import name_of, namespace_of


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of objects and where they lie in the API."""

    api_version: str
    kind: str
    plural: str
    namespaced: bool

    @property
    def group(self) -> str:
        """The API group, empty for the core's."""
        return self.api_version.partition("/")[0] if "/" in self.api_version else ""

    @property
    def stem(self) -> str:
        """``Kind.group``, which members are called after."""
        return f"{self.kind}.{self.group}" if self.group else self.kind

    def collection(self, namespace: str = "") -> str:
        """The REST path of the collection."""
        root = f"/apis/{self.api_version}" if self.group else f"/api/{self.api_version}"
        return f"{root}/namespaces/{namespace}/{self.plural}" if namespace and self.namespaced else f"{root}/{self.plural}"

    def path(self, name: str, namespace: str = "") -> str:
        """The REST path of one object."""
        return f"{self.collection(namespace)}/{quote(name, safe=':')}"

    def path_of(self, item: Object) -> str:
        """The same, from the object's own metadata."""
        return self.path(name_of(item), namespace_of(item))


class Served:
    """The discovery of one API server; each group version is asked once."""

    def __init__(self, cluster: Cluster) -> None:
        self._cluster = cluster
        self._known: dict[str, dict[str, Kind]] = {}

    def kind(self, api_version: str, kind: str) -> Kind | None:
        """A kind, None when it is not served in this version."""
        return self._of(api_version).get(kind)

    def of_groups(self, suffixes: tuple[str, ...]) -> Iterator[Kind]:
        """Every kind that can be listed, in the preferred version, of the groups whose names end so."""
        for group in (self._cluster.get("/apis") or {}).get("groups") or []:
            name = str(group.get("name") or "")
            if any(name == suffix.lstrip(".") or name.endswith(suffix) for suffix in suffixes):
                versions = group.get("versions") or []
                preferred = group.get("preferredVersion") or (versions[0] if versions else {})
                yield from self._of(str(preferred.get("groupVersion") or "")).values()

    def _of(self, api_version: str) -> dict[str, Kind]:
        if api_version not in self._known:
            root = f"/apis/{api_version}" if "/" in api_version else f"/api/{api_version}"
            listed = (self._cluster.get(root) or {}).get("resources") or []
            self._known[api_version] = {
                str(entry["kind"]): Kind(api_version, str(entry["kind"]), str(entry["name"]), bool(entry.get("namespaced")))
                for entry in listed
                if "/" not in str(entry.get("name")) and {"get", "list"} <= set(entry.get("verbs") or [])
            }
        return self._known[api_version]
