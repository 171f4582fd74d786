# SPDX-License-Identifier: GPL-3.0-or-later
"""Calls WG's API through each door, and compares two rounds of it. PRIVATE.

A door is the kept Service through the API server's proxy, or an entry URL. Through the proxy only GET is asked, which needs no more
than the right the probes have; a bearer token does not get through there, since the API server takes it for its own.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from ..._errors import InvalidSettings, WgeError
from ..entitlement.effect import not_wges
from ..model import Answer, Object, Vantage
from .calls import CALLS, NOBODY, SIGN_IN, SIGN_OUT, TOKEN, USER, Call
from .known import DIFFERENT, UNASKED, compared
from .seen import Seen, seen_of

MOST_SILENT = 3
"""After so many calls without an answer one after another a door counts as closed."""
_COOKIE = re.compile(r"(?:^|[,;\s])(session=[^;,\s]+)")


class Caller(Protocol):
    """Makes one request to the dashboard; raises a WgeError when nothing answers."""

    def call(self, door: Vantage, method: str, path: str, headers: Mapping[str, str], body: bytes) -> Answer:
        """The answer, whatever its status. ``path`` begins below the dashboard's root."""


@dataclass(frozen=True, slots=True)
class Login:
    """What the user gave to sign in with; nothing of it is ever shown."""

    username: str = ""
    password: str = field(default="", repr=False)
    token: str = field(default="", repr=False)


@dataclass(frozen=True, slots=True)
class Key:
    """Which answer: of which call, at which door, as whom."""

    call: str
    door: str
    login: str


Round = dict[Key, Seen]
"""The answers of one round of calls."""


def login_from(username: str, password: str, token: str) -> Login:
    """Raises InvalidSettings for half a login."""
    if bool(username) != bool(password):
        raise InvalidSettings("A user name and a password belong together; one of them is missing.", "Give both, or neither.")
    return Login(username, password, token)


def ask_all(
    caller: Caller, doors: Sequence[Vantage], prefix: str = "", login: Login | None = None, guard: Callable[[], None] = lambda: None
) -> Round:
    """Every call at every door. ``prefix`` is the path below which the dashboard serves; ``guard`` is asked before each, and may raise."""
    found: Round = {}
    for door in doors:
        found |= _Door(caller, door, prefix, guard).ask(NOBODY, {})
        if login and login.username:
            found |= _Door(caller, door, prefix, guard).ask_as_user(login)
        if login and login.token and door.kind == "entry":
            found |= _Door(caller, door, prefix, guard).ask(TOKEN, {"Authorization": f"Bearer {login.token}"})
    return found


def differences(before: Round, after: Round) -> list[Object]:
    """One entry for each call of either round, in the order of the newer one."""
    keys = dict.fromkeys([*after, *before])
    return [_entry(key, before.get(key), after.get(key)) for key in keys]


def recorded(like: Round) -> Round:
    """What WG 0.38.0 answers to the calls of a round, where that is known."""
    known = {str(call): call for call in CALLS}
    found: Round = {}
    for key, seen in like.items():
        answer = _recorded(known.get(key.call), key.login, seen)
        if answer:  # the ways to log in are this WG's own
            found[key] = Seen(answer[0], answer[1], seen.detail)
        elif key.call == f"POST {SIGN_IN}":
            found[key] = Seen(200, None, "a session of 3600 s")
    return found


def sentences(entries: Sequence[Object]) -> list[str]:
    """A sentence for each difference that is not in the table of known ones."""
    return [
        f"{entry['path']} at {entry['door']} (as {entry['login']}) differs: {entry['words']}."
        for entry in entries
        if entry["verdict"] == DIFFERENT
    ]


def counts(entries: Sequence[Object]) -> dict[str, int]:
    """How many calls ended in which verdict."""
    found: dict[str, int] = {}
    for entry in entries:
        found[entry["verdict"]] = found.get(entry["verdict"], 0) + 1
    return found


def _recorded(call: Call | None, login: str, seen: Seen) -> tuple[int, object] | None:
    """What WG answers. It takes some tokens and refuses others, and which this is nobody recorded: refused is refused as it would be."""
    if call is None:
        return None
    refused = login == TOKEN and call.nobody and seen.status == call.nobody[0]
    return call.nobody if login == NOBODY or refused else call.signed


def _entry(key: Key, before: Seen | None, after: Seen | None) -> Object:
    if before is None or after is None:
        verdict, words = UNASKED, "it was not asked before" if before is None else "it was not asked after"
    else:
        verdict, words = compared(key.call.split(" ", 1)[1], before, after)
    return {
        "path": key.call,
        "door": key.door,
        "login": key.login,
        "before": "" if before is None else str(before),
        "after": "" if after is None else str(after),
        "verdict": verdict,
        "words": words,
    }


class _Door:
    """One round of calls at one door."""

    def __init__(self, caller: Caller, door: Vantage, prefix: str, guard: Callable[[], None]) -> None:
        self._caller = caller
        self._door = door
        self._prefix = prefix
        self._guard = guard
        self._silent = 0

    def ask(self, login: str, headers: Mapping[str, str]) -> Round:
        """The calls that are made in this way."""
        found: Round = {}
        for call in _calls(self._door, login):
            if self._silent >= MOST_SILENT:
                break
            self._guard()
            found[Key(str(call), self._door.name, login)] = self._seen(call.method, call.path, headers)
        return found

    def ask_as_user(self, login: Login) -> Round:
        """Sign in, ask, sign out. Where the door lets nobody sign in, only that is said."""
        body = json.dumps({"username": login.username, "password": login.password}).encode()
        key = Key(f"POST {SIGN_IN}", self._door.name, USER)
        self._guard()
        try:
            answer = self._send("POST", SIGN_IN, {}, body)
        except WgeError as problem:
            return {key: Seen(0, None, problem.what)}
        if own := self._not_the_dashboards(answer):
            return {key: Seen(0, None, own)}
        found: Round = {key: seen_of(SIGN_IN, answer)}
        cookie = _COOKIE.search(answer.headers.get("set-cookie", ""))
        if answer.status == 200 and cookie:
            found |= self.ask(USER, {"Cookie": cookie[1]})
            self._seen("POST", SIGN_OUT, {"Cookie": cookie[1]})
        return found

    def _seen(self, method: str, path: str, headers: Mapping[str, str]) -> Seen:
        try:
            answer = self._send(method, path, headers, b"{}" if method == "POST" else b"")
        except WgeError as problem:
            self._silent += 1
            return Seen(0, None, problem.what)
        if own := self._not_the_dashboards(answer):
            self._silent += 1
            return Seen(0, None, own)
        self._silent = 0
        return seen_of(path, answer)

    def _send(self, method: str, path: str, headers: Mapping[str, str], body: bytes) -> Answer:
        return self._caller.call(self._door, method, self._prefix + path, headers, body)

    def _not_the_dashboards(self, answer: Answer) -> str:
        return not_wges(answer) if self._door.kind == "proxy" else ""


def _calls(door: Vantage, login: str) -> Iterator[Call]:
    for call in CALLS:
        asked = call.nobody if login == NOBODY else call.signed
        if asked and (call.method == "GET" or door.kind == "entry"):
            yield call
