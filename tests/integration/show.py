# SPDX-License-Identifier: GPL-3.0-or-later
"""What is done with the clusters of every_form.py, under load."""

from __future__ import annotations

import time
from pathlib import Path

from testbed import Cluster, wait_until
from testbed.flux import forms
from testbed.flux.git import Repository

from . import evidence, gitwork
from .every_form import BACK_FROM, C2, A, B, C, D, Journey
from .lab import Lab

FROM_GIT = (C, C2)
BACK = (B, C, D)
"""Form A goes back from each rung in test_way_back.py."""
ARCHIVE = "out of the archive"
_END = ("-e", "wge_retention_days=0")


def there_and_back(lab: Lab, fleet: dict[str, Cluster]) -> Journey:
    """Up to each rung and back, on one cluster of each form, before the others are touched."""
    found = Journey(lab, {name: fleet[name] for name in BACK})
    found.begin("ways")
    for rung in BACK_FROM:
        found.climb(rung)
        if rung == BACK_FROM[-1]:
            _ask_git(Journey(lab, {name: fleet[name] for name in FROM_GIT}, answers=found.answers), "too early")
        found.play(rung, "rollback")
        found.look(rung)
    gitwork.reconcile(fleet[C])
    found.look("reconciled", C)
    found.end()
    return found


def to_the_end(lab: Lab, fleet: dict[str, Cluster]) -> Journey:
    """All at once: up, and up again; git is asked, told, and asked again; then to the end, and back from there where it can be."""
    found = Journey(lab, fleet)
    found.begin("show")
    found.play("nobody", "preflight", only=[D], wge_login_secret=None)
    found.play("upgrade", "upgrade")
    found.look("upgrade")
    found.dashboards = {host: evidence.Dashboard.at(cluster.entry_url) for host, cluster in fleet.items()}
    found.play("again", "upgrade")
    _force(found)
    found.play("finalise", "finalise", *_END)
    found.look("finalise", A, B, D)
    _tell_git(found)
    found.play("finalise again", "finalise", *_END)
    for host in FROM_GIT:
        gitwork.reconcile(fleet[host])
    found.look("finalise again")
    _bring_back(found)
    _out_of_the_archive(found)
    found.end()
    return found


def _force(journey: Journey) -> None:
    """As if hours went by: Flux looks at git again and again."""
    for host in FROM_GIT:
        for _time in range(10):
            gitwork.reconcile(journey.clusters[host])
        journey.look("forced", host)


def _ask_git(journey: Journey, name: str) -> Path:
    checkout = journey.lab.root / f"checkout-{name.replace(' ', '-')}"
    gitwork.clone(Repository(journey.lab.bed.paths.git), checkout)
    run = journey.play(name, gitwork.playbook(journey.lab.root), only=FROM_GIT, checkout=str(checkout))
    assert run.rc == 0, run.text[-3000:]
    journey.answers[name] = gitwork.answer(checkout)
    return checkout


def _tell_git(journey: Journey) -> None:
    began = time.time()
    checkout = _ask_git(journey, "ask")
    gitwork.merge(checkout, *(journey.clusters[host] for host in FROM_GIT))
    journey.look("merged", *FROM_GIT)
    journey.appliers = {host: journey.clusters[host].api().get(gitwork.APPLIER) for host in FROM_GIT}
    journey.play("settled", "upgrade", only=FROM_GIT)
    _ask_git(journey, "ask again")
    for host in FROM_GIT:
        found = [call for call in journey.clusters[host].audit_calls(began) if call.write and call.verb.startswith("delete")]
        journey.deleted[host] = [evidence.told(call) for call in found if not call.internal]


def _bring_back(journey: Journey) -> None:
    """As a stale ``kubectl apply`` would; until Flux has tried."""
    cluster = journey.clusters[C]
    api, version = cluster.api(), forms.chart_version(cluster, "weave-gitops")
    forms.apply_by_hand(api, [item for item in forms.dashboard(version, forms.values()) if item["kind"] == "HelmRelease"])

    def tried() -> bool:
        conditions = (api.get(forms.RELEASE_PATH).get("status") or {}).get("conditions") or []
        return any("already exists" in condition.get("message", "") for condition in conditions)

    wait_until("Flux to have tried", tried, 60)
    journey.look("brought back", C)


def _out_of_the_archive(journey: Journey) -> None:
    archives = {host: journey.runs["upgrade"].cluster(host)["archive"] for host in (B, D)}
    journey.play(ARCHIVE, "rollback", only=archives, wge_archive="{{ archives[inventory_hostname] }}", archives=archives)
    journey.look(ARCHIVE, B, D)
