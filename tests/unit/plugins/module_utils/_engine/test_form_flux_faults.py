# SPDX-License-Identifier: GPL-3.0-or-later
"""Form B: runs that are killed, answers that get lost, and somebody who interferes, at every write, with Flux at work beside.

As ``test_ladder_faults.py`` for form A. Between two runs Flux goes on, or has not noticed anything yet.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from ansible_collections.weaveworks.wge.plugins.module_utils._engine.model import Rung
from ansible_collections.weaveworks.wge.plugins.module_utils._engine.objects import path_of as plain_path_of
from ansible_collections.weaveworks.wge.plugins.module_utils._engine.plan import rung_of
from ansible_collections.weaveworks.wge.plugins.module_utils._errors import SafeStop
from ansible_collections.weaveworks.wge.tests.unit.plugins.module_utils._engine.standin import path_of
from ansible_collections.weaveworks.wge.tests.unit.plugins.module_utils._engine.standin_faults import Fault
from ansible_collections.weaveworks.wge.tests.unit.plugins.module_utils._engine.standin_flux import Flux, lived_in, told
from ansible_collections.weaveworks.wge.tests.unit.plugins.module_utils._engine.standin_products import NAMESPACE
from ansible_collections.weaveworks.wge.tests.unit.plugins.module_utils._engine.standin_runs import climb, roll_back
from ansible_collections.weaveworks.wge.tests.unit.plugins.module_utils._engine.standin_witness import Witness
from ansible_collections.weaveworks.wge.tests.unit.plugins.module_utils._engine.standin_world import World

CLIMB = 27
"""Writes of a climb of the lived-in cluster, with those of the lock."""

BACK = 24
"""Writes of its way back from ``parked``."""

HAND_OVER, SUSPEND, SOURCE, DELIVER = 13, 14, 15, 16
"""The numbers of the writes to WG's HelmRelease, and of those that create WGE's objects."""

BACK_TO_FLUX = (7, 8, 9, 10)
"""Where the way back writes to Flux: WGE's HelmRelease and source go, WG's is resumed and gets its objects back."""

LEASE = f"/apis/coordination.k8s.io/v1/namespaces/{NAMESPACE}/leases/wge-upgrade"
HELM_RELEASES = f"/apis/helm.toolkit.fluxcd.io/v2/namespaces/{NAMESPACE}/helmreleases"
Scene = tuple[World, Flux]


@pytest.fixture
def scene(tmp_path: Path) -> Scene:
    return lived_in(tmp_path)


@pytest.fixture(scope="module")
def parked(tmp_path_factory: pytest.TempPathFactory) -> dict[str, object]:
    """What a climb that nobody disturbed leaves."""
    world, _flux = lived_in(tmp_path_factory.mktemp("undisturbed"))
    climb(world)
    return dict(told(world, runs=False))


def without_lock(content: dict[str, object]) -> dict[str, object]:
    """A run that was killed before its journal, or after it was closed, leaves its lock."""
    return {path: item for path, item in content.items() if path != LEASE}


def meanwhile(flux: Flux, passes: int) -> None:
    """Time passes between two runs."""
    for _ in range(passes):
        flux.act()


def test_the_numbers_below_cover_every_write_there_and_back(scene: Scene) -> None:
    there, back = Fault(), Fault()
    climb(scene[0], there)
    roll_back(scene[0], back)
    assert (len(there.sent), len(back.sent)) == (CLIMB, BACK)
    owner, ours = f"{HELM_RELEASES}/ww-gitops", f"{HELM_RELEASES}/weave-gitops-enterprise"
    assert [there.sent[at] for at in (HAND_OVER, SUSPEND, DELIVER)] == [("patch", owner), ("patch", owner), ("create", ours)]


TO_FLUX = [(at, "kill after", 0) for at in (HAND_OVER, SUSPEND, SOURCE, DELIVER)]
AT_WORK = [(HAND_OVER, "kill after", 1)]
"""The next run comes while Flux is at what was asked of it."""
KILLS = [(at, *rest) for at in range(CLIMB) for rest in (("kill before", 0), ("kill after", 3))]
"""With Flux done by the next run; and where it is Flux that was written to, before it has noticed."""


@pytest.mark.parametrize(("at", "kind", "passes"), KILLS + TO_FLUX + AT_WORK)
def test_a_climb_killed_at_any_write_is_brought_to_its_end_by_the_next_run(
    scene: Scene, parked: dict[str, object], at: int, kind: str, passes: int
) -> None:
    world, flux = scene
    witness = Witness(world)
    assert climb(world, Fault(at, kind)) is None
    meanwhile(flux, passes)
    outcome = climb(world)
    assert outcome is not None
    assert outcome.verdict in ("upgraded", "already"), outcome.error
    assert rung_of(world.look()) is Rung.PARKED
    assert not witness.dark
    assert without_lock(dict(told(world, runs=False))) == parked
    assert flux.uninstalled == []


@pytest.mark.parametrize(("at", "kind", "passes"), KILLS[::5] + TO_FLUX + AT_WORK)
def test_a_climb_killed_at_any_write_can_be_taken_back(scene: Scene, at: int, kind: str, passes: int) -> None:
    world, flux = scene
    before, witness = told(world), Witness(world)
    climb(world, Fault(at, kind))
    meanwhile(flux, passes)
    outcome = roll_back(world)
    assert outcome is not None
    assert (outcome.verdict, outcome.error) == ("rolled_back", None)
    assert not witness.dark
    assert without_lock(dict(told(world))) == before
    assert set(flux.uninstalled) <= {"weave-gitops-enterprise"}


@pytest.mark.parametrize(
    ("at", "kind", "passes"), [kill for kill in KILLS if kill[0] < BACK] + [(at, "kill after", 0) for at in BACK_TO_FLUX]
)
def test_a_way_back_killed_at_any_write_is_brought_to_its_end_by_the_next(scene: Scene, at: int, kind: str, passes: int) -> None:
    world, flux = scene
    before, witness = told(world), Witness(world)
    climb(world)
    assert roll_back(world, Fault(at, kind)) is None
    meanwhile(flux, passes)
    outcome = roll_back(world)
    assert outcome is not None
    assert (outcome.verdict, outcome.error) == ("rolled_back", None)
    assert not witness.dark
    assert without_lock(dict(told(world))) == before


@pytest.mark.parametrize("at", range(1, BACK - 2, 5))
def test_after_a_killed_way_back_a_climb_reaches_parked_again(scene: Scene, parked: dict[str, object], at: int) -> None:
    world, flux = scene
    climb(world)
    witness = Witness(world)
    roll_back(world, Fault(at, "kill after"))
    meanwhile(flux, 1)
    outcome = climb(world)
    assert outcome is not None
    assert outcome.verdict == "upgraded", outcome.error
    assert not witness.dark
    assert told(world, runs=False) == parked


def lost(number: int) -> list[tuple[int, str]]:
    return [(at, f"lost {when}") for at in range(number) for when in ("before", "after")]


@pytest.mark.parametrize(
    ("at", "kind"),
    lost(CLIMB)[1::4] + [(at, f"lost {when}") for at in (HAND_OVER, SUSPEND, SOURCE, DELIVER) for when in ("before", "after")],
)
def test_a_lost_answer_is_looked_up_and_the_climb_goes_on(scene: Scene, parked: dict[str, object], at: int, kind: str) -> None:
    world, _flux = scene
    witness = Witness(world)
    outcome = climb(world, Fault(at, kind))
    assert outcome is not None
    assert (outcome.verdict, outcome.error) == ("upgraded", None)
    assert not witness.dark
    assert without_lock(dict(told(world, runs=False))) == parked  # giving the lock back is not tried twice


@pytest.mark.parametrize(("at", "kind"), lost(BACK)[2::5] + [(at, f"lost {when}") for at in BACK_TO_FLUX for when in ("before", "after")])
def test_a_lost_answer_on_the_way_back_is_looked_up_too(scene: Scene, at: int, kind: str) -> None:
    world, _flux = scene
    before = told(world)
    climb(world)
    outcome = roll_back(world, Fault(at, kind))
    assert outcome is not None
    assert (outcome.verdict, outcome.error) == ("rolled_back", None)
    assert without_lock(dict(told(world))) == before


@pytest.mark.parametrize("at", [HAND_OVER, SUSPEND, SOURCE, DELIVER])
def test_what_somebody_else_changed_is_never_overwritten(scene: Scene, at: int) -> None:
    world, _flux = scene
    witness, fault = Witness(world), Fault(at, "meddle")
    outcome = climb(world, fault)
    assert outcome is not None
    assert isinstance(outcome.error, SafeStop)
    assert world.cluster.objects[path_of(fault.meddled)]["metadata"] == fault.meddled["metadata"]
    assert all(path == LEASE for _verb, path in fault.sent_after)
    assert not witness.dark


@pytest.mark.parametrize("at", range(1, CLIMB - 1, 5))
def test_a_signal_stops_before_the_next_write(scene: Scene, at: int) -> None:
    world, _flux = scene
    witness, fault = Witness(world), Fault(at, "stop", "signal")
    climb(world, fault)
    assert fault.sent_after == [("delete", LEASE)]
    assert not witness.dark
    again = climb(world)
    assert again is not None
    assert again.verdict in ("upgraded", "already")


def test_every_service_of_this_world_is_kept(scene: Scene) -> None:
    """Otherwise the witness above would look at nothing."""
    climb(scene[0])
    assert {plain_path_of(item).rpartition("/")[2] for item in scene[0].look().kept_services} >= {"ww-gitops-weave-gitops", "by-hand"}
