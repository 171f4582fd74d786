# SPDX-License-Identifier: GPL-3.0-or-later
"""CA-01 and CA-04: is there room for WGE beside WG, and do our Secrets fit into the API server? PRIVATE."""

from __future__ import annotations

import base64
import gzip
import json
from collections.abc import Iterator
from decimal import Decimal

from ..deliveries import chosen
from ..forms.helm import newest, revisions_of
from ..journal import Journal
from ..model import Object, Rung
from ..names import JOURNAL_PREFIX
from ..objects import collection_path, name_of
from ..placement import maker_of, pod_spec, refusal, replicas_of, workloads_of
from ..quantities import Amounts, asked_by, counted, shown
from .check import BLOCK, WARNING, Check
from .evidence import Evidence, Judged, failed, passed, warned
from .limits import broken_limits, with_defaults
from .nodes import SCHEDULING, nodes
from .pods import RECKONED, by_node, pods, room_left
from .quotas import broken_quotas

LARGEST = 1024 * 1024
"""The bytes of a Secret's data that an API server takes."""
NEAR = 0.8


def room_for_both(evidence: Evidence) -> Judged:
    """CA-01. Three lists: pods (paged, a few fields of each), quotas and limits of the namespace. WG's own pods run already."""
    now = evidence.now
    limits = evidence.all(collection_path("LimitRange", now.namespace))
    quotas = evidence.all(collection_path("ResourceQuota", now.namespace))
    wanted = [(workload, with_defaults(pod_spec(workload), limits)) for workload in workloads_of(now.target)]
    problems = [
        *(problem for workload, spec in wanted for problem in broken_limits(name_of(workload), spec, limits)),
        *broken_quotas(evidence, wanted, quotas),
    ]
    if problems:
        return failed("; ".join(problems) + ".", "Raise the quota or limit, or give WGE's containers fitting requests and limits.")
    homeless = list(_homeless(evidence, wanted))
    if homeless and (maker := maker_of(nodes(evidence))):
        return warned("; ".join(homeless) + f"; {maker} makes nodes here.", f"See that {maker} may still make one.")
    if homeless:
        return failed("; ".join(homeless) + ".", "Add a node, or make room: WGE runs beside WG until WG is parked.")
    asked = ", ".join(f"{name} {shown(name, value)}" for name, value in _asked(wanted).items()) or "nothing in particular"
    return passed(f"WGE asks for {asked} in {counted(_pods_of(wanted), 'pod')}: there is room for that beside WG.")


def secrets_fit(evidence: Evidence) -> Judged:
    """CA-04. No request: sizes of what is stored, and of what will be as far as it is known before."""
    sizes = dict(_sizes(evidence))
    large = {name: size for name, size in sizes.items() if size > LARGEST * NEAR}
    if large:
        return warned(
            "; ".join(f"{name} has {size / LARGEST:.2f} MiB" for name, size in sorted(large.items())) + f" of the {LARGEST // 2**20} MiB.",
            "Have fewer Services and routes in one release, or shorten what its chart and values carry.",
        )
    return passed(f"The largest of {len(sizes)} release and journal Secrets has {max(sizes.values(), default=0) / LARGEST:.2f} MiB.")


def _homeless(evidence: Evidence, wanted: list[tuple[Object, Object]]) -> Iterator[str]:
    """Pods for which no node has room, each placed where most memory is left; a node that takes none is CA-02's matter."""
    running, candidates = by_node(pods(evidence)), nodes(evidence)
    left = {name_of(node): room_left(node, running.get(name_of(node), [])) for node in candidates}
    for workload, spec in wanted:
        asked = {**asked_by(spec), "pods": Decimal(1)}
        fitting = [name_of(node) for node in candidates if not refusal(node, spec)]
        for _replica in range(replicas_of(workload) if fitting else 0):
            place = max((name for name in fitting if _fits(asked, left[name])), key=lambda name: left[name].get("memory", 0), default=None)
            if place is None:
                yield f"No node has room for the pod of {workload['kind']} {name_of(workload)}{_short(asked, left, fitting)}"
                break
            left[place] = {name: value - asked.get(name, 0) for name, value in left[place].items()}


def _fits(asked: Amounts, left: Amounts) -> bool:
    return all(value <= left.get(name, Decimal(0)) for name, value in asked.items() if name in (*RECKONED, "pods"))


def _short(asked: Amounts, left: dict[str, Amounts], fitting: list[str]) -> str:
    most = {name: max(left[node].get(name, Decimal(0)) for node in fitting) for name in (*RECKONED, "pods")}
    return ", which asks for " + ", ".join(
        f"{name} {shown(name, asked[name])} (at most {shown(name, max(most[name], Decimal(0)))} are free on a node)"
        for name in (*RECKONED, "pods")
        if name in asked and (name != "pods" or most[name] < 1)
    )


def _asked(wanted: list[tuple[Object, Object]]) -> Amounts:
    found: Amounts = {}
    for workload, spec in wanted:
        for name, value in asked_by(spec).items():
            found[name] = found.get(name, Decimal(0)) + value * replicas_of(workload)
    return found


def _pods_of(wanted: list[tuple[Object, Object]]) -> int:
    return sum(replicas_of(workload) for workload, _spec in wanted)


def _sizes(evidence: Evidence) -> Iterator[tuple[str, int]]:
    """Bytes of data by Secret: those that are there, this run's journal, and the new release without its chart's files."""
    snapshot = evidence.now.snapshot
    for secret in [*snapshot.releases, *snapshot.journals]:
        yield f"Secret {name_of(secret)}", sum(len(value) * 3 // 4 for value in (secret.get("data") or {}).values())
    yield f"The journal of this run ({JOURNAL_PREFIX}…)", _journal_size(evidence)
    if chosen(evidence.now) != "manifests" and not newest(revisions_of(snapshot.releases, evidence.now.target.release.name)):
        yield f"The release {evidence.now.target.release.name}, without its chart's files,", _release_size(evidence)


def _journal_size(evidence: Evidence) -> int:
    journal = Journal(evidence.plan.run, evidence.now.namespace, "")
    for entry in evidence.plan.planned:
        journal.add(entry.step.id, entry.writes)
    return len(journal.text())


def _release_size(evidence: Evidence) -> int:
    """Helm stores the manifest gzipped and in base64."""
    text = json.dumps(list(evidence.now.target.objects), default=str).encode()
    return len(base64.b64encode(gzip.compress(text)))


CHECKS = (
    Check(
        "CA-01",
        "capacity",
        "room for both",
        BLOCK,
        room_for_both,
        "what WGE's pods ask for against free room of the nodes, quotas and limit ranges",
        "Raise the quota, or add a node.",
        until=Rung.REHEARSED,
    ),
    *SCHEDULING,
    Check(
        "CA-04",
        "capacity",
        "size of Secrets",
        WARNING,
        secrets_fit,
        "bytes of journal and release Secrets",
        "Shorten what the release carries.",
        stored=True,
    ),
)
