# SPDX-License-Identifier: GPL-3.0-or-later
"""The switch: flip the kept Services, verify, soak, park WG. PRIVATE. S12 to S15.

The flip is one JSON Patch a Service that changes selector and target ports together, so the EndpointSlice changes in one write
(K1, F2b) and no instant is without an endpoint. WG keeps running until it is parked; going back is the reverse patch.
Killed after the flip: WGE serves; the next run sees it, verifies and soaks anew.
"""

from __future__ import annotations

from ..._errors import SafeStop, StepFailed
from ..entitlement.effect import proxy_path
from ..leftovers import require_stored
from ..model import Object, Operation, Right, Rung
from ..objects import collection_path, is_ready, name_of, object_path, path_of, uid_of
from ..patches import pointer, value_at
from ..situation import Situation, ports_of, target_port
from ..snapshot import ready_pods
from ..work import Work
from ..writes import Write, delete, patch
from .base import Step
from .forms import thawed
from .rehearse import judge_answers, shadow_name

SETTLE_SECONDS = 60
RECHECK_SECONDS = 4
"""Between two looks at what froze WG, where no watch tells it."""
FLIPPED = "flipped"
"""The note of the kept Services, with their UIDs, that were flipped."""


class Flip(Step):
    """S12: the kept Services select WGE."""

    id = "S12"
    title = "flip the Services to WGE"
    rung = Rung.FLIPPED
    watched = True

    def writes(self, now: Situation) -> list[Write]:
        """One patch for each Service that does not lead to WGE yet, the routed one last."""
        return [write for service in now.kept_services if (write := flip_of(service, now))]

    def apply(self, work: Work) -> None:
        """Check that nothing is red and nothing has thawed, then flip."""
        for note in ("soaked_seconds", FLIPPED):  # of an earlier flip that was reversed
            work.journal.notes.pop(note, None)
        if lost := work.listen("listening to WG before the flip"):
            raise StepFailed(f"The dashboard already fails before the flip: {lost}.", "Repair it first.")
        main = work.now.main_service
        if main:  # it may be long ago, or in a run that was killed, that WGE was last asked
            judge_answers(work, shadow_name(main), work.now.serving_port(main))
        if reason := thawed(work):
            raise StepFailed(f"The release of WG is not frozen: {reason}.", "Stop what runs helm or Flux on this release.")
        work.flipped_at = work.first_flip = work.tools.clock.monotonic()
        work.send_all(self.writes(work.now))
        work.journal.notes[FLIPPED] = {path_of(service): uid_of(service) for service in work.now.kept_services}

    def undo(self, work: Work, entries: list[Object]) -> bool:
        """Flip back, and wait until the Services lead to WG's pods again."""
        if not super().undo(work, entries):
            return False
        labels = work.now.snapshot.installed.found.pod_labels
        for entry in entries:
            name = entry["path"].rsplit("/", 1)[1]
            work.wait_until(lambda service=name: _not_only(work, service, labels), SETTLE_SECONDS, f"{name} does not lead to WG")  # type: ignore[misc]
        return True

    def take_back(self, work: Work, entry: Object) -> bool:
        """As for any patch, and also from a union: a stray apply adds WG's selector to WGE's, which matches no pod (K4).

        A helm that goes on beside us may make one between our look and our patch: then it is taken back from there.
        """
        try:
            return self._take_back(work, entry)
        except SafeStop:
            live = work.tools.cluster.get(entry["path"])
            if not work.lock.held or not live or not _is_union(live, entry["reverse"]):
                raise
            return self._take_back(work, entry)

    def _take_back(self, work: Work, entry: Object) -> bool:
        live = work.tools.cluster.get(entry["path"])
        if live and _is_union(live, entry["reverse"]):
            work.note(f"{entry['path']} selects a union of WG's and WGE's labels, that is nothing: it goes back to WG's")
        return super().take_back(work, entry)

    def reversal(self, now: Situation, entry: Object, live: Object | None) -> Write | None:
        """The reverse patch; on a union with the guards that hold there."""
        if live and _is_union(live, entry["reverse"]):
            entry = {**entry, "reverse": [_guarded_by(live, operation) for operation in entry["reverse"]]}
        return super().reversal(now, entry, live)


