# SPDX-License-Identifier: GPL-3.0-or-later
"""Stands for Flux's source-controller 1.6: artifacts for GitRepository, HelmRepository, HelmChart and OCIRepository.

Keeps: Flux's own CRDs and their status (artifact with url, digest, revision; conditions Ready and ArtifactInStorage, observedGeneration
only when the attempt came to an end); an artifact stays while its source cannot be reached; an HTTP HelmRepository is really fetched,
with the user and password of its `secretRef`; charts are chosen from its index by version range and read with the real helm; a new
artifact of a source makes its HelmCharts be looked at; suspend; the token; the finalizer; artifacts are served over HTTP.
Leaves out: the git protocol (the last part of a GitRepository's URL names a bare repository below the bed's folder `git`), the OCI
protocol (OCIRepository and HelmRepository of type oci lead to the bed's chart repository, the last part of an OCIRepository's URL being
the chart), Bucket, verification of signatures, include, ignore, valuesFiles, garbage collection.

Run as `python -m testbed.flux.source_controller BED_FOLDER CLUSTER NAMESPACE`, inside the cluster's network.
"""

from __future__ import annotations

import asyncio
import base64
import copy
import hashlib
import os
import sys
import tarfile
import tempfile
import urllib.error
import urllib.request
from pathlib import Path
from typing import Any

import yaml

from .. import account, network
from ..agent.client import ApiError, Client
from ..products.httpd import Answer, Request, Server
from . import commands, runtime
from .repository import CHARTS_URL
from .runtime import GIT_REPOSITORY, HELM_CHART, HELM_REPOSITORY, OCI_REPOSITORY, Conditions, Failed, Kind, Object, Objects

NAME = "source-controller"
PORT = 9790
SERVED_AT = f"{network.NODE_ADDRESS}:{PORT}"
INTERVAL = 600.0


