# SPDX-License-Identifier: GPL-3.0-or-later
"""One run upgrades a fleet under load: two clusters arrive, three go back by themselves, and callers notice what the report says.

What is asserted comes from the API server, the dashboard or the independent witness; the report is held against it.
"""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from testbed import wait_until, workloads
from testbed.cluster import ClusterError
from testbed.workloads import helm

from integration import evidence
from integration.cast import CANARY, CLIMBERS, DYING, OLDER, ROLLED_BACK, UNENTITLED, UNREADY, UPGRADED
from integration.lab import NAMESPACE, ROOT, WG_SERVICE
from integration.story import DOORS, SHOP, Story

UNHURT = (*UPGRADED, UNREADY)
MOST_WRITES = 25
LONGEST_OUTAGE = 5.0
ENTERPRISE = "weave-gitops-enterprise"
LEFT_BY_HELM = {
    ("CustomResourceDefinition", "", "apps.wego.weave.works"),
    ("APIService", "", "v1alpha1.wego.weave.works"),
}
"""Helm never removes the definitions of a chart; the API server makes the other one of it."""
VERSIONS = {
    CANARY: ("WG 0.38.0", "WGE 0.38.1"),
    OLDER: ("WG 0.19.0", "WGE 0.38.1"),
    DYING: ("WG 0.38.0", "WG 0.38.0"),
    UNREADY: ("WG 0.38.0", "WG 0.38.0"),
}


# -- the run as a whole


def test_the_exit_code_says_that_not_all_clusters_arrived(story: Story) -> None:
    assert story.upgrade.rc == 2


def test_nothing_ends_in_a_traceback(story: Story) -> None:
    for name, run in story.runs.items():
        assert "Traceback" not in run.text, name
        assert "internal error" not in run.text.lower(), name


def test_the_report_is_as_its_schema_says(story: Story) -> None:
    schema = json.loads((ROOT / "roles/report/files/report.schema.json").read_text(encoding="utf-8"))
    checker = jsonschema.Draft202012Validator(schema, format_checker=jsonschema.FormatChecker())
    for name in ("upgrade", "again"):
        assert not [error.message for error in checker.iter_errors(story.runs[name].report)]


def test_the_report_names_every_cluster_once(story: Story) -> None:
    hosts = [entry["host"] for entry in story.upgrade.report["clusters"]]
    assert sorted(hosts) == sorted([*story.hosts, *story.mistakes])


def test_the_last_words_of_the_summary_count_the_fleet(story: Story) -> None:
    fleet = story.upgrade.report["fleet"]
    assert fleet["verdicts"]["upgraded"] == 2 and fleet["verdicts"]["rolled_back"] == 3
    assert fleet["sentence"].startswith("2 clusters upgraded, 3 rolled back")
    assert fleet["sentence"] in story.upgrade.stdout


def test_the_canary_arrives_before_the_others_begin(story: Story) -> None:
    steps = {name: story.upgrade.cluster(name)["steps"] for name in CLIMBERS}
    end = max(step["at"] for step in steps[CANARY])
    assert all(step["at"] > end for name in CLIMBERS if name != CANARY for step in steps[name])


# -- where each cluster is


@pytest.mark.parametrize("name", CLIMBERS)
def test_each_cluster_has_the_right_verdict(story: Story, name: str) -> None:
    entry = story.upgrade.cluster(name)
    assert entry["verdict"] == ("upgraded" if name in UPGRADED else "rolled_back"), entry["message"]
    assert entry["rung"] == ("parked" if name in UPGRADED else "rolled_back")


@pytest.mark.parametrize("name", CLIMBERS)
def test_the_report_knows_what_served_before_and_after(story: Story, name: str) -> None:
    versions = story.upgrade.cluster(name)["versions"]
    assert (versions["before"], versions["after"]) == VERSIONS[name]


@pytest.mark.parametrize("name", UPGRADED)
def test_the_old_address_answers_as_wge(story: Story, name: str) -> None:
    before, after = story.dashboards[name], story.dashboards_after[name]
    assert (before.page, before.version) == ("text/plain", "")
    assert (after.page, after.version) == ("text/html", "v0.38.1")


@pytest.mark.parametrize("name", ROLLED_BACK)
def test_wg_serves_again_where_the_climb_failed(story: Story, name: str) -> None:
    assert story.dashboards_after[name] == story.dashboards[name]


@pytest.mark.parametrize("name", CLIMBERS)
def test_the_admin_signs_in_before_and_after(story: Story, name: str) -> None:
    for dashboard in (story.dashboards[name], story.dashboards_after[name]):
        assert (dashboard.sign_in, dashboard.user) == (200, workloads.USER)


@pytest.mark.parametrize("name", CLIMBERS)
def test_every_service_keeps_uid_and_addresses(story: Story, name: str) -> None:
    before, after = story.services[name], story.services_after[name]
    assert {service: after.get(service) for service in before} == before


