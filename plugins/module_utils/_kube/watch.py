# SPDX-License-Identifier: GPL-3.0-or-later
"""What some objects say, moment by moment: of the EndpointSlices of some Services everything. PRIVATE: can change at any time.

One list, then a watch from the version of that list, so no change between the two is missed. A stream that ends goes on
from the last version seen; when the server no longer has that version the list is taken again and recorded as it is.
"""

from __future__ import annotations

import json
import socket
import threading
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

from .._engine.model import Clock, EndpointEvent, Object
from .._errors import Unreachable, WgeError
from . import answers, faults
from .answers import Request
from .connection import Connection
from .credentials import Credentials
from .libraries import urllib3
from .transport import Transport

if TYPE_CHECKING:
    from urllib3 import BaseHTTPResponse

SERVICE_LABEL = "kubernetes.io/service-name"
STREAM_SECONDS = 300
"""After this long the server ends a stream by itself."""

QUIET_SECONDS = 90.0
"""The server sends a bookmark about once a minute; a stream that is silent for longer is dead."""

OPENING_SECONDS = 4.0
"""For the first bytes of a stream; stop() cannot end this wait, so it is short."""

PAUSE_SECONDS = 0.5
"""Between two streams, so that a server in trouble is not hammered."""


class Watch:
    """Follows what of a collection is selected; what becomes of each object is its heirs' business."""

    def __init__(
        self,
        connection: Connection,
        credentials: Credentials,
        path: str,
        selected: Mapping[str, str],
        clock: Clock,
    ) -> None:
        """``path`` is the collection's; ``selected`` are the parameters of the query that say which of its objects."""
        self._transport = Transport(
            connection,
            credentials,
            headers={"Accept": "application/json"},
            connections=1,
        )
        self._path = path
        self._selected = dict(selected)
        self._clock = clock
        self._stop = threading.Event()
        self._stream: BaseHTTPResponse | None = None
        self._version = ""
        self.troubles: list[tuple[float, str]] = []
        """When the watch could not see, with the reason. Empty is what one wants."""

    def look(self) -> None:
        """Take the list and record it; raises Unreachable, Unauthorised, Forbidden or Rejected, trying nothing twice."""
        content = self._listed()
        self._version = content.get("metadata", {}).get("resourceVersion", "")
        self._listed_again(content.get("items") or [])

    def follow(self) -> None:
        """Watch until ``stop``; for a thread of its own. Troubles are remembered, none ends it."""
        while not self._stop.is_set():
            try:
                if not self._version:
                    self.look()
                self._watch()
            except urllib3.exceptions.HTTPError as error:
                self._remember(faults.words(error))
            except WgeError as error:
                self._remember(error.what)
            except Exception as error:
                # A stream cut by stop() fails in whatever layer is reading; anything else must not go unseen either.
                self._remember(f"{type(error).__name__}: {error}")
            self._stop.wait(PAUSE_SECONDS)
        self._transport.close()

    def stop(self) -> None:
        """End ``follow``, which another thread runs. Calling it twice is no error."""
        self._stop.set()
        wire = _wire(self._stream)
        if wire is not None:
            try:
                # The reader wakes up with an empty read. SSLSocket.shutdown would take its TLS state away under it.
                socket.socket.shutdown(wire, socket.SHUT_RDWR)
            except OSError:
                pass  # it has ended by itself

    def _remember(self, reason: str) -> None:
        if not self._stop.is_set():
            self.troubles.append((self._clock.monotonic(), reason))

    def _request(self, **query: str) -> Request:
        words = urlencode({**self._selected, **query})
        return Request("GET", f"{self._path}?{words}", self._transport.connection.server)

    def _listed(self) -> Object:
        request = self._request()
        try:
            response = self._answer(request, stream=False)
        except urllib3.exceptions.HTTPError as error:
            raise answers.unreachable(request, faults.words(error)) from None
        content = json.loads(response.data)
        if not isinstance(content, dict) or "items" not in content:
            raise answers.not_an_api_server(request, "the answer is not a list")
        return content

    def _answer(self, request: Request, *, stream: bool) -> BaseHTTPResponse:
        """A good answer; raises what any other stands for."""
        seconds = OPENING_SECONDS if stream else None
        response = self._transport.send("GET", request.path, stream=stream, read_seconds=seconds)
        if response.status == 401 and self._transport.renew():
            response.close()
            response = self._transport.send("GET", request.path, stream=stream, read_seconds=seconds)
        if response.status != 200:
            raise answers.error_of(request, response.status, response.data)
        return response

    def _watch(self) -> None:
        """One stream, to its end."""
        request = self._request(
            watch="true",
            allowWatchBookmarks="true",
            resourceVersion=self._version,
            timeoutSeconds=str(STREAM_SECONDS),
        )
        self._stream = self._answer(request, stream=True)
        try:
            wire = _wire(self._stream)
            if wire is not None:
                wire.settimeout(QUIET_SECONDS)
            if self._stop.is_set():  # stop() may have looked for the stream just before there was one
                return
            for line in _lines(self._stream):
                if self._stop.is_set():
                    return
                self._take(request, json.loads(line))
        finally:
            self._stream.close()
            self._stream = None

    def _take(self, request: Request, event: Object) -> None:
        kind, item = event.get("type"), event.get("object") or {}
        if kind == "ERROR":
            self._version = ""  # most often 410: the version is gone; a new list is right after any other error too
            if item.get("code") == 410:
                return
            raise Unreachable(f"{request}: the watch ended: {item.get('message')}.", "It is started again.")
        self._version = item["metadata"]["resourceVersion"]
        if kind != "BOOKMARK":
            self._record(item, deleted=kind == "DELETED")

    def _listed_again(self, items: Sequence[Object]) -> None:
        """All that is there, at the beginning and whenever changes may have been missed."""
        raise NotImplementedError

    def _record(self, item: Object, *, deleted: bool) -> None:
        """One change."""
        raise NotImplementedError


