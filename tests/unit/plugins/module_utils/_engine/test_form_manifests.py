# SPDX-License-Identifier: GPL-3.0-or-later
"""WG without a Helm release (form D), there and back: what is read of it, what is kept, and the local user that WGE needs."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from ansible_collections.weaveworks.wge.plugins.module_utils._engine.forms.manifests import ui_port
from ansible_collections.weaveworks.wge.plugins.module_utils._engine.inherit import values_for
from ansible_collections.weaveworks.wge.plugins.module_utils._engine.journal import journal_from
from ansible_collections.weaveworks.wge.plugins.module_utils._engine.model import Object, Rung
from ansible_collections.weaveworks.wge.tests.unit.plugins.module_utils._engine import shipped_rights, shipped_roles
from ansible_collections.weaveworks.wge.tests.unit.plugins.module_utils._engine.standin_faults import Fault
from ansible_collections.weaveworks.wge.tests.unit.plugins.module_utils._engine.standin_legacy import (
    ADMINS,
    DOOR,
    LOGIN,
    NAME,
    NAMESPACE,
    OLD_LOGIN,
    legacy,
    rendered,
)
from ansible_collections.weaveworks.wge.tests.unit.plugins.module_utils._engine.standin_products import (
    HASH,
    WG_NAME,
    secret,
    thing,
)
from ansible_collections.weaveworks.wge.tests.unit.plugins.module_utils._engine.standin_products import (
    NAMESPACE as USUAL,
)
from ansible_collections.weaveworks.wge.tests.unit.plugins.module_utils._engine.standin_runs import climb, roll_back
from ansible_collections.weaveworks.wge.tests.unit.plugins.module_utils._engine.standin_witness import Witness, content, leads_to
from ansible_collections.weaveworks.wge.tests.unit.plugins.module_utils._engine.standin_world import World

LOGIN_SECRET = f"/api/v1/namespaces/{NAMESPACE}/secrets/cluster-user-auth"


@pytest.fixture
def scene(tmp_path: Path) -> World:
    return legacy(tmp_path)


# There and back


def test_one_call_climbs_all_the_way_to_parked(scene: World) -> None:
    witness = Witness(scene, NAME, DOOR)
    outcome = climb(scene)
    assert outcome is not None
    assert (outcome.verdict, outcome.rung_before, outcome.rung) == ("upgraded", Rung.INSTALLED, Rung.PARKED), outcome.error
    assert [leads_to(scene, name) for name in (NAME, DOOR)] == ["wge", "wge"]
    assert all(entry["same"] for entry in outcome.identity)
    assert (outcome.traffic["lost"], outcome.traffic["endpoint_gaps"]) == (0, 0)
    assert not witness.dark
    fault = Fault()
    assert climb(scene, fault) is not None
    assert fault.sent == []


def test_the_flip_changes_the_unnamed_port_by_its_number(scene: World) -> None:
    climb(scene)
    assert scene.cluster.one("Service", NAME)["spec"]["ports"] == [{"port": 9001, "targetPort": 8000, "protocol": "TCP"}]
    assert scene.cluster.one("Service", DOOR)["spec"]["ports"] == [{"port": 80, "targetPort": 8000}]


def test_the_way_back_leaves_the_cluster_as_it_was(scene: World) -> None:
    before, witness = content(scene), Witness(scene, NAME, DOOR)
    climb(scene)
    outcome = roll_back(scene)
    assert outcome is not None
    assert (outcome.verdict, outcome.error) == ("rolled_back", None)
    assert content(scene) == before
    assert not witness.dark


def test_a_chart_that_was_rendered_and_applied_is_upgraded_and_brought_back(tmp_path: Path) -> None:
    world = rendered(tmp_path)
    before, witness = content(world), Witness(world, WG_NAME)
    assert {finding.id for finding in world.findings().values() if finding.status not in ("pass", "skip")} == set()
    assert climb(world).verdict == "upgraded"  # type: ignore[union-attr]
    assert leads_to(world) == "wge"
    assert roll_back(world).verdict == "rolled_back"  # type: ignore[union-attr]
    assert content(world) == before
    assert not witness.dark


def test_the_journal_says_the_form_and_carries_the_deployments_name(scene: World) -> None:
    climb(scene)
    journal = journal_from(next(item for item in scene.cluster.all("Secret") if item["metadata"]["name"].startswith("wge-journal-")))
    assert (journal.form, journal.release, journal.delivery) == ("manifests", NAME, "helm")


def test_an_old_manifest_applied_during_the_soak_is_a_fault_and_wg_serves_again(scene: World) -> None:
    """The old command writes ``app`` alone: with WGE's other label that selects nothing (K4)."""
    scene.set(soak_seconds=30)

    def apply(_seconds: float) -> None:
        service = scene.cluster.one("Service", NAME)
        if leads_to(scene, NAME) == "wge" and scene.told[-1].get("state") != "undo":
            service["spec"]["selector"] = {**service["spec"]["selector"], "app": NAME}
            scene.cluster.put(service)
            scene.controllers.settle()

    scene.clock.on_sleep.append(apply)
    outcome = climb(scene)
    assert outcome is not None
    assert outcome.verdict == "rolled_back", outcome.error
    assert leads_to(scene, NAME) == leads_to(scene, DOOR) == "wg"


