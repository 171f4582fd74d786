# SPDX-License-Identifier: GPL-3.0-or-later
"""The API through the same doors before and after an upgrade, the Services behind them, and what was left alone."""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from testbed import Cluster, wait_until, workloads

from integration import evidence
from integration.lab import NAMESPACE, WG_SERVICE, Lab, Run

HOST = "v1"
SERVICES = f"/api/v1/namespaces/{NAMESPACE}/services"
SHOP = "shop"
INGRESS = {
    "apiVersion": "networking.k8s.io/v1",
    "kind": "Ingress",
    "metadata": {"name": "edge"},
    "spec": {
        "rules": [
            {
                "host": "wg.example.org",
                "http": {
                    "paths": [{"path": "/", "pathType": "Prefix", "backend": {"service": {"name": WG_SERVICE, "port": {"number": 9001}}}}]
                },
            }
        ]
    },
}
LOGIN = {"wge_dashboard_username": workloads.USER, "wge_dashboard_password": workloads.PASSWORD}


@dataclass
class Verified:
    """One cluster's story: recorded, upgraded, compared."""

    lab: Lab
    cluster: Cluster
    file: Path
    token: str
    before: Run
    upgrade: Run
    after: Run

    @property
    def entry(self) -> str:
        """The entry URL as a door is called."""
        return self.cluster.entry_url.rstrip("/")

    def verify(self, **variables: Any) -> Run:
        """The playbook once more."""
        return self.lab.run("verify", {HOST: self.lab.host(self.cluster, **variables)}, "-v")


