# SPDX-License-Identifier: GPL-3.0-or-later
"""Runs the credential program of a kubeconfig. PRIVATE: can change at any time.

The kubernetes library can do this too, but importing it costs more CPU than a whole preflight, and it neither knows a
time limit nor renews in time.
"""

from __future__ import annotations

import json
import re
import subprocess
from collections.abc import Mapping
from datetime import datetime, timezone
from typing import Any

from .._errors import Unauthorised
from .connection import ExecPlugin

TIME_LIMIT = 60.0
"""Seconds the program may take."""


def run(plugin: ExecPlugin, where: str) -> Mapping[str, Any]:
    """The ``status`` of the ExecCredential that the program prints; raises Unauthorised, quoting its last line."""
    try:
        done = subprocess.run(  # noqa: S603 - the kubeconfig names the program, no shell is involved
            [plugin.command, *plugin.arguments],
            env={**plugin.environment, "KUBERNETES_EXEC_INFO": _told(plugin)},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=TIME_LIMIT,
            start_new_session=True,
            check=False,
        )
    except subprocess.TimeoutExpired:
        raise _failure(plugin, where, f"did not end within {TIME_LIMIT:.0f} s") from None
    except OSError as error:
        raise _failure(plugin, where, f"cannot be started: {error.strerror}", plugin.install_hint) from None
    if done.returncode:
        lines = done.stderr.decode(errors="replace").split("\n")
        last = next((line.strip() for line in reversed(lines) if line.strip()), "it said nothing")
        raise _failure(plugin, where, f"ended with code {done.returncode}: {last}")
    return _status(plugin, where, done.stdout)


def seconds_of(timestamp: str) -> float | None:
    """An RFC 3339 time as seconds since 1970, None when it is not one."""
    plain = re.sub(r"\.\d+", "", timestamp.strip()).replace("Z", "+00:00").replace("z", "+00:00")
    try:
        moment = datetime.fromisoformat(plain)
    except ValueError:
        return None
    return (moment if moment.tzinfo else moment.replace(tzinfo=timezone.utc)).timestamp()


def _told(plugin: ExecPlugin) -> str:
    spec: dict[str, Any] = {"interactive": False}
    if plugin.cluster is not None:
        spec["cluster"] = plugin.cluster
    return json.dumps({"apiVersion": plugin.api_version, "kind": "ExecCredential", "spec": spec})


def _status(plugin: ExecPlugin, where: str, output: bytes) -> Mapping[str, Any]:
    try:
        answer = json.loads(output)
    except ValueError:
        raise _failure(plugin, where, "did not print JSON") from None
    if not isinstance(answer, Mapping) or answer.get("kind") != "ExecCredential":
        raise _failure(plugin, where, "did not print an ExecCredential")
    if answer.get("apiVersion") != plugin.api_version:
        raise _failure(plugin, where, f"answered in version {answer.get('apiVersion')!r}, not {plugin.api_version!r}")
    status = answer.get("status")
    if not isinstance(status, Mapping) or not (
        status.get("token") or (status.get("clientCertificateData") and status.get("clientKeyData"))
    ):
        raise _failure(plugin, where, "printed neither a token nor a client certificate with its key")
    return status


def _failure(plugin: ExecPlugin, where: str, what: str, hint: str = "") -> Unauthorised:
    next_step = hint or "Run it by hand, or log in again with the tool that made the kubeconfig."
    return Unauthorised(f"The credential program {plugin.command} of {where} {what}.", next_step)
