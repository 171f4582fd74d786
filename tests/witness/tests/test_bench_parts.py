# SPDX-License-Identifier: GPL-3.0-or-later
"""The bench's arithmetic and the peer's playbook."""

from __future__ import annotations

from bench.figures import Cost, Figures, Measured, line_of
from bench.peer import playbook
from bench.recorder import Request

KINDS = {("v1", "namespaces"): "Namespace", ("v1", "secrets"): "Secret", ("apps/v1", "deployments"): "Deployment"}


def get(path: str) -> Request:
    return Request("GET", path, {}, "")


def options(*paths: str) -> list[dict[str, object]]:
    (play,) = playbook([get(path) for path in paths], KINDS)
    return [task["kubernetes.core.k8s_info"] for task in play["tasks"]]


def test_each_kind_of_read_has_its_task() -> None:
    assert options(
        "/api/v1/namespaces/kube-system",
        "/api/v1/namespaces/flux-system/secrets/one",
        "/api/v1/namespaces/flux-system/secrets?limit=500&labelSelector=name+in+%28a%2Cb%29",
        "/apis/apps/v1/deployments?limit=500&fieldSelector=metadata.name%3Dx",
    ) == [
        {"api_version": "v1", "kind": "Namespace", "name": "kube-system"},
        {"api_version": "v1", "kind": "Secret", "namespace": "flux-system", "name": "one"},
        {"api_version": "v1", "kind": "Secret", "namespace": "flux-system", "label_selectors": ["name in (a,b)"]},
        {"api_version": "apps/v1", "kind": "Deployment", "field_selectors": ["metadata.name=x"]},
    ]


def test_what_k8s_info_cannot_read_is_left_out_and_repeated_reads_are_made_once() -> None:
    secret = "/api/v1/namespaces/flux-system/secrets/one"
    assert len(options("/version", "/apis", secret, f"{secret}?limit=500")) == 1
    assert playbook([Request("POST", "/apis/authorization.k8s.io/v1/selfsubjectrulesreviews", {}, "{}")], KINDS)[0]["tasks"] == []


def measured(hosts: int, *cpu: float) -> Measured:
    return Measured("x", hosts, [Cost(value, 2 * value) for value in cpu])


def figures() -> Figures:
    return Figures(
        measured(50, 6, 90, 5), measured(50, 1), measured(2, 41), measured(2, 1), measured(50, 2.5), measured(50, 0), measured(50, 2.25)
    )


def test_ratios_are_those_of_one_cluster() -> None:
    plain, whole = figures().ratios(subtracted=True), figures().ratios(subtracted=False)
    assert plain == {"peer_cpu_ratio": 200, "bare_cpu_ratio": 2, "peer_wall_ratio": 200, "bare_wall_ratio": 2}
    assert whole["bare_cpu_ratio"] == 2.4
    assert line_of(plain) == "peer_cpu_ratio=200.00 bare_cpu_ratio=2.00 peer_wall_ratio=200.00 bare_wall_ratio=2.00"


def test_goals_are_met_or_missed() -> None:
    assert [line.split()[1] for line in figures().goals(61)] == ["MISSED", "met", "met"]


def test_the_table_has_a_row_for_each_and_its_start_up() -> None:
    assert len(figures().table()) == 8


def test_what_ansible_takes_for_any_task_is_told_apart() -> None:
    assert figures().dispatch().startswith("of our 100 ms CPU a cluster 25 ms are what Ansible takes")
    assert figures().dispatch().endswith("over the bare loop: 1.50")
