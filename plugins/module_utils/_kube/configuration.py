# SPDX-License-Identifier: GPL-3.0-or-later
"""From options to one Connection. PRIVATE: can change at any time.

The order is kubernetes.core's, with one difference: which cluster is meant is always said. Neither ~/.kube/config nor
the cluster that we may be running in is taken unasked.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import replace
from typing import Any
from urllib.parse import urlsplit

from .._errors import InvalidSettings
from . import kubeconfig
from .connection import Connection, User
from .credentials import check
from .libraries import require_urllib3, urllib3
from .options import Options, options_from
from .stanzas import connection_of, file_text

IN_CLUSTER = "in-cluster"
"""The value of ``kubeconfig`` that asks for the service account of the pod we run in."""

SERVICE_ACCOUNT = "/var/run/secrets/kubernetes.io/serviceaccount"

_MINIMAL = "Give kubeconfig or context, or host with api_key or with client_cert and client_key."


def connection_from(params: Mapping[str, Any], environ: Mapping[str, str]) -> Connection:
    """The connection that ``params`` and the ``K8S_AUTH_*`` variables of ``environ`` describe; nothing is sent.

    Raises InvalidSettings, naming the option or the file that cannot be used.
    """
    options = options_from(params, environ)
    _refuse_passwords(options)
    base = _base(options, environ)
    connection = _with_identity(_with_server(base, options), options)
    if not connection.server.startswith(("https://", "http://")):
        raise InvalidSettings(f"The address {connection.server!r} of {connection.where} has no scheme.", "Begin it with https://.")
    check(connection.user)
    return connection


def _base(options: Options, environ: Mapping[str, str]) -> Connection:
    complete = options.host and (options.api_key or (options.client_cert and options.client_key))
    if complete:
        return Connection(server="")
    if options.kubeconfig == IN_CLUSTER:
        return _in_cluster(environ)
    if options.kubeconfig or options.context:
        source = options.kubeconfig or environ.get("KUBECONFIG") or "~/.kube/config"
        return connection_of(kubeconfig.choose(source, options.context), environ)
    if options.host:
        return Connection(server="")
    raise InvalidSettings("The options name no cluster, and none is chosen by guessing.", _MINIMAL)


def _in_cluster(environ: Mapping[str, str]) -> Connection:
    host, port = environ.get("KUBERNETES_SERVICE_HOST", ""), environ.get("KUBERNETES_SERVICE_PORT", "443")
    token_file = os.path.join(SERVICE_ACCOUNT, "token")
    if not host or not os.path.exists(token_file):
        raise InvalidSettings(
            "kubeconfig is in-cluster, but we are not in a pod that has a service account token.",
            "Run in a pod with automountServiceAccountToken, or give a kubeconfig.",
        )
    host = f"[{host}]" if ":" in host else host
    where = "the pod's service account"
    authority = file_text(os.path.join(SERVICE_ACCOUNT, "ca.crt"), f"certificate authority of {where}")
    user = User(where=where, token_file=token_file)
    return Connection(server=f"https://{host}:{port}", authority=authority, user=user, where=where)


def _refuse_passwords(options: Options) -> None:
    if options.username:
        raise InvalidSettings(
            "username and password are given, but no supported Kubernetes accepts them.",
            "Give api_key, client_cert and client_key, or a kubeconfig.",
        )


def _with_server(base: Connection, options: Options) -> Connection:
    """Options about the way to the server stand above the kubeconfig."""
    authority = base.authority
    if options.ca_cert:
        authority = file_text(os.path.expanduser(options.ca_cert), "certificate authority in the option ca_cert")
    server = (options.host or base.server).rstrip("/")
    proxy = options.proxy or base.proxy
    _check_proxy(proxy)
    return replace(
        base,
        server=server,
        verify=base.verify if options.validate_certs is None else options.validate_certs,
        authority=authority,
        proxy="" if _bypassed(server, options.no_proxy) else proxy,
        proxy_headers=_headers(options.proxy_headers),
    )


def _with_identity(base: Connection, options: Options) -> Connection:
    """Credentials in the options replace those of the kubeconfig: an API server prefers a certificate to a token."""
    user = base.user
    if options.api_key or options.client_cert or options.client_key:
        user = User(
            token=options.api_key.removeprefix("Bearer "),
            certificate_file=_absolute(options.client_cert),
            key_file=_absolute(options.client_key),
        )
    return replace(
        base,
        user=user,
        impersonate_user=options.impersonate_user or base.impersonate_user,
        impersonate_groups=options.impersonate_groups or base.impersonate_groups,
    )


def _absolute(path: str) -> str:
    return os.path.abspath(os.path.expanduser(path)) if path else ""


def _check_proxy(proxy: str) -> None:
    if proxy and not proxy.startswith(("http://", "https://")):
        shown = proxy.rpartition("@")[2]  # without a password
        raise InvalidSettings(f"The proxy {shown!r} cannot be used.", "Give an http:// or https:// proxy.")


def _bypassed(server: str, no_proxy: str) -> bool:
    if not no_proxy:
        return False
    import urllib.request  # costs time, and hardly anyone has no_proxy

    bypass = urllib.request.proxy_bypass_environment  # type: ignore[attr-defined]  # not in typeshed; requests uses it
    return bool(bypass(urlsplit(server).netloc, {"no": no_proxy}))


def _headers(kinds: Mapping[str, str]) -> Mapping[str, str]:
    if not kinds:
        return {}
    require_urllib3()
    return dict(urllib3.util.make_headers(**dict(kinds)))  # type: ignore[arg-type]  # its three keyword names
