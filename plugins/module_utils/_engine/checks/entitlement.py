# SPDX-License-Identifier: GPL-3.0-or-later
"""EN: will WGE accept its entitlement, for how long, and may it read it? PRIVATE.

One judgement (``entitlement/grant.py``) is behind all of these; each check speaks of one side of it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import timedelta

from ..entitlement.features import named, unknown, wished_in_vain
from ..entitlement.grant import GIVEN, KEY, NOWHERE, stored_text
from ..entitlement.verify import Judgement, trimmed
from ..model import Object, Rung
from ..names import ENTITLEMENT_NAMESPACE, ENTITLEMENT_SECRET
from ..objects import name_of, namespace_of, object_path, pod_template
from .check import BLOCK, WARNING, Check
from .evidence import Evidence, Judged, failed, passed, skipped, warned

PLACE = f"Secret {ENTITLEMENT_SECRET} in namespace {ENTITLEMENT_NAMESPACE}"
ASK = "Ask the vendor for a correct entitlement."
SOON_DAYS = 14
_SIGNATURE = ("signature", "algorithm", "header")
_CLAIMS = ("claims", "not_yet_valid")


def shape(evidence: Evidence) -> Judged:
    """EN-01. No request, or one for the namespace when the Secret has to be made in another one than WG's."""
    now = evidence.now
    if now.grant.source == NOWHERE:
        return failed(f"There is no {PLACE}, and no entitlement was given.", "Give wge_entitlement, or apply the vendor's Secret.")
    problem = _form_problem(now.grant.judgement)
    if now.grant.source == GIVEN:
        if problem:
            return failed(f"The entitlement that was given is no token. {problem}", "Correct wge_entitlement; ask the vendor.")
        return _to_be_created(evidence)
    secret = now.snapshot.named.get(ENTITLEMENT_SECRET) or {}
    if not stored_text(secret).strip():
        return failed(f"{PLACE} has no key {KEY}.", "Put the vendor's entitlement there, or delete the Secret and give wge_entitlement.")
    if problem:
        return failed(f"Key {KEY} of {PLACE} is no token. {problem}", "Apply the vendor's file once more.")
    given = trimmed(now.settings.entitlement)
    if given and now.grant.text != given:
        return failed(
            f"{PLACE} holds another entitlement than the one that was given; an upgrade never overwrites it.",
            "Leave wge_entitlement out to use the one stored, or replace it with the playbook install_entitlements.yml first.",
        )
    return passed(f"{PLACE} holds a signed token of three parts.")


def signature(evidence: Evidence) -> Judged:
    """EN-02. The vendor's signature, by the public keys that are trusted."""
    judgement = evidence.now.grant.judgement
    if judgement.reason in _SIGNATURE:
        remedy = f"{ASK} If it was signed with a key of your own vendor, give the public key in wge_entitlement_public_keys."
        return failed(f"{_subject(evidence)} is not genuine. {judgement.message}", remedy)
    if not judgement.key_id:
        return skipped("There is no token to look at, see EN-01.")
    return passed(f"{_subject(evidence)} was signed with the key {judgement.key_id}.")


def claims(evidence: Evidence) -> Judged:
    """EN-03. Dates, customer, and features that this version does not know or that the values want and it does not grant."""
    judgement = evidence.now.grant.judgement
    if judgement.reason in _CLAIMS:
        return failed(f"{_subject(evidence)} cannot be used. {judgement.message}", ASK)
    if not judgement.valid:
        return skipped("There is no genuine entitlement, see EN-01 and EN-02.")
    vain = wished_in_vain(judgement.features, evidence.now.settings.values)
    if vain:
        return warned(
            f"wge_values turn on what the entitlement does not grant: {named(vain)}. It stays off.",
            "Ask the vendor for these features, or take them out of wge_values.",
        )
    strange = unknown(judgement.features)
    if strange:
        return warned(f"The entitlement grants features unknown here, which change nothing: {named(strange)}.", "Look for a newer version.")
    granted = "all features" if judgement.features is None else named(judgement.features) or "no feature"
    return passed(f"For {judgement.customer}, granting {granted}.")


def expiry(evidence: Evidence) -> Judged:
    """EN-04. By the API server's clock, now and at the end of the soak. Expired is a warning unless fail_if_expired."""
    judgement, settings = evidence.now.grant.judgement, evidence.now.settings
    if not judgement.valid or judgement.expires is None or judgement.days_left is None:
        return skipped("There is no genuine entitlement, see EN-01 and EN-02.")
    day = f"{judgement.expires:%Y-%m-%d %H:%M} UTC"
    if judgement.expired:
        text = f"{_subject(evidence)} expired on {day}: WGE works, and warns its users."
        remedy = "Renew it with the playbook install_entitlements.yml; WGE sees a new one after a restart only."
        return failed(text, remedy) if settings.fail_if_expired else warned(text, remedy)
    end = evidence.time + timedelta(seconds=settings.verify_seconds + settings.soak_seconds + settings.quiet_seconds)
    if judgement.expires < end:
        return warned(f"{_subject(evidence)} expires on {day}, before the upgrade is at its end.", "Renew it first.")
    text = f"{_subject(evidence)} is good until {day}, {judgement.days_left} days from now."
    return warned(text, "Renew it soon.") if judgement.days_left < SOON_DAYS else passed(text)