class Verify(Step):
    """S13: the Services' endpoints are WGE's and the dashboard is green; then the shadow is no longer needed."""

    id = "S13"
    title = "verify the edge"
    rung = Rung.FLIPPED
    watched = True
    foreseen = False

    def writes(self, now: Situation) -> list[Write]:
        """The delete of the shadow Service."""
        service = now.main_service
        shadow = now.snapshot.one("Service", shadow_name(service)) if service else None
        if not service or (shadow is None and now.is_flipped):
            return []
        path = object_path("Service", shadow_name(service), now.namespace)
        return [delete(path, uid_of(shadow) if shadow else "", f"delete the shadow Service {shadow_name(service)}")]

    def apply(self, work: Work) -> None:
        """Wait for the endpoints, watch, and remove the shadow."""
        now = work.now
        labels = now.target.selector
        for service in now.kept_services:
            name = name_of(service)
            work.wait_until(lambda s=name: _not_only(work, s, labels), SETTLE_SECONDS, f"{name} does not lead to WGE")  # type: ignore[misc]
        work.wait(now.settings.verify_seconds, "verifying the edge")
        work.check_traffic()
        main = now.main_service
        if main:
            work.remove_ours(object_path("Service", shadow_name(main), now.namespace))
        if now.settings.goal is Rung.FLIPPED:  # the next call judges by it what was done meanwhile
            work.save_journal()


class Soak(Step):
    """S14: watched for the soak time with no fault."""

    id = "S14"
    title = "soak"
    rung = Rung.SOAKED
    watched = True

    def writes(self, now: Situation) -> list[Write]:
        """None: time passes, and the freeze is looked at again and again."""
        return []

    def done(self, now: Situation) -> bool:
        """WG is parked only after a soak; otherwise the journal says so."""
        return now.is_parked or bool(now.is_flipped and now.journal and now.journal.notes.get("soaked_seconds") is not None)

    def apply(self, work: Work) -> None:
        """Watch for the soak time; a thawed release is a fault, since helm could take the Services back."""
        left = work.now.settings.soak_seconds
        while left > 0:
            work.wait(min(left, RECHECK_SECONDS), "soaking")
            left -= RECHECK_SECONDS
            if reason := thawed(work):
                raise StepFailed(f"The release of WG is not frozen any more: {reason}.", "Stop what runs helm on this release.")
        work.journal.notes["soaked_seconds"] = work.now.settings.soak_seconds
        if work.now.settings.goal is Rung.SOAKED:  # on the way to `parked` the journal is saved at its end
            work.save_journal()


class Park(Step):
    """S15: WG is scaled to nothing once it has been left alone long enough; everything to go back stays."""

    id = "S15"
    title = "park WG"
    rung = Rung.PARKED
    watched = True

    def writes(self, now: Situation) -> list[Write]:
        """The scale to 0."""
        replicas = now.wg.get("spec", {}).get("replicas", 1)
        if replicas == 0:
            return []
        uid: Operation = {"op": "test", "path": "/metadata/uid", "value": uid_of(now.wg)}
        return [
            patch(
                path_of(now.wg),
                [uid, *_scale(replicas, 0)],
                [uid, *_scale(0, replicas)],
                f"scale Deployment {name_of(now.wg)} from {replicas} to 0",
            )
        ]

    def apply(self, work: Work) -> None:
        """Wait until connections that clients kept open have gone elsewhere, then scale, and see that nothing notices."""
        work.flipped_at = work.flipped_at or work.tools.clock.monotonic()
        while (quiet := work.flipped_at + work.now.settings.quiet_seconds - work.tools.clock.monotonic()) > 0:
            work.wait(quiet, "leaving WG's last connections time to end")
        work.refresh()
        if not work.now.is_flipped:
            raise StepFailed("A kept Service no longer leads to WGE.", "Somebody changed it; look at its managed fields.")
        require_stored(work.tools.cluster, work.journal)
        work.send_all(self.writes(work.now))
        work.wait_until(lambda: _pods_left(work), SETTLE_SECONDS * 2, "WG's pods do not go")
        work.check_traffic()
        if reason := thawed(work):  # who thaws it now would have WG scaled up again
            raise StepFailed(f"The release of WG is not frozen any more: {reason}.", "Stop what runs helm or Flux on this release.")
        work.refresh()

    def undo(self, work: Work, entries: list[Object]) -> bool:
        """Scale back and wait until WG is ready to take traffic."""
        back = super().undo(work, entries)
        if back:
            wait_for_wg(work)
        return back


