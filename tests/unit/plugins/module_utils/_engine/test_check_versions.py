# SPDX-License-Identifier: GPL-3.0-or-later
"""CU-02 and FL-02."""

from __future__ import annotations

import pytest

from ansible_collections.weaveworks.wge.plugins.module_utils._engine.checks.evidence import Judged
from ansible_collections.weaveworks.wge.plugins.module_utils._engine.checks.versions import direct_way, flux_apis
from ansible_collections.weaveworks.wge.plugins.module_utils._engine.compatibility_data import table
from ansible_collections.weaveworks.wge.plugins.module_utils._engine.compatibility_table import matrix_of
from ansible_collections.weaveworks.wge.plugins.module_utils._engine.model import Object
from ansible_collections.weaveworks.wge.tests.unit.plugins.module_utils._engine.standin_products import (
    WG_NAME,
    WGE_NAME,
    release_secret,
    thing,
    wg_objects,
    wge_objects,
)
from ansible_collections.weaveworks.wge.tests.unit.plugins.module_utils._engine.standin_world import World

HELM, KUSTOMIZE, SOURCE = "helm.toolkit.fluxcd.io", "kustomize.toolkit.fluxcd.io", "source.toolkit.fluxcd.io"
FLUX_041 = (f"{HELM}/v2beta1", f"{KUSTOMIZE}/v1beta2", f"{SOURCE}/v1beta2")
FLUX_26 = (
    f"{HELM}/v2",
    f"{HELM}/v2beta1",
    f"{HELM}/v2beta2",
    *(f"{group}/{v}" for group in (KUSTOMIZE, SOURCE) for v in ("v1", "v1beta2")),
)
FLUX_27 = tuple(api for api in FLUX_26 if not api.endswith("v2beta1"))


def runs(world: World, image: str, **labels: str) -> None:
    """WG's Deployment has this image and these labels."""
    live = world.cluster.one("Deployment", WG_NAME)
    live["spec"]["template"]["spec"]["containers"][0]["image"] = image
    live["metadata"]["labels"].update({key.replace("__", "/").replace("_", "."): value for key, value in labels.items()})


def renders(world: World, image: str, chart: str = "") -> None:
    """WGE's server is rendered with this image and from this chart."""

    def render(release: object) -> list[Object]:
        objects = wge_objects(release)  # type: ignore[arg-type]
        server = next(item for item in objects if item["metadata"]["name"] == WGE_NAME and item["kind"] == "Deployment")
        server["spec"]["template"]["spec"]["containers"][0]["image"] = image
        if chart:
            server["metadata"]["labels"]["helm.sh/chart"] = chart
        return objects

    world.helm.render = render


def way(world: World) -> Judged:
    return direct_way(world.evidence())


def flux(world: World, *served: str) -> Judged:
    world.cluster.served += served
    return flux_apis(world.evidence())


def test_a_wg_that_the_wge_contains_is_a_direct_way(world: World) -> None:
    found = way(world)
    assert found.status == "pass"
    assert found.evidence == (
        "WG 0.38.0 to WGE 0.38.1, which contains WG 0.38.0: 0.38.0 → 0.38.1 is direct. This WGE was built with Kubernetes client "
        "v0.27.7 and tried by its makers on v1.23.4; they name no limit for Kubernetes."
    )


def test_a_wg_of_an_older_flux_is_led_over_the_first_version_of_the_newer_one(world: World) -> None:
    runs(world, "ghcr.io/weaveworks/wego-app:v0.24.0")
    found = way(world)
    assert found.status == "fail"
    assert found.evidence == (
        "WG 0.24.0 was made for Flux 0.37.0 and chart 4.0.22, WGE 0.38.1 contains WG 0.38.0, made for later ones: "
        "the way is 0.24.0 → 0.30.0 → 0.38.1."
    )
    assert found.remedy == "Upgrade WG to 0.30.0 first, with the Flux it was made for, then run again."


def test_an_image_by_digest_is_told_by_its_label(world: World) -> None:
    runs(world, "mirror/wego-app@sha256:0", app_kubernetes_io__version="v0.30.0")
    assert way(world).evidence.startswith("WG 0.30.0 to WGE 0.38.1")


def test_an_image_by_digest_without_a_label_is_told_by_its_chart(world: World) -> None:
    runs(world, "mirror/wego-app@sha256:0")
    assert way(world).evidence.startswith("WG 0.38.0 to WGE 0.38.1")


def test_a_wg_that_is_not_known_is_warned_of(world: World) -> None:
    runs(world, "mirror/wego-app:v0.77.0")
    found = way(world)
    assert (found.status, found.evidence) == (
        "warn",
        "WG (image mirror/wego-app:v0.77.0, chart 4.0.36) is no version that is known here, so nothing can be said of the way to WGE.",
    )
    assert found.remedy == "Give a newer table in wge_compatibility, and read the release notes of both products."


def test_a_wge_that_is_not_known_is_warned_of(world: World) -> None:
    renders(world, "x/server:v0.40.0")
    found = way(world)
    assert (found.status, found.evidence) == ("warn", "WGE 0.40.0 is not known here; the newest known is 0.38.1.")


