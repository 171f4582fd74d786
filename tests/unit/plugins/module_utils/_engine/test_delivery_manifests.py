# SPDX-License-Identifier: GPL-3.0-or-later
"""WGE by its plain objects: what is created, what is never touched, and another rendering in the middle."""

from __future__ import annotations

import json
from dataclasses import replace
from hashlib import sha256
from pathlib import Path

import pytest

from ansible_collections.weaveworks.wge.plugins.module_utils._engine import deliveries
from ansible_collections.weaveworks.wge.plugins.module_utils._engine.archive.scope import INSTALL, Collector
from ansible_collections.weaveworks.wge.plugins.module_utils._engine.model import Object, Release
from ansible_collections.weaveworks.wge.plugins.module_utils._engine.names import RUN_LABEL
from ansible_collections.weaveworks.wge.plugins.module_utils._errors import Blocked
from ansible_collections.weaveworks.wge.tests.unit.plugins.module_utils._engine import shipped_rights, shipped_roles
from ansible_collections.weaveworks.wge.tests.unit.plugins.module_utils._engine.standin import path_of
from ansible_collections.weaveworks.wge.tests.unit.plugins.module_utils._engine.standin_cells import FIRST_FLIP, Cell, cell
from ansible_collections.weaveworks.wge.tests.unit.plugins.module_utils._engine.standin_faults import Fault, short
from ansible_collections.weaveworks.wge.tests.unit.plugins.module_utils._engine.standin_products import (
    NAMESPACE,
    WGE_NAME,
    secret,
    surroundings,
    thing,
    wge_objects,
)
from ansible_collections.weaveworks.wge.tests.unit.plugins.module_utils._engine.standin_runs import KEPT, climb, roll_back
from ansible_collections.weaveworks.wge.tests.unit.plugins.module_utils._engine.standin_witness import leads_to
from ansible_collections.weaveworks.wge.tests.unit.plugins.module_utils._engine.standin_world import World


@pytest.fixture
def scene(tmp_path: Path) -> Cell:
    return cell("helm", "manifests", tmp_path)


@pytest.fixture
def world(scene: Cell) -> World:
    return scene.world


@pytest.fixture(scope="module")
def parked(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Object]:
    """What a climb that nobody disturbed leaves."""
    scene = cell("helm", "manifests", tmp_path_factory.mktemp("undisturbed"))
    climb(scene.world)
    return scene.left(runs=False)


def climbed(world: World, goal: str = "parked") -> None:
    outcome = climb(world, goal=goal)
    assert outcome is not None
    assert (outcome.verdict, str(outcome.error or "")) == ("upgraded", "")


def rendered(world: World, *more: Object) -> None:
    """The chart renders more."""
    world.helm.render = lambda release: [*wge_objects(release), *more]


# What is created


def test_every_object_of_the_chart_is_created_once_and_carries_the_run(world: World) -> None:
    climbed(world)
    run = world.look().run
    wanted = [item for item in wge_objects(Release("weave-gitops-enterprise", NAMESPACE, "mccp")) if "Definition" not in item["kind"]]
    live = [world.cluster.one(item["kind"], item["metadata"]["name"]) for item in wanted]
    assert {item["metadata"]["labels"][RUN_LABEL] for item in live} == {run}
    assert not any("meta.helm.sh/release-name" in (item["metadata"].get("annotations") or {}) for item in live)
    assert set(world.helm.calls) == {"template"}


def test_what_others_need_comes_first(world: World) -> None:
    fault = Fault()
    climb(world, fault)
    own = ("wge-admin-reader-flux-system", "wge-journal-")
    made = [path.rsplit("/", 2)[1] for verb, path in fault.sent if verb == "create" and not path.rsplit("/", 1)[1].startswith(own)]
    order = ["customresourcedefinitions", "serviceaccounts", "clusterroles", "clusterrolebindings", "configmaps", "deployments"]
    assert [kind for kind in dict.fromkeys(made) if kind in order] == order


