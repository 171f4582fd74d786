# SPDX-License-Identifier: GPL-3.0-or-later
"""A Secret's bytes never leave it: what the runs printed and wrote is searched for secrets that were really used.

The fleet's run prints with -vvv. Archives are left out: they hold Secrets, and test_fleet.py looks at who may read them.
"""

from __future__ import annotations

import base64

import pytest
import yaml
from ansible.parsing.vault import VaultLib, VaultSecret

from integration import evidence
from integration.cast import CANARY, CLIMBERS
from integration.lab import Run
from integration.story import Story

KINDS = ("password hash", "entitlement", "signature of the entitlement", "forged entitlement", "client key")


@pytest.fixture(scope="module")
def canaries(story: Story) -> dict[str, list[bytes]]:
    """Secrets that the runs had in their hands, as they are and in base64."""
    api = story.clusters[CANARY].api()
    token = evidence.secret(api, "weave-gitops-enterprise-credentials", "entitlement")
    plain = {
        "password hash": [evidence.secret(api, "cluster-user-auth", "password")],
        "entitlement": [token],
        "signature of the entitlement": [token.rpartition(b".")[2]],
        "forged entitlement": [story.forged.encode()],
        "client key": [line for name in CLIMBERS for line in _key_lines(story, name)],
    }
    api.close()
    return {kind: [form for secret in secrets for form in (secret, base64.b64encode(secret))] for kind, secrets in plain.items()}


def _key_lines(story: Story, name: str) -> list[bytes]:
    """The second line of a PEM key: enough to know it by, however it is wrapped."""
    config = yaml.safe_load(story.lab.identity(story.clusters[name]).read_text(encoding="utf-8"))
    encoded = config["users"][0]["user"]["client-key-data"]
    return [base64.b64decode(encoded).splitlines()[1], encoded[60:100].encode()]


def _left(run: Run) -> dict[str, bytes]:
    """All that a run printed, and every file it left but the archive; the inventory is the user's own."""
    files = [path for path in run.folder.rglob("*") if path.is_file() and run.archive not in path.parents]
    return {str(path): path.read_bytes() for path in files if path.name != "inventory.yml"}


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("name", ["preflight", "plan", "upgrade", "again"])
def test_no_run_prints_or_writes_a_secret(story: Story, canaries: dict[str, list[bytes]], name: str, kind: str) -> None:
    left = _left(story.runs[name])
    assert any(path.endswith("stdout") for path in left)
    for secret in canaries[kind]:
        assert len(secret) > 30
        assert not [path for path, content in left.items() if secret in content]


def test_the_archive_of_an_upgraded_cluster_holds_what_it_must(story: Story, canaries: dict[str, list[bytes]]) -> None:
    vault = VaultLib([("default", VaultSecret(story.lab.vault_password.read_bytes()))])
    content = b"".join(vault.decrypt(path.read_bytes()) for path in story.upgrade.archive.rglob("secrets/*"))
    assert any(form in content for form in canaries["password hash"]), "the search would find nothing anywhere"
