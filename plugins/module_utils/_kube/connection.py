# SPDX-License-Identifier: GPL-3.0-or-later
"""What is known about one API server and our user there, as plain data. PRIVATE: can change at any time."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

EXEC_EXTENSION = "client.authentication.k8s.io/exec"
"""The extension of a kubeconfig's cluster that is told to a credential program as ``config``."""


@dataclass(frozen=True, slots=True)
class ExecPlugin:
    """A program of a kubeconfig that hands out credentials (``users[].user.exec``).

    ``command`` is absolute when the kubeconfig gave a path. ``environment`` is the whole one of the program.
    ``variables`` is the part of it that the kubeconfig adds. ``cluster`` is told to the program when it wants that.
    """

    command: str
    arguments: Sequence[str]
    api_version: str
    environment: Mapping[str, str] = field(repr=False)
    variables: Mapping[str, str] = field(default_factory=dict, repr=False)
    cluster: Mapping[str, Any] | None = field(default=None, repr=False)
    install_hint: str = ""


@dataclass(frozen=True, slots=True)
class User:
    """Where our credentials come from. Certificates and keys are PEM texts or absolute paths; all empty is anonymous."""

    where: str = "the options"
    token: str = field(default="", repr=False)
    token_file: str = ""
    certificate: str = field(default="", repr=False)
    certificate_file: str = ""
    key: str = field(default="", repr=False)
    key_file: str = ""
    plugin: ExecPlugin | None = None


@dataclass(frozen=True, slots=True)
class Connection:
    """How to reach one API server, or one entry URL of a dashboard.

    ``server`` is a URL without a trailing slash, it may have a path. ``authority`` is a PEM text, empty means the
    authorities of this machine. ``server_name`` replaces the host in the check of the server's certificate. ``proxy`` is
    already empty when ``no_proxy`` names the server. ``where`` says in words where all this was read.
    """

    server: str
    user: User = field(default_factory=User)
    verify: bool = True
    authority: str = field(default="", repr=False)
    server_name: str = ""
    proxy: str = field(default="", repr=False)
    proxy_headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    impersonate_user: str = ""
    impersonate_groups: tuple[str, ...] = ()
    where: str = "the options"
