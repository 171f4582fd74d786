# SPDX-License-Identifier: GPL-3.0-or-later
"""What a container gets from ConfigMaps, Secrets and its pod: environment and files, with a kubelet's rules.

Keeps: envFrom, valueFrom, optional references, later entries winning, `$(NAME)` in values and arguments, mounted
Secrets and ConfigMaps. Leaves out: projected and downward volumes, subPath, updates of mounted files.
"""

from __future__ import annotations

import base64
import re
from pathlib import Path
from typing import Any

from .. import network
from .client import ApiError, Client

Object = dict[str, Any]


class ConfigError(Exception):
    """A kubelet would say CreateContainerConfigError with this text."""


class MountError(Exception):
    """A kubelet would leave the pod in ContainerCreating."""


class Sources:
    """Reads what a pod refers to, each object once."""

    def __init__(self, api: Client, namespace: str) -> None:
        self._api = api
        self._namespace = namespace
        self._known: dict[tuple[str, str], dict[str, bytes] | None] = {}

    async def data(self, plural: str, name: str) -> dict[str, bytes] | None:
        """Key to bytes, or None when the object does not exist."""
        if (plural, name) not in self._known:
            try:
                found = await self._api.get(f"/api/v1/namespaces/{self._namespace}/{plural}/{name}")
            except ApiError as error:
                if error.status not in (403, 404):
                    raise
                found = None
            self._known[plural, name] = None if found is None else _bytes(plural, found)
        return self._known[plural, name]


def _bytes(plural: str, found: Object) -> dict[str, bytes]:
    values = found.get("data") or {}
    if plural == "secrets":
        return {key: base64.b64decode(value) for key, value in values.items()}
    return {key: value.encode("utf-8") for key, value in values.items()}


def expand(text: str, known: dict[str, str]) -> str:
    """`$(NAME)` becomes its value, `$$(NAME)` stays literal."""

    def one(match: re.Match[str]) -> str:
        if match[0].startswith("$$"):
            return str(match[0][1:])
        return known.get(match[1], match[0])

    return re.sub(r"\$?\$\(([^)]+)\)", one, text)


def _field(path: str, pod: Object, address: str) -> str:
    known: dict[str, str] = {
        "metadata.name": pod["metadata"]["name"],
        "metadata.namespace": pod["metadata"]["namespace"],
        "metadata.uid": pod["metadata"]["uid"],
        "spec.nodeName": pod["spec"].get("nodeName", ""),
        "spec.serviceAccountName": pod["spec"].get("serviceAccountName", ""),
        "status.podIP": address,
        "status.hostIP": network.NODE_ADDRESS,
    }
    return known.get(path, "")


async def _from_whole(item: Object, sources: Sources) -> dict[str, str]:
    """One entry of envFrom."""
    for key, plural, kind in (("configMapRef", "configmaps", "configmap"), ("secretRef", "secrets", "secret")):
        if key not in item:
            continue
        found = await sources.data(plural, item[key]["name"])
        if found is None and not item[key].get("optional"):
            raise ConfigError(f'{kind} "{item[key]["name"]}" not found')
        prefix = item.get("prefix", "")
        return {prefix + name: value.decode("utf-8", "replace") for name, value in (found or {}).items()}
    return {}


async def _from_key(source: Object, sources: Sources) -> str | None:
    """One `valueFrom` with a key of a ConfigMap or a Secret."""
    for key, plural, kind in (("configMapKeyRef", "configmaps", "configmap"), ("secretKeyRef", "secrets", "secret")):
        if key not in source:
            continue
        reference = source[key]
        found = await sources.data(plural, reference["name"])
        if found is not None and reference["key"] in found:
            return found[reference["key"]].decode("utf-8", "replace")
        if reference.get("optional"):
            return None
        if found is None:
            raise ConfigError(f'{kind} "{reference["name"]}" not found')
        raise ConfigError(f"couldn't find key {reference['key']} in {kind} {reference['name']}")
    return None


async def variables(container: Object, pod: Object, address: str, sources: Sources) -> dict[str, str]:
    """The container's whole environment."""
    found: dict[str, str] = {}
    for item in container.get("envFrom") or []:
        found.update(await _from_whole(item, sources))
    for item in container.get("env") or []:
        source = item.get("valueFrom")
        if not source:
            found[item["name"]] = expand(str(item.get("value", "")), found)
        elif "fieldRef" in source:
            found[item["name"]] = _field(source["fieldRef"]["fieldPath"], pod, address)
        elif (value := await _from_key(source, sources)) is not None:
            found[item["name"]] = value
    return found


async def _volume(volume: Object, sources: Sources) -> dict[str, bytes]:
    for key, plural, name_key in (("secret", "secrets", "secretName"), ("configMap", "configmaps", "name")):
        if key in volume:
            found = await sources.data(plural, volume[key][name_key])
            if found is None and not volume[key].get("optional"):
                raise MountError(
                    f'MountVolume.SetUp failed for volume "{volume["name"]}" : {key.lower()} "{volume[key][name_key]}" not found'
                )
            return found or {}
    return {}


async def mount(container: Object, pod: Object, root: Path, sources: Sources) -> None:
    """Write the container's mounted Secrets and ConfigMaps below `root`, which the product takes for its `/`."""
    volumes = {item["name"]: item for item in pod["spec"].get("volumes") or []}
    for item in container.get("volumeMounts") or []:
        files = await _volume(volumes.get(item["name"], {"name": item["name"]}), sources)
        folder = root / item["mountPath"].lstrip("/")
        if files:
            folder.mkdir(parents=True, exist_ok=True)
        for name, data in files.items():
            (folder / name).write_bytes(data)
            (folder / name).chmod(0o600)
