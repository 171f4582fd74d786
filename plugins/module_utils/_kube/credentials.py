# SPDX-License-Identifier: GPL-3.0-or-later
"""Credentials that renew themselves. PRIVATE: can change at any time.

One object may be shared by the client, the probes and the watch: a credential program then runs once for all of them.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timezone

from .._errors import InvalidSettings, WgeError
from . import exec_plugin
from .certificates import not_after
from .connection import ExecPlugin, User
from .stanzas import file_text

MARGIN = 10.0
"""Seconds before the end of a credential at which the next one is fetched."""

FILE_AGE = 60.0
"""Seconds after which a token file is read again, as client-go does: a kubelet rewrites it hourly."""


@dataclass(frozen=True, slots=True, eq=False)
class Identity:
    """What is shown to the API server. ``expires`` is in seconds since 1970."""

    token: str = field(default="", repr=False)
    certificate: str = field(default="", repr=False)
    key: str = field(default="", repr=False)
    expires: float | None = None

    def same_as(self, other: Identity) -> bool:
        """Whether the API server would see the same."""
        return (self.token, self.certificate, self.key) == (other.token, other.certificate, other.key)


class Credentials:
    """The identity of a user, fetched on first use and again in time. Threads may share it."""

    def __init__(self, user: User, *, now: Callable[[], float] = time.time) -> None:
        self._user = user
        self._now = now
        self._lock = threading.Lock()
        self._identity: Identity | None = None

    def current(self) -> Identity:
        """The identity to use now; raises Unauthorised or InvalidSettings when it cannot be obtained."""
        identity = self._identity
        if identity is None or self._ends_soon(identity):
            with self._lock:
                identity = self._identity
                if identity is None or self._ends_soon(identity):
                    identity = self._identity = self._fetch(identity)
        return identity

    def renew(self, rejected: Identity) -> bool:
        """Fetch again because the API server said 401 to ``rejected``. False when that gave nothing new."""
        with self._lock:
            if self._identity is rejected or self._identity is None:
                self._identity = load(self._user, self._now())
            return not self._identity.same_as(rejected)

    def _ends_soon(self, identity: Identity) -> bool:
        return identity.expires is not None and self._now() >= identity.expires - MARGIN

    def _fetch(self, previous: Identity | None) -> Identity:
        try:
            return load(self._user, self._now())
        except WgeError:
            # A hiccup of the program matters only once the credential has really ended.
            if previous is not None and previous.expires is not None and self._now() < previous.expires:
                return previous
            raise


def check(user: User) -> None:
    """Read the files of ``user`` and look at its certificate, running no program; raises InvalidSettings."""
    if user.plugin is None:
        load(user, time.time())


def load(user: User, now: float) -> Identity:
    """The identity that ``user`` describes at the moment; raises InvalidSettings or Unauthorised."""
    if user.plugin is not None and not user.token:
        return _from_plugin(user.plugin, user.where)
    certificate = user.certificate or _text_of(user.certificate_file, "client certificate", user)
    key = user.key or _text_of(user.key_file, "client key", user)
    if bool(certificate) != bool(key):
        raise InvalidSettings(
            f"The client {'key' if certificate else 'certificate'} of {user.where} is missing.",
            "Give the client certificate and its key together.",
        )
    _refuse_expired(certificate, user, now)
    token = user.token or _text_of(user.token_file, "token", user).strip()
    from_file = bool(user.token_file) and not user.token
    return Identity(token, certificate, key, now + FILE_AGE if from_file else None)


def _from_plugin(plugin: ExecPlugin, where: str) -> Identity:
    status = exec_plugin.run(plugin, where)
    certificate = str(status.get("clientCertificateData") or "")
    ends = [exec_plugin.seconds_of(str(status.get("expirationTimestamp") or ""))]
    end_of_certificate = not_after(certificate)
    ends.append(end_of_certificate.timestamp() if end_of_certificate else None)
    return Identity(
        token=str(status.get("token") or ""),
        certificate=certificate,
        key=str(status.get("clientKeyData") or ""),
        expires=min((end for end in ends if end is not None), default=None),
    )


def _text_of(path: str, what: str, user: User) -> str:
    return file_text(path, f"{what} of {user.where}") if path else ""


def _refuse_expired(certificate: str, user: User, now: float) -> None:
    end = not_after(certificate) if certificate else None
    if end is not None and end <= datetime.fromtimestamp(now, timezone.utc):
        raise InvalidSettings(
            f"The client certificate of {user.where} expired on {end:%Y-%m-%d at %H:%M} UTC.",
            "Fetch a new kubeconfig or a new certificate.",
        )
