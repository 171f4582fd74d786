# SPDX-License-Identifier: GPL-3.0-or-later
"""Reads the API server's own audit log: who wrote what."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

WRITES = frozenset({"create", "update", "patch", "delete", "deletecollection"})
REVIEWS = frozenset({"authorization.k8s.io", "authentication.k8s.io"})


@dataclass(frozen=True)
class Call:
    """One finished request."""

    time: float
    verb: str
    uri: str
    user: str
    code: int
    agent: str
    dry_run: bool
    review: bool  #: an access or token review: a POST that stores nothing

    @property
    def internal(self) -> bool:
        """Made by the control plane or the node: a `system:` user other than a ServiceAccount outside kube-system."""
        account = self.user.startswith("system:serviceaccount:") and not self.user.startswith("system:serviceaccount:kube-system:")
        return self.user.startswith("system:") and not account

    @property
    def guarded_off(self) -> bool:
        """A write that its own guard refused: it stored nothing, and was sent."""
        return self.verb in WRITES and not self.dry_run and not self.review and self.code in (409, 422)

    @property
    def write(self) -> bool:
        """Did it store something?"""
        return self.verb in WRITES and not self.dry_run and not self.review and 200 <= self.code < 300


def _call(event: dict[str, Any]) -> Call:
    moment = dt.datetime.fromisoformat(event["requestReceivedTimestamp"].replace("Z", "+00:00")).timestamp()
    reference = event.get("objectRef") or {}
    query = parse_qs(urlsplit(event["requestURI"]).query)
    review = reference.get("apiGroup") in REVIEWS or reference.get("subresource") == "token"
    return Call(
        moment,
        event["verb"],
        event["requestURI"],
        event["user"].get("username", ""),
        event.get("responseStatus", {}).get("code", 0),
        event.get("userAgent", ""),
        "dryRun" in query,
        review,
    )


def calls(log: Path, since: float = 0) -> Iterator[Call]:
    """Every finished request received at or after the Unix time `since`; a line being written is left for later."""
    with open(log, "rb") as file:
        for line in file:
            if not line.endswith(b"\n"):
                return
            event = json.loads(line)
            if event["stage"] in ("ResponseComplete", "Panic"):
                call = _call(event)
                if call.time >= since:
                    yield call
