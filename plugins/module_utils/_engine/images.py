# SPDX-License-Identifier: GPL-3.0-or-later
"""Images: which ones an object's pods run, what they are called in full, and where they come from. PRIVATE."""

from __future__ import annotations

from .model import Object

HUB = "docker.io"
_MAKE_PODS = ("CronJob", "DaemonSet", "Deployment", "Job", "StatefulSet")


def pod_spec(item: Object) -> Object:
    """The pod that an object makes, empty when it makes none."""
    spec = item.get("spec") or {}
    if item.get("kind") == "Pod":
        return dict(spec)
    if item.get("kind") == "CronJob":
        spec = (spec.get("jobTemplate") or {}).get("spec") or {}
    found: Object = (spec.get("template") or {}).get("spec") or {}
    return found if item.get("kind") in _MAKE_PODS else {}


def containers_in(spec: Object) -> list[Object]:
    """All containers of a pod, those that run before it starts first."""
    return [*(spec.get("initContainers") or []), *(spec.get("containers") or [])]


def registry_of(image: str) -> str:
    """``ghcr.io`` of ``ghcr.io/weaveworks/wego-app:v0.38.0``; without a host it is Docker Hub's."""
    first, slash, _rest = image.partition("/")
    return first if slash and ("." in first or ":" in first or first == "localhost") else HUB


def name_of(image: str) -> str:
    """An image without its tag and digest."""
    plain = image.partition("@")[0]
    folder, slash, last = plain.rpartition("/")
    return f"{folder}{slash}{last.partition(':')[0]}"


def full_name(image: str) -> str:
    """``docker.io/library/nginx`` of ``nginx:1.29``."""
    name, registry = name_of(image), registry_of(image)
    if registry == HUB and not name.startswith(f"{HUB}/"):
        return f"{HUB}/{name}" if "/" in name else f"{HUB}/library/{name}"
    return name
