# SPDX-License-Identifier: GPL-3.0-or-later
"""One request to the dashboard at a time, through the API server's proxy or at an entry URL. PRIVATE: can change at any time.

The probes (`_probe.py`) ask two paths all the time; this asks each path once, with a body and a login when there is one. An entry
never sees our token for the API server.
"""

from __future__ import annotations

from collections.abc import Mapping

from ._engine.model import Answer, Vantage
from ._errors import Unreachable
from ._kube import faults
from ._kube.connection import Connection
from ._kube.credentials import Credentials
from ._kube.libraries import urllib3
from ._kube.transport import Transport

TIMEOUT = 5.0
LONGEST_BODY = 4 << 20
"""More of an answer is not read."""


class HttpCaller:
    """The Caller of ``_engine.continuity``. ``connection`` is the API server's.

    Each request opens a connection of its own: one that was opened before a flip leads to WG for as long as it lives.
    """

    def __init__(self, connection: Connection, credentials: Credentials) -> None:
        self._connection = connection
        self._credentials = credentials
        self._transports: dict[str, Transport] = {}

    def call(self, door: Vantage, method: str, path: str, headers: Mapping[str, str], body: bytes) -> Answer:
        """The answer, whatever its status. Raises Unreachable when there is none."""
        base = "" if door.kind == "entry" else door.address.rstrip("/")
        given = {**headers, **({"Content-Type": "application/json"} if body else {})}
        transport = self._transport(door)
        try:
            response = transport.send(method, base + path, body=body or None, headers=given, stream=True)
            content = response.read(LONGEST_BODY, decode_content=True)
        except urllib3.exceptions.HTTPError as error:
            raise Unreachable(f"{door.name} does not answer: {faults.words(error)}.", "Repair the way to the dashboard.") from None
        finally:
            transport.close()  # a server need not say that it closes, and a connection it is about to close must not be taken again
        return Answer(response.status, {name.lower(): value for name, value in response.headers.items()}, content)

    def _transport(self, door: Vantage) -> Transport:
        if door.name not in self._transports:
            self._transports[door.name] = self._new(door)
        return self._transports[door.name]

    def _new(self, door: Vantage) -> Transport:
        connection, credentials = self._connection, self._credentials
        if door.kind == "entry":
            connection = Connection(server=door.address.rstrip("/"), where=f"the entry {door.name}")
            credentials = Credentials(connection.user)  # nobody
        return Transport(
            connection, credentials, headers={"Connection": "close"}, connections=1, connect_seconds=TIMEOUT, read_seconds=TIMEOUT
        )
