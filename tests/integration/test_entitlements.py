# SPDX-License-Identifier: GPL-3.0-or-later
"""Entitlements on a running WGE: verified offline and by effect, installed, renewed without a lost request, and put back."""

from __future__ import annotations

import base64
import json
import os
import signal
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from testbed import wait_until

from integration.entitled import Entitled, entitled
from integration.lab import Lab

VERIFY, INSTALL = "wge_entitlement_verify", "wge_entitlement_install"
TABLE = {
    "entitled": (True, False, "entitled"),
    "expired": (True, True, "expired"),
    "missing": (False, False, "none"),
    "forged": (False, False, "none"),
}
"""Valid and expired by the signature and the dates, and what WGE shows."""


@pytest.fixture(scope="module")
def wge(lab: Lab) -> Iterator[Entitled]:
    """One upgraded cluster for all tests of this file; each puts there what it needs."""
    yield entitled(lab, "e1")


@pytest.fixture
def good(wge: Entitled) -> Entitled:
    """It runs with a valid entitlement, and that is stored."""
    wge.store(wge.token("first@example.com"))
    time.sleep(1.1)  # the API server tells times in whole seconds
    wge.restart()
    return wge


def sentence(result: dict[str, Any]) -> str:
    """What a failed task said; one sentence, and one what to do."""
    assert result["failed"] and "Traceback" not in json.dumps(result)
    return str(result["msg"])


