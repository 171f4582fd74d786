# SPDX-License-Identifier: GPL-3.0-or-later
"""Verifying as a user sees it: what each source says, what runs, and one sentence for everything that is wrong."""

from __future__ import annotations

import base64
from pathlib import Path
from typing import Any

import pytest

from ansible_collections.weaveworks.wge.plugins.module_utils._argspec import VERIFY_SPEC
from ansible_collections.weaveworks.wge.plugins.module_utils._engine.entitlement.advice import ADVICE
from ansible_collections.weaveworks.wge.plugins.module_utils._engine.model import Answer
from ansible_collections.weaveworks.wge.plugins.module_utils._errors import Forbidden
from ansible_collections.weaveworks.wge.tests.unit.plugins.module_utils._engine.standin import NOW
from ansible_collections.weaveworks.wge.tests.unit.plugins.module_utils._engine.standin_products import NAMESPACE, WGE_NAME, secret
from ansible_collections.weaveworks.wge.tests.unit.plugins.module_utils._engine.standin_running import SECRET, Running
from ansible_collections.weaveworks.wge.tests.unit.plugins.module_utils._engine.standin_vendor import STRANGER, TOKEN, token
from ansible_collections.weaveworks.wge.tests.unit.plugins.module_utils.front_door import Ask, door

PLACE = "Secret weave-gitops-enterprise-credentials in namespace flux-system"
EXPIRED = token(days=-3)
FORGED = token(STRANGER)


def asking(monkeypatch: pytest.MonkeyPatch, running: Running) -> Ask:
    return door(monkeypatch, "verify", VERIFY_SPEC, running)


@pytest.fixture
def entitled() -> Running:
    return Running(TOKEN)


@pytest.fixture
def verify(monkeypatch: pytest.MonkeyPatch, entitled: Running) -> Ask:
    return asking(monkeypatch, entitled)


def test_a_token_is_judged_without_a_cluster(verify: Ask, entitled: Running) -> None:
    found = verify(token=f"\n{TOKEN}\n")
    assert (found["valid"], found["expired"], found["customer"], found["days_left"]) == (True, False, "test@example.com", 364)
    assert entitled.cluster.requests == [] and "cluster" not in found and found["effect"] == ""
    assert not found["changed"] and TOKEN not in str(found)


def test_the_clusters_own_time_counts_when_it_is_read(verify: Ask, entitled: Running) -> None:
    entitled.clock.now += 400 * 86400  # of the controller, which is wrong
    found = verify()
    assert found["time"].startswith(NOW.strftime("%Y-%m-%d")) and not found["expired"]
    assert verify(token=TOKEN)["expired"]


def test_a_file_may_be_the_token_or_its_secret(verify: Ask, tmp_path: Path) -> None:
    bare, manifest = tmp_path / "bare", tmp_path / "manifest"
    bare.write_text(TOKEN + "\n")
    manifest.write_text(f"apiVersion: v1\nkind: Secret\nstringData:\n  entitlement: {TOKEN}\n  username: me\n")
    assert verify(path=str(bare))["valid"] and verify(path=str(manifest))["valid"]


def test_a_file_that_is_not_there_is_named(verify: Ask, tmp_path: Path) -> None:
    found = verify(path=str(tmp_path / "nowhere"))
    assert found["failed"] and "nowhere cannot be read" in found["msg"]


def test_several_come_in_one_order(verify: Ask, tmp_path: Path) -> None:
    (tmp_path / "file").write_text(EXPIRED)
    found = verify(token=FORGED, path=str(tmp_path / "file"), secret_name=SECRET, fail_if_invalid=False)
    assert [(entry["source"], entry["valid"], entry["expired"]) for entry in found["entitlements"]] == [
        ("secret", True, False),
        ("path", True, True),
        ("token", False, False),
    ]
    assert found["valid"] and not found["expired"]
    assert found["warnings"] == ["The entitlement of test@example.com expired on 2026-11-20T12:00:00Z: WGE works, and warns its users."]


def test_an_invalid_one_fails_with_one_sentence(verify: Ask) -> None:
    found = verify(token=FORGED)
    assert (found["failed"], found["verdict"]) == (True, "blocked")
    assert found["message"] == (
        "The entitlement that was given as token is not valid: Its signature was not made by the public key that is trusted here."
    )
    assert "public_keys" in found["next_step"]


def test_it_fails_only_when_that_is_wanted(verify: Ask) -> None:
    found = verify(token=FORGED, fail_if_invalid=False)
    assert (found["valid"], found["reason"]) == (False, "signature") and "failed" not in found


