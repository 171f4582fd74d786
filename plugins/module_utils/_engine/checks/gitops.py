# SPDX-License-Identifier: GPL-3.0-or-later
"""FL-03 to FL-09 where a Kustomization applies WG out of git: is it at rest, alone, and does it leave objects as git says them? PRIVATE."""

from __future__ import annotations

from collections.abc import Callable

from ..forms.flux import condition, is_suspended
from ..forms.flux_api import KINDS, KUSTOMIZATION, version_of
from ..forms.gitops import SHIELD, applies, last_request, lists, not_proven, revision_of
from ..gitdebt import ALTERING, of
from ..model import Object
from ..names import SHIELDED_ANNOTATION
from ..objects import annotations_of, labels_of, name_of, namespace_of
from ..situation import Situation
from ..steps.owners import kept_objects
from ..who import wrote
from .evidence import PASS, SKIP, Evidence, Judged, failed, passed, skipped, warned

NOT_FROM_GIT = "Nothing of WG comes out of git here."
SSA = "kustomize.toolkit.fluxcd.io/ssa"
FORCE = "kustomize.toolkit.fluxcd.io/force"

Judge = Callable[[Evidence], Judged]


def also(judge: Judge, of_git: Callable[[Evidence, Object], Judged]) -> Judge:
    """What is asked of WG's owner, and after it the same of the Kustomization that applies that."""

    def both(evidence: Evidence) -> Judged:
        applier = evidence.now.snapshot.owners.kustomization
        first = judge(evidence)
        if applier is None or first.status not in (PASS, SKIP):
            return first
        second = of_git(evidence, applier)
        return first if first.status == second.status == PASS else second

    return both


def alone(evidence: Evidence, applier: Object) -> Judged:
    """FL-03. One request. Two Kustomizations that render one object take turns at it (9a).

    One that does not list what carries its labels may have been kept off it (1h) or may have left it behind (1j): that is asked first.
    """
    owner = evidence.now.snapshot.owners.helm_release or evidence.now.wg
    if not applies(applier, owner):
        return failed(
            f"{owner['kind']} {name_of(owner)} carries the labels of Kustomization {name_of(applier)}, which does not list it: whether git "
            "holds it is not known.",
            f"flux reconcile kustomization {name_of(applier)}; if it does not list it then either, take its labels off the object.",
        )
    version = version_of(KUSTOMIZATION, evidence.now.snapshot.identity.served)
    found = evidence.cluster.list(f"/apis/{version}/{KINDS[KUSTOMIZATION][1]}")
    others = [item for item in found if (name_of(item), namespace_of(item)) != (name_of(applier), namespace_of(applier))]
    applied = _applied(evidence.now)
    twice = [f"{item['kind']} {name_of(item)} by {name_of(other)}" for item in applied for other in others if lists(other, item)]
    if twice:
        return failed(
            f"Besides Kustomization {name_of(applier)} another one applies the same: {'; '.join(twice)}.", "Take it out of one of them."
        )
    return passed(f"Kustomization {name_of(applier)} alone applies WG.")


def at_rest(evidence: Evidence, applier: Object) -> Judged:
    """FL-04. No request: its last run has to have ended well, at the newest revision of its source."""
    owners = evidence.now.snapshot.owners
    if is_suspended(applier):
        return passed(f"Kustomization {name_of(applier)} does nothing.")  # FL-05 says more
    busy, token = condition(applier, "Reconciling", "True"), last_request(applier)
    handled = (applier.get("status") or {}).get("lastHandledReconcileAt") == token
    if token.startswith(evidence.now.run) and (busy or not handled):
        return passed(f"Kustomization {name_of(applier)} does what run {evidence.now.run} asked of it; it is waited for.")
    reason = "it is at work" if busy else not_proven(applier, token, revision_of(owners.source))
    if reason:
        return failed(
            f"Kustomization {name_of(applier)} is not at rest: {reason.rstrip('.')}.",
            "Wait for it, or repair it (flux get kustomizations).",
        )
    return passed(f"Kustomization {name_of(applier)} is at rest.")


