# SPDX-License-Identifier: GPL-3.0-or-later
"""The kustomization.yaml files between a Kustomization's path and one of its files: do they take it in, and as it is? PRIVATE."""

from __future__ import annotations

import posixpath
from collections.abc import Iterator, Mapping

from ..model import Object
from .texts import cut

NAMES = ("kustomization.yaml", "kustomization.yml", "Kustomization")
_HARMLESS = {"apiVersion", "kind", "metadata", "resources", "namespace", "buildMetadata", "sortOptions"}


def folder_of(path: str) -> str:
    """A Kustomization's ``spec.path`` as a folder of its repository, empty for the root."""
    return posixpath.normpath(f"/{path}").strip("/")


def why_not_plain(files: Mapping[str, str], root: str, file: str, namespace: str) -> str:
    """Why what stands in ``file`` is not exactly what the path ``root`` renders; empty when it is."""
    current = file
    for name in _upwards(files, root, file):
        content = _content(files[name])
        if content is None:
            return f"{name} cannot be read"
        folder = posixpath.dirname(name)
        if posixpath.relpath(current, folder or ".") not in _resources(content):
            return f"{name} does not list {posixpath.relpath(current, folder or '.')}"
        if changing := sorted(set(content) - _HARMLESS):
            return f"{name} changes what it takes in ({', '.join(changing)})"
        if content.get("namespace") not in (None, namespace):
            return f"{name} puts all it takes in into namespace {content['namespace']}"
        current = folder
    return ""


def list_of(files: Mapping[str, str], root: str, file: str) -> str:
    """The kustomization.yaml that lists a file, empty where Flux takes in all that is there."""
    return next(_upwards(files, root, file), "")


def _upwards(files: Mapping[str, str], root: str, file: str) -> Iterator[str]:
    folder = posixpath.dirname(file)
    while True:
        yield from [name for word in NAMES if (name := posixpath.join(folder, word)) in files][:1]
        if folder in ("", root):
            return
        folder = posixpath.dirname(folder)


def _resources(content: Object) -> set[str]:
    found = content.get("resources") or []
    return {posixpath.normpath(str(entry)) for entry in found}


def _content(text: str) -> Object | None:
    return next((part.item for part in cut(text) if part.item), None)
