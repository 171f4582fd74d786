# SPDX-License-Identifier: GPL-3.0-or-later
"""What is seen of a cluster: where its Services lead, whether one was ever dark, and what is on it."""

from __future__ import annotations

import copy

from ansible_collections.weaveworks.wge.plugins.module_utils._engine.model import Object
from ansible_collections.weaveworks.wge.plugins.module_utils._engine.names import RUN_LABEL

from .standin_products import WG_NAME, WGE_NAME
from .standin_runs import KEPT
from .standin_world import World


class Witness:
    """Looks after every write and every sleep whether each kept Service has a ready endpoint; ``dark`` says when not."""

    def __init__(self, world: World, *services: str) -> None:
        self.world, self.services = world, services or KEPT
        self.dark: list[str] = []
        world.cluster.after_write.append(self.look)
        world.clock.on_sleep.append(lambda _seconds: self.look())

    def look(self) -> None:
        for service in self.services:
            if not endpoints(self.world, service):
                self.dark.append(f"{service} at {self.world.clock.now:g} s")


def endpoints(world: World, service: str) -> set[str]:
    """The pods a Service sends requests to, empty when its slice has no port."""
    item = world.cluster.one("EndpointSlice", f"{service}-x")
    ready = {e["targetRef"]["name"] for e in item["endpoints"] if e["conditions"]["ready"]}
    return ready if item["ports"] else set()


def leads_to(world: World, service: str = WG_NAME) -> str:
    """``wg``, ``wge``, both or neither: where a Service sends requests."""
    products = {"wge" if name.startswith(WGE_NAME) else "wg" for name in endpoints(world, service)}
    return " and ".join(sorted(products))


def content(world: World, *, runs: bool = True) -> dict[str, Object]:
    """What people and programs rely on: every object but pods, slices and journals, without what the server counts up.

    WGE's CRDs stay when it goes, as helm leaves them. With ``runs=False`` also without uids and run ids, to compare two worlds.
    """
    found = {}
    for path, item in world.cluster.objects.items():
        journal = "wge.weave.works/journal" in (item["metadata"].get("labels") or {})
        if item["kind"] not in ("Pod", "EndpointSlice", "CustomResourceDefinition") and not journal:
            found[path] = _steady(item, runs=runs)
    return found


def _steady(item: Object, *, runs: bool) -> Object:
    steady = copy.deepcopy({key: value for key, value in item.items() if key != "status"})
    meta = steady["metadata"]
    for key in ("resourceVersion", "generation", *(() if runs else ("uid",))):
        meta.pop(key, None)
    for key in ("labels", "annotations"):
        meta[key] = meta.get(key) or {}
    if not runs and RUN_LABEL in meta["labels"]:
        meta["labels"][RUN_LABEL] = "a run"
    return steady
