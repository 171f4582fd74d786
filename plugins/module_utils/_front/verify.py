# SPDX-License-Identifier: GPL-3.0-or-later
"""The question ``verify``: is this an entitlement, and does what runs agree with what is stored? PRIVATE."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from .._engine import snapshot
from .._engine.entitlement import server, stored
from .._engine.entitlement.advice import NOT_THERE, advice
from .._engine.entitlement.keys import PublicKey, public_keys
from .._engine.entitlement.server import Effect
from .._engine.entitlement.source import SECRET, given
from .._engine.entitlement.verify import Judgement, verify, written
from .._engine.model import Object
from .._engine.names import ENTITLEMENT_SECRET
from .._errors import Blocked
from .answers import counted, expiry_warning, failure
from .session import Session

NEXT = {
    "signature": "Ask the vendor for an entitlement of this product, or give the vendor's own key in public_keys.",
    "not_yet_valid": "Wait until then, or correct the clock.",
    "no_secret": "Put it there with wge_entitlement_install, or correct secret_name and secret_namespace.",
}
"""What a person does, by the reason of a judgement."""
AGAIN = "Take the vendor's file once more, or ask the vendor."


@dataclass(frozen=True, slots=True)
class Entry:
    """One entitlement that was judged; ``place`` follows the word entitlement in sentences."""

    source: str
    place: str
    judgement: Judgement

    def as_dict(self) -> Object:
        """For the result."""
        return {"source": self.source, "place": self.place, **self.judgement.as_dict()}


def answer(session: Session) -> dict[str, Any]:
    """Judge everything that was named. Nothing is written, and without a Secret to read no cluster is asked."""
    params = session.params
    trusted = public_keys(params.get("public_keys") or [])
    handed = given(params)
    result: dict[str, Any] = {"changed": False}
    entries: list[Entry] = []
    shown, words = Effect(""), ""
    if params.get("secret_name") or not handed:
        entry, shown, words = _from_cluster(session, trusted)
        entries.append(entry)
        result |= {"cluster": _identified(session), "api": counted(session.cluster)}
    now = _now(session)
    for item in handed:
        entries.append(Entry(item.source, item.place, verify(item.text, trusted, now, skew_seconds=params["skew_seconds"])))
    result |= summary(entries, shown, words, now)
    problem = _problem(params, entries)
    return {**result, **failure(problem)} if problem else result


def summary(entries: list[Entry], shown: Effect, words: str, now: datetime) -> Object:
    """The keys that every answer about entitlements has: those of the first entry at the top, what runs, and the ``words`` of advice."""
    judged = entries[0].judgement
    warnings = [expiry_warning(entry.judgement) for entry in entries if entry.judgement.expired]
    return {
        **judged.as_dict(),
        "entitlements": [entry.as_dict() for entry in entries],
        "effect": shown.state,
        "effect_reason": shown.reason,
        "advice": words,
        "time": written(now),
        "warnings": list(dict.fromkeys(warnings)),
    }


def _from_cluster(session: Session, trusted: tuple[PublicKey, ...]) -> tuple[Entry, Effect, str]:
    params, cluster = session.params, session.cluster
    if params.get("cluster_uid"):
        snapshot.identify(cluster, uid=params["cluster_uid"])
    found = stored.read(cluster, params.get("secret_name") or ENTITLEMENT_SECRET, params["secret_namespace"])
    judgement = found.judged(trusted, _now(session), params["skew_seconds"])
    shown = server.look(cluster, session.clock, params.get("namespace") or "") if params.get("by_effect") else Effect("")
    return Entry(SECRET, f"in {found}", judgement), shown, advice(judgement, shown, found)


def _identified(session: Session) -> Object:
    return {"name": "", "uid": session.params.get("cluster_uid") or "", "api": session.connection.server}


def _now(session: Session) -> datetime:
    """The cluster's time when one was asked, else the controller's."""
    asked = session.cluster.server_time if "cluster" in session.__dict__ else None
    return asked or session.clock.wall()


def _problem(params: dict[str, Any], entries: list[Entry]) -> Blocked | None:
    """The first that fails the task, as a sentence."""
    for entry in entries:
        if not entry.judgement.valid and params.get("fail_if_invalid"):
            return _refusal(entry)
    for entry in entries:
        if entry.judgement.expired and params.get("fail_if_expired"):
            return Blocked(f"The entitlement {entry.place} expired on {written(entry.judgement.expires)}.", "Ask the vendor for a new one.")
    return None


def _refusal(entry: Entry) -> Blocked:
    """Why an entry is not valid; what is wrong with a Secret is a sentence already."""
    reason, message = entry.judgement.reason, entry.judgement.message
    complete = reason in (*NOT_THERE, "base64") and entry.source == SECRET
    return Blocked(message if complete else f"The entitlement {entry.place} is not valid: {message}", NEXT.get(reason, AGAIN))
