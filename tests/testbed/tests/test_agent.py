# SPDX-License-Identifier: GPL-3.0-or-later
"""The node agent does what a kubelet does, as far as it says it does."""

from __future__ import annotations

import json
import os
import subprocess
import time
from collections.abc import Iterator
from typing import Any

import pytest
from testbed import Cluster, linux, network, wait_until, workloads
from testbed.api import Api, ApiError

pytestmark = pytest.mark.bed

SPACE = "agent-tests"
PODS = f"/api/v1/namespaces/{SPACE}/pods"
WG_IMAGE = "ghcr.io/weaveworks/wego-app:v0.38.0"


@pytest.fixture(name="api")
def _api(cluster: Cluster) -> Iterator[Api]:
    api = cluster.api()
    if api.find(f"/api/v1/namespaces/{SPACE}") is None:
        api.create("/api/v1/namespaces", {"metadata": {"name": SPACE}})
        wait_until("ServiceAccount", lambda: api.find(f"/api/v1/namespaces/{SPACE}/serviceaccounts/default"), 20)
    yield api
    for pod in api.get(PODS)["items"]:
        try:
            api.delete(f"{PODS}/{pod['metadata']['name']}", {"gracePeriodSeconds": 0})
        except ApiError:
            pass
    wait_until("no pods", lambda: not api.get(PODS)["items"], 30)


def make(
    api: Api,
    name: str,
    image: str = "example.com/unknown:1",
    annotations: dict[str, str] | None = None,
    container: dict[str, Any] | None = None,
    spec: dict[str, Any] | None = None,
) -> str:
    """A pod; returns its path."""
    body = {
        "metadata": {"name": name, "labels": {"app": name}, "annotations": annotations or {}},
        "spec": {"containers": [{"name": "main", "image": image, **(container or {})}], **(spec or {})},
    }
    api.create(PODS, body)
    return f"{PODS}/{name}"


def condition(pod: dict[str, Any], kind: str = "Ready") -> bool:
    return any(item["type"] == kind and item["status"] == "True" for item in pod.get("status", {}).get("conditions", []))


