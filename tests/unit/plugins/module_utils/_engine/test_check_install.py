# SPDX-License-Identifier: GPL-3.0-or-later
"""CU-01, CU-03 and CU-04."""

from __future__ import annotations

import pytest

from ansible_collections.weaveworks.wge.plugins.module_utils._engine.checks.registry import Finding
from ansible_collections.weaveworks.wge.plugins.module_utils._engine.model import Answer
from ansible_collections.weaveworks.wge.tests.unit.plugins.module_utils._engine.standin_products import WG_NAME, release_secret, wg_objects
from ansible_collections.weaveworks.wge.tests.unit.plugins.module_utils._engine.standin_world import World

REPAIR = "Repair WG first, so that the upgrade begins from a dashboard that works."


def on_port(world: World, metrics_first: bool) -> Finding:
    """CU-03 when WG's Service has two ports in this order."""
    ports = world.cluster.one("Service", WG_NAME)["spec"]["ports"]
    ports.insert(0 if metrics_first else 1, {"name": "http-metrics", "port": 2112, "targetPort": "http-metrics"})
    world.controllers.settle()
    return world.findings()["CU-03"]


def test_wg_as_one_helm_release_passes_with_what_was_found(world: World) -> None:
    found = world.findings()["CU-01"]
    assert found.status == "pass"
    assert found.evidence == (
        "a plain Helm release ww-gitops in namespace flux-system; chart 4.0.36; "
        "image ghcr.io/weaveworks/wego-app:v0.38.0; revision 1 of 1 stored, deployed."
    )


def test_a_deployment_that_its_release_does_not_know_fails(world: World) -> None:
    world.restore([item for item in wg_objects() if item["kind"] != "Deployment"])
    found = world.findings()["CU-01"]
    assert (found.status, found.evidence) == (
        "fail",
        f"Deployment {WG_NAME} says that it belongs to the Helm release ww-gitops, whose manifest does not have it.",
    )
    assert found.remedy == "Look with helm get manifest at what the release holds, and repair it with helm upgrade."


def test_a_healthy_wg_passes_and_is_asked_once_for_both_checks(world: World) -> None:
    found = world.findings()
    assert found["CU-03"].status == found["CU-04"].status == "pass"
    assert "/ answers 200" in found["CU-03"].evidence
    assert sum(path.endswith("/proxy/") for verb, path in world.cluster.requests if verb == "raw") == 1


def test_a_wg_that_is_not_available_fails(world: World) -> None:
    world.cluster.one("Deployment", WG_NAME)["status"]["availableReplicas"] = 0
    found = world.findings()["CU-03"]
    assert (found.status, found.remedy) == ("fail", REPAIR)
    assert found.evidence == f"Deployment {WG_NAME} has 0 of 1 replicas available, or has not finished its roll-out."


def test_a_service_without_an_endpoint_fails(world: World) -> None:
    world.cluster.remove("EndpointSlice", f"{WG_NAME}-x")
    found = world.findings()["CU-03"]
    assert (found.status, found.evidence) == ("fail", f"Service {WG_NAME} has no ready endpoint with a port.")


def test_a_dashboard_that_answers_badly_fails_with_the_api_servers_words(world: World) -> None:
    world.controllers.deaf.add(WG_NAME)
    found = world.findings()["CU-03"]
    assert found.status == "fail"
    assert found.evidence == f"The dashboard answers 503 through Service {WG_NAME} (no endpoints available for service)."


def test_an_api_server_that_refuses_its_proxy_is_an_error_and_not_a_sick_wg(world: World) -> None:
    world.cluster.answer = lambda _path: Answer(403, {}, b'{"kind": "Status", "message": "no"}')
    for name in ("CU-03", "CU-04"):
        found = world.findings()[name]
        assert (found.status, found.evidence) == ("error", f"The API server does not let us call Service {WG_NAME} through its proxy.")
        assert found.remedy == "Grant get on services/proxy as check PE-02 says."


def test_without_a_service_there_is_nothing_to_ask(world: World) -> None:
    world.cluster.remove("Service", WG_NAME)
    found = world.findings()
    assert (found["CU-03"].status, found["CU-03"].evidence) == ("fail", "No Service leads to WG.")
    assert found["CU-04"].evidence == "No Service leads to WG, so its scheme cannot be confirmed."


