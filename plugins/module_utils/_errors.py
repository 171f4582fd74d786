# SPDX-License-Identifier: GPL-3.0-or-later
"""The one exception family of the collection. PRIVATE: can change at any time.

Raised anywhere below the front ends, turned into a message at one place (``_front``).
Every error is a sentence for a person: what is wrong, where, and what to do next. Each class carries
the verdict that a cluster gets when the error ends its climb.
"""

from __future__ import annotations


class WgeError(Exception):
    """Something that can be expected went wrong.

    ``what`` says what is wrong and where, ``next_step`` what a person does about it.
    """

    verdict = "safe_stop"

    def __init__(self, what: str, next_step: str = "") -> None:
        self.what = what
        self.next_step = next_step
        super().__init__(f"{what} {next_step}".strip())


class InvalidSettings(WgeError):
    """An option, an inventory value or a local file cannot be used; nothing was sent to the cluster."""

    verdict = "blocked"


class Blocked(WgeError):
    """The cluster was read and must not be upgraded as it is; nothing was written."""

    verdict = "blocked"


class Unreachable(WgeError):
    """The API server did not answer (network, TLS, proxy, 5xx) within the retry budget."""

    verdict = "unreachable"


class Unauthorised(WgeError):
    """The API server does not accept our credentials (401, or they cannot be obtained)."""

    verdict = "unreachable"


class Forbidden(WgeError):
    """The API server refused one request (403): missing rights, or an admission policy's own words."""


class Rejected(WgeError):
    """The API server understood a request and refused its content (400, 404 on a write, 422 with causes)."""


class Conflict(WgeError):
    """A guard of a write did not hold: a failed ``test`` (422), a precondition (409), or the name exists (409).

    ``reason`` is the API server's own reason: ``Invalid``, ``Conflict`` or ``AlreadyExists``.
    """

    def __init__(self, what: str, next_step: str = "", *, reason: str = "Conflict") -> None:
        super().__init__(what, next_step)
        self.reason = reason


class UnknownOutcome(WgeError):
    """A write was sent and its answer was lost: it may or may not have happened, so read back."""


class HelmFailed(WgeError):
    """The helm program is missing or answered with an error."""


class GitFailed(WgeError):
    """The git program is missing or answered with an error; nothing was sent to a cluster."""

    verdict = "blocked"


class Interrupted(WgeError):
    """We were told to stop (signal, deadline, controller gone); traffic stays where it last worked."""


class SafeStop(WgeError):
    """The cluster's state cannot be judged, so nothing more is written."""


class StepFailed(WgeError):
    """A step did not reach what it is for (WGE not ready in time, no endpoint, no entitlement); it is taken back."""

    verdict = "rolled_back"


class TrafficFault(WgeError):
    """The dashboard's traffic went red after the flip; the flip is reversed."""

    verdict = "rolled_back"


class RolledBack(WgeError):
    """The climb failed and everything it had done was taken back; WG serves."""

    verdict = "rolled_back"