@pytest.mark.parametrize("door", DOORS)
def test_services_made_by_users_lead_to_wge_too(story: Story, door: str) -> None:
    spec = story.clusters[OLDER].api().get(f"/api/v1/namespaces/{NAMESPACE}/services/{door}")["spec"]
    (answer,) = story.clusters[OLDER].ask({"url": f"http://{spec['clusterIP']}/"})
    assert dict(answer["headers"])["Content-Type"].startswith("text/html")


@pytest.mark.parametrize("name", CLIMBERS)
def test_the_report_knows_the_identity_of_each_kept_service(story: Story, name: str) -> None:
    told = {entry["service"]: entry for entry in story.upgrade.cluster(name)["identity"]}
    assert set(told) == set(story.services[name])
    for service, entry in told.items():
        assert entry["same"] is True
        assert entry["before"]["uid"] == entry["after"]["uid"] == story.services_after[name][service]["uid"]


@pytest.mark.parametrize("name", ROLLED_BACK)
def test_a_rolled_back_cluster_is_as_before_but_for_the_journal(story: Story, name: str) -> None:
    before, after = story.objects[name], story.objects_after[name]
    assert not before.keys() - after.keys()
    added = {key for key in after.keys() - before.keys() if key[1:] not in LEFT_BY_HELM}
    assert [key[1:3] for key in added] == [("Secret", NAMESPACE)], sorted(added)
    assert all(key[3].startswith("wge-journal-") for key in added)
    assert not [(key, before[key], after[key]) for key in before if before[key] != after[key]]


@pytest.mark.parametrize("name", ROLLED_BACK)
def test_no_pod_of_wge_stays_on_a_rolled_back_cluster(story: Story, name: str) -> None:
    path = f"/api/v1/namespaces/{NAMESPACE}/pods?labelSelector=app%3Dclusters-service"
    wait_until("no pod of WGE", lambda: not story.clusters[name].api().get(path)["items"], 60)


@pytest.mark.parametrize("name", [*ROLLED_BACK, UNENTITLED])
def test_a_rolled_back_cluster_has_a_sentence_with_fact_and_next_step(story: Story, name: str) -> None:
    entry = story.upgrade.cluster(name)
    assert entry["message"].endswith(". The cluster was rolled back: WG serves.")
    assert ".." not in entry["message"]
    assert entry["next_step"].endswith(".")


@pytest.mark.parametrize("name", UPGRADED)
def test_an_upgrade_adds_only_what_is_marked_as_ours_or_as_wges(story: Story, name: str) -> None:
    before, after = story.objects[name], story.objects_after[name]
    added = [key for key in after.keys() - before.keys() if key[1:] not in LEFT_BY_HELM]
    assert not [key for key in added if not _marked(key, after[key])]
    assert not [key for key in added if key[1] == "Lease"]


@pytest.mark.parametrize("name", UPGRADED)
def test_an_upgrade_changes_and_removes_nothing_that_is_not_wgs(story: Story, name: str) -> None:
    before, after = story.objects[name], story.objects_after[name]
    changed = [key for key in before if before[key] != after.get(key)]
    assert not [key for key in changed if key[3] not in DOORS and not _belongs_to(workloads.RELEASE, before[key])]
    assert {key[1] for key in before.keys() - after.keys()} == {"Pod"}


def _belongs_to(release: str, item: evidence.Object) -> bool:
    """By helm's annotation, as a stored revision, or as the pod of one that does."""
    labels, annotations = item["metadata"].get("labels") or {}, item["metadata"].get("annotations") or {}
    return release in (annotations.get("meta.helm.sh/release-name"), labels.get("name"), labels.get("app.kubernetes.io/instance"))


def _marked(key: evidence.Key, item: evidence.Object) -> bool:
    """By our label, by helm as WGE's, or made by a controller for a Service that is."""
    ours = "wge.weave.works/run" in (item["metadata"].get("labels") or {})
    return ours or _belongs_to(ENTERPRISE, item) or key[1] == "IPAddress"


@pytest.mark.parametrize("name", CLIMBERS)
def test_other_peoples_workloads_are_untouched(story: Story, name: str) -> None:
    assert evidence.bystanders(story.clusters[name], SHOP) == story.bystanders[name]


def test_a_forged_entitlement_is_taken_back_with_everything_else(story: Story) -> None:
    entry = story.upgrade.cluster(UNENTITLED)
    assert entry["verdict"] == "rolled_back"
    assert "entitlement" in entry["message"].lower() and "500" in entry["message"], entry["message"]
    api = story.clusters[UNENTITLED].api()
    assert api.find(f"/api/v1/namespaces/{NAMESPACE}/secrets/weave-gitops-enterprise-credentials") is None
    assert evidence.Dashboard.at(story.clusters[UNENTITLED].entry_url).page == "text/plain"


# -- an expired entitlement warns, it never locks


def test_an_expired_entitlement_does_not_stop_the_upgrade(story: Story) -> None:
    entry = story.upgrade.cluster(OLDER)
    assert entry["verdict"] == "upgraded"
    assert (entry["entitlement"]["valid"], entry["entitlement"]["expired"], entry["entitlement"]["source"]) == (True, True, "stored")
    assert entry["entitlement"]["days_left"] < 0


