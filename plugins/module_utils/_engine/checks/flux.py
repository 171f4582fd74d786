# SPDX-License-Identifier: GPL-3.0-or-later
"""FL (but for FL-02) and PE-06: who else applies what is changed here? PRIVATE.

WG as a plain Helm release with WGE delivered by helm needs nothing of Flux; where a HelmRelease keeps WG, Flux has to hand it over.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator

from ..._errors import Blocked
from ..deliveries import chosen, require_delivery
from ..discover import image_version
from ..forms.flux import NAME_LABEL as HELM_RELEASE_LABEL
from ..forms.flux import condition, in_flight, is_suspended, paths_of
from ..forms.gitops import NAME_LABEL as KUSTOMIZATION_LABEL
from ..model import Object, Rung
from ..names import SUSPENDED_ANNOTATION
from ..objects import annotations_of, containers_of, is_available, labels_of, metadata, name_of
from ..situation import Situation
from ..steps.owners import is_waited_for, kept_objects, pending_of
from ..who import wrote
from . import gitops, repository
from .check import BLOCK, WARNING, Check
from .evidence import Evidence, Judged, failed, passed, skipped, warned

OTHER_FORM = "Neither a HelmRelease nor a Kustomization keeps WG."
EXACT = re.compile(r"v?\d+\.\d+\.\d+([-+].*)?\Z")
FORCE = "kustomize.toolkit.fluxcd.io/force"
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
    needed = bool(now.snapshot.owners.all)
    if not found:
        where = f"No controller of Flux runs in namespace {now.namespace}"
        return (
            warned(f"{where}; those that keep WG are not looked at.", "Run `flux check`.")
            if needed
            else skipped(f"{where}; this upgrade needs none.")
        )
    ill = [name_of(item) for item in found if not is_available(item)]
    version = _flux_version(found, now)
    if ill and needed:
        return failed(
            f"Flux {version}: {', '.join(ill)} in namespace {now.namespace} is not available, and WG is handed over by it.",
            "Repair Flux first (flux check).",
        )
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
    ours = _of_the_chain(now)
    found = [f"{item['kind']} {name_of(item)} by {by}" for item in routing for by in _appliers(item) if by not in ours]
    if found:
        return failed(
            f"Somebody else applies these objects and would undo the upgrade: {'; '.join(found)}.",
            "Take them out of what it applies, without deleting them, or leave this cluster out of the inventory for now.",
        )
    return passed("Neither Flux nor Argo CD nor Fleet applies WG's Deployment, Services or Ingresses.")


def _of_the_chain(now: Situation) -> set[str]:
    """The words for those who apply WG in its form, and whom the upgrade stops."""
    item, applier = now.snapshot.owners.helm_release, now.snapshot.owners.kustomization
    found = {f"{APPLIERS[HELM_RELEASE_LABEL]} {name_of(item)}", "helm-controller"} if item else set()
    return found | ({f"{APPLIERS[KUSTOMIZATION_LABEL]} {name_of(applier)}", "kustomize-controller"} if applier else set())


def nothing_in_flight(evidence: Evidence) -> Judged:
    """FL-04. No request: who keeps WG must be at rest, and have seen what it says now."""
    item, now = evidence.now.snapshot.owners.helm_release, evidence.now
    if item is None:
        return skipped(OTHER_FORM)
    if _is_ours(item, now):
        return passed(f"HelmRelease {name_of(item)} was suspended by run {now.run}.")
    if is_waited_for(now):
        return passed(f"Flux does, or has done, what run {now.run} asked of HelmRelease {name_of(item)}; it is waited for.")
    busy = in_flight(item) or _not_ready(item) or pending_of(now)
    if busy:
        return failed(
            f"HelmRelease {name_of(item)} is not at rest: {busy.rstrip('.')}.", "Wait for it to end, or repair it with flux reconcile."
        )
    return passed(f"HelmRelease {name_of(item)} is ready, and Flux is at nothing.")


def suspended_by_nobody(evidence: Evidence) -> Judged:
    """FL-05. No request. What we did not suspend we never resume, so the upgrade could not be taken back by Flux."""
    now = evidence.now
    item = now.snapshot.owners.helm_release
    if item is None:
        return skipped(OTHER_FORM)
    if is_suspended(item) and not _is_ours(item, now):
        by = wrote(item, "spec", "suspend")
        return failed(
            f"HelmRelease {name_of(item)} is suspended, and not by this run{f' (last written by {by})' if by else ''}.",
            "Ask who froze it, and why; then flux resume helmrelease.",
        )
    return passed(f"Nobody but this upgrade has suspended HelmRelease {name_of(item)}.")


def drift_settings(evidence: Evidence) -> Judged:
    """FL-06. No request. The hand-over is an upgrade of WG, which must not bring another chart."""
    item, now = evidence.now.snapshot.owners.helm_release, evidence.now
    if item is None:
        return skipped(OTHER_FORM)
    spec = item["spec"]
    version = str((((spec.get("chart") or {}).get("spec")) or {}).get("version") or "")
    attempted = str((item.get("status") or {}).get("lastAttemptedRevision") or "")
    said = [f"chart version {version or 'any'}"]
    said += [f"driftDetection {mode}" for mode in [(spec.get("driftDetection") or {}).get("mode")] if mode]
    said += [f"{len(spec['dependsOn'])} dependencies"] if spec.get("dependsOn") else []
    if not EXACT.match(version) and attempted and attempted != now.snapshot.installed.chart_version:
        at = now.snapshot.installed.chart_version
        return failed(
            f"HelmRelease {name_of(item)} would bring chart {attempted} when it hands WG over, which is at {at}.",
            "Pin the version for the run.",
        )
    forced = [name_of(kept) for kept in kept_objects(now) if annotations_of(kept).get(FORCE) == "enabled"]
    if forced:
        return failed(f"Flux may delete and make anew: {', '.join(forced)} carries {FORCE}.", "Take that annotation away.")
    return passed(f"HelmRelease {name_of(item)}: {', '.join(said)}.")


def sources_ready(evidence: Evidence) -> Judged:
    """FL-07. One request: without the artifact of WG's chart Flux cannot hand it over."""
    now = evidence.now
    item = now.snapshot.owners.helm_release
    if item is None:
        return skipped(OTHER_FORM)
    path = next((path for path in paths_of(item, now.snapshot.identity.served) if "/helmcharts/" in path), "")
    if not path:
        return warned(
            f"HelmRelease {name_of(item)} takes its chart from elsewhere than a HelmChart; that was not looked at.", "Run flux get."
        )
    chart = evidence.cluster.get(path)
    ready = condition(chart or {}, "Ready") or {}
    if chart is None or not ((chart.get("status") or {}).get("artifact")) or ready.get("status") == "False":
        words = ready.get("message") or "it has no artifact"
        return failed(
            f"The chart of HelmRelease {name_of(item)} cannot be fetched: {words.rstrip('.')}.", "Repair credentials or the mirror."
        )
    try:
        require_delivery(now)
    except Blocked as problem:
        return failed(problem.what, problem.next_step)
    return passed(f"The chart of HelmRelease {name_of(item)} is there, and it is known how WGE comes.")


