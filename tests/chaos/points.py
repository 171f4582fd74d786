# SPDX-License-Identifier: GPL-3.0-or-later
"""Which writes there are, and where a process is hit: a write is known again in another run by what it does, not by its number."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

from .http1 import Asked, Message, asked

VERBS = {"POST": "create", "PUT": "update", "PATCH": "patch", "DELETE": "delete"}
REVIEWS = ("/apis/authorization.k8s.io/", "/apis/authentication.k8s.io/")
RUN = re.compile(r"\d{8}-\d{6}-[0-9a-f]{6}")
"""The id of a run, which is another one in each."""

BEFORE, MIDDLE, AFTER = "before", "middle", "after"
MOMENTS = (BEFORE, MIDDLE, AFTER)
"""Of a write: it has not arrived; it is done and half its answer is read; it is done and its answer is lost."""

WORKER, CONTROLLER, EVERYTHING, HELM, BASTION = "worker", "controller", "everything", "helm", "bastion"


@dataclass(frozen=True)
class Sent:
    """A write as it can be known again. Of what helm writes only the kind: it sends those of one kind all at once."""

    by: str
    verb: str
    what: str
    number: int = 1

    def __str__(self) -> str:
        nth = f" #{self.number}" if self.number > 1 else ""
        return f"{'helm: ' if self.by == HELM else ''}{self.verb} {self.what}{nth}"


@dataclass(frozen=True)
class Point:
    """Where a journey is hit, and who dies."""

    sent: Sent
    moment: str
    way: str = WORKER


def sent(request: Message) -> Sent | None:
    """The write that a request is, None for what stores nothing."""
    wanted = asked(request)
    if wanted.method not in VERBS or "dryRun" in wanted.query or wanted.path.startswith(REVIEWS) or wanted.path.endswith("/token"):
        return None
    if "/proxy/" in wanted.path:  # a call of the product, not of the API server
        return None
    if request.header("user-agent").startswith("Helm"):
        return Sent(HELM, VERBS[wanted.method], _kind(wanted))
    return Sent("wge", VERBS[wanted.method], RUN.sub("RUN", _object(wanted, request)))


def _parts(path: str) -> tuple[str, str]:
    """The plural of the kind and the name: the name is empty for a collection."""
    words = path.strip("/").split("/")
    words = words[2:] if words[0] == "api" else words[3:]
    if words[0] == "namespaces" and len(words) > 2:
        words = words[2:]
    return words[0], "/".join(words[1:])


def _kind(wanted: Asked) -> str:
    return _parts(wanted.path)[0]


def _object(wanted: Asked, request: Message) -> str:
    kind, name = _parts(wanted.path)
    content = request.content()
    if wanted.method == "POST" and isinstance(content, dict):
        name = str(content.get("metadata", {}).get("name", ""))
    words = _changes(content) if wanted.method == "PATCH" and isinstance(content, list) else ""
    return f"{kind}/{name}" + (f" ({words})" if words else "")


def _changes(operations: list[dict[str, Any]]) -> str:
    """What a JSON Patch changes, by the last words of the paths; a label with its value, since a journal's says what it is."""
    found = []
    for operation in operations:
        if operation["op"] != "test":
            path = str(operation["path"])
            last = path.rsplit("/", 1)[1].replace("~1", "/").rsplit("/", 1)[-1]
            value = operation.get("value")
            found.append(f"{last}={value}" if "/labels/" in path and isinstance(value, str) else last)
    return RUN.sub("RUN", ", ".join(dict.fromkeys(found)))
