# SPDX-License-Identifier: GPL-3.0-or-later
"""TA-01 and TA-04."""

from __future__ import annotations

import base64
import hashlib
import json
from pathlib import Path

import pytest

from ansible_collections.weaveworks.wge.plugins.module_utils._engine.checks.evidence import Judged
from ansible_collections.weaveworks.wge.plugins.module_utils._engine.checks.images import chart_fixed, images
from ansible_collections.weaveworks.wge.plugins.module_utils._engine.images import pod_spec, registry_of
from ansible_collections.weaveworks.wge.plugins.module_utils._engine.model import Object
from ansible_collections.weaveworks.wge.tests.unit.plugins.module_utils._engine.standin_products import (
    NAMESPACE,
    WG_NAME,
    WGE_NAME,
    thing,
    wge_objects,
)
from ansible_collections.weaveworks.wge.tests.unit.plugins.module_utils._engine.standin_world import World

CREDENTIAL = "canary-password"


def renders(world: World, image: str = "", *, chart: str = "", pull: str = "") -> None:
    """WGE's server is rendered like this."""

    def render(release: object) -> list[Object]:
        objects = wge_objects(release)  # type: ignore[arg-type]
        server = next(item for item in objects if item["metadata"]["name"] == WGE_NAME and item["kind"] == "Deployment")
        spec = server["spec"]["template"]["spec"]
        if image:
            spec["containers"][0]["image"] = image
        if chart:
            server["metadata"]["labels"]["helm.sh/chart"] = chart
        if pull:
            spec["imagePullSecrets"] = [{"name": pull}]
        return objects

    world.helm.render = render


def pull_secret(*hosts: str) -> Object:
    content = json.dumps({"auths": {host: {"password": CREDENTIAL} for host in hosts}})
    data = {".dockerconfigjson": base64.b64encode(content.encode()).decode()}
    return thing("v1", "Secret", "pull", NAMESPACE, type="kubernetes.io/dockerconfigjson", data=data)


def chart(world: World, reference: str, version: str = "") -> Judged:
    world.set(chart=reference, chart_version=version)
    return chart_fixed(world.evidence())


def test_an_exact_version_of_a_chart_elsewhere_passes(world: World) -> None:
    found = chart(world, "oci://registry/mccp", "0.38.1")
    assert (found.status, found.evidence) == ("pass", "The chart is oci://registry/mccp 0.38.1.")


@pytest.mark.parametrize(
    ("version", "words"),
    [
        ("", "is not given"),
        ("0.x.x", "is the range 0.x.x"),
        (">=0.38", "is the range >=0.38"),
        ("latest", "is the range latest"),
        ("0.38", "is the range 0.38"),
    ],
)
def test_a_version_that_may_be_another_one_tomorrow_fails(world: World, version: str, words: str) -> None:
    renders(world, chart="mccp-0.38.1")
    found = chart(world, "repo/mccp", version)
    assert (found.status, found.evidence) == (
        "fail",
        f"The version of the chart repo/mccp {words}: what is installed on the day may not be what was looked at (now it is 0.38.1).",
    )
    assert found.remedy == "Write wge_chart_version: 0.38.1 into the inventory."


@pytest.mark.parametrize("reference", ["https://x/mccp-0.38.1.tgz", "oci://x/mccp@sha256:0"])
def test_an_address_of_one_chart_passes(world: World, reference: str) -> None:
    assert chart(world, reference).status == "pass"


def test_another_version_than_was_asked_for_fails(world: World) -> None:
    renders(world, chart="mccp-0.37.0")
    found = chart(world, "repo/mccp", "0.38.1")
    assert (found.status, found.evidence) == ("fail", "Version 0.38.1 of the chart was asked for, and 0.37.0 was rendered.")


def test_an_archive_is_told_by_its_bytes(world: World, tmp_path: Path) -> None:
    archive = tmp_path / "mccp-0.38.1.tgz"
    archive.write_bytes(b"chart")
    renders(world, chart="mccp-0.38.1")
    digest = hashlib.sha256(b"chart").hexdigest()
    assert chart(world, str(archive)).evidence == f"The chart is the archive mccp-0.38.1.tgz 0.38.1, SHA-256 {digest}."


