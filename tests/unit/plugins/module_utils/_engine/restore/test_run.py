# SPDX-License-Identifier: GPL-3.0-or-later
"""What was lost comes back, in order and whole, here and on another cluster; a second call writes nothing."""

from __future__ import annotations

import pytest

from ansible_collections.weaveworks.wge.plugins.module_utils._engine.journal import PARKED
from ansible_collections.weaveworks.wge.plugins.module_utils._engine.restore.apply import restore_objects
from ansible_collections.weaveworks.wge.plugins.module_utils._engine.restore.run import Run, Terms
from ansible_collections.weaveworks.wge.plugins.module_utils._engine.restore.selection import Selection, of_release
from ansible_collections.weaveworks.wge.plugins.module_utils._engine.restore.wish import Wish
from ansible_collections.weaveworks.wge.plugins.module_utils._errors import Blocked, Conflict, InvalidSettings
from ansible_collections.weaveworks.wge.tests.unit.plugins.module_utils._engine.restore.archived import (
    DEPLOYMENT,
    SERVICE,
    Archived,
    clean,
    config_map,
    journalled,
    kinds_written,
    owned,
    stored,
)
from ansible_collections.weaveworks.wge.tests.unit.plugins.module_utils._engine.standin import path_of
from ansible_collections.weaveworks.wge.tests.unit.plugins.module_utils._engine.standin_products import NAMESPACE, WG_NAME, thing
from ansible_collections.weaveworks.wge.tests.unit.plugins.module_utils._engine.standin_witness import leads_to

ORDER = (
    "Namespace",
    "ServiceAccount",
    "ClusterRole",
    "Role",
    "ClusterRoleBinding",
    "RoleBinding",
    "Secret",
    "NetworkPolicy",
    "Service",
    "Deployment",
    "Ingress",
    "Secret",
)


def test_everything_that_was_lost_comes_back_as_it_was(archived: Archived) -> None:
    archived.lose()
    outcome = archived.restore()
    assert (outcome.verdict, outcome.changed, outcome.error) == ("restored", True, None)
    assert stored(archived) == clean(archived)
    assert leads_to(archived.world) == "wg"


def test_it_comes_back_in_the_order_in_which_it_is_needed(archived: Archived) -> None:
    archived.lose()
    assert tuple(kinds_written(archived.restore())) == ORDER


def test_the_release_comes_last_and_its_newest_revision_last_of_all(archived: Archived) -> None:
    archived.lose()
    names = [one.entry.clean["metadata"]["name"] for one in archived.restore().restored.made]
    assert [name.rpartition(".")[2] for name in names[-3:]] == ["v1", "v2", "v10"]


def test_what_applies_objects_comes_when_its_release_is_there(archived: Archived) -> None:
    """K12: a HelmRelease that finds no release installs one over all that was put back."""
    kinds = {"Kustomization": "kustomize", "HelmRelease": "helm", "HelmRepository": "source"}
    served = {kind: f"{group}.toolkit.fluxcd.io/{'v2' if group == 'helm' else 'v1'}" for kind, group in kinds.items()}
    archived.cluster.served = [*archived.cluster.served, *served.values()]
    for kind, version in served.items():
        archived.cluster.put(thing(version, kind, "ww-gitops", NAMESPACE, spec={}))
    archived.archive()
    archived.lose()
    assert tuple(kinds_written(archived.restore())) == (*ORDER[:-1], "HelmRepository", "Secret", "HelmRelease", "Kustomization")


def test_a_second_run_writes_nothing_and_takes_no_lock(archived: Archived) -> None:
    archived.lose()
    archived.restore()
    outcome = archived.again()
    assert (outcome.verdict, outcome.changed) == ("unchanged", False)
    assert archived.cluster.count("create", "patch", "delete", "dry-run") == 0


def test_a_cluster_that_lost_nothing_is_left_alone(archived: Archived) -> None:
    assert archived.restore().verdict == "unchanged" and archived.writes() == []


