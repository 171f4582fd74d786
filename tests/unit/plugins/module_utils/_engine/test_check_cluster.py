# SPDX-License-Identifier: GPL-3.0-or-later
"""CL-01 to CL-04."""

from __future__ import annotations

from dataclasses import replace

import pytest

from ansible_collections.weaveworks.wge.plugins.module_utils._engine.checks.cluster import kubernetes_version, percentile_95
from ansible_collections.weaveworks.wge.plugins.module_utils._engine.checks.registry import Finding
from ansible_collections.weaveworks.wge.plugins.module_utils._engine.model import Answer
from ansible_collections.weaveworks.wge.plugins.module_utils._errors import Unreachable
from ansible_collections.weaveworks.wge.tests.unit.plugins.module_utils._engine.standin import UID, StandInCluster
from ansible_collections.weaveworks.wge.tests.unit.plugins.module_utils._engine.standin_products import thing, wge_objects
from ansible_collections.weaveworks.wge.tests.unit.plugins.module_utils._engine.standin_world import World


def on(cluster: StandInCluster) -> World:
    """WG on another kind of cluster."""
    world = World(cluster)
    world.install_wg()
    return world


def with_uid(world: World, uid: str) -> Finding:
    """CL-02 when the inventory names this UID (the snapshot refuses another cluster before any check)."""
    now = world.look()
    return world.findings(replace(now, settings=replace(now.settings, cluster_uid=uid)))["CL-02"]


def test_a_ready_and_quick_api_server_passes(world: World) -> None:
    found = world.findings()["CL-01"]
    assert found.status == "pass"
    assert found.evidence.endswith("reads answered, 95 % within 0.01 s.")


def test_an_api_server_that_is_not_ready_fails_with_what_is_broken(world: World) -> None:
    world.cluster.ready = Answer(500, {}, b"[+]ping ok\n[-]etcd failed: reason withheld\n[-]poststarthook/x failed\n")
    found = world.findings()["CL-01"]
    assert (found.status, found.evidence) == ("fail", "/readyz answers 500: etcd, poststarthook/x not ready.")
    assert found.remedy == "Repair the control plane, then run again."


def test_who_may_not_read_readyz_is_judged_by_the_other_requests(world: World) -> None:
    world.cluster.ready = Answer(403, {}, b"")
    assert world.findings()["CL-01"].status == "pass"


def test_a_slow_api_server_is_warned_of(world: World) -> None:
    world.cluster.latencies.extend([2.5] * 10)
    found = world.findings()["CL-01"]
    assert found.status == "warn"
    assert found.evidence.endswith("95 % within 2.50 s, which is slow.")


def test_an_api_server_that_stops_answering_is_an_error(world: World) -> None:
    def lose(verb: str, _path: str) -> None:
        if verb == "raw":
            raise Unreachable("The API server does not answer.", "Look at the network.")

    world.cluster.before = lose
    found = world.findings()
    assert (found["CL-01"].status, found["CL-01"].evidence) == ("error", "The API server does not answer.")
    assert found["CL-02"].status == "error"


@pytest.mark.parametrize(("count", "expected"), [(0, 0.0), (1, 1.0), (20, 19.0), (21, 20.0)])
def test_the_95th_percentile_is_that_of_the_sorted_times(count: int, expected: float) -> None:
    assert percentile_95([float(n) for n in range(count, 0, -1)]) == expected


def test_the_cluster_the_inventory_names_passes(world: World) -> None:
    assert with_uid(world, UID).status == "pass"


def test_another_cluster_fails_with_both_uids(world: World) -> None:
    found = with_uid(world, "another")
    assert (found.status, found.evidence) == ("fail", f"This is another cluster: its UID is {UID}, the inventory says another.")
    assert found.remedy == "Correct the kubeconfig, the context or wge_cluster_uid."


def test_an_inventory_without_a_uid_is_given_the_one_to_note_down(world: World) -> None:
    world.set(cluster_uid="")
    found = world.findings()["CL-02"]
    assert (found.status, found.evidence) == ("warn", f"The inventory does not say which cluster this should be; its UID is {UID}.")
    assert f"wge_cluster_uid: {UID}" in found.remedy


def test_a_current_kubernetes_passes(world: World) -> None:
    assert world.findings()["CL-03"].evidence == "Kubernetes is v1.33.13."


def test_a_kubernetes_too_old_fails() -> None:
    found = on(StandInCluster(version="v1.22.17-eks-0a1b")).findings()["CL-03"]
    assert (found.status, found.evidence) == ("fail", "Kubernetes is v1.22.17-eks-0a1b; it must be 1.23 or newer.")
    assert found.remedy == "Upgrade the cluster first."


def test_a_kubernetes_without_a_pause_before_the_end_is_warned_of() -> None:
    found = on(StandInCluster(version="v1.29.4+k3s1")).findings()["CL-03"]
    assert (found.status, found.evidence) == ("warn", "Kubernetes is v1.29.4+k3s1; before 1.30 WGE cannot be given a pause before its end.")


def test_an_api_server_without_a_version_fails(world: World) -> None:
    now = world.look()
    silent = replace(now.snapshot, identity=replace(now.snapshot.identity, version="unknown"))
    evidence = world.evidence()
    evidence.now = replace(now, snapshot=silent)
    judged = kubernetes_version(evidence)
    assert (judged.status, judged.evidence) == ("fail", "The API server does not say its version (it says 'unknown').")


def test_all_apis_that_are_needed_are_served(world: World) -> None:
    assert world.findings()["CL-04"].status == "pass"


def test_an_api_that_is_not_served_fails_by_name() -> None:
    cluster = StandInCluster()
    cluster.served.remove("coordination.k8s.io/v1")
    found = on(cluster).findings()["CL-04"]
    assert (found.status, found.evidence) == ("fail", "The API server does not serve coordination.k8s.io/v1.")
    assert found.remedy == "Upgrade the cluster, or enable these APIs."


def test_an_object_of_an_api_that_the_chart_needs_and_nobody_serves_fails(world: World) -> None:
    monitor = thing("monitoring.coreos.com/v1", "ServiceMonitor", "wge")
    world.helm.render = lambda release: [*wge_objects(release), monitor]
    found = world.findings()["CL-04"]
    assert found.status == "fail"
    assert found.evidence == "The chart makes objects of APIs that this cluster does not serve: monitoring.coreos.com/v1."


def test_an_object_of_an_api_that_the_chart_brings_itself_passes(world: World) -> None:
    own = thing("wego.weave.works/v1alpha1", "Application", "one")
    world.helm.render = lambda release: [*wge_objects(release), own]
    assert world.findings()["CL-04"].status == "pass"