def test_a_folder_is_taken_as_it_is(world: World, tmp_path: Path) -> None:
    assert chart(world, str(tmp_path)).evidence == f"The chart is the folder {tmp_path.name}, as it is now."


def test_images_of_fixed_versions_pass_and_no_registry_was_asked(world: World) -> None:
    found = images(world.evidence())
    assert (found.status, found.evidence) == (
        "pass",
        "Images from docker.io, all of a fixed version, 0 of 1 by digest. No registry was asked whether it has them.",
    )


@pytest.mark.parametrize("image", ["x/server", "x/server:latest", "reg:5000/server"])
def test_an_image_that_may_be_another_one_tomorrow_fails(world: World, image: str) -> None:
    renders(world, image)
    found = images(world.evidence())
    assert (found.status, found.evidence) == ("fail", f"These images may be others tomorrow: {image}.")
    assert found.remedy == "Name a version, or better a digest, in wge_values."


def test_an_image_by_digest_is_counted(world: World) -> None:
    renders(world, "x/server@sha256:0")
    assert "1 of 1 by digest" in images(world.evidence()).evidence


def test_a_pull_secret_that_is_not_there_fails(world: World) -> None:
    renders(world, pull="pull")
    found = images(world.evidence())
    assert (found.status, found.evidence) == ("fail", "The pull Secret pull in namespace flux-system does not exist.")


def test_a_pull_secret_without_a_login_for_the_registry_fails_and_is_not_shown(world: World) -> None:
    renders(world, "registry.corp/wge/server:v0.38.1", pull="pull")
    world.cluster.put(pull_secret("https://elsewhere.corp/v2/"))
    found = images(world.evidence())
    assert (found.status, found.evidence) == ("fail", "The pull Secret pull in namespace flux-system has no login for registry.corp.")
    assert CREDENTIAL not in str(found)


def test_a_pull_secret_with_a_login_passes(world: World) -> None:
    renders(world, "registry.corp/wge/server:v0.38.1", pull="pull")
    world.cluster.put(pull_secret("https://registry.corp/v2/"))
    assert images(world.evidence()).status == "pass"


def test_a_pull_secret_that_is_junk_has_no_login(world: World) -> None:
    renders(world, "registry.corp/wge/server:v0.38.1", pull="pull")
    world.cluster.put(thing("v1", "Secret", "pull", NAMESPACE, data={".dockerconfigjson": "e30="}))
    assert images(world.evidence()).evidence.endswith("has no login for registry.corp.")


def test_a_cluster_that_lives_of_a_mirror_is_warned_of_images_from_elsewhere(world: World) -> None:
    world.cluster.one("Deployment", WG_NAME)["spec"]["template"]["spec"]["containers"][0]["image"] = "mirror.corp/wego-app:v0.38.0"
    found = images(world.evidence())
    assert (found.status, found.evidence) == (
        "warn",
        "WG's image comes from mirror.corp, but images of WGE come from docker.io. No registry was asked whether it has them.",
    )


@pytest.mark.parametrize(
    ("image", "host"),
    [
        ("a/b:1", "docker.io"),
        ("b", "docker.io"),
        ("localhost/b", "localhost"),
        ("reg:5000/b:1", "reg:5000"),
        ("ghcr.io/a/b@sha256:0", "ghcr.io"),
    ],
)
def test_the_registry_of_an_image(image: str, host: str) -> None:
    assert registry_of(image) == host


def test_pods_are_found_in_every_kind_that_makes_them() -> None:
    spec = {"containers": [{"image": "x"}]}
    template = {"template": {"spec": spec}}
    assert pod_spec({"kind": "Pod", "spec": spec}) == spec
    assert pod_spec({"kind": "Job", "spec": template}) == spec
    assert pod_spec({"kind": "CronJob", "spec": {"jobTemplate": {"spec": template}}}) == spec
    assert pod_spec({"kind": "Service", "spec": template}) == {}