def test_what_a_controller_counts_is_no_difference(archived: Archived) -> None:
    archived.cluster.objects[DEPLOYMENT]["metadata"]["annotations"]["deployment.kubernetes.io/revision"] = "7"
    assert archived.restore().verdict == "unchanged"


def test_a_service_has_its_addresses_again_and_a_new_uid(archived: Archived) -> None:
    before = archived.cluster.objects[SERVICE]["metadata"]["uid"]
    archived.lose("Service")
    outcome = archived.restore()
    (row,) = outcome.restored.identity()
    assert (row["kept"], row["lost"]) == (["ClusterIP 10.0.0.9", "nodePort 30901"], [])
    assert row["uid_before"] == before != row["uid"] == archived.cluster.objects[SERVICE]["metadata"]["uid"]
    assert outcome.restored.warnings() == [
        "1 object was created anew: the uid, the resource version and the creation time are new, which Kubernetes lets nobody choose."
    ]


def test_the_address_of_a_load_balancer_is_told(archived: Archived) -> None:
    archived.cluster.objects[SERVICE]["status"] = {"loadBalancer": {"ingress": [{"ip": "192.0.2.7"}]}}
    archived.archive()
    archived.lose("Service")
    assert any("was reached at 192.0.2.7" in words for words in archived.restore().restored.warnings())


def test_check_mode_plans_and_writes_nothing(archived: Archived) -> None:
    archived.lose("Service", "Deployment")
    outcome = archived.restore(check=True)
    assert (outcome.verdict, outcome.changed, len(outcome.restored.plan.todo)) == ("planned", False, 2)
    assert archived.cluster.count("create", "patch", "delete") == 0


def test_the_lock_is_given_back(archived: Archived) -> None:
    archived.lose("Service")
    archived.restore()
    assert archived.cluster.all("Lease") == []


def test_a_run_that_holds_the_lock_is_named(archived: Archived) -> None:
    archived.lose("Service")
    spec = {"holderIdentity": "run-9/x", "leaseDurationSeconds": 60}
    archived.cluster.put(thing("coordination.k8s.io/v1", "Lease", "wge-upgrade", NAMESPACE, spec=spec))
    archived.world.clock.on_sleep.append(lambda _s: archived.cluster.put(archived.cluster.one("Lease", "wge-upgrade")) and None)
    outcome = archived.restore()
    assert "Another run holds the lock of this cluster: run-9/x." in str(outcome.error) and archived.writes() == []


def test_a_request_of_a_dead_run_that_arrives_after_a_restore_changes_nothing(archived: Archived) -> None:
    """The lock was not given back, so what traffic depends on gets another version first; nothing of that stays."""
    archived.lose("Ingress")
    versions = {path: archived.cluster.objects[path]["metadata"]["resourceVersion"] for path in (SERVICE, DEPLOYMENT)}
    spec = {"holderIdentity": "run-9/x", "leaseDurationSeconds": 60}
    archived.cluster.put(thing("coordination.k8s.io/v1", "Lease", "wge-upgrade", NAMESPACE, spec=spec))
    assert archived.restore().verdict == "restored"
    for path, version in versions.items():
        late = [
            {"op": "test", "path": "/metadata/resourceVersion", "value": version},
            {"op": "add", "path": "/metadata/labels/late", "value": "y"},
        ]
        with pytest.raises(Conflict):
            archived.cluster.patch(path, late)
    assert stored(archived) == clean(archived)


def test_a_lock_that_was_given_back_needs_no_fence(archived: Archived) -> None:
    archived.lose("Ingress")
    archived.restore()
    assert [words for words in archived.writes() if words.startswith("patch")] == []


def test_a_lock_that_is_too_short_is_refused(archived: Archived) -> None:
    with pytest.raises(InvalidSettings, match="lock_seconds is 5"):
        archived.restore(terms=Terms(lock_seconds=5))


