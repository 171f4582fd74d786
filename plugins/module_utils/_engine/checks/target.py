# SPDX-License-Identifier: GPL-3.0-or-later
"""TA: will the chart, as it renders for this cluster, take WG's place? PRIVATE."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator

from ..compatibility import triple
from ..forms.helm import revisions_of
from ..inherit import text_of
from ..leftovers import RESTORE_JOURNAL, marks
from ..logins import with_login
from ..model import Object, Rung
from ..names import ADMIN_BINDING, HELM_NAMESPACE_ANNOTATION, HELM_RELEASE_ANNOTATION, LOGIN_SECRET, RUN_LABEL
from ..objects import CLUSTER_SCOPED, NAMESPACED, annotations_of, collection_path, labels_of, name_of, namespace_of
from ..situation import Situation
from ..snapshot import NAMESPACED_KINDS
from ..steps.prepare import BOUND_BY_CHART, READER_ROLE, admin_of
from ..target import FACTS, broken_facts
from .check import BLOCK, Check
from .evidence import Evidence, Judged, failed, passed, skipped, warned
from .versions import flux_served

HOOK_ANNOTATION = "helm.sh/hook"
TRIED_HELM = "3"
OLDEST_HELM = (3, 13, 0)
"""The first that takes ``--labels`` on install."""
Key = tuple[str, str, str]
"""Kind, namespace (empty for cluster-scoped kinds) and name."""
CRD = "CustomResourceDefinition"
_BCRYPT = re.compile(r"\$2[aby]\$\d\d\$[./A-Za-z0-9]{53}")


def renders(evidence: Evidence) -> Judged:
    """TA-02. No request. That helm could render it was found out before; here, whether all of it can be installed and judged."""
    now, target = evidence.now, evidence.now.target
    counted = Counter(_key(item, now) for item in target.objects)
    twice = [f"{kind} {name}" for (kind, _place, name), count in counted.items() if count > 1]
    if twice:
        return failed(f"The chart renders the same object twice: {', '.join(sorted(twice))}.", "Correct wge_values or the chart.")
    text = f"{len(target.objects)} objects of WGE {target.version or 'without a version'}, rendered by helm {evidence.helm_version}"
    unknown = sorted({str(item.get("kind")) for item in target.objects if not _is_known(item)})
    if unknown:
        return warned(
            f"{text}; rights and names are not looked at for {', '.join(unknown)}.",
            "Make sure that these kinds may be created here and that no object of the same name exists.",
        )
    if (found := triple(evidence.helm_version)) and found < OLDEST_HELM:
        return failed(
            f"helm is {evidence.helm_version}; it must be 3.13 or newer, since older ones cannot mark a release's storage as ours.",
            "Install a newer helm, or name one in the option helm.",
        )
    if evidence.helm_version.split(".")[0] != TRIED_HELM:
        return warned(f"{text}; only helm {TRIED_HELM} was tried.", f"Name a helm {TRIED_HELM} program in the option helm.")
    return passed(f"{text}.")


def facts_hold(evidence: Evidence) -> Judged:
    """TA-03. No request."""
    target = evidence.now.target
    broken = broken_facts(target, scheme=evidence.now.snapshot.installed.scheme)
    if broken:
        return failed("; ".join(broken) + ".", FACTS)
    labels = ",".join(f"{key}={value}" for key, value in target.selector.items())
    return passed(f"WGE's server has the labels {labels} and serves on port {target.port}, metrics on {target.metrics_port or 'none'}.")


def names_free(evidence: Evidence) -> Judged:
    """TA-05. One metadata-only list for each kind and namespace that the snapshot does not hold already (about 8)."""
    now = evidence.now
    if now.target.release.name == now.snapshot.installed.found.release:
        return failed(f"WGE is to get the name of WG's own Helm release, {now.target.release.name}.", "Give another wge_target_release.")
    stranger = _stranger(now)
    if stranger and marks(now):
        return failed(f"{stranger}, by an upgrade whose journal is gone.", RESTORE_JOURNAL)
    if stranger:
        return failed(
            f"{stranger}, and no run of this collection made it.",
            "Remove it, or take this cluster out of the inventory if it is upgraded already.",
        )
    theirs = [_owned(item) for item in _taken(evidence)]
    if theirs:
        return failed(
            f"Objects of these names exist and are not of release {now.target.release.name}: {', '.join(theirs)}.",
            "Remove or rename them: helm takes over nothing that is not its own.",
        )
    return passed(f"None of the {len(now.target.objects)} objects exists yet, or they are this release's own.")


def same_namespace(evidence: Evidence) -> Judged:
    """TA-08. No request."""
    now = evidence.now
    place = namespace_of(now.target.deployment) or now.target.release.namespace
    if place != now.namespace:
        return failed(
            f"The chart puts WGE's server into namespace {place}; the Services that are kept are in {now.namespace}.",
            "Take the namespace out of wge_values: a Service selects pods of its own namespace alone.",
        )
    return passed(f"WGE's server goes to namespace {place}, where the Services are.")


def local_login(evidence: Evidence) -> Judged:
    """TA-10. No request. WGE does not start without this Secret when the local login is on (F9)."""
    now = evidence.now
    auth = (now.target.release.values.get("config") or {}).get("auth") or {}
    if not (auth.get("userAccount") or {}).get("enabled"):
        return skipped("WGE gets no local login, since WG has none.")
    secret = with_login(now.settings, now.snapshot)[LOGIN_SECRET]
    if secret is None:
        return failed(
            f"The local login is switched on, but there is no Secret {LOGIN_SECRET}: WGE would not start.",
            "Create it (gitops get bcrypt-hash makes the hash), or switch config.auth.userAccount off in wge_values.",
        )
    user = admin_of(now)
    if not user or not _BCRYPT.fullmatch(text_of(secret, "password").strip()):
        return failed(
            f"Secret {LOGIN_SECRET} has no username, or its password is not a bcrypt hash: nobody could log in.",
            "Correct the Secret, or wge_login_secret where it is made from that; gitops get bcrypt-hash makes the hash.",
        )
    return _bound(now, user)


def lists_to_read(now: Situation) -> list[tuple[str, str]]:
    """The kinds and namespaces that TA-05, TA-06, FL-02 and CU-09 list beyond the snapshot; cluster-scoped kinds have no namespace."""
    places = {(kind, place) for kind, place, _name in _wanted(now)} | {("ConfigMap", now.namespace)}
    if flux_served(now) or any(item.get("kind") == CRD for item in now.target.objects):
        places.add((CRD, ""))
    return sorted((kind, place) for kind, place in places if not _in_snapshot(now, kind, place))


def _bound(now: Situation, user: str) -> Judged:
    binding = now.snapshot.named.get(ADMIN_BINDING)
    if user == BOUND_BY_CHART:
        return passed(f"The local user {user} is the one to whom WGE's chart gives rights.")
    if binding and all(subject.get("name") != user for subject in binding.get("subjects") or []):
        return failed(
            f"ClusterRoleBinding {name_of(binding)} binds another user than {user}, who would see nothing in WGE.",
            f"Correct its subjects, or delete it: it is then made for {user}.",
        )
    if binding or any(item.get("kind") == "ClusterRole" and name_of(item) == READER_ROLE for item in now.target.objects):
        return passed(f"The local user {user} has, or gets, WGE's role {READER_ROLE}.")
    return warned(
        f"The chart brings no ClusterRole {READER_ROLE}: the local user {user} keeps WG's rights and gets none of WGE's own.",
        f"Bind {user} to the roles it needs after the upgrade.",
    )


def _stranger(now: Situation) -> str:
    """A WGE, or a release of its name, that is here though no journal speaks of it."""
    if now.journal is not None:
        return ""
    enterprise = [d for d in now.snapshot.of("Deployment") if _is_server(d, now)]
    if enterprise:
        return f"WGE is installed here already (Deployment {name_of(enterprise[0])})"
    name = now.target.release.name
    return f"A Helm release {name} is stored here already" if revisions_of(now.snapshot.releases, name) else ""


def _is_server(deployment: Object, now: Situation) -> bool:
    labels = deployment.get("spec", {}).get("template", {}).get("metadata", {}).get("labels") or {}
    return name_of(deployment) == now.target.name or labels.get("app") == now.target.pod_labels.get("app")


def _taken(evidence: Evidence) -> Iterator[Object]:
    now = evidence.now
    wanted = _wanted(now)
    for kind, place in sorted({(kind, place) for kind, place, _name in wanted}):
        held = _in_snapshot(now, kind, place)
        found = now.snapshot.of(kind) if held else evidence.cluster.list(collection_path(kind, place), metadata_only=True)
        for item in found:
            if (kind, place, name_of(item)) in wanted and not _is_ours(item, now):
                yield {**item, "kind": kind}


def _in_snapshot(now: Situation, kind: str, place: str) -> bool:
    return kind in NAMESPACED_KINDS and place == now.namespace


def _is_ours(item: Object, now: Situation) -> bool:
    marks, release = annotations_of(item), now.target.release
    if labels_of(item).get(RUN_LABEL) == now.run:
        return True
    return marks.get(HELM_RELEASE_ANNOTATION) == release.name and marks.get(HELM_NAMESPACE_ANNOTATION) == release.namespace


def _owned(item: Object) -> str:
    marks = annotations_of(item)
    owner = marks.get(HELM_RELEASE_ANNOTATION)
    return f"{item['kind']} {name_of(item)}" + (f" (of release {owner} in {marks.get(HELM_NAMESPACE_ANNOTATION)})" if owner else "")


def _wanted(now: Situation) -> set[Key]:
    """What helm will create and refuse to take over; hooks it replaces, and definitions it leaves alone (TA-06)."""
    objects = (item for item in now.target.objects if _is_known(item) and item.get("kind") != CRD)
    return {_key(item, now) for item in objects if HOOK_ANNOTATION not in annotations_of(item)}


def _key(item: Object, now: Situation) -> Key:
    kind = str(item.get("kind"))
    place = "" if kind in CLUSTER_SCOPED else namespace_of(item) or now.target.release.namespace
    return kind, place, name_of(item)


def _is_known(item: Object) -> bool:
    kind = item.get("kind")
    return kind in NAMESPACED or kind in CLUSTER_SCOPED


CHECKS = (
    Check(
        "TA-02",
        "target",
        "chart renders",
        BLOCK,
        renders,
        "the chart, rendered with the values it will get",
        "Correct wge_values or the chart.",
        until=Rung.PARKED,
        waivable=False,
    ),
    Check(
        "TA-03",
        "target",
        "facts of the chart",
        BLOCK,
        facts_hold,
        "labels, ports, Services and Ingresses of the rendered chart",
        "Ask for the chart of a known WGE version.",
        until=Rung.PARKED,
        waivable=False,
    ),
    Check(
        "TA-05",
        "target",
        "names free",
        BLOCK,
        names_free,
        "whether objects of the chart are on the cluster already",
        "Remove them, or rename the release.",
        until=Rung.REHEARSED,
    ),
    Check(
        "TA-08",
        "target",
        "same namespace",
        BLOCK,
        same_namespace,
        "the namespaces of the release and of the kept Services",
        "Install WGE where WG is: selectors do not cross namespaces.",
        waivable=False,
    ),
    Check(
        "TA-10",
        "target",
        "local login",
        BLOCK,
        local_login,
        "Secret `cluster-user-auth` and the ways to log in",
        "Create the Secret, or switch the local login off.",
        stored=True,
    ),
)
