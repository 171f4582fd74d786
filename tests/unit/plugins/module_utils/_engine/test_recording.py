# SPDX-License-Identifier: GPL-3.0-or-later
"""A preflight that was recorded gives the same findings once more, without the cluster."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from ansible_collections.weaveworks.wge.plugins.module_utils._engine.checks import registry
from ansible_collections.weaveworks.wge.plugins.module_utils._engine.checks.evidence import passed
from ansible_collections.weaveworks.wge.plugins.module_utils._engine.compatibility_data import table
from ansible_collections.weaveworks.wge.plugins.module_utils._engine.model import Answer, Release
from ansible_collections.weaveworks.wge.plugins.module_utils._engine.recording import file
from ansible_collections.weaveworks.wge.plugins.module_utils._engine.recording.again import replay
from ansible_collections.weaveworks.wge.plugins.module_utils._engine.recording.live import RecordingCluster
from ansible_collections.weaveworks.wge.plugins.module_utils._engine.recording.record import Record
from ansible_collections.weaveworks.wge.plugins.module_utils._engine.recording.replay import RecordedCluster, RecordedHelm
from ansible_collections.weaveworks.wge.plugins.module_utils._errors import (
    Blocked,
    Conflict,
    HelmFailed,
    Interrupted,
    SafeStop,
    Unreachable,
)
from ansible_collections.weaveworks.wge.tests.unit.plugins.module_utils._engine.standin_edge import forbid, gateway_route, speak_https
from ansible_collections.weaveworks.wge.tests.unit.plugins.module_utils._engine.standin_products import WG_NAME, entitlement
from ansible_collections.weaveworks.wge.tests.unit.plugins.module_utils._engine.standin_record import again, recorded
from ansible_collections.weaveworks.wge.tests.unit.plugins.module_utils._engine.standin_vendor import token
from ansible_collections.weaveworks.wge.tests.unit.plugins.module_utils._engine.standin_world import World

STORED = {check.id for check in registry.CHECKS if check.stored}


def assert_same(world: World, path: Path, ask: Callable[[str], Answer] | None = None) -> dict[str, registry.Finding]:
    """Record, save, judge again; the findings must be equal, but for the words that tell which were stored."""
    record, evidence = recorded(world, ask)
    assert evidence is not None
    found, findings = again(record, path)
    then = evidence.judged
    for name, finding in findings.items():
        assert finding.status == then[name].status, (name, finding, then[name])
        ending = " (as recorded)" if name in STORED else ""
        assert finding.evidence == then[name].evidence + ending
        assert finding.remedy == then[name].remedy
    assert set(findings) == set(then)
    assert found.plan.shown() == evidence.plan.shown()
    return findings


def bad_login(world: World) -> None:
    world.cluster.one("Secret", "cluster-user-auth")["data"]["password"] = "bm90IGEgaGFzaA=="


def expired(world: World) -> None:
    world.cluster.put(entitlement(token(days=-3)))


def no_rights(world: World) -> None:
    world.cluster.rules = []


def drifted(world: World) -> None:
    world.cluster.one("Deployment", WG_NAME)["spec"]["replicas"] = 3


def half_climbed(world: World) -> None:
    world.climb("prepared")


def parked(world: World) -> None:
    world.climb()


def forbidden(world: World) -> None:
    forbid(world, "customresourcedefinitions")


def not_ready(world: World) -> None:
    world.cluster.ready = Answer(500, {}, b"etcd failed")


def routed(world: World) -> None:
    gateway_route(world, namespace="elsewhere")


@pytest.mark.parametrize(
    ("change", "check", "status"),
    [
        (lambda _world: None, "CL-01", "pass"),
        (bad_login, "TA-10", "fail"),
        (expired, "EN-04", "warn"),
        (no_rights, "PE-02", "fail"),
        (drifted, "CU-07", "warn"),
        (half_climbed, "CL-01", "pass"),
        (parked, "TA-05", "skip"),
        (forbidden, "TA-06", "error"),
        (not_ready, "CL-01", "fail"),
        (speak_https, "CU-01", "pass"),
        (routed, "NE-02", ""),
    ],
)
def test_a_replay_finds_what_was_found(world: World, tmp_path: Path, change: Callable[[World], None], check: str, status: str) -> None:
    change(world)
    findings = assert_same(world, tmp_path / "x.json.gz")
    assert status in ("", findings[check].status), findings[check]


@pytest.mark.parametrize("user", ["admin", "wego-admin", "somebody-else"])
def test_the_plan_is_the_same_whatever_the_admin_is_called(tmp_path: Path, user: str) -> None:
    made = World()
    made.install_wg(user=user)
    assert_same(made, tmp_path / "x.json")


def test_entry_urls_are_answered_from_the_record_too(world: World, tmp_path: Path) -> None:
    world.set(entry_urls=("https://wg.example.com",))
    asked: list[str] = []

    def ask(url: str) -> Answer:
        asked.append(url)
        if len(asked) == 2:
            raise Unreachable("Nobody answers at https://wg.example.com.")
        return Answer(200, {"set-cookie": "id=canary-cookie", "content-type": "text/html"}, b"<!doctype html>\xff")

    findings = assert_same(world, tmp_path / "x.json", ask)
    assert findings["NE-10"].status == "fail"
    assert asked
    assert "canary-cookie" not in (tmp_path / "x.json").read_text()


def test_a_cluster_that_cannot_be_judged_says_the_same_again(tmp_path: Path) -> None:
    record, evidence = recorded(World())
    assert evidence is None
    with pytest.raises(Blocked, match="No Weave GitOps was found"):
        again(record, tmp_path / "x.json")


def test_a_chart_that_helm_could_not_render_says_the_same_again(world: World, tmp_path: Path) -> None:
    world.helm.fails.add("template")
    record, _ = recorded(world)
    with pytest.raises(HelmFailed, match="helm template failed"):
        again(record, tmp_path / "x.json")


def test_the_record_is_judged_by_its_own_time(world: World, tmp_path: Path) -> None:
    record, evidence = recorded(world)
    found, _ = again(record, tmp_path / "x.json")
    assert evidence is not None
    assert found.evidence.time == evidence.time
    assert found.now.run == evidence.now.run


def test_no_request_is_counted(world: World, tmp_path: Path) -> None:
    found, _ = again(recorded(world)[0], tmp_path / "x.json")
    assert found.evidence.cluster.counters.requests == 0


def test_a_question_that_was_not_asked_then_is_one_sentence(world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    record, _ = recorded(world)

    def newer(evidence: registry.Evidence) -> registry.Judged:
        return passed(str(evidence.cluster.get("/api/v1/namespaces/other")))

    row = registry.Check("XX-01", "x", "x", "block", newer, "", "")
    monkeypatch.setattr(registry, "CHECKS", (row, replace(row, id="XX-02", stored=True)))
    _, findings = again(record, tmp_path / "x.json")
    assert findings["XX-01"].status == findings["XX-02"].status == "error"
    assert findings["XX-01"].evidence == "This snapshot does not hold /api/v1/namespaces/other."
    assert findings["XX-01"].remedy == "Take a new snapshot with this version, where the cluster can be reached."
    assert findings["XX-02"].evidence == "This snapshot does not hold what XX-02 has found."


def test_answers_to_one_question_come_in_their_order_and_the_last_one_stays(world: World) -> None:
    record = Record()
    live, path = RecordingCluster(world.cluster, record), "/api/v1/nodes/node-1"
    live.get(path)
    world.cluster.remove("Node", "node-1")
    live.get(path)
    past = RecordedCluster(record)
    assert [past.get(path) is None for _ in range(3)] == [False, True, True]


def test_a_refusal_comes_again_with_its_class_and_reason(world: World) -> None:
    record = Record()
    live = RecordingCluster(world.cluster, record)
    body = world.cluster.one("Node", "node-1")
    with pytest.raises(Conflict):
        live.create("/api/v1/nodes", body, dry_run=True)
    with pytest.raises(Conflict, match="exists") as caught:
        RecordedCluster(record).create("/api/v1/nodes", body, dry_run=True)
    assert caught.value.reason == "AlreadyExists"


def test_a_request_to_stop_is_no_answer(world: World) -> None:
    def stop(_verb: str, _path: str) -> None:
        raise Interrupted("Stopped.")

    world.cluster.before = stop
    record = Record()
    with pytest.raises(Interrupted):
        RecordingCluster(world.cluster, record).get("/version")
    assert record.answers == {}


def test_a_snapshot_is_never_written_to() -> None:
    cluster, helm, sentence = RecordedCluster(Record()), RecordedHelm(Record()), "A snapshot cannot be written to"
    for write in (
        lambda: cluster.create("/api/v1/nodes", {}),
        lambda: cluster.patch("/api/v1/nodes/x", []),
        lambda: cluster.delete("/api/v1/nodes/x", uid=""),
        lambda: helm.install(Release("x", "y", "z")),
        lambda: helm.uninstall("x", "y"),
    ):
        with pytest.raises(SafeStop, match=sentence):
            write()


def test_recording_adds_no_request(world: World) -> None:
    world.findings()
    plain = world.cluster.counters.requests
    recorded(world)
    assert world.cluster.counters.requests == 2 * plain


def test_a_newer_table_of_versions_may_be_given_to_an_old_record(world: World, tmp_path: Path) -> None:
    path = str(tmp_path / "x.json")
    file.save(recorded(world)[0], path)
    newer = {**table(), "wge_releases": [{**entry, "version": "9.9.9"} for entry in table()["wge_releases"][-1:]]}
    assert replay(file.load(path), newer).evidence.now.settings.compatibility.newest_wge == "9.9.9"
