# SPDX-License-Identifier: GPL-3.0-or-later
"""Form B: WG kept by a HelmRelease that somebody applied by hand. What is sent, and what happens when Flux or somebody else does not do
as expected."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from ansible_collections.weaveworks.wge.plugins.module_utils._engine import ladder
from ansible_collections.weaveworks.wge.plugins.module_utils._engine.model import Object, Rung
from ansible_collections.weaveworks.wge.plugins.module_utils._engine.names import RUN_LABEL
from ansible_collections.weaveworks.wge.plugins.module_utils._engine.plan import rung_of
from ansible_collections.weaveworks.wge.plugins.module_utils._errors import Blocked, RolledBack, SafeStop
from ansible_collections.weaveworks.wge.tests.unit.plugins.module_utils._engine.standin import path_of
from ansible_collections.weaveworks.wge.tests.unit.plugins.module_utils._engine.standin_faults import Fault
from ansible_collections.weaveworks.wge.tests.unit.plugins.module_utils._engine.standin_flux import Flux, held, lived_in, told
from ansible_collections.weaveworks.wge.tests.unit.plugins.module_utils._engine.standin_products import (
    NAMESPACE,
    RELEASE,
    WG_NAME,
    WGE_NAME,
    entitlement,
    thing,
)
from ansible_collections.weaveworks.wge.tests.unit.plugins.module_utils._engine.standin_runs import climb, roll_back, start
from ansible_collections.weaveworks.wge.tests.unit.plugins.module_utils._engine.standin_witness import Witness, leads_to
from ansible_collections.weaveworks.wge.tests.unit.plugins.module_utils._engine.standin_world import World

Scene = tuple[World, Flux]
WGE = "weave-gitops-enterprise"
PASSED_ON = (
    f"Service {WG_NAME}",
    f"Ingress {WG_NAME}",
    "Secret cluster-user-auth",
    "ClusterRole wego-admin-cluster-role",
    "ClusterRoleBinding admin-user-read-resources-cr",
    "Role wego-admin-role",
    "RoleBinding admin-user-read-resources",
)
"""What WG's release holds and what outlives it."""


@pytest.fixture
def scene(tmp_path: Path) -> Scene:
    return lived_in(tmp_path)


def owner(world: World) -> Object:
    return world.cluster.one("HelmRelease", RELEASE)


def done(world: World, goal: str = "parked") -> ladder.Outcome:
    outcome = climb(world, goal=goal)
    assert outcome is not None
    return outcome


def failed(outcome: ladder.Outcome | None, words: str, verdict: str = "rolled_back") -> None:
    """It failed for this reason, and went back or stopped."""
    assert outcome is not None
    assert outcome.verdict == verdict, outcome.error
    assert words in str(outcome.error)


# The way that it goes


def test_what_outlives_wg_leaves_its_release_and_stays_untouched(scene: Scene) -> None:
    world, _flux = scene
    uids = {name: world.cluster.one(*name.split())["metadata"]["uid"] for name in PASSED_ON}
    pods = [item["metadata"]["name"] for item in world.cluster.all("Pod")]
    assert done(world, "prepared").verdict == "upgraded"
    assert set(PASSED_ON).isdisjoint(held(world))
    assert {"Deployment ww-gitops-weave-gitops", f"ServiceAccount {WG_NAME}"} <= set(held(world))
    assert {name: world.cluster.one(*name.split())["metadata"]["uid"] for name in PASSED_ON} == uids
    assert [item["metadata"]["name"] for item in world.cluster.all("Pod")] == pods
    assert owner(world)["spec"]["suspend"] is True


def test_what_is_left_to_flux_names_exactly_what_is_kept(scene: Scene) -> None:
    done(scene[0], "prepared")
    (renderer,) = owner(scene[0])["spec"]["postRenderers"]
    patches = renderer["kustomize"]["patches"]
    assert sorted(f"{patch['target']['kind']} {patch['target']['name']}" for patch in patches) == sorted(PASSED_ON)
    assert {json.loads(patch["patch"])["$patch"] for patch in patches} == {"delete"}


