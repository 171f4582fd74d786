# SPDX-License-Identifier: GPL-3.0-or-later
"""Which Deployment is WG, in which form, and which one is meant."""

from __future__ import annotations

from typing import Any

import pytest

from ansible_collections.weaveworks.wge.plugins.module_utils._engine import discover
from ansible_collections.weaveworks.wge.plugins.module_utils._errors import Blocked

WG_IMAGE = "ghcr.io/weaveworks/wego-app:v0.38.0"


def deployment(
    name: str = "ww-gitops",
    namespace: str = "flux-system",
    *,
    release: str = "ww-gitops",
    image: str = WG_IMAGE,
    labels: dict[str, str] | None = None,
    arguments: list[str] | None = None,
) -> dict[str, Any]:
    annotations = {"meta.helm.sh/release-name": release, "meta.helm.sh/release-namespace": namespace} if release else {}
    container = {"name": "weave-gitops", "image": image, "args": arguments or []}
    return {
        "kind": "Deployment",
        "metadata": {"name": name, "namespace": namespace, "labels": labels or {}, "annotations": annotations},
        "spec": {"template": {"metadata": {"labels": {"app": name}}, "spec": {"containers": [container]}}},
    }


def found(**named: Any) -> discover.Found:
    (one,) = discover.candidates([deployment(**named)])
    return one


def test_a_helm_release_is_found_with_its_name_and_version() -> None:
    wg = found()
    assert (wg.form, wg.release, wg.namespace, wg.version) == ("helm", "ww-gitops", "flux-system", "0.38.0")


def test_what_several_lists_name_is_found_once() -> None:
    assert len(discover.candidates([deployment(), deployment()])) == 1


def test_another_registry_is_still_wg() -> None:
    assert discover.candidates([deployment(image="mirror.example/weave/wego-app:0.37.0")])


def test_a_renamed_image_is_found_by_its_chart_label() -> None:
    assert discover.candidates([deployment(image="mirror.example/wg:1", labels={"helm.sh/chart": "weave-gitops-4.0.36"})])


@pytest.mark.parametrize(
    "other",
    [
        deployment("podinfo", image="ghcr.io/stefanprodan/podinfo:6.0.0"),
        deployment("wge", labels={"weave.works/app": "weave-gitops-enterprise"}),
    ],
    ids=["podinfo", "wge"],
)
def test_what_is_not_wg_is_left_out(other: dict[str, Any]) -> None:
    assert discover.candidates([other]) == []


def test_flux_labels_make_it_a_helmrelease() -> None:
    assert found(labels={"helm.toolkit.fluxcd.io/name": "ww-gitops"}).form == "flux"


def test_without_helms_marks_it_is_plain_manifests() -> None:
    assert found(release="").form == "manifests"


def test_marks_copied_from_another_namespace_are_no_release() -> None:
    item = deployment()
    item["metadata"]["annotations"]["meta.helm.sh/release-namespace"] = "elsewhere"
    (one,) = discover.candidates([item])
    assert one.form == "manifests"


@pytest.mark.parametrize(
    ("image", "version"),
    [
        ("ghcr.io/weaveworks/wego-app:v0.38.0", "0.38.0"),
        ("localhost:5000/wego-app:0.38.0-rc.1", "0.38.0-rc.1"),
        ("x/wego-app:v0.38.0@sha256:abc", "0.38.0"),
        ("localhost:5000/wego-app@sha256:abc", ""),
    ],
)
def test_the_version_is_read_from_the_image(image: str, version: str) -> None:
    assert discover.image_version(image) == version


def test_the_container_with_wgs_image_is_its_own_beside_a_sidecar() -> None:
    item = deployment()
    item["spec"]["template"]["spec"]["containers"].insert(0, {"name": "istio-proxy", "image": "istio/proxyv2:1"})
    assert discover.container_of(item)["name"] == "weave-gitops"


@pytest.mark.parametrize("junk", ["a b", "x,owner!=helm", "☠", "ww-gitops\n", "a" * 54])
def test_an_annotation_that_is_no_releases_name_is_refused_and_not_repeated(junk: str) -> None:
    with pytest.raises(Blocked) as caught:
        discover.choose(discover.candidates([deployment(release=junk)]), namespace="", release="")
    assert caught.value.what == (
        "The annotation meta.helm.sh/release-name of Deployment ww-gitops in namespace flux-system holds no name of a Helm release."
    )
    assert caught.value.next_step == "Correct the annotation; helm list -n flux-system says what the release is called."


def test_no_wg_says_what_to_do() -> None:
    with pytest.raises(Blocked, match=r"No Weave GitOps was found on this cluster\. Take the cluster out of the inventory"):
        discover.choose([], namespace="", release="")


def test_two_wgs_are_both_named() -> None:
    both = discover.candidates([deployment(), deployment("second", "tools", release="second")])
    with pytest.raises(Blocked, match=r"Two or more .*: second in namespace tools, ww-gitops in namespace flux-system"):
        discover.choose(both, namespace="", release="")


@pytest.mark.parametrize("wish", [{"namespace": "tools", "release": ""}, {"namespace": "", "release": "second"}])
def test_of_two_the_one_that_is_named_is_chosen(wish: dict[str, str]) -> None:
    both = discover.candidates([deployment(), deployment("second", "tools", release="second")])
    assert discover.choose(both, **wish).release == "second"


def test_a_wg_that_is_not_the_one_named_is_shown() -> None:
    with pytest.raises(Blocked, match=r"Weave GitOps other in namespace tools was not found; there is ww-gitops in namespace flux-system"):
        discover.choose([found()], namespace="tools", release="other")


def test_a_release_without_stored_revision_is_named() -> None:
    with pytest.raises(Blocked, match="The Helm release ww-gitops in namespace flux-system has no stored revision in a Secret"):
        discover.installed(found(), [])


@pytest.mark.parametrize(
    ("arguments", "scheme"),
    [
        (["--insecure"], "http"),
        (["--tls-cert-file=/tls/tls.crt"], "https"),
        (["--tls-cert-file", "/tls/tls.crt"], "https"),
        (["--mtls", "--tls-cert-file=/tls/tls.crt"], "mtls"),
    ],
)
def test_the_scheme_is_read_from_the_arguments(arguments: list[str], scheme: str) -> None:
    assert discover.Installed(found(arguments=arguments)).scheme == scheme


@pytest.mark.parametrize(
    ("arguments", "prefix"),
    [([], ""), (["--route-prefix=/"], ""), (["--route-prefix=/weave/"], "/weave"), (["--route-prefix", "weave"], "/weave")],
)
def test_the_route_prefix_has_one_slash_in_front_and_none_behind(arguments: list[str], prefix: str) -> None:
    assert discover.Installed(found(arguments=arguments)).route_prefix == prefix


def test_a_flag_at_the_end_without_value_is_empty() -> None:
    assert discover.flag(["--route-prefix"], "--route-prefix") == ""
