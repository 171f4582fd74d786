# SPDX-License-Identifier: GPL-3.0-or-later
"""The fleet's table of entitlements against real API servers: what it says, what it asks, and what it never shows."""

from __future__ import annotations

import base64
import json
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import jsonschema
import pytest
from cryptography.hazmat.primitives.asymmetric import ed25519
from testbed import Cluster, entitlement

from integration import evidence
from integration.lab import NAMESPACE, ROOT, Lab, Run

NAMES = ("t1", "t2")
GONE = {"wge_host": "https://127.0.0.1:1", "wge_api_key": "nobody", "wge_retry_seconds": 1}
CUSTOMER = "fleet@example.com"
SECRETS = f"/api/v1/namespaces/{NAMESPACE}/secrets"


@dataclass
class Fleet:
    """Two clusters without any dashboard, which is all that a table needs."""

    lab: Lab
    clusters: dict[str, Cluster]
    key: ed25519.Ed25519PrivateKey

    def store(self, name: str, token: str) -> str:
        """Put a token where WGE would look for it."""
        api = self.clusters[name].api()
        if api.find(f"/api/v1/namespaces/{NAMESPACE}") is None:
            api.create("/api/v1/namespaces", {"metadata": {"name": NAMESPACE}})
        if api.find(f"{SECRETS}/{entitlement.SECRET_NAME}") is not None:
            api.delete(f"{SECRETS}/{entitlement.SECRET_NAME}")
        data = {"entitlement": base64.b64encode(token.encode()).decode()}
        api.create(SECRETS, {"metadata": {"name": entitlement.SECRET_NAME}, "data": data})
        api.close()
        return token

    def token(self, days: float, key: ed25519.Ed25519PrivateKey | None = None) -> str:
        return entitlement.issue(key or self.key, CUSTOMER, time.time() + days * entitlement.DAY)

    def run(self, *words: str, gone: bool = False) -> Run:
        hosts = {name: self.lab.host(cluster) for name, cluster in self.clusters.items()}
        return self.lab.run("entitlements", {**hosts, **({"gone": GONE} if gone else {})}, *words)


@pytest.fixture(scope="module")
def fleet(lab: Lab) -> Iterator[Fleet]:
    found = lab.clusters(*NAMES, wg="none")
    yield Fleet(lab, dict(zip(NAMES, found, strict=True)), entitlement.load_key(lab.bed.paths.entitlement_key))


def test_a_fleet_with_every_kind_of_trouble(fleet: Fleet) -> None:
    tokens = [fleet.store("t1", fleet.token(20.5)), fleet.store("t2", fleet.token(300, ed25519.Ed25519PrivateKey.generate()))]
    run = fleet.run("-vvvv", gone=True)
    assert run.rc == 2, run.text
    assert "Traceback" not in run.text

    schema = json.loads((ROOT / "roles/entitlement_report/files/entitlements.schema.json").read_text(encoding="utf-8"))
    assert not [error.message for error in jsonschema.Draft202012Validator(schema).iter_errors(run.report)]
    rows = {row["host"]: row for row in run.report["entitlements"]}
    assert {name: row["level"] for name, row in rows.items()} == {"gone": "unreachable", "t2": "invalid", "t1": "warn"}
    assert (rows["t1"]["customer"], rows["t1"]["days_left"], rows["t1"]["effect"]) == (CUSTOMER, 20, "not running")
    assert rows["t2"]["reason"] == "signature" and rows["t2"]["customer"] == ""
    assert [line.split()[:2] for line in run.stdout.splitlines() if line.startswith(("gone  ", "t1    ", "t2    "))][:3] == [
        ["gone", "unreachable"],
        ["t2", "invalid"],
        ["t1", "warn"],
    ]
    assert "3 entitlements: 1 ending within 30 days, 1 invalid, 1 unreachable" in run.stdout
    assert {name: counts["failed"] for name, counts in run.recap.items() if name in rows} == {"gone": 1, "t2": 1, "t1": 0}
    assert _cases(run) == {"gone": "error", "t2": "failure", "t1": "system-out"}
    _nothing_shown(run, tokens)


def test_an_expired_entitlement_that_two_clusters_share_is_a_warning(fleet: Fleet) -> None:
    token = fleet.token(-3)
    for name in NAMES:
        fleet.store(name, token)
    run = fleet.run()
    assert run.rc == 0, run.text
    assert [(row["host"], row["level"]) for row in run.report["entitlements"]] == [("t1", "expired"), ("t2", "expired")]
    assert [group["hosts"] for group in run.report["shared"]] == [["t1", "t2"]]
    assert "The entitlement has expired: t1, t2." in " ".join(run.text.split())
    assert run.stdout.count("2 hosts") == 2
    assert fleet.run("-e", "wge_fail_if_expired=true").rc == 2
    _nothing_shown(run, [token])


def test_without_the_effect_one_secret_is_all_that_is_read_of_a_cluster(fleet: Fleet) -> None:
    for name in NAMES:
        fleet.store(name, fleet.token(300))
    run = fleet.run("-e", "wge_entitlement_by_effect=false", "-e", "wge_cluster_uid=")
    assert run.rc == 0, run.text
    for cluster in fleet.clusters.values():
        made = [evidence.told(call) for call in evidence.calls(cluster, run.began)]
        assert made == [f"get {SECRETS}/{entitlement.SECRET_NAME} 200"]


def _cases(run: Run) -> dict[str, str]:
    (path,) = run.reports.glob("*.xml")
    return {case.attrib["name"]: case[0].tag if len(case) else "" for case in ElementTree.parse(path).iter("testcase")}


def _nothing_shown(run: Run, tokens: list[str]) -> None:
    """No piece of a token, as it is or in base64, in what was printed or left behind."""
    files = [path for path in run.folder.rglob("*") if path.is_file() and path.name != "inventory.yml"]
    left: dict[Any, str] = {path: path.read_text(encoding="utf-8", errors="replace") for path in files}
    assert {Path(path).suffix for path in left} >= {".json", ".xml", ""}
    for token in tokens:
        encoded = base64.b64encode(token.encode()).decode()
        for piece in (token[40:80], token[-60:-20], encoded[60:100], encoded[-60:-20]):
            assert not [path for path, text in left.items() if piece in text]
