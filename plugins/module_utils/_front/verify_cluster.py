# SPDX-License-Identifier: GPL-3.0-or-later
"""The question ``verify_cluster``: is this cluster what it was, but for the product that serves? PRIVATE."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from .._engine import kept, logins, plan
from .._engine.continuity import asking
from .._engine.continuity.baseline import LONGEST, Baseline, baseline_from
from .._engine.continuity.calls import RECORDED_VERSION
from .._engine.look import look
from .._engine.model import Object
from .._engine.proofs import KEPT
from .._engine.situation import Situation
from .._engine.vantages import vantages_for
from .._errors import Blocked, Interrupted, InvalidSettings
from .._files import read_limited, write_private
from .answers import counted, differing, failure, named, version
from .session import Session

VERIFIED, DIFFERS, NOT_UPGRADED = "verified", "differs", "not_upgraded"


@dataclass(frozen=True, slots=True)
class _Found:
    """What was read of the cluster."""

    now: Situation
    calls: asking.Round
    services: dict[str, Object]
    routes: dict[str, Object]


def answer(session: Session) -> dict[str, Any]:
    """Ask through every door, look where the Services lead, and compare. Nothing is written to the cluster."""
    params = session.params
    login = asking.login_from(*(params.get(f"dashboard_{name}") or "" for name in ("username", "password", "token")))
    if params.get("record_to") and params.get("record_to") == params.get("compare_with"):
        raise InvalidSettings(f"{params['record_to']} is given in record_to and in compare_with.", "Give another file in record_to.")
    content = read_limited(params["compare_with"], LONGEST) if params.get("compare_with") else None
    now = look(session.tools, session.settings)
    before = _before(params, content, now)
    prefix = now.snapshot.installed.route_prefix
    calls = asking.ask_all(session.caller, vantages_for(now), prefix, login, _guard(session))
    found = _Found(now, calls, kept.services_of(now), kept.routes_to(session.cluster, now))
    result = _compared(session, found, before)
    if params.get("record_to") and not session.surroundings.check_mode:
        _write(session, found)
    return result


def _before(params: dict[str, Any], content: bytes | None, now: Situation) -> Baseline:
    """What to compare with: the file that was given, else what the journal says of the time before."""
    uid = now.snapshot.identity.uid
    if content is not None:
        return baseline_from(content, uid, params["compare_with"])
    noted = (now.journal.notes.get(KEPT) if now.journal else None) or {}
    return Baseline(uid, services=noted.get("services") or {}, routes=noted.get("routes") or {})


def _compared(session: Session, found: _Found, before: Baseline) -> dict[str, Any]:
    now = found.now
    entries = asking.differences(asking.recorded(found.calls) if before.calls is None else before.calls, found.calls)
    endpoints = kept.endpoints_of(now)
    ways = logins.of_wg(now), logins.of_wge(session.cluster, now) if now.is_flipped else None
    wrong = [
        *(kept.astray(endpoints) if _has_moved(now) else []),
        *kept.changed("Service ", before.services, found.services),
        *kept.changed("", before.routes, found.routes),
    ]
    other_ways = logins.differing(*ways) if now.is_flipped else []
    told = [*other_ways, *asking.sentences(entries)]
    known = f"WG {RECORDED_VERSION}, as recorded" if before.calls is None else f"{before.serves}, {before.made}"
    result = {
        "changed": False,
        "verdict": VERIFIED if now.is_flipped else NOT_UPGRADED,
        "message": "",
        "next_step": "",
        "rung": plan.rung_of(now).word,
        "serves": version(now),
        "endpoints": endpoints,
        "logins": {"before": ways[0], "after": ways[1]},
        "compared_with": {"api": known, "services": len(before.services), "routes": len(before.routes)},
        "continuity": entries,
        "summary": asking.counts(entries),
        "differences": [*wrong, *told],
        "cluster": named(now, session.connection.server),
        "api": counted(session.cluster),
    }
    if told:
        result["warnings"] = [*other_ways, *differing(entries)]
    return result | _failing([*wrong, *told] if session.params.get("strict") else wrong)


def _failing(sentences: list[str]) -> Object:
    """What is wrong fails the task; a difference of the API alone only when the user is strict."""
    if not sentences:
        return {}
    more = f" ({len(sentences) - 1} more differences)" if len(sentences) > 1 else ""
    return failure(Blocked(sentences[0] + more, kept.AGAIN)) | {"verdict": DIFFERS}


def _has_moved(now: Situation) -> bool:
    """Whether any kept Service selects WGE; one alone is a switch that stopped half-way."""
    selector = now.target.selector
    return any(selector and (service.get("spec") or {}).get("selector") == selector for service in now.kept_services)


def _write(session: Session, found: _Found) -> None:
    made = session.clock.wall().isoformat(timespec="seconds")
    content = Baseline(found.now.snapshot.identity.uid, made, version(found.now), found.calls, found.services, found.routes).text()
    write_private(session.params["record_to"], content.encode())


def _guard(session: Session) -> Callable[[], None]:
    def guard() -> None:
        if reason := session.surroundings.keep_going():
            raise Interrupted(f"Stopped on request ({reason}).", "Run the same command again.")

    return guard