def test_a_newer_table_knows_it(world: World) -> None:
    newer = table()
    newer["wge_releases"].append({**newer["wge_releases"][-1], "version": "0.40.0"})
    world.set(compatibility=matrix_of(newer))
    renders(world, "x/server:v0.40.0")
    assert way(world).status == "pass"


def test_a_wge_by_digest_is_told_by_its_chart(world: World) -> None:
    renders(world, "x/server@sha256:0", "mccp-0.37.0")
    assert way(world).evidence.startswith("WG 0.38.0 is newer than the WG 0.37.0 inside WGE 0.37.0")


def test_a_wg_newer_than_the_one_inside_is_warned_of(world: World) -> None:
    runs(world, "ghcr.io/weaveworks/wego-app:v0.39.0-rc.2")
    found = way(world)
    assert (found.status, found.evidence) == (
        "warn",
        "WG 0.39.0-rc.2 is newer than the WG 0.38.0 inside WGE 0.38.1: what it has learnt since is lost.",
    )


def test_without_flux_there_is_nothing_to_read(world: World) -> None:
    found = flux(world)
    assert (found.status, found.evidence) == ("skip", "This cluster serves no API of Flux, so there is none that WGE could not read.")


def test_a_flux_that_serves_all_that_is_read_passes(world: World) -> None:
    found = flux(world, *FLUX_26)
    assert found.status == "pass"
    assert found.evidence.startswith(f"WGE 0.38.1 reads {HELM}/v2beta1, {KUSTOMIZE}/v1, {KUSTOMIZE}/v1beta2, {SOURCE}/v1")


def test_a_part_of_flux_that_is_not_installed_is_no_matter(world: World) -> None:
    assert flux(world, *(api for api in FLUX_26 if not api.startswith(HELM))).status == "pass"


def test_a_flux_that_is_too_new_fails_with_the_last_that_would_do(world: World) -> None:
    found = flux(world, *FLUX_27)
    assert found.status == "fail"
    assert found.evidence == (
        f"WGE 0.38.1 reads {HELM}/v2beta1 (last served by Flux 2.6), which this cluster does not serve; "
        f"it serves {HELM}/v2, {HELM}/v2beta2."
    )
    assert found.remedy == (
        "Keep Flux below 2.7.0, or ask the vendor for a WGE built for this Flux. No WGE that is known reads what is served."
    )


def test_a_flux_that_is_too_old_fails_with_the_way(world: World) -> None:
    runs(world, "ghcr.io/weaveworks/wego-app:v0.24.0")
    found = flux(world, *FLUX_041)
    assert found.status == "fail"
    assert found.evidence == (
        f"WGE 0.38.1 reads {KUSTOMIZE}/v1, {SOURCE}/v1, which this cluster does not serve; it serves {KUSTOMIZE}/v1beta2, {SOURCE}/v1beta2."
    )
    assert found.remedy == (
        "Upgrade Flux first, to 2.0.0 or newer and below 2.7.0; for WG the way is 0.24.0 → 0.30.0 → 0.38.1. "
        "WGE 0.21.2 is the newest known that reads what is served."
    )


def test_what_upstream_never_said_is_warned_of(world: World) -> None:
    renders(world, "x/server:v0.24.0")
    found = flux(world, *FLUX_041)
    assert (found.status, found.evidence) == (
        "warn",
        f"WGE 0.24.0 knows {SOURCE}/v1, which this cluster does not serve; whether it needs it was never said.",
    )


def test_a_wge_that_is_not_known_cannot_be_held_against_flux(world: World) -> None:
    renders(world, "x/server:v0.40.0")
    found = flux(world, *FLUX_041)
    assert found.status == "warn"
    assert found.evidence == f"Which APIs of Flux WGE 0.40.0 reads is not known; served: {', '.join(sorted(FLUX_041))}."


@pytest.mark.parametrize(("stored", "status"), [(["v2"], "pass"), (["v2beta1", "v2"], "warn")])
def test_a_version_in_which_objects_are_stored_must_still_be_served(world: World, stored: list[str], status: str) -> None:
    crd = thing(
        "apiextensions.k8s.io/v1",
        "CustomResourceDefinition",
        f"helmreleases.{HELM}",
        spec={"group": HELM, "versions": [{"name": "v2", "served": True}, {"name": "v2beta1", "served": False}]},
        status={"storedVersions": stored},
    )
    world.cluster.put(crd)
    found = flux(world, *FLUX_26)
    assert found.status == status
    if status == "warn":
        assert found.evidence.endswith(f"served no more: helmreleases.{HELM} in v2beta1.")
        assert found.remedy.startswith("Let the newest Flux CLI migrate them")


def test_a_release_without_a_readable_version_at_all_is_warned_of(world: World) -> None:
    runs(world, "mirror/wego-app@sha256:0")
    world.cluster.put(release_secret("ww-gitops", wg_objects(), chart={"metadata": {"name": "x", "version": "9.9.9"}}))
    assert way(world).status == "warn"