def test_an_expired_one_fails_only_when_that_is_wanted(verify: Ask) -> None:
    assert "failed" not in verify(token=EXPIRED)
    found = verify(token=EXPIRED, fail_if_expired=True)
    assert found["message"] == "The entitlement that was given as token expired on 2026-11-20T12:00:00Z." and found["expired"]


@pytest.mark.parametrize("end", ["\n", "\r\n", ""])
def test_line_ends_of_a_stored_token_are_ignored_as_wge_does(monkeypatch: pytest.MonkeyPatch, end: str) -> None:
    assert asking(monkeypatch, Running(TOKEN + end))()["valid"]


@pytest.mark.parametrize("text", [f" {TOKEN}", f"{TOKEN} ", f"{TOKEN}\t", f"\n{TOKEN}"])
def test_other_white_space_in_a_stored_token_makes_it_invalid(monkeypatch: pytest.MonkeyPatch, text: str) -> None:
    found = asking(monkeypatch, Running(text))()
    assert not found["valid"] and found["message"].startswith(f"The entitlement in {PLACE} is not valid: ")


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (None, f"There is no {PLACE}."),
        ({}, f"{PLACE} has no key entitlement."),
        ({"username": "x"}, f"{PLACE} has no key entitlement."),
        ({"entitlement": ""}, f"Key entitlement of {PLACE} is empty."),
        ({"entitlement": "Cg=="}, f"Key entitlement of {PLACE} is empty."),
        ({"entitlement": "%%%"}, f"Key entitlement of {PLACE} is not base64."),
        (
            {"entitlement": base64.b64encode(b"\xff\xfe").decode()},
            f"The entitlement in {PLACE} is not valid: It has 1 part instead of three.",
        ),
    ],
)
def test_each_fault_of_a_secret_has_its_sentence(monkeypatch: pytest.MonkeyPatch, data: dict[str, str] | None, message: str) -> None:
    running = Running()
    if data is not None:
        running.cluster.put({**secret(SECRET, {}), "data": data})
    found = asking(monkeypatch, running)()
    assert found["failed"] and found["message"] == message


def test_another_secret_can_be_named(monkeypatch: pytest.MonkeyPatch) -> None:
    running = Running()
    running.cluster.put(secret("ours", {"entitlement": TOKEN}, "elsewhere"))
    assert asking(monkeypatch, running)(secret_name="ours", secret_namespace="elsewhere")["valid"]


@pytest.mark.parametrize(("stored", "shown"), [(TOKEN, "entitled"), (EXPIRED, "expired"), (FORGED, "none"), (None, "none")])
def test_what_runs_is_told_by_its_effect(monkeypatch: pytest.MonkeyPatch, stored: str | None, shown: str) -> None:
    running = Running(stored)
    found = asking(monkeypatch, running)(fail_if_invalid=False)
    assert (found["effect"], running.cluster.count("create", "patch", "delete")) == (shown, 0)


@pytest.mark.parametrize(
    ("runs", "stored", "advice"),
    [
        (TOKEN, TOKEN, ""),
        (EXPIRED, EXPIRED, ""),
        (EXPIRED, TOKEN, ADVICE["valid", "expired"]),
        (None, TOKEN, ADVICE["valid", "none"]),
        (TOKEN, EXPIRED, ADVICE["expired", "entitled"]),
        (FORGED, EXPIRED, ADVICE["expired", "none"]),
        (TOKEN, FORGED, ADVICE["invalid", "entitled"]),
        (EXPIRED, FORGED, ADVICE["invalid", "expired"]),
        (FORGED, FORGED, ADVICE["invalid", "none"]),
        (TOKEN, None, ADVICE["missing", "entitled"]),
        (EXPIRED, None, ADVICE["missing", "expired"]),
        (None, None, ADVICE["missing", "none"]),
    ],
)
def test_it_says_when_what_runs_and_what_is_stored_differ(
    monkeypatch: pytest.MonkeyPatch, runs: str | None, stored: str | None, advice: str
) -> None:
    running = Running(runs)
    if stored or runs:
        running.store(stored)
    assert asking(monkeypatch, running)(fail_if_invalid=False)["advice"] == advice


def test_the_next_restart_helps_or_fails() -> None:
    assert "the next restart will help" in ADVICE["valid", "none"]
    assert "the next restart will fail" in ADVICE["missing", "entitled"] and "the next restart will fail" in ADVICE["invalid", "entitled"]


def test_no_wge_is_no_fault(monkeypatch: pytest.MonkeyPatch) -> None:
    found = asking(monkeypatch, Running(TOKEN, wge=False))()
    assert (found["effect"], found["advice"]) == ("not running", "")


