# SPDX-License-Identifier: GPL-3.0-or-later
"""A vendor's folder, the one door to what a vendor does, and keys that are none for this."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa

from ansible_collections.weaveworks.wge.plugins.module_utils._argspec import ISSUE_SPEC, Spec
from ansible_collections.weaveworks.wge.plugins.module_utils._engine.entitlement.manifest import credentials_of
from ansible_collections.weaveworks.wge.plugins.module_utils._front import Surroundings, call
from ansible_collections.weaveworks.wge.tests.unit.plugins.module_utils._engine.standin_vendor import VENDOR

PEM = VENDOR.pem()
ENCRYPTED = VENDOR.pem("pass phrase")
CUSTOMER = "a@example.com"


def asked(question: str, spec: Spec, given: dict[str, Any], *, check: bool = False) -> dict[str, Any]:
    params = {name: given.get(name, option.get("default")) for name, option in spec.items()}
    return call(question, params, Surroundings(lambda: "", lambda _event: None, check_mode=check))


class Vendor:
    """A vendor's folder."""

    def __init__(self, folder: Path) -> None:
        self.ledger, self.output, self.key = folder / "ledger", folder / "out" / "a.yaml", folder / "key"

    def options(self, **more: Any) -> dict[str, Any]:
        return {"customer": CUSTOMER, "private_key": PEM, "ledger": str(self.ledger), "path": str(self.output), **more}

    def issue(self, *, check: bool = False, **more: Any) -> dict[str, Any]:
        return asked("issue", ISSUE_SPEC, self.options(**more), check=check)

    def refused(self, **more: Any) -> str:
        answer = self.issue(**more)
        assert answer["failed"] and answer["verdict"] == "blocked" and not answer["changed"]
        assert not self.output.exists()
        return str(answer["msg"])

    def rows(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in self.ledger.read_text().splitlines()]

    def token(self) -> str:
        return credentials_of(self.output.read_bytes())["entitlement"]


def _pem(key: Any) -> str:
    text: bytes = key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    return text.decode()


RSA = _pem(rsa.generate_private_key(65537, 2048))
CURVE = _pem(ec.generate_private_key(ec.SECP256R1()))
