# SPDX-License-Identifier: GPL-3.0-or-later
"""A dashboard whose API answers as that of WG 0.38.0 does."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from ansible_collections.weaveworks.wge.plugins.module_utils._engine.continuity.calls import CALLS
from ansible_collections.weaveworks.wge.plugins.module_utils._engine.model import Answer, Vantage
from ansible_collections.weaveworks.wge.plugins.module_utils._errors import Unreachable


@dataclass
class Dashboard:
    """Answers as WG 0.38.0 does. ``other`` are answers by path that differ; None drops the connection."""

    other: dict[str, Answer | None] = field(default_factory=dict)
    token: str = "canary-token"
    asked: list[tuple[str, str, str]] = field(default_factory=list)
    sent: list[bytes] = field(default_factory=list)
    session: str = "session=canary-session"

    def call(self, door: Vantage, method: str, path: str, headers: Mapping[str, str], body: bytes) -> Answer:
        self.asked.append((door.name, method, path))
        self.sent.append(body)
        if path in self.other:
            found = self.other[path]
            if found is None:
                raise Unreachable(f"{door.name} does not answer: the connection was dropped.", "")
            return found
        if path == "/oauth2/sign_in":
            good = json.loads(body) == {"username": "admin", "password": "canary-password"}
            cookie = f"{self.session}; Path=/; Max-Age=3600; HttpOnly; SameSite=Lax"
            return Answer(200, {"set-cookie": cookie}, b"") if good else Answer(401, {}, b"")
        signed = headers.get("Cookie") == self.session or headers.get("Authorization") == f"Bearer {self.token}"
        call = next((one for one in CALLS if (one.method, one.path) == (method, path)), None)
        wanted = (call.signed if signed else call.nobody) if call else None
        return _like(*wanted) if wanted else Answer(404, {}, b"")


def _like(status: int, shape: Any) -> Answer:
    examples: dict[str, Any] = {"str": "canary-value", "int": 1, "bool": True, "list": ["canary-value"], "dict": {}, "null": None}

    def example(part: Any) -> Any:
        return {key: example(value) for key, value in part.items()} if isinstance(part, dict) else examples[part]

    return Answer(status, {}, b"<!doctype html>" if shape is None else json.dumps(example(shape)).encode())
