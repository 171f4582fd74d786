# SPDX-License-Identifier: GPL-3.0-or-later
"""One stand-in cluster for each form of install and each way of delivery that go together."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

import yaml

from ansible_collections.weaveworks.wge.plugins.module_utils._engine import gitdebt
from ansible_collections.weaveworks.wge.plugins.module_utils._engine.forms.flux import FORCED, REQUESTED
from ansible_collections.weaveworks.wge.plugins.module_utils._engine.gitpatch.manifest import text_for_git
from ansible_collections.weaveworks.wge.plugins.module_utils._engine.model import Object
from ansible_collections.weaveworks.wge.plugins.module_utils._engine.steps.forms import FORMS

from . import standin_flux, standin_git
from .standin_flux import GROUPS, REPOSITORY, RUN, Flux
from .standin_git import Git
from .standin_legacy import DOOR, NAME, legacy, legacy_objects
from .standin_runs import KEPT, lived_in
from .standin_witness import content
from .standin_world import World

CELLS = [(form.id, delivery) for form in FORMS.values() for delivery in form.deliveries]
FIRST_FLIP = 30
"""The number of the write that leads the first Service to WGE, with WG by helm and WGE by manifests."""

_COUNTED = ("/secrets/sh.helm.release.v1.ww-gitops.", "/leases/wge-upgrade")
"""How many revisions of WG there are is up to Flux; a Lease of a run that was killed ends by itself."""


@dataclass
class Cell:
    """A cluster, and Flux and git where its form or its delivery has them. ``kept`` are the Services that lead to WG."""

    world: World
    kept: tuple[str, ...]
    flux: Flux | None = None
    git: Git | None = None

    def left(self, *, runs: bool = True) -> dict[str, Object]:
        """What a way back has to put back: without tokens, which Flux leaves as well. With ``runs=False`` to compare two clusters."""
        found = content(self.world, runs=runs)
        kept = {path: item for path, item in found.items() if not any(part in path for part in _COUNTED) or not self.flux}
        kept = {path: item for path, item in kept.items() if _COUNTED[1] not in path}
        for item in kept.values():
            item["metadata"].pop("finalizers", None)
            for token in (REQUESTED, FORCED):
                item["metadata"]["annotations"].pop(token, None)
        return kept if runs else {path: json.loads(RUN.sub("RUN", json.dumps(item))) for path, item in kept.items()}

    def merge(self) -> None:
        """What wge_git_changes makes of the cluster, merged and applied; nothing where nothing comes out of git."""
        if self.git:
            pieces = gitdebt.pieces(self.world.cluster, self.world.look())
            self.git.commit(*yaml.safe_load_all(text_for_git(pieces["objects"])), drop=tuple(pieces["drop"]))
            self.git.act()


def cell(form: str, delivery: str, folder: Path) -> Cell:
    """The cluster, lived in, with the delivery asked for."""
    found = _MAKERS[form](folder)
    if delivery == "flux" and found.flux is None:
        found.world.cluster.served = list(GROUPS)
        found.flux = Flux(found.world)
    found.world.set(delivery=delivery, chart_repository=REPOSITORY if delivery == "flux" else "")
    return found


def _helm(folder: Path) -> Cell:
    return Cell(lived_in(folder), KEPT)


def _flux(folder: Path) -> Cell:
    world, flux = standin_flux.lived_in(folder)
    return Cell(world, KEPT, flux)


def _gitops(folder: Path) -> Cell:
    world, flux, git = standin_git.lived_in(folder)
    return Cell(world, KEPT, flux, git)


def _manifests(folder: Path) -> Cell:
    return Cell(legacy(folder), (NAME, DOOR))


def _gitops_manifests(folder: Path) -> Cell:
    world = legacy(folder)
    world.cluster.served = list(GROUPS)
    flux = Flux(world)
    return Cell(world, (NAME, DOOR), flux, Git(world, *legacy_objects()))


_MAKERS = {"helm": _helm, "flux": _flux, "gitops": _gitops, "manifests": _manifests, "gitops_manifests": _gitops_manifests}