def account_of_flux(evidence: Evidence) -> Judged:
    """PE-06. No request."""
    item = evidence.now.snapshot.owners.helm_release
    if item is None:
        return skipped(OTHER_FORM)
    account = item["spec"].get("serviceAccountName")
    if account and chosen(evidence.now) == "flux":
        return warned(
            f"HelmRelease {name_of(item)} acts as ServiceAccount {account}; that of WGE acts as Flux itself.",
            "Where policies ask every HelmRelease for a ServiceAccount, set wge_delivery to helm.",
        )
    return passed(f"Flux acts as {f'ServiceAccount {account}' if account else 'itself'}, and goes on to.")


def _is_ours(item: Object, now: Situation) -> bool:
    return is_suspended(item) and annotations_of(item).get(SUSPENDED_ANNOTATION) == now.run


def _not_ready(item: Object) -> str:
    ready = condition(item, "Ready") or {}
    return "" if ready.get("status") == "True" else f"it is not ready ({ready.get('message') or 'it says nothing'})"


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


def _row(number: str, title: str, severity: str, reads: str, remedy: str, function: Callable[[Evidence], Judged]) -> Check:
    group = "permissions" if number.startswith("PE") else "flux"
    return Check(number, group, title, severity, function, reads, remedy, until=Rung.PARKED)


PERMISSIONS = (
    _row(
        "PE-06",
        "rights of Flux's account",
        BLOCK,
        "what Flux acts as, and whether it may make WGE's objects",
        "Extend that ServiceAccount.",
        account_of_flux,
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
        gitops.also(who_applies, gitops.alone),
    ),
    _row(
        "FL-04",
        "nothing in flight",
        BLOCK,
        "HelmRelease and Kustomization at work",
        "Wait for them to end.",
        gitops.also(nothing_in_flight, gitops.at_rest),
    ),
    _row(
        "FL-05",
        "suspended by nobody",
        BLOCK,
        "who has suspended HelmRelease or Kustomization before us",
        "Ask who froze them, and why.",
        gitops.also(suspended_by_nobody, gitops.untouched),
    ),
    _row(
        "FL-06",
        "drift settings",
        BLOCK,
        "drift mode, force, prune and version range",
        "Pin the version for the run.",
        gitops.also(drift_settings, gitops.gentle),
    ),
    _row(
        "FL-07",
        "sources ready",
        BLOCK,
        "the sources of both charts",
        "Repair credentials or the mirror.",
        repository.also(gitops.also(sources_ready, gitops.source_there)),
    ),
    _row("FL-08", "git agrees", WARNING, "whether git renders what is live", "Open a pull request from the plan.", gitops.git_agrees),
    _row(
        "FL-09",
        "path of one cluster",
        WARNING,
        "whether other clusters use the same path in git",
        "Change the cluster first, git last.",
        gitops.one_cluster,
    ),
)