def test_flux_is_asked_in_both_ways_since_old_ones_do_not_see_a_post_renderer(scene: Scene) -> None:
    done(scene[0], "prepared")
    marks, run = owner(scene[0])["metadata"]["annotations"], scene[0].look().run
    assert marks["reconcile.fluxcd.io/requestedAt"] == marks["reconcile.fluxcd.io/forceAt"] == f"{run}-over"
    assert (marks["wge.weave.works/handed-over"], marks["wge.weave.works/suspended"]) == (run, run)


@pytest.mark.parametrize("delivery", ["flux", "helm"])
def test_there_and_back(tmp_path: Path, delivery: str) -> None:
    world, flux = lived_in(tmp_path, delivery)
    before, witness = told(world), Witness(world)
    assert (done(world).verdict, rung_of(world.look()), leads_to(world)) == ("upgraded", Rung.PARKED, "wge")
    assert done(world).verdict == "already"
    outcome = roll_back(world)
    assert outcome is not None
    assert (outcome.verdict, outcome.error, leads_to(world)) == ("rolled_back", None, "wg")
    assert told(world) == before
    assert not witness.dark
    assert flux.uninstalled == ([WGE] if delivery == "flux" else [])


@pytest.mark.parametrize("goal", ["prepared", "rehearsed", "flipped", "soaked"])
def test_back_from_every_rung(scene: Scene, goal: str) -> None:
    world, _flux = scene
    before, witness = told(world), Witness(world)
    done(world, goal)
    outcome = roll_back(world)
    assert outcome is not None
    assert (outcome.verdict, outcome.error) == ("rolled_back", None)
    assert told(world) == before
    assert not witness.dark


def test_others_post_renderers_stay_where_they_are(tmp_path: Path) -> None:
    theirs = {"kustomize": {"patches": []}}
    world, _flux = lived_in(tmp_path, postRenderers=[theirs])
    done(world, "prepared")
    assert len(owner(world)["spec"]["postRenderers"]) == 2
    owner(world)["spec"]["postRenderers"].insert(0, {"kustomize": {"patches": []}})  # somebody adds one meanwhile
    roll_back(world)
    assert owner(world)["spec"]["postRenderers"] == [theirs, theirs]


def test_a_suspend_that_said_false_says_so_again(tmp_path: Path) -> None:
    world, _flux = lived_in(tmp_path, suspend=False)
    done(world, "prepared")
    roll_back(world)
    assert owner(world)["spec"]["suspend"] is False


def test_a_release_that_is_stored_elsewhere_is_handed_over_too(tmp_path: Path) -> None:
    world, _flux = lived_in(tmp_path, storageNamespace="elsewhere")
    for item in [s for s in world.cluster.all("Secret") if s["metadata"]["name"].startswith("sh.helm.release")]:
        world.cluster.remove("Secret", item["metadata"]["name"])
        item["metadata"]["namespace"] = "elsewhere"
        world.cluster.put(item)
    before = told(world)
    assert done(world).verdict == "upgraded"
    assert set(PASSED_ON).isdisjoint(held(world))
    roll_back(world)
    assert told(world) == before


# WGE by Flux


def test_wge_is_a_helm_release_of_its_own_with_the_probes_its_chart_lacks(scene: Scene) -> None:
    world, _flux = scene
    done(world)
    spec = world.cluster.one("HelmRelease", WGE)["spec"]
    assert spec["chart"]["spec"] | {"interval": ""} == {
        "chart": "mccp",
        "version": "0.38.1",
        "sourceRef": {"kind": "HelmRepository", "name": WGE},
        "interval": "",
    }
    assert (spec["releaseName"], spec["targetNamespace"], spec["storageNamespace"]) == (WGE, NAMESPACE, NAMESPACE)
    assert spec["install"]["disableTakeOwnership"] is True
    (container,) = world.cluster.one("Deployment", WGE_NAME)["spec"]["template"]["spec"]["containers"]
    assert container["readinessProbe"]["httpGet"]["port"] == "server"
    assert world.cluster.one("HelmRepository", WGE)["spec"] == {"interval": "10m0s", "url": "https://charts.example.com"}


