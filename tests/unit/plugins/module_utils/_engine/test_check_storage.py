# SPDX-License-Identifier: GPL-3.0-or-later
"""CU-08, CU-09 and CU-10."""

from __future__ import annotations

import pytest

from ansible_collections.weaveworks.wge.plugins.module_utils._engine.checks.storage import chart_recoverable, helm_driver, sessions
from ansible_collections.weaveworks.wge.plugins.module_utils._engine.model import Object
from ansible_collections.weaveworks.wge.tests.unit.plugins.module_utils._engine.standin_products import (
    NAMESPACE,
    RELEASE,
    WG_NAME,
    release_secret,
    secret,
    thing,
    wg_objects,
)
from ansible_collections.weaveworks.wge.tests.unit.plugins.module_utils._engine.standin_world import World

KEEP = "Keep a copy of WG's chart where a rollback by helm could reach it."


def test_a_chart_that_is_stored_whole_passes(world: World) -> None:
    found = chart_recoverable(world.evidence())
    assert (found.status, found.evidence) == (
        "pass",
        "Revision 1 holds the chart weave-gitops 4.0.36 with 1 templates that decode; it was not rendered anew.",
    )


@pytest.mark.parametrize(
    ("chart", "words"),
    [
        ({"templates": []}, "Revision 1 holds no templates of the chart weave-gitops 4.0.36."),
        (
            {"templates": [{"name": "t.yaml", "data": "?"}]},
            "In revision 1 these templates of the chart weave-gitops 4.0.36 cannot be decoded: t.yaml.",
        ),
        (
            {"metadata": {"name": "wego", "version": "1.0.0", "dependencies": [{"name": "weave-gitops"}]}},
            "The chart wego 1.0.0 has sub-charts (weave-gitops), and Helm does not store those.",
        ),
    ],
)
def test_a_chart_that_could_not_be_made_anew_is_warned_of(world: World, chart: Object, words: str) -> None:
    world.cluster.put(release_secret(RELEASE, wg_objects(), chart=chart))
    found = chart_recoverable(world.evidence())
    assert (found.status, found.evidence, found.remedy) == ("warn", words, KEEP)


def test_a_release_in_secrets_passes_with_its_revisions(world: World) -> None:
    assert helm_driver(world.evidence()).evidence == "ww-gitops is stored in Secrets: revision 1 alone."
    world.cluster.put(release_secret(RELEASE, wg_objects(), revision=4))
    assert helm_driver(world.evidence()).evidence == "ww-gitops is stored in Secrets: 2 revisions from 1 to 4."


def test_a_release_that_is_stored_twice_fails(world: World) -> None:
    item = thing("v1", "ConfigMap", f"sh.helm.release.v1.{RELEASE}.v1", NAMESPACE)
    item["metadata"]["labels"] = {"owner": "helm", "name": RELEASE}
    world.cluster.put(item)
    found = helm_driver(world.evidence())
    assert (found.status, found.evidence) == (
        "fail",
        f"Helm has stored the release {RELEASE} in ConfigMaps too (sh.helm.release.v1.{RELEASE}.v1).",
    )


def test_a_hollow_revision_is_warned_of(world: World) -> None:
    world.cluster.put(release_secret(RELEASE, wg_objects(), revision=2))
    labels = {"owner": "helm", "name": RELEASE, "status": "superseded"}
    world.cluster.put(secret(f"sh.helm.release.v1.{RELEASE}.v1", {}, labels=labels))
    found = helm_driver(world.evidence())
    assert (found.status, found.evidence) == ("warn", "Revision 1 of ww-gitops holds no release.")


def test_a_failed_upgrade_is_warned_of(world: World) -> None:
    world.cluster.put(release_secret(RELEASE, wg_objects(), revision=2, status="failed"))
    found = helm_driver(world.evidence())
    assert (found.status, found.evidence) == ("warn", "The newest revision 2 of ww-gitops is failed; what runs may be a mixture.")
    assert found.remedy.startswith("Repair it with helm rollback or helm upgrade")


def test_what_people_will_notice_is_told(world: World) -> None:
    found = sessions(world.evidence())
    assert found.status == "pass"
    assert found.evidence.startswith("WG has 1 replica, no session affinity. Tell people that they have to log in again after the flip;")
    assert found.evidence.endswith("who is logged in now was not asked.")


def test_replicas_and_affinity_are_told(world: World) -> None:
    world.cluster.one("Deployment", WG_NAME)["spec"]["replicas"] = 2
    world.cluster.one("Service", WG_NAME)["spec"]["sessionAffinity"] = "ClientIP"
    assert sessions(world.evidence()).evidence.startswith(f"WG has 2 replicas, session affinity at {WG_NAME}.")
