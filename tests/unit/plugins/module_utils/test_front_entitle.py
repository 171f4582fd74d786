# SPDX-License-Identifier: GPL-3.0-or-later
"""Installing and renewing as a user sees it: what is written, what is refused, and that a killed call is finished by the next."""

from __future__ import annotations

import base64
from pathlib import Path
from typing import Any

import pytest

from ansible_collections.weaveworks.wge.plugins.module_utils._argspec import ENTITLE_SPEC
from ansible_collections.weaveworks.wge.plugins.module_utils._errors import Forbidden, UnknownOutcome
from ansible_collections.weaveworks.wge.tests.unit.plugins.module_utils._engine.standin_products import NAMESPACE, WGE_NAME, secret, thing
from ansible_collections.weaveworks.wge.tests.unit.plugins.module_utils._engine.standin_running import SECRET, Running
from ansible_collections.weaveworks.wge.tests.unit.plugins.module_utils._engine.standin_vendor import STRANGER, TOKEN, token
from ansible_collections.weaveworks.wge.tests.unit.plugins.module_utils.front_door import Ask, door

PLACE = "Secret weave-gitops-enterprise-credentials in namespace flux-system"
NEW = token(customer="new@example.com", days=700)
EXPIRED = token(days=-3)
STRANGERS = token(STRANGER)
RESTARTED = "kubectl.kubernetes.io/restartedAt"
BOTH = ["create secrets", "patch deployments"]


def asking(monkeypatch: pytest.MonkeyPatch, running: Running, **more: Any) -> Ask:
    return door(monkeypatch, "entitle", ENTITLE_SPEC, running, **more)


@pytest.fixture
def running() -> Running:
    """WGE runs with a valid entitlement."""
    return Running(TOKEN)


@pytest.fixture
def install(monkeypatch: pytest.MonkeyPatch, running: Running) -> Ask:
    return asking(monkeypatch, running)


def template(running: Running) -> dict[str, Any]:
    return dict(running.server()["spec"]["template"])


def unchanged(running: Running) -> bool:
    return running.cluster.count("create", "patch", "delete") == 0


# The Secret


def test_a_missing_secret_is_created_and_wge_restarted(monkeypatch: pytest.MonkeyPatch) -> None:
    running = Running()
    found = asking(monkeypatch, running)(token=f"{TOKEN}\n")
    assert (found["changed"], found["verdict"], found["restarted"], found["effect"]) == (True, "installed", True, "entitled")
    assert (running.token(), running.writes()) == (TOKEN, BOTH)


