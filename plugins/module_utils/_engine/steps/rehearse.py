# SPDX-License-Identifier: GPL-3.0-or-later
"""S8: the flip, rehearsed on a shadow Service that nobody calls but us. PRIVATE.

The shadow has the selector and the target ports that the kept Services will get. Killed here: the shadow stays, and is used by
the next run or removed with everything else of this run.
"""

from __future__ import annotations

from ..._errors import StepFailed
from ..entitlement import effect
from ..entitlement.effect import PROTECTED_PATH, proxy_path
from ..model import Answer, Object, Rung
from ..names import SHADOW_SUFFIX
from ..objects import collection_path, name_of, object_path
from ..situation import Situation, ports_of, target_port
from ..snapshot import ready_pods
from ..work import Work
from ..writes import Write, create
from .base import Step

LAG_SECONDS = 10


class Rehearse(Step):
    """S8: a shadow Service with the selector and ports of the flip; WGE must answer through it as it should."""

    id = "S8"
    title = "rehearse the flip on a shadow Service"
    rung = Rung.REHEARSED
    watched = True

    def writes(self, now: Situation) -> list[Write]:
        """The shadow, unless it is there or the flip has happened."""
        service = now.main_service
        if service is None or now.is_flipped or now.snapshot.one("Service", shadow_name(service)):
            return []
        body = _shadow(service, now)
        path = object_path("Service", name_of(body), now.namespace)
        return [create(body, path, f"create the shadow Service {name_of(body)}")]

    def apply(self, work: Work) -> None:
        """Create the shadow, wait for an endpoint with a port, and ask WGE twice."""
        work.send_all(self.writes(work.now))
        service = work.now.main_service
        if service is None:
            raise StepFailed("No kept Service serves the dashboard.", "Look at check NE-01.")
        shadow = shadow_name(service)
        work.wait_until(lambda: _no_endpoint(work, shadow), work.now.settings.ready_seconds, "The shadow Service gets no endpoint")
        judge_answers(work, shadow, work.now.serving_port(service))
        work.wait(work.now.settings.rehearse_seconds, "WGE is asked again")
        judge_answers(work, shadow, work.now.serving_port(service))


def shadow_name(service: Object) -> str:
    """The name of a Service's shadow, within 63 characters."""
    return name_of(service)[: 63 - len(SHADOW_SUFFIX)] + SHADOW_SUFFIX


def judge_answers(work: Work, service: str, port: int) -> None:
    """Ask WGE through a Service and raise StepFailed unless it serves, is entitled, and guards its API (F6)."""
    now = work.now
    scheme = "https" if now.target.uses_tls else "http"
    base = proxy_path(now.namespace, service, port, scheme) + now.snapshot.installed.route_prefix
    for path in ("/", "/v1/featureflags"):
        answer = _ask(work, base + path)
        if answer.status != 200:
            raise StepFailed(f"WGE answers {answer.status} on {path}.", "Look at the log of WGE's pod.")
    _judge_entitlement(work, _ask(work, base + PROTECTED_PATH))


def _ask(work: Work, path: str) -> Answer:
    """WGE's own answer: the API server's proxy may lag behind the endpoint by a moment, and its 401 or 503 is not WGE's."""
    answers: list[Answer] = []

    def not_wges() -> str:
        answers.append(work.tools.cluster.raw(path))
        return effect.not_wges(answers[-1])

    work.wait_until(not_wges, LAG_SECONDS, "WGE cannot be asked through the API server")
    return answers[-1]


def _judge_entitlement(work: Work, answer: Answer) -> None:
    state = effect.state_of(answer)
    if state == effect.NONE:
        raise StepFailed("WGE finds no valid entitlement: its API answers 500.", "Ask the vendor for a valid entitlement.")
    if state == effect.UNKNOWN:
        raise StepFailed(f"WGE answers {answer.status} on {PROTECTED_PATH}.", "Look at the log of WGE's pod.")
    if state == effect.EXPIRED:
        work.note("the entitlement has expired: WGE works and warns its users")


def _no_endpoint(work: Work, service: str) -> str:
    path = collection_path("EndpointSlice", work.now.namespace)
    slices = work.tools.cluster.list(path, labels=f"kubernetes.io/service-name={service}")
    return "" if ready_pods(slices) else "no ready address with a port"


def _shadow(service: Object, now: Situation) -> Object:
    ports = [
        {**{key: port[key] for key in ("name", "port", "protocol", "appProtocol") if key in port}, "targetPort": target}
        for port in ports_of(service)
        if (target := now.wge_port(target_port(port)))
    ]
    return {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": {"name": shadow_name(service), "namespace": now.namespace, "labels": now.labels()},
        "spec": {"type": "ClusterIP", "selector": now.target.selector, "ports": ports},
    }