def test_many_objects_of_one_collection_are_read_by_one_list(archived: Archived) -> None:
    for number in range(30):
        archived.cluster.put(config_map(f"c{number}"))
    archived.archive()
    archived.cluster.remove("ConfigMap", "c7")
    archived.cluster.requests.clear()
    assert len(archived.restore(check=True).restored.plan.todo) == 1
    assert [words for words in archived.cluster.requests if "/configmaps" in words[1] and words[0] != "dry-run"] == [
        ("list", f"/api/v1/namespaces/{NAMESPACE}/configmaps")
    ]


def test_a_way_back_gives_back_what_is_missing_and_leaves_the_rest_alone(archived: Archived) -> None:
    journalled(archived, PARKED)
    archived.change(SERVICE, spec={"selector": {"app": "wge"}})
    archived.lose("Deployment", "ServiceAccount")
    work = Run(archived.world.tools, archived.contents, Wish(), Terms())
    wish = Wish(of_release(archived.contents), missing_only=True, within_upgrade=True)
    made = restore_objects(work, archived.contents, wish).made
    assert [one.entry.clean["kind"] for one in made] == ["ServiceAccount", "Deployment"]
    assert archived.cluster.objects[SERVICE]["spec"] == {"selector": {"app": "wge"}}
    assert restore_objects(work, archived.contents, wish).made == []


def test_an_archive_of_another_cluster_is_refused(archived: Archived) -> None:
    archived.archive(cluster={"uid": "elsewhere", "version": "v1.33.13"})
    with pytest.raises(Blocked, match="The archive is of another cluster: its UID is elsewhere, that of this cluster is"):
        archived.restore()


def test_there_it_gets_addresses_of_that_cluster(archived: Archived) -> None:
    archived.archive(cluster={"uid": "elsewhere", "version": "v1.33.13"})
    archived.lose()
    outcome = archived.restore(terms=Terms(allow_other_cluster=True), foreign=True)
    spec = archived.cluster.objects[SERVICE]["spec"]
    assert outcome.verdict == "restored" and "clusterIP" not in spec and spec["ports"][0]["nodePort"] == 30901
    assert f"Service {WG_NAME} in namespace {NAMESPACE} did not get its ClusterIP 10.0.0.9 back." in outcome.restored.warnings()
    archived.cluster.requests.clear()
    assert archived.restore(terms=Terms(allow_other_cluster=True), foreign=True).verdict == "unchanged"


def test_a_headless_service_stays_headless_there(archived: Archived) -> None:
    archived.cluster.objects[SERVICE]["spec"].update({"clusterIP": "None", "clusterIPs": ["None"]})
    archived.archive(cluster={"uid": "elsewhere"})
    archived.lose()
    archived.restore(terms=Terms(allow_other_cluster=True), foreign=True)
    assert archived.cluster.objects[SERVICE]["spec"]["clusterIP"] == "None"


def test_an_owner_is_named_by_the_uid_it_has_now(archived: Archived) -> None:
    owner = archived.cluster.objects[DEPLOYMENT]
    path = path_of(archived.cluster.put(owned(config_map("owned"), owner)))
    archived.archive()
    archived.lose()
    outcome = archived.restore()
    (reference,) = archived.cluster.objects[path]["metadata"]["ownerReferences"]
    assert reference["uid"] == archived.cluster.objects[DEPLOYMENT]["metadata"]["uid"] != owner["metadata"]["uid"]
    assert outcome.restored.differing == {}
    assert archived.again().verdict == "unchanged"


def test_an_owner_that_is_gone_is_not_named(archived: Archived) -> None:
    path = path_of(archived.cluster.put(owned(config_map("owned"), archived.cluster.objects[DEPLOYMENT])))
    archived.archive()
    archived.lose()
    archived.restore(selection=Selection(kinds=("ConfigMap", "Namespace")))
    assert "ownerReferences" not in archived.cluster.objects[path]["metadata"]
