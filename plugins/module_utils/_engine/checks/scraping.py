# SPDX-License-Identifier: GPL-3.0-or-later
"""NE-09: who collects WG's metrics, and will find none at WGE (F17)? PRIVATE."""

from __future__ import annotations

from collections.abc import Iterator

from ..dig import dig, first
from ..model import Object
from ..objects import annotations_of, labels_of, name_of, namespace_of, pod_template
from ..selectors import selector_matches
from ..situation import Situation
from .evidence import Evidence, Judged, passed, warned
from .routes import lean

SERVICE_KINDS = (
    ("monitoring.coreos.com/v1", "servicemonitors", "spec.endpoints"),
    ("operator.victoriametrics.com/v1beta1", "vmservicescrapes", "spec.endpoints"),
)
POD_KINDS = (
    ("monitoring.coreos.com/v1", "podmonitors", "spec.podMetricsEndpoints"),
    ("monitoring.googleapis.com/v1", "podmonitorings", "spec.endpoints"),
    ("operator.victoriametrics.com/v1beta1", "vmpodscrapes", "spec.podMetricsEndpoints"),
)
"""Where objects live that say which Services or pods are to be scraped, and where in them the ports are."""
SCRAPE, SCRAPE_PORT = "prometheus.io/scrape", "prometheus.io/port"


def metrics(evidence: Evidence) -> Judged:
    """NE-09. One list for each kind of scrape that is served. A port that is named by a Service's port name goes on."""
    now = evidence.now
    lost = [*_by_service(evidence), *_by_pod(evidence), *_annotated_services(now), *_annotated_pods(now)]
    if lost:
        return warned(
            "; ".join(lost) + ".",
            f"WGE has its metrics on port {now.target.metrics_port or 'none'}: name the Service's port instead, or write one for its pods.",
        )
    return passed("Nobody collects WG's metrics in a way that would miss WGE's.")


def _by_service(evidence: Evidence) -> Iterator[str]:
    now = evidence.now
    for item, endpoints in _served(evidence, SERVICE_KINDS):
        wanted = item["spec"].get("selector") or {}
        for service in now.kept_services:
            ports = [port for endpoint in endpoints for port in dig(endpoint, "targetPort") if _moves(port, now)]
            if ports and selector_matches(wanted, labels_of(service)) and _watches(item, now):
                yield f"{_title(item)} collects from the pods of Service {name_of(service)} at {ports[0]}"


def _by_pod(evidence: Evidence) -> Iterator[str]:
    now = evidence.now
    old, new = now.snapshot.installed.found.pod_labels, now.target.pod_labels
    for item, endpoints in _served(evidence, POD_KINDS):
        wanted = item["spec"].get("selector") or {}
        ports = [first(endpoint, "port", "targetPort", "portNumber") for endpoint in endpoints]
        moved = [port for port in ports if _moves(port, now)]
        if selector_matches(wanted, old) and _watches(item, now) and (moved or not selector_matches(wanted, new)):
            yield f"{_title(item)} collects from WG's pods" + (f" at {moved[0]}" if moved else " alone")


def _annotated_services(now: Situation) -> Iterator[str]:
    for service in now.kept_services:
        notes = annotations_of(service)
        port = notes.get(SCRAPE_PORT, "")
        if notes.get(SCRAPE) == "true" and port.isdigit() and _moves(int(port), now):
            yield f"Service {name_of(service)} has itself collected from at port {port} of its pods"


def _annotated_pods(now: Situation) -> Iterator[str]:
    old, new = annotations_of(pod_template(now.wg)), annotations_of(pod_template(now.target.deployment))
    if old.get(SCRAPE) == "true" and new.get(SCRAPE) != "true":
        yield f"WG's pods have themselves collected from by the annotation {SCRAPE}, which WGE's do not have"


def _served(evidence: Evidence, kinds: tuple[tuple[str, str, str], ...]) -> Iterator[tuple[Object, list[Object]]]:
    for version, plural, where in kinds:
        if version in evidence.now.snapshot.identity.served:
            for item in evidence.all(f"/apis/{version}/{plural}", lean):
                if isinstance(item.get("spec"), dict):
                    yield item, [endpoint for endpoint in dig(item, where) if isinstance(endpoint, dict)]


def _watches(item: Object, now: Situation) -> bool:
    """Whether it looks into WG's namespace: its own unless it says otherwise."""
    if first(item, "spec.namespaceSelector.any") is True:
        return True
    return now.namespace in (dig(item, "spec.namespaceSelector.matchNames") or [namespace_of(item)])


def _moves(port: object, now: Situation) -> bool:
    """Whether a port of the pods is another one in WGE."""
    text = str(port)
    found = now.wge_port(int(text) if text.isdigit() else text) if text else 0
    return bool(found) and str(found) != text


def _title(item: Object) -> str:
    return f"{item.get('kind')} {namespace_of(item)}/{name_of(item)}"
