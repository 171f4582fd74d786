# SPDX-License-Identifier: GPL-3.0-or-later
"""``flux resume`` on WG's HelmRelease in the soak: seen at once, told by whom, taken back, and no request is lost."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import yaml
from chaos.gate import Gate
from testbed.flux import forms, repository
from witness.access import Access

from integration import evidence
from integration.lab import WG_SERVICE, Lab
from integration.meddling import Meddled, said

HOST = "m2"
NAME = "resume"
Recorder = Callable[[str, object], None]


@pytest.fixture(scope="module")
def told(lab: Lab) -> Meddled:
    cluster = lab.cluster(HOST, wg="helmrelease")
    chart = yaml.safe_load((lab.bed.paths.charts / "mccp" / "Chart.yaml").read_text(encoding="utf-8"))
    more = {"wge_chart_repository": repository.CHARTS_URL, "wge_chart_version": str(chart["version"])}
    found = Meddled(lab, cluster, Gate(lab.relays, Access.from_kubeconfig(lab.identity(cluster))), HOST, more)
    found.services = evidence.services(cluster)
    resume = {"spec": {"suspend": False}}
    path = f"{forms.RELEASE_PATH}?fieldManager=flux"
    found.play(NAME, act=lambda: found.tries(NAME, lambda: cluster.api().patch(path, resume)))
    return found


def test_it_is_told_who_resumed_it_and_the_upgrade_is_taken_back(told: Meddled) -> None:
    assert told.words[NAME] == "done"
    assert (told.entry(NAME)["verdict"], told.leads_to[NAME]) == ("rolled_back", "WG")
    assert f"HelmRelease {forms.NAME} is not suspended any more (last written by flux at " in said(told, NAME)


def test_the_guard_saw_it_at_once(told: Meddled) -> None:
    (record,) = told.entry(NAME)["guard"]["records"]
    assert record["did"].startswith("the upgrade is taken back: HelmRelease")


def test_no_request_is_lost(told: Meddled, record_property: Recorder) -> None:
    seen = told.seen[NAME]
    record_property("requests", seen.requests)
    assert (seen.losses, seen.endpoints[WG_SERVICE].gaps) == ([], 0)


def test_the_service_is_still_itself(told: Meddled) -> None:
    assert evidence.services(told.cluster) == told.services