def test_a_manifest_brings_its_other_keys(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    running = Running(wge=False)
    file = tmp_path / "secret.yaml"
    file.write_text(f"apiVersion: v1\nkind: Secret\nstringData: {{entitlement: {TOKEN}, username: me, password: p w, other: x}}\n")
    found = asking(monkeypatch, running)(path=str(file))
    data = running.cluster.one("Secret", SECRET)["data"]
    assert {key: base64.b64decode(value).decode() for key, value in data.items()} == {
        "entitlement": TOKEN,
        "username": "me",
        "password": "p w",
    }
    assert (found["verdict"], found["restarted"], found["effect"]) == ("installed", False, "not running")


def test_a_second_call_writes_nothing(install: Ask, running: Running) -> None:
    install(token=NEW, replace=True)
    running.later()
    running.cluster.requests.clear()
    found = install(token=NEW, replace=True)
    assert (found["changed"], found["verdict"], found["restarted"], found["plan"]) == (False, "unchanged", False, [])
    assert unchanged(running)


def test_a_different_one_is_refused_unless_told(install: Ask, running: Running) -> None:
    found = install(token=NEW)
    assert found["message"] == f"{PLACE} holds another entitlement than the one that was given."
    assert found["next_step"] == "It is never overwritten unless replace is true."
    assert found["verdict"] == "blocked" and unchanged(running)


def test_replacing_keeps_the_other_keys(install: Ask, running: Running) -> None:
    running.cluster.one("Secret", SECRET)["data"]["username"] = "bWU="
    found = install(token=NEW, replace=True)
    assert (running.token(), running.cluster.one("Secret", SECRET)["data"]["username"]) == (NEW, "bWU=")
    assert (found["restarted"], found["effect"], found["customer"]) == (True, "entitled", "new@example.com")


def test_a_key_that_is_missing_is_added_without_being_told(monkeypatch: pytest.MonkeyPatch) -> None:
    running = Running(wge=False)
    running.cluster.put(secret(SECRET, {"username": "me"}))
    asking(monkeypatch, running)(token=TOKEN)
    assert running.token() == TOKEN and running.cluster.one("Secret", SECRET)["data"]["username"]


@pytest.mark.parametrize("empty", [{"data": {}}, {"data": None}, {}])
def test_a_secret_without_data_is_filled(monkeypatch: pytest.MonkeyPatch, empty: dict[str, Any]) -> None:
    running = Running(wge=False)
    item = secret(SECRET, {})
    del item["data"]
    running.cluster.put({**item, **empty})
    asking(monkeypatch, running)(token=TOKEN)
    assert running.token() == TOKEN


def test_a_line_end_after_the_stored_token_is_no_difference(monkeypatch: pytest.MonkeyPatch) -> None:
    running = Running(TOKEN + "\n")
    assert asking(monkeypatch, running)(token=TOKEN)["verdict"] == "unchanged"


def test_a_blank_after_the_stored_token_is_one(monkeypatch: pytest.MonkeyPatch) -> None:
    running = Running(TOKEN + " ")
    assert asking(monkeypatch, running)(token=TOKEN, replace=True)["effect"] == "entitled"


def test_a_namespace_that_is_not_there_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    found = asking(monkeypatch, Running(wge=False))(token=TOKEN, secret_namespace="nowhere")
    assert found["message"] == "Namespace nowhere, where the entitlement is to be stored, does not exist."


def test_an_immutable_secret_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    running = Running(TOKEN)
    running.store(TOKEN, immutable=True)
    found = asking(monkeypatch, running)(token=NEW, replace=True)
    assert f"{PLACE} is immutable" in found["message"] and unchanged(running)


@pytest.mark.parametrize(
    ("marks", "keeper"),
    [
        ({"ownerReferences": [{"kind": "ExternalSecret", "name": "wge", "controller": True}]}, "the ExternalSecret wge"),
        ({"ownerReferences": [{"kind": "SealedSecret", "name": "wge"}]}, "the SealedSecret wge"),
        ({"labels": {"reconcile.external-secrets.io/managed": "true"}}, "the External Secrets operator"),
        ({"labels": {"kustomize.toolkit.fluxcd.io/name": "apps"}}, "the Flux Kustomization apps"),
    ],
)
def test_a_secret_that_somebody_keeps_is_left_to_them(install: Ask, running: Running, marks: dict[str, Any], keeper: str) -> None:
    running.cluster.one("Secret", SECRET)["metadata"].update(marks)
    found = install(token=NEW, replace=True)
    assert found["message"] == f"{PLACE} is kept by {keeper}, which would undo what is written here."
    assert "external: true" in found["next_step"] and unchanged(running)


def test_somebody_who_writes_at_the_same_moment_is_not_overwritten(install: Ask, running: Running) -> None:
    real = running.cluster.patch

    def late(path: str, operations: Any, **more: Any) -> Any:
        if "/secrets/" in path:
            running.cluster.patch = real  # type: ignore[method-assign]
            running.store(token(customer="meanwhile@example.com"))
        return real(path, operations, **more)

    running.cluster.patch = late  # type: ignore[method-assign]
    found = install(token=NEW, replace=True)
    assert found["verdict"] == "safe_stop" and "Somebody else changed" in found["message"]
    assert running.token() == token(customer="meanwhile@example.com")


@pytest.mark.parametrize("applied", [True, False])
def test_a_lost_answer_is_looked_up(install: Ask, running: Running, applied: bool) -> None:
    real = running.cluster.patch

    def lossy(path: str, operations: Any, **more: Any) -> Any:
        running.cluster.patch = real  # type: ignore[method-assign]
        if applied:
            real(path, operations, **more)
        raise UnknownOutcome("The answer was lost.")

    running.cluster.patch = lossy  # type: ignore[method-assign]
    assert install(token=NEW, replace=True)["effect"] == "entitled"
    assert running.token() == NEW


# What is given


def test_an_invalid_one_is_refused_before_a_write(install: Ask, running: Running) -> None:
    found = install(token=STRANGERS, replace=True)
    assert found["message"].startswith("The entitlement that was given is not valid: Its signature was not made by")
    assert found["verdict"] == "blocked" and unchanged(running)


def test_an_expired_one_is_installed_with_a_warning(install: Ask, running: Running) -> None:
    found = install(token=EXPIRED, replace=True)
    assert (found["verdict"], found["expired"], found["effect"]) == ("installed", True, "expired")
    assert any("WGE works, and warns its users" in warning for warning in found["warnings"])
    assert running.token() == EXPIRED


def test_an_expired_one_is_refused_when_told(install: Ask, running: Running) -> None:
    found = install(token=EXPIRED, replace=True, fail_if_expired=True)
    assert found["message"] == "The entitlement that was given expired on 2026-11-20T12:00:00Z." and unchanged(running)


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({}, "No entitlement was given."),
        ({"token": TOKEN, "path": "file"}, "Both token and path were given."),
        ({"token": TOKEN, "external": True}, "external is true, and an entitlement was given as well."),
        ({"token": TOKEN, "ready_seconds": -1.0}, "ready_seconds is -1."),
    ],
)
def test_options_that_do_not_fit_are_refused(
    install: Ask, running: Running, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, given: dict[str, Any], words: str
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "file").write_text(TOKEN)
    assert install(**given)["message"] == words
    assert running.cluster.requests == []


