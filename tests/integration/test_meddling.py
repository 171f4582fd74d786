# SPDX-License-Identifier: GPL-3.0-or-later
"""Somebody else is at work on the cluster while it is upgraded: one sentence says what happened, and nothing is lost (meddling.py)."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest
from testbed import entitlement

from integration.lab import NAMESPACE, WG_SERVICE, Lab
from integration.meddling import Meddled, said, tell

POLICIES = "/apis/admissionregistration.k8s.io/v1/validatingadmissionpolicies"
Recorder = Callable[[str, object], None]


@pytest.fixture(scope="module")
def told(lab: Lab) -> Meddled:
    return tell(lab)


STOPPED = ["changed between plan and apply", "lease deleted", "journal deleted", "back without journal"]
TAKEN_BACK = ["taken back", "policy"]
WENT_ON = ["entitlement deleted", "journal put back"]


@pytest.mark.parametrize("name", STOPPED)
def test_what_cannot_be_judged_is_a_safe_stop_with_a_next_step(told: Meddled, name: str) -> None:
    assert told.runs[name].rc != 0
    assert (told.entry(name)["verdict"], bool(told.entry(name)["next_step"])) == ("safe_stop", True)
    assert said(told, name)


@pytest.mark.parametrize("name", [*STOPPED, *WENT_ON, "without journal", "back", "restored", "policy"])
def test_no_request_is_lost(told: Meddled, name: str) -> None:
    seen = told.seen[name]
    assert seen.requests > 100
    assert (seen.losses, seen.endpoints[WG_SERVICE].gaps) == ([], 0)


def test_a_wg_that_was_changed_between_plan_and_apply_is_not_written_to(told: Meddled) -> None:
    name = "changed between plan and apply"
    assert said(told, name) == "The cluster has changed since the plan was made; nothing was written."
    service = ("/api/v1", "Service", NAMESPACE, WG_SERVICE)
    now, before = dict(told.after[name]), dict(told.before)
    assert len(now.pop(service)["spec"]["ports"]) == len(before.pop(service)["spec"]["ports"]) + 1
    assert now == before


@pytest.mark.parametrize("name", TAKEN_BACK)
def test_who_takes_the_services_back_has_the_upgrade_taken_back(told: Meddled, name: str, record_property: Recorder) -> None:
    assert told.entry(name)["verdict"] == "rolled_back"
    assert told.leads_to[name] == "WG"
    record_property("said", said(told, name))
    record_property("requests", told.seen[name].requests)
    record_property("lost", told.seen[name].lost)
    assert told.seen[name].endpoints[WG_SERVICE].ready_at_end


@pytest.mark.parametrize("name", ["apply, put back", "replace, put back"])
def test_what_somebody_brings_back_is_put_back_at_once(told: Meddled, name: str, record_property: Recorder) -> None:
    number = ["apply, put back", "replace, put back"].index(name)
    assert told.words[name] == "done"
    record = told.entry("taken back")["guard"]["records"][number]
    manager = "kubectl-client-side-apply" if "apply" in name else "kubectl-replace"
    assert (record["object"], record["field"], record["did"]) == (WG_SERVICE, "spec.selector", "put back")
    assert record["by"].startswith(f"{manager} at ")
    assert record["seconds"] < 5
    record_property("seconds", record["seconds"])
    record_property("lost", told.lost("taken back", name, "replace, put back" if number == 0 else "helm, shown the release again"))


def test_who_shows_the_release_to_helm_again_has_the_upgrade_taken_back(told: Meddled, record_property: Recorder) -> None:
    assert "is not frozen any more" in said(told, "taken back")
    record_property("lost", told.lost("taken back", "helm, shown the release again"))


@pytest.mark.parametrize("name", ["apply", "replace", "delete", "delete of all"])
def test_a_policy_refuses_what_would_take_the_traffic(told: Meddled, name: str) -> None:
    assert "ValidatingAdmissionPolicy 'wge-guard-flux-system'" in told.words[f"{name}, refused"]
    assert "An upgrade to Weave GitOps Enterprise is being watched" in told.words[f"{name}, refused"]


def test_with_a_policy_there_is_nothing_to_put_back_and_it_is_gone_afterwards(told: Meddled, record_property: Recorder) -> None:
    """Helm may have come to the Service before it was seen that the release is no longer hidden, or after all was taken back."""
    record_property("helm", told.words["helm, refused"].splitlines()[0])
    guard = told.entry("policy")["guard"]
    assert guard["mode"] == "policy"
    assert "put back" not in [record["did"] for record in guard["records"]]
    items = told.cluster.api().get(POLICIES)["items"]
    assert [item["metadata"]["name"] for item in items if item["metadata"]["name"].startswith("wge-")] == []


@pytest.mark.parametrize(("helm", "name"), [("helm", "journal put back"), ("helm with force", "entitlement deleted")])
def test_a_helm_upgrade_is_refused_and_the_climb_goes_on(told: Meddled, helm: str, name: str) -> None:
    assert "Unable to continue with install" in told.words[helm]
    assert (told.entry(name)["verdict"], told.entry(name)["rung"]) == ("upgraded", "parked")
    assert told.leads_to[name] == "WGE"


def test_a_lost_lock_is_said_to_be_gone_and_the_next_run_goes_on(told: Meddled) -> None:
    assert said(told, "lease deleted") == "The lock of this cluster is gone."
    assert told.leads_to["lease deleted"] == "WGE"
    assert (told.entry("entitlement deleted")["verdict"], told.entry("entitlement deleted")["rung"]) == ("upgraded", "parked")


def test_a_lost_entitlement_is_told_and_the_way_back_is_open(told: Meddled) -> None:
    assert f"The Secret {entitlement.SECRET_NAME} in namespace {NAMESPACE} is gone" in told.runs["entitlement deleted"].stderr
    assert told.entry("back")["verdict"] == "rolled_back"
    gone = ("/api/v1", "Secret", NAMESPACE, entitlement.SECRET_NAME)
    assert {key for key in told.before if key not in told.after["back"]} == {gone}


def test_a_journal_that_is_deleted_in_the_soak_leaves_wg_running(told: Meddled) -> None:
    assert re.fullmatch(
        r"The journal of this upgrade \(wge-journal-\S+\) was deleted .*; WG was not parked\.", said(told, "journal deleted")
    )
    assert (told.entry("journal deleted")["rung"], told.leads_to["journal deleted"]) == ("soaked", "WGE")


def test_without_the_journal_nobody_guesses_and_traffic_stays(told: Meddled) -> None:
    assert "by an upgrade whose journal is gone." in said(told, "without journal")
    assert said(told, "back without journal").startswith("The journal of the upgrade is gone, while its marks are there: ")
    for name in ("without journal", "back without journal"):
        assert told.runs[name].rc != 0
        assert "wge-journal-" in told.entry(name)["next_step"]
        assert told.leads_to[name] == "WGE"


def test_the_archive_puts_wg_back_where_the_journal_is_lost(told: Meddled) -> None:
    run = told.runs["restored"]
    assert run.rc == 0, run.text[-3000:]
    assert told.leads_to["restored"] == "WG"
