# SPDX-License-Identifier: GPL-3.0-or-later
"""Kinds nobody told us of that mention a kept Service: looked for in API groups that sound like networking, within limits. PRIVATE."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

from ..._errors import Forbidden, Rejected, SafeStop
from ..dig import texts_in
from ..model import Object
from ..objects import name_of, namespace_of
from ..situation import Situation
from .evidence import Evidence
from .route_table import KNOWN_GROUPS

MOST_GROUPS = 3
MOST_LISTS = 6
SOUNDS_LIKE_ROUTES = re.compile(
    r"ingress|gateway|route|proxy|nginx|envoy|gloo|solo\.io|consul|kuma|mesh|loadbalanc|edge|tunnel|ngrok|voyager|skipper|zalando|tyk"
    r"|citrix|netscaler|\bf5\b|ako\.vmware|cloudflare|tailscale|skupper|submariner|knative|kong|traefik|ambassador|apisix|contour"
)
NOT_ROUTES = re.compile(r"\.k8s\.io$|istio\.io$|calico")


@dataclass(slots=True)
class Unknown:
    """``mentions`` are objects that name a kept Service; ``skipped`` are groups and kinds that were not looked at."""

    mentions: list[str] = field(default_factory=list)
    skipped: list[str] = field(default_factory=list)


def unknown_of(evidence: Evidence) -> Unknown:
    """At most three groups and six lists are asked for, beside one look at what each of the groups serves."""
    result, lists = Unknown(), 0
    groups = sorted(_groups(evidence.now))
    result.skipped += [group for group, _version in groups[MOST_GROUPS:]]
    for group, version in groups[:MOST_GROUPS]:
        root = f"/apis/{group}/{version}"
        kinds = _kinds(evidence, root)
        result.skipped += [] if kinds else [group]
        for plural in kinds:
            if lists == MOST_LISTS:
                result.skipped.append(f"{plural}.{group}")
                continue
            lists += 1
            try:
                found = evidence.all(f"{root}/{plural}", _mentioning(evidence.now))
            except (Forbidden, Rejected, SafeStop):
                result.skipped.append(f"{plural}.{group}")
            else:
                result.mentions += [f"{item['kind']} {namespace_of(item)}/{name_of(item)}" for item in found if item]
    return result


def _groups(now: Situation) -> Iterator[tuple[str, str]]:
    """The groups that sound like routes and are not known, each with one version."""
    versions: dict[str, str] = {}
    for api in sorted(now.snapshot.identity.served):
        group, slash, version = api.partition("/")
        if slash and group not in KNOWN_GROUPS and SOUNDS_LIKE_ROUTES.search(group) and not NOT_ROUTES.search(group):
            versions.setdefault(group, version)
    yield from versions.items()


def _kinds(evidence: Evidence, root: str) -> list[str]:
    """The namespaced kinds of a group that can be listed; none when the group does not answer."""
    answer = evidence.answer(root)
    try:
        resources = json.loads(answer.body)["resources"] if answer.status == 200 else []
        return [r["name"] for r in resources if r["namespaced"] and "/" not in r["name"] and "list" in r["verbs"]]
    except (ValueError, KeyError, TypeError):
        return []


def _mentioning(now: Situation) -> Callable[[Object], Object]:
    """Keeps the name of an object in which a kept Service's name is a value, together with its namespace or from within it."""
    names = {name_of(service) for service in now.kept_services}

    def keep(item: Object) -> Object:
        texts = set(texts_in(item.get("spec")))
        bare = bool(names & texts) and (namespace_of(item) == now.namespace or now.namespace in texts)
        whole = any(f"{name}.{now.namespace}" in text for text in texts for name in names)
        kept = {"kind": item.get("kind"), "metadata": {"name": name_of(item), "namespace": namespace_of(item)}}
        return kept if bare or whole else {}

    return keep
