# SPDX-License-Identifier: GPL-3.0-or-later
"""Stands for Flux's helm-controller 1.3: brings what HelmReleases say about by the real helm program.

Keeps: the finalizer; suspend (nothing is done, the generation is observed, an action that runs already goes on to its end); deletion
uninstalls, that of a suspended one leaves release, HelmChart and objects (K9); another chart name, release name, target or storage
namespace uninstalls first and installs then (K8); ownership of what exists is taken unless `disableTakeOwnership` (K12); a release is
found by Helm's labels alone, an absent one is installed, one that others changed is upgraded, a pending one is unlocked; the HelmChart
named `<namespace>-<name>`, chartRef, valuesFrom, post-renderers, owner labels; conditions Reconciling, Released, Remediated, Ready and
Stalled, history, failure counts, retries, remediation by uninstall or rollback; observedGeneration only when an attempt came to its
end; tokens requestedAt, forceAt and resetAt; an object that drops out of a release's manifest goes unless it is annotated to stay (K5,
helm's own doing).
Leaves out: drift detection and its correction, tests, impersonation, remote clusters, Events, RetryOnFailure. The objects' field
manager is `helm`, not `helm-controller`; while an action runs, the release Secrets of a HelmRelease whose storageNamespace is not its
targetNamespace are in the latter; a CreateReplace policy only creates on install, as Create does, and Replace is left out on upgrade.

Run as `python -m testbed.flux.helm_controller BED_FOLDER CLUSTER NAMESPACE`, inside the cluster's network.
"""

from __future__ import annotations

import asyncio
import copy
import functools
import hashlib
import os
import tempfile
import urllib.request
from pathlib import Path

from .. import account
from ..agent.client import ApiError, Client
from . import runtime, values
from .attempt import Attempt, MustRequeue, Terminal, asked_by_token
from .chart_template import ChartTemplate, source_of
from .release import Release
from .runtime import HELM_CHART, HELM_RELEASE, OCI_REPOSITORY, Conditions, Failed, Kind, Object, Objects
from .source_controller import SERVED_AT, chart_metadata
from .storage import digest

NAME = "helm-controller"
INTERVAL = 300.0
REQUEUE = 0.2
REQUEUE_DEPENDENCY = 5.0
NO_FAILURES = {"failures": 0, "installFailures": 0, "upgradeFailures": 0}


class Unready(Failed):
    """Something else must come first; the object is not tried again with growing pauses."""


class HelmReleases:
    """All HelmReleases of one cluster."""

    def __init__(self, api: Client, config: Path, work: Path) -> None:
        self._api = api
        self._config = config
        self._work = work
        self._template = ChartTemplate(api, NAME)
        self.objects = Objects(api, HELM_RELEASE, NAME, self._reconcile)
        self.charts = Objects(api, HELM_CHART, NAME, self._source_seen, _artifact)
        self.artifacts = Objects(api, OCI_REPOSITORY, NAME, self._source_seen, _artifact)

    async def _source_seen(self, item: Object) -> float | None:
        """A new artifact wakes those who use it."""
        revision = _artifact(item)[0]
        for key, release in self.objects.known.items():
            status = release.get("status") or {}
            seen = (status.get("lastAttemptedRevision"), status.get("lastAttemptedRevisionDigest"))
            ready = Conditions(dict(status), 0).is_true("Ready") if status else False
            if revision and source_of(release) == (item["kind"], runtime.key_of(item)) and not (ready and _same(revision, seen)):
                self.objects.wake(key)
        return None

    async def _reconcile(self, item: Object) -> float | None:
        """One pass; whatever comes of it is written down."""
        meta = item["metadata"]
        status = copy.deepcopy(item.get("status") or {})
        conditions = Conditions(status, meta["generation"])
        observed = True
        try:
            if meta.get("deletionTimestamp"):
                await self._delete(item, status)
                await self.objects.write_status(item, status)
                await self.objects.finalizer(item, False)
                return None
            if runtime.FINALIZER not in meta.get("finalizers", []):
                observed = False
                await self.objects.finalizer(item, True)
                return 0.0
            if item["spec"].get("suspend"):
                return None
            await self._template.apply(item, status)
            await self._release(item, status, conditions)
            return runtime.seconds(item["spec"].get("interval"), INTERVAL)
        except Terminal:
            return None
        except MustRequeue:
            observed = False
            return REQUEUE
        except Unready:
            observed = False
            return REQUEUE_DEPENDENCY
        except Failed:
            observed = False
            raise
        except (ApiError, OSError) as error:
            observed = False
            raise Failed(str(error)) from error
        finally:
            if token := runtime.token_of(item):
                status["lastHandledReconcileAt"] = token
            if observed:
                status["observedGeneration"] = meta["generation"]
            if not meta.get("deletionTimestamp"):
                await self.objects.write_status(item, status)

    async def _delete(self, item: Object, status: Object) -> None:
        """K9: a suspended HelmRelease leaves everything."""
        if item["spec"].get("suspend"):
            return
        if status.get("storageNamespace") and status.get("history"):
            await self._at_status(item).uninstall()
        _forget(status)
        await self._template.delete(status)

    def _at_status(self, item: Object) -> Release:
        return Release.of_snapshot(self._api, item, self._config, self._work)

    # -- the release

    async def _release(self, item: Object, status: Object, conditions: Conditions) -> None:
        conditions.set("Reconciling", True, "Progressing", "Fulfilling prerequisites")
        await self.objects.write_status(item, status)
        with _not_ready(conditions, "DependencyNotReady"):
            await self._dependencies(item)
        with _not_ready(conditions, "ArtifactFailed", "could not get Source object: "):
            source = await self._source(item)
        with _not_ready(conditions, "SourceNotReady"):
            _ready(source)
        with _not_ready(conditions, "ValuesError"):
            composed = await values.compose(self._api, item["metadata"]["namespace"], item["spec"])
        with tempfile.TemporaryDirectory(dir=self._work) as folder:
            with _not_ready(conditions, "ArtifactFailed", "Could not load chart: "):
                chart = await _fetch(source["status"]["artifact"], Path(folder))
            known = chart_metadata(chart)
            if _target_changed(item, Release(self._api, item, self._config, self._work), known["name"]):
                await self._at_status(item).uninstall()
                _forget(status)
                status.update(NO_FAILURES)
                raise MustRequeue
            release = Release(self._api, item, self._config, self._work)
            _note_attempt(item, status, known["version"], composed, source)
            status["storageNamespace"] = release.storage_namespace
            write = functools.partial(self.objects.write_status, item, status)
            await Attempt(item, status, conditions, release, chart, known, composed, write).run()

    async def _dependencies(self, item: Object) -> None:
        for other in item["spec"].get("dependsOn") or []:
            key = (other.get("namespace") or item["metadata"]["namespace"], other["name"])
            found = await self._find(HELM_RELEASE, key)
            status = (found or {}).get("status") or {}
            ready = Conditions(dict(status), 0).is_true("Ready")
            if found is None or not ready or status.get("observedGeneration") != found["metadata"]["generation"]:
                raise Unready(f"dependency '{'/'.join(key)}' is not ready")

    async def _find(self, kind: Kind, key: runtime.Key) -> Object | None:
        try:
            found: Object = await self._api.get(kind.path(key))
        except ApiError as error:
            if error.status == 404:
                return None
            raise
        return found

    async def _source(self, item: Object) -> Object:
        name, key = source_of(item)
        found = await self._find(OCI_REPOSITORY if name == "OCIRepository" else HELM_CHART, key)
        if found is None:
            raise Failed(f"{name} '{'/'.join(key)}' not found")
        return {"kind": name, **found}