def test_offline_and_by_effect_agree(wge: Entitled, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    tokens = {
        "entitled": wge.token("a@example.com"),
        "expired": wge.token("b@example.com", days=-1),
        "missing": None,
        "forged": wge.forged(),
    }
    rows = {}
    for name, token in tokens.items():
        wge.store(token)
        time.sleep(1.1)
        wge.restart()
        (tmp_path / name).write_text(token or "", encoding="ascii")
        offline = wge.call(VERIFY, path=str(tmp_path / name), fail_if_invalid=False)
        running = wge.call(VERIFY, fail_if_invalid=False)
        assert "cluster" not in offline
        rows[name] = ((offline["valid"], offline["expired"]), (running["valid"], running["expired"], running["effect"]))
    with capsys.disabled():
        print("\n            offline                      by effect")
        for name, ((valid, expired), (_valid, _expired, shown)) in rows.items():
            print(f"{name:10}  valid {valid!s:5} expired {expired!s:5}  {shown}")
    assert rows == {name: ((valid, expired), (valid, expired, shown)) for name, (valid, expired, shown) in TABLE.items()}


def test_what_runs_and_what_is_stored_may_differ(good: Entitled) -> None:
    kept = good.holds()
    assert good.call(VERIFY)["advice"] == ""
    good.store(good.forged())
    failing = good.call(VERIFY, fail_if_invalid=False)
    assert (failing["valid"], failing["effect"]) == (False, "entitled") and "the next restart will fail" in failing["advice"]
    good.restart()
    good.store(kept)
    helping = good.call(VERIFY)
    assert (helping["valid"], helping["effect"]) == (True, "none") and "the next restart will help" in helping["advice"]


def test_an_expired_one_warns_and_fails_only_when_told(good: Entitled) -> None:
    old = good.token("late@example.com", days=-3)
    found = good.call(VERIFY, variables={"planted": old}, token="$planted")
    assert found["expired"] and not found.get("failed")
    assert "[WARNING]: The entitlement of late@example.com expired on" in good.runs[-1].text
    told = good.call(VERIFY, variables={"planted": old}, token="$planted", fail_if_expired=True)
    assert "expired on" in sentence(told)


def test_several_are_judged_at_once_and_the_secret_comes_first(good: Entitled) -> None:
    forged = good.forged()
    variables = {"planted": forged}
    found = good.call(
        VERIFY, variables=variables, token="$planted", secret_name="weave-gitops-enterprise-credentials", fail_if_invalid=False
    )
    assert [entry["source"] for entry in found["entitlements"]] == ["secret", "token"]
    assert (found["valid"], found["entitlements"][1]["reason"]) == (True, "signature")


def test_a_renewal_under_load_loses_nothing(good: Entitled, capsys: pytest.CaptureFixture[str]) -> None:
    new = good.token("renewed@example.com")
    witness = good.witness("renewal")
    time.sleep(2)
    run = good.install(entitlement=new, entitlement_replace=True)
    time.sleep(20)  # until the old pod has slept and ended
    seen = good.leave(witness)
    assert run.rc == 0, run.text[-4000:]
    assert (seen.lost, seen.losses) == (0, []) and seen.requests > 300
    assert good.holds() == new
    assert good.call(VERIFY)["effect"] == "entitled"
    with capsys.disabled():
        print(f"\n{seen.requests} requests during the renewal, {seen.lost} lost")


def test_a_second_run_writes_nothing(good: Entitled) -> None:
    new = good.token("twice@example.com")
    first = good.install(entitlement=new, entitlement_replace=True)
    assert len(good.writes(first)) == 4, good.writes(first)  # keep the former one, replace it, restart, let the former one go
    second = good.install(entitlement=new, entitlement_replace=True)
    assert (second.rc, second.recap["e1"]["changed"], good.writes(second)) == (0, 0, [])


def test_check_mode_shows_the_writes_and_makes_none(good: Entitled) -> None:
    before = good.stored()
    run = good.install("--check", "--diff", entitlement=good.token("planned@example.com"), entitlement_replace=True)
    assert run.rc == 0 and good.writes(run) == [] and good.stored() == before
    assert "(hidden)" in run.stdout and "restartedAt" in run.stdout


def test_a_missing_secret_is_created_and_wge_restarted(good: Entitled) -> None:
    good.store(None)
    good.restart()
    new = good.token("created@example.com")
    run = good.install(entitlement=new)
    assert run.rc == 0, run.text[-4000:]
    assert good.holds() == new and good.call(VERIFY)["effect"] == "entitled"


def test_another_entitlement_is_not_overwritten_unasked(good: Entitled) -> None:
    before = good.stored()
    found = good.call(INSTALL, variables={"planted": good.token("other@example.com")}, token="$planted")
    assert "It is never overwritten unless replace is true" in sentence(found)
    assert found["verdict"] == "blocked" and good.stored() == before


def test_a_forged_one_is_refused_before_anything_is_written(good: Entitled) -> None:
    before, generation = good.stored(), good.restarts()
    run = good.install(entitlement=good.forged(), entitlement_replace=True)
    assert run.rc != 0 and "The entitlement that was given is not valid: Its signature was not made by" in run.plain
    assert (good.stored(), good.restarts(), good.writes(run)) == (before, generation, [])


def test_killed_between_the_two_writes_the_next_run_restarts(good: Entitled) -> None:
    new, generation = good.token("killed@example.com"), good.restarts()
    run = good.begin(entitlement=new, entitlement_replace=True)
    wait_until("the Secret's new content", lambda: good.holds() == new, 60)
    os.killpg(run.process.pid, signal.SIGKILL)
    run.wait()
    assert good.restarts() == generation
    found = good.call(INSTALL, variables={"planted": new}, token="$planted")
    assert (found["verdict"], found["restarted"], found["effect"], found["api"]["writes"]) == ("installed", True, "entitled", 2)


def test_killed_while_it_rolls_out_the_next_run_does_not_begin_again(good: Entitled) -> None:
    new, generation = good.token("rolling@example.com"), good.restarts()
    good.cluster.faults({"image": "clusters-service", "slow_start": 12})
    run = good.begin(entitlement=new, entitlement_replace=True)
    wait_until("the restart", lambda: good.restarts() > generation, 60)
    os.killpg(run.process.pid, signal.SIGKILL)
    run.wait()
    found = good.call(INSTALL, variables={"planted": new}, token="$planted")
    good.cluster.faults()
    assert (found["restarted"], found["effect"], found["api"]["writes"]) == (False, "entitled", 1)  # the former one is let go


def test_a_wge_that_trusts_another_key_gets_its_former_entitlement_back(good: Entitled) -> None:
    before = good.stored()
    keys, new = [good.public(good.stranger)], good.strangers("stranger@example.com")
    found = good.call(INSTALL, variables={"planted": new}, token="$planted", replace=True, public_keys=keys)
    assert found["verdict"] == "rolled_back" and "it trusts another public key" in sentence(found)
    assert good.stored()["data"] == before["data"]
    assert (found["effect"], good.call(VERIFY)["effect"]) == ("entitled", "entitled")


def test_a_new_pod_that_does_not_get_ready_is_a_safe_stop(good: Entitled) -> None:
    good.cluster.faults({"image": "clusters-service", "slow_start": 25})  # the old pod has started long ago
    variables = {"planted": good.token("stuck@example.com")}
    try:
        witness = good.witness("stuck")
        found = good.call(INSTALL, variables=variables, token="$planted", replace=True, ready_seconds=5)
        seen = good.leave(witness)
    finally:
        good.cluster.faults()
    assert found["verdict"] == "safe_stop" and "The old pod still serves" in sentence(found)
    assert seen.lost == 0, seen.losses
    healed = good.call(INSTALL, variables=variables, token="$planted", replace=True)
    assert healed["effect"] == "entitled"


def test_an_external_secret_is_waited_for_and_not_written(good: Entitled) -> None:
    good.store(None)
    run = good.begin(entitlement_external=True)
    time.sleep(6)
    assert run.process.poll() is None
    good.store(good.token("external@example.com"))
    run.wait()
    assert run.rc == 0, run.text[-4000:]
    assert not [write for write in good.writes(run) if "/secrets" in write]
    assert good.call(VERIFY)["effect"] == "entitled"


SPOILED: dict[str, tuple[dict[str, Any], str]] = {
    "no key": ({"data": {"entitlement": None}}, "has no key entitlement."),
    "empty": ({"data": {"entitlement": ""}}, "is empty."),
    "not a token": (
        {"data": {"entitlement": base64.b64encode(b"bm90IGEgdG9rZW4").decode()}},
        "is not valid: It has 1 part instead of three.",
    ),
    "a blank before it": (
        {"data": {"entitlement": base64.b64encode(b" a.b.c").decode()}},
        "is not valid: Its header part is not base64url.",
    ),
}


@pytest.mark.parametrize("name", SPOILED)
def test_a_spoiled_secret_gets_one_sentence(wge: Entitled, name: str) -> None:
    patch, words = SPOILED[name]
    wge.store(wge.token("spoiled@example.com"))
    wge.cluster.api().patch("/api/v1/namespaces/flux-system/secrets/weave-gitops-enterprise-credentials", patch)
    found = wge.call(VERIFY)
    assert words in found["message"], found["message"]
    assert found["message"].count("Secret weave-gitops-enterprise-credentials in namespace flux-system") == 1


def test_a_manifest_that_is_not_base64_gets_one_sentence(wge: Entitled, tmp_path: Path) -> None:
    manifest = tmp_path / "secret.yaml"
    manifest.write_text("apiVersion: v1\nkind: Secret\nmetadata: {name: x}\ndata: {entitlement: '%%%'}\n", encoding="utf-8")
    assert "the key entitlement is not base64" in sentence(wge.call(VERIFY, path=str(manifest)))


def test_an_immutable_secret_gets_one_sentence(good: Entitled) -> None:
    good.cluster.api().patch("/api/v1/namespaces/flux-system/secrets/weave-gitops-enterprise-credentials", {"immutable": True})
    found = good.call(INSTALL, variables={"planted": good.token("immutable@example.com")}, token="$planted", replace=True)
    good.store(None)
    assert "is immutable" in sentence(found) and found["verdict"] == "blocked"


def test_a_secret_that_somebody_keeps_is_left_to_them(good: Entitled) -> None:
    labels = {"metadata": {"labels": {"reconcile.external-secrets.io/managed": "true"}}}
    good.cluster.api().patch("/api/v1/namespaces/flux-system/secrets/weave-gitops-enterprise-credentials", labels)
    found = good.call(INSTALL, variables={"planted": good.token("kept@example.com")}, token="$planted", replace=True)
    good.store(None)
    assert "is kept by the External Secrets operator" in sentence(found)


def test_an_upgrade_at_work_is_not_disturbed(good: Entitled) -> None:
    api = good.cluster.api()
    leases = "/apis/coordination.k8s.io/v1/namespaces/flux-system/leases"
    api.create(leases, {"metadata": {"name": "wge-upgrade"}, "spec": {"holderIdentity": "them", "leaseDurationSeconds": 30}})
    before = good.stored()
    run = good.begin(entitlement=good.token("lease@example.com"), entitlement_replace=True)
    try:
        while run.process.poll() is None:
            api.patch(f"{leases}/wge-upgrade", {"spec": {"leaseDurationSeconds": 30 + time.time_ns() % 7}})
            time.sleep(1)
    finally:
        api.delete(f"{leases}/wge-upgrade")
    run.wait()
    good.runs.append(run)
    assert run.rc != 0 and "An upgrade is at work on this cluster" in run.plain
    assert good.stored() == before


def test_without_the_rights_to_ask_the_effect_is_unknown(good: Entitled) -> None:
    api = good.cluster.api()
    rbac = "/apis/rbac.authorization.k8s.io/v1/namespaces/flux-system"
    rule = {"apiGroups": [""], "resources": ["secrets"], "verbs": ["get"], "resourceNames": ["weave-gitops-enterprise-credentials"]}
    api.create(f"{rbac}/roles", {"metadata": {"name": "reader"}, "rules": [rule]})
    subject = {"kind": "User", "name": "reader", "apiGroup": "rbac.authorization.k8s.io"}
    reference = {"kind": "Role", "name": "reader", "apiGroup": "rbac.authorization.k8s.io"}
    api.create(f"{rbac}/rolebindings", {"metadata": {"name": "reader"}, "roleRef": reference, "subjects": [subject]})
    path = good.lab.root / "reader.kubeconfig"
    good.cluster.write_kubeconfig(path, "reader", [])
    found = good.call(VERIFY, kubeconfig=str(path))
    assert (found["valid"], found["effect"]) == (True, "unknown") and "forbidden" in found["effect_reason"]


def test_no_byte_of_an_entitlement_is_in_any_output(wge: Entitled) -> None:
    left = wge.left()
    assert len(left) > 20 and any(path.endswith("stdout") for path in left)
    for token in wge.planted:
        for form in (token, token.rpartition(".")[2], base64.b64encode(token.encode()).decode()[:-4]):
            assert len(form) > 30
            assert not [path for path, content in left.items() if form.encode() in content]
