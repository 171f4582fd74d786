# SPDX-License-Identifier: GPL-3.0-or-later
"""S7 to S9: WGE beside WG, its policies, and the rehearsal."""

from __future__ import annotations

from typing import Any

import pytest

from ansible_collections.weaveworks.wge.plugins.module_utils._engine.model import Answer
from ansible_collections.weaveworks.wge.plugins.module_utils._engine.objects import name_of
from ansible_collections.weaveworks.wge.plugins.module_utils._engine.readiness import probes_for
from ansible_collections.weaveworks.wge.plugins.module_utils._engine.steps.install import InstallBeside
from ansible_collections.weaveworks.wge.plugins.module_utils._engine.steps.policies import TwinPolicies
from ansible_collections.weaveworks.wge.plugins.module_utils._engine.steps.rehearse import Rehearse, shadow_name
from ansible_collections.weaveworks.wge.tests.unit.plugins.module_utils._engine.standin import patched
from ansible_collections.weaveworks.wge.tests.unit.plugins.module_utils._engine.standin_faults import Fault
from ansible_collections.weaveworks.wge.tests.unit.plugins.module_utils._engine.standin_products import (
    NAMESPACE,
    TARGET_RELEASE,
    WG_LABELS,
    WG_NAME,
    WGE_NAME,
    release_secret,
    thing,
    wge_objects,
)
from ansible_collections.weaveworks.wge.tests.unit.plugins.module_utils._engine.standin_runs import climb, roll_back
from ansible_collections.weaveworks.wge.tests.unit.plugins.module_utils._engine.standin_witness import content
from ansible_collections.weaveworks.wge.tests.unit.plugins.module_utils._engine.standin_world import World

PROBES = {"startupProbe", "readinessProbe", "livenessProbe"}


def server_of(deployment: dict[str, Any]) -> Any:
    return deployment["spec"]["template"]["spec"]["containers"][0]


def answering(scene: World, **answers: Answer) -> None:
    """Let WGE answer otherwise on some paths: ``root``, ``flags``, ``version``."""
    names = {"root": "/proxy/", "flags": "/v1/featureflags", "version": "/v1/version"}
    usual = scene.cluster.answer

    def answer(path: str) -> Answer:
        changed = [reply for name, reply in answers.items() if path.endswith(names[name]) and "shadow" in path]
        return changed[0] if changed else usual(path)

    scene.cluster.answer = answer


# S7


def test_installing_gives_the_server_the_probes_its_chart_lacks(scene: World) -> None:
    climb(scene, goal="rehearsed")
    spec = scene.cluster.one("Deployment", WGE_NAME)["spec"]["template"]["spec"]
    assert set(server_of(scene.cluster.one("Deployment", WGE_NAME))) >= PROBES | {"lifecycle"}
    assert spec["terminationGracePeriodSeconds"] > spec["containers"][0]["lifecycle"]["preStop"]["sleep"]["seconds"]


@pytest.mark.parametrize(("version", "sleeps"), [("v1.29.4", False), ("v1.30.0", True), ("v1.33.13+k3s1", True)])
def test_a_server_too_old_to_sleep_before_the_end_gets_no_such_hook(scene: World, version: str, sleeps: bool) -> None:
    scene.cluster.version = version
    assert ("lifecycle" in probes_for(scene.look())) is sleeps


def test_probes_a_chart_brings_are_left_as_they_are(scene: World) -> None:
    own = {"httpGet": {"path": "/own", "port": "server"}}

    def render(release: Any) -> list[dict[str, Any]]:
        objects = wge_objects(release)
        server_of(objects[-1])["readinessProbe"] = dict(own)
        return objects

    scene.helm.render = render
    climb(scene, goal="rehearsed")
    server = server_of(scene.cluster.one("Deployment", WGE_NAME))
    assert server["readinessProbe"] == own
    assert "livenessProbe" in server


def test_the_probes_patch_is_guarded_by_the_containers_name(scene: World) -> None:
    now = scene.look()
    probes = InstallBeside().writes(now)[1]
    assert probes.operations[0] == {"op": "test", "path": "/spec/template/spec/containers/0/name", "value": "clusters-service"}
    assert server_of(patched(now.target.deployment, probes.operations)).keys() >= PROBES


def test_probes_ask_below_the_route_prefix_in_the_right_scheme(scene: World) -> None:
    container = server_of(scene.cluster.one("Deployment", WG_NAME))
    container["args"] += ["--route-prefix=/weave", "--tls-cert-file=/tls/tls.crt"]
    probe = probes_for(scene.look())["readinessProbe"]["httpGet"]
    assert (probe["path"], probe["scheme"]) == ("/weave/v1/featureflags", "HTTPS")


@pytest.mark.parametrize("status", ["pending-install", "failed"])
def test_a_half_installed_wge_of_ours_is_removed_and_installed_anew(scene: World, status: str) -> None:
    climb(scene, Fault(16, "kill within"))
    scene.cluster.one("Secret", f"sh.helm.release.v1.{TARGET_RELEASE}.v1")["metadata"]["labels"]["status"] = status
    outcome = climb(scene)
    assert outcome is not None
    assert outcome.verdict == "upgraded"
    assert f"release {TARGET_RELEASE} was {status}: it is removed and installed anew" in [event.get("text") for event in scene.told]


def test_a_half_installed_wge_of_somebody_else_is_left_alone(scene: World) -> None:
    scene.cluster.put(release_secret(TARGET_RELEASE, [], status="failed"))
    climb(scene)
    assert "uninstall" not in scene.helm.calls