def untouched(evidence: Evidence, applier: Object) -> Judged:
    """FL-05. No request. What somebody else keeps git off we would not know how to give back."""
    if is_suspended(applier):
        by = wrote(applier, "spec", "suspend")
        return failed(
            f"Kustomization {name_of(applier)} is suspended{f' (last written by {by})' if by else ''}.",
            "Ask who froze it, and why; then flux resume kustomization.",
        )
    foreign = [f"{item['kind']} {name_of(item)}" for item in _applied(evidence.now) if _is_kept_off(item)]
    if foreign:
        return failed(
            f"Somebody keeps git off {', '.join(foreign)} by an annotation or label ({SHIELD} or {SSA}).", "Ask who did it, and why."
        )
    return passed(f"Nobody but this upgrade keeps Kustomization {name_of(applier)} off anything of WG.")


def gentle(evidence: Evidence, applier: Object) -> Judged:
    """FL-06. No request. With force it deletes what it cannot change, and makes it anew under another address (5g)."""
    kept = [name_of(item) for item in kept_objects(evidence.now) if str(annotations_of(item).get(FORCE, "")).lower() == "enabled"]
    if (applier.get("spec") or {}).get("force") is True or kept:
        return failed(
            f"Kustomization {name_of(applier)} may delete {', '.join(kept) or 'what it applies'} and make it anew (force).",
            "Take force away, at least until git has been changed.",
        )
    return passed(f"Kustomization {name_of(applier)} uses no force.")


def source_there(evidence: Evidence, applier: Object) -> Judged:
    """FL-07. No request: no run is proven without the revision of its source."""
    source = evidence.now.snapshot.owners.source
    ready = condition(source or {}, "Ready") or {}
    if not revision_of(source) or ready.get("status") == "False":
        words = str(ready.get("message") or "it has no artifact").rstrip(".")
        return failed(f"The source of Kustomization {name_of(applier)} is not ready: {words}.", "Repair it (flux get sources all).")
    return passed(f"The source of Kustomization {name_of(applier)} is at {revision_of(source)}.")


def git_agrees(evidence: Evidence) -> Judged:
    """FL-08. No request. After the upgrade git has to say what the cluster is; a person merges that."""
    applier, debt = evidence.now.snapshot.owners.kustomization, of(evidence.now)
    if applier is None:
        return skipped(NOT_FROM_GIT)
    if debt.sentence:
        return warned(debt.sentence, "Merge what wge_git_changes makes.")
    altering = [word for word in ALTERING if (applier.get("spec") or {}).get(word)]
    if altering:
        return warned(
            f"Kustomization {debt.kustomization} changes what it takes out of git (spec.{', spec.'.join(altering)}).",
            "After the upgrade a person has to bring into git what wge_git_changes says.",
        )
    place = f"{debt.path} of {debt.url}"
    return passed(f"{place} is applied by Kustomization {debt.kustomization}; after the upgrade wge_git_changes makes what to merge there.")


def one_cluster(evidence: Evidence) -> Judged:
    """FL-09. No request."""
    if evidence.now.snapshot.owners.kustomization is None:
        return skipped(NOT_FROM_GIT)
    return skipped("One cluster cannot tell who else reads its path; wge_git_changes sees all, and holds a path until all are upgraded.")


def _applied(now: Situation) -> list[Object]:
    owner = now.snapshot.owners.helm_release
    return [*([owner] if owner else now.snapshot.from_git), *(item for item in kept_objects(now) if item["kind"] == "Service")]


def _is_kept_off(item: Object) -> bool:
    marks = {**labels_of(item), **annotations_of(item)}
    ours = SHIELDED_ANNOTATION in annotations_of(item)
    return SSA in marks or (str(marks.get(SHIELD, "")).lower() == "disabled" and not ours)
