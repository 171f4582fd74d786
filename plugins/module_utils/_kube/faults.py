# SPDX-License-Identifier: GPL-3.0-or-later
"""What an exception of urllib3 means, in a few words, and whether our bytes may have arrived. PRIVATE."""

from __future__ import annotations

import socket
import ssl

from .libraries import urllib3


def nothing_was_sent(error: Exception) -> bool:
    """Whether the failure came before the first byte of the request, so that even a write may be sent again."""
    known = urllib3.exceptions
    return isinstance(error, (known.NewConnectionError, known.ConnectTimeoutError, known.ProxyError)) or (untrusted(error) != "")


def untrusted(error: BaseException) -> str:
    """Why the server's certificate was refused, empty when that is not what happened."""
    for cause in _causes(error):
        if isinstance(cause, ssl.SSLCertVerificationError):
            return str(cause.verify_message or cause.reason)
    return ""


def words(error: Exception) -> str:
    """The failure in a few words, without addresses of Python objects."""
    known = urllib3.exceptions
    reason = untrusted(error)
    if reason:
        return f"its certificate is not trusted ({reason})"
    if isinstance(error, known.NewConnectionError):  # before ConnectTimeoutError, of which it is one in urllib3 1.26
        return _innermost(error)
    if isinstance(error, known.ConnectTimeoutError):
        return "no connection in time"
    if isinstance(error, known.TimeoutError):
        return "no answer in time"
    prefix = "the proxy: " if isinstance(error, known.ProxyError) else ""
    return prefix + _innermost(error)


def _innermost(error: Exception) -> str:
    for cause in reversed(list(_causes(error))):
        if isinstance(cause, socket.gaierror):
            return "its name is not known here"
        if isinstance(cause, ConnectionRefusedError):
            return "connection refused"
        if isinstance(cause, ssl.SSLError):
            return f"TLS failed ({(cause.reason or str(cause)).lower().replace('_', ' ')})"
        if isinstance(cause, TimeoutError):
            return "no connection in time"
        if isinstance(cause, ConnectionError):  # also http.client's RemoteDisconnected
            return "the connection was cut"
        if isinstance(cause, OSError) and (cause.strerror or cause.args):
            return str(cause.strerror or cause.args[0])
    cut = isinstance(error, urllib3.exceptions.ProtocolError)
    return "the answer was cut" if cut else type(error).__name__


def _causes(error: BaseException) -> list[BaseException]:
    """``error`` and what led to it, outermost first. urllib3 hands some on as an argument only."""
    found: list[BaseException] = []
    waiting: list[object] = [error]
    while waiting:
        cause = waiting.pop(0)
        if isinstance(cause, BaseException) and cause not in found:
            found.append(cause)
            waiting += [*cause.args, cause.__cause__, cause.__context__, getattr(cause, "original_error", None)]
    return found