def test_without_a_chart_a_prepared_cluster_can_be_taken_back(scene: World) -> None:
    before = content(scene)
    climb(scene, goal="prepared")
    scene.set(chart="")
    outcome = roll_back(scene)
    assert outcome is not None
    assert outcome.verdict == "rolled_back"
    assert content(scene) == before


# S9


def twins(scene: World) -> dict[str, Any]:
    return {name_of(write.body): write.body["spec"] for write in TwinPolicies().writes(scene.look())}


def test_each_policy_of_wg_gets_a_twin_for_wge_with_its_ports(scene: World) -> None:
    found = twins(scene)
    assert set(found) == {"wge-twin-allow-dashboard-ingress", "wge-twin-allow-dashboard-egress"}
    ingress = found["wge-twin-allow-dashboard-ingress"]
    assert ingress["podSelector"] == {"matchLabels": {"app": "clusters-service", "app.kubernetes.io/instance": TARGET_RELEASE}}
    assert ingress["ingress"] == [{"ports": [{"protocol": "TCP", "port": 8000}]}]
    assert found["wge-twin-allow-dashboard-egress"]["egress"] == [{}]


@pytest.mark.parametrize(
    "selector", [{}, {"matchLabels": {}}, {"matchLabels": {"app": "podinfo"}}], ids=["all pods", "all pods too", "another app"]
)
def test_a_policy_that_does_not_name_wg_needs_no_twin(scene: World, selector: dict[str, Any]) -> None:
    scene.cluster.put(thing("networking.k8s.io/v1", "NetworkPolicy", "other", NAMESPACE, spec={"podSelector": selector}))
    assert "wge-twin-other" not in twins(scene)


def test_a_port_that_is_not_wgs_stays_as_it_is(scene: World) -> None:
    ports = [{"port": "http"}, {"port": "http-metrics"}, {"port": 443}, {"protocol": "UDP"}]
    spec = {"podSelector": {"matchLabels": WG_LABELS}, "ingress": [{"ports": ports}, {"from": []}]}
    scene.cluster.put(thing("networking.k8s.io/v1", "NetworkPolicy", "more", NAMESPACE, spec=spec))
    assert twins(scene)["wge-twin-more"]["ingress"] == [
        {"ports": [{"port": 8000}, {"port": 8080}, {"port": 443}, {"protocol": "UDP"}]},
        {"from": []},
    ]


# S8


def test_the_shadow_has_the_selector_and_ports_of_the_flip(scene: World) -> None:
    (write,) = Rehearse().writes(scene.look())
    assert write.body["metadata"]["name"] == f"{WG_NAME}-wge-shadow"
    assert write.body["spec"] == {
        "type": "ClusterIP",
        "selector": {"app": "clusters-service", "app.kubernetes.io/instance": TARGET_RELEASE},
        "ports": [{"name": "http", "port": 9001, "protocol": "TCP", "targetPort": 8000}],
    }


def test_a_long_service_name_still_makes_a_valid_shadow() -> None:
    name = shadow_name({"metadata": {"name": "x" * 63}})
    assert len(name) == 63
    assert name.endswith("-wge-shadow")


@pytest.mark.parametrize(
    ("answers", "words"),
    [
        ({"root": Answer(404, {}, b"")}, "WGE answers 404 on /."),
        ({"root": Answer(502, {}, b"")}, "WGE cannot be asked through the API server: not after 10 s, the API server itself says 502."),
        ({"flags": Answer(404, {}, b"")}, "WGE answers 404 on /v1/featureflags."),
        ({"version": Answer(500, {}, b"No entitlement was found")}, "WGE finds no valid entitlement: its API answers 500."),
        ({"version": Answer(403, {}, b"")}, "WGE answers 403 on /v1/version."),
    ],
)
def test_a_wrong_answer_of_wge_is_taken_back(scene: World, answers: dict[str, Answer], words: str) -> None:
    answering(scene, **answers)
    before = content(scene)
    outcome = climb(scene)
    assert outcome is not None
    assert words in str(outcome.error)
    assert outcome.verdict == "rolled_back"
    assert content(scene) == before


def test_an_expired_entitlement_is_told_and_does_not_stop(scene: World) -> None:
    answering(scene, version=Answer(401, {"entitlement-expired-message": "expired"}, b""))
    outcome = climb(scene)
    assert outcome is not None
    assert outcome.verdict == "upgraded"
    assert {"event": "note", "text": "the entitlement has expired: WGE works and warns its users"} in scene.told


def test_a_401_of_the_api_server_itself_is_not_taken_for_wges(scene: World) -> None:
    answering(scene, version=Answer(401, {}, b'{"kind": "Status", "apiVersion": "v1", "code": 401}'))
    outcome = climb(scene)
    assert outcome is not None
    assert outcome.verdict != "upgraded"


def test_a_service_proxy_that_lags_is_asked_again(scene: World) -> None:
    late = [Answer(503, {}, b'{"kind": "Status"}')]
    usual = scene.cluster.answer
    scene.cluster.answer = lambda path: late.pop() if late and "shadow" in path else usual(path)
    outcome = climb(scene)
    assert outcome is not None
    assert outcome.verdict == "upgraded", outcome.error


def test_a_shadow_that_gets_no_endpoint_is_taken_back(scene: World) -> None:
    before = content(scene)
    settle = scene.controllers.settle

    def without_shadow() -> None:
        settle()
        for item in scene.cluster.all("EndpointSlice"):
            if "wge-shadow" in name_of(item):
                item["ports"] = []

    scene.cluster.after_write[0] = without_shadow
    outcome = climb(scene)
    assert outcome is not None
    assert "The shadow Service gets no endpoint: not after 5 s, no ready address with a port." in str(outcome.error)
    assert content(scene) == before
