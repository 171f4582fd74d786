# SPDX-License-Identifier: GPL-3.0-or-later
"""Putting back as a user sees it, and no byte of a Secret in any answer."""

from __future__ import annotations

import base64
import json
from pathlib import Path

import pytest

from ansible_collections.weaveworks.wge.tests.unit.plugins.module_utils._engine.restore.archived import AT, DEPLOYMENT, SERVICE
from ansible_collections.weaveworks.wge.tests.unit.plugins.module_utils._engine.standin_products import NAMESPACE, RELEASE
from ansible_collections.weaveworks.wge.tests.unit.plugins.module_utils.restore_bench import (
    APPLIED,
    CANARY,
    ENCODED,
    LOGIN,
    Ask,
    Bench,
    asking,
    untouched,
)


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    return Bench(tmp_path)


@pytest.fixture
def restore(monkeypatch: pytest.MonkeyPatch, bench: Bench) -> Ask:
    return asking(monkeypatch, bench)


# What is put back


def test_what_was_lost_is_put_back_and_told(restore: Ask, bench: Bench) -> None:
    bench.lose("Service", "Deployment")
    found = restore()
    assert (found["changed"], found["verdict"], found["written"]) == (True, "restored", [SERVICE, DEPLOYMENT])
    assert [row["action"] for row in found["plan"]] == ["create", "create"]
    assert found["identity"][0]["kept"] == ["ClusterIP 10.0.0.9", "nodePort 30901"]
    assert found["warnings"] == [
        "2 objects were created anew: the uid, the resource version and the creation time are new, which Kubernetes lets nobody choose."
    ]
    assert found["archive"] == {
        "made": AT,
        "namespace": NAMESPACE,
        "release": RELEASE,
        "run": "r1",
        "secrets": "vault",
        "vault_id": "prod",
    }


def test_a_second_call_writes_nothing(restore: Ask, bench: Bench) -> None:
    bench.lose()
    restore()
    bench.cluster.requests.clear()
    found = restore()
    assert (found["changed"], found["verdict"], found["plan"], found["written"]) == (False, "unchanged", [], [])
    assert bench.cluster.count("create", "patch", "delete") == 0


def test_one_file_is_an_archive_too(restore: Ask, bench: Bench) -> None:
    path = bench.write("archive.tar.gz")
    bench.lose()
    assert restore(archive=path)["verdict"] == "restored"


def test_a_part_is_put_back(restore: Ask, bench: Bench) -> None:
    bench.lose("Service", "Secret")
    assert restore(names=["Secret/login"])["written"] == [LOGIN]


def test_check_mode_says_what_would_be_done(restore: Ask, bench: Bench) -> None:
    bench.lose("Service")
    found = restore(check=True)
    assert (found["changed"], found["verdict"], found["written"]) == (True, "planned", [])
    assert bench.writes() == []


def test_what_is_refused_is_in_the_plan_and_in_the_diff(restore: Ask, bench: Bench) -> None:
    bench.change(DEPLOYMENT, spec={**bench.cluster.objects[DEPLOYMENT]["spec"], "replicas": 3})
    found = restore(check=True, diff=True)
    assert (found["failed"], found["verdict"], found["changed"]) == (True, "blocked", False)
    assert found["plan"][0]["reason"].startswith("was changed after the archive was made, by kubectl-edit at ")
    assert (found["diff"][0]["before"]["spec"]["replicas"], found["diff"][0]["after"]["spec"]["replicas"]) == (3, 1)


def test_what_is_there_can_be_left_alone(restore: Ask, bench: Bench) -> None:
    bench.change(DEPLOYMENT, spec={**bench.cluster.objects[DEPLOYMENT]["spec"], "replicas": 3})
    bench.lose("Service")
    assert restore(missing_only=True)["written"] == [SERVICE]
    assert bench.cluster.objects[DEPLOYMENT]["spec"]["replicas"] == 3


def test_one_cannot_ask_for_both(restore: Ask, bench: Bench) -> None:
    assert restore(missing_only=True, overwrite=True)["message"] == "Both overwrite and missing_only were given." and untouched(bench)


def test_an_archive_without_secrets_says_what_it_is(restore: Ask, bench: Bench) -> None:
    path = bench.write("hashes", hashes_only=True)
    bench.lose("Service", "Secret")
    found = restore(archive=path)
    assert found["verdict"] == "restored" and found["written"] == [SERVICE]
    assert found["warnings"][-1].startswith("The archive holds hashes of Secrets only: no Secret was put back")


def test_many_sentences_are_cut(restore: Ask, bench: Bench) -> None:
    for number in range(25):
        item = json.loads(json.dumps(bench.cluster.objects[SERVICE]))
        item["metadata"]["name"] = f"s{number}"
        item["spec"] = {"clusterIP": f"10.0.1.{number}", "ports": []}
        item["status"] = {"loadBalancer": {"ingress": [{"ip": f"192.0.2.{number}"}]}}
        bench.cluster.put(item)
    path = bench.write("many")
    for number in range(25):
        bench.cluster.remove("Service", f"s{number}")
    found = restore(archive=path, kinds=["Service"])
    assert found["warnings"][-1] == "6 more sentences like these are left out; identity holds all."


# No byte of a Secret


@pytest.mark.parametrize("check", [True, False])
@pytest.mark.parametrize("case", ["lost", "changed", "refused"])
def test_no_answer_holds_a_byte_of_a_secret(restore: Ask, bench: Bench, case: str, check: bool) -> None:
    if case == "lost":
        bench.lose("Secret")
    else:
        bench.change(LOGIN, data={"password": base64.b64encode(f"{CANARY}-new".encode()).decode()})
    found = restore(check=check, diff=True, overwrite=case == "changed")
    assert found["verdict"] == ("blocked" if case == "refused" else "planned" if check else "restored")
    (row,) = [row for row in found["diff"] if row["after_header"].startswith(LOGIN)]
    assert "(hidden" in str(row["after"]["data"]) and row["after"]["metadata"]["annotations"][APPLIED] == "(hidden)"
    assert CANARY not in str(found) and ENCODED[:-2] not in str(found)


def test_the_diff_tells_which_key_of_a_secret_differs(restore: Ask, bench: Bench) -> None:
    bench.change(LOGIN, data={"password": "bmV3", "user": "bWU="})
    (row,) = restore(check=True, diff=True, overwrite=True)["diff"]
    assert row["before"]["data"] == {"password": "(hidden, differs)", "user": "(hidden, differs)"}
    assert row["after"]["data"] == {"password": "(hidden, differs)"}