class _not_ready:  # noqa: N801  pylint: disable=invalid-name
    """What fails inside makes Ready False with this reason."""

    def __init__(self, conditions: Conditions, reason: str, before: str = "") -> None:
        self._conditions, self._reason, self._before = conditions, reason, before

    def __enter__(self) -> None:
        pass

    def __exit__(self, _kind: object, error: BaseException | None, _trace: object) -> None:
        if isinstance(error, Failed):
            self._conditions.set("Ready", False, self._reason, f"{self._before}{error}")
        elif error is None and self._conditions.get("Ready").get("reason") == self._reason:
            self._conditions.set("Ready", None, "Progressing", "reconciliation in progress")


def _forget(status: Object) -> None:
    """There is no release any more."""
    for name in ("history", "storageNamespace"):
        status.pop(name, None)


def _artifact(source: Object) -> tuple[str | None, ...]:
    found = (source.get("status") or {}).get("artifact") or {}
    return found.get("revision"), found.get("digest")


def _same(revision: str, seen: tuple[str | None, str | None]) -> bool:
    return revision == seen[0] or (seen[1] is not None and revision.endswith(seen[1]))


def _ready(source: Object) -> None:
    """An artifact of the latest generation is enough: whether its last refresh failed is not asked."""
    status = source.get("status") or {}
    name = f"{source['kind']} '{'/'.join(runtime.key_of(source))}' is not ready"
    if status.get("observedGeneration") != source["metadata"]["generation"]:
        raise Unready(f"{name}: latest generation of object has not been reconciled")
    if not status.get("artifact"):
        raise Unready(f"{name}: does not have an artifact")


async def _fetch(artifact: Object, folder: Path) -> Path:
    """The archive, whose digest must be what the source says."""
    url = f"http://{SERVED_AT}/{artifact['path']}"
    content = await asyncio.to_thread(lambda: urllib.request.urlopen(url, timeout=10).read())
    if f"sha256:{hashlib.sha256(content).hexdigest()}" != artifact["digest"]:
        raise Failed(f"the digest of {artifact['url']} is not {artifact['digest']}")
    file = folder / "chart.tgz"
    file.write_bytes(content)
    return file


def _target_changed(item: Object, release: Release, chart: str) -> bool:
    """K8."""
    status = item.get("status") or {}
    if not status.get("storageNamespace") or not status.get("history"):
        return False
    latest = status["history"][0]
    now = (release.storage_namespace, release.namespace, release.name, chart)
    return now != (status["storageNamespace"], latest["namespace"], latest["name"], latest["chartName"])


def _note_attempt(item: Object, status: Object, version: str, composed: Object, source: Object) -> None:
    """Failures are forgotten when something differs from the last attempt, or when the token says so."""
    fresh = {
        "lastAttemptedGeneration": item["metadata"]["generation"],
        "lastAttemptedRevision": version,
        "lastAttemptedConfigDigest": digest(composed),
    }
    if asked_by_token(item, status, "reset", "lastHandledResetAt") or any(status.get(key) != value for key, value in fresh.items()):
        status.update(NO_FAILURES)
    status.update(fresh)
    if source["kind"] == "OCIRepository":
        status["lastAttemptedRevisionDigest"] = source["status"]["artifact"]["revision"].rpartition("@")[2]


async def main() -> None:
    """For ever."""
    paths, api = account.of_process(NAME)
    work = paths.root / NAME
    work.mkdir(parents=True, exist_ok=True)
    releases = HelmReleases(api, account.kubeconfig_of(paths, NAME), work)
    os.environ.setdefault("TMPDIR", str(work))
    await asyncio.gather(releases.objects.run(), releases.charts.run(), releases.artifacts.run())


if __name__ == "__main__":
    asyncio.run(main())
