# SPDX-License-Identifier: GPL-3.0-or-later
"""Images out of a mirror, in what is rendered and in what Flux is told."""

from __future__ import annotations

from pathlib import Path

import pytest

from ansible_collections.weaveworks.wge.plugins.module_utils._engine import deliveries
from ansible_collections.weaveworks.wge.plugins.module_utils._engine.deliveries.mirrors import mirrored, out_of, renamed
from ansible_collections.weaveworks.wge.plugins.module_utils._errors import Blocked
from ansible_collections.weaveworks.wge.tests.unit.plugins.module_utils._engine.standin_cells import cell
from ansible_collections.weaveworks.wge.tests.unit.plugins.module_utils._engine.standin_products import thing
from ansible_collections.weaveworks.wge.tests.unit.plugins.module_utils._engine.standin_runs import climb, lived_in

MIRROR = "mirror.example.com:5000/all"
DIGEST = "@sha256:" + "0" * 64


@pytest.mark.parametrize(
    ("image", "mirrors", "wanted"),
    [
        ("ghcr.io/weaveworks/wge:v1", {"ghcr.io": MIRROR}, f"{MIRROR}/weaveworks/wge:v1"),
        ("ghcr.io/weaveworks/wge:v1", {"ghcr.io/": f"{MIRROR}/"}, f"{MIRROR}/weaveworks/wge:v1"),
        ("ghcr.io/weaveworks/wge:v1", {"ghcr.io": "a.b", "ghcr.io/weaveworks": "c.d/ours"}, "c.d/ours/wge:v1"),
        ("ghcr.io/weaveworks/wge:v1", {"ghcr.io/weaveworks/wge": "c.d/other"}, "c.d/other:v1"),
        (f"ghcr.io/weaveworks/wge:v1{DIGEST}", {"ghcr.io": "a.b"}, f"a.b/weaveworks/wge:v1{DIGEST}"),
        (f"ghcr.io/weaveworks/wge{DIGEST}", {"ghcr.io": "a.b"}, f"a.b/weaveworks/wge{DIGEST}"),
        ("weaveworks/wge:v1", {"docker.io": "a.b"}, "a.b/weaveworks/wge:v1"),
        ("docker.io/weaveworks/wge:v1", {"docker.io/weaveworks": "a.b/ours"}, "a.b/ours/wge:v1"),
        ("nginx:1.29", {"docker.io": "a.b"}, "a.b/library/nginx:1.29"),
        ("localhost:5000/wge", {"localhost:5000": "a.b"}, "a.b/wge"),
        ("ghcr.io/weaveworks/wge:v1", {"ghcr.io/weave": "a.b", "quay.io": "c.d"}, "ghcr.io/weaveworks/wge:v1"),
        ("ghcr.io/weaveworks/wge:v1", {}, "ghcr.io/weaveworks/wge:v1"),
    ],
)
def test_the_longest_beginning_that_fits_is_replaced(image: str, mirrors: dict[str, str], wanted: str) -> None:
    assert mirrored(image, mirrors) == wanted


def test_all_containers_of_all_that_makes_pods_are_renamed_and_nothing_is_changed_in_place() -> None:
    pod = {
        "initContainers": [{"name": "i", "image": "busybox:1"}],
        "containers": [{"name": "c", "image": "ghcr.io/x/y:v1"}, {"name": "none"}],
    }
    items = [
        thing("apps/v1", "Deployment", "d", spec={"template": {"spec": pod}}),
        thing("batch/v1", "CronJob", "j", spec={"jobTemplate": {"spec": {"template": {"spec": pod}}}}),
        thing("v1", "ConfigMap", "m", data={"image": "ghcr.io/x/y:v1"}),
    ]
    before = str(items)
    made = out_of(items, {"ghcr.io": "a.b", "docker.io": "c.d"})
    wanted = "c.d/library/busybox:1", "a.b/x/y:v1"
    assert all(str(item).count(image) == 1 for item in made[:2] for image in wanted)
    assert made[2] == items[2]
    assert str(items) == before
    assert renamed(items, {"ghcr.io": "a.b"}) == {"ghcr.io/x/y": "a.b/x/y"}


def test_flux_is_told_to_rename_them(tmp_path: Path) -> None:
    world = cell("helm", "flux", tmp_path).world
    names = sorted({c["image"].rpartition(":")[0] for c in world.look().target.deployment["spec"]["template"]["spec"]["containers"]})
    world.set(image_mirrors={"ghcr.io": MIRROR, "docker.io": MIRROR})
    assert climb(world).verdict == "upgraded"  # type: ignore[union-attr]
    (renderer,) = world.cluster.one("HelmRelease", "weave-gitops-enterprise")["spec"]["postRenderers"]
    images = renderer["kustomize"]["images"]
    assert [image["name"] for image in images] == names
    assert all(image["newName"].startswith(MIRROR) for image in images)
    assert "patches" in renderer["kustomize"]


def test_helm_is_refused_with_what_to_do(tmp_path: Path) -> None:
    world = lived_in(tmp_path)
    world.set(image_mirrors={"ghcr.io": MIRROR})
    with pytest.raises(Blocked, match=r"helm installs the chart with the images that it names\. Set wge_delivery to manifests or flux"):
        deliveries.require_delivery(world.look())
    assert world.findings()["TA-01"].blocks


def test_the_check_of_images_judges_the_mirrors_names(tmp_path: Path) -> None:
    world = cell("helm", "manifests", tmp_path).world
    world.set(image_mirrors={"ghcr.io": MIRROR, "docker.io": MIRROR})
    assert "Images from mirror.example.com:5000" in world.findings()["TA-04"].evidence
