# SPDX-License-Identifier: GPL-3.0-or-later
"""Somebody uses Flux on WG while it is upgraded, after any of the upgrade's writes: forms B and C.

Wherever it happens: nobody is without an answer, nothing that serves is uninstalled, the climb arrives, goes back or stops, it says who did
what, and the way back is open.
"""

from __future__ import annotations

import copy
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from ansible_collections.weaveworks.wge.plugins.module_utils._engine.forms.flux import FORCED, REQUESTED
from ansible_collections.weaveworks.wge.plugins.module_utils._engine.forms.gitops import SHIELD
from ansible_collections.weaveworks.wge.plugins.module_utils._engine.ladder import Outcome
from ansible_collections.weaveworks.wge.plugins.module_utils._engine.model import Object
from ansible_collections.weaveworks.wge.plugins.module_utils._errors import Blocked
from ansible_collections.weaveworks.wge.tests.unit.plugins.module_utils._engine import standin_flux, standin_git, standin_legacy
from ansible_collections.weaveworks.wge.tests.unit.plugins.module_utils._engine.standin import path_of
from ansible_collections.weaveworks.wge.tests.unit.plugins.module_utils._engine.standin_faults import Fault, positions, short
from ansible_collections.weaveworks.wge.tests.unit.plugins.module_utils._engine.standin_products import NAMESPACE, RELEASE
from ansible_collections.weaveworks.wge.tests.unit.plugins.module_utils._engine.standin_runs import climb, roll_back
from ansible_collections.weaveworks.wge.tests.unit.plugins.module_utils._engine.standin_witness import Witness, leads_to
from ansible_collections.weaveworks.wge.tests.unit.plugins.module_utils._engine.standin_world import World

WGE = "weave-gitops-enterprise"
OWNER = f"helmreleases/{RELEASE}"
AT = "2026-11-23T09:00:00Z"


@dataclass
class Meanwhile(Fault):
    """After the write with the number ``at`` somebody does something."""

    act: Callable[[], None] = field(default=lambda: None)

    def around(self, verb: str, path: str, send: Callable[[], Any], half: Callable[[], None], meddle: Callable[[], Object]) -> Any:
        answer = super().around(verb, path, send, half, meddle)
        if len(self.sent) - 1 == self.at:
            self.act()
        return answer


@dataclass
class Scene:
    """A cluster of form B or C."""

    world: World
    flux: standin_flux.Flux
    git: standin_git.Git | None = None

    @property
    def owner(self) -> Object:
        return self.world.cluster.one("HelmRelease", RELEASE)

    def wrote(self, item: Object, **value: Any) -> None:
        """Somebody changes the spec with Flux's own command."""
        item["spec"].update(value)
        item["metadata"]["generation"] = item["metadata"].get("generation", 1) + 1
        fields = {"f:spec": {f"f:{key}": {} for key in value}}
        others = [entry for entry in item["metadata"].get("managedFields") or [] if not _says(entry, value)]
        item["metadata"]["managedFields"] = [*others, {"manager": "flux", "time": AT, "fieldsV1": fields}]
        self.world.cluster.put(item)


def _says(entry: Object, value: dict[str, Any]) -> bool:
    spec = (entry.get("fieldsV1") or {}).get("f:spec") or {}
    return any(f"f:{key}" in spec for key in value)


def resume(scene: Scene) -> None:
    """``flux resume helmrelease``"""
    scene.wrote(scene.owner, suspend=False)


def suspend(scene: Scene) -> None:
    """``flux suspend helmrelease``"""
    scene.wrote(scene.owner, suspend=True)


def reconcile(scene: Scene) -> None:
    """``flux reconcile helmrelease --force``, and of what applies it from git."""
    scene.owner["metadata"].setdefault("annotations", {}).update({REQUESTED: "by-hand", FORCED: "by-hand"})
    scene.world.cluster.put(scene.owner)
    if scene.git:
        scene.git.force()
    scene.flux.act()


def lose_sources(scene: Scene) -> None:
    """Nobody can fetch a chart any more."""
    scene.flux.down = True


