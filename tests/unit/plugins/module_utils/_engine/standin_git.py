# SPDX-License-Identifier: GPL-3.0-or-later
"""Git and kustomize-controller on a stand-in cluster: WG's HelmRelease out of git, by a Kustomization that prunes.

Tried on kustomize-controller 1.7.3 (docs/facts.md): a shielded object is neither applied nor pruned, and leaves the inventory; what is
applied is merged into what is there; a suspended Kustomization takes up a token and does nothing. It acts while somebody sleeps.
"""

from __future__ import annotations

import copy
from pathlib import Path
from typing import Any

import yaml

from ansible_collections.weaveworks.wge.plugins.module_utils._engine import gitdebt
from ansible_collections.weaveworks.wge.plugins.module_utils._engine.forms.flux import REQUESTED
from ansible_collections.weaveworks.wge.plugins.module_utils._engine.forms.gitops import NO_PRUNE, entry_id, is_shielded
from ansible_collections.weaveworks.wge.plugins.module_utils._engine.gitpatch.manifest import text_for_git
from ansible_collections.weaveworks.wge.plugins.module_utils._engine.model import Object

from . import standin_flux
from .standin import path_of
from .standin_flux import Flux, helm_release
from .standin_products import NAMESPACE, thing
from .standin_world import World

NAME = "flux-system"
URL = "https://git.example.org/fleet.git"
PATH = "./clusters/c1"
BY = "kustomize.toolkit.fluxcd.io"
MARKS = {f"{BY}/name": NAME, f"{BY}/namespace": NAMESPACE}


class Git:
    """The content of a path, and the controller that applies it. ``ran`` counts its runs."""

    def __init__(self, world: World, *items: Object) -> None:
        self.world, self.cluster = world, world.cluster
        self.content: dict[str, Object] = {}
        self.commits = 0
        self.ran = 0
        self.cluster.served = [*self.cluster.served, f"{BY}/v1"]
        self.source = self.cluster.put(thing("source.toolkit.fluxcd.io/v1", "GitRepository", NAME, NAMESPACE, spec=_source()))
        self.applier = self.cluster.put(thing(f"{BY}/v1", "Kustomization", NAME, NAMESPACE, spec=_applier()))
        self.commit(*items)
        self.act()
        world.clock.on_sleep.append(lambda _seconds: self.act())

    def commit(self, *items: Object, drop: tuple[Object, ...] = ()) -> None:
        """One commit: objects that come or change, and objects that go."""
        for item in items:
            self.content[path_of(item)] = copy.deepcopy(item)
        for item in drop:
            del self.content[path_of(item)]
        self.commits += 1
        self.source["status"] = {"artifact": {"revision": f"main@sha1:{self.commits:040d}"}}

    @property
    def inventory(self) -> list[str]:
        """The ids that the Kustomization lists."""
        return [entry["id"] for entry in self.applier["status"]["inventory"]["entries"]]

    def force(self) -> None:
        """As ``flux reconcile``, and wait."""
        self.applier["metadata"].setdefault("annotations", {})[REQUESTED] = f"by-hand-{self.world.clock.now}-{self.ran}"
        self.act()

    def act(self) -> None:
        """Run when asked, or when there is a new revision."""
        self.applier = self.cluster.one("Kustomization", NAME)
        status = self.applier.setdefault("status", {})
        token = (self.applier["metadata"].get("annotations") or {}).get(REQUESTED)
        revision = self.source["status"]["artifact"]["revision"]
        if token == status.get("lastHandledReconcileAt") and revision == status.get("lastAppliedRevision"):
            return
        status["lastHandledReconcileAt"] = token
        if not self.applier["spec"].get("suspend"):
            self._run(status)
            status["lastAppliedRevision"] = revision
        for function in self.cluster.after_write:
            function()

    def _run(self, status: Object) -> None:
        self.ran += 1
        before = {entry["id"] for entry in (status.get("inventory") or {}).get("entries") or []}
        listed = {entry_id(item) for item in self.content.values() if self._apply(item)}
        for item in [item for item in self.cluster.objects.values() if entry_id(item) in before - listed]:
            kept = (item["metadata"].get("annotations") or {}).get(NO_PRUNE) == "disabled" or is_shielded(item)
            if not kept and path_of(item) not in self.content:
                self._prune(item)
        status["inventory"] = {"entries": [{"id": name, "v": "v1"} for name in sorted(listed)]}
        generation = self.applier["metadata"]["generation"]
        status["conditions"] = [{"type": "Ready", "status": "True", "observedGeneration": generation, "message": "applied"}]
        status["observedGeneration"] = generation

    def _apply(self, item: Object) -> bool:
        live = self.cluster.objects.get(path_of(item))
        if live is None:
            live = self.cluster.put(item)
        elif is_shielded(live):
            return False
        else:
            before = copy.deepcopy(live.get("spec"))
            _merge(live, {key: value for key, value in item.items() if key != "metadata"})
            _merge(live["metadata"], {key: value for key, value in item["metadata"].items() if key in ("labels", "annotations")})
            live["metadata"]["generation"] = live["metadata"].get("generation", 1) + (before != live.get("spec"))
        live["metadata"].setdefault("labels", {}).update(MARKS)
        return True

    def _prune(self, item: Object) -> None:
        if item["metadata"].get("finalizers"):
            item["metadata"]["deletionTimestamp"] = "now"
        else:
            del self.cluster.objects[path_of(item)]


def _merge(live: Object, wanted: Object) -> None:
    for key, value in wanted.items():
        if isinstance(value, dict) and isinstance(live.get(key), dict) and key != "selector":
            _merge(live[key], value)
        elif key == "ports":  # a list that is merged by its port, as server-side apply does
            numbers = {port["port"]: port for port in live.get(key) or []}
            live[key] = [{**numbers.get(port["port"], {}), **port} for port in value]
        else:
            live[key] = copy.deepcopy(value)


def _source() -> Object:
    return {"interval": "1m0s", "url": URL, "ref": {"branch": "main"}}


def _applier() -> Object:
    return {"interval": "10m0s", "path": PATH, "prune": True, "sourceRef": {"kind": "GitRepository", "name": NAME}}


def lived_in(folder: Path, **given: Any) -> tuple[World, Flux, Git]:
    """The lived-in cluster of form B, its HelmRelease out of git."""
    world, flux = standin_flux.lived_in(folder, **given)
    wg = helm_release()
    del wg["metadata"]["annotations"]
    return world, flux, Git(world, wg)


def merge(world: World, git: Git) -> None:
    """What wge_git_changes makes of the cluster, merged and applied."""
    pieces = gitdebt.pieces(world.cluster, world.look())
    git.commit(*yaml.safe_load_all(text_for_git(pieces["objects"])), drop=tuple(pieces["drop"]))
    git.act()