class EndpointWatch(Watch):
    """Follows the slices of ``services`` in ``namespace`` and remembers every change."""

    def __init__(
        self,
        connection: Connection,
        credentials: Credentials,
        namespace: str,
        services: Sequence[str],
        clock: Clock,
    ) -> None:
        path = f"/apis/discovery.k8s.io/v1/namespaces/{namespace}/endpointslices"
        super().__init__(connection, credentials, path, {"labelSelector": f"{SERVICE_LABEL} in ({','.join(services)})"}, clock)
        self._known: dict[str, str] = {}
        self.events: list[EndpointEvent] = []

    def _listed_again(self, items: Sequence[Object]) -> None:
        present = {item["metadata"]["name"] for item in items}
        for name in [name for name in self._known if name not in present]:
            self.events.append(EndpointEvent(self._clock.monotonic(), self._known.pop(name), name, (), (), deleted=True))
        for item in items:
            self._record(item, deleted=False)

    def _record(self, item: Object, *, deleted: bool) -> None:
        event = event_of(item, self._clock.monotonic(), deleted=deleted)
        self.events.append(event)
        if deleted:
            self._known.pop(event.slice, None)
        else:
            self._known[event.slice] = event.service


def event_of(item: Object, at: float, *, deleted: bool = False) -> EndpointEvent:
    """What the EndpointSlice ``item`` says. Without ports nothing can be reached, so nothing counts as ready."""
    metadata = item["metadata"]
    service = metadata.get("labels", {}).get(SERVICE_LABEL, "")
    ports = tuple(sorted((port.get("name") or "", port.get("port") or 0) for port in item.get("ports") or ()))
    ready = tuple(sorted(_ready_names(item.get("endpoints") or ()))) if ports and not deleted else ()
    return EndpointEvent(at, service, metadata["name"], ready, ports, deleted)


def _ready_names(endpoints: Sequence[Any]) -> Iterator[str]:
    for endpoint in endpoints:
        # Absent and null mean ready (API reference of EndpointConditions).
        if (endpoint.get("conditions") or {}).get("ready") is not False:
            target = endpoint.get("targetRef") or {}
            yield target.get("name") or ",".join(endpoint.get("addresses") or ())


def _wire(response: BaseHTTPResponse | None) -> socket.socket | None:
    """The socket below a stream, as long as there is one."""
    found = getattr(getattr(response, "connection", None), "sock", None)
    return found if isinstance(found, socket.socket) else None


def _lines(response: BaseHTTPResponse) -> Iterator[bytes]:
    """The lines of a stream as they come. A last one without its end is not whole, so it is left out."""
    waiting = b""
    for piece in response.stream(64 * 1024):
        *whole, waiting = (waiting + piece).split(b"\n")
        yield from (line for line in whole if line)