@pytest.mark.parametrize(
    "words",
    [
        "The entitlement of customer@example.com expired on",
        "EN-04 warn expiry: The stored entitlement expired on",
        "entitlement: expired on",
    ],
    ids=["ansible's warning", "preflight", "summary"],
)
def test_the_upgrades_output_says_that_it_has_expired(story: Story, words: str) -> None:
    assert words in " ".join(story.upgrade.text.split())


def test_the_preflights_output_says_that_it_has_expired(story: Story) -> None:
    assert "EN-04 warn expiry: The stored entitlement expired on" in story.runs["preflight"].plain


# -- what callers noticed


@pytest.mark.parametrize("name", UNHURT)
def test_no_request_is_lost(story: Story, name: str) -> None:
    seen = story.seen[name]
    assert seen.requests > 100
    assert seen.lost == 0, seen.losses
    assert story.upgrade.cluster(name)["traffic"]["lost"] == 0


@pytest.mark.parametrize("name", UPGRADED)
def test_every_stream_saw_wg_and_then_wge(story: Story, name: str) -> None:
    for stream in story.seen[name].streams:
        assert set(stream["products"]) == {"WG", "WGE"}, stream
        assert stream["requests"] == sum(product["requests"] for product in stream["products"].values())


@pytest.mark.parametrize("name", UNHURT)
def test_there_is_no_instant_without_an_endpoint(story: Story, name: str) -> None:
    for service, replay in story.seen[name].endpoints.items():
        assert (replay.gaps, replay.blind, replay.ready_at_end) == (0, 0, True), service
    assert story.upgrade.cluster(name)["traffic"]["endpoint_gaps"] == 0


def test_a_wge_that_dies_while_soaking_costs_less_than_five_seconds(story: Story) -> None:
    seen, traffic = story.seen[DYING], story.upgrade.cluster(DYING)["traffic"]
    steps = {(step["step"], step["state"]) for step in story.upgrade.cluster(DYING)["steps"]}
    assert ("S14", "begin") in steps and ("S14", "done") not in steps
    assert seen.lost > 0 and traffic["lost"] > 0
    assert seen.longest_outage < LONGEST_OUTAGE, seen.losses
    assert max(vantage["longest_fault_seconds"] for vantage in traffic["vantages"]) < LONGEST_OUTAGE
    replay = seen.endpoints[WG_SERVICE]
    assert (replay.gaps, traffic["endpoint_gaps"]) == (1, 1)
    assert abs(replay.gap_seconds - traffic["endpoint_gap_seconds"]) < 0.5
    assert replay.ready_at_end


@pytest.mark.parametrize("name", UPGRADED)
def test_both_kinds_of_connection_are_probed_from_every_side(story: Story, name: str) -> None:
    vantages = story.upgrade.cluster(name)["traffic"]["vantages"]
    assert sum(vantage["reused"] for vantage in vantages) * 2 == len(vantages) == 4
    assert all(vantage["requests"] > 0 for vantage in vantages)


# -- what it cost


@pytest.mark.parametrize("name", CLIMBERS)
def test_the_api_server_counts_as_many_writes_as_the_report(story: Story, name: str, record_property: Any) -> None:
    asked = [call for call in evidence.calls(story.clusters[name], story.upgrade.began) if call.write or call.guarded_off]
    ours = [call for call in asked if not call.agent.startswith("Helm")]
    again = [call for call in ours if call.time >= story.runs["again"].began]
    counted = len(ours) - len(again)
    record_property("writes", counted)
    record_property("seconds", story.upgrade.cluster(name)["seconds"])
    assert story.upgrade.cluster(name)["api"]["writes"] == counted, [evidence.told(call) for call in ours]
    if name == CANARY:  # the older one has three Services to switch, and the way back is not counted
        assert counted <= MOST_WRITES


# -- afterwards


@pytest.mark.parametrize("name", UPGRADED)
def test_helm_cannot_take_the_upgraded_release_back(story: Story, name: str) -> None:
    cluster = story.clusters[name]
    before = evidence.objects(cluster)
    chart = str(cluster.paths.bed.charts / "weave-gitops")
    with pytest.raises(ClusterError):
        helm(cluster, "upgrade", "--install", workloads.RELEASE, chart, "-n", NAMESPACE, "--take-ownership")
    assert evidence.objects(cluster) == before


@pytest.mark.parametrize("name", UPGRADED)
def test_the_archive_is_for_its_owner_alone(story: Story, name: str) -> None:
    path = story.upgrade.archive
    files = [item for item in path.rglob("*") if item.is_file()]
    assert Path(story.upgrade.cluster(name)["archive"], "manifest.json") in files
    assert {oct(item.stat().st_mode & 0o777) for item in files} == {"0o600"}
    done = subprocess.run(["find", str(path), "-type", "d", "-perm", "/077"], capture_output=True, text=True, check=True)
    assert done.stdout == ""
