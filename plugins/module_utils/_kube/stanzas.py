# SPDX-License-Identifier: GPL-3.0-or-later
"""What the ``cluster`` and the ``user`` of a kubeconfig say. PRIVATE: can change at any time."""

from __future__ import annotations

import base64
import binascii
import os
from collections.abc import Mapping
from typing import Any

from .._errors import InvalidSettings
from .connection import EXEC_EXTENSION, Connection, ExecPlugin, User
from .kubeconfig import Chosen, Entry

_EXEC_VERSIONS = ("client.authentication.k8s.io/v1", "client.authentication.k8s.io/v1beta1")


def connection_of(chosen: Chosen, environ: Mapping[str, str]) -> Connection:
    """The connection that the chosen entries describe; raises InvalidSettings."""
    cluster, user = chosen.cluster.content, chosen.user.content
    if not cluster.get("server"):
        raise InvalidSettings(f"The cluster of {chosen.where} has no server.", "Add its address as 'server'.")
    return Connection(
        server=str(cluster["server"]).rstrip("/"),
        user=_user(chosen, environ),
        verify=not cluster.get("insecure-skip-tls-verify"),
        authority=_authority(chosen),
        server_name=str(cluster.get("tls-server-name") or ""),
        proxy=str(cluster.get("proxy-url") or ""),
        impersonate_user=str(user.get("as") or ""),
        impersonate_groups=tuple(user.get("as-groups") or ()),
        where=chosen.where,
    )


def file_text(path: str, what: str) -> str:
    """The content of the file at ``path``; raises InvalidSettings, calling it ``what``."""
    try:
        with open(path, encoding="utf-8", errors="replace") as file:
            return file.read()
    except OSError as error:
        reason = "does not exist" if isinstance(error, FileNotFoundError) else f"cannot be read: {error.strerror}"
        raise InvalidSettings(f"The file {path}, {what}, {reason}.", "Correct the path or the file.") from None


def _user(chosen: Chosen, environ: Mapping[str, str]) -> User:
    entry, where = chosen.user, chosen.where
    content = entry.content
    _refuse_what_is_gone(content, where)
    return User(
        where=where,
        token=str(content.get("token") or "").strip(),
        token_file=_path(entry, "tokenFile"),
        certificate=_inline(content, "client-certificate-data", where),
        certificate_file=_path(entry, "client-certificate"),
        key=_inline(content, "client-key-data", where),
        key_file=_path(entry, "client-key"),
        plugin=_plugin(chosen, content["exec"], environ) if content.get("exec") else None,
    )


def _refuse_what_is_gone(user: Mapping[str, Any], where: str) -> None:
    if user.get("auth-provider"):
        raise InvalidSettings(
            f"The user of {where} has an auth-provider, which kubectl dropped in 1.26.",
            "Fetch a new kubeconfig with the provider's current tool; it has an exec entry instead.",
        )
    if user.get("username") or user.get("password"):
        raise InvalidSettings(
            f"The user of {where} has a username and a password, but no supported Kubernetes accepts them.",
            "Use a kubeconfig with a token, a client certificate or an exec entry.",
        )


def _authority(chosen: Chosen) -> str:
    inline = _inline(chosen.cluster.content, "certificate-authority-data", chosen.where)
    path = _path(chosen.cluster, "certificate-authority")
    return inline or (file_text(path, f"certificate authority of {chosen.where}") if path else "")


def _inline(content: Mapping[str, Any], key: str, where: str) -> str:
    try:
        return base64.b64decode("".join(str(content.get(key) or "").split()), validate=True).decode()
    except (binascii.Error, UnicodeDecodeError):
        raise InvalidSettings(
            f"{key} of {where} is not a base64 text of a PEM file.", f"Fetch the kubeconfig again, or correct {key}."
        ) from None


def _path(entry: Entry, key: str) -> str:
    path = str(entry.content.get(key) or "")
    return os.path.abspath(os.path.join(entry.folder, os.path.expanduser(path))) if path else ""


def _plugin(chosen: Chosen, stanza: Any, environ: Mapping[str, str]) -> ExecPlugin:
    where = chosen.where
    if not isinstance(stanza, Mapping) or not stanza.get("command"):
        raise InvalidSettings(f"The exec entry of {where} names no command.", "Add the program as 'command'.")
    version = str(stanza.get("apiVersion") or "")
    if version not in _EXEC_VERSIONS:
        raise InvalidSettings(f"The exec entry of {where} has apiVersion {version!r}.", f"Supported are {' and '.join(_EXEC_VERSIONS)}.")
    if stanza.get("interactiveMode") == "Always":
        raise InvalidSettings(
            f"The exec entry of {where} has interactiveMode Always, and nobody can be asked here.",
            "Use credentials that need no terminal.",
        )
    variables = {str(item["name"]): str(item.get("value") or "") for item in stanza.get("env") or ()}
    command = str(stanza["command"])
    if os.path.dirname(command):
        command = os.path.abspath(os.path.join(chosen.user.folder, os.path.expanduser(command)))
    return ExecPlugin(
        command=command,
        arguments=tuple(str(argument) for argument in stanza.get("args") or ()),
        api_version=version,
        environment={**environ, **variables},
        variables=variables,
        cluster=_told_cluster(chosen) if stanza.get("provideClusterInfo") else None,
        install_hint=" ".join(str(stanza.get("installHint") or "").split()),
    )


def _told_cluster(chosen: Chosen) -> dict[str, Any]:
    """The cluster as an ExecCredential tells it: what is in files goes in, our extension goes in as ``config``."""
    told = {
        key: value
        for key in ("server", "tls-server-name", "insecure-skip-tls-verify", "proxy-url")
        if (value := chosen.cluster.content.get(key))
    }
    authority = _authority(chosen)
    if authority:
        told["certificate-authority-data"] = base64.b64encode(authority.encode()).decode()
    for extension in chosen.cluster.content.get("extensions") or ():
        if extension.get("name") == EXEC_EXTENSION:
            told["config"] = extension.get("extension")
    return told
