# SPDX-License-Identifier: GPL-3.0-or-later
"""Saving a preflight and making it again, as a user sees it: options in, result out."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from ansible_collections.weaveworks.wge.plugins.module_utils._argspec import PREFLIGHT_SPEC
from ansible_collections.weaveworks.wge.plugins.module_utils._engine.compatibility_data import table
from ansible_collections.weaveworks.wge.plugins.module_utils._engine.work import Tools
from ansible_collections.weaveworks.wge.plugins.module_utils._errors import Interrupted, Unreachable
from ansible_collections.weaveworks.wge.plugins.module_utils._front import Surroundings, call, session
from ansible_collections.weaveworks.wge.tests.unit.plugins.module_utils._engine.standin import UID
from ansible_collections.weaveworks.wge.tests.unit.plugins.module_utils._engine.standin_vendor import PUBLIC_KEY, TOKEN
from ansible_collections.weaveworks.wge.tests.unit.plugins.module_utils._engine.standin_world import World

Ask = Callable[..., dict[str, Any]]
WAIVER = {"id": "NE-01", "who": "ops", "reason": "known", "expires": "2027-01-31"}


@pytest.fixture
def world() -> World:
    made = World()
    made.install_wg()
    return made


@pytest.fixture
def preflight(monkeypatch: pytest.MonkeyPatch, world: World) -> Ask:
    """Asks for a preflight of the stand-in; what helm and the connection are is faked at the edge."""
    credentials = SimpleNamespace(current=lambda: SimpleNamespace(expires=None))
    monkeypatch.setattr(session, "connection_from", lambda _params, _environment: SimpleNamespace(server="https://api", user=None))
    monkeypatch.setattr(session, "KubeCluster", lambda _connection, **_more: world.cluster)
    monkeypatch.setattr(session, "SharedRendering", lambda *_helm, **_more: world.helm)
    monkeypatch.setattr(world.cluster, "credentials", credentials, raising=False)
    monkeypatch.setattr(world.cluster, "skew", 0.0, raising=False)
    monkeypatch.setattr("ansible_collections.weaveworks.wge.plugins.module_utils._front.judging.end_of", lambda *_given: None)
    monkeypatch.setattr(
        session.Session,
        "tools",
        property(lambda self: Tools(self.asked, self.helm, world.probes, world.clock, lambda: "", lambda _event: None)),
    )
    return ask


def ask(*, check: bool = False, **given: Any) -> dict[str, Any]:
    params = {name: given.get(name, option.get("default")) for name, option in PREFLIGHT_SPEC.items()}
    return call("preflight", params, Surroundings(lambda: "", lambda _event: None, check_mode=check))


def live(preflight: Ask, path: Path, **more: Any) -> dict[str, Any]:
    given = {"chart": "repo/mccp", "entitlement": TOKEN, "entitlement_public_keys": [PUBLIC_KEY], "output": "full", "fail_on": "never"}
    return preflight(**{**given, "snapshot_to": str(path), **more})


def offline(path: Path, monkeypatch: pytest.MonkeyPatch, **more: Any) -> dict[str, Any]:
    """With everything taken away that could reach a cluster."""
    for name in ("connection_from", "KubeCluster", "SharedRendering", "HelmProgram"):
        monkeypatch.setattr(session, name, None)
    monkeypatch.delattr(session.Session, "tools", raising=False)
    return ask(**{"snapshot_from": str(path), "output": "full", "fail_on": "never", **more})


def test_a_replay_is_the_recorded_result_and_says_so(preflight: Ask, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "x.json.gz"
    then = live(preflight, path)
    now = offline(path, monkeypatch)
    for name in ("verdict", "rung", "summary", "plan", "plan_hash", "entitlement", "cluster"):
        assert now[name] == then[name], name
    assert [c["status"] for c in now["checks"]] == [c["status"] for c in then["checks"]]
    assert now["snapshot"] == {**then["snapshot"], "differs": []}
    assert then["snapshot"]["cluster"] == UID
    assert now["api"]["requests"] == 0
    assert "failed" not in now


def test_a_red_finding_comes_again_and_fails_the_task(
    preflight: Ask, world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    world.cluster.one("Secret", "cluster-user-auth")["data"]["password"] = "bm90IGEgaGFzaA=="
    then = live(preflight, tmp_path / "x.json", fail_on="block")
    assert then["failed"]
    now = offline(tmp_path / "x.json", monkeypatch, fail_on="block")
    assert now["failed"]
    assert now["verdict"] == then["verdict"] == "blocked"
    assert now["message"].replace(" (as recorded)", "") == then["message"]
    assert now["message"] != then["message"]


def test_a_cluster_without_wg_is_saved_too_and_says_the_same_again(
    preflight: Ask, world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    world.cluster.objects.clear()
    world.cluster.put({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "kube-system", "uid": UID}})
    then = live(preflight, tmp_path / "x.json")
    now = offline(tmp_path / "x.json", monkeypatch)
    assert now["message"] == then["message"] == "No Weave GitOps was found on this cluster."
    assert json.loads((tmp_path / "x.json").read_text())["uid"] == UID


def test_a_cluster_that_does_not_answer_is_saved_with_that(
    preflight: Ask, world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def gone(_verb: str, _path: str) -> None:
        raise Unreachable("It does not answer.")

    world.cluster.before = gone
    assert live(preflight, tmp_path / "x.json")["verdict"] == "unreachable"
    assert offline(tmp_path / "x.json", monkeypatch)["message"] == "It does not answer."


def test_a_preflight_that_was_stopped_leaves_no_snapshot(preflight: Ask, world: World, tmp_path: Path) -> None:
    def stop(verb: str, _path: str) -> None:
        if verb == "review":
            raise Interrupted("Stopped.")

    world.cluster.before = stop
    assert live(preflight, tmp_path / "x.json")["failed"]
    assert list(tmp_path.iterdir()) == []


def test_both_options_at_once_are_refused_before_anything_is_asked(preflight: Ask, world: World) -> None:
    result = preflight(snapshot_to="/x", snapshot_from="/y")
    assert result["msg"] == "Both snapshot_to and snapshot_from were given. Give one: a snapshot is taken of a live cluster."
    assert world.cluster.requests == []


def test_a_folder_is_refused_before_anything_is_asked(preflight: Ask, world: World, tmp_path: Path) -> None:
    result = live(preflight, tmp_path)
    assert result["message"] == f"{tmp_path} (snapshot_to) is a folder."
    assert world.cluster.requests == []


def test_a_file_that_cannot_be_written_is_told_beside_what_ended_the_preflight(preflight: Ask, world: World, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    world.cluster.remove("Deployment", "ww-gitops-weave-gitops")
    result = live(preflight, tmp_path / "file" / "x.json")
    assert result["message"] == "No Weave GitOps was found on this cluster."
    assert f"No snapshot was taken: The file {tmp_path}/file/x.json cannot be written" in result["next_step"]


def test_a_file_that_cannot_be_written_fails_a_preflight_that_went_well(preflight: Ask, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    assert "cannot be written" in live(preflight, tmp_path / "file" / "x.json")["message"]


def test_a_waiver_may_be_tried_on_a_snapshot(preflight: Ask, world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    world.cluster.one("Secret", "cluster-user-auth")["data"]["password"] = "bm90IGEgaGFzaA=="
    live(preflight, tmp_path / "x.json")
    now = offline(tmp_path / "x.json", monkeypatch, waivers=[{**WAIVER, "id": "TA-10"}])
    assert next(c for c in now["checks"] if c["id"] == "TA-10")["waiver"]["who"] == "ops"
    assert now["snapshot"]["differs"] == []


def test_the_waivers_of_then_count_unless_others_are_given(
    preflight: Ask, world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    world.cluster.one("Secret", "cluster-user-auth")["data"]["password"] = "bm90IGEgaGFzaA=="
    waiver = {**WAIVER, "id": "TA-10"}
    then = live(preflight, tmp_path / "x.json", waivers=[waiver])
    now = offline(tmp_path / "x.json", monkeypatch)
    assert [check["waiver"] for check in now["checks"]] == [check["waiver"] for check in then["checks"]]
    assert now["verdict"] == then["verdict"]
    other = offline(tmp_path / "x.json", monkeypatch, waivers=[{**waiver, "who": "someone else"}])
    assert next(check for check in other["checks"] if check["id"] == "TA-10")["waiver"]["who"] == "someone else"


def test_a_check_that_judges_otherwise_by_now_is_named(preflight: Ask, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "x.json"
    live(preflight, path)
    data = json.loads(path.read_text())
    data["judged"]["CL-01"] = ["fail", "It was slow.", ""]
    path.write_text(json.dumps(data))
    assert offline(path, monkeypatch)["snapshot"]["differs"] == ["CL-01"]


def test_check_mode_saves_a_snapshot_as_well(preflight: Ask, tmp_path: Path) -> None:
    assert not live(preflight, tmp_path / "x.json", check=True).get("failed")
    assert (tmp_path / "x.json").exists()


def test_a_table_of_versions_that_was_given_is_in_the_snapshot(preflight: Ask, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    newest = [{**entry, "version": "9.9.9"} for entry in table()["wge_releases"][-1:]]
    then = live(preflight, tmp_path / "x.json", compatibility={**table(), "wge_releases": newest})
    now = offline(tmp_path / "x.json", monkeypatch)
    assert json.loads((tmp_path / "x.json").read_text())["compatibility"]["wge_releases"] == newest
    assert [c["status"] for c in now["checks"]] == [c["status"] for c in then["checks"]]
    assert offline(tmp_path / "x.json", monkeypatch, compatibility=dict(table()))["snapshot"]["differs"]
