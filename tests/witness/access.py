# SPDX-License-Identifier: GPL-3.0-or-later
"""The way to an API server as a kubeconfig describes it: address, authority, client certificate or token."""

from __future__ import annotations

import base64
import http.client
import json
import os
import ssl
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import yaml


class Refused(Exception):
    """The API server answered with something other than 2xx."""


@dataclass(frozen=True)
class Access:
    """One API server and one identity."""

    server: str
    context: ssl.SSLContext
    headers: dict[str, str]

    @classmethod
    def from_kubeconfig(cls, path: Path) -> Access:
        """The current context of a kubeconfig that carries its certificates in itself."""
        content = yaml.safe_load(path.read_text(encoding="utf-8"))
        chosen = _named(content["contexts"], content["current-context"])["context"]
        cluster = _named(content["clusters"], chosen["cluster"])["cluster"]
        user = _named(content["users"], chosen["user"])["user"]
        context = ssl.create_default_context(cadata=_decoded(cluster["certificate-authority-data"]))
        if "client-certificate-data" in user:
            _load_pair(context, _decoded(user["client-certificate-data"]), _decoded(user["client-key-data"]))
        headers = {"Authorization": f"Bearer {user['token']}"} if "token" in user else {}
        return cls(cluster["server"].rstrip("/"), context, headers)

    def connect(self, timeout: float) -> http.client.HTTPSConnection:
        """A connection of its own; nothing is sent yet."""
        parts = urlsplit(self.server)
        return http.client.HTTPSConnection(parts.hostname or "", parts.port, timeout=timeout, context=self.context)

    def get(self, path: str, timeout: float = 10) -> Any:
        """One GET on a connection of its own, decoded. Raises Refused, OSError or HTTPException."""
        connection = self.connect(timeout)
        try:
            connection.request("GET", path, headers={"Accept": "application/json", **self.headers})
            answer = connection.getresponse()
            body = answer.read()
        finally:
            connection.close()
        if answer.status // 100 != 2:
            raise Refused(f"GET {path}: {answer.status} {body[:200].decode('utf-8', 'replace')}")
        return json.loads(body)


def _named(entries: list[dict[str, Any]], name: str) -> dict[str, Any]:
    return next(entry for entry in entries if entry["name"] == name)


def _decoded(text: str) -> str:
    return base64.b64decode(text).decode("ascii")


def _load_pair(context: ssl.SSLContext, certificate: str, key: str) -> None:
    """OpenSSL wants a file; this one has no name and goes with its descriptor."""
    descriptor = os.memfd_create("witness")
    try:
        os.write(descriptor, f"{certificate}\n{key}".encode())
        context.load_cert_chain(f"/proc/self/fd/{descriptor}")
    finally:
        os.close(descriptor)
