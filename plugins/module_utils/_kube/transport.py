# SPDX-License-Identifier: GPL-3.0-or-later
"""Sends one HTTP request over kept connections, and nothing more. PRIVATE: can change at any time.

No retries, no redirects, no judgement. The pool is made on first use in this process: Ansible forks, and a connection
shared with the parent would mix up the answers of two clusters.
"""

from __future__ import annotations

import codecs
import os
import socket
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from .connection import Connection
from .credentials import Credentials, Identity
from .libraries import require_urllib3, urllib3
from .tls import context_for

if TYPE_CHECKING:
    from urllib3 import BaseHTTPResponse

USER_AGENT = "weaveworks.wge"

codecs.lookup("idna")  # Python loads it for the first look-up of a host name; here once for all workers, before they fork

_KEEP_ALIVE = (
    # A peer that vanished without a word is noticed after 25 s, in a quiet watch too.
    ("SO_KEEPALIVE", socket.SOL_SOCKET, 1),
    ("TCP_KEEPIDLE", socket.IPPROTO_TCP, 10),
    ("TCP_KEEPINTVL", socket.IPPROTO_TCP, 5),
    ("TCP_KEEPCNT", socket.IPPROTO_TCP, 3),
)


class Transport:
    """HTTP requests to the server of one Connection, with the identity of its user. Threads may share it."""

    def __init__(
        self,
        connection: Connection,
        credentials: Credentials,
        *,
        headers: Mapping[str, str] | None = None,
        connect_seconds: float = 5.0,
        read_seconds: float = 30.0,
        connections: int = 4,
    ) -> None:
        """``headers`` go with every request; ``connections`` is how many are kept open."""
        require_urllib3()
        self.connection = connection
        self._credentials = credentials
        self._headers = {"User-Agent": USER_AGENT, **(headers or {})}
        self._timeout = urllib3.Timeout(connect=connect_seconds, read=read_seconds)
        self._connections = connections
        self._prefix = urlsplit(connection.server).path.rstrip("/")
        self._process = 0
        self._identity: Identity | None = None
        self._identity_headers: Mapping[str, str] = self._headers
        self._pool: Any = None

    def send(
        self,
        method: str,
        path: str,
        *,
        body: bytes | None = None,
        headers: Mapping[str, str] | None = None,
        stream: bool = False,
        read_seconds: float | None = None,
    ) -> BaseHTTPResponse:
        """The answer to one request, whatever its status; with ``stream`` its body is still to be read.

        Raises what urllib3 raises, Unauthorised or InvalidSettings when there are no credentials.
        """
        identity = self._credentials.current()
        if identity is not self._identity or self._process != os.getpid():
            self._adopt(identity)
        timeout = self._timeout
        if read_seconds is not None:
            timeout = urllib3.Timeout(connect=timeout.connect_timeout, read=read_seconds)
        response: BaseHTTPResponse = self._pool.request(
            method,
            self._prefix + path,
            body=body,
            headers=self._merged(headers) if headers else self._identity_headers,
            retries=False,
            redirect=False,
            assert_same_host=False,
            timeout=timeout,
            preload_content=not stream,
            enforce_content_length=True,
        )
        return response

    def renew(self) -> bool:
        """Fetch credentials again after a 401. False when there are no others."""
        return self._identity is not None and self._credentials.renew(self._identity)

    def close(self) -> None:
        """Close the idle connections; the next request opens a new one."""
        pool, self._pool, self._identity = self._pool, None, None
        if pool is not None and self._process == os.getpid():
            pool.close()

    def _adopt(self, identity: Identity) -> None:
        """Use ``identity`` from now on. A pool lives as long as its certificate: TLS shows that once a connection."""
        known = self._identity
        same_pair = known is not None and (known.certificate, known.key) == (identity.certificate, identity.key)
        if not same_pair or self._process != os.getpid():
            self.close()
            self._pool = self._new_pool(identity)
            self._process = os.getpid()
        self._identity_headers = self._headers_of(identity)
        self._identity = identity

    def _headers_of(self, identity: Identity) -> Mapping[str, str]:
        connection = self.connection
        headers = dict(self._headers)
        if identity.token:
            headers["Authorization"] = f"Bearer {identity.token}"
        if connection.impersonate_user:
            headers["Impersonate-User"] = connection.impersonate_user
        if not connection.impersonate_groups:
            return headers
        several = urllib3.HTTPHeaderDict(headers)
        for group in connection.impersonate_groups:
            several.add("Impersonate-Group", group)
        return several

    def _merged(self, headers: Mapping[str, str]) -> Mapping[str, str]:
        if isinstance(self._identity_headers, dict):
            return {**self._identity_headers, **headers}
        merged = self._identity_headers.copy()  # type: ignore[attr-defined]  # an HTTPHeaderDict
        merged.update(headers)
        return merged  # type: ignore[no-any-return]

    def _new_pool(self, identity: Identity) -> Any:
        connection = self.connection
        settings: dict[str, Any] = {"maxsize": self._connections, "socket_options": list(_socket_options())}
        if connection.server.startswith("https:"):
            settings.update(self._tls_settings(identity))
        if not connection.proxy:
            return urllib3.connection_from_url(connection.server, **settings)
        if not connection.server.startswith("https:"):
            return _ProxiedPlain(connection, settings)
        manager = urllib3.ProxyManager(connection.proxy, proxy_headers=_proxy_headers(connection), **settings)
        return manager.connection_from_url(connection.server)

    def _tls_settings(self, identity: Identity) -> dict[str, Any]:
        connection = self.connection
        context = context_for(
            verify=connection.verify,
            authority=connection.authority,
            certificate=identity.certificate,
            key=identity.key,
            where=connection.where,
        )
        settings: dict[str, Any] = {"ssl_context": context}
        if connection.server_name:
            settings["server_hostname"] = connection.server_name
        if not connection.verify:
            settings["cert_reqs"] = "CERT_NONE"
            # Somebody asked for it; one more line for each connection tells nobody anything.
            urllib3.disable_warnings(urllib3.exceptions.InsecureRequestWarning)
        return settings


class _ProxiedPlain:
    """A plain http server behind a proxy: the proxy wants whole URLs, which only the manager sends."""

    def __init__(self, connection: Connection, settings: Mapping[str, Any]) -> None:
        self._manager = urllib3.ProxyManager(connection.proxy, proxy_headers=_proxy_headers(connection), **settings)
        parts = urlsplit(connection.server)
        self._base = f"{parts.scheme}://{parts.netloc}"

    def request(self, method: str, path: str, *, assert_same_host: bool, **settings: Any) -> Any:
        return self._manager.request(method, self._base + path, **settings)

    def close(self) -> None:
        self._manager.clear()


def _proxy_headers(connection: Connection) -> Mapping[str, str]:
    """The asked-for headers, with the name and password of the proxy's URL: urllib3 leaves those out."""
    parts = urlsplit(connection.proxy)
    if not parts.username or "proxy-authorization" in connection.proxy_headers:
        return connection.proxy_headers
    pair = f"{parts.username}:{parts.password or ''}"
    return {**connection.proxy_headers, **urllib3.util.make_headers(proxy_basic_auth=pair)}


def _socket_options() -> Iterator[tuple[int, int, int]]:
    yield (socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    for name, level, value in _KEEP_ALIVE:
        option = getattr(socket, name, None)  # macOS lacks some
        if option is not None:
            yield (level, option, value)