@pytest.mark.parametrize("make", [legacy, rendered])
def test_the_shipped_roles_are_enough(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, make: Callable[[Path], World]) -> None:
    monkeypatch.chdir(tmp_path)
    world, rights = make(tmp_path), shipped_rights.writing()
    here = [replace(right, namespace=NAMESPACE) for right in rights if right.namespace == USUAL]
    here += [replace(right, name=NAMESPACE) for right in rights if right.name == USUAL]
    shipped_roles.enforced(world, [*rights, *here])
    assert {name: f.evidence for name, f in world.findings().items() if f.status in ("fail", "error")} == {}
    assert climb(world).verdict == "upgraded"  # type: ignore[union-attr]
    assert roll_back(world).verdict == "rolled_back"  # type: ignore[union-attr]
    assert climb(world).verdict == "upgraded"  # type: ignore[union-attr]
    assert shipped_rights.to_the_end(world) == "finalised"


# The local user


def test_the_local_user_that_was_given_is_there_before_wge_starts(scene: World) -> None:
    fault = Fault()
    climb(scene, fault)
    stored = scene.cluster.objects[LOGIN_SECRET]["data"]
    assert {key: base64.b64decode(value).decode() for key, value in stored.items()} == {"username": "ada", "password": HASH}
    assert fault.sent.index(("create", LOGIN_SECRET)) < fault.sent.index(("install", "weave-gitops-enterprise"))
    subjects = scene.cluster.one("ClusterRoleBinding", f"wge-admin-reader-{NAMESPACE}")["subjects"]
    assert [subject["name"] for subject in subjects] == ["ada"]


def test_the_one_password_of_the_last_build_of_that_time_is_taken_over(tmp_path: Path) -> None:
    world = legacy(tmp_path, OLD_LOGIN, ADMINS)
    world.set(login_secret={})
    assert world.findings()["TA-10"].status == "pass"
    assert climb(world).verdict == "upgraded"  # type: ignore[union-attr]
    stored = world.cluster.objects[LOGIN_SECRET]["data"]
    assert {key: base64.b64decode(value).decode() for key, value in stored.items()} == {"username": "admin", "password": HASH}


def test_without_any_local_user_the_upgrade_is_blocked_with_what_to_give(scene: World) -> None:
    scene.set(login_secret={})
    found = scene.findings()["CU-05"]
    assert found.blocks
    assert "ends at once without Secret cluster-user-auth" in found.evidence
    assert "wge_login_secret" in found.remedy


def test_with_one_people_are_told_that_they_have_to_log_in(scene: World) -> None:
    found = scene.findings()["CU-05"]
    assert (found.status, "WGE will offer the local user" in found.evidence) == ("warn", True)


def test_oidc_alone_will_do(scene: World) -> None:
    oidc = {"enabled": True, "issuerURL": "https://issuer.example.com", "clientCredentialsSecret": "oidc-auth"}
    scene.set(login_secret={}, values={"config": {"oidc": oidc}})
    assert "WGE will offer OIDC" in scene.findings()["CU-05"].evidence


def test_a_hash_that_is_none_is_named_before_anything_is_written(scene: World) -> None:
    scene.set(login_secret={**LOGIN, "password_hash": "in plain text"})
    found = scene.findings()["TA-10"]
    assert found.blocks
    assert "wge_login_secret" in found.remedy
    assert "in plain text" not in str(found)


