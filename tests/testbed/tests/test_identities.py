# SPDX-License-Identifier: GPL-3.0-or-later
"""Users, tokens, and what the audit log tells about them."""

from __future__ import annotations

import datetime as dt
import ssl
import time
from pathlib import Path

import pytest
from testbed import Cluster, wait_until
from testbed.api import ApiError

pytestmark = pytest.mark.bed

SPACE = "/api/v1/namespaces/default"


def test_certificates(cluster: Cluster, tmp_path: Path) -> None:
    named = cluster.api(cluster.write_kubeconfig(tmp_path / "named", "jane", ["system:masters"]))
    assert named.create("/apis/authentication.k8s.io/v1/selfsubjectreviews", {})["status"]["userInfo"]["username"] == "jane"
    nobody = cluster.api(cluster.write_kubeconfig(tmp_path / "nobody", "joe"))
    with pytest.raises(ApiError) as refused:
        nobody.get(f"{SPACE}/secrets")
    assert refused.value.status == 403
    past = dt.datetime.now(dt.timezone.utc) - dt.timedelta(minutes=1)
    expired = cluster.api(cluster.write_kubeconfig(tmp_path / "expired", "jane", ["system:masters"], past))
    try:
        assert expired.raw("GET", f"{SPACE}/secrets")[0] == 401
    except (ssl.SSLError, OSError):
        pass  # refused in the handshake: as good


def test_short_lived_token(cluster: Cluster, tmp_path: Path) -> None:
    token = cluster.service_account_token("default", "default", seconds=2)
    api = cluster.api(cluster.write_token_kubeconfig(tmp_path / "token", token))
    who = api.create("/apis/authentication.k8s.io/v1/selfsubjectreviews", {})["status"]["userInfo"]["username"]
    assert who == "system:serviceaccount:default:default"
    wait_until("its end (an API server remembers a token for 10 s)", lambda: api.raw("GET", SPACE)[0] == 401, 20, pause=1)


def test_audit_counts_what_was_stored(cluster: Cluster) -> None:
    api = cluster.api()
    began = time.time() - 0.01
    body = {"metadata": {"name": "audit-test"}, "data": {}}
    api.create(f"{SPACE}/configmaps?dryRun=All", body)
    api.create(
        "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews", {"spec": {"resourceAttributes": {"verb": "get", "resource": "pods"}}}
    )
    api.get(f"{SPACE}/configmaps")
    api.create(f"{SPACE}/configmaps", body)
    with pytest.raises(ApiError):
        api.create(f"{SPACE}/configmaps", body)
    api.delete(f"{SPACE}/configmaps/audit-test")
    time.sleep(0.3)
    writes = cluster.audit_writes(began, people_only=True)
    assert [(call.verb, call.code, call.user) for call in writes] == [("create", 201, "testbed-admin"), ("delete", 200, "testbed-admin")]
    others = [call for call in cluster.audit_calls(began) if call.user == "testbed-admin" and not call.write]
    assert [(call.verb, call.dry_run, call.review) for call in others if call.verb == "create"] == [
        ("create", True, False),
        ("create", False, True),
        ("create", False, False),
    ]
