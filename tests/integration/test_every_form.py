# SPDX-License-Identifier: GPL-3.0-or-later
"""Every form in which WG was installed, on five real control planes under load: back from each rung, up in one run, and to the end.

One run shows many promises, so they are made once, in order, and each test asserts one thing of what was kept.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from testbed import Cluster, legacy, workloads
from testbed.flux import forms

from integration import evidence
from integration.every_form import BACK_FROM, C2, FORMS, RUNGS, A, B, C, D, Journey, clusters
from integration.lab import NAMESPACE, WG_SERVICE, Lab
from integration.show import ARCHIVE, BACK, FROM_GIT, there_and_back, to_the_end

WGE = "weave-gitops-enterprise"
OF_FLUX = (B, C, C2)
GOALS = {A: 60, B: 120, C: 120, C2: 120, D: 60}
"""Seconds of a climb without its soak, which are told beside those that it took: how fast a machine is no test can say."""
Recorder = Callable[[str, object], None]


@pytest.fixture(scope="module")
def fleet(lab: Lab) -> dict[str, Cluster]:
    """The clusters."""
    return clusters(lab)


@pytest.fixture(scope="module")
def ways(lab: Lab, fleet: dict[str, Cluster]) -> Journey:
    """Before the others are touched."""
    return there_and_back(lab, fleet)


@pytest.fixture(scope="module")
def show(lab: Lab, fleet: dict[str, Cluster]) -> Journey:
    """All at once."""
    return to_the_end(lab, fleet)


# -- back from each rung


@pytest.mark.parametrize("host", BACK)
@pytest.mark.parametrize("rung", BACK_FROM)
def test_from_each_rung_it_ends_rolled_back(ways: Journey, rung: str, host: str) -> None:
    climb = ways.climbs[rung, host]
    assert (climb.get("verdict"), climb.get("rung")) == ("upgraded", rung), climb.get("msg")
    assert ways.runs[rung].rc == 0, ways.runs[rung].text[-3000:]
    assert ways.runs[rung].cluster(host)["verdict"] == "rolled_back"


@pytest.mark.parametrize("host", BACK)
@pytest.mark.parametrize("rung", BACK_FROM)
def test_every_object_is_what_it_was(ways: Journey, rung: str, host: str) -> None:
    assert ways.after[rung, host].differences(ways.before[host]) == []
    assert ways.after[rung, host].services == ways.before[host].services


@pytest.mark.parametrize("host", BACK)
def test_on_the_ways_no_door_loses_a_request(ways: Journey, host: str, record_property: Recorder) -> None:
    _nothing_lost(ways, host, record_property)


def test_after_the_way_back_git_has_its_say_again(ways: Journey) -> None:
    assert ways.after["reconciled", C].differences(ways.before[C]) == []


def test_git_does_not_change_while_a_cluster_that_reads_the_same_path_is_behind(ways: Journey) -> None:
    (path,) = ways.answers["too early"]["made"]["paths"]
    assert (path["state"], sorted(path["clusters"])) == ("held", sorted(FROM_GIT))
    assert C2 in path["message"] and "git changes when every cluster that reads this path is upgraded" in path["message"]


# -- up, in one run


def test_without_a_local_user_the_preflight_says_what_to_give(show: Journey) -> None:
    run = show.runs["nobody"]
    assert run.rc != 0 and show.writes["nobody", D] == []
    assert "WG of before its chart asks nobody to log in; WGE asks everybody, and ends at once" in run.plain
    assert "wge_login_secret" in run.plain


@pytest.mark.parametrize("name", ["upgrade", "again", "settled", "finalise again", ARCHIVE])
def test_each_run_ends_well(show: Journey, name: str) -> None:
    assert show.runs[name].rc == 0, show.runs[name].text[-3000:]


@pytest.mark.parametrize("host", FORMS)
def test_no_door_loses_a_request(show: Journey, host: str, record_property: Recorder) -> None:
    _nothing_lost(show, host, record_property)


@pytest.mark.parametrize("host", FORMS)
def test_it_is_said_how_long_the_climb_took(show: Journey, host: str, record_property: Recorder) -> None:
    entry = show.runs["upgrade"].cluster(host)
    assert (entry["verdict"], entry["rung"]) == ("upgraded", "parked")
    record_property("seconds without soak", round(sum(entry["seconds"][rung] for rung in RUNGS if rung != "soaked"), 1))
    record_property("goal", GOALS[host])


@pytest.mark.parametrize("host", FORMS)
@pytest.mark.parametrize("name", ["upgrade", "finalise again"])
def test_services_and_ingresses_are_still_themselves(show: Journey, name: str, host: str) -> None:
    before, after = show.before[host], show.after[name, host]
    assert {service: after.services.get(service) for service in before.services} == before.services
    assert after.ingresses == before.ingresses


@pytest.mark.parametrize("host", FORMS)
def test_the_upgrade_deletes_nothing_that_was_there(show: Journey, host: str) -> None:
    before, after = show.before[host].objects, show.after["upgrade", host].objects
    assert [" ".join(key) for key in before if key not in after] == []
    assert [" ".join(key) for key in before if before[key]["metadata"]["uid"] != after[key]["metadata"]["uid"]] == []


@pytest.mark.parametrize("host", FORMS)
def test_a_second_run_writes_nothing(show: Journey, host: str) -> None:
    assert show.writes["again", host] == []


@pytest.mark.parametrize("host", FORMS)
def test_wge_serves_at_the_old_address_and_the_admin_signs_in(show: Journey, host: str) -> None:
    dashboard = show.dashboards[host]
    assert (dashboard.version, dashboard.sign_in, dashboard.user) == ("v0.38.1", 200, workloads.USER)


def test_what_flux_owned_is_handed_over_and_suspended(show: Journey) -> None:
    for host in OF_FLUX:
        owner = _owner(show, "upgrade", host)
        assert owner["spec"]["suspend"] is True
        dropped = [patch["target"]["name"] for patch in owner["spec"]["postRenderers"][0]["kustomize"]["patches"]]
        assert {WG_SERVICE, "cluster-user-auth"} <= set(dropped)


# -- form C: the cluster first, git last


@pytest.mark.parametrize("host", FROM_GIT)
def test_the_upgrade_tells_what_git_owes(show: Journey, host: str) -> None:
    git = show.runs["upgrade"].cluster(host)["git"]
    assert git["state"] == "open"
    assert {f"HelmRelease {WGE}", f"HelmRepository {WGE}", f"Service {WG_SERVICE}", f"Ingress {WG_SERVICE}"} <= set(git["missing"])
    assert f"Git debt: ./{forms.SHARED} of https://git.example.org/fleet.git" in show.runs["upgrade"].plain


@pytest.mark.parametrize("host", FROM_GIT)
def test_before_the_merge_reconciles_change_nothing(show: Journey, host: str) -> None:
    assert show.after["forced", host].differences(show.after["upgrade", host]) == []


@pytest.mark.parametrize("host", FROM_GIT)
def test_wg_is_not_removed_while_git_would_bring_it_back(show: Journey, host: str) -> None:
    assert show.runs["finalise"].rc != 0 and "Git debt" in show.runs["finalise"].cluster(host)["message"]
    assert show.writes["finalise", host] == []


@pytest.mark.parametrize("host", FROM_GIT)
def test_the_merge_changes_nothing_that_runs_and_prunes_nothing(show: Journey, host: str) -> None:
    before, after = show.after["forced", host].objects, show.after["merged", host].objects
    changed = [key for key in before.keys() | after.keys() if _says(before.get(key)) != _says(after.get(key))]
    assert sorted(" ".join(key) for key in changed if key[1] not in ("Kustomization", "GitRepository")) == []
    assert show.deleted[host] == []


@pytest.mark.parametrize("host", FROM_GIT)
def test_the_merge_pays_the_debt(show: Journey, host: str) -> None:
    ids = [entry["id"] for entry in show.appliers[host]["status"]["inventory"]["entries"]]
    assert f"{NAMESPACE}_{WGE}_helm.toolkit.fluxcd.io_HelmRelease" in ids and f"{NAMESPACE}_{WG_SERVICE}__Service" in ids
    assert f"{NAMESPACE}_{WG_SERVICE}_networking.k8s.io_Ingress" in ids
    assert [debt["state"] for debt in show.answers["ask again"]["debts"]] == ["paid", "paid"]
    assert [entry["state"] for entry in show.answers["ask again"]["made"]["paths"]] == ["same"]
    assert show.runs["settled"].cluster(host)["git"]["sentence"] == ""
    assert show.writes["settled", host] == []


# -- the end, and back from there


@pytest.mark.parametrize("host", OF_FLUX)
def test_at_the_end_wgs_helm_release_is_gone_and_what_is_kept_is_there(show: Journey, host: str) -> None:
    left = {(key[1], key[3]) for key in show.after["finalise again", host].objects}
    assert not {("HelmRelease", forms.NAME), ("Deployment", WG_SERVICE)} & left
    assert {("HelmRelease", WGE), ("Service", WG_SERVICE), ("Ingress", WG_SERVICE), ("Secret", "cluster-user-auth")} <= left


@pytest.mark.parametrize("host", [A, B, D])
def test_finalising_again_writes_nothing(show: Journey, host: str) -> None:
    assert show.writes["finalise", host] != []
    assert show.writes["finalise again", host] == []


def test_a_helm_release_that_is_brought_back_takes_nothing_over(show: Journey) -> None:
    """K12: without the tombstone Flux would install WG anew and lead the Service back."""
    before, after = show.after["finalise again", C], show.after["brought back", C]
    changed = {key for key in before.objects.keys() | after.objects.keys() if before.objects.get(key) != after.objects.get(key)}
    assert {(key[1], key[3]) for key in changed} == {("HelmRelease", forms.NAME)}
    assert after.services == before.services


def test_without_a_chart_wg_is_gone_and_the_kind_of_its_users_objects_stays(show: Journey) -> None:
    left = {(key[1], key[3]) for key in show.after["finalise", D].objects}
    assert not {("Deployment", legacy.NAME), ("ServiceAccount", legacy.ACCOUNT), ("Role", "resources-reader")} & left
    assert {("Service", legacy.NAME), ("Secret", "cluster-user-auth"), ("Application", "podinfo")} <= left


@pytest.mark.parametrize("name", ["upgrade", "finalise", ARCHIVE])
def test_flux_in_the_namespace_of_wg_is_left_alone(show: Journey, name: str) -> None:
    before, after = ({k: v for k, v in view.objects.items() if "-controller" in k[3]} for view in (show.before[D], show.after[name, D]))
    assert before and after == before


@pytest.mark.parametrize("host", [B, D])
def test_out_of_the_archive_every_object_is_what_it_was_but_for_uids(show: Journey, host: str) -> None:
    before, after = show.before[host], show.after[ARCHIVE, host]
    changed = [
        key for key in before.objects.keys() | after.objects.keys() if _anew(before.objects.get(key)) != _anew(after.objects.get(key))
    ]
    assert sorted(" ".join(key) for key in changed) == []
    assert after.services == before.services


def _nothing_lost(journey: Journey, host: str, record_property: Recorder) -> None:
    seen = journey.seen[host]
    for door, (requests, lost) in seen.doors.items():
        record_property(door, f"{requests} requests {lost} lost")
        assert requests > 100
    assert sorted(seen.doors) == ["clusterip", "ingress", "nodeport", "proxy"]
    assert seen.losses == []
    replay = seen.endpoints[FORMS[host].service]
    assert (replay.gaps, replay.ready_at_end) == (0, True)


def _owner(journey: Journey, name: str, host: str) -> evidence.Object:
    objects = journey.after[name, host].objects
    return next(item for key, item in objects.items() if (key[1], key[3]) == ("HelmRelease", forms.NAME))


def _says(item: evidence.Object | None) -> Any:
    """Without the marks by which Flux knows what it applies."""
    if item is None:
        return None
    metadata = {key: value for key, value in item["metadata"].items() if key not in ("labels", "annotations")}
    return {**item, "metadata": metadata}


def _anew(item: evidence.Object | None) -> Any:
    """Without what nobody can choose of an object that is created again."""
    if item is None:
        return None
    return {**item, "metadata": {key: value for key, value in item["metadata"].items() if key not in ("uid", "creationTimestamp")}}
