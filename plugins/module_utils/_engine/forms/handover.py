# SPDX-License-Identifier: GPL-3.0-or-later
"""The element in ``spec.postRenderers`` of a HelmRelease that takes objects out of what Flux renders. PRIVATE.

It works on what a chart has rendered, so it needs to know nothing of values, which differ from chart to chart, and leaves WG's pods as
they are. An object that drops out of a release stays when it is annotated to stay (docs/facts.md, K5).
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Sequence

from ..model import Object
from ..names import RUN_LABEL
from ..objects import annotations_of, name_of

Name = tuple[str, str]
"""Kind and name."""


def element(items: Iterable[Object], run: str) -> Object:
    """One post-renderer that drops these objects; it says in each patch which run wrote it."""
    ordered = sorted(items, key=_key)
    return {"kustomize": {"patches": [_without(item, run) for item in ordered]}}


def renderers_of(helm_release: Object) -> list[Object]:
    """``spec.postRenderers`` of a HelmRelease."""
    return (helm_release.get("spec") or {}).get("postRenderers") or []


def dropped_by(renderers: Iterable[Object], run: str) -> set[Name]:
    """What the elements of a run drop; those of others are not looked at."""
    bodies = (_body(patch) for renderer in renderers for patch in (renderer.get("kustomize") or {}).get("patches") or [])
    return {_key(body) for body in bodies if body.get("$patch") == "delete" and annotations_of(body).get(RUN_LABEL) == run}


def without_ours(renderers: Sequence[Object], run: str) -> list[Object]:
    """The post-renderers that are not of this run."""
    return [renderer for renderer in renderers if not dropped_by([renderer], run)]


def _without(item: Object, run: str) -> Object:
    meta = {"name": name_of(item), "annotations": {RUN_LABEL: run}}
    body = {"$patch": "delete", "apiVersion": item["apiVersion"], "kind": item["kind"], "metadata": meta}
    name = re.escape(name_of(item)).replace("\\-", "-")  # kustomize reads names of targets as regular expressions
    return {"target": {"kind": item["kind"], "name": name}, "patch": json.dumps(body, sort_keys=True)}


def _body(patch: Object) -> Object:
    """A patch of ours is JSON; what others write need not be."""
    try:
        found = json.loads(str(patch.get("patch") or ""))
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}


def _key(item: Object) -> Name:
    return str(item.get("kind")), name_of(item)
