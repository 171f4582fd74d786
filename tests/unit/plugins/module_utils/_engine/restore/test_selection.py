# SPDX-License-Identifier: GPL-3.0-or-later
"""Which objects of an archive are put back, and that a mistyped selection is not taken for an empty one."""

from __future__ import annotations

import pytest

from ansible_collections.weaveworks.wge.plugins.module_utils._engine.restore.selection import Chosen, Selection, chosen, of_release
from ansible_collections.weaveworks.wge.plugins.module_utils._errors import Blocked, InvalidSettings
from ansible_collections.weaveworks.wge.tests.unit.plugins.module_utils._engine.restore.archived import DEPLOYMENT, SERVICE, Archived
from ansible_collections.weaveworks.wge.tests.unit.plugins.module_utils._engine.standin_products import (
    NAMESPACE,
    RELEASE,
    WG_NAME,
    secret,
    thing,
)


@pytest.fixture
def archived() -> Archived:
    found = Archived()
    found.cluster.put(thing("v1", "ConfigMap", "other", NAMESPACE))
    found.cluster.one("ConfigMap", "other")["metadata"]["labels"] = {"team": "a"}
    found.archive()
    return found


def names(found: Chosen) -> set[str]:
    return {f"{entry.clean['kind']}/{entry.clean['metadata']['name']}" for entry in found.entries}


def test_all_is_taken_unless_something_is_said(archived: Archived) -> None:
    assert len(chosen(archived.contents, Selection()).entries) == len(archived.contents.entries)


@pytest.mark.parametrize(
    ("selection", "wanted"),
    [
        (Selection(kinds=("Service", "Deployment.apps")), {f"Service/{WG_NAME}", f"Deployment/{WG_NAME}"}),
        (Selection(names=(f"Service/{WG_NAME}",)), {f"Service/{WG_NAME}"}),
        (Selection(names=(WG_NAME,), kinds=("Ingress", "ServiceAccount")), {f"Ingress/{WG_NAME}", f"ServiceAccount/{WG_NAME}"}),
        (Selection(label="team=a"), {"ConfigMap/other"}),
        (Selection(label="team,team!=b"), {"ConfigMap/other"}),
        (Selection(kinds=("ConfigMap", "Service"), label="!team"), {f"Service/{WG_NAME}"}),
        (Selection(paths=frozenset({SERVICE, DEPLOYMENT})), {f"Service/{WG_NAME}", f"Deployment/{WG_NAME}"}),
    ],
)
def test_a_selection_takes_what_fits_all_of_it(archived: Archived, selection: Selection, wanted: set[str]) -> None:
    assert names(chosen(archived.contents, selection)) == wanted


@pytest.mark.parametrize(
    ("selection", "words"),
    [
        (Selection(kinds=("Servise",)), "The archive holds no object of kind Servise."),
        (Selection(kinds=("Deployment.extensions",)), "no object of kind Deployment.extensions"),
        (Selection(names=("dashbord",)), "no object called dashbord"),
        (Selection(names=(f"Secret/{WG_NAME}",)), f"no object called Secret/{WG_NAME}"),
        (Selection(kinds=("Service",), label="team=a"), "no object that fits all of the selection"),
    ],
)
def test_a_part_that_fits_nothing_is_named(archived: Archived, selection: Selection, words: str) -> None:
    with pytest.raises(Blocked, match=words):
        chosen(archived.contents, selection)


def test_an_archive_without_secrets_says_so(archived: Archived) -> None:
    archived.lose("Secret")
    archived.archive(secrets="hashes_only")
    archived.contents = type(archived.contents)(
        archived.contents.manifest, tuple(entry for entry in archived.contents.entries if entry.clean["kind"] != "Secret")
    )
    with pytest.raises(Blocked, match="Its Secrets were left out by hashes_only"):
        chosen(archived.contents, Selection(kinds=("Secret",)))


@pytest.mark.parametrize("label", ["a b", "a in (b)", "!a=b", "a=b,,c"])
def test_a_label_selector_that_cannot_be_read_is_refused(label: str) -> None:
    with pytest.raises(InvalidSettings, match="cannot be read"):
        Selection(label=label)


def test_what_the_cluster_makes_is_left_to_it(archived: Archived) -> None:
    token = {**secret("token", {"token": "x"}), "type": "kubernetes.io/service-account-token"}
    journal = secret("wge-journal-r1", {}, labels={"wge.weave.works/journal": "parked"})
    tombstone = secret("sh.helm.release.v1.x.v1", {}, labels={"owner": "wge-tombstone"})
    lease = thing("coordination.k8s.io/v1", "Lease", "wge-upgrade", NAMESPACE)
    for item in (token, journal, tombstone, lease):
        archived.cluster.put(item)
    archived.archive()
    found = chosen(archived.contents, Selection())
    reasons = {entry.clean["metadata"]["name"]: reason for entry, reason in found.skipped}
    assert reasons["token"].startswith("it holds a token") and reasons["wge-upgrade"] == "the cluster makes it by itself"
    assert reasons["wge-journal-r1"] == reasons["sh.helm.release.v1.x.v1"] == "it is this collection's own"
    assert not names(found) & {"Secret/token", "Lease/wge-upgrade"}


def test_the_release_of_wg_is_its_objects_and_its_revisions(archived: Archived) -> None:
    found = names(chosen(archived.contents, of_release(archived.contents)))
    assert {f"Deployment/{WG_NAME}", f"Service/{WG_NAME}", f"Secret/sh.helm.release.v1.{RELEASE}.v10"} <= found
    assert "ConfigMap/other" not in found and f"Namespace/{NAMESPACE}" not in found
