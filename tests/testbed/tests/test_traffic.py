# SPDX-License-Identifier: GPL-3.0-or-later
"""Traffic is real: ClusterIP, NodePort, the entry, the service proxy; a flip by one JSON Patch loses nothing."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable
from typing import Any

import pytest
from testbed import Cluster, linux, network, wait_until, workloads
from testbed.api import JSON_PATCH
from testbed.layout import HERE
from testbed.load import Load

pytestmark = pytest.mark.bed

SERVICE = "ww-gitops-weave-gitops"
PATH = f"/api/v1/namespaces/{workloads.NAMESPACE}/services/{SERVICE}"
WG_SELECTOR = {"app.kubernetes.io/instance": "ww-gitops", "app.kubernetes.io/name": "weave-gitops"}


def flip(cluster: Cluster, old: dict[str, str], new: dict[str, str], port: str | int) -> None:
    cluster.api().patch(
        PATH,
        [
            {"op": "test", "path": "/spec/selector", "value": old},
            {"op": "replace", "path": "/spec/selector", "value": new},
            {"op": "replace", "path": "/spec/ports/0/targetPort", "value": port},
        ],
        JSON_PATCH,
    )


class Running:
    """A load under way, inside the cluster's network or (`outside`) on the host."""

    def __init__(self, cluster: Cluster, url: str, rate: float, seconds: float, kind: str, outside: bool = False) -> None:
        words = [url, str(rate), str(seconds), kind]
        command = [sys.executable, "-m", "testbed.load", *words] if outside else cluster.python("testbed.load", *words)
        environment = {**os.environ, "PATH": linux.system_path(), "PYTHONPATH": str(HERE.parent)}
        self._process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=environment)
        assert self._process.stdout
        self.began: float = json.loads(self._process.stdout.readline())["began"]

    def result(self) -> dict[str, Any]:
        """Wait for its end."""
        found: dict[str, Any] = json.loads(self._process.communicate(timeout=120)[0])
        return found


def test_ways_to_the_dashboard(cluster: Cluster, service_address: Callable[[str], str]) -> None:
    for url in (f"http://{service_address(SERVICE)}:9001/", f"http://{network.NODE_ADDRESS}:{network.ENTRY_NODE_PORT}/"):
        assert cluster.ask({"url": url})[0]["status"] == 200
    assert workloads.answers(cluster.entry_url) == 200
    assert cluster.api().raw("GET", f"{PATH.replace(SERVICE, f'http:{SERVICE}:9001')}/proxy/")[0] == 200


def test_addresses_without_a_pod_fail(cluster: Cluster) -> None:
    """Every pod address is local: one that nobody has must refuse all the same."""
    assert "error" in cluster.ask({"url": "http://10.244.200.200:9001/", "timeout": 2})[0]


def test_flip_loses_nothing(wge: Cluster, service_address: Callable[[str], str]) -> None:
    wge_selector = {"app": "clusters-service"}
    node_port = f"http://{network.NODE_ADDRESS}:{network.ENTRY_NODE_PORT}/"
    loads = [Running(wge, f"http://{service_address(SERVICE)}:9001/", 60, 12, kind) for kind in ("new", "kept")]
    loads += [Running(wge, node_port, 60, 12, "new"), Running(wge, wge.entry_url, 60, 12, "kept", outside=True)]
    time.sleep(3)
    flip(wge, WG_SELECTOR, wge_selector, 8000)
    time.sleep(4)
    flip(wge, wge_selector, WG_SELECTOR, "http")
    answers = [load.result() for load in loads]
    for answer in answers:
        assert answer["sent"] == 720 and answer["lost"] == 0, answer
    for answer in (answers[0], answers[2]):  # new connections saw both products
        assert min(answer["types"].get("text/html", 0), answer["types"].get("text/plain", 0)) > 60, answer


def test_failures_are_carried_through(cluster: Cluster) -> None:
    """No endpoint: the entry's client must see a failure, not an empty answer or a wait."""
    flip(cluster, WG_SELECTOR, {"app": "nobody"}, 8000)
    try:
        wait_until("refusal", lambda: workloads.answers(cluster.entry_url) == 0, 10)
        began = time.monotonic()
        bad = Load(cluster.entry_url, 20, 1, False).run()
        assert bad["lost"] == bad["sent"] == 20
        assert time.monotonic() - began < 5
    finally:
        flip(cluster, {"app": "nobody"}, WG_SELECTOR, "http")
    wait_until("the dashboard", lambda: workloads.answers(cluster.entry_url) == 200, 10)


CONNECT_FROM = "import socket, sys; socket.create_connection((sys.argv[1], int(sys.argv[2])), 2, (sys.argv[1], int(sys.argv[3])))"


def test_a_refused_connection_is_forgotten_soon(cluster: Cluster) -> None:
    """The kernel would refuse the next one from that port as well, endpoint or not."""
    own_port = 23456  # none that the kernel gives to others: those begin at 32768
    command = (sys.executable, "-c", CONNECT_FROM, network.NODE_ADDRESS, str(network.ENTRY_NODE_PORT), str(own_port))
    flip(cluster, WG_SELECTOR, {"app": "nobody"}, 8000)
    try:
        wait_until("refusal", lambda: workloads.answers(cluster.entry_url) == 0, 10)
        assert "ConnectionRefusedError" in cluster.exec(*command).stderr
    finally:
        flip(cluster, {"app": "nobody"}, WG_SELECTOR, "http")
    wait_until("the dashboard", lambda: workloads.answers(cluster.entry_url) == 200, 10)
    time.sleep(max(network.FORGET_CLOSED.values()) + 1)
    assert cluster.exec(*command).stderr == ""


@pytest.mark.parametrize("kind", ["new", "kept"])
def test_death_of_the_only_pod_is_seen(cluster: Cluster, kind: str) -> None:
    """Products die at once on SIGTERM: what is under way is cut, and the bed hides nothing of it."""
    load = Running(cluster, f"http://{network.NODE_ADDRESS}:{network.ENTRY_NODE_PORT}/", 40, 10, kind)
    time.sleep(1)
    pods = cluster.api().get(f"/api/v1/namespaces/{workloads.NAMESPACE}/pods?labelSelector=app.kubernetes.io/name%3Dweave-gitops")["items"]
    cluster.api().delete(f"/api/v1/namespaces/{workloads.NAMESPACE}/pods/{pods[0]['metadata']['name']}")
    found = load.result()
    assert found["lost"] and found["statuses"]["200"], found
    wait_until("the dashboard", lambda: workloads.answers(cluster.entry_url) == 200, 60)