def test_the_server_comes_with_its_probes_and_is_not_rolled_out_twice(world: World) -> None:
    fault = Fault()
    climb(world, fault)
    server = world.cluster.one("Deployment", WGE_NAME)
    assert "readinessProbe" in server["spec"]["template"]["spec"]["containers"][0]
    assert ("patch", f"deployments/{WGE_NAME}") not in short(fault)
    assert server["metadata"]["generation"] == 1


def test_a_definition_that_is_there_is_left_as_it_is_and_one_that_was_made_stays(world: World) -> None:
    theirs = thing("apiextensions.k8s.io/v1", "CustomResourceDefinition", "apps.wego.weave.works", spec={"group": "theirs"})
    before = world.cluster.put(theirs)
    rendered(world, thing("apiextensions.k8s.io/v1", "CustomResourceDefinition", "new.weave.works", spec={"group": "weave.works"}))
    fault = Fault()
    climb(world, fault)
    assert [name for verb, name in short(fault) if "customresourcedefinitions" in name] == ["customresourcedefinitions/new.weave.works"]
    roll_back(world)
    assert world.cluster.one("CustomResourceDefinition", "apps.wego.weave.works") == before
    assert world.cluster.one("CustomResourceDefinition", "new.weave.works")


def test_what_only_helm_would_run_is_refused_and_tests_are_left_out(world: World) -> None:
    hook = thing("batch/v1", "Job", "migrate", annotations={})
    hook["metadata"]["annotations"] = {"helm.sh/hook": "post-install,post-upgrade"}
    test = thing("v1", "Pod", "try-it")
    test["metadata"]["annotations"] = {"helm.sh/hook": "test"}
    rendered(world, test)
    climbed(world, "rehearsed")
    assert not [item for item in world.cluster.all("Pod") if item["metadata"]["name"] == "try-it"]
    roll_back(world)
    rendered(world, hook)
    with pytest.raises(Blocked, match=r"hooks of its installation, which only helm runs: Job migrate\. Set wge_delivery to helm or flux"):
        climb(world)


def test_a_kind_that_nobody_knows_is_refused_before_anything_is_written(world: World) -> None:
    rendered(world, thing("example.com/v1", "Wonder", "w"))
    before = len(world.cluster.objects)
    with pytest.raises(Blocked, match="nobody knows where objects of kind Wonder go"):
        climb(world)
    assert len(world.cluster.objects) == before
    assert world.findings()["TA-01"].blocks


def test_an_object_of_somebody_else_is_never_taken(world: World) -> None:
    theirs = world.cluster.put(thing("v1", "ConfigMap", WGE_NAME, NAMESPACE, data={"whose": "theirs"}))
    assert world.findings()["TA-05"].blocks
    outcome = climb(world)
    assert outcome is not None
    assert outcome.verdict == "safe_stop"
    roll_back(world)
    assert world.cluster.one("ConfigMap", WGE_NAME) == theirs


def test_neither_plan_nor_journal_hold_the_bytes_of_its_secrets(world: World) -> None:
    rendered(world, secret("wge-key", {"key": "hush-hush"}))
    shown = json.dumps(world.evidence().plan.shown())
    climbed(world)
    assert world.cluster.one("Secret", "wge-key")["data"]
    assert "aHVzaC1odXNo" not in shown + str(world.look().journal)