def test_flux_logs_in_with_the_vendors_secret_when_that_has_a_name_and_a_password(scene: Scene) -> None:
    world, _flux = scene
    world.cluster.put({**entitlement(), "data": {**entitlement()["data"], "username": "dQ==", "password": "cA=="}})
    done(world, "rehearsed")
    assert world.cluster.one("HelmRepository", WGE)["spec"]["secretRef"] == {"name": "weave-gitops-enterprise-credentials"}


def test_a_plan_shows_no_value_of_wge(scene: Scene) -> None:
    world, _flux = scene
    world.set(values={"config": {"oidc": {"clientSecret": "hunter2hunter2"}}})
    shown = str(ladder.plan_of(world.tools, world.look()).shown())
    assert "hunter2" not in shown
    assert "'values': {'" in shown


def test_an_oci_address_says_where_the_chart_is(scene: Scene) -> None:
    world, _flux = scene
    world.set(chart="oci://registry.example.com/charts/mccp", chart_repository="")
    done(world, "rehearsed")
    spec = world.cluster.one("HelmRepository", WGE)["spec"]
    assert (spec["url"], spec["type"]) == ("oci://registry.example.com/charts", "oci")


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"chart_repository": ""}, "nothing says from which repository Flux fetches its chart. Give its URL in wge_chart_repository"),
        ({"chart_version": ""}, "nothing says which version of its chart. Give it in wge_chart_version"),
    ],
)
def test_what_flux_has_to_know_is_asked_for_before_the_first_write(scene: Scene, settings: Object, words: str) -> None:
    world, _flux = scene
    world.set(**settings)
    fault = start(world)
    with pytest.raises(Blocked, match=words):
        world.climb()
    assert fault.sent == []


def test_a_wge_that_flux_gives_up_is_taken_back(scene: Scene) -> None:
    world, flux = scene
    before = told(world)
    flux.fails.add(WGE)
    failed(climb(world), "Flux does not install WGE: a hook failed.")
    assert told(world) == before


def test_a_wge_that_flux_gave_up_after_a_kill_is_made_anew(scene: Scene) -> None:
    world, flux = scene
    flux.fails.add(WGE)
    climb(world, Fault(16, "kill after"))
    for _ in range(3):
        flux.act()
    first = world.cluster.one("HelmRelease", WGE)["metadata"]["uid"]
    flux.fails.clear()
    assert done(world).verdict == "upgraded"
    assert world.cluster.one("HelmRelease", WGE)["metadata"]["uid"] != first


def test_a_helm_release_of_wges_name_that_is_not_ours_is_left_alone(scene: Scene) -> None:
    world, _flux = scene
    theirs = world.cluster.put(thing("helm.toolkit.fluxcd.io/v2", "HelmRelease", WGE, NAMESPACE, spec={"suspend": True}))
    fault = start(world)
    with pytest.raises(Blocked, match=f"HelmRelease {WGE} is there and not of this run"):
        world.climb()
    assert fault.sent == []
    assert world.cluster.one("HelmRelease", WGE)["metadata"]["uid"] == theirs["metadata"]["uid"]


def test_a_wge_that_somebody_suspended_is_uninstalled_all_the_same(scene: Scene) -> None:
    world, flux = scene
    before = told(world)
    done(world)
    world.cluster.one("HelmRelease", WGE)["spec"]["suspend"] = True
    outcome = roll_back(world)
    assert outcome is not None
    assert (outcome.verdict, flux.uninstalled) == ("rolled_back", [WGE])
    assert told(world) == before


# Flux does not do as asked


