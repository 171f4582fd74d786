# SPDX-License-Identifier: GPL-3.0-or-later
"""What came back, reduced to what callers rely on: the status and the shape of the JSON, never a value of it. PRIVATE."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from typing import Any

from ..model import Answer, Object
from .calls import FLAGS, SIGN_IN

_NAMES = {str: "str", bool: "bool", int: "int", float: "float", list: "list", dict: "dict", type(None): "null"}
LOGIN_FLAGS = ("CLUSTER_USER_AUTH", "OIDC_AUTH", "ANONYMOUS_AUTH")
"""The flags by which the UI knows the ways to log in."""
_LIFETIME = re.compile(r"(?:^|[,;\s])session=.*?max-age=(\d+)", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Seen:
    """One answer. ``status`` is 0 when there was none; ``shape`` None when it is no JSON; ``detail`` is what else must be the same."""

    status: int
    shape: Any = None
    detail: str = ""

    def __str__(self) -> str:
        if not self.status:
            return f"no answer ({self.detail})" if self.detail else "no answer"
        content = "" if self.shape is None else " " + _text(self.shape)
        return f"{self.status}{content}{f', {self.detail}' if self.detail else ''}"

    def as_dict(self) -> Object:
        """For a file."""
        return {"status": self.status, "shape": self.shape, "detail": self.detail}


def seen_of(path: str, answer: Answer) -> Seen:
    """What an answer at ``path`` shows."""
    content = _json(answer.body)
    if path == FLAGS and isinstance(content, dict) and isinstance(content.get("flags"), dict):
        return Seen(answer.status, {"flags": "dict"}, _logins(content["flags"]))
    if path == SIGN_IN:
        found = _LIFETIME.search(answer.headers.get("set-cookie", ""))
        return Seen(answer.status, None, f"a session of {found[1]} s" if found else "")
    return Seen(answer.status, shape_of(content))


def shape_of(content: Any, depth: int = 2) -> Any:
    """The members of a JSON object with their types, two levels deep; None for what is no JSON object."""
    if not isinstance(content, dict):
        return None if depth == 2 else _NAMES[type(content)]
    return {str(key): shape_of(value, depth - 1) for key, value in content.items()} if depth else "dict"


def alike(first: Any, second: Any) -> bool:
    """Whether two shapes are the same for who reads them: what is null in one of them may be anything in the other."""
    if "null" in (first, second):
        return True
    if isinstance(first, dict) and isinstance(second, dict):
        return first.keys() == second.keys() and all(alike(value, second[key]) for key, value in first.items())
    return bool(first == second)


def _logins(flags: Object) -> str:
    offered = [name for name in LOGIN_FLAGS if str(flags.get(name, "")).lower() == "true"]
    return f"logins: {', '.join(offered) or 'none'}"


def _json(body: bytes) -> Any:
    try:
        return json.loads(body)
    except ValueError:
        return None


def _text(shape: Any) -> str:
    if not isinstance(shape, dict):
        return str(shape)
    return "{" + ", ".join(f"{key}: {_text(value)}" for key, value in sorted(shape.items())) + "}"
