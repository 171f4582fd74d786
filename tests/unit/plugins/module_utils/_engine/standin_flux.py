# SPDX-License-Identifier: GPL-3.0-or-later
"""Flux on a stand-in cluster: a helm-controller with the ways that matter here (docs/facts.md), and WG as a HelmRelease.

It acts while somebody sleeps, never within a write, so that a run can be killed before Flux has seen what it wrote. Kept: suspend (K9),
deletion, post-renderers, both tokens, one pass for ``pending-upgrade`` and one for ``deployed``, what drops out of a release and is
annotated to stay (K5), ownership that is taken (K12), a release that is absent because its labels say so. ``down`` is a source that
does not answer, ``fails`` the names of HelmReleases whose charts do not install, ``absent`` a helm-controller that does not run.
"""

from __future__ import annotations

import copy
import json
import re
from pathlib import Path

from ansible_collections.weaveworks.wge.plugins.module_utils._engine.forms.flux import FORCED, REQUESTED, release_of
from ansible_collections.weaveworks.wge.plugins.module_utils._engine.forms.helm import manifest_of, newest, revisions_of
from ansible_collections.weaveworks.wge.plugins.module_utils._engine.model import Object, Release
from ansible_collections.weaveworks.wge.plugins.module_utils._engine.objects import CLUSTER_SCOPED, digest

from .standin import SERVED, path_of
from .standin_products import NAMESPACE, RELEASE, release_secret, released, thing, wg_objects, wge_objects
from .standin_runs import lived_in as lived_in_by_helm
from .standin_witness import content
from .standin_world import QUICK, World

GROUPS = ("helm.toolkit.fluxcd.io/v2", "source.toolkit.fluxcd.io/v1", *SERVED)
REPOSITORY = "https://charts.example.com"
HISTORY = 5
KEEP = "helm.sh/resource-policy"
BY = "helm.toolkit.fluxcd.io"


