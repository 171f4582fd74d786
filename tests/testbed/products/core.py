# SPDX-License-Identifier: GPL-3.0-or-later
"""What the two stand-in products have in common: routes, login, answers from the recorded table.

Keeps: public routes, 401 without login on all of `/v1/`, the local user with a `session` cookie, an unknown
`clusterName` dropping the connection, the page of the UI on every other path. Leaves out: everything behind the
answers (no Flux objects are read), OIDC, rate limits, what a user may see.
"""

from __future__ import annotations

import json
import os
import re
import secrets
import time
from email.utils import formatdate
from pathlib import Path
from typing import Any

from . import passwords
from .httpd import Answer, Request
from .kube import Kube

DATA = Path(__file__).resolve().parent / "data"
JSON = "application/json; charset=utf-8"
UNAUTHENTICATED = Answer(401, b'{"message":"Authentication required","code":401}\n', JSON)
USER_SECRET = "cluster-user-auth"


def loaded() -> None:
    """Tell the node agent that the program has begun."""
    if pipe := os.environ.pop("TESTBED_LOADED", ""):
        os.close(int(pipe))


class Table:
    """Method and path to the recorded answer; `{…}` in a path stands for one segment."""

    def __init__(self, name: str) -> None:
        content = json.loads((DATA / f"{name}.json").read_text(encoding="utf-8"))
        self.page_type: str = content["page_type"]
        self._public = [(self._pattern(key), value) for key, value in content["public"].items()]
        self._signed = [(self._pattern(key), value) for key, value in content["signed"].items()]

    @staticmethod
    def _pattern(key: str) -> re.Pattern[str]:
        return re.compile("".join("[^/]+" if part.startswith("{") else re.escape(part) for part in re.split(r"(\{[^}]*\})", key)) + "$")

    def find(self, request: Request, signed: bool) -> dict[str, Any] | None:
        """The recorded answer, plain paths before those with parameters."""
        key = f"{request.method} {request.path}"
        hits = [
            (pattern.pattern.count("[^/]+"), index, value)
            for index, (pattern, value) in enumerate(self._signed if signed else self._public)
            if pattern.match(key)
        ]
        return min(hits)[2] if hits else None


def answer_of(entry: dict[str, Any]) -> Answer | None:
    """A recorded answer as bytes; None for a dropped connection."""
    if entry.get("drop"):
        return None
    body = json.dumps(entry["json"], separators=(",", ":")) if "json" in entry else entry.get("body", "")
    return Answer(entry["status"], body.encode("utf-8"), entry.get("type"), tuple(entry.get("headers", {}).items()))


class Product:
    """One server; the subclasses say what differs."""

    name = ""
    session_seconds = 3600
    title = ""
    not_found = b'{"code":5,"message":"Not Found","details":[]}'

    def __init__(self, methods: list[str], cluster_name: str) -> None:
        self.kube = Kube()
        self.methods = methods
        self.cluster_name = cluster_name
        self.namespace = os.environ["TESTBED_NAMESPACE"]
        self._table = Table(self.name)
        self._sessions: dict[str, tuple[float, str]] = {}
        self._page = f"<!doctype html><title>{self.title}</title>\n".encode("ascii")

    async def handle(self, request: Request) -> Answer | None:
        """Which kind of path is it?"""
        path = request.path
        if path.startswith("/v1/"):
            return await self.api(request)
        if path.startswith("/oauth2"):
            return await self._login(request)
        return self.other(request)

    def other(self, request: Request) -> Answer:
        """The UI: files have an extension and there are none, any other path is the page."""
        if "." in request.path.rpartition("/")[2]:
            return Answer(404, b"404 page not found\n", "text/plain; charset=utf-8")
        return Answer(200, self._page, self._table.page_type)

    async def api(self, request: Request) -> Answer | None:
        """`/v1/…`: public, or 401, or the recorded answer."""
        if request.method == "GET" and request.path == "/v1/featureflags":
            return self._flags()
        if not await self.signed_in(request):
            return UNAUTHENTICATED
        if self._unknown_cluster(request):
            return None
        entry = self._table.find(request, True)
        return answer_of(self.adjust(request, entry)) if entry else Answer(404, self.not_found, "application/json")

    def adjust(self, _request: Request, entry: dict[str, Any]) -> dict[str, Any]:
        """A chance to put real names into a recorded answer."""
        return entry

    def _flags(self) -> Answer:
        flags = {key: value for key, value in os.environ.items() if key.startswith("WEAVE_GITOPS_FEATURE_")}
        flags["CLUSTER_USER_AUTH"] = "true" if "user-account" in self.methods else "false"
        flags.update(self.more_flags())
        return Answer(200, json.dumps({"flags": flags}, separators=(",", ":")).encode("utf-8"), "application/json")

    def more_flags(self) -> dict[str, str]:
        return {}

    def _unknown_cluster(self, request: Request) -> bool:
        """Both products lose the connection when they are asked for a cluster they do not know."""
        asked = (request.query.get("clusterName") or [""])[0] or (request.json().get("clusterName") if request.body else "")
        return bool(asked) and asked != self.cluster_name

    # -- login

    async def signed_in(self, request: Request) -> bool:
        """By the session's cookie."""
        return self._user(request) is not None

    def _user(self, request: Request) -> str | None:
        until, user = self._sessions.get(request.cookie("session") or "", (0.0, ""))
        return user if until > time.time() else None

    async def _login(self, request: Request) -> Answer | None:
        if request.path == "/oauth2/sign_in" and request.method == "POST":
            return await self._sign_in(request)
        if request.path == "/oauth2/logout" and request.method == "POST":
            self._sessions.pop(request.cookie("session") or "", None)
            return Answer(200, headers=(("Set-Cookie", "session=; Path=/; Max-Age=0; HttpOnly; SameSite=Lax"),))
        user = self._user(request)
        if request.path == "/oauth2/userinfo" and user is not None:
            return Answer(200, json.dumps({"email": "", "id": user, "groups": None}).encode("utf-8"), "text/plain; charset=utf-8")
        entry = self._table.find(request, False)
        return answer_of(entry) if entry else Answer(404, b"404 page not found\n", "text/plain; charset=utf-8")

    async def _sign_in(self, request: Request) -> Answer:
        """The Secret is read at each login: a changed password needs no restart."""
        if "user-account" not in self.methods:
            return Answer(400)
        known = await self.kube.secret(self.namespace, USER_SECRET)
        if known is None:
            return Answer(400)
        given = request.json()
        right = str(given.get("username", "")).encode("utf-8") == known.get("username", b"")
        if not right or not await passwords.matches(str(given.get("password", "")), known.get("password", b"")):
            return Answer(401)
        token, until = secrets.token_urlsafe(32), time.time() + self.session_seconds
        self._sessions[token] = (until, str(given["username"]))
        cookie = (
            f"session={token}; Path=/; Expires={formatdate(until, usegmt=True)}; Max-Age={self.session_seconds}; HttpOnly; SameSite=Lax"
        )
        return Answer(200, headers=(("Set-Cookie", cookie),))

    async def must_have_user(self) -> bool:
        """Local login needs its Secret at start."""
        if "user-account" in self.methods and await self.kube.secret(self.namespace, USER_SECRET) is None:
            print("could not create auth server: could not get secret for cluster user", flush=True)
            return False
        return True


async def metrics(_request: Request) -> Answer:
    """The monitoring port of both."""
    return Answer(200, b"# HELP up The stand-in runs.\n# TYPE up gauge\nup 1\n", "text/plain; version=0.0.4; charset=utf-8")
