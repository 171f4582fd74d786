# SPDX-License-Identifier: GPL-3.0-or-later
"""CL-09: would admission let our writes pass? Asked by dry runs, which persist nothing. PRIVATE.

A request for each of the chart's objects would be too many: the server's Deployment and the Services are always tried, of every
other kind one object, and only where a webhook or a policy of this cluster looks at that kind.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from ..._errors import Conflict, Forbidden, Rejected
from ..model import Object, Right, Rung
from ..objects import collection_path, name_of
from ..rights import of_path
from .check import BLOCK, Check
from .evidence import Evidence, Judged, failed, passed, skipped, warned
from .sent import CREATE, DELETE, Sent, collection_of, sent_by
from .webhooks import hooks, namespaces_of, sees

ESCALATION = "attempting to grant RBAC permissions"
NO_ANSWER = "failed calling webhook"
NO_DRY_RUN = "does not support dry run"


def admitted(evidence: Evidence) -> Judged:
    """CL-09. Two lists at most beside those of CL-08, and a dry run for each kind that is tried."""
    tried, untried = _divided(evidence, list(_to_try(evidence)))
    if not tried:
        return skipped(f"No dry run was made: {_untried(untried)}" if untried else "Nothing is planned that could be tried.")
    refused: list[str] = []
    blind: list[str] = []
    for sent in tried:
        words = _refusal(evidence, sent)
        if words:
            (blind if NO_DRY_RUN in words else refused).append(words)
        if NO_ANSWER in words:  # each further one would wait for the same webhook
            break
    if refused:
        return failed(" ".join(refused), "Change what it names, or have the policy except this namespace.")
    if blind:
        return warned(" ".join(blind), "Look whether its rules suit WGE; it cannot be asked beforehand.")
    text = f"Admitted in a dry run: {', '.join(_shown(sent) for sent in tried)}."
    return passed(f"{text} Not tried: {_untried(untried)}" if untried else text)


def _to_try(evidence: Evidence) -> Iterator[Sent]:
    """The server and every Service we make; then the first write of each kind and operation that admission looks at."""
    ours, judges = sent_by(evidence), [*hooks(evidence), *_policies(evidence)]
    server, places = evidence.now.target.name, namespaces_of(evidence, ours)
    seen: set[tuple[str, str, str]] = set()
    for sent in sorted(ours, key=lambda one: not _always(one, server)):
        key = (sent.operation, sent.group, sent.resource)
        if not _can_be_tried(sent, evidence) or (key in seen and not _always(sent, server)):
            continue
        if _always(sent, server) or any(sees(judge, [sent], places) for judge in judges):
            seen.add(key)
            yield sent


def _always(sent: Sent, server: str) -> bool:
    """The server's Deployment and the Services of the plan itself (the shadow)."""
    kind = sent.body.get("kind")
    return sent.operation == CREATE and (
        (kind == "Deployment" and name_of(sent.body) == server) or (kind == "Service" and bool(sent.write))
    )


def _can_be_tried(sent: Sent, evidence: Evidence) -> bool:
    """A create we have the body of, or a patch of what is there already."""
    if sent.operation == CREATE:
        return bool(sent.body)
    return sent.operation != DELETE and sent.write is not None and sent.labels is not None


def _divided(evidence: Evidence, wanted: list[Sent]) -> tuple[list[Sent], list[Sent]]:
    """Who lacks a right learns that from PE-02; a dry run would say it once more."""
    missing = set(evidence.rules.missing(map(_right, wanted)))
    return [one for one in wanted if _right(one) not in missing], [one for one in wanted if _right(one) in missing]


def _right(sent: Sent) -> Right:
    return of_path("create" if sent.operation == CREATE else "patch", sent.path)


def _refusal(evidence: Evidence, sent: Sent) -> str:
    """The API server's own words, empty when the write would pass."""
    try:
        if sent.operation == CREATE:
            evidence.cluster.create(collection_of(sent), sent.body, dry_run=True)
        elif sent.write:
            evidence.cluster.patch(sent.path, sent.write.operations, dry_run=True)
    except Conflict:  # the object is there already, or has changed: admission had its say before
        return ""
    except (Forbidden, Rejected) as problem:
        return "" if ESCALATION in problem.what else problem.what  # PE-04 speaks of the others
    return ""


def _policies(evidence: Evidence) -> Iterator[Object]:
    """ValidatingAdmissionPolicies, in the words of a webhook. To whom they are bound is left aside: a dry run knows."""
    for item in evidence.all(collection_path("ValidatingAdmissionPolicy"), keep=_kept):
        found: Object = item["spec"]["matchConstraints"]
        yield {**found, "rules": found.get("resourceRules") or []}


def _kept(item: Object) -> Object:
    return {"metadata": {"name": name_of(item)}, "spec": {"matchConstraints": (item.get("spec") or {}).get("matchConstraints") or {}}}


def _untried(sent: Iterable[Sent]) -> str:
    rights = sorted({str(_right(one)) for one in sent})
    return f"we may not {', '.join(rights)}."


def _shown(sent: Sent) -> str:
    return f"{sent.operation.lower()} {sent.resource}"


CHECKS = (
    Check(
        "CL-09",
        "cluster",
        "admission",
        BLOCK,
        admitted,
        "dry runs of the server, the shadow Service and one object of each kind that a webhook or policy looks at",
        "Change what the policy names, or have it except this namespace.",
        until=Rung.REHEARSED,
    ),
)
