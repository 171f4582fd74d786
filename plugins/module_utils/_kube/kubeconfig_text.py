# SPDX-License-Identifier: GPL-3.0-or-later
"""A Connection written as a kubeconfig of one context, for the helm program. PRIVATE: can change at any time.

It is made from the Connection and not copied from the user's file: what the options override must hold for helm too.
"""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Iterator
from typing import Any
from urllib.parse import quote, urlsplit, urlunsplit

from .connection import EXEC_EXTENSION, Connection, ExecPlugin, User

SOUNDS_SECRET = re.compile(r"pass|token|secret|credential|key|entitlement|hash|cert", re.IGNORECASE)
"""Names of values that are taken out of messages."""

_NAME = "wge"


def kubeconfig_text(connection: Connection) -> str:
    """The kubeconfig as JSON, which is YAML. It holds secrets."""
    return json.dumps(
        {
            "apiVersion": "v1",
            "kind": "Config",
            "current-context": _NAME,
            "contexts": [{"name": _NAME, "context": {"cluster": _NAME, "user": _NAME}}],
            "clusters": [{"name": _NAME, "cluster": _given(_cluster(connection))}],
            "users": [{"name": _NAME, "user": _given(_user(connection))}],
        }
    )


def secrets_of(connection: Connection) -> Iterator[str]:
    """Texts that a message must never repeat."""
    user = connection.user
    yield from (user.token, user.key, urlsplit(connection.proxy).password or "")
    if user.plugin:
        variables = user.plugin.variables.items()
        yield from (value for name, value in variables if SOUNDS_SECRET.search(name))


def _cluster(connection: Connection) -> dict[str, Any]:
    return {
        "server": connection.server,
        "insecure-skip-tls-verify": not connection.verify,
        # Go refuses an authority beside insecure-skip-tls-verify.
        "certificate-authority-data": _encoded(connection.authority) if connection.verify else "",
        "tls-server-name": connection.server_name,
        "proxy-url": _proxy_url(connection),
        "extensions": _extensions(connection.user.plugin),
    }


def _extensions(plugin: ExecPlugin | None) -> list[dict[str, Any]]:
    """What a credential program is told about the cluster beside its address."""
    if plugin is None or plugin.cluster is None or "config" not in plugin.cluster:
        return []
    return [{"name": EXEC_EXTENSION, "extension": plugin.cluster["config"]}]


def _user(connection: Connection) -> dict[str, Any]:
    user = connection.user
    return {
        **_static(user),
        "exec": _exec(user.plugin) if user.plugin else None,
        "as": connection.impersonate_user,
        "as-groups": list(connection.impersonate_groups),
    }


def _static(user: User) -> dict[str, Any]:
    return {
        "token": user.token,
        "tokenFile": user.token_file if not user.token else "",
        "client-certificate-data": _encoded(user.certificate),
        "client-certificate": user.certificate_file if not user.certificate else "",
        "client-key-data": _encoded(user.key),
        "client-key": user.key_file if not user.key else "",
    }


def _exec(plugin: ExecPlugin) -> dict[str, Any]:
    return {
        "apiVersion": plugin.api_version,
        "command": plugin.command,
        "args": list(plugin.arguments),
        "env": [{"name": name, "value": value} for name, value in plugin.variables.items()],
        "interactiveMode": "Never",
        "provideClusterInfo": plugin.cluster is not None,
    }


def _proxy_url(connection: Connection) -> str:
    """The proxy with the login that the headers carry: a kubeconfig has no other place for it."""
    parts = urlsplit(connection.proxy)
    header = connection.proxy_headers.get("proxy-authorization", "")
    if not parts.netloc or parts.username or not re.match("basic ", header, re.IGNORECASE):
        return connection.proxy
    name, _colon, password = base64.b64decode(header[6:]).decode().partition(":")
    login = f"{quote(name, safe='')}:{quote(password, safe='')}"
    return urlunsplit(parts._replace(netloc=f"{login}@{parts.netloc}"))


def _encoded(text: str) -> str:
    return base64.b64encode(text.encode()).decode() if text else ""


def _given(content: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in content.items() if value}