class Flux:
    """Plays helm-controller for a world, one step of it every sleep."""

    def __init__(self, world: World) -> None:
        self.world, self.cluster = world, world.cluster
        self.down = False
        self.absent = False
        self.fails: set[str] = set()
        self.uninstalled: list[str] = []
        world.clock.on_sleep.append(lambda _seconds: self.act())

    def act(self) -> None:
        """One pass over every HelmRelease."""
        if self.absent:
            return
        for item in self.cluster.all("HelmRelease"):
            self._reconcile(item)
        for function in self.cluster.after_write:
            function()

    def _reconcile(self, item: Object) -> None:
        meta, status = item["metadata"], item.setdefault("status", {})
        if meta.get("deletionTimestamp"):
            self._let_go(item)
            return
        meta.setdefault("finalizers", ["finalizers.fluxcd.io"])
        if item["spec"].get("suspend"):
            status["observedGeneration"] = meta["generation"]
            return
        self._keep_chart(item)
        if self.down:
            _say(item, "False", "ArtifactFailed", "the chart cannot be fetched")
            return
        if status.get("_gave_up") == meta["generation"]:
            return
        self._release(item)

    def _release(self, item: Object) -> None:
        status, kept = item["status"], release_of(item)
        revisions = [r for r in revisions_of(self.cluster.all("Secret"), kept.name) if r.owner == "helm"]
        last = newest(revisions)
        asked = item["metadata"].get("annotations") or {}
        forced = asked.get(FORCED) == asked.get(REQUESTED) and asked.get(FORCED) not in (None, status.get("lastHandledForceAt"))
        wanted = digest({key: item["spec"].get(key) for key in ("chart", "values", "postRenderers")})
        if last and last.status == "deployed" and status.get("_applied") == wanted and not forced:
            _say(item, "True", "UpgradeSucceeded", "all is well")
            status["lastHandledReconcileAt"] = asked.get(REQUESTED)
            return
        if not last or last.status == "deployed":
            self._begin(item, len(revisions) and max(r.number for r in revisions))
            return
        if item["metadata"]["name"] in self.fails:
            self._set_status(last.secret, "failed")
            status["_gave_up"] = item["metadata"]["generation"]
            _say(item, "False", "InstallFailed", "a hook failed", "Stalled")
            return
        self._finish(item, [r.secret for r in revisions])
        status.update(_applied=wanted, lastHandledForceAt=asked.get(FORCED))

    def _begin(self, item: Object, before: int) -> None:
        """A new revision, pending; a name that is taken is an error before any write, whoever took it."""
        kept = release_of(item)
        secret = release_secret(
            kept.name,
            self._render(item),
            revision=before + 1,
            namespace=kept.storage,
            status="pending-upgrade" if before else "pending-install",
        )
        if path_of(secret) in self.cluster.objects:
            _say(item, "False", "InstallFailed", "release: already exists")
            return
        self.cluster.put(secret)
        _say(item, "Unknown", "Progressing", "Running an action", "Reconciling")

    def _finish(self, item: Object, secrets: list[Object]) -> None:
        """Objects that drop out go unless they are annotated to stay; the others are made, or adopted with their manifest's selector."""
        *older, new = secrets
        wanted = {path_of(part): part for part in self._manifest(new)}
        for path, _part in {path_of(part): part for part in self._manifest(older[-1])}.items() if older else ():
            live = self.cluster.objects.get(path)
            if live and path not in wanted and (live["metadata"].get("annotations") or {}).get(KEEP) != "keep":
                del self.cluster.objects[path]
        for path, part in wanted.items():
            self._apply(item, path, part)
        for secret in older:
            self._set_status(secret, "superseded")
        for secret in older[: max(0, len(secrets) - HISTORY)]:
            del self.cluster.objects[path_of(secret)]
        self._set_status(new, "deployed")
        _say(item, "True", "UpgradeSucceeded", "all is well")

    def _apply(self, item: Object, path: str, part: Object) -> None:
        live = self.cluster.objects.get(path)
        if live is None:
            self.cluster.put(marked(part, item))
        elif "selector" in (part.get("spec") or {}) and part["kind"] == "Service":
            live["spec"]["selector"] = {**live["spec"]["selector"], **part["spec"]["selector"]}
        if live:
            live["metadata"].setdefault("annotations", {}).update(marked(part, item)["metadata"]["annotations"])

    def _let_go(self, item: Object) -> None:
        """K9: a suspended HelmRelease leaves everything."""
        if not item["spec"].get("suspend"):
            kept = release_of(item)
            self.uninstalled.append(item["metadata"]["name"])
            last = newest(revisions_of(self.cluster.all("Secret"), kept.name))
            for part in self._manifest(last.secret) if last else ():
                self.cluster.objects.pop(path_of(part), None)
            for revision in revisions_of(self.cluster.all("Secret"), kept.name):
                if revision.owner == "helm":
                    del self.cluster.objects[path_of(revision.secret)]
            self.cluster.objects.pop(path_of(chart_of(item)), None)
        del self.cluster.objects[path_of(item)]

    def _keep_chart(self, item: Object) -> None:
        chart = chart_of(item)
        if path_of(chart) not in self.cluster.objects:
            self.cluster.put(chart)
        item["status"]["helmChart"] = f"{chart['metadata']['namespace']}/{chart['metadata']['name']}"

    def _render(self, item: Object) -> list[Object]:
        """The chart's objects in the target's namespace, after the post-renderers."""
        kept, spec = release_of(item), item["spec"]
        release = Release(kept.name, kept.namespace, "", values=spec.get("values") or {})
        if spec["chart"]["spec"]["chart"] == "weave-gitops":
            objects = wg_objects()
        else:
            objects = [part for part in wge_objects(release) if part["kind"] != "CustomResourceDefinition"]
        found = []
        for part in objects:
            placed = copy.deepcopy(part)
            if part["kind"] not in CLUSTER_SCOPED:
                placed["metadata"].setdefault("namespace", kept.namespace)
            found.append(placed)
        for renderer in spec.get("postRenderers") or []:
            for patch in renderer["kustomize"]["patches"]:
                found = _patched(found, json.loads(patch["patch"]))
        return found

    def _manifest(self, secret: Object) -> list[Object]:
        last = newest(revisions_of([secret], secret["metadata"]["labels"]["name"]))
        return manifest_of(last.decoded()) if last else []

    def _set_status(self, secret: Object, status: str) -> None:
        secret["metadata"]["labels"]["status"] = status