# Check mode


def test_check_mode_plans_and_hides_the_bytes(install: Ask, running: Running) -> None:
    found = install(token=NEW, replace=True, check=True, diff=True)
    assert (found["verdict"], found["changed"], len(found["plan"]), len(found["diff"])) == ("planned", True, 3, 3)
    assert unchanged(running) and "(hidden)" in str(found["diff"])
    for secret_text in (NEW, TOKEN, base64.b64encode(NEW.encode()).decode(), base64.b64encode(TOKEN.encode()).decode()):
        assert secret_text not in str(found)


def test_check_mode_with_nothing_to_do(install: Ask) -> None:
    found = install(token=TOKEN, check=True)
    assert (found["verdict"], found["changed"]) == ("unchanged", False)


# The restart


def test_the_restart_brings_what_the_server_lacks(install: Ask, running: Running) -> None:
    install(token=NEW, replace=True)
    spec, server = running.server()["spec"], template(running)["spec"]["containers"][0]
    assert spec["strategy"] == {"type": "RollingUpdate", "rollingUpdate": {"maxSurge": 1, "maxUnavailable": 0}}
    assert {"readinessProbe", "startupProbe", "lifecycle"} <= set(server) and RESTARTED in template(running)["metadata"]["annotations"]


@pytest.mark.parametrize(
    "strategy", [{"type": "Recreate"}, {"type": "RollingUpdate", "rollingUpdate": {"maxSurge": "25%", "maxUnavailable": 1}}]
)
def test_a_strategy_with_a_gap_is_changed(install: Ask, running: Running, strategy: dict[str, Any]) -> None:
    running.server()["spec"]["strategy"] = strategy
    install(token=NEW, replace=True)
    assert running.server()["spec"]["strategy"]["rollingUpdate"]["maxUnavailable"] == 0


def test_a_strategy_without_a_gap_stays(install: Ask, running: Running) -> None:
    own = {"type": "RollingUpdate", "rollingUpdate": {"maxSurge": "50%", "maxUnavailable": "0%"}}
    running.server()["spec"]["strategy"] = own
    install(token=NEW, replace=True)
    assert running.server()["spec"]["strategy"] == own


def test_probes_that_are_there_stay(install: Ask, running: Running) -> None:
    own = {"httpGet": {"path": "/own", "port": "server", "scheme": "HTTPS"}}
    running.server()["spec"]["template"]["spec"]["containers"][0]["readinessProbe"] = own
    install(token=NEW, replace=True)
    assert template(running)["spec"]["containers"][0]["readinessProbe"] == own


def test_a_server_without_a_drain_time_is_warned_of(install: Ask, running: Running) -> None:
    first = install(token=NEW, replace=True)
    assert any("drain time" in warning for warning in first["warnings"])
    running.later()
    assert not install(token=TOKEN, replace=True)["warnings"]


def test_it_can_be_left_to_the_user(install: Ask, running: Running) -> None:
    running.controllers.loaded[running.pod()] = "none"
    found = install(token=NEW, replace=True, restart=False)
    assert (found["restarted"], found["effect"], running.writes()) == (False, "none", ["patch secrets"])
    assert "the next restart will help" in found["advice"]


@pytest.mark.parametrize("shown", ["none", "expired"])
def test_wge_that_does_not_run_with_what_is_stored_is_restarted(install: Ask, running: Running, shown: str) -> None:
    running.controllers.loaded[running.pod()] = shown
    found = install(token=TOKEN)
    assert (found["restarted"], found["effect"], running.writes()) == (True, "entitled", ["patch deployments"])


def test_the_same_second_counts_as_older(install: Ask, running: Running) -> None:
    started = running.cluster.one("Pod", running.pod())["metadata"]["creationTimestamp"]
    running.cluster.one("Secret", SECRET)["metadata"]["managedFields"] = [{"time": started, "fieldsV1": {"f:data": {}}}]
    assert install(token=TOKEN)["restarted"]


