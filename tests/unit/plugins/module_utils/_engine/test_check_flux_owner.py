# SPDX-License-Identifier: GPL-3.0-or-later
"""FL-01 to FL-07 and PE-06 where a HelmRelease keeps WG; who wrote a field; and what a snapshot keeps of a HelmRelease."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from ansible_collections.weaveworks.wge.plugins.module_utils._engine.checks import flux
from ansible_collections.weaveworks.wge.plugins.module_utils._engine.checks.evidence import Evidence, Judged
from ansible_collections.weaveworks.wge.plugins.module_utils._engine.forms import handover
from ansible_collections.weaveworks.wge.plugins.module_utils._engine.forms.flux import in_flight
from ansible_collections.weaveworks.wge.plugins.module_utils._engine.model import Object
from ansible_collections.weaveworks.wge.plugins.module_utils._engine.recording.kinds import Objects
from ansible_collections.weaveworks.wge.plugins.module_utils._engine.recording.redaction import Redactor
from ansible_collections.weaveworks.wge.plugins.module_utils._engine.who import wrote
from ansible_collections.weaveworks.wge.tests.unit.plugins.module_utils._engine.standin_faults import Fault, positions, short
from ansible_collections.weaveworks.wge.tests.unit.plugins.module_utils._engine.standin_flux import lived_in
from ansible_collections.weaveworks.wge.tests.unit.plugins.module_utils._engine.standin_products import NAMESPACE, RELEASE, WG_NAME, thing
from ansible_collections.weaveworks.wge.tests.unit.plugins.module_utils._engine.standin_runs import climb, roll_back, start
from ansible_collections.weaveworks.wge.tests.unit.plugins.module_utils._engine.standin_world import World

CHECKS = (flux.nothing_in_flight, flux.suspended_by_nobody, flux.drift_settings, flux.sources_ready, flux.account_of_flux)
WRITTEN = [{"manager": "flux", "time": "2026-11-23T09:00:00Z", "fieldsV1": {"f:spec": {"f:suspend": {}}}}]


@pytest.fixture
def scene(tmp_path: Path) -> World:
    made, _flux = lived_in(tmp_path)
    chart = made.cluster.one("HelmChart", f"{NAMESPACE}-{RELEASE}")
    chart["status"] = {"artifact": {"revision": "4.0.36"}, "conditions": [{"type": "Ready", "status": "True"}]}
    return made


def owner(scene: World) -> Object:
    return scene.cluster.one("HelmRelease", RELEASE)


def says(scene: World, check: Callable[[Evidence], Judged], status: str, words: str) -> None:
    found = check(scene.evidence())
    assert (found.status, words in f"{found.evidence} {found.remedy}") == (status, True), found


@pytest.mark.parametrize("check", CHECKS)
def test_at_rest_all_pass(scene: World, check: Callable[[Evidence], Judged]) -> None:
    assert check(scene.evidence()).status == "pass"


@pytest.mark.parametrize("check", CHECKS)
def test_without_a_helm_release_the_question_does_not_arise(world: World, check: Callable[[Evidence], Judged]) -> None:
    assert check(world.evidence()).status == "skip"


def test_who_applies_wg_in_its_form_is_nobody_else(scene: World) -> None:
    assert flux.who_applies(scene.evidence()).status == "pass"
    scene.cluster.one("Service", WG_NAME)["metadata"]["labels"]["helm.toolkit.fluxcd.io/name"] = "another"
    says(scene, flux.who_applies, "fail", f"Service {WG_NAME} by the Flux HelmRelease another")


def test_a_flux_that_is_at_work_is_waited_for(scene: World) -> None:
    owner(scene)["status"]["conditions"] = [{"type": "Reconciling", "status": "True", "reason": "Progressing"}]
    says(scene, flux.nothing_in_flight, "fail", "HelmRelease ww-gitops is not at rest: it is reconciling (Progressing).")


def test_what_a_killed_run_asked_of_flux_is_no_reason_against_its_next(scene: World) -> None:
    before = {name: found.status for name, found in scene.findings().items()}
    writes = Fault()
    climb(scene, writes)
    at = positions(short(writes), "patch", f"helmreleases/{RELEASE}")[0]
    roll_back(scene)
    climb(scene, Fault(at, "kill after"))
    start(scene)
    scene.clock.sleep(1)
    assert in_flight(owner(scene)) == "it is reconciling (Progressing)"
    found = scene.findings()
    assert [one.evidence for name, one in found.items() if one.status in ("fail", "error") and before[name] != one.status] == []
    owner(scene)["status"]["conditions"] = [{"type": "Stalled", "status": "True", "reason": "UpgradeFailed"}]
    says(scene, flux.nothing_in_flight, "fail", "it is stalled (UpgradeFailed)")


def test_a_helm_release_that_failed_is_not_at_rest(scene: World) -> None:
    owner(scene)["status"]["conditions"] = [{"type": "Ready", "status": "False", "message": "upgrade retries exhausted"}]
    says(scene, flux.nothing_in_flight, "fail", "it is not ready (upgrade retries exhausted)")


def test_suspended_by_somebody_is_named_with_who(scene: World) -> None:
    owner(scene)["spec"]["suspend"] = True
    owner(scene)["metadata"]["managedFields"] = WRITTEN
    says(scene, flux.suspended_by_nobody, "fail", "not by this run (last written by flux at 2026-11-23T09:00:00Z). Ask who froze it")


def test_suspended_by_this_run_passes(scene: World) -> None:
    climb(scene, goal="prepared")
    assert {check(scene.evidence()).status for check in (flux.nothing_in_flight, flux.suspended_by_nobody)} == {"pass"}


def test_a_floating_version_that_would_bring_another_chart_is_refused(scene: World) -> None:
    owner(scene)["spec"]["chart"]["spec"]["version"] = ">=4"
    says(scene, flux.drift_settings, "pass", "chart version >=4")
    owner(scene)["status"]["lastAttemptedRevision"] = "4.1.0"
    says(scene, flux.drift_settings, "fail", "would bring chart 4.1.0 when it hands WG over, which is at 4.0.36. Pin the version")


def test_what_flux_may_delete_and_make_anew_is_refused(scene: World) -> None:
    scene.cluster.one("Service", WG_NAME)["metadata"]["annotations"]["kustomize.toolkit.fluxcd.io/force"] = "enabled"
    says(scene, flux.drift_settings, "fail", f"Flux may delete and make anew: {WG_NAME}")


def test_a_chart_that_cannot_be_fetched_is_refused(scene: World) -> None:
    chart = scene.cluster.one("HelmChart", f"{NAMESPACE}-{RELEASE}")
    chart["status"]["conditions"] = [{"type": "Ready", "status": "False", "message": "no such host."}]
    says(scene, flux.sources_ready, "fail", "The chart of HelmRelease ww-gitops cannot be fetched: no such host.")
    scene.cluster.remove("HelmChart", f"{NAMESPACE}-{RELEASE}")
    says(scene, flux.sources_ready, "fail", "it has no artifact")


def test_what_the_delivery_lacks_is_said_by_the_preflight_too(scene: World) -> None:
    scene.set(chart_repository="")
    says(scene, flux.sources_ready, "fail", "Give its URL in wge_chart_repository")


def test_an_account_that_wge_will_not_have_is_told(scene: World) -> None:
    owner(scene)["spec"]["serviceAccountName"] = "team"
    says(scene, flux.account_of_flux, "warn", "acts as ServiceAccount team; that of WGE acts as Flux itself")
    scene.set(delivery="helm")
    assert flux.account_of_flux(scene.evidence()).status == "pass"


def test_a_controller_that_is_down_blocks_where_wg_is_handed_over_by_it(scene: World) -> None:
    template = {"spec": {"containers": [{"name": "manager", "image": "x"}]}}
    item = thing("apps/v1", "Deployment", "helm-controller", NAMESPACE, spec={"replicas": 1, "template": template})
    item["metadata"]["labels"] = {"app.kubernetes.io/part-of": "flux", "app.kubernetes.io/version": "v2.4.0"}
    scene.cluster.put(item)
    says(scene, flux.controllers_ready, "fail", "is not available, and WG is handed over by it")


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ([], ""),
        (WRITTEN, "flux at 2026-11-23T09:00:00Z"),
        (
            [*WRITTEN, {"manager": "kubectl-edit", "time": "2026-11-23T10:00:00Z", "fieldsV1": {"f:spec": {"f:suspend": {}}}}],
            "kubectl-edit",
        ),
        ([{"manager": "x", "fieldsV1": {"f:spec": {"f:values": {}}}}], ""),
    ],
)
def test_who_wrote_a_field_last(fields: list[Object], words: str) -> None:
    assert wrote({"metadata": {"managedFields": fields}}, "spec", "suspend").startswith(words)
    assert bool(wrote({"metadata": {"managedFields": fields}}, "spec", "suspend")) == bool(words)


def test_a_name_that_is_a_regular_expression_drops_only_itself() -> None:
    item = {"apiVersion": "rbac.authorization.k8s.io/v1", "kind": "ClusterRoleBinding", "metadata": {"name": "jane+a.b-cr"}}
    (patch,) = handover.element([item], "r1")["kustomize"]["patches"]
    assert patch["target"]["name"] == r"jane\+a\.b-cr"
    assert handover.dropped_by([handover.element([item], "r1")], "r1") == {("ClusterRoleBinding", "jane+a.b-cr")}
    assert handover.dropped_by([handover.element([item], "r1"), {"kustomize": {"patches": [{"patch": "- op: x"}]}}, {}], "r2") == set()


@pytest.mark.parametrize(
    "patch",
    [
        "- op: add\n  path: /spec/x\n  value: hunter2hunter2",
        "spec:\n  template:\n    spec:\n      containers:\n      - env:\n        - {name: CLIENT_SECRET, value: hunter2hunter2}",
        "{: hunter2hunter2",
    ],
)
def test_a_snapshot_keeps_no_secret_of_a_helm_release(scene: World, patch: str) -> None:
    item = owner(scene)
    item["spec"] |= {"values": {"oidcSecret": {"clientSecret": "hunter2hunter2"}}}
    item["spec"]["postRenderers"] = [{"kustomize": {"patches": [{"target": {"kind": "Deployment"}, "patch": patch}]}}]
    cleaned = Objects(Redactor()).cleaned(item)
    assert "hunter2" not in str(cleaned)
    assert cleaned["spec"]["chart"] == item["spec"]["chart"]


def test_a_snapshot_keeps_what_our_own_element_drops(scene: World) -> None:
    climb(scene, goal="prepared")
    cleaned, run = Objects(Redactor()).cleaned(owner(scene)), scene.look().run
    assert (
        handover.dropped_by(handover.renderers_of(cleaned), run) == handover.dropped_by(handover.renderers_of(owner(scene)), run) != set()
    )
