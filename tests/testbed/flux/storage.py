# SPDX-License-Identifier: GPL-3.0-or-later
"""Helm's storage as helm-controller reads it: release Secrets found by label, and the snapshots it takes of them."""

from __future__ import annotations

import base64
import gzip
import hashlib
import json
from typing import Any

from ..agent.client import ApiError, Client
from .runtime import Object

#: What a snapshot's digest covers: whoever changes one of these has changed the release behind the controller's back.
COVERED = ("name", "namespace", "version", "chart", "config", "manifest", "hooks", "info")


def digest(value: Any) -> str:
    return f"sha256:{hashlib.sha256(json.dumps(value, sort_keys=True, separators=(',', ':')).encode()).hexdigest()}"


class Storage:
    """Release Secrets of one namespace."""

    def __init__(self, api: Client, namespace: str) -> None:
        self._api = api
        self._path = f"/api/v1/namespaces/{namespace}/secrets"

    async def secrets(self, name: str) -> list[Object]:
        """Of one release, newest first: by the labels that Helm goes by."""
        found = await self._api.get(f"{self._path}?labelSelector=owner%3Dhelm,name%3D{name}")
        return sorted(found["items"], key=lambda item: -int(item["metadata"]["labels"]["version"]))

    async def releases(self, name: str) -> list[Object]:
        """The releases themselves, newest first."""
        return [decode(item) for item in await self.secrets(name)]

    async def unlock(self, name: str) -> str:
        """A pending release is called failed; its status before."""
        secret = (await self.secrets(name))[0]
        release = decode(secret)
        before = str(release["info"]["status"])
        release["info"].update(status="failed", description=f"Release unlocked from stale '{before}' state")
        patch = {"data": {"release": encode(release)}, "metadata": {"labels": {"status": "failed"}}}
        await self._api.request("PATCH", f"{self._path}/{secret['metadata']['name']}", patch, "application/merge-patch+json")
        return before

    async def move(self, name: str, target: Storage) -> None:
        """All Secrets of the release go to another namespace."""
        theirs = {item["metadata"]["name"] for item in await target.secrets(name)}
        ours = await self.secrets(name)
        for gone in theirs - {item["metadata"]["name"] for item in ours}:
            await target.delete(gone)
        for item in ours:
            await target.put(item)
            await self.delete(item["metadata"]["name"])

    async def put(self, secret: Object) -> None:
        """Create it here, or replace what has its name."""
        meta = {key: secret["metadata"][key] for key in ("name", "labels")}
        value = {"metadata": meta, "type": secret["type"], "data": secret["data"]}
        await self.delete(meta["name"])
        await self._api.request("POST", self._path, value)

    async def delete(self, name: str) -> None:
        try:
            await self._api.request("DELETE", f"{self._path}/{name}")
        except ApiError as error:
            if error.status != 404:
                raise


def decode(secret: Object) -> Object:
    """A release: base64 twice round gzip round JSON."""
    found: Object = json.loads(gzip.decompress(base64.b64decode(base64.b64decode(secret["data"]["release"]))))
    return found


def encode(release: Object) -> str:
    return base64.b64encode(base64.b64encode(gzip.compress(json.dumps(release).encode()))).decode("ascii")


def fingerprint(release: Object) -> str:
    covered = {key: release.get(key) for key in COVERED}
    covered["chart"] = (release.get("chart") or {}).get("metadata")
    return digest(covered)


def snapshot(release: Object, values: Object) -> Object:
    """What status.history says of a release."""
    chart = release["chart"]["metadata"]
    info = release["info"]
    return {
        "apiVersion": "v2",
        "name": release["name"],
        "namespace": release["namespace"],
        "version": release["version"],
        "chartName": chart["name"],
        "chartVersion": chart["version"],
        **({"appVersion": chart["appVersion"]} if chart.get("appVersion") else {}),
        "configDigest": digest(values),
        "digest": fingerprint(release),
        "firstDeployed": info["first_deployed"],
        "lastDeployed": info["last_deployed"],
        "status": info["status"],
    }
