# SPDX-License-Identifier: GPL-3.0-or-later
"""What a running WGE makes of its entitlement, asked from outside without logging in (F6). PRIVATE.

The entitlement is judged before the login, so a protected address answers 500 without one and 401 with one.
"""

from __future__ import annotations

import json

from ..model import Answer

PROTECTED_PATH = "/v1/version"
EXPIRED_HEADER = "entitlement-expired-message"

ENTITLED, EXPIRED, NONE, NOT_RUNNING, UNKNOWN = "entitled", "expired", "none", "not running", "unknown"
"""What WGE shows: none means missing, malformed or signed by another key, which cannot be told apart from outside."""
ACCEPTED = (ENTITLED, EXPIRED)
"""WGE works."""

_ENTITLED = (200, 401, 404)
_GATEWAY = (502, 503, 504)


def proxy_path(namespace: str, service: str, port: int, scheme: str) -> str:
    """The API server's proxy path to a Service port; RBAC names the part ``http:name:port`` (10c)."""
    return f"/api/v1/namespaces/{namespace}/services/{scheme}:{service}:{port}/proxy"


def not_wges(answer: Answer) -> str:
    """Why an answer through the proxy is the API server's own and not WGE's; empty when it is WGE's."""
    if answer.status in _GATEWAY:
        return f"the API server itself says {answer.status}"
    status = _status_object(answer.body)
    if status is None:
        return ""
    words = " ".join(str(status.get("message") or "").split())[:300]
    return f"the API server itself says {answer.status}{f': {words}' if words else ''}"


def state_of(answer: Answer) -> str:
    """What WGE's own answer at ``PROTECTED_PATH`` says: one of the words above, UNKNOWN for a status that says nothing."""
    if answer.status == 500:
        return NONE
    if answer.status not in _ENTITLED:
        return UNKNOWN
    return EXPIRED if answer.headers.get(EXPIRED_HEADER) else ENTITLED


def _status_object(body: bytes) -> dict[str, object] | None:
    if b'"Status"' not in body:
        return None
    try:
        found = json.loads(body)
    except ValueError:
        return None
    return found if isinstance(found, dict) and found.get("kind") == "Status" else None
