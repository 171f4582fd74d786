# SPDX-License-Identifier: GPL-3.0-or-later
"""CU: is WG what we take it for, and is it well before we touch it? PRIVATE."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import datetime, timedelta

from ..._errors import Forbidden
from ..entitlement.effect import proxy_path
from ..forms.helm import METERING, newest
from ..forms.recognise import WORDS
from ..model import Answer, Object, Rung
from ..objects import is_available, name_of
from ..situation import Situation
from ..snapshot import pods_of, ready_pods
from ..steps.owners import is_waited_for, pending_of
from .check import BLOCK, Check
from .evidence import Evidence, Judged, failed, passed, skipped, warned

NOT_OF_WG = ("CronJob", "CustomResourceDefinition", "DaemonSet", "Deployment", "Job", "PersistentVolumeClaim", "StatefulSet")
"""Kinds of which WG's own chart brings nothing but its one Deployment."""
STEADY = timedelta(minutes=10)
FLIPPED = "The Services lead to WGE already."
REPAIR = "Repair WG first, so that the upgrade begins from a dashboard that works."


def found_once(evidence: Evidence) -> Judged:
    """CU-01. No request. Whether the Deployment that was found really is the one of the release it names."""
    wg = evidence.now.snapshot.installed
    deployments = [name_of(item) for item in wg.objects("Deployment")]
    name = name_of(wg.found.deployment)
    if not wg.is_released:
        return passed(f"{WORDS[wg.found.form]} {wg.found}; image {wg.found.container.get('image', '')}; no Helm release.")
    if deployments.count(name) != 1:
        return failed(
            f"Deployment {name} says that it belongs to the Helm release {wg.found.release}, whose manifest does not have it.",
            "Look with helm get manifest at what the release holds, and repair it with helm upgrade.",
        )
    others = [f"{item['kind']} {name_of(item)}" for item in wg.manifest if item.get("kind") in NOT_OF_WG and name_of(item) != name]
    foreign = [title for title in others if title != f"Deployment {METERING}"]
    if foreign:
        return failed(
            f"The Helm release {wg.found.release} holds more than WG, which would be frozen and removed with it: {', '.join(foreign)}.",
            "Give them a release of their own first, or leave this cluster out of the inventory.",
        )
    last = newest(wg.revisions)
    facts = [
        f"{WORDS[wg.found.form]} {wg.found}",
        f"chart {wg.wrapper} {wg.chart_version}".replace("  ", " "),
        f"image {wg.found.container.get('image', '')}",
        f"revision {last.number} of {len(wg.revisions)} stored, {last.status}" if last else "no revision",
        *(f"{title} runs on until WG is removed" for title in others),
    ]
    return passed("; ".join(facts) + ".")


def healthy(evidence: Evidence) -> Judged:
    """CU-03. One request, shared with CU-04: the dashboard's first page through the API server's proxy."""
    now = evidence.now
    if now.is_flipped:
        return skipped(FLIPPED)
    busy = pending_of(now)
    if busy and not is_waited_for(now):
        return failed(f"Helm is at work on WG's release: {busy}.", "Wait for it to end, or repair the release with helm rollback.")
    problems = [*_unavailable(now), *_restarted(now, evidence.time)]
    if problems:
        return failed("; ".join(problems) + ".", REPAIR)
    service = now.main_service
    if service is None:
        return failed("No Service leads to WG.", "Look at check NE-01.")
    ready = ready_pods(now.snapshot.slices_of(name_of(service)))
    if not ready:
        return failed(f"Service {name_of(service)} has no ready endpoint with a port.", REPAIR)
    answer = _ask(evidence, service, now.snapshot.installed.scheme)
    if answer.status != 200:
        return failed(f"The dashboard answers {answer.status} through Service {name_of(service)}{_said(answer)}.", REPAIR)
    replicas = now.wg.get("status", {}).get("availableReplicas")
    return passed(f"{replicas} replicas available, {len(ready)} endpoints at {name_of(service)}, / answers 200, no restart in 10 minutes.")


