# SPDX-License-Identifier: GPL-3.0-or-later
"""One Helm release of a HelmRelease: install, upgrade, rollback and uninstall by the real helm program."""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import shlex
import shutil
import tempfile
from collections.abc import AsyncIterator
from pathlib import Path

import yaml

from ..agent.client import Client
from . import commands
from .runtime import Object
from .storage import Storage

TIMEOUT = "5m0s"
LABEL = "helm.toolkit.fluxcd.io"


def short(name: str) -> str:
    """Helm's limit of 53 characters, kept as helm-controller keeps it."""
    if len(name) <= 53:
        return name
    return f"{name[:40]}-{hashlib.sha256(name.encode()).hexdigest()[:12]}"


class Release:
    """Where it lives, and what is done to it."""

    def __init__(self, api: Client, item: Object, config: Path, work: Path) -> None:
        spec, meta = item["spec"], item["metadata"]
        self.namespace: str = spec.get("targetNamespace") or meta["namespace"]
        self.storage_namespace: str = spec.get("storageNamespace") or meta["namespace"]
        self.name = short(spec.get("releaseName") or (f"{spec['targetNamespace']}-" if spec.get("targetNamespace") else "") + meta["name"])
        self.storage = Storage(api, self.storage_namespace)
        self._api = api
        self._item = item
        self._spec = spec
        self._environment = {"KUBECONFIG": str(config), **commands.helm_homes(work / "helm")}
        self._work = work

    @classmethod
    def of_snapshot(cls, api: Client, item: Object, config: Path, work: Path) -> Release:
        """The one that the status speaks of, which the spec may have left."""
        found = cls(api, item, config, work)
        latest = item["status"]["history"][0]
        found.name, found.namespace = latest["name"], latest["namespace"]
        found.storage_namespace = item["status"]["storageNamespace"]
        found.storage = Storage(api, found.storage_namespace)
        return found

    # -- actions

    async def install(self, chart: Path, values: Object) -> None:
        settings = self._spec.get("install") or {}
        flags = [
            *self._shared(settings),
            *(["--create-namespace"] if settings.get("createNamespace") else []),
            *(["--replace"] if settings.get("replace") else []),
            *(["--skip-crds"] if settings.get("crds") == "Skip" else []),
        ]
        await self._with_chart("install", chart, values, flags)

    async def upgrade(self, chart: Path, values: Object) -> None:
        settings = self._spec.get("upgrade") or {}
        flags = [
            *self._shared(settings),
            "--reuse-values" if settings.get("preserveValues") else "--reset-values",
            f"--history-max={self._spec.get('maxHistory', 5)}",
            *(["--force"] if settings.get("force") else []),
            *(["--cleanup-on-fail"] if settings.get("cleanupOnFail") else []),
        ]
        await self._with_chart("upgrade", chart, values, flags)

    async def rollback(self, version: int) -> None:
        settings = self._spec.get("rollback") or {}
        flags = [
            f"--timeout={self._timeout(settings)}",
            *([] if settings.get("disableWait") else ["--wait"]),
            *(["--force"] if settings.get("force") else []),
            *(["--cleanup-on-fail"] if settings.get("cleanupOnFail") else []),
        ]
        async with self._at_home():
            await self._helm("rollback", self.name, str(version), *flags)

    async def uninstall(self) -> None:
        settings = self._spec.get("uninstall") or {}
        flags = [
            f"--timeout={self._timeout(settings)}",
            "--ignore-not-found",
            *([] if settings.get("disableWait") else ["--wait"]),
            *(["--keep-history"] if settings.get("keepHistory") else []),
            *(["--no-hooks"] if settings.get("disableHooks") else []),
        ]
        async with self._at_home():
            await self._helm("uninstall", self.name, *flags)

    # -- parts

    def _timeout(self, settings: Object) -> str:
        return str(settings.get("timeout") or self._spec.get("timeout") or TIMEOUT)

    def _shared(self, settings: Object) -> list[str]:
        """Taking ownership is the default since helm-controller 1.2 (K12)."""
        return [
            f"--timeout={self._timeout(settings)}",
            *([] if settings.get("disableTakeOwnership") else ["--take-ownership"]),
            *([] if settings.get("disableWait") else ["--wait"]),
            *(["--wait-for-jobs"] if not settings.get("disableWait") and not settings.get("disableWaitForJobs") else []),
            *(["--no-hooks"] if settings.get("disableHooks") else []),
            *(["--disable-openapi-validation"] if settings.get("disableOpenAPIValidation") else []),
        ]

    async def _with_chart(self, action: str, chart: Path, values: Object, flags: list[str]) -> None:
        folder = Path(tempfile.mkdtemp(prefix="release-", dir=self._work))
        try:
            file = folder / "values.json"
            file.write_text(json.dumps(values), encoding="utf-8")
            script = self._post_renderer(folder)
            async with self._at_home():
                await self._helm(action, self.name, str(chart), "-f", str(file), "--post-renderer", str(script), *flags)
        finally:
            shutil.rmtree(folder, ignore_errors=True)

    async def _helm(self, *arguments: str) -> None:
        await commands.run(os.environ["TESTBED_HELM"], *arguments, "-n", self.namespace, environment=self._environment)

    @contextlib.asynccontextmanager
    async def _at_home(self) -> AsyncIterator[None]:
        """The helm program keeps its Secrets where the objects go; Flux may keep them elsewhere, so they are brought and taken."""
        if self.storage_namespace == self.namespace:
            yield
            return
        home = Storage(self._api, self.namespace)
        await self.storage.move(self.name, home)
        try:
            yield
        finally:
            await home.move(self.name, self.storage)

    def _post_renderer(self, folder: Path) -> Path:
        """The spec's kustomize renderers one after the other, then the labels that say whose the objects are."""
        renderers = [entry["kustomize"] for entry in self._spec.get("postRenderers") or [] if entry.get("kustomize")]
        meta = self._item["metadata"]
        origin = {f"{LABEL}/name": meta["name"], f"{LABEL}/namespace": meta["namespace"]}
        steps: list[Object] = [
            {"patches": renderer.get("patches") or [], "images": renderer.get("images") or []} for renderer in renderers
        ] + [{"labels": [{"pairs": origin}]}]
        lines = ["#!/bin/sh", "set -e"]
        source = "cat"
        for number, step in enumerate(steps):
            place = folder / str(number)
            place.mkdir()
            (place / "kustomization.yaml").write_text(yaml.safe_dump({"resources": ["all.yaml"], **step}), encoding="utf-8")
            lines.append(f"{source} > {shlex.quote(str(place / 'all.yaml'))}")
            source = f"{shlex.quote(os.environ['TESTBED_KUSTOMIZE'])} build {shlex.quote(str(place))}"
        script = folder / "post-render"
        script.write_text("\n".join([*lines, source, ""]), encoding="utf-8")
        script.chmod(0o755)
        return script