@pytest.fixture(scope="module")
def told(lab: Lab) -> Verified:
    cluster = lab.cluster(HOST)
    api = cluster.api()
    api.create("/api/v1/namespaces", {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": SHOP}})
    api.create(f"/api/v1/namespaces/{SHOP}/services", _service())
    api.create(f"/apis/networking.k8s.io/v1/namespaces/{NAMESPACE}/ingresses", INGRESS)
    token = cluster.service_account_token(NAMESPACE, "default")
    file = lab.root / "before.json"
    given = {**LOGIN, "wge_dashboard_token": token}
    host = lab.host(cluster, **given)
    before = lab.run("verify", {HOST: {**host, "wge_verify_record_to": str(file)}}, "-v")
    upgrade = lab.run("upgrade", {HOST: lab.host(cluster)})
    after = lab.run("verify", {HOST: {**host, "wge_verify_compare_with": str(file), "wge_verify_strict": True}}, "-v")
    return Verified(lab, cluster, file, token, before, upgrade, after)


def _service() -> dict[str, Any]:
    spec = {"selector": {"app": "web"}, "ports": [{"port": 80}]}
    return {"apiVersion": "v1", "kind": "Service", "metadata": {"name": "web"}, "spec": spec}


def result(run: Run) -> dict[str, Any]:
    """What wge_verify returned, as -v prints it."""
    return evidence.result(run, "Ask the dashboard through each door")


def test_wg_answers_what_is_recorded_of_it(told: Verified) -> None:
    assert told.before.rc == 0, told.before.text[-3000:]
    found = result(told.before)
    assert (found["verdict"], found["serves"]) == ("not_upgraded", "WG 0.38.0")
    assert found["differences"] == []


def test_every_door_was_asked_by_nobody_by_a_user_and_with_a_token(told: Verified) -> None:
    asked = {(entry["door"], entry["login"]) for entry in result(told.before)["continuity"]}
    entry = told.entry
    assert asked == {("service proxy", "nobody"), ("service proxy", "user"), (entry, "nobody"), (entry, "user"), (entry, "token")}


def test_the_upgrade_is_verified_against_the_recording(told: Verified) -> None:
    assert told.upgrade.rc == 0, told.upgrade.text[-3000:]
    assert told.after.rc == 0, told.after.text[-3000:]
    found = result(told.after)
    assert (found["verdict"], found["serves"], found["differences"]) == ("verified", "WGE 0.38.1", [])
    assert found["compared_with"]["api"].startswith("WG 0.38.0, 20")
    assert (found["compared_with"]["services"], found["compared_with"]["routes"]) == (1, 1)


def test_the_differences_that_are_known_are_named_with_their_reason(told: Verified) -> None:
    known = {(e["path"], e["words"]) for e in result(told.after)["continuity"] if e["verdict"] == "known"}
    assert {path for path, _words in known} == {"GET /v1/runtime_crds", "GET /v1/runtime_objects", "POST /oauth2/sign_in"}
    assert all(words for _path, words in known)


def test_default_is_still_a_cluster(told: Verified) -> None:
    entries = [e for e in result(told.after)["continuity"] if "clusterName=Default" in e["path"] and e["login"] == "user"]
    assert len(entries) == 2
    assert {entry["verdict"] for entry in entries} == {"same"}


def test_the_ways_to_log_in_are_those_of_wg(told: Verified) -> None:
    assert result(told.after)["logins"] == {"before": ["user-account"], "after": ["user-account"]}
    by_token = [e for e in result(told.after)["continuity"] if e["login"] == "token" and e["path"] == "GET /v1/version"]
    assert [entry["after"] for entry in by_token] == ["401 {code: int, message: str}"]


def test_the_kept_service_leads_to_wge_alone(told: Verified) -> None:
    (entry,) = result(told.after)["endpoints"]
    assert (entry["service"], entry["stray"], len(entry["pods"])) == (WG_SERVICE, [], 1)


def test_the_climb_compared_before_and_after_by_itself(told: Verified) -> None:
    entry = told.upgrade.cluster(HOST)
    doors = Counter((call["door"], call["verdict"]) for call in entry["continuity"])
    assert doors == {("service proxy", "same"): 20, (told.entry, "same"): 28}
    assert "API: 48 calls before and after: 48 same" in told.upgrade.plain


def test_the_climb_says_what_it_left_alone(told: Verified) -> None:
    entry = told.upgrade.cluster(HOST)["untouched"]
    assert entry["objects"] > 0
    assert (entry["changed"], entry["unseen"]) == ([], [])
    assert [route["route"] for route in entry["routes"]] == [f"Ingress {NAMESPACE}/edge"]
    assert "objects, 0 changed" in told.upgrade.plain


def test_verifying_writes_nothing(told: Verified) -> None:
    made = [call for call in evidence.calls(told.cluster, told.after.began) if call.write]
    # Signing in and out goes through the API server's proxy as POST; it is no object.
    assert not [evidence.told(call) for call in made if "/proxy/" not in call.uri]


def test_no_secret_is_in_what_was_printed_or_written(told: Verified) -> None:
    texts = [told.before.text, told.after.text, told.file.read_text(), json.dumps(told.upgrade.report)]
    assert all(told.token not in text for text in texts)
    # The bed's password is a word of ours too, so only its place beside the user is looked for.
    assert all(f'"password": "{workloads.PASSWORD}"' not in text and f"password: {workloads.PASSWORD}" not in text for text in texts)


def test_a_report_serves_as_well(told: Verified) -> None:
    (report,) = told.upgrade.reports.glob("*.json")
    run = told.verify(wge_verify_compare_with=str(report), wge_verify_strict=True)
    assert run.rc == 0, run.text[-3000:]
    assert result(run)["compared_with"] == {"api": "WG 0.38.0, as recorded", "services": 1, "routes": 1}


def test_the_baseline_of_another_cluster_is_refused(told: Verified) -> None:
    other = told.lab.root / "other.json"
    other.write_text(told.file.read_text().replace(told.cluster.uid, "another"))
    run = told.verify(wge_verify_compare_with=str(other))
    assert run.rc != 0
    assert f"(compare_with) is of the cluster another, this one is {told.cluster.uid}." in run.plain


def test_a_wrong_password_is_a_difference(told: Verified) -> None:
    run = told.verify(wge_verify_compare_with=str(told.file), wge_dashboard_username="admin", wge_dashboard_password="wrong")
    assert run.rc == 0, run.text[-3000:]
    assert f"POST /oauth2/sign_in at {told.entry} (as user) differs: the status was 200 and is 401." in run.plain


def test_a_service_that_was_made_anew_fails_the_cluster(told: Verified) -> None:
    api = told.cluster.api()
    live = api.get(f"{SERVICES}/{WG_SERVICE}")
    api.delete(f"{SERVICES}/{WG_SERVICE}")
    live["metadata"] = {key: live["metadata"][key] for key in ("name", "labels", "annotations")}
    api.create(SERVICES, live)
    wait_until("endpoints", lambda: told.cluster.api().get(f"{SERVICES}/{WG_SERVICE}"), 10)
    run = told.verify(wge_verify_compare_with=str(told.file))
    assert run.rc != 0
    assert f"Service {WG_SERVICE} is not what it was: uid." in run.plain
    assert run.recap[HOST]["failed"] == 1