class Sources:
    """All kinds of sources of one cluster."""

    def __init__(self, api: Client, storage: Path, git: Path, namespace: str) -> None:
        self._api = api
        self._storage = storage
        self._git = git
        self._host = f"{NAME}.{namespace}.svc.cluster.local."
        makers = {
            GIT_REPOSITORY: self._git_repository,
            HELM_REPOSITORY: self._helm_repository,
            OCI_REPOSITORY: self._oci_repository,
            HELM_CHART: self._helm_chart,
        }
        self.kinds = {
            kind.name: Objects(api, kind, NAME, lambda item, kind=kind, make=make: self._reconcile(kind, item, make))  # type: ignore[misc]
            for kind, make in makers.items()
        }

    async def serve(self, request: Request) -> Answer:
        """Finished artifacts."""
        path = (self._storage / request.path.lstrip("/")).resolve()
        if not path.is_relative_to(self._storage) or not path.is_file():
            return Answer(404)
        return Answer(200, path.read_bytes(), "application/gzip")

    async def _reconcile(self, kind: Kind, item: Object, make: Any) -> float | None:
        """One object; `make` says its artifact as (revision, file)."""
        objects = self.kinds[kind.name]
        if item["metadata"].get("deletionTimestamp"):
            await objects.finalizer(item, False)
            return None
        if runtime.FINALIZER not in item["metadata"].get("finalizers", []):
            await objects.finalizer(item, True)
        if item["spec"].get("suspend") or (kind is HELM_REPOSITORY and item["spec"].get("type") == "oci"):
            return None  # such a HelmRepository has no status since source-controller 1.3
        status = copy.deepcopy(item.get("status") or {})
        conditions = Conditions(status, item["metadata"]["generation"])
        try:
            revision, content = await make(item, status)
        except Failed as error:
            conditions.set("Ready", False, _failure(kind), str(error))
            await self._write(objects, item, status)
            raise
        changed = await self._publish(kind, item, status, revision, content)
        words = f"stored artifact for revision '{revision}'"
        for name in ("ArtifactInStorage", "Ready"):
            conditions.set(name, True, "Succeeded", words)
        status["observedGeneration"] = item["metadata"]["generation"]
        await self._write(objects, item, status)
        if changed:
            self._wake_charts(kind, item)
        return runtime.seconds(item["spec"].get("interval"), INTERVAL)

    async def _write(self, objects: Objects, item: Object, status: Object) -> None:
        if token := runtime.token_of(item):
            status["lastHandledReconcileAt"] = token
        await objects.write_status(item, status)

    async def _publish(self, kind: Kind, item: Object, status: Object, revision: str, content: bytes) -> bool:
        """Store the file and say so in the status; was it another one before?"""
        digest = f"sha256:{hashlib.sha256(content).hexdigest()}"
        old = status.get("artifact") or {}
        namespace, name = runtime.key_of(item)
        suffix = {"HelmRepository": "index.yaml", "HelmChart": "chart.tgz"}.get(kind.name, "content.tar.gz")
        path = Path(kind.name.lower(), namespace, name, f"{digest[7:19]}-{suffix}")
        file = self._storage / path
        if not file.exists():
            file.parent.mkdir(parents=True, exist_ok=True)
            beside = file.with_name(f".{file.name}.{os.getpid()}")
            beside.write_bytes(content)
            beside.replace(file)
        if (old.get("revision"), old.get("digest"), old.get("path")) == (revision, digest, str(path)):
            return False
        status["artifact"] = {
            "path": str(path),
            "url": f"http://{self._host}/{path}",
            "revision": revision,
            "digest": digest,
            "lastUpdateTime": runtime.now(),
            "size": len(content),
        }
        status["url"] = status["artifact"]["url"]
        if kind in (GIT_REPOSITORY, OCI_REPOSITORY):
            del status["url"]
        return True

    def _wake_charts(self, kind: Kind, item: Object) -> None:
        namespace, name = runtime.key_of(item)
        for key, chart in self.kinds["HelmChart"].known.items():
            reference = chart["spec"]["sourceRef"]
            if key[0] == namespace and (reference["kind"], reference["name"]) == (kind.name, name):
                self.kinds["HelmChart"].wake(key)

    # -- what each kind's artifact is

    async def _git_repository(self, item: Object, _status: Object) -> tuple[str, bytes]:
        """The tree of a branch, tag or commit, by the git program."""
        repository = self._git / item["spec"]["url"].rstrip("/").rpartition("/")[2].removesuffix(".git")
        wanted = item["spec"].get("ref") or {}
        branch = wanted.get("branch") or "master"
        name = wanted.get("commit") or wanted.get("tag") or wanted.get("name") or f"refs/heads/{branch}"
        if not repository.is_dir():
            raise Failed(f"failed to checkout and determine revision: unable to clone '{item['spec']['url']}': repository not found")
        git = ("git", "-C", str(repository))
        commit = (await commands.run(*git, "rev-parse", "--verify", f"{name}^{{commit}}")).decode("ascii").strip()
        label = wanted.get("tag") or (None if wanted.get("commit") and not wanted.get("branch") else branch)
        content = await commands.run(*git, "archive", "--format=tar.gz", commit)
        return (f"{label}@sha1:{commit}" if label else f"sha1:{commit}"), content

    async def _helm_repository(self, item: Object, _status: Object) -> tuple[str, bytes]:
        """The index, fetched."""
        content = await self._fetch(f"{item['spec']['url'].rstrip('/')}/index.yaml", await self._login(item))
        return f"sha256:{hashlib.sha256(content).hexdigest()}", content

    async def _oci_repository(self, item: Object, _status: Object) -> tuple[str, bytes]:
        """A chart as an OCI artifact: its tag is the version."""
        name = item["spec"]["url"].rstrip("/").rpartition("/")[2]
        wanted = item["spec"].get("ref") or {}
        version, content = await self._pull(name, wanted.get("tag") or wanted.get("semver") or "*", CHARTS_URL, None)
        return f"{version}@sha256:{hashlib.sha256(content).hexdigest()}", content

    async def _helm_chart(self, item: Object, status: Object) -> tuple[str, bytes]:
        """From a HelmRepository by name and version, from a GitRepository by path."""
        spec = item["spec"]
        source = await self._source(item)
        if spec["sourceRef"]["kind"] == "GitRepository":
            version, content = await self._package(source, spec["chart"])
        else:
            oci = source["spec"].get("type") == "oci"
            url = CHARTS_URL if oci else source["spec"]["url"]
            version, content = await self._pull(spec["chart"], spec.get("version") or "*", url, await self._login(source))
        status["observedChartName"] = spec["chart"].rstrip("/").rpartition("/")[2]
        if revision := ((source.get("status") or {}).get("artifact") or {}).get("revision"):
            status["observedSourceArtifactRevision"] = revision
        return version, content

    async def _source(self, chart: Object) -> Object:
        reference = chart["spec"]["sourceRef"]
        objects = self.kinds.get(reference["kind"])
        key = (chart["metadata"]["namespace"], reference["name"])
        try:
            source: Object = await self._api.get(objects.kind.path(key)) if objects else {}
        except ApiError as error:
            raise Failed(f"failed to get source: {reference['kind'].lower()} {reference['name']!r}: {error}") from error
        if source.get("spec", {}).get("type") != "oci" and not ((source.get("status") or {}).get("artifact")):
            raise Failed(f"no artifact available for {reference['kind']} source '{reference['name']}'")
        return source

    async def _login(self, item: Object) -> tuple[str, str] | None:
        """User and password of the HelmRepository's Secret."""
        reference = item["spec"].get("secretRef")
        if not reference:
            return None
        try:
            found = await self._api.get(f"/api/v1/namespaces/{item['metadata']['namespace']}/secrets/{reference['name']}")
        except ApiError as error:
            raise Failed(f"failed to get authentication secret '{item['metadata']['namespace']}/{reference['name']}': {error}") from error
        data = {key: base64.b64decode(value).decode("utf-8") for key, value in (found.get("data") or {}).items()}
        return data.get("username", ""), data.get("password", "")

    async def _fetch(self, url: str, login: tuple[str, str] | None) -> bytes:
        request = urllib.request.Request(url)
        if login:
            request.add_header("Authorization", "Basic " + base64.b64encode(":".join(login).encode()).decode("ascii"))
        try:
            return await asyncio.to_thread(lambda: urllib.request.urlopen(request, timeout=10).read())
        except (urllib.error.URLError, OSError) as error:
            raise Failed(f"failed to fetch Helm repository index: {url}: {error}") from error

    async def _pull(self, chart: str, version: str, url: str, login: tuple[str, str] | None) -> tuple[str, bytes]:
        """The real helm chooses the version and fetches the archive."""
        with tempfile.TemporaryDirectory(dir=self._storage) as folder:
            flags = ["--username", login[0], "--password", login[1], "--pass-credentials"] if login else []
            homes = commands.helm_homes(Path(folder))
            command = (os.environ["TESTBED_HELM"], "pull", chart, "--repo", url, "--version", version, "-d", folder, *flags)
            try:
                await commands.run(*command, environment=homes)
            except Failed as error:
                raise Failed(f"invalid chart reference: failed to get chart version for remote reference: {error}") from error
            return _version_and_bytes(Path(folder))

    async def _package(self, source: Object, chart: str) -> tuple[str, bytes]:
        """A chart inside a git tree."""
        with tempfile.TemporaryDirectory(dir=self._storage) as folder:
            with tarfile.open(self._storage / source["status"]["artifact"]["path"]) as archive:
                archive.extractall(Path(folder, "tree"), filter="data")
            tree = Path(folder, "tree", chart)
            await commands.run(
                os.environ["TESTBED_HELM"], "package", str(tree), "-d", folder, environment=commands.helm_homes(Path(folder))
            )
            return _version_and_bytes(Path(folder))


