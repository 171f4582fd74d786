# SPDX-License-Identifier: GPL-3.0-or-later
"""A HelmRelease's values: `valuesFrom` in order, `values` over them; `targetPath` comes last, as in helm-controller."""

from __future__ import annotations

import base64
from typing import Any

import yaml

from ..agent.client import ApiError, Client
from .runtime import Failed, Object

PLURALS = {"ConfigMap": "configmaps", "Secret": "secrets"}


def merged(under: Object, over: Object) -> Object:
    """Maps are merged, everything else is replaced."""
    found = dict(under)
    for key, value in over.items():
        before = found.get(key)
        found[key] = merged(before, value) if isinstance(before, dict) and isinstance(value, dict) else value
    return found


async def compose(api: Client, namespace: str, spec: Object) -> Object:
    """All of them; Failed when something is missing that is not optional."""
    found: Object = {}
    single: list[tuple[str, str]] = []
    for reference in spec.get("valuesFrom") or []:
        text = await _text(api, namespace, reference)
        if text is None:
            continue
        if path := reference.get("targetPath"):
            single.append((path, text))
        else:
            found = merged(found, yaml.safe_load(text) or {})
    found = merged(found, spec.get("values") or {})
    for path, text in single:
        _put(found, path, yaml.safe_load(text))
    return found


def _put(values: Object, path: str, value: Any) -> None:
    *parents, last = path.split(".")
    for name in parents:
        values = values.setdefault(name, {})
    values[last] = value


async def _text(api: Client, namespace: str, reference: Object) -> str | None:
    kind, name, key = reference["kind"], reference["name"], reference.get("valuesKey") or "values.yaml"
    try:
        data = (await api.get(f"/api/v1/namespaces/{namespace}/{PLURALS[kind]}/{name}")).get("data") or {}
    except ApiError as error:
        if error.status == 404 and reference.get("optional"):
            return None
        raise Failed(f"could not resolve {kind} chart values reference '{namespace}/{name}' with key '{key}': {error}") from error
    if key not in data:
        if reference.get("optional"):
            return None
        raise Failed(f"missing key '{key}' in {kind} '{namespace}/{name}'")
    return base64.b64decode(data[key]).decode("utf-8") if kind == "Secret" else str(data[key])
