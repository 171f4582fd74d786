# SPDX-License-Identifier: GPL-3.0-or-later
"""One rendering of a chart for a whole fleet. PRIVATE: can change at any time.

Every cluster of a run mostly gets the same chart with the same values, and starting helm costs more than all requests of a
preflight. So what was rendered is kept in a mapping the front end gives us (in the action plugins: memory shared by the run's
workers), without the data of Secrets. The key holds everything the rendering depends on.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Iterator, MutableMapping, Sequence
from dataclasses import asdict

from ._engine.model import Helm, Object, Release
from ._engine.target import without_secrets


class SharedRendering:
    """A Helm that renders each chart once for all who share ``cache``; it installs and uninstalls as the real one does."""

    def __init__(self, helm: Helm, cache: MutableMapping[str, bytes], *, program: str = "helm") -> None:
        """``program`` is what ``helm`` runs: what another program rendered says nothing about whether this one can."""
        self._helm = helm
        self._cache = cache
        self._program = program

    def version(self) -> str:
        """The helm program's version, asked once for all who use the same program."""
        key = f"helm-version-{self._program}"
        known = self._cache.get(key)
        if known is None:
            known = self._helm.version().encode()
            self._cache[key] = known
        return known.decode()

    def template(self, release: Release, *, kube_version: str = "", api_versions: Sequence[str] = ()) -> list[Object]:
        """Render, or give what somebody rendered with the same chart, values and version."""
        key = _key(self._program, release, kube_version, api_versions)
        known = self._cache.get(key)
        if known is None:
            rendered = without_secrets(self._helm.template(release, kube_version=kube_version, api_versions=api_versions))
            known = json.dumps(rendered, default=str).encode()
            self._cache[key] = known
        objects: list[Object] = json.loads(known)
        return objects

    def install(self, release: Release) -> None:
        """As the real one."""
        self._helm.install(release)

    def uninstall(self, name: str, namespace: str) -> None:
        """As the real one."""
        self._helm.uninstall(name, namespace)


def _key(program: str, release: Release, kube_version: str, api_versions: Sequence[str]) -> str:
    content = [program, asdict(release), kube_version, list(api_versions), list(_files(os.path.expanduser(release.chart)))]
    return "rendering-" + hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()


def _files(chart: str) -> Iterator[tuple[str, int, int]]:
    """Path, size and time of every file of a local chart: it may be edited between two runs of a long-lived process."""
    if os.path.isfile(chart):
        yield _stamp(chart)
    for folder, _folders, names in sorted(os.walk(chart)):
        for name in sorted(names):
            yield _stamp(os.path.join(folder, name))


def _stamp(path: str) -> tuple[str, int, int]:
    found = os.stat(path)
    return path, found.st_size, found.st_mtime_ns