def test_a_chart_that_cannot_be_fetched_ends_the_climb_before_anything_moved(scene: Scene) -> None:
    world, flux = scene
    before, witness = told(world), Witness(world)
    flux.down = True
    failed(climb(world), "Flux does not take WG's objects out: not after 5 s, revision 7 still holds")
    assert "the chart cannot be fetched" in "".join(map(str, world.told))
    assert told(world) == before
    assert not witness.dark


def test_flux_that_cannot_take_them_back_is_told_and_no_reason_to_stop(scene: Scene) -> None:
    world, flux = scene
    done(world)
    flux.down = True
    outcome = roll_back(world)
    assert outcome is not None
    assert (outcome.verdict, leads_to(world)) == ("rolled_back", "wg")
    notes = [event["text"] for event in world.told if event.get("event") == "note"]
    assert any("It does as soon as it can; nothing of ours keeps it from that." in text for text in notes)
    flux.down = False
    for _ in range(3):
        flux.act()
    assert set(PASSED_ON) <= set(held(world))


def test_while_flux_is_at_work_nothing_is_asked_of_it(scene: Scene) -> None:
    world, flux = scene
    flux.absent = True
    owner(world)["metadata"]["generation"] = 2
    failed(climb(world), "Flux does not end what it is at on HelmRelease ww-gitops: not after 5 s, Flux has not seen its generation 2.")
    assert "postRenderers" not in owner(world)["spec"]


# Somebody else


def test_a_helm_release_that_somebody_suspended_is_never_resumed(scene: Scene) -> None:
    world, _flux = scene
    owner(world)["spec"]["suspend"] = True
    owner(world)["metadata"]["managedFields"] = [
        {"manager": "flux", "time": "2026-11-23T09:00:00Z", "fieldsV1": {"f:spec": {"f:suspend": {}}}}
    ]
    world.set(ready_seconds=1)
    outcome = climb(world)
    assert outcome is not None
    assert outcome.verdict in ("safe_stop", "rolled_back")
    assert owner(world)["spec"]["suspend"] is True


def test_resumed_during_the_soak_the_traffic_goes_back_at_once(scene: Scene) -> None:
    world, _flux = scene
    witness = Witness(world)
    world.set(soak_seconds=60)

    def resume(_seconds: float) -> None:
        if leads_to(world) == "wge":
            owner(world)["spec"]["suspend"] = False
            owner(world)["metadata"]["managedFields"] = [
                {"manager": "flux", "time": "2026-11-23T09:00:00Z", "fieldsV1": {"f:spec": {"f:suspend": {}}}}
            ]

    world.clock.on_sleep.append(resume)
    failed(climb(world), "HelmRelease ww-gitops is not suspended any more (last written by flux at 2026-11-23T09:00:00Z)")
    assert leads_to(world) == "wg"
    assert not witness.dark


def test_a_helm_release_that_somebody_deleted_is_a_safe_stop_and_the_way_back_is_open(scene: Scene) -> None:
    world, _flux = scene
    done(world, "flipped")
    world.cluster.remove("HelmRelease", RELEASE)
    start(world)
    with pytest.raises(SafeStop, match=r"WG was a Flux HelmRelease when run \S+ began, and is a plain Helm release now"):
        world.climb()
    outcome = roll_back(world)
    assert outcome is not None
    assert (outcome.verdict, leads_to(world)) == ("rolled_back", "wg")


def test_what_fails_before_the_flip_is_rolled_back_with_a_sentence(scene: Scene) -> None:
    world, _flux = scene
    world.controllers.broken.add(WGE_NAME)
    before = told(world)
    outcome = climb(world)
    assert outcome is not None
    assert isinstance(outcome.error, RolledBack)
    assert told(world) == before


def test_every_object_we_create_says_whose_it_is(scene: Scene) -> None:
    world, _flux = scene
    done(world)
    made = [world.cluster.one(kind, WGE) for kind in ("HelmRelease", "HelmRepository")]
    assert {item["metadata"]["labels"][RUN_LABEL] for item in made} == {world.look().run}
    assert path_of(made[0]).endswith(f"/helmreleases/{WGE}")
