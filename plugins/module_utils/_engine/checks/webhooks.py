# SPDX-License-Identifier: GPL-3.0-or-later
"""CL-08: will the admission webhooks that see our writes answer? PRIVATE."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from ..._errors import Forbidden
from ..model import Object
from ..objects import collection_path, name_of
from ..quantities import counted
from ..snapshot import ready_pods
from .apis import labels_of_namespace
from .check import BLOCK, Check
from .evidence import Evidence, Judged, failed, passed, skipped, warned
from .sent import Sent, is_seen, sent_by

CONFIGURATIONS = ("MutatingWebhookConfiguration", "ValidatingWebhookConfiguration")
Place = tuple[str, str]
"""Namespace and name of a Service."""


def webhooks_answer(evidence: Evidence) -> Judged:
    """CL-08. Two lists, and one for each Service of a webhook that sees our writes."""
    ours = sent_by(evidence)
    if not ours:
        return skipped("Nothing is planned, so no webhook sees anything.")
    places = namespaces_of(evidence, ours)
    seeing = [(hook, place) for hook in hooks(evidence) if (place := _service(hook)) and sees(hook, ours, places)]
    dead = {place for place in sorted({place for _hook, place in seeing}) if not _answers(evidence, place)}
    strict = [_shown(hook, place) for hook, place in seeing if place in dead and hook.get("failurePolicy") != "Ignore"]
    if strict:
        return failed(
            f"Webhooks that would see the upgrade's writes have nobody to answer, and refuse what they cannot ask: {'; '.join(strict)}.",
            "Repair what serves them, remove them, or exclude this namespace by their namespaceSelector.",
        )
    if dead:
        lax = [_shown(hook, place) for hook, place in seeing if place in dead]
        return warned(
            f"Webhooks with nobody to answer slow every write down: {'; '.join(lax)}.", "Repair what serves them, or remove them."
        )
    return passed(f"{counted(len(seeing), 'webhook')} to see the upgrade's writes: each has somebody to answer." if seeing else _NONE)


_NONE = "No webhook with a Service sees the upgrade's writes."


def hooks(evidence: Evidence) -> Iterator[Object]:
    """Every webhook of the cluster; ``in`` names its configuration."""
    for kind in CONFIGURATIONS:
        for item in evidence.all(collection_path(kind), keep=_kept):
            yield from ({**hook, "in": f"{kind} {name_of(item)}"} for hook in item["webhooks"])


def namespaces_of(evidence: Evidence, ours: Iterable[Sent]) -> dict[str, dict[str, str]]:
    """The labels of each namespace that is written to."""
    return {name: labels_of_namespace(evidence, name) for name in sorted({sent.namespace for sent in ours if sent.namespace})}


def sees(hook: Object, ours: Iterable[Sent], namespaces: dict[str, dict[str, str]]) -> bool:
    """Whether a webhook, or a policy in a webhook's words, sees any of these writes."""
    return any(is_seen(sent, hook, namespaces.get(sent.namespace)) for sent in ours)


def _service(hook: Object) -> Place | None:
    """None for a webhook at a URL: whether that answers cannot be seen from here."""
    service = (hook.get("clientConfig") or {}).get("service")
    return (str(service.get("namespace")), str(service.get("name"))) if service else None


def _answers(evidence: Evidence, place: Place) -> bool:
    """Whether a Service has a ready endpoint; True where that may not be read, since a dry run then tells (CL-09)."""
    namespace, name = place
    try:
        slices = evidence.cluster.list(collection_path("EndpointSlice", namespace), labels=f"kubernetes.io/service-name={name}")
    except Forbidden:
        return True
    return bool(ready_pods(slices))


def _shown(hook: Object, place: Place) -> str:
    return f"{hook.get('name')} of {hook['in']} (Service {place[1]} in namespace {place[0]} has no ready endpoint)"


def _kept(item: Object) -> Object:
    """Without the authority's bundle, which is the bulk of it."""
    kept = [{**hook, "clientConfig": {"service": (hook.get("clientConfig") or {}).get("service")}} for hook in item.get("webhooks") or []]
    return {"metadata": {"name": name_of(item)}, "webhooks": kept}


CHECKS = (
    Check(
        "CL-08",
        "cluster",
        "webhooks answer",
        BLOCK,
        webhooks_answer,
        "admission webhooks whose rules match what is written, and the endpoints of their Services",
        "Repair the webhook, or exclude the namespace.",
    ),
)