def unshield(scene: Scene) -> None:
    """Somebody takes the shield off, and git runs."""
    assert scene.git
    scene.owner["metadata"]["annotations"].pop(SHIELD, None)
    fields = {"f:metadata": {"f:annotations": {}}}
    scene.owner["metadata"]["managedFields"] = [{"manager": "flux", "time": AT, "fieldsV1": fields}]
    scene.world.cluster.put(scene.owner)
    scene.git.force()
    scene.flux.act()


def revert(scene: Scene) -> None:
    """Somebody reverts the commit that brought WG's HelmRelease, with ``prune: true``."""
    assert scene.git
    wg = next(item for item in scene.git.content.values() if item["kind"] == "HelmRelease" and item["metadata"]["name"] == RELEASE)
    scene.git.commit(drop=(wg,))
    scene.git.force()
    scene.flux.act()


def suspend_git(scene: Scene) -> None:
    """``flux suspend kustomization``"""
    assert scene.git
    scene.wrote(scene.git.applier, suspend=True)


def by_flux(folder: Path) -> Scene:
    return Scene(*standin_flux.lived_in(folder))


def by_git(folder: Path) -> Scene:
    return Scene(*standin_git.lived_in(folder))


Make = Callable[[Path], Scene]
Act = Callable[[Scene], None]
WRITES = {by_flux: 27, by_git: 30}
SUSPENDED = {by_flux: 14, by_git: 17}
SHIELDED, PROVEN = 4, 5
"""Of form C: the writes of the shields, and of the request that proves them."""

BY = f"(last written by flux at {AT})"


def cases(act: Act, make: Make, numbers: range) -> list[Any]:
    return [pytest.param(make, act, at, id=f"{act.__name__} {make.__name__} {at}") for at in numbers]


def both(act: Act, first: dict[Make, int], last: dict[Make, int], step: int = 1) -> list[Any]:
    return [case for make in WRITES for case in cases(act, make, range(first.get(make, 0), last[make], step))]


def played(scene: Scene, act: Act, at: int) -> Outcome:
    """A climb, and what must hold whatever comes of it."""
    witness = Witness(scene.world)
    outcome = climb(scene.world, Meanwhile(at, act=lambda: act(scene)))
    assert outcome is not None
    assert outcome.verdict in ("upgraded", "rolled_back", "safe_stop")
    assert leads_to(scene.world) == ("wge" if outcome.verdict == "upgraded" else "wg")
    assert not witness.dark
    assert set(scene.flux.uninstalled) <= {WGE}
    return outcome


def goes_back(scene: Scene) -> None:
    outcome = roll_back(scene.world)
    assert outcome is not None
    assert (outcome.verdict, leads_to(scene.world)) == ("rolled_back", "wg")


@pytest.mark.parametrize("make", WRITES)
def test_the_numbers_are_those_of_the_writes(tmp_path: Path, make: Make) -> None:
    fault = Fault()
    climb(make(tmp_path).world, fault)
    writes = short(fault)
    assert (len(writes), positions(writes, "patch", OWNER)[-1]) == (WRITES[make], SUSPENDED[make])
    if make is by_git:
        assert positions(writes, "patch", "kustomizations/flux-system") == [PROVEN]


@pytest.mark.parametrize(("make", "act", "at"), both(resume, SUSPENDED, {make: last - 2 for make, last in WRITES.items()}))
def test_who_resumes_it_is_named_and_wg_serves(tmp_path: Path, make: Make, act: Act, at: int) -> None:
    scene = make(tmp_path)
    outcome = played(scene, act, at)
    assert outcome.verdict == "rolled_back"
    assert f"HelmRelease ww-gitops is not suspended any more {BY}" in str(outcome.error)


@pytest.mark.parametrize("make", WRITES)
def test_resumed_when_all_is_over_it_is_suspended_by_the_next_call(tmp_path: Path, make: Make) -> None:
    scene = make(tmp_path)
    assert played(scene, resume, WRITES[make] - 1).verdict == "upgraded"
    assert climb(scene.world) is not None
    assert scene.owner["spec"]["suspend"] is True
    assert leads_to(scene.world) == "wge"
    goes_back(scene)


@pytest.mark.parametrize(("make", "act", "at"), both(suspend, {by_flux: 1, by_git: PROVEN + 1}, SUSPENDED, step=3))
def test_who_suspends_it_is_named_and_it_stays_suspended(tmp_path: Path, make: Make, act: Act, at: int) -> None:
    scene = make(tmp_path)
    outcome = played(scene, act, at)
    assert f"HelmRelease ww-gitops is suspended, and not by this run {BY}" in str(outcome.error)
    assert scene.owner["spec"]["suspend"] is True


