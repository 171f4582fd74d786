# SPDX-License-Identifier: GPL-3.0-or-later
"""The stand-in products answer as the real servers were recorded, path by path."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from typing import Any

import pytest
from testbed import Cluster, wait_until, workloads
from testbed.layout import HERE

pytestmark = pytest.mark.bed

Find = Callable[[str], str]
EXPIRED = "Entitlement-Expired-Message"


def table(name: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((HERE / "products" / "data" / f"{name}.json").read_text(encoding="utf-8"))
    return found


def shape(value: Any) -> Any:
    """The names and types of the first levels."""
    return {key: shape(item) for key, item in value.items()} if isinstance(value, dict) else type(value).__name__


def requests(base: str, entries: dict[str, Any], headers: dict[str, str]) -> list[dict[str, Any]]:
    """One request for each recorded path; parameters are `x`, bodies `{}`."""
    found = []
    for key in entries:
        method, path = key.split(" ")
        found.append(
            {"method": method, "url": base + re.sub(r"\{[^}]*\}", "x", path), "headers": headers, "body": None if method == "GET" else "{}"}
        )
    return found


def headers_of(answer: dict[str, Any]) -> dict[str, str]:
    return dict(answer["headers"])


def sign_in(cluster: Cluster, base: str, password: str = workloads.PASSWORD) -> dict[str, Any]:
    body = json.dumps({"username": workloads.USER, "password": password})
    return cluster.ask({"method": "POST", "url": base + "/oauth2/sign_in", "body": body})[0]


def session(cluster: Cluster, base: str) -> dict[str, str]:
    cookie = headers_of(sign_in(cluster, base))["Set-Cookie"]
    return {"Cookie": cookie.partition(";")[0]}


def check_signed_in(cluster: Cluster, base: str, name: str, expect_header: bool = False) -> None:
    entries = table(name)["signed"]
    for (key, entry), answer in zip(entries.items(), cluster.ask(*requests(base, entries, session(cluster, base))), strict=True):
        if entry.get("drop"):
            assert "error" in answer, key
            continue
        assert answer["status"] == entry["status"], key
        assert headers_of(answer).get("Content-Type") == entry.get("type"), key
        assert (EXPIRED in headers_of(answer)) is expect_header, key
        if "json" in entry and key != "GET /v1/crd/is_available":
            assert shape(json.loads(answer["body"])) == shape(entry["json"]), key
        elif "body" in entry:
            assert answer["body"] == entry["body"], key


@pytest.fixture(name="wg_base")
def _wg_base(service_address: Find) -> str:
    return f"http://{service_address('ww-gitops-weave-gitops')}:9001"


@pytest.fixture(name="wge_base")
def _wge_base(wge: Cluster, service_address: Find) -> str:
    assert wge.running()
    return f"http://{service_address('clusters-service')}:8000"


def restart_with(cluster: Cluster, token: str | None) -> None:
    """Another entitlement and a new pod, for it is read once."""
    api = cluster.api()
    if token is None:
        api.delete(f"/api/v1/namespaces/{workloads.NAMESPACE}/secrets/weave-gitops-enterprise-credentials")
    else:
        workloads.put_entitlement(api, token)
    body = {
        "spec": {
            "template": {"metadata": {"annotations": {"test/entitlement": str(hash(token))}}},
            "strategy": {"type": "Recreate", "rollingUpdate": None},
        }
    }
    api.patch(workloads.WGE, body)
    wait_until("the rollout", lambda: workloads.rolled_out(cluster, workloads.WGE), 60)
    address = api.get(f"/api/v1/namespaces/{workloads.NAMESPACE}/services/clusters-service")["spec"]["clusterIP"]
    wait_until("an answer", lambda: cluster.ask({"url": f"http://{address}:8000/v1/featureflags"})[0].get("status") == 200, 20)


def test_wg_signed_in(cluster: Cluster, wg_base: str) -> None:
    check_signed_in(cluster, wg_base, "wg")


def test_wge_signed_in(wge: Cluster, wge_base: str) -> None:
    check_signed_in(wge, wge_base, "wge")


@pytest.mark.parametrize("name", ["wg", "wge"])
def test_without_login(wge: Cluster, wg_base: str, wge_base: str, name: str) -> None:
    base, entries = (wg_base if name == "wg" else wge_base), table(name)
    for key, answer in zip(entries["signed"], wge.ask(*requests(base, entries["signed"], {})), strict=True):
        assert (answer["status"], answer["body"]) == (401, '{"message":"Authentication required","code":401}\n'), key
        assert headers_of(answer)["Content-Type"] == "application/json; charset=utf-8"
    for (key, entry), answer in zip(entries["public"].items(), wge.ask(*requests(base, entries["public"], {})), strict=True):
        assert (answer["status"], headers_of(answer).get("Content-Type")) == (entry["status"], entry.get("type")), key
    page, files, other = wge.ask({"url": base + "/"}, {"url": base + "/main.js"}, {"url": base + "/applications"})
    assert headers_of(page)["Content-Type"] == entries["page_type"] == headers_of(other)["Content-Type"]
    assert files["status"] == 404


def test_cookie_and_password(wge: Cluster, wg_base: str, wge_base: str) -> None:
    for base, seconds in ((wg_base, 3600), (wge_base, 86400)):
        good = sign_in(wge, base)
        assert good["status"] == 200
        cookie = headers_of(good)["Set-Cookie"]
        assert cookie.startswith("session=") and f"Max-Age={seconds}" in cookie and cookie.endswith("HttpOnly; SameSite=Lax")
        assert sign_in(wge, base, "wrong")["status"] == 401


def test_bearer_tokens_pass_in_wge_only(wge: Cluster, wg_base: str, wge_base: str) -> None:
    good = {"Authorization": f"Bearer {wge.service_account_token('default', 'default')}"}
    bad = {"Authorization": "Bearer nonsense"}
    answers = wge.ask(*({"url": f"{base}/v1/version", "headers": headers} for base in (wg_base, wge_base) for headers in (good, bad)))
    assert [answer["status"] for answer in answers] == [401, 401, 200, 401]


def test_cluster_names(wge: Cluster, wg_base: str, wge_base: str) -> None:
    for base, known, unknown in ((wg_base, "Default", "management"), (wge_base, "management", "Default")):
        headers = session(wge, base)
        good, bad = wge.ask(*({"url": f"{base}/v1/version?clusterName={name}", "headers": headers} for name in (known, unknown)))
        assert good["status"] == 200 and "error" in bad


def test_health_and_versions(wge: Cluster, wg_base: str, wge_base: str) -> None:
    wg_health, wge_health, wg_metrics, wge_metrics = wge.ask(
        {"url": wg_base + "/health/x"},
        {"url": wge_base + "/health/x"},
        {"url": wg_base + "/metrics"},
        {"url": wge_base.replace("8000", "8080") + "/metrics"},
    )
    assert wg_health["body"] == "ok" and "<title>" in wge_health["body"]
    assert "<title>" in wg_metrics["body"] and "# TYPE" in wge_metrics["body"]
    for base, path, key, value in (
        (wg_base, "version", "semver", "v0.38.0"),
        (wge_base, "version", "semver", "v0.0.0"),
        (wge_base, "enterprise/version", "version", "v0.38.1"),
    ):
        answer = wge.ask({"url": f"{base}/v1/{path}", "headers": session(wge, base)})[0]
        assert json.loads(answer["body"])[key] == value


def test_entitlements(wge: Cluster, wge_base: str) -> None:
    """Expired: a header; forged or missing: 500; all only from the next start on."""
    paths = wge.paths.bed
    valid, expired = paths.entitlement.read_text(encoding="ascii"), paths.entitlement_expired.read_text(encoding="ascii")
    workloads.put_entitlement(wge.api(), expired)
    assert EXPIRED not in headers_of(wge.ask({"url": wge_base + "/v1/version"})[0])
    restart_with(wge, expired)
    answer = wge.ask({"url": wge_base + "/v1/version"})[0]
    assert answer["status"] == 401 and "sales@weave.works" in headers_of(answer)[EXPIRED]
    check_signed_in(wge, wge_base, "wge", expect_header=True)
    for token in (valid[:-12] + "A" * 12, None):
        restart_with(wge, token)
        blocked, flags, page = wge.ask(*({"url": wge_base + path} for path in ("/v1/version", "/v1/featureflags", "/")))
        assert (blocked["status"], headers_of(blocked)["Content-Type"]) == (500, "text/plain; charset=utf-8")
        assert "No entitlement was found" in json.loads(blocked["body"])["message"]
        assert flags["status"] == page["status"] == 200
    restart_with(wge, valid)
    assert wge.ask({"url": wge_base + "/v1/version"})[0]["status"] == 401
