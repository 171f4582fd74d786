# SPDX-License-Identifier: GPL-3.0-or-later
"""WGE as its chart renders it, and the facts a chart may break."""

from __future__ import annotations

from typing import Any

import pytest

from ansible_collections.weaveworks.wge.plugins.module_utils._engine import target as targets
from ansible_collections.weaveworks.wge.plugins.module_utils._engine.model import Release
from ansible_collections.weaveworks.wge.plugins.module_utils._errors import Blocked

RELEASE = Release("wge", "flux-system", "./mccp")


def server(*, label: str = "clusters-service", port: str = "server") -> dict[str, Any]:
    ports = [{"name": port, "containerPort": 8000}, {"name": "monitoring", "containerPort": 8080}]
    containers = [
        {"name": "sidecar", "image": "x/proxy:1"},
        {"name": "clusters-service", "image": "x/wge:v0.38.1", "ports": ports},
    ]
    labels = {"app": label, "app.kubernetes.io/instance": "wge", "more": "x"}
    template = {"metadata": {"labels": labels}, "spec": {"containers": containers}}
    return {"kind": "Deployment", "metadata": {"name": "wge-server"}, "spec": {"template": template}}


def service(*, name: str = "https", target: int | str = 8000) -> dict[str, Any]:
    return {"kind": "Service", "metadata": {"name": "clusters-service"}, "spec": {"ports": [{"name": name, "targetPort": target}]}}


def settings(no_tls: str = "true") -> dict[str, Any]:
    return {"kind": "ConfigMap", "metadata": {"name": "config"}, "data": {"NO_TLS": no_tls}}


def rendered(*more: dict[str, Any]) -> targets.Target:
    return targets.target_from(RELEASE, [server(), *more])


def test_the_server_is_found_by_its_label_and_its_named_port() -> None:
    found = rendered()
    assert (found.name, found.port, found.metrics_port, found.version) == ("wge-server", 8000, 8080, "0.38.1")
    assert found.container_index == 1


def test_the_kept_services_will_select_the_server_of_this_release_only() -> None:
    assert rendered().selector == {"app": "clusters-service", "app.kubernetes.io/instance": "wge"}


@pytest.mark.parametrize("objects", [[], [server(label="other")], [server(), server()]], ids=["none", "another label", "two"])
def test_a_chart_without_exactly_one_server_breaks_fact_f2(objects: list[dict[str, Any]]) -> None:
    with pytest.raises(Blocked, match=r"The chart \./mccp renders \d Deployments whose pods carry the label app=clusters-service"):
        targets.target_from(RELEASE, objects)


def test_a_renamed_server_port_breaks_fact_f2() -> None:
    with pytest.raises(Blocked, match="no container of wge-server has a port named 'server'"):
        targets.target_from(RELEASE, [server(port="http")])


@pytest.mark.parametrize(("no_tls", "tls"), [("true", False), ("True", False), ("false", True), ("", True)])
def test_tls_is_spoken_unless_the_chart_says_no(no_tls: str, tls: bool) -> None:
    assert rendered(settings(no_tls)).uses_tls is tls


def test_a_chart_as_it_should_be_breaks_no_fact() -> None:
    assert targets.broken_facts(rendered(service(), settings()), scheme="http") == []
    assert targets.broken_facts(rendered(service(target="server"), settings("")), scheme="https") == []


@pytest.mark.parametrize(
    ("objects", "scheme", "words"),
    [
        ([settings()], "http", "F2: there is no Service clusters-service"),
        ([service(name="web"), settings()], "http", "F2: Service clusters-service has no port named 'https' that leads to 8000"),
        ([service(target=8443), settings()], "http", "F2: Service clusters-service has no port named 'https' that leads to 8000"),
        ([service(), settings()], "https", "F4: the server speaks http while WG's routes expect https"),
        ([service(), settings("")], "http", "F4: the server speaks https while WG's routes expect http"),
        ([service(), settings(), {"kind": "Ingress"}], "http", "F3: the chart brings an Ingress of its own"),
    ],
)
def test_each_broken_fact_is_named(objects: list[dict[str, Any]], scheme: str, words: str) -> None:
    (problem,) = targets.broken_facts(rendered(*objects), scheme=scheme)
    assert problem.startswith(words)


def test_a_shared_rendering_has_no_secret_data() -> None:
    secret = {"kind": "Secret", "metadata": {"name": "s"}, "data": {"x": "canary"}, "stringData": {"y": "canary"}}
    assert targets.without_secrets([secret, settings()]) == [{"kind": "Secret", "metadata": {"name": "s"}}, settings()]


def test_without_a_chart_and_a_release_nothing_is_known_and_nothing_fails() -> None:
    nothing = targets.nothing(RELEASE)
    assert (nothing.name, nothing.port, nothing.selector, nothing.version) == ("", 0, {}, "")
