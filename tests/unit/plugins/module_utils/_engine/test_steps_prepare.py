# SPDX-License-Identifier: GPL-3.0-or-later
"""S2 to S5: journal, archive, entitlement, the admin's rights."""

from __future__ import annotations

import base64
from typing import Any

import pytest

from ansible_collections.weaveworks.wge.plugins.module_utils._engine.archive.model import Contents
from ansible_collections.weaveworks.wge.plugins.module_utils._engine.journal import journal_from
from ansible_collections.weaveworks.wge.plugins.module_utils._engine.model import Object
from ansible_collections.weaveworks.wge.plugins.module_utils._engine.steps.prepare import CarryLogin, Entitle
from ansible_collections.weaveworks.wge.plugins.module_utils._errors import Blocked, SafeStop
from ansible_collections.weaveworks.wge.tests.unit.plugins.module_utils._engine.standin_archives import archive_of
from ansible_collections.weaveworks.wge.tests.unit.plugins.module_utils._engine.standin_faults import Fault
from ansible_collections.weaveworks.wge.tests.unit.plugins.module_utils._engine.standin_products import (
    RELEASE,
    entitlement,
    release_secret,
    secret,
    wg_objects,
    wge_objects,
)
from ansible_collections.weaveworks.wge.tests.unit.plugins.module_utils._engine.standin_runs import climb
from ansible_collections.weaveworks.wge.tests.unit.plugins.module_utils._engine.standin_vendor import OTHER_TOKEN, TOKEN
from ansible_collections.weaveworks.wge.tests.unit.plugins.module_utils._engine.standin_world import World


def journal(scene: World) -> Any:
    (item,) = [item for item in scene.cluster.all("Secret") if "wge.weave.works/journal" in item["metadata"]["labels"]]
    return journal_from(item)


# S2


def test_the_journal_knows_every_write_and_what_takes_it_back_before_the_first(scene: World) -> None:
    climb(scene, Fault(1, "kill after"))
    entries = journal(scene).entries
    assert {step for step, records in entries.items() if records} == {"S4", "S5", "S11", "S6", "S7", "S9", "S8", "S12", "S15"}
    patches = [record for records in entries.values() for record in records if record["verb"] == "patch" and "probes" not in record["text"]]
    assert all(record["reverse"] for record in patches)


def test_the_journal_of_a_parked_cluster_is_closed_and_dated(scene: World) -> None:
    climb(scene)
    assert journal(scene).state == "parked"
    assert journal(scene).notes["parked"].startswith("2026-11-23T")


def test_the_journal_holds_no_byte_of_a_secret(scene: World) -> None:
    climb(scene)
    text = journal(scene).text()
    bytes_ = [value for item in scene.cluster.all("Secret") for key, value in item.get("data", {}).items() if key != "journal"]
    assert not [value for value in [*bytes_, TOKEN] if value in text]


def test_a_journal_that_vanishes_is_a_safe_stop(scene: World) -> None:
    def vanish() -> None:
        for item in scene.cluster.all("Secret"):
            if "wge.weave.works/journal" in item["metadata"]["labels"]:
                scene.cluster.remove("Secret", item["metadata"]["name"])

    scene.cluster.after_write.append(vanish)
    outcome = climb(scene)
    assert outcome is not None
    assert isinstance(outcome.error, SafeStop)
    assert "The journal is gone as soon as it was written" in str(outcome.error)


def test_a_killed_run_is_taken_up_under_its_own_name(scene: World) -> None:
    climb(scene, Fault(6, "kill after"))
    run = journal(scene).run
    climb(scene)
    assert journal(scene).run == run


# S3


def test_the_archive_is_made_before_anything_else_and_the_journal_names_it(scene: World) -> None:
    climb(scene, goal="prepared")
    ((path, contents),) = scene.archives.made.items()
    assert journal(scene).archive["path"] == path
    assert not [entry.path for entry in contents.entries if "wge-journal" in entry.path]


def test_an_archive_is_made_once_a_run(scene: World) -> None:
    climb(scene, Fault(6, "kill after"))
    climb(scene)
    assert len(scene.archives.made) == 1


def given_archive(scene: World, path: str = "/exported") -> Contents:
    """An archive that somebody made before, named in the settings."""
    found = archive_of(scene.cluster, scene.look().snapshot)
    scene.archives.made[path] = found
    scene.set(archive=path)
    return found


