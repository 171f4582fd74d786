# SPDX-License-Identifier: GPL-3.0-or-later
"""EN-07 and EN-08: the login to the chart's repository, and whether the entitlement lies somewhere in the clear. PRIVATE."""

from __future__ import annotations

from ..inherit import text_of
from ..model import Object, Rung
from ..names import ENTITLEMENT_NAMESPACE, ENTITLEMENT_SECRET
from ..objects import annotations_of, labels_of, metadata, object_path
from .check import BLOCK, WARNING, Check
from .evidence import Evidence, Judged, passed, skipped, warned

PLACE = f"Secret {ENTITLEMENT_SECRET} in namespace {ENTITLEMENT_NAMESPACE}"
LAST_APPLIED = "kubectl.kubernetes.io/last-applied-configuration"
KUSTOMIZE = "kustomize.toolkit.fluxcd.io"
SEALED = {"ExternalSecret": "External Secrets", "SealedSecret": "Sealed Secrets"}


def vendor_login(evidence: Evidence) -> Judged:
    """EN-07. No request: helm has fetched the chart in this very run. The Secret's user and password are Flux's, not helm's."""
    now = evidence.now
    chart = now.target.release.chart
    if not chart.startswith(("oci://", "http://", "https://")):
        return skipped("The chart does not come from an address, so no login is needed for it.")
    secret = now.snapshot.named.get(ENTITLEMENT_SECRET)
    user, password = text_of(secret, "username").strip(), text_of(secret, "password").strip()
    if bool(user) != bool(password):
        return warned(
            f"helm could fetch {chart}; but {PLACE} has {'a username and no password' if user else 'a password and no username'}.",
            "Give both or neither: Flux could not log in to the chart's repository with this.",
        )
    login = "a username and a password" if user else "no username and no password"
    return passed(f"helm could fetch {chart}. {PLACE} has {login} for Flux, which does not deliver WGE here.")


def not_in_clear(evidence: Evidence) -> Judged:
    """EN-08. No request, or one for the Flux Kustomization that made the Secret. Whoever has an entitlement can use it."""
    secret = evidence.now.snapshot.named.get(ENTITLEMENT_SECRET)
    if secret is None:
        return skipped("The entitlement is not stored yet.")
    if '"entitlement"' in annotations_of(secret).get(LAST_APPLIED, ""):
        return warned(
            f"{PLACE} holds its content a second time, in the annotation that kubectl apply leaves.",
            f"Take it away: kubectl annotate secret -n {ENTITLEMENT_NAMESPACE} {ENTITLEMENT_SECRET} {LAST_APPLIED}-; "
            "apply it with --server-side from now on.",
        )
    sealed = _sealed_by(secret)
    if sealed:
        return passed(f"{PLACE} is made by {sealed}.")
    if f"{KUSTOMIZE}/name" in labels_of(secret):
        return _judge_kustomization(evidence, labels_of(secret))
    return passed(f"{PLACE} shows no sign of having come from git.")


def _judge_kustomization(evidence: Evidence, labels: dict[str, str]) -> Judged:
    name, place = labels[f"{KUSTOMIZE}/name"], labels.get(f"{KUSTOMIZE}/namespace", "")
    found = evidence.cluster.get(object_path("Kustomization", name, place))
    provider = ((found or {}).get("spec") or {}).get("decryption", {}).get("provider")
    if provider:
        return passed(f"{PLACE} comes from git through the Flux Kustomization {name}, which decrypts with {provider}.")
    return warned(
        f"{PLACE} comes from git through the Flux Kustomization {name}, which decrypts nothing: it may lie there in the clear.",
        "Encrypt it with SOPS or Sealed Secrets, or let External Secrets make it; ask the vendor for a new one if others could read it.",
    )


def _sealed_by(secret: Object) -> str:
    kinds = [str(owner.get("kind")) for owner in metadata(secret).get("ownerReferences") or []]
    named = next((SEALED[kind] for kind in kinds if kind in SEALED), "")
    return named or ("External Secrets" if "reconcile.external-secrets.io/managed" in labels_of(secret) else "")


CHECKS = (
    Check(
        "EN-07",
        "entitlement",
        "login to the chart's repository",
        BLOCK,
        vendor_login,
        "the chart's address, and the user and password beside the entitlement",
        "Give the Secret both, or mirror the chart.",
        until=Rung.PARKED,
        stored=True,
    ),
    Check(
        "EN-08",
        "entitlement",
        "entitlement not in the clear",
        WARNING,
        not_in_clear,
        "annotations, labels and owners of the entitlement's Secret",
        "Encrypt it where it is kept, and take the copy away.",
    ),
)
