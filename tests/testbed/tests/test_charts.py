# SPDX-License-Identifier: GPL-3.0-or-later
"""The fixture charts have the objects and names of the products' charts."""

from __future__ import annotations

import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml
from testbed import charts, tools

ALL = [
    "--set",
    "adminUser.create=true,adminUser.username=admin,adminUser.passwordHash=x,oidcSecret.create=true,metrics.enabled=true",
    "--set",
    "ingress.enabled=true,ingress.hosts[0].host=a.example,ingress.hosts[0].paths[0].path=/",
]


def render(chart: Path, release: str, *options: str) -> dict[tuple[str, str], dict[str, Any]]:
    helm = tools.ensure(tools.HELM) / "helm"
    done = subprocess.run(
        [str(helm), "template", release, str(chart), "-n", "flux-system", *options], capture_output=True, text=True, check=True
    )
    found = [item for item in yaml.safe_load_all(done.stdout) if item]
    objects = {(item["kind"], item["metadata"]["name"]): item for item in found}
    assert len(objects) == len(found)
    return objects


def test_weave_gitops(tmp_path: Path) -> None:
    objects = render(charts.put("weave-gitops", tmp_path / "wg"), "ww-gitops", *ALL)
    assert len(objects) == 14
    service = objects["Service", "ww-gitops-weave-gitops"]["spec"]
    assert [(port["name"], port["port"], port["targetPort"]) for port in service["ports"]] == [
        ("http", 9001, "http"),
        ("http-metrics", 2112, "http-metrics"),
    ]
    deployment = objects["Deployment", "ww-gitops-weave-gitops"]
    assert deployment["metadata"]["labels"]["weave.works/app"] == "weave-gitops-oss"
    container = deployment["spec"]["template"]["spec"]["containers"][0]
    assert container["args"] == ["--log-level", "info", "--insecure", "--enable-metrics", "--metrics-address=:2112"]
    assert container["readinessProbe"]["httpGet"] == {"path": "/", "port": "http", "scheme": "HTTP"}
    assert objects["RoleBinding", "admin-user-read-resources"]["subjects"][0]["name"] == "wego-admin"
    assert objects["ClusterRoleBinding", "admin-user-read-resources-cr"]["subjects"][0]["name"] == "admin"


@pytest.mark.parametrize(
    ("release", "name"),
    [
        ("ww-gitops", "ww-gitops-weave-gitops"),
        ("weave-gitops", "weave-gitops"),
        ("my-weave-gitops", "my-weave-gitops"),
        ("a" * 53, "a" * 53 + "-weave-git"),
    ],
)
def test_names(tmp_path: Path, release: str, name: str) -> None:
    assert ("Deployment", name) in render(charts.put("weave-gitops", tmp_path / "wg"), release)


def test_older_weave_gitops(tmp_path: Path) -> None:
    objects = render(charts.put("weave-gitops-4.0.16", tmp_path / "wg"), "ww-gitops")
    labels = objects["Deployment", "ww-gitops-weave-gitops"]["metadata"]["labels"]
    assert labels["helm.sh/chart"] == "weave-gitops-4.0.16" and "weave.works/app" not in labels
    assert objects["Pod", "ww-gitops-weave-gitops-test-connection"]["metadata"]["annotations"] == {"helm.sh/hook": "test"}


def test_mccp(tmp_path: Path) -> None:
    objects = render(charts.put("mccp", tmp_path / "mccp"), "wge")
    assert len(objects) == 52
    service = objects["Service", "clusters-service"]
    assert "labels" not in service["metadata"] and service["spec"]["selector"] == {"app": "clusters-service"}
    assert [(port["name"], port["port"], port["targetPort"]) for port in service["spec"]["ports"]] == [
        ("https", 8000, 8000),
        ("monitoring", 8080, 8080),
    ]
    deployment = objects["Deployment", "wge-mccp-cluster-service"]["spec"]
    container = deployment["template"]["spec"]["containers"][0]
    assert deployment["selector"]["matchLabels"] == {"app": "clusters-service"}
    assert not {"readinessProbe", "livenessProbe", "resources", "securityContext"} & container.keys()
    assert [port["name"] for port in container["ports"]] == ["server", "monitoring"]
    assert objects["ConfigMap", "wge-mccp-cluster-service"]["data"]["AUTH_METHODS"] == "user-account,token-passthrough"
    assert objects["ServiceAccount", "collector"]["metadata"]["namespace"] == "flux-system"
    assert not any(kind == "Secret" for kind, _name in objects)


def test_no_common_names(tmp_path: Path) -> None:
    wg = render(charts.put("weave-gitops", tmp_path / "wg"), "ww-gitops", *ALL)
    assert not wg.keys() & render(charts.put("mccp", tmp_path / "mccp"), "wge").keys()


def test_broken_variants(tmp_path: Path) -> None:
    objects = render(charts.renamed_service_port(tmp_path / "a"), "wge")
    assert objects["Service", "clusters-service"]["spec"]["ports"][0]["name"] == "web"
    objects = render(charts.other_pod_label(tmp_path / "b"), "wge")
    assert objects["Service", "clusters-service"]["spec"]["selector"] == {"app": "enterprise-server"}
    assert ("Service", "enterprise") in render(charts.other_service_name(tmp_path / "c"), "wge")
    objects = render(charts.other_container_port(tmp_path / "d"), "wge")
    assert objects["Deployment", "wge-mccp-cluster-service"]["spec"]["template"]["spec"]["containers"][0]["ports"][0]["name"] == "web"
    with pytest.raises(charts.ChartError):
        charts.variant("mccp", tmp_path / "e", "values.yaml", "no such text", "")