@pytest.mark.parametrize("metrics_first", [True, False])
def test_the_port_of_the_dashboard_is_asked_wherever_it_stands(world: World, metrics_first: bool) -> None:
    assert on_port(world, metrics_first).status == "pass"
    assert any(f"http:{WG_NAME}:9001/proxy" in path for _verb, path in world.cluster.requests)


def test_a_container_that_was_restarted_just_now_fails(world: World) -> None:
    status = world.cluster.all("Pod")[0]["status"]["containerStatuses"][0]
    status.update(restartCount=3, lastState={"terminated": {"finishedAt": "2026-11-23T11:55:00Z"}})
    found = world.findings()["CU-03"]
    assert found.status == "fail"
    assert "container server of pod" in found.evidence
    assert "was restarted 300 s ago" in found.evidence


def test_a_restart_long_ago_passes(world: World) -> None:
    world.cluster.all("Pod")[0]["status"]["containerStatuses"][0]["restartCount"] = 3
    assert world.findings()["CU-03"].status == "pass"


def test_a_new_pod_that_never_failed_passes(world: World) -> None:
    status = world.cluster.all("Pod")[0]["status"]["containerStatuses"][0]
    status["state"]["running"]["startedAt"] = "2026-11-23T11:59:50Z"
    assert world.findings()["CU-03"].status == "pass"


def test_plain_http_is_confirmed_by_an_answer(world: World) -> None:
    assert world.findings()["CU-04"].evidence == "WG speaks http by its arguments, and answers so."


def test_client_certificates_fail() -> None:
    world = World()
    world.install_wg(arguments=("--mtls", "--tls-cert-file", "/a", "--tls-private-key-file", "/b"))
    found = world.findings()["CU-04"]
    assert (found.status, found.evidence) == ("fail", "WG asks its callers for client certificates (--mtls); WGE cannot.")
    assert found.remedy == "Take --mtls away from WG and its routes first."


def test_https_is_warned_of_since_wge_cannot_take_the_certificate_over() -> None:
    world = World()
    world.install_wg(arguments=("--tls-cert-file", "/a", "--tls-private-key-file", "/b"))
    found = world.findings()["CU-04"]
    assert found.status == "warn"
    assert found.evidence.startswith("WG speaks https with a certificate of its own; WGE up to 0.38.1 serves one it makes itself")
    assert any(f"https:{WG_NAME}:9001" in path for _verb, path in world.cluster.requests)


def test_a_server_that_does_not_speak_what_its_arguments_say_fails(world: World) -> None:
    world.cluster.answer = lambda _path: Answer(503, {}, b'{"kind": "Status", "message": "tls: no"}')
    found = world.findings()["CU-04"]
    assert (found.status, found.evidence) == ("fail", "WG should speak http by its arguments, but is not understood so: 503 (tls: no).")


def test_after_the_flip_wg_is_no_longer_judged(world: World) -> None:
    world.climb("flipped")
    world.cluster.one("Deployment", WG_NAME)["status"]["availableReplicas"] = 0
    assert world.findings()["CU-03"].status == "skip"


def test_a_flip_that_was_not_verified_counts_as_flipped(world: World) -> None:
    world.climb("flipped")
    shadow = {**world.cluster.one("Service", WG_NAME), "metadata": {"name": f"{WG_NAME}-wge-shadow", "namespace": "flux-system"}}
    run = world.look().run
    shadow["metadata"]["labels"] = {"wge.weave.works/run": run}
    world.cluster.put(shadow)
    found = world.findings()
    for name in ("CU-03", "CU-04"):
        assert (found[name].status, found[name].evidence) == ("skip", "The Services lead to WGE already.")


def test_a_helm_that_is_at_work_on_wgs_release_fails(world: World) -> None:
    world.cluster.put(release_secret("ww-gitops", wg_objects(), revision=2, status="pending-upgrade"))
    found = world.findings()["CU-03"]
    assert (found.status, found.remedy) == ("fail", "Wait for it to end, or repair the release with helm rollback.")
    assert found.evidence == "Helm is at work on WG's release: sh.helm.release.v1.ww-gitops.v2 is pending-upgrade."
