# SPDX-License-Identifier: GPL-3.0-or-later
"""A vendor issues entitlements with a ledger in a real API server, from two controllers at once."""

from __future__ import annotations

import base64
import hashlib
import json
from typing import Any

import pytest
import yaml
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import BestAvailableEncryption, Encoding, PrivateFormat
from testbed import Cluster

from integration.lab import Lab, Run, Variables

CUSTOMERS = ("acme", "beta", "gamma", "delta")
PASSPHRASE = "planted-passphrase-of-the-vendor"
NAMESPACE = "default"


class Vendor:
    """Controllers with one key and one ledger; each has files of its own."""

    def __init__(self, lab: Lab, cluster: Cluster, ledger: str) -> None:
        self.lab, self.cluster, self.ledger = lab, cluster, ledger
        self.key = Ed25519PrivateKey.generate()
        self.pem = self.key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, BestAvailableEncryption(PASSPHRASE.encode())).decode()

    def start(self, *words: str, customers: tuple[str, ...] = CUSTOMERS, **more: Any) -> Run:
        common: Variables = {
            "wge_kubeconfig": str(self.lab.identity(self.cluster)),
            "wge_cluster_uid": self.cluster.uid,
            "wge_signing_key": self.pem,
            "wge_signing_key_passphrase": PASSPHRASE,
            "wge_ledger_configmap": self.ledger,
            "wge_ledger_namespace": NAMESPACE,
            "wge_entitlement_file": "{{ inventory_dir }}/out/{{ inventory_hostname }}.yaml",
            **more,
        }
        return self.lab.start("issue_entitlements", {name: {} for name in customers}, *words, variables=common)

    def rows(self) -> list[dict[str, Any]]:
        api = self.cluster.api()
        try:
            found = api.get(f"/api/v1/namespaces/{NAMESPACE}/configmaps/{self.ledger}")
        finally:
            api.close()
        return [json.loads(line) for line in found["data"]["ledger.jsonl"].splitlines()]


def tokens(run: Run) -> dict[str, str]:
    """By customer, from the manifests."""
    manifests = {path.stem: yaml.safe_load(path.read_text(encoding="utf-8")) for path in (run.folder / "out").iterdir()}
    return {name: base64.b64decode(manifest["data"]["entitlement"]).decode() for name, manifest in manifests.items()}


def claims(vendor: Vendor, token: str) -> dict[str, Any]:
    """Of a token whose signature is the vendor's."""
    signed, _, signature = token.rpartition(".")
    vendor.key.public_key().verify(base64.urlsafe_b64decode(f"{signature}=="), signed.encode())
    payload = signed.partition(".")[2]
    return dict(json.loads(base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4))))


def changed(run: Run) -> dict[str, int]:
    return {host: counts["changed"] for host, counts in run.recap.items() if host != "localhost"}


@pytest.fixture(scope="module")
def cluster(lab: Lab) -> Cluster:
    return lab.cluster("vendor", wg="none")


def test_two_controllers_at_once_issue_each_entitlement_once(lab: Lab, cluster: Cluster) -> None:
    vendor = Vendor(lab, cluster, "race")
    one, other = vendor.start(), vendor.start()
    for run in (one.wait(), other.wait()):
        assert run.rc == 0, run.text[-3000:]
    rows = vendor.rows()
    assert sorted(row["customer"] for row in rows) == sorted(CUSTOMERS)
    assert tokens(one) == tokens(other)
    hashes = {name: hashlib.sha256(token.encode()).hexdigest() for name, token in tokens(one).items()}
    assert {row["customer"]: row["sha256"] for row in rows} == hashes
    assert {name: claims(vendor, token)["sub"] for name, token in tokens(one).items()} == {name: name for name in CUSTOMERS}


def test_two_controllers_with_different_customers_lose_no_row(lab: Lab, cluster: Cluster) -> None:
    vendor = Vendor(lab, cluster, "both")
    names = tuple(f"customer{number}" for number in range(8))
    one, other = vendor.start(customers=names[:4]), vendor.start(customers=names[4:])
    for run in (one.wait(), other.wait()):
        assert run.rc == 0, run.text[-3000:]
    assert sorted(row["customer"] for row in vendor.rows()) == sorted(names)


def test_the_second_run_changes_nothing_and_gives_the_same_files(lab: Lab, cluster: Cluster) -> None:
    vendor = Vendor(lab, cluster, "twice")
    planned = vendor.start("--check").wait()
    assert planned.rc == 0 and set(changed(planned).values()) == {1}
    assert not (planned.folder / "out").exists()
    first = vendor.start().wait()
    again = vendor.start(wge_entitlement_file=f"{first.folder}/out/{{{{ inventory_hostname }}}}.yaml").wait()
    assert (first.rc, again.rc) == (0, 0), first.text[-3000:] + again.text[-3000:]
    assert set(changed(first).values()) == {1} and set(changed(again).values()) == {0}
    assert len(vendor.rows()) == len(CUSTOMERS)
    assert [path.stat().st_mode & 0o777 for path in (first.folder / "out").iterdir()] == [0o600] * len(CUSTOMERS)


@pytest.mark.parametrize("asked", [False, True])
def test_no_byte_of_key_or_token_is_printed_or_left(lab: Lab, cluster: Cluster, asked: bool) -> None:
    vendor = Vendor(lab, cluster, f"secret-{asked}".lower())
    run = vendor.start("-vvvv", wge_return_token=asked).wait()
    assert run.rc == 0, run.text[-3000:]
    planted = [PASSPHRASE, *vendor.pem.splitlines()[1:-1], *(part for token in tokens(run).values() for part in token.split(".")[1:])]
    files = [path for path in run.folder.rglob("*") if path.is_file() and path.name != "inventory.yml" and path.parent.name != "out"]
    left = "".join(path.read_text(encoding="utf-8", errors="replace") for path in files) + json.dumps(vendor.rows())
    assert "PLAY RECAP" in left and len(planted) > 8
    assert not [text for text in planted if text in left]


def test_a_cluster_that_is_another_one_is_refused(lab: Lab, cluster: Cluster) -> None:
    vendor = Vendor(lab, cluster, "elsewhere")
    run = vendor.start(customers=("acme",), wge_cluster_uid="11111111-2222-3333-4444-555555555555").wait()
    assert run.rc == 2 and "This is another cluster" in run.plain
    assert not (run.folder / "out").exists()
