# SPDX-License-Identifier: GPL-3.0-or-later
"""EN: will WGE find an entitlement that looks like one? Its signature and dates are not judged here. PRIVATE."""

from __future__ import annotations

import re

from ..inherit import text_of
from ..names import ENTITLEMENT_NAMESPACE, ENTITLEMENT_SECRET
from ..objects import object_path
from .evidence import Evidence, Judged, failed, passed

KEY = "entitlement"
PLACE = f"Secret {ENTITLEMENT_SECRET} in namespace {ENTITLEMENT_NAMESPACE}"
_PART = r"[A-Za-z0-9_-]+"
_TOKEN = re.compile(rf"{_PART}\.{_PART}\.{_PART}")


def shape(evidence: Evidence) -> Judged:
    """EN-01. No request, or one for the namespace when the Secret has to be made in another one than WG's."""
    given = evidence.now.settings.entitlement.strip()
    if given and not looks_like_token(given):
        return failed("The entitlement that was given is not a signed token of three parts.", "Correct wge_entitlement; ask the vendor.")
    secret = evidence.now.snapshot.named.get(ENTITLEMENT_SECRET)
    if secret is None:
        return _absent(evidence, bool(given))
    stored = text_of(secret, KEY).strip()
    if not stored:
        return failed(f"{PLACE} has no key {KEY}.", "Put the vendor's entitlement there, or delete the Secret and give wge_entitlement.")
    if not looks_like_token(stored):
        return failed(f"Key {KEY} of {PLACE} is not a signed token of three parts.", "Apply the vendor's file once more.")
    if given and stored != given:
        return failed(
            f"{PLACE} holds another entitlement than the one that was given; it is never overwritten.",
            "Delete the Secret to use the one given, or leave wge_entitlement out to use the one stored.",
        )
    return passed(f"{PLACE} holds a signed token of three parts.")


def looks_like_token(text: str) -> bool:
    """Whether a text has the shape of a JWT: three base64url parts."""
    return bool(_TOKEN.fullmatch(text))


def _absent(evidence: Evidence, given: bool) -> Judged:
    if not given:
        return failed(f"There is no {PLACE}, and no entitlement was given.", "Give wge_entitlement, or apply the vendor's Secret.")
    if not _namespace_exists(evidence):
        return failed(f"Namespace {ENTITLEMENT_NAMESPACE}, where WGE looks for its entitlement, does not exist.", "Create it first.")
    return passed(f"{PLACE} will be created from the entitlement that was given.")


def _namespace_exists(evidence: Evidence) -> bool:
    if evidence.now.namespace == ENTITLEMENT_NAMESPACE:
        return True
    return evidence.cluster.get(object_path("Namespace", ENTITLEMENT_NAMESPACE)) is not None