def test_only_a_write_of_the_data_makes_the_secret_newer(install: Ask, running: Running) -> None:
    entries = [
        {"time": "2027-01-01T00:00:00Z", "fieldsV1": {"f:metadata": {}}},
        {"time": "2026-01-01T00:00:00Z", "fieldsV1": {"f:data": {}}},
    ]
    running.cluster.one("Secret", SECRET)["metadata"]["managedFields"] = entries
    assert install(token=TOKEN)["verdict"] == "unchanged"


def test_a_container_that_started_again_has_read_it_again(install: Ask, running: Running) -> None:
    pod = running.cluster.one("Pod", running.pod())
    pod["metadata"]["creationTimestamp"] = "2026-01-01T00:00:00Z"
    assert install(token=TOKEN)["verdict"] == "unchanged"


def test_a_new_pod_that_never_gets_ready_is_a_safe_stop(install: Ask, running: Running) -> None:
    running.controllers.broken.add(WGE_NAME)
    found = install(token=NEW, replace=True, ready_seconds=5.0)
    assert found["verdict"] == "safe_stop" and found["changed"] and "The old pod still serves." in found["message"]


def test_a_wge_that_is_not_ready_is_not_restarted_and_a_warning_says_so(install: Ask, running: Running) -> None:
    running.cluster.one("Pod", running.pod())["status"]["conditions"] = []
    found = install(token=NEW, replace=True)
    assert (found["verdict"], found["restarted"], found["effect"]) == ("installed", False, "unknown")
    assert found["warnings"] == ["WGE was not restarted: none of WGE's pods is ready. Run this again when it serves."]


def test_a_paused_roll_out_is_named_before_a_write(install: Ask, running: Running) -> None:
    running.server()["spec"]["paused"] = True
    assert "is paused" in install(token=NEW, replace=True)["message"] and unchanged(running)


def test_a_wge_that_reads_another_secret_is_named_before_a_write(install: Ask, running: Running) -> None:
    running.server()["spec"]["template"]["spec"]["containers"][0]["args"] = ["--entitlement-secret-namespace=ours"]
    found = install(token=NEW, replace=True)
    assert found["message"] == f"WGE reads its entitlement from {PLACE.replace('flux-system', 'ours')}, and not from {PLACE}."
    assert unchanged(running)


def test_missing_rights_to_see_wge_stop_it_before_a_write(install: Ask, running: Running) -> None:
    def refuse(verb: str, path: str) -> None:
        if path.endswith("/pods"):
            raise Forbidden(f"GET {path} is forbidden: no.", "Give our user this right.")

    running.cluster.before = refuse
    assert "is forbidden" in install(token=NEW, replace=True)["message"] and unchanged(running)
    found = install(token=NEW, replace=True, restart=False)
    assert (found["verdict"], found["effect"]) == ("installed", "unknown")


# An upgrade at work


def lease(running: Running) -> dict[str, Any]:
    spec = {"holderIdentity": "them", "leaseDurationSeconds": 30}
    return running.cluster.put(thing("coordination.k8s.io/v1", "Lease", "wge-upgrade", NAMESPACE, spec=spec))


def test_an_upgrade_at_work_is_not_disturbed(install: Ask, running: Running) -> None:
    held = lease(running)
    running.clock.on_sleep.append(lambda _seconds: running.cluster.put(held) and None)
    found = install(token=NEW, replace=True)
    assert found["verdict"] == "blocked" and "An upgrade is at work on this cluster" in found["message"] and unchanged(running)


def test_a_lock_that_nobody_renews_is_waited_out(install: Ask, running: Running) -> None:
    lease(running)
    assert install(token=NEW, replace=True)["verdict"] == "installed"


# External


def test_an_external_secret_is_waited_for_and_never_written(monkeypatch: pytest.MonkeyPatch) -> None:
    running = Running()
    running.clock.on_sleep.append(lambda _seconds: running.store(TOKEN) if running.clock.now > 8 and not _there(running) else None)
    found = asking(monkeypatch, running)(external=True)
    assert (found["verdict"], found["effect"], running.writes()) == ("installed", "entitled", ["patch deployments"])


def test_it_says_what_is_wrong_when_it_does_not_come(monkeypatch: pytest.MonkeyPatch) -> None:
    found = asking(monkeypatch, Running())(external=True, ready_seconds=3.0)
    assert found["verdict"] == "blocked"
    assert found["message"] == f"{PLACE} holds no valid entitlement: not after 3 s, There is no {PLACE}."


def _there(running: Running) -> bool:
    return any(item["metadata"]["name"] == SECRET for item in running.cluster.all("Secret"))
