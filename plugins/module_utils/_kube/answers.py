# SPDX-License-Identifier: GPL-3.0-or-later
"""What an answer of the API server means. PRIVATE: can change at any time.

Seen on a real one: a failed ``test`` is 422 without causes, as is a malformed patch; a wrong precondition is 409
``Conflict``; a name that exists is 409 ``AlreadyExists``.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from .._errors import Conflict, Forbidden, Rejected, Unauthorised, UnknownOutcome, Unreachable, WgeError

_NOT_SERVED = b"404 page not found"
_LONGEST_MESSAGE = 500


@dataclass(frozen=True, slots=True)
class Request:
    """One request. ``persists`` is true for a write that is not a dry run; only such a one has an unknown outcome."""

    method: str
    path: str
    server: str
    body: bytes | None = None
    headers: Mapping[str, str] | None = None
    persists: bool = False

    def __str__(self) -> str:
        return f"{self.method} {self.path.partition('?')[0]} on {self.server}"


def status_object(body: bytes) -> dict[str, Any] | None:
    """The ``kind: Status`` that an API server sends with its errors, None for anybody else's answer."""
    if b'"Status"' not in body:
        return None
    try:
        found = json.loads(body)
    except ValueError:
        return None
    return found if isinstance(found, dict) and found.get("kind") == "Status" else None


def is_missing(status: int, body: bytes) -> bool:
    """Whether this is an API server's own 404. Anybody else's proves nothing about the object."""
    return status == 404 and (status_object(body) is not None or body.strip() == _NOT_SERVED)


def message_of(body: bytes) -> str:
    """The server's message, on one line; empty when it gave none."""
    found = status_object(body)
    text = " ".join(str((found or {}).get("message") or "").split())
    # A decoder's message quotes the body around the error, and that may be a Secret's.
    return text.partition(", error found in #")[0][:_LONGEST_MESSAGE]


def is_webhook_failure(body: bytes) -> bool:
    """Whether an admission webhook did not work: a 500, but nothing was stored."""
    return "failed calling webhook" in message_of(body)


def error_of(request: Request, status: int, body: bytes) -> WgeError:
    """The error that an answer of 400 or more stands for; 401, 429 and what can be retried are the client's."""
    message = message_of(body).removesuffix(".") or f"HTTP {status}"  # the sentences below end it
    if status == 401:
        return unauthorised(request, message)
    if status == 403:
        return Forbidden(f"{request} is forbidden: {message}.", "Give our user this right, or change the policy.")
    if status == 409:
        return _conflict(request, message, body)
    if status == 422 and request.method == "PATCH" and not _causes(body):
        return Conflict(f"{request} did not pass its tests: the object has changed.", _READ_AGAIN, reason="Invalid")
    if request.method == "GET" and status_object(body) is None:
        return not_an_api_server(request, f"HTTP {status}")
    if status >= 500 and not is_webhook_failure(body):
        return unknown(request, message) if request.persists else unreachable(request, message)
    return Rejected(f"{request} was refused: {message}.", "Correct what it names, then run again.")


def unauthorised(request: Request, message: str) -> Unauthorised:
    """The API server does not accept who we are."""
    return Unauthorised(
        f"{request}: our credentials are not accepted ({message}).",
        "Log in again, or give another token, certificate or kubeconfig.",
    )


def unknown(request: Request, reason: str) -> UnknownOutcome:
    """A write that may have happened."""
    return UnknownOutcome(f"{request} may or may not have happened: {reason}.", "Read the object again before going on.")


def unreachable(request: Request, reason: str) -> Unreachable:
    """No usable answer, and no more patience."""
    return Unreachable(f"{request} failed: {reason}.", "Check the address, the proxy and the network between here and the API server.")


def not_an_api_server(request: Request, what: str) -> Unreachable:
    """Somebody else answered: a proxy, a login page, a load balancer."""
    return Unreachable(f"{request} was not answered by a Kubernetes API server ({what}).", "Check the address of the API server.")


_READ_AGAIN = "Run again: the object is read anew."


def _conflict(request: Request, message: str, body: bytes) -> Conflict:
    reason = str((status_object(body) or {}).get("reason") or "Conflict")
    return Conflict(f"{request} met a conflict: {message}.", _READ_AGAIN, reason=reason)


def _causes(body: bytes) -> list[Any]:
    details = (status_object(body) or {}).get("details")
    causes = details.get("causes") if isinstance(details, dict) else None
    return causes if isinstance(causes, list) else []