def wait_for_wg(work: Work) -> None:
    """Until a pod of WG is ready to take traffic."""
    work.wait_until(lambda: _wg_not_ready(work), work.now.settings.ready_seconds, "WG does not get ready")


def rights_to_probe(now: Situation) -> list[Right]:
    """Calling a Service through the API server needs ``get services/proxy`` on the exact string (10c)."""
    service = now.main_service
    if service is None:
        return []
    names = [proxy_name(now, name) for name in (name_of(service), shadow_name(service))]
    return [Right("get", "", "services/proxy", now.namespace, name) for name in names]


def proxy_name(now: Situation, service: str) -> str:
    """``http:ww-gitops-weave-gitops:9001``"""
    main = now.main_service
    port = now.serving_port(main) if main else 0
    scheme = "https" if now.target.uses_tls else "http"
    return proxy_path(now.namespace, service, port, scheme).split("/")[-2]


def flip_of(service: Object, now: Situation, known: Object | None = None) -> Write | None:
    """The patch that leads a Service to WGE, None when it does. ``known`` is the Service before somebody changed it."""
    selector = service["spec"].get("selector")
    wanted = {port["port"]: now.wge_port(target_port(port)) for port in ports_of(known or service)}
    forth: list[Operation] = []
    back: list[Operation] = []
    if selector != now.target.selector:
        forth = _swap("/spec/selector", selector, now.target.selector)
        back = _swap("/spec/selector", now.target.selector, selector)
    for index, port in enumerate(ports_of(service)):
        old = target_port(port)
        new = wanted.get(port["port"], 0)
        if new and new != old:
            path = pointer("spec", "ports", index)
            number: Operation = {"op": "test", "path": path + "/port", "value": port["port"]}
            forth += [number, *_swap(path + "/targetPort", old, new)]
            back += [number, *_swap(path + "/targetPort", new, old)]
    if not forth:
        return None
    uid: Operation = {"op": "test", "path": "/metadata/uid", "value": uid_of(service)}
    return patch(path_of(service), [uid, *forth], [uid, *back], f"flip Service {name_of(service)} to WGE")


def _is_union(service: Object, reverse: list[Operation]) -> bool:
    ours = [op["value"] for op in reverse if op["path"] == "/spec/selector"]
    return len(ours) == 2 and value_at(service, "/spec/selector") == {**ours[0], **ours[1]}


def _guarded_by(service: Object, operation: Operation) -> Operation:
    if operation["op"] != "test" or not operation["path"].startswith("/spec"):
        return operation
    return {**operation, "value": value_at(service, operation["path"])}


def _swap(path: str, old: object, new: object) -> list[Operation]:
    return [{"op": "test", "path": path, "value": old}, {"op": "replace", "path": path, "value": new}]


def _scale(old: int, new: int) -> list[Operation]:
    return _swap("/spec/replicas", old, new)


def _not_only(work: Work, service: str, labels: dict[str, str]) -> str:
    """Why a Service does not yet lead to pods with these labels and to no others; empty when it does."""
    namespace = work.now.namespace
    slices = work.tools.cluster.list(collection_path("EndpointSlice", namespace), labels=f"kubernetes.io/service-name={service}")
    ready = ready_pods(slices)
    wanted = {name_of(pod) for pod in _pods(work, labels) if is_ready(pod)}
    if not ready:
        return "it has no ready endpoint with a port"
    return "" if ready <= wanted else f"it leads to {', '.join(sorted(ready - wanted))} as well"


def _pods_left(work: Work) -> str:
    pods = _wg_pods(work)
    return f"{len(pods)} still there" if pods else ""


def _wg_not_ready(work: Work) -> str:
    return "" if any(is_ready(pod) for pod in _wg_pods(work)) else "none of its pods is ready"


def _wg_pods(work: Work) -> list[Object]:
    return _pods(work, work.now.wg["spec"]["selector"].get("matchLabels") or {})


def _pods(work: Work, labels: dict[str, str]) -> list[Object]:
    selector = ",".join(f"{key}={value}" for key, value in sorted(labels.items()))
    return work.tools.cluster.list(collection_path("Pod", work.now.namespace), labels=selector)
