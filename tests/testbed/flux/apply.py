# SPDX-License-Identifier: GPL-3.0-or-later
"""Server-side apply of plain objects, in the order given."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from ..api import APPLY, Api

Object = dict[str, Any]


def path_of(item: Object) -> str:
    """Where an object lies. Of the kinds used here the plural of one is not regular."""
    kind = item["kind"].lower()
    regular = kind[:-1] + "ies" if kind.endswith("y") else kind + ("es" if kind.endswith("s") else "s")
    plural = "apps" if item["kind"] == "Application" else regular
    group = item["apiVersion"]
    start = f"/apis/{group}" if "/" in group else f"/api/{group}"
    namespace = item["metadata"].get("namespace")
    return f"{start}/{f'namespaces/{namespace}/' if namespace else ''}{plural}/{item['metadata']['name']}"


def apply(api: Api, items: Iterable[Object], manager: str) -> list[Object]:
    """As `kubectl apply --server-side --force-conflicts` with this field manager."""
    return [api.patch(f"{path_of(item)}?fieldManager={manager}&force=true", item, APPLY) for item in items]