@pytest.mark.parametrize(("make", "act", "at"), both(reconcile, {by_flux: 1, by_git: PROVEN}, WRITES, step=3))
def test_a_reconcile_changes_nothing(tmp_path: Path, make: Make, act: Act, at: int) -> None:
    scene = make(tmp_path)
    outcome = played(scene, act, at)
    assert (outcome.verdict, outcome.error) == ("upgraded", None)
    goes_back(scene)


@pytest.mark.parametrize("at", range(1, PROVEN))
def test_a_reconcile_while_git_is_asked_is_a_safe_stop_and_the_next_run_arrives(tmp_path: Path, at: int) -> None:
    """The request that is on the Kustomization is not ours: whose run it is that proves the shields could not be told."""
    scene = by_git(tmp_path)
    outcome = played(scene, reconcile, at)
    assert "Somebody else changed" in str(outcome.error) and "ask Kustomization flux-system for a run was not done" in str(outcome.error)
    again = climb(scene.world)
    assert again is not None
    assert again.verdict == "upgraded", again.error


@pytest.mark.parametrize(("make", "act", "at"), both(lose_sources, {}, WRITES, step=4))
def test_a_source_that_goes_down_is_named(tmp_path: Path, make: Make, act: Act, at: int) -> None:
    scene = make(tmp_path)
    outcome = played(scene, act, at)
    told = "".join(map(str, [outcome.error, *scene.world.told]))
    assert outcome.verdict == "upgraded" or "the chart cannot be fetched" in told or "has changed since the plan" in told
    scene.flux.down = False
    goes_back(scene)


@pytest.mark.parametrize(("make", "act", "at"), cases(unshield, by_git, range(PROVEN, WRITES[by_git] - 3, 2)))
def test_a_shield_that_somebody_takes_off_is_told_and_wg_serves(tmp_path: Path, make: Make, act: Act, at: int) -> None:
    scene = make(tmp_path)
    outcome = played(scene, act, at)
    assert outcome.verdict == "rolled_back"
    assert f"the shield of HelmRelease ww-gitops was taken off {BY}, and git may change it back" in str(outcome.error)
    assert scene.owner["metadata"].get("deletionTimestamp") is None


@pytest.mark.parametrize(("make", "act", "at"), cases(revert, by_git, range(SHIELDED, WRITES[by_git], 3)))
def test_a_commit_that_is_reverted_prunes_nothing_that_is_shielded(tmp_path: Path, make: Make, act: Act, at: int) -> None:
    scene = make(tmp_path)
    played(scene, act, at)
    assert scene.owner["metadata"].get("deletionTimestamp") is None


@pytest.mark.parametrize("at", range(1, PROVEN + 1))
def test_who_suspends_git_before_the_shields_are_proven_is_named(tmp_path: Path, at: int) -> None:
    scene = by_git(tmp_path)
    outcome = played(scene, suspend_git, at)
    assert outcome.verdict == "rolled_back"
    assert f"Kustomization flux-system did not run: not after 60 s, it is suspended {BY}" in str(outcome.error)
    assert SHIELD not in scene.owner["metadata"]["annotations"]


@pytest.mark.parametrize("make", WRITES)
def test_of_two_forms_in_one_cluster_the_one_that_is_named_is_climbed(tmp_path: Path, make: Make) -> None:
    scene = make(tmp_path)
    others = standin_legacy.legacy_objects()
    for item in others:
        scene.world.cluster.put(item)
    before = _of(scene.world, others)
    with pytest.raises(Blocked, match=r"Two or more installations of Weave GitOps were found: .*wego-app in namespace wego-system"):
        scene.world.climb()
    scene.world.set(namespace=NAMESPACE)
    assert played(scene, reconcile, -2).verdict == "upgraded"
    goes_back(scene)
    assert _of(scene.world, others) == before


def _of(world: World, items: list[Object]) -> dict[str, Any]:
    live = {path_of(item): world.cluster.objects[path_of(item)] for item in items}
    return copy.deepcopy(
        {path: (item["metadata"]["uid"], item.get("spec"), item["metadata"].get("annotations")) for path, item in live.items()}
    )