def test_it_is_not_asked_when_that_is_not_wanted(verify: Ask, entitled: Running) -> None:
    assert verify(by_effect=False)["effect"] == ""
    assert entitled.cluster.count("get", "list", "raw") == 1, "one Secret a cluster"


def test_missing_rights_make_it_unknown_and_not_a_failure(verify: Ask, entitled: Running) -> None:
    def refuse(verb: str, path: str) -> None:
        if verb == "list":
            raise Forbidden(f"GET {path} is forbidden: no.", "")

    entitled.cluster.before = refuse
    found = verify()
    assert (found["valid"], found["effect"], found["effect_reason"]) == (True, "unknown", "GET /api/v1/pods is forbidden: no")


def test_a_proxy_that_refuses_is_not_taken_for_wge(verify: Ask, entitled: Running) -> None:
    entitled.cluster.answer = lambda _path: Answer(403, {}, b'{"kind": "Status", "message": "services proxy is forbidden"}')
    found = verify()
    assert found["effect"] == "unknown" and found["effect_reason"].endswith("says 403: services proxy is forbidden")


def test_a_proxy_that_lags_is_asked_again(verify: Ask, entitled: Running) -> None:
    real, lags = entitled.cluster.answer, [Answer(503, {}, b'{"kind":"Status"}')] * 3
    entitled.cluster.answer = lambda path: lags.pop() if lags else real(path)
    assert verify()["effect"] == "entitled"


@pytest.mark.parametrize("tls", [True, False])
def test_it_speaks_as_the_server_does(monkeypatch: pytest.MonkeyPatch, tls: bool) -> None:
    running = Running(TOKEN, tls=tls)
    asking(monkeypatch, running)()
    (asked,) = [path for verb, path in running.cluster.requests if verb == "raw"]
    assert asked.split("/")[6] == f"{'https' if tls else 'http'}:clusters-service:8000"


@pytest.mark.parametrize("arguments", [["--route-prefix=/weave"], ["--route-prefix", "weave/"]])
def test_it_asks_below_the_route_prefix(verify: Ask, entitled: Running, arguments: list[str]) -> None:
    entitled.server()["spec"]["template"]["spec"]["containers"][0]["args"] = arguments
    entitled.cluster.answer = lambda path: Answer(401 if path.endswith("/proxy/weave/v1/version") else 200, {}, b"")
    verify()
    assert entitled.cluster.requests[-1][1].endswith("/proxy/weave/v1/version")


def test_an_answer_nobody_knows_is_unknown(verify: Ask, entitled: Running) -> None:
    entitled.cluster.answer = lambda _path: Answer(418, {}, b"")
    assert verify()["effect_reason"] == "WGE answers 418 on /v1/version"


def test_without_a_service_it_cannot_be_asked(verify: Ask, entitled: Running) -> None:
    entitled.cluster.remove("Service", "clusters-service")
    assert "no Service in namespace flux-system leads to" in verify()["effect_reason"]


def test_without_a_ready_pod_it_cannot_be_asked(verify: Ask, entitled: Running) -> None:
    entitled.cluster.one("Pod", entitled.pod())["status"]["conditions"] = []
    assert verify()["effect_reason"] == "none of WGE's pods is ready"


def test_it_says_when_wge_reads_another_secret(verify: Ask, entitled: Running) -> None:
    container = entitled.server()["spec"]["template"]["spec"]["containers"][0]
    container["env"] = [{"name": "ENTITLEMENT_SECRET_NAME", "value": "ours"}]
    words = "WGE reads its entitlement from Secret ours in namespace flux-system, and not from the one that was judged."
    assert verify()["advice"] == words


def test_two_servers_are_named(verify: Ask, entitled: Running) -> None:
    for item in (entitled.server(), entitled.cluster.one("Pod", entitled.pod())):
        entitled.cluster.put({**item, "metadata": {**item["metadata"], "namespace": "second", "uid": "2"}})
    found = verify()
    assert found["effect"] == "unknown" and f"{WGE_NAME} in namespace second" in found["effect_reason"]
    assert verify(namespace=NAMESPACE)["effect"] == "entitled"


def test_another_cluster_than_the_one_named_is_refused(verify: Ask) -> None:
    assert "This is another cluster" in verify(cluster_uid="somebody")["msg"]


@pytest.mark.parametrize("given", [{"token": FORGED}, {"token": TOKEN + "A"}, {"token": "x" * 9000}, {"token": "a\x00.b.c"}, {"token": ""}])
def test_no_message_quotes_what_was_given(verify: Ask, given: dict[str, Any]) -> None:
    found = verify(**given)
    assert found["failed"] and found["message"].count(". ") <= 1
    assert not given["token"] or given["token"][:40] not in str(found)
