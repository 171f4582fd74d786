# SPDX-License-Identifier: GPL-3.0-or-later
"""FL (but for FL-02) and PE-06: who else applies what is changed here? PRIVATE.

WG as a plain Helm release with WGE delivered by helm needs nothing of Flux; what concerns installations that Flux owns is skipped.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

from ..discover import image_version
from ..model import Object, Rung
from ..objects import annotations_of, containers_of, is_available, labels_of, metadata, name_of
from ..situation import Situation
from ..steps.owners import kept_objects
from .check import BLOCK, INFO, WARNING, Check
from .evidence import Evidence, Judged, failed, passed, skipped, warned

OTHER_FORM = "Needs form B or C, which this version does not climb."
PART_OF = ("app.kubernetes.io/part-of", "flux")
APPLIERS = {
    "kustomize.toolkit.fluxcd.io/name": "the Flux Kustomization",
    "helm.toolkit.fluxcd.io/name": "the Flux HelmRelease",
    "argocd.argoproj.io/instance": "the Argo CD application",
    "argocd.argoproj.io/tracking-id": "the Argo CD application",
    "objectset.rio.cattle.io/id": "the Fleet bundle",
}
"""Labels and annotations by which programs know what they apply again and again."""
MANAGERS = ("kustomize-controller", "helm-controller", "argocd-controller", "argocd-application-controller", "fleetagent")


def controllers_ready(evidence: Evidence) -> Judged:
    """FL-01. No request: Flux's controllers in WG's namespace, which is where both usually are."""
    now = evidence.now
    found = [item for item in now.snapshot.of("Deployment") if labels_of(item).get(PART_OF[0]) == PART_OF[1]]
    if not found:
        return skipped(f"No controller of Flux runs in namespace {now.namespace}; this upgrade needs none.")
    ill = [name_of(item) for item in found if not is_available(item)]
    version = _flux_version(found, now)
    if ill:
        return warned(
            f"Flux {version}: {', '.join(ill)} in namespace {now.namespace} is not available. The upgrade itself does not need it.",
            "Repair Flux first (flux check), so that nothing of it is taken for a fault of the upgrade.",
        )
    return passed(f"Flux {version}: {', '.join(sorted(name_of(item) for item in found))} are available.")


def who_applies(evidence: Evidence) -> Judged:
    """FL-03. No request. A program that applies a Service again and again would lead it back to WG after the flip."""
    now = evidence.now
    routing = [now.wg, *(item for item in kept_objects(now) if item.get("kind") in ("Service", "Ingress"))]
    found = [f"{item['kind']} {name_of(item)} by {by}" for item in routing for by in _appliers(item)]
    if found:
        return failed(
            f"Somebody else applies these objects and would undo the upgrade: {'; '.join(found)}.",
            "Take them out of what it applies, without deleting them, or leave this cluster out of the inventory for now.",
        )
    return passed("Neither Flux nor Argo CD nor Fleet applies WG's Deployment, Services or Ingresses.")


def _appliers(item: Object) -> Iterator[str]:
    marks = {**annotations_of(item), **labels_of(item)}
    named = {words: marks[key].split(":")[0] for key, words in APPLIERS.items() if marks.get(key)}
    if named:
        yield from (f"{words} {name}" for words, name in named.items())
        return
    managers = {str(entry.get("manager")) for entry in metadata(item).get("managedFields") or [] if entry.get("subresource") != "status"}
    yield from sorted(managers & set(MANAGERS))
    yield from (f"{owner.get('kind')} {owner.get('name')}" for owner in metadata(item).get("ownerReferences") or [])


def _flux_version(found: list[Object], now: Situation) -> str:
    for item in found:
        version = labels_of(item).get("app.kubernetes.io/version", "")
        if version:
            return version
    source = next((item for item in found if name_of(item) == "source-controller"), {})
    image = str(next(iter(containers_of(source)), {}).get("image", ""))
    return now.settings.compatibility.flux_of(image_version(image)) or "of an unknown version"


def _other_form(_evidence: Evidence) -> Judged:
    return skipped(OTHER_FORM)


def _row(number: str, title: str, severity: str, reads: str, remedy: str, function: Callable[[Evidence], Judged] = _other_form) -> Check:
    group = "permissions" if number.startswith("PE") else "flux"
    return Check(number, group, title, severity, function, reads, remedy, until=Rung.PARKED)


PERMISSIONS = (
    _row(
        "PE-06",
        "rights of Flux's account",
        BLOCK,
        "what Flux acts as, and whether it may make WGE's objects",
        "Extend that ServiceAccount.",
    ),
)
CHECKS = (
    _row("FL-01", "Flux healthy", BLOCK, "Flux's controllers and their versions", "Run `flux check` first.", controllers_ready),
    _row(
        "FL-03",
        "nobody else applies it",
        BLOCK,
        "labels, annotations, owners and field managers of WG's objects",
        "Take the objects out of what the named program applies.",
        who_applies,
    ),
    _row("FL-04", "nothing in flight", BLOCK, "HelmRelease and Kustomization at work", "Wait for them to end."),
    _row("FL-05", "suspended by nobody", BLOCK, "who has suspended HelmRelease or Kustomization before us", "Ask who froze them, and why."),
    _row("FL-06", "drift settings", INFO, "drift mode, force, prune and version range", "Pin the version for the run."),
    _row("FL-07", "sources ready", BLOCK, "the sources of both charts", "Repair credentials or the mirror."),
    _row("FL-08", "git agrees", WARNING, "whether git renders what is live", "Open a pull request from the plan."),
    _row("FL-09", "path of one cluster", WARNING, "whether other clusters use the same path in git", "Change the cluster first, git last."),
)
