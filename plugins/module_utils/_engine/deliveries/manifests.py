# SPDX-License-Identifier: GPL-3.0-or-later
"""Delivery ``manifests``: WGE's objects, created one by one as they were rendered. PRIVATE.

Each carries the run's label: that is the inventory, and only what carries it is ever taken away. A create overwrites nothing, so what
is there and not ours is never touched. Killed here: some of the objects are there, nobody calls them, and the next run makes the rest;
when it has got another rendering meanwhile, it begins anew. Definitions get no label: those that exist are left as they are, and those
that were made stay on the way back, as helm leaves them.
"""

from __future__ import annotations

import copy

from ..._errors import Blocked, SafeStop
from ..forms.gitops import NO_PRUNE, SHIELDED
from ..made import CRD
from ..model import Object, Right
from ..names import RUN_LABEL
from ..objects import (
    CLUSTER_SCOPED,
    NAMESPACED,
    annotations_of,
    containers_of,
    labels_of,
    name_of,
    namespace_of,
    path_of,
    pod_template,
    selects,
    uid_of,
)
from ..readiness import GRACE_SECONDS, probes_for
from ..restore.order import rank_of
from ..rights import of_chart
from ..situation import Situation
from ..target import is_server
from ..work import Work
from ..writes import Write, create, delete

HOOK = "helm.sh/hook"
_INSTALLS = ("pre-install", "post-install")


class ByManifests:
    """What the chart renders on the controller, or a file that somebody rendered."""

    id = "manifests"
    sets_probes = True

    def require(self, now: Situation) -> None:
        """Objects of kinds that are known here, and none that only helm would run at its time."""
        unknown = sorted({str(item.get("kind")) for item in _wanted(now) if not _is_known(item)})
        if unknown:
            raise Blocked(
                f"WGE is delivered by plain manifests here, and nobody knows where objects of kind {', '.join(unknown)} go.",
                "Take them out of the rendering, or set wge_delivery to helm or flux.",
            )
        hooks = [f"{item['kind']} {name_of(item)}" for item in _wanted(now) if _hooks_of(item)]
        if hooks:
            raise Blocked(
                f"The chart has hooks of its installation, which only helm runs: {', '.join(hooks)}.", "Set wge_delivery to helm or flux."
            )

    def writes(self, now: Situation) -> list[Write]:
        """A create for each object that is not there."""
        return [write for write in _creates(now) if now.snapshot.delivered.get(write.path) is None]

    def not_delivered(self, work: Work) -> str:
        """Nothing: all is there when the last create is answered."""
        return ""

    def clear_half(self, work: Work) -> None:
        """Take away what a killed run made out of another rendering. Raises SafeStop when that serves already."""
        now = work.now
        if not self.writes(now) or not _is_mixed(now):
            return
        if any(selects(service["spec"].get("selector"), now.target.pod_labels) for service in now.kept_services):
            raise SafeStop(
                "Objects of WGE are gone, and the chart or its values are not those of this run any more.",
                "Give the chart and the values with which the run began; or roll back, then upgrade anew.",
            )
        work.note("WGE was half delivered, out of another chart or with other values: it is removed and delivered anew")
        ours = [(path, item) for path, item in now.snapshot.delivered.items() if item and _is_ours(item, now)]
        for path, item in reversed(ours):
            work.send(delete(path, uid_of(item), f"delete {path}"))
        work.refresh()

    def take_back(self, work: Work, entry: Object) -> bool:
        """Delete what this run created; definitions stay."""
        write = self.reversal(work.now, entry, work.tools.cluster.get(entry["path"])) if entry["verb"] == "create" else None
        if write:
            work.send(write)
        return write is not None

    def reversal(self, now: Situation, entry: Object, live: Object | None) -> Write | None:
        """The delete, while the object carries this run's label; a patch goes with its object."""
        ours = live is not None and entry["verb"] == "create" and _is_ours(live, now)
        return delete(entry["path"], uid_of(live or {}), f"take back: {entry['text']}") if ours else None

    def rights(self, now: Situation) -> list[Right]:
        """To find again what it made."""
        return [Right("list", "apiextensions.k8s.io", "customresourcedefinitions"), *of_chart(_wanted(now), now.namespace, ("list",))]

    def rights_back(self, now: Situation) -> list[Right]:
        """Those of its writes are enough."""
        return []


def _creates(now: Situation) -> list[Write]:
    """The creates of all objects, what others need first."""
    bodies = sorted((_body(item, now) for item in _wanted(now) if _is_known(item)), key=_place)
    return [create(body, path_of(body), f"create {body['kind']} {name_of(body)}") for body in bodies]


def _wanted(now: Situation) -> list[Object]:
    """What is rendered, without what helm runs only for a test, an upgrade or an end."""
    return [item for item in now.target.objects if not (hooks := _hooks_of(item)) or hooks & set(_INSTALLS)]


def _hooks_of(item: Object) -> set[str]:
    return {word.strip() for word in annotations_of(item).get(HOOK, "").split(",")} - {""}


def _body(item: Object, now: Situation) -> Object:
    body = copy.deepcopy(item)
    meta = body["metadata"]
    if body["kind"] in NAMESPACED and not namespace_of(body):
        meta["namespace"] = now.namespace
    if body["kind"] == CRD:
        return body
    meta["labels"] = {**labels_of(body), **now.labels()}
    if now.snapshot.owners.kustomization:
        meta["annotations"] = {
            **annotations_of(body),
            NO_PRUNE: SHIELDED,
        }  # once git holds it, a commit that is reverted would delete it (8e)
    if is_server(body):
        _give_probes(body, now)
    return body


def _give_probes(body: Object, now: Situation) -> None:
    container = containers_of(body)[now.target.container_index]
    missing = {key: probe for key, probe in probes_for(now).items() if key not in container}
    if missing:
        container.update(missing)
        pod_template(body)["spec"]["terminationGracePeriodSeconds"] = GRACE_SECONDS


def _is_mixed(now: Situation) -> bool:
    """Whether something of what is there was made out of another rendering."""
    intents = {entry["path"]: entry["intent"] for entry in now.journal.entries.get("S7", [])} if now.journal else {}
    wanted = {write.path: write.record()["intent"] for write in _creates(now)}
    here = [path for path, item in now.snapshot.delivered.items() if item and _is_ours(item, now)]
    return any(wanted.get(path) != intents.get(path) for path in here)


def _place(item: Object) -> tuple[int, str, str]:
    return rank_of(item), item["kind"], name_of(item)


def _is_ours(item: Object, now: Situation) -> bool:
    return labels_of(item).get(RUN_LABEL) == now.run


def _is_known(item: Object) -> bool:
    return item.get("kind") in NAMESPACED or item.get("kind") in CLUSTER_SCOPED
