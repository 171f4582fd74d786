# SPDX-License-Identifier: GPL-3.0-or-later
"""A stand-in cluster whose every object was archived, and short ways to lose, change and put back what is on it."""

from __future__ import annotations

import copy
from collections.abc import Iterable
from typing import Any

from ansible_collections.weaveworks.wge.plugins.module_utils._engine.archive.cleaned import cleaned
from ansible_collections.weaveworks.wge.plugins.module_utils._engine.archive.model import Contents, Entry
from ansible_collections.weaveworks.wge.plugins.module_utils._engine.journal import Journal
from ansible_collections.weaveworks.wge.plugins.module_utils._engine.model import Object
from ansible_collections.weaveworks.wge.plugins.module_utils._engine.restore.run import Outcome, Run, Terms
from ansible_collections.weaveworks.wge.plugins.module_utils._engine.restore.selection import Selection
from ansible_collections.weaveworks.wge.plugins.module_utils._engine.restore.wish import Wish
from ansible_collections.weaveworks.wge.plugins.module_utils._engine.writes import Write
from ansible_collections.weaveworks.wge.tests.unit.plugins.module_utils._engine.standin import UID, path_of
from ansible_collections.weaveworks.wge.tests.unit.plugins.module_utils._engine.standin_products import (
    NAMESPACE,
    RELEASE,
    WG_NAME,
    release_secret,
    thing,
    wg_objects,
)
from ansible_collections.weaveworks.wge.tests.unit.plugins.module_utils._engine.standin_world import World

AT = "2026-11-01T00:00:00Z"
LATER = "2026-11-22T00:00:00Z"
LEFT_OUT = ("Pod", "EndpointSlice", "Node")
SERVICE = f"/api/v1/namespaces/{NAMESPACE}/services/{WG_NAME}"
DEPLOYMENT = f"/apis/apps/v1/namespaces/{NAMESPACE}/deployments/{WG_NAME}"


def managed(manager: str, *fields: str, time: str = AT, subresource: str = "") -> Object:
    """One entry of ``managedFields``; each field as ``spec.replicas``."""
    tree: Object = {}
    for field in fields:
        place = tree
        for word in field.split("."):
            place = place.setdefault(f"f:{word}", {})
    entry: Object = {"manager": manager, "operation": "Update", "time": time, "fieldsV1": tree}
    return {**entry, "subresource": subresource} if subresource else entry


class Archived:
    """WG on a cluster, and an archive of all that is there."""

    def __init__(self) -> None:
        self.world = World()
        self.world.install_wg()
        for number in (2, 10):
            self.world.cluster.put(release_secret(RELEASE, wg_objects(), revision=number))
        for item in self.world.cluster.objects.values():
            item["metadata"]["managedFields"] = [managed("helm", "spec", "metadata.labels.app")]
        self.cluster = self.world.cluster
        self.archive()

    def archive(self, **manifest: Any) -> None:
        """Archive all that is there now."""
        kept = [
            item for item in self.cluster.objects.values() if item["kind"] not in LEFT_OUT and item["metadata"]["name"] != "kube-system"
        ]
        about = {
            "made": AT,
            "cluster": {"uid": UID, "version": "v1.33.13"},
            "namespace": NAMESPACE,
            "release": RELEASE,
            "run": "r1",
            "secrets": "vault",
            "vault_id": "prod",
        }
        self.contents = contents(kept, {**about, **manifest})

    def lose(self, *kinds: str) -> None:
        """Delete everything of these kinds, all that was archived when none is given."""
        wanted = {entry.path for entry in self.contents.entries}
        for path, item in list(self.cluster.objects.items()):
            if path in wanted and (not kinds or item["kind"] in kinds):
                del self.cluster.objects[path]
        self.world.controllers.settle()

    def change(self, path: str, manager: str = "kubectl-edit", **parts: Any) -> Object:
        """Somebody changes parts of an object."""
        live = self.cluster.objects[path]
        live.update(copy.deepcopy(parts))
        live["metadata"]["managedFields"] = [*live["metadata"]["managedFields"], managed(manager, *parts, time=LATER)]
        return self.cluster.put(live)

    def restore(self, *, check: bool = False, terms: Terms | None = None, selection: Selection | None = None, **wish: Any) -> Outcome:
        """One call, as the front makes it."""
        asked = Wish(selection or Selection(), **wish)
        return Run(self.world.tools, self.contents, asked, terms or Terms()).run(check_mode=check)

    def writes(self) -> list[str]:
        """The writes so far, those of the lock left out: ``verb path``."""
        return [f"{verb} {path}" for verb, path in self.cluster.requests if verb in ("create", "patch", "delete") and "/leases" not in path]

    def again(self) -> Outcome:
        """The second run."""
        self.cluster.requests.clear()
        return self.restore()


def is_kept(item: Object) -> bool:
    """Whether an object is archived here."""
    return item["kind"] not in LEFT_OUT and item["metadata"]["name"] != "kube-system"


def contents(items: Iterable[Object], manifest: Object) -> Contents:
    """An archive of these objects."""
    copies = [copy.deepcopy(item) for item in items]
    return Contents(manifest, tuple(Entry(path_of(item), item, cleaned(item)) for item in copies))


def owned(item: Object, owner: Object) -> Object:
    """The object with a reference to its owner."""
    reference = {key: owner[key] for key in ("apiVersion", "kind")} | {key: owner["metadata"][key] for key in ("name", "uid")}
    item["metadata"]["ownerReferences"] = [reference]
    return item


def config_map(name: str, namespace: str = NAMESPACE) -> Object:
    """A ConfigMap."""
    return thing("v1", "ConfigMap", name, namespace, data={"key": name})


def stored(archived: Archived) -> dict[str, Any]:
    """What is on the cluster of that which was archived."""
    return {entry.path: cleaned(archived.cluster.objects[entry.path]) for entry in archived.contents.entries}


def clean(archived: Archived) -> dict[str, Any]:
    """What was archived."""
    return {entry.path: entry.clean for entry in archived.contents.entries}


def kinds_written(outcome: Outcome) -> list[str]:
    """The kinds in the order in which they were put back."""
    found: list[str] = []
    for one in outcome.restored.made:
        kind = one.entry.clean["kind"]
        if not found or found[-1] != kind:
            found.append(kind)
    return found


def journalled(archived: Archived, state: str) -> None:
    """An upgrade in this state has written to the Service."""
    journal = Journal("r9", NAMESPACE, "ww-gitops", state)
    journal.add("S12", [Write("patch", SERVICE, "flip")])
    archived.cluster.put(journal.secret())