def test_an_archive_that_was_given_is_taken_and_none_is_made(scene: World) -> None:
    given_archive(scene)
    climb(scene, goal="prepared")
    assert journal(scene).archive == {"path": "/exported", "digest": "d", "vault_id": "prod", "copied": True, "given": True}
    assert list(scene.archives.made) == scene.archives.copies == ["/exported"]


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"secrets": "hashes_only"}, "holds hashes of Secrets only: nobody could go back with it"),
        ({"cluster": {"uid": "another"}}, "is of another cluster: its UID is another"),
    ],
)
def test_an_archive_that_leads_nobody_back_is_refused_before_the_first_write(scene: World, change: Object, words: str) -> None:
    given_archive(scene).manifest.update(change)
    fault = Fault()
    outcome = climb(scene, fault)
    assert outcome is not None
    assert isinstance(outcome.error, Blocked)
    assert words in str(outcome.error)
    assert [path.rsplit("/", 1)[-1] for _, path in fault.sent] == ["wge-upgrade"] * 2


def test_an_archive_from_before_the_last_change_of_wg_is_refused(scene: World) -> None:
    given_archive(scene)
    scene.cluster.put(release_secret(RELEASE, wg_objects(), revision=8))
    outcome = climb(scene)
    assert outcome is not None
    assert "does not hold /api/v1/namespaces/flux-system/secrets/sh.helm.release.v1.ww-gitops.v8" in str(outcome.error)


def test_where_there_is_no_vault_only_the_secrets_are_taken_on_trust(scene: World) -> None:
    found = given_archive(scene)
    plain = tuple(entry for entry in found.entries if "/secrets/" not in entry.path)
    scene.archives.made["/exported"] = Contents(found.manifest, plain, opened=False)
    outcome = climb(scene, goal="prepared")
    assert outcome is not None
    assert outcome.rung.word == "prepared"


# S4


def test_the_entitlement_is_put_where_wge_looks_for_it(scene: World) -> None:
    climb(scene, goal="prepared")
    live = scene.cluster.one("Secret", "weave-gitops-enterprise-credentials")
    assert live["metadata"]["namespace"] == "flux-system"
    assert base64.b64decode(live["data"]["entitlement"]).decode() == TOKEN


def test_white_space_around_an_entitlement_is_dropped(scene: World) -> None:
    scene.set(entitlement=f"\n{TOKEN}\n")
    (write,) = Entitle().writes(scene.look())
    assert base64.b64decode(write.body["data"]["entitlement"]).decode() == TOKEN


def test_an_entitlement_that_is_there_is_never_overwritten(scene: World) -> None:
    scene.cluster.put(entitlement(OTHER_TOKEN))
    assert Entitle().writes(scene.look()) == []
    climb(scene)
    live = scene.cluster.one("Secret", "weave-gitops-enterprise-credentials")
    assert base64.b64decode(live["data"]["entitlement"]).decode() == OTHER_TOKEN


def test_without_an_entitlement_nothing_is_put_there(scene: World) -> None:
    scene.set(entitlement="")
    assert Entitle().writes(scene.look()) == []


# S5


def test_an_admin_of_another_name_gets_wges_reader_role(scene: World) -> None:
    (write,) = CarryLogin().writes(scene.look())
    assert write.body["subjects"] == [{"apiGroup": "rbac.authorization.k8s.io", "kind": "User", "name": "admin"}]
    assert write.body["roleRef"]["name"] == "gitops-reader"
    assert [str(right) for right in CarryLogin().further_rights(scene.look())] == [
        "bind clusterroles.rbac.authorization.k8s.io 'gitops-reader'"
    ]


def test_wego_admin_is_bound_by_the_chart_itself(scene: World) -> None:
    scene.cluster.put(secret("cluster-user-auth", {"username": "wego-admin", "password": "x"}))
    assert CarryLogin().writes(scene.look()) == []
    assert CarryLogin().further_rights(scene.look()) == []


def test_without_a_local_admin_nobody_is_bound(scene: World) -> None:
    scene.cluster.remove("Secret", "cluster-user-auth")
    assert CarryLogin().writes(scene.look()) == []


def test_a_chart_without_the_role_binds_nobody(scene: World) -> None:
    scene.helm.render = lambda release: [item for item in wge_objects(release) if item["kind"] != "ClusterRole"]
    assert CarryLogin().writes(scene.look()) == []