def _patched(items: list[Object], body: Object) -> list[Object]:
    """As kustomize does it, of what is written here: an object dropped, or a container's and its pod's keys set."""
    aimed = [part for part in items if (part["kind"], part["metadata"]["name"]) == (body["kind"], body["metadata"]["name"])]
    if body.get("$patch") == "delete":
        return [part for part in items if part not in aimed]
    for part in aimed:
        pod, wanted = part["spec"]["template"]["spec"], body["spec"]["template"]["spec"]
        pod["terminationGracePeriodSeconds"] = wanted["terminationGracePeriodSeconds"]
        for container in wanted["containers"]:
            next(c for c in pod["containers"] if c["name"] == container["name"]).update(container)
    return items


def _say(item: Object, ready: str, reason: str, message: str, more: str = "") -> None:
    status = item["status"]
    status["conditions"] = [{"type": "Ready", "status": ready, "reason": reason, "message": message}]
    if more:
        status["conditions"].append({"type": more, "status": "True", "reason": reason, "message": message})
    if ready != "Unknown":
        status["observedGeneration"] = item["metadata"]["generation"]


def marked(part: Object, item: Object) -> Object:
    """An object as Flux leaves it: of its release, with its owner's labels."""
    kept = release_of(item)
    found = released(part, kept.name, kept.namespace)
    found["metadata"]["labels"] |= {f"{BY}/name": item["metadata"]["name"], f"{BY}/namespace": item["metadata"]["namespace"]}
    return found


def chart_of(item: Object) -> Object:
    """The HelmChart that Flux makes for a HelmRelease."""
    meta = item["metadata"]
    return thing(GROUPS[1], "HelmChart", f"{meta['namespace']}-{meta['name']}", meta["namespace"], spec={})


def helm_release(**spec: object) -> Object:
    """WG as ``gitops create dashboard`` writes it."""
    reference = {"kind": "HelmRepository", "name": RELEASE}
    content = {"interval": "1h0m0s", "chart": {"spec": {"chart": "weave-gitops", "version": "4.0.36", "sourceRef": reference}}, **spec}
    item = thing(GROUPS[0], "HelmRelease", RELEASE, NAMESPACE, spec=content)
    item["metadata"]["annotations"] = {REQUESTED: "2026-11-20T08:00:00Z"}
    return item


def lived_in(folder: Path, delivery: str = "flux", **spec: object) -> tuple[World, Flux]:
    """The lived-in cluster of form A, brought by a HelmRelease: revisions 6 and 7, Flux at rest."""
    world = lived_in_by_helm(folder)
    world.cluster.served = list(GROUPS)
    item = world.cluster.put(helm_release(**spec))
    for part in wg_objects():
        world.cluster.objects[path_of(part)]["metadata"].update(
            {key: marked(part, item)["metadata"][key] for key in ("labels", "annotations")}
        )
    flux = Flux(world)
    item["status"] = {"_applied": digest({key: item["spec"].get(key) for key in ("chart", "values", "postRenderers")})}
    flux.act()
    world.set(chart_repository=REPOSITORY, delivery=delivery, ready_seconds=QUICK.ready_seconds)
    return world, flux


RUN = re.compile(r"\d{8}-\d{6}-[0-9a-f]{6}")


def told(world: World, *, runs: bool = True) -> dict[str, Object]:
    """``content`` as far as a run has to put it back: without Flux's tokens, and of WG's release what its newest revision holds.

    How many revisions there are is up to Flux. With ``runs=False`` to compare two worlds.
    """
    found = content(world, runs=runs)
    newest_one = held(world)
    for path in [path for path in found if f"sh.helm.release.v1.{RELEASE}.v" in path]:
        if found[path]["metadata"]["labels"].get("owner") == "helm":
            del found[path]
    for item in found.values():
        if item["kind"] in ("HelmRelease", "HelmChart"):
            for token in (REQUESTED, FORCED):
                item["metadata"]["annotations"].pop(token, None)
            item["metadata"].pop("finalizers", None)
    found["held"] = {"names": sorted(newest_one)}
    return found if runs else {key: json.loads(RUN.sub("RUN", json.dumps(value))) for key, value in found.items()}


def held(world: World) -> list[str]:
    """What the newest revision of WG's release holds."""
    last = newest([r for r in revisions_of(world.cluster.all("Secret"), RELEASE) if r.owner == "helm"])
    return [f"{part['kind']} {part['metadata']['name']}" for part in manifest_of(last.decoded())] if last else []