def customer(evidence: Evidence) -> Judged:
    """EN-05. Whose it is; compared with what the inventory says, when it says something."""
    judgement, wanted = evidence.now.grant.judgement, evidence.now.settings.entitlement_customer
    if not judgement.valid:
        return skipped("There is no genuine entitlement, see EN-01 and EN-02.")
    if wanted and wanted != judgement.customer:
        return warned(
            f"{_subject(evidence)} was issued to {judgement.customer}, not to {wanted}.",
            "Use your own entitlement, or correct wge_entitlement_customer.",
        )
    return passed(f"{_subject(evidence)} was issued to {judgement.customer}.")


def readable(evidence: Evidence) -> Judged:
    """EN-06. Whether the chart lets WGE's ServiceAccount read the Secret; judged on what it renders."""
    now = evidence.now
    if not now.target.deployment:
        return skipped("There is no chart to look at.")
    account = pod_template(now.target.deployment).get("spec", {}).get("serviceAccountName") or "default"
    named_roles = {name_of(item): item for item in now.target.objects if item.get("kind") in ("ClusterRole", "Role")}
    bound = [str((item.get("roleRef") or {}).get("name")) for item in _bindings(now.target.objects, account, now.namespace)]
    if any(_grants(rule) for role in bound for rule in named_roles.get(role, {}).get("rules") or []):
        return passed(f"ServiceAccount {account} may read the {PLACE}.")
    foreign = sorted(set(bound) - set(named_roles) - {"view", "system:auth-delegator"})
    if foreign:
        return warned(
            f"Whether ServiceAccount {account} may read the {PLACE} rests on roles that are not in the chart: {named(foreign)}.",
            "Look whether one of them may get Secrets there.",
        )
    return failed(
        f"The chart does not let WGE's ServiceAccount {account} read the {PLACE}.",
        "Bind a Role that may get this Secret, or ask for the chart of a known WGE version (0.38.1).",
    )


def _bindings(objects: Iterable[Object], account: str, namespace: str) -> Iterator[Object]:
    """The rendered bindings of a ServiceAccount that reach the entitlement's namespace."""
    for item in objects:
        place = namespace_of(item) or namespace
        reaches = item.get("kind") == "ClusterRoleBinding" or (item.get("kind") == "RoleBinding" and place == ENTITLEMENT_NAMESPACE)
        subjects = item.get("subjects") or []
        if reaches and any(s.get("name") == account and (s.get("namespace") or namespace) == namespace for s in subjects):
            yield item


def _grants(rule: Object) -> bool:
    def has(key: str, word: str) -> bool:
        return bool({word, "*"} & set(rule.get(key) or []))

    names = rule.get("resourceNames") or [ENTITLEMENT_SECRET]
    return has("apiGroups", "") and has("resources", "secrets") and has("verbs", "get") and ENTITLEMENT_SECRET in names


def _subject(evidence: Evidence) -> str:
    return "The entitlement that was given" if evidence.now.grant.source == GIVEN else "The stored entitlement"


def _form_problem(judgement: Judgement) -> str:
    """The sentence about a text that is no token at all."""
    return "" if judgement.valid or judgement.reason in (*_SIGNATURE, *_CLAIMS) else judgement.message


def _to_be_created(evidence: Evidence) -> Judged:
    if not _namespace_exists(evidence):
        return failed(f"Namespace {ENTITLEMENT_NAMESPACE}, where WGE looks for its entitlement, does not exist.", "Create it first.")
    return passed(f"{PLACE} will be created from the entitlement that was given.")


def _namespace_exists(evidence: Evidence) -> bool:
    if evidence.now.namespace == ENTITLEMENT_NAMESPACE:
        return True
    return evidence.cluster.get(object_path("Namespace", ENTITLEMENT_NAMESPACE)) is not None


CHECKS = (
    Check(
        "EN-01",
        "entitlement",
        "entitlement in place",
        BLOCK,
        shape,
        "the Secret that WGE reads, and the entitlement that was given",
        "Apply the vendor's Secret, or give wge_entitlement.",
        waivable=False,
        stored=True,
    ),
    Check(
        "EN-02",
        "entitlement",
        "signature",
        BLOCK,
        signature,
        "the signature, by the public keys that are trusted",
        "Ask the vendor for a correct entitlement.",
        waivable=False,
        stored=True,
    ),
    Check(
        "EN-03",
        "entitlement",
        "claims and features",
        BLOCK,
        claims,
        "dates, customer and features of the entitlement",
        "Ask the vendor for a correct entitlement.",
        waivable=False,
        stored=True,
    ),
    Check(
        "EN-04",
        "entitlement",
        "expiry",
        BLOCK,
        expiry,
        "the expiry, now and at the end of the soak",
        "Renew it. Expired is a warning unless wge_fail_if_expired.",
        stored=True,
    ),
    Check(
        "EN-05",
        "entitlement",
        "customer",
        WARNING,
        customer,
        "the customer, against the inventory",
        "Use your own entitlement.",
        stored=True,
    ),
    Check(
        "EN-06",
        "entitlement",
        "WGE may read it",
        BLOCK,
        readable,
        "the roles and bindings of the rendered chart",
        "Bind a Role that may get the Secret.",
        until=Rung.PARKED,
    ),
)