def scheme(evidence: Evidence) -> Judged:
    """CU-04. No request of its own: the arguments say the scheme, the answer to CU-03's request confirms it."""
    now, found = evidence.now, evidence.now.snapshot.installed.scheme
    if found == "mtls":
        return failed("WG asks its callers for client certificates (--mtls); WGE cannot.", "Take --mtls away from WG and its routes first.")
    if now.is_flipped:
        return skipped(FLIPPED)
    service = now.main_service
    if service is None:
        return failed("No Service leads to WG, so its scheme cannot be confirmed.", "Look at check NE-01.")
    answer = _ask(evidence, service, found)
    if answer.status >= 500:
        return failed(f"WG should speak {found} by its arguments, but is not understood so: {answer.status}{_said(answer)}.", REPAIR)
    if found == "https":
        return warned(
            "WG speaks https with a certificate of its own; WGE up to 0.38.1 serves one it makes itself, whatever it is given.",
            "Make sure that no route verifies WG's certificate or passes TLS through, or end TLS at the route before the upgrade.",
        )
    return passed("WG speaks http by its arguments, and answers so.")


def _ask(evidence: Evidence, service: Object, speaking: str) -> Answer:
    """The first page of the dashboard. Raises Forbidden when the API server itself refuses to pass the request on."""
    now = evidence.now
    path = proxy_path(now.namespace, name_of(service), now.serving_port(service), speaking)
    answer = evidence.answer(f"{path}{now.snapshot.installed.route_prefix}/")
    if answer.status in (401, 403) and _status_of(answer):
        raise Forbidden(
            f"The API server does not let us call Service {name_of(service)} through its proxy.",
            "Grant get on services/proxy as check PE-02 says.",
        )
    return answer


def _unavailable(now: Situation) -> Iterator[str]:
    if not is_available(now.wg):
        status = now.wg.get("status", {})
        wanted = now.wg.get("spec", {}).get("replicas", 1)
        available = status.get("availableReplicas", 0)
        yield f"Deployment {name_of(now.wg)} has {available} of {wanted} replicas available, or has not finished its roll-out"


def _restarted(now: Situation, time: datetime) -> Iterator[str]:
    """A container that ended less than ten minutes ago; a new pod that never failed is no matter."""
    for pod in pods_of(now.snapshot, now.snapshot.installed.found.pod_labels):
        for container in pod.get("status", {}).get("containerStatuses") or []:
            stamp = _last_restart(container)
            if stamp and time - stamp < STEADY:
                ago = max(0, int((time - stamp).total_seconds()))
                yield f"container {container.get('name')} of pod {name_of(pod)} was restarted {ago} s ago"


def _last_restart(container: Object) -> datetime | None:
    if not container.get("restartCount"):
        return None
    ended = ((container.get("lastState") or {}).get("terminated") or {}).get("finishedAt")
    started = ((container.get("state") or {}).get("running") or {}).get("startedAt")
    stamps = [datetime.fromisoformat(text.replace("Z", "+00:00")) for text in (ended, started) if text]
    return max(stamps, default=None)


def _said(answer: Answer) -> str:
    """The API server's own words, when the answer is not the product's."""
    message = str(_status_of(answer).get("message", ""))
    return f" ({message})" if message else ""


def _status_of(answer: Answer) -> Object:
    try:
        body = json.loads(answer.body)
    except ValueError:
        return {}
    return body if isinstance(body, dict) and body.get("kind") == "Status" else {}


CHECKS = (
    Check(
        "CU-01",
        "install",
        "WG found once",
        BLOCK,
        found_once,
        "WG's Deployment, its release and owners",
        "Name the installation with wge_namespace and wge_release.",
        waivable=False,
    ),
    Check(
        "CU-03",
        "install",
        "WG healthy",
        BLOCK,
        healthy,
        "WG's Deployment, pods, endpoints and first page",
        "Repair WG first, so that the upgrade begins from a dashboard that works.",
        until=Rung.FLIPPED,
    ),
    Check(
        "CU-04",
        "install",
        "scheme of WG",
        BLOCK,
        scheme,
        "WG's arguments, confirmed by the answer to a request",
        "Take `--mtls` away; let routes speak the scheme that WG speaks.",
        until=Rung.FLIPPED,
    ),
)