def test_a_login_secret_that_is_there_is_left_as_it_is(tmp_path: Path) -> None:
    theirs = secret("cluster-user-auth", {"username": "jane", "password": HASH}, NAMESPACE)
    world = legacy(tmp_path, theirs)
    climb(world)
    assert world.cluster.objects[LOGIN_SECRET]["data"] == theirs["data"]


def test_a_release_never_gets_a_login_secret_from_the_settings(world: World) -> None:
    """An installation with OIDC alone shall not open a door because the whole fleet was given a local user."""
    world.cluster.remove("Secret", "cluster-user-auth")
    world.set(login_secret=LOGIN)
    climb(world)
    assert not [item for item in world.cluster.all("Secret") if item["metadata"]["name"] == "cluster-user-auth"]


def test_neither_plan_nor_journal_hold_the_hash(scene: World) -> None:
    shown = json.dumps(scene.evidence().plan.shown())
    climb(scene)
    journal = next(item for item in scene.cluster.all("Secret") if item["metadata"]["name"].startswith("wge-journal-"))
    for text in (shown, base64.b64decode(journal["data"]["journal"]).decode(), repr(scene.settings)):
        assert HASH not in text
        assert base64.b64encode(HASH.encode()).decode() not in text


# What is read of it


def test_no_check_forbids_it_and_those_of_a_release_say_why_they_are_skipped(scene: World) -> None:
    found = scene.findings()
    assert {name: finding.evidence for name, finding in found.items() if finding.blocks} == {}
    for name in ("CU-07", "CU-08", "CU-09", "CL-06"):
        assert (found[name].status, found[name].evidence) == ("skip", "Helm has stored no release of WG.")
    assert "no Helm release" in found["CU-01"].evidence


@pytest.mark.parametrize(("word", "status"), [("--watcher-port=9443", "pass"), ("--oidc-issuer-url=https://x", "fail"), ("--odd", "fail")])
def test_the_flags_of_that_time_are_known(tmp_path: Path, word: str, status: str) -> None:
    world = legacy(tmp_path, arguments=("ui", "run", "-l", word))
    found = world.findings()["CU-06"]
    assert found.status == status
    assert (word.split("=")[0] in found.evidence) is (status == "fail")


def test_wge_inherits_what_the_deployment_itself_says(tmp_path: Path) -> None:
    world = rendered(tmp_path)
    pods = world.cluster.one("Deployment", WG_NAME)["spec"]["template"]["spec"]
    pods["imagePullSecrets"] = [{"name": "mirror"}]
    pods["containers"][0]["args"] = ["--log-level", "debug", "--insecure"]
    pods["containers"][0]["env"] = [{"name": name, "value": "true"} for name in ("WEAVE_GITOPS_FEATURE_DEV_MODE", "HTTPS_PROXY")]
    now = world.look()
    found = values_for(now.snapshot.installed, now.snapshot.named, {})
    assert (found["imagePullSecrets"], found["config"]["logLevel"]) == ([{"name": "mirror"}], "debug")
    assert [entry["name"] for entry in found["extraEnvVars"]] == ["WEAVE_GITOPS_FEATURE_DEV_MODE", "WEAVE_GITOPS_FEATURE_TELEMETRY"]
    assert "HTTPS_PROXY" in world.findings()["CU-06"].evidence


@pytest.mark.parametrize(
    ("ports", "number"),
    [
        ([{"containerPort": 9001}], 9001),
        ([{"containerPort": 8080}], 8080),
        ([{"containerPort": 2112}, {"name": "http", "containerPort": 9001}], 9001),
        ([{"containerPort": 9001}, {"containerPort": 9980}], 0),
        ([{"name": "http-metrics", "containerPort": 2112}], 0),
        ([], 0),
    ],
)
def test_the_port_of_ui_and_api_is_the_named_one_or_the_only_one(ports: list[Object], number: int) -> None:
    assert ui_port({"ports": ports}) == number


def test_an_unnamed_port_is_no_port_called_none(scene: World) -> None:
    """A policy for a port of that name would not let anybody through to WG."""
    policy = {"podSelector": {"matchLabels": {"app": NAME}}, "ingress": [{"ports": [{"protocol": "TCP", "port": "None"}]}]}
    scene.cluster.put(thing("networking.k8s.io/v1", "NetworkPolicy", "odd", NAMESPACE, spec=policy))
    assert "wge-allow-edge" not in [write.path.rsplit("/", 1)[1] for write in scene.evidence().plan.writes]
