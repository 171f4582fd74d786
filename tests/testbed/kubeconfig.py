# SPDX-License-Identifier: GPL-3.0-or-later
"""Kubeconfigs with everything inside, so that one file can be handed on."""

from __future__ import annotations

import base64
import json
from pathlib import Path
from typing import Any

from .pki import Pair, write_private


def _text(data: bytes) -> str:
    return base64.b64encode(data).decode("ascii")


def document(name: str, server: str, authority: bytes, user: dict[str, Any], who: str) -> dict[str, Any]:
    """A kubeconfig with one cluster, one user and one context called `name`."""
    return {
        "apiVersion": "v1",
        "kind": "Config",
        "current-context": name,
        "preferences": {},
        "clusters": [{"name": name, "cluster": {"server": server, "certificate-authority-data": _text(authority)}}],
        "users": [{"name": who, "user": user}],
        "contexts": [{"name": name, "context": {"cluster": name, "user": who}}],
    }


def client(pair: Pair) -> dict[str, str]:
    """The user part for a client certificate."""
    return {"client-certificate-data": _text(pair.certificate), "client-key-data": _text(pair.key)}


def write(path: Path, value: dict[str, Any]) -> None:
    """JSON is YAML, and needs no library in the servers' start path."""
    write_private(path, (json.dumps(value, indent=1) + "\n").encode("utf-8"))