def _version_and_bytes(folder: Path) -> tuple[str, bytes]:
    file = next(folder.glob("*.tgz"))
    return str(chart_metadata(file)["version"]), file.read_bytes()


def chart_metadata(archive: Path) -> dict[str, Any]:
    """Chart.yaml of a chart's archive."""
    with tarfile.open(archive) as opened:
        member = next(name for name in opened.getnames() if name.count("/") == 1 and name.endswith("/Chart.yaml"))
        content = opened.extractfile(member)
        assert content is not None
        found: dict[str, Any] = yaml.safe_load(content)
        return found


def _failure(kind: Kind) -> str:
    reasons = {"GitRepository": "GitOperationFailed", "HelmRepository": "Failed", "HelmChart": "InvalidChartReference"}
    return reasons.get(kind.name, "OCIArtifactPullFailed")


async def main() -> None:
    """For ever."""
    paths, api = account.of_process(NAME)
    storage = (paths.root / "artifacts").resolve()
    storage.mkdir(parents=True, exist_ok=True)
    sources = Sources(api, storage, paths.bed.git, sys.argv[3])
    await Server(sources.serve).listen(network.NODE_ADDRESS, PORT)
    await asyncio.gather(*(objects.run() for objects in sources.kinds.values()))


if __name__ == "__main__":
    asyncio.run(main())