def first(pod: dict[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = (pod.get("status", {}).get("containerStatuses") or [{}])[0]
    return found


def ready_pod(api: Api, path: str) -> dict[str, Any]:
    """The pod, as soon as it is ready."""
    wait_until("ready", lambda: condition(api.get(path)), 20)
    found: dict[str, Any] = api.get(path)
    return found


def reason(pod: dict[str, Any]) -> str:
    return str(first(pod).get("state", {}).get("waiting", {}).get("reason", ""))


#: Anonymous to local users of this test only: WG without a login Secret starts with OIDC alone.
WG = {"args": ["--insecure", "--auth-methods=oidc"], "ports": [{"name": "http", "containerPort": 9001}]}


def test_unknown_image_is_ready_and_silent(api: Api, cluster: Cluster) -> None:
    path = make(api, "unknown")
    pod = ready_pod(api, path)
    assert first(pod)["restartCount"] == 0 and pod["status"]["phase"] == "Running"
    assert "error" in cluster.ask({"url": f"http://{pod['status']['podIP']}:80/", "timeout": 2})[0]


def test_job_of_an_unknown_image_completes(api: Api) -> None:
    path = make(api, "once", spec={"restartPolicy": "Never"})
    assert wait_until("completion", lambda: api.get(path)["status"].get("phase") == "Succeeded", 20)


def test_missing_secret(api: Api) -> None:
    env = [{"name": "A", "valueFrom": {"secretKeyRef": {"name": "late", "key": "a"}}}]
    path = make(api, "needs-secret", container={"env": env})
    wait_until("CreateContainerConfigError", lambda: reason(api.get(path)) == "CreateContainerConfigError", 20)
    api.create(f"/api/v1/namespaces/{SPACE}/secrets", {"metadata": {"name": "late"}, "data": {"a": "YQ=="}})
    assert wait_until("ready", lambda: condition(api.get(path)), 20)


def test_readiness_probe_and_two_pods_on_one_port(api: Api, cluster: Cluster) -> None:
    probe = {"httpGet": {"path": "/", "port": "http"}, "periodSeconds": 1}
    paths = [make(api, name, WG_IMAGE, container={**WG, "readinessProbe": probe}) for name in ("one", "two")]
    for path in paths:
        pod = ready_pod(api, path)
        assert cluster.ask({"url": f"http://{pod['status']['podIP']}:9001/"})[0]["status"] == 200


def test_slow_start_and_never_ready(api: Api, cluster: Cluster) -> None:
    probe = {"httpGet": {"path": "/", "port": "http"}, "periodSeconds": 1}
    slow = make(api, "slow", WG_IMAGE, {"testbed.wge/slow-start": "4"}, {**WG, "readinessProbe": probe})
    cluster.faults({"labels": {"app": "never"}, "never_ready": True})
    never = make(api, "never")
    wait_until("running", lambda: first(api.get(slow)).get("state", {}).get("running"), 20)
    assert not condition(api.get(slow))
    wait_until("ready", lambda: condition(api.get(slow)), 20)
    assert not condition(api.get(never))
    cluster.faults()
    wait_until("ready", lambda: condition(api.get(never)), 20)


def test_crashes_back_off_and_count(api: Api) -> None:
    path = make(api, "crashing", WG_IMAGE, {"testbed.wge/crash-after": "0.5"}, WG)
    wait_until("CrashLoopBackOff", lambda: reason(api.get(path)) == "CrashLoopBackOff", 30)
    pod = api.get(path)
    assert first(pod)["restartCount"] >= 1 and not condition(pod) and first(pod)["lastState"]["terminated"]["exitCode"] == 137


def test_crash_at_a_moment(api: Api, cluster: Cluster) -> None:
    path = make(api, "mortal", WG_IMAGE, container=WG)
    wait_until("ready", lambda: condition(api.get(path)), 20)
    cluster.faults({"labels": {"app": "mortal"}, "crash_at": time.time() + 2})
    wait_until("restart", lambda: first(api.get(path))["restartCount"] == 1 and condition(api.get(path)), 20)
    time.sleep(2)
    assert first(api.get(path))["restartCount"] == 1


def test_crash_after_a_service_selects_it(api: Api, cluster: Cluster) -> None:
    cluster.faults({"labels": {"app": "chosen"}, "crash_after_selected": f"{SPACE}/chosen=2", "stay_down": 60})
    services = f"/api/v1/namespaces/{SPACE}/services"
    api.create(services, {"metadata": {"name": "chosen"}, "spec": {"selector": {"app": "other"}, "ports": [{"port": 80}]}})
    path = make(api, "chosen", WG_IMAGE, container=WG)
    ready_pod(api, path)
    time.sleep(3)
    assert condition(api.get(path))
    api.patch(f"{services}/chosen", {"spec": {"selector": {"app": "chosen"}}})
    wait_until("its death", lambda: reason(api.get(path)) == "CrashLoopBackOff", 10)
    time.sleep(3)
    assert reason(api.get(path)) == "CrashLoopBackOff" and first(api.get(path))["restartCount"] == 1


def test_image_not_found(api: Api, cluster: Cluster) -> None:
    cluster.faults({"image": "unknown:2", "image_not_found": True})
    path = make(api, "no-image", "example.com/unknown:2")
    wait_until("ErrImagePull", lambda: reason(api.get(path)) in ("ErrImagePull", "ImagePullBackOff"), 20)
    cluster.faults()
    wait_until("ready", lambda: condition(api.get(path)), 20)


def test_liveness_restarts(api: Api) -> None:
    probe = {"httpGet": {"path": "/main.js", "port": 9001}, "periodSeconds": 1, "failureThreshold": 2}
    path = make(api, "unhealthy", WG_IMAGE, container={**WG, "livenessProbe": probe})
    assert wait_until("restart", lambda: first(api.get(path)).get("restartCount", 0) >= 1, 20)


def test_pre_stop_comes_before_sigterm(api: Api, cluster: Cluster) -> None:
    path = make(api, "polite", WG_IMAGE, container={**WG, "lifecycle": {"preStop": {"sleep": {"seconds": 4}}}})
    url = f"http://{ready_pod(api, path)['status']['podIP']}:9001/"
    wait_until("an answer", lambda: cluster.ask({"url": url})[0].get("status") == 200, 20)
    done = {"env": {**os.environ, "PATH": linux.system_path()}, "stdout": subprocess.PIPE, "text": True}
    with subprocess.Popen(cluster.python("testbed.load", url, "20", "8", "new"), **done) as load:  # type: ignore[call-overload]
        load.stdout.readline()
        began = time.time()
        api.delete(path)
        failures = json.loads(load.stdout.read())["failures"]
    assert failures and failures[0][0] - began > 3.9
    wait_until("the end", lambda: api.find(path) is None, 20)


def test_rbac_matters(cluster: Cluster, api: Api) -> None:
    """A ServiceAccount that may not read the login Secret: as if it were missing."""
    api.create(
        f"/api/v1/namespaces/{SPACE}/secrets", {"metadata": {"name": "cluster-user-auth"}, "data": {"username": "YQ==", "password": "YQ=="}}
    )
    path = make(api, "forbidden", WG_IMAGE, container={"args": ["--insecure"]})
    wait_until("its end", lambda: first(api.get(path)).get("lastState", {}).get("terminated", {}).get("exitCode") == 1, 20)
    rbac = "/apis/rbac.authorization.k8s.io/v1"
    rules = [{"apiGroups": [""], "resources": ["secrets"], "verbs": ["get"]}]
    api.create(f"{rbac}/namespaces/{SPACE}/roles", {"metadata": {"name": "read"}, "rules": rules})
    subject = {"kind": "ServiceAccount", "name": "default", "namespace": SPACE}
    api.create(
        f"{rbac}/namespaces/{SPACE}/rolebindings",
        {
            "metadata": {"name": "read"},
            "subjects": [subject],
            "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "Role", "name": "read"},
        },
    )
    wait_until("ready", lambda: condition(api.get(path)), 40)
    time.sleep(2)
    assert condition(api.get(path)) and cluster.running()


def test_scaling_and_rolling(cluster: Cluster) -> None:
    api, path = cluster.api(), f"{workloads.DEPLOYMENTS}/ww-gitops-weave-gitops"
    api.patch(path, {"spec": {"replicas": 3, "template": {"metadata": {"annotations": {"test/roll": "1"}}}}})
    wait_until("three", lambda: workloads.rolled_out(cluster, path), 60)
    api.patch(path, {"spec": {"replicas": 1}})
    wait_until("one", lambda: workloads.rolled_out(cluster, path), 60)


def test_lost_node(cluster: Cluster) -> None:
    api = cluster.api()
    node = f"/api/v1/nodes/{network.NODE_NAME}"
    cluster.faults(node_lost=True)
    wait_until("not ready", lambda: not condition(api.get(node)), 90)
    cluster.faults()
    wait_until("ready again", lambda: condition(api.get(node)), 30)
    wait_until("the dashboard", lambda: workloads.answers(cluster.entry_url) == 200, 30)


def test_what_others_wrote_is_put_right(cluster: Cluster) -> None:
    """As after an outage in which the node lifecycle controller gave the node up."""
    api = cluster.api()
    node = f"/api/v1/nodes/{network.NODE_NAME}"
    unknown = {"status": {"conditions": [{"type": "Ready", "status": "Unknown", "reason": "NodeStatusUnknown"}]}}
    strategic = "application/strategic-merge-patch+json"
    api.patch(f"{node}/status", unknown, strategic)
    for pod in api.get(f"/api/v1/namespaces/{workloads.NAMESPACE}/pods")["items"]:
        body = {"status": {"conditions": [{"type": "Ready", "status": "False", "reason": "NodeNotReady"}]}}
        api.patch(f"/api/v1/namespaces/{workloads.NAMESPACE}/pods/{pod['metadata']['name']}/status", body, strategic)
    wait_until("a ready node", lambda: condition(api.get(node)), 30)
    wait_until("ready pods", lambda: all(map(condition, api.get(f"/api/v1/namespaces/{workloads.NAMESPACE}/pods")["items"])), 30)


def test_agent_restart(cluster: Cluster) -> None:
    """As after a reboot: same addresses, processes start anew."""
    api = cluster.api()
    where = f"/api/v1/namespaces/{workloads.NAMESPACE}/pods"
    before = {pod["metadata"]["name"]: pod["status"]["podIP"] for pod in api.get(where)["items"]}
    cluster.restart_agent()
    wait_until("the dashboard", lambda: workloads.answers(cluster.entry_url) == 200, 30)
    assert {pod["metadata"]["name"]: pod["status"]["podIP"] for pod in api.get(where)["items"]} == before
