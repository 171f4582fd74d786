# SPDX-License-Identifier: GPL-3.0-or-later
"""Others at work while a call watches: what they apply to a kept Service, and a cluster that refuses what a policy forbids."""

from __future__ import annotations

from collections.abc import Callable

from ansible_collections.weaveworks.wge.plugins.module_utils._engine.model import Object
from ansible_collections.weaveworks.wge.plugins.module_utils._engine.steps.guard import PROVEN, policy_paths
from ansible_collections.weaveworks.wge.plugins.module_utils._errors import Forbidden

from .standin import copied
from .standin_products import NAMESPACE, WG_LABELS, WG_NAME
from .standin_world import World

WHO = {"manager": "kubectl-client-side-apply", "time": "2026-11-23T12:00:00Z", "fieldsV1": {"f:spec": {"f:selector": {}, "f:ports": {}}}}


def as_old(service: Object) -> None:
    """What ``kubectl replace`` of the old manifest makes of it."""
    service["spec"]["selector"] = dict(WG_LABELS)
    for port in service["spec"]["ports"]:
        port["targetPort"] = {8000: "http", 8080: "http-metrics"}.get(port["targetPort"], port["targetPort"])


def as_union(service: Object) -> None:
    """What a client-side apply of the old manifest makes of it: both products' labels, which select nothing (K4)."""
    selector = service["spec"]["selector"]
    as_old(service)
    service["spec"]["selector"] = {**selector, **WG_LABELS}


def change(world: World, how: Callable[[Object], None], name: str = WG_NAME) -> None:
    """Somebody changes a Service, and the controllers see it."""
    item = copied(world.cluster.one("Service", name))
    how(item)
    item["metadata"]["managedFields"] = [WHO]
    world.cluster.put(item)
    told(world)


def told(world: World) -> None:
    """The controllers and the probes see what somebody has done."""
    for function in world.cluster.after_write:
        function()


def in_step(world: World, step: str, act: Callable[[], object], *, times: int = 1) -> None:
    """Have something done in each of the first waits of a step."""
    left = [None] * times

    def look(_seconds: float) -> None:
        begun = [event["step"] for event in world.told if event.get("state") == "begin"]
        if left and begun and begun[-1] == step:
            left.pop()
            act()

    world.clock.on_sleep.append(look)


def enforce(world: World) -> None:
    """The API server refuses the annotation of the proof, as soon as the policy and its binding are there."""

    earlier = world.cluster.before

    def refuse(verb: str, path: str) -> None:
        earlier(verb, path)
        if verb == "dry-run" and "/services/" in path and all(one in world.cluster.objects for one in policy_paths(NAMESPACE)):
            raise Forbidden(f"PATCH {path} is forbidden: ValidatingAdmissionPolicy 'x' denied request: {PROVEN}.")

    world.cluster.before = refuse