def test_the_shipped_roles_are_enough(scene: Cell, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    for item in surroundings():
        scene.world.cluster.put(item)
    shipped_roles.enforced(scene.world, shipped_rights.writing())
    assert {name: f.evidence for name, f in scene.world.findings().items() if f.status in ("fail", "error")} == {}
    climbed(scene.world)
    assert roll_back(scene.world).verdict == "rolled_back"  # type: ignore[union-attr]
    climbed(scene.world)
    assert shipped_rights.to_the_end(scene.world) == "finalised"


def test_no_release_is_reckoned_with(world: World) -> None:
    """An API server takes no Secret of more than a megabyte; here there is none."""
    chart = thing("v1", "ConfigMap", "big", data={"noise": "".join(sha256(bytes([n % 256, n // 256])).hexdigest() for n in range(40000))})
    rendered(world, chart)
    assert world.findings()["CA-04"].status == "pass"
    world.set(delivery="helm")
    assert world.findings()["CA-04"].status == "warn"


def test_it_is_archived_with_what_is_installed(world: World) -> None:
    climbed(world)
    box = Collector(world.cluster, world.look().snapshot).collect(INSTALL)
    wanted = {path_of(item) for item in world.look().snapshot.delivered.values() if item and "Definition" not in item["kind"]}
    assert len(wanted) >= 10
    assert wanted <= set(box.all_paths())


def test_a_rendered_file_takes_the_place_of_the_chart(world: World) -> None:
    world.set(chart="", chart_version="", manifests="wge.yaml")
    finding = world.findings()["TA-01"]
    assert (finding.status, "the file wge.yaml" in finding.evidence) == ("warn", True)
    climbed(world)
    assert leads_to(world) == "wge"


# Another rendering in the middle


def test_half_of_another_rendering_is_taken_away_and_made_anew(scene: Cell, parked: dict[str, Object]) -> None:
    fault = Fault(24, "kill after")
    rendered(scene.world, thing("v1", "ConfigMap", "a-older", data={}))
    scene.world.set(values={"tls": {"enabled": True}})
    assert climb(scene.world, fault) is None
    assert [item for item in scene.world.cluster.all("ConfigMap") if item["metadata"]["name"] == "a-older"]
    rendered(scene.world)
    scene.world.set(values={})
    climbed(scene.world)
    assert scene.left(runs=False) == parked
    assert any("made anew" in str(told.get("text")) or "delivered anew" in str(told.get("text")) for told in scene.world.told)


def test_once_it_serves_another_rendering_is_a_safe_stop(scene: Cell) -> None:
    climbed(scene.world, "flipped")
    scene.world.cluster.remove("ConfigMap", WGE_NAME)
    scene.world.set(values={"tls": {"enabled": True}})
    outcome = climb(scene.world)
    assert outcome is not None
    assert (outcome.verdict, leads_to(scene.world)) == ("safe_stop", "wge")
    assert "Objects of WGE are gone" in str(outcome.error)


def test_while_one_service_of_several_leads_to_it_nothing_is_taken_away(scene: Cell) -> None:
    assert climb(scene.world, Fault(FIRST_FLIP, "kill after")) is None
    assert sorted(leads_to(scene.world, name) for name in KEPT) == ["wg", "wg", "wge"]
    scene.world.cluster.remove("ConfigMap", WGE_NAME)
    scene.world.set(values={"tls": {"enabled": True}})
    outcome = climb(scene.world)
    assert outcome is not None
    assert (outcome.verdict, "Objects of WGE are gone" in str(outcome.error)) == ("safe_stop", True)
    assert scene.world.cluster.one("Deployment", WGE_NAME)


def test_what_is_gone_of_a_wge_that_serves_is_made_again(scene: Cell, parked: dict[str, Object]) -> None:
    climbed(scene.world)
    scene.world.cluster.remove("ConfigMap", WGE_NAME)
    climbed(scene.world)
    assert scene.left(runs=False) == parked


def test_a_run_keeps_to_it(world: World) -> None:
    climbed(world, "rehearsed")
    world.set(delivery="")
    assert deliveries.chosen(world.look()) == "manifests"
    world.set(delivery="helm")
    with pytest.raises(Blocked, match=r"began to deliver WGE by manifests; helm is asked for now"):
        climb(world)


def test_images_of_the_settings_are_those_of_what_is_sent(world: World) -> None:
    world.set(image_mirrors={"docker.io": "mirror.example.com/hub", "ghcr.io": "mirror.example.com/ghcr"})
    now = world.look()
    images = [c["image"] for c in now.target.deployment["spec"]["template"]["spec"]["containers"]]
    assert all(image.startswith("mirror.example.com/") for image in images)
    climbed(world)
    live = world.cluster.one("Deployment", WGE_NAME)
    assert [c["image"] for c in live["spec"]["template"]["spec"]["containers"]] == images
    assert replace(now.target, moved={}).version == now.target.version
