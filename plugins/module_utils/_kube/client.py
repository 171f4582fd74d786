# SPDX-License-Identifier: GPL-3.0-or-later
"""The API server as the engine sees it. PRIVATE: can change at any time.

This is the one place that retries. A read is tried until the budget ends; a write is sent once, and again only when it is
certain that the server has not seen it.
"""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Sequence
from datetime import datetime
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

from .._clock import SystemClock
from .._engine.model import Answer, Clock, Counters, Object, Operation
from .._errors import Unreachable
from . import answers, faults
from .answers import Request
from .connection import Connection
from .credentials import Credentials
from .libraries import urllib3
from .patience import Patience
from .transport import USER_AGENT, Transport

if TYPE_CHECKING:
    from urllib3 import BaseHTTPResponse

FIELD_MANAGER = "weaveworks-wge"
PAGE = 500
RESTARTS = 3
LONGEST_RAW_BODY = 64 * 1024
HALF_A_SECOND = 0.5

Objects = list[Object]
"""Named here because KubeCluster has a method called list."""

_JSON = {"Content-Type": "application/json"}
_JSON_PATCH = {"Content-Type": "application/json-patch+json"}
_METADATA_ONLY = {"Accept": "application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1,application/json"}


class KubeCluster:
    """The Cluster of ``_engine.model`` over HTTP. Safe to make before a fork: it connects on first use."""

    def __init__(
        self,
        connection: Connection,
        *,
        credentials: Credentials | None = None,
        clock: Clock | None = None,
        keep_going: Callable[[], str] = lambda: "",
        budget: float = 60.0,
        user_agent: str = USER_AGENT,
    ) -> None:
        """``keep_going`` gives a reason to stop, or nothing; ``budget`` is how many seconds a read may be retried."""
        self.connection = connection
        self.credentials = credentials or Credentials(connection.user)
        self._transport = Transport(
            connection,
            self.credentials,
            headers={"User-Agent": user_agent, "Accept": "application/json", "Accept-Encoding": "gzip"},
        )
        self._clock = clock or SystemClock()
        self._keep_going = keep_going
        self._budget = budget
        self._lock = threading.Lock()
        self._counts = {"reads": 0, "writes": 0, "reviews": 0, "dry_runs": 0}
        self._latencies: list[float] = []
        self._date = ""
        self._date_seen: datetime | None = None

    @property
    def counters(self) -> Counters:
        """Requests sent so far, those that were sent again included."""
        return Counters(**self._counts)

    @property
    def server_time(self) -> datetime | None:
        """The ``Date`` of the newest answer, None before the first."""
        try:
            return parsedate_to_datetime(self._date)
        except (TypeError, ValueError):  # 3.10 raises the first for an empty text
            return None

    @property
    def skew(self) -> float | None:
        """Seconds by which the API server's clock was ahead of ours at its newest answer; its stamps have whole seconds only."""
        stamp = self.server_time
        return (stamp - self._date_seen).total_seconds() + HALF_A_SECOND if stamp and self._date_seen else None

    @property
    def latencies(self) -> Sequence[float]:
        """Seconds each answered read took, in order."""
        return self._latencies

    def get(self, path: str) -> Object | None:
        """The object at ``path``, None when it is not there. Raises Unreachable, Unauthorised, Forbidden, Rejected."""
        request = self._request("GET", path)
        response = self._answered(request, "reads")
        if answers.is_missing(response.status, response.data):
            return None
        return self._content(request, response, "reads")

    def list(
        self, path: str, *, labels: str = "", fields: str = "", metadata_only: bool = False, keep: Callable[[Object], Object] | None = None
    ) -> Objects:
        """All items of a collection, empty when it is not served; see the protocol. Raises what ``get`` raises."""
        query = {"limit": str(PAGE)}
        if labels:
            query["labelSelector"] = labels
        if fields:
            query["fieldSelector"] = fields
        for _attempt in range(RESTARTS + 1):
            items = self._all_pages(path, query, metadata_only, keep)
            if items is not None:
                return items
        raise Unreachable(
            f"GET {path} on {self.connection.server}: the list expired {RESTARTS + 1} times before its last page.",
            "The API server is too slow for its own lists; run again when it is less busy.",
        )

    def create(self, path: str, body: Object, *, dry_run: bool = False) -> Object:
        """POST to a collection. Raises Conflict with reason AlreadyExists, Forbidden, Rejected, UnknownOutcome, …"""
        return self._written("POST", path, body, _JSON, dry_run)

    def patch(self, path: str, operations: Sequence[Operation], *, dry_run: bool = False) -> Object:
        """JSON Patch of an object. Raises Conflict when a ``test`` fails, Forbidden, Rejected, UnknownOutcome, …"""
        return self._written("PATCH", path, list(operations), _JSON_PATCH, dry_run)

    def delete(self, path: str, *, uid: str, resource_version: str = "") -> None:
        """DELETE in the background, only the object with ``uid``; one that is gone is done. Raises as ``patch``."""
        preconditions = {"uid": uid}
        if resource_version:
            preconditions["resourceVersion"] = resource_version
        options = {
            "apiVersion": "v1",
            "kind": "DeleteOptions",
            "preconditions": preconditions,
            "propagationPolicy": "Background",
        }
        request = self._request("DELETE", path, options, persists=True)
        response = self._answered(request, "writes")
        if not answers.is_missing(response.status, response.data):
            self._content(request, response, "writes")

    def review(self, path: str, body: Object) -> Object:
        """POST of an access review, retried like a read. Raises what ``get`` raises."""
        request = self._request("POST", path, body)
        return self._content(request, self._answered(request, "reviews"), "reviews")

    def raw(self, path: str) -> Answer:
        """One GET, its answer as it is, the first 64 KiB of the body. Raises Unreachable when there is none.

        Only an API server's own 401 is answered with new credentials; the product behind it sends 401 too.
        """
        answer = self._raw(path)
        rejected = answer.status == 401 and answers.status_object(answer.body) is not None
        return self._raw(path) if rejected and self._transport.renew() else answer

    def close(self) -> None:
        """Close the connections. Using the cluster again opens new ones."""
        self._transport.close()

    def _request(self, method: str, path: str, body: Any = None, *, persists: bool = False) -> Request:
        data = None if body is None else json.dumps(body).encode()
        return Request(method, path, self.connection.server, data, _JSON if data else None, persists)

    def _written(self, method: str, path: str, body: Any, headers: dict[str, str], dry_run: bool) -> Object:
        path = f"{path}{'&' if '?' in path else '?'}fieldManager={FIELD_MANAGER}{'&dryRun=All' if dry_run else ''}"
        data = json.dumps(body).encode()
        request = Request(method, path, self.connection.server, data, headers, persists=not dry_run)
        kind = "dry_runs" if dry_run else "writes"
        return self._content(request, self._answered(request, kind), kind)

    def _all_pages(self, path: str, query: dict[str, str], metadata_only: bool, keep: Callable[[Object], Object] | None) -> Objects | None:
        """Every item, None when the list expired between two pages."""
        items: Objects = []
        token = ""
        while True:
            words = urlencode({**query, "continue": token} if token else query)
            headers = _METADATA_ONLY if metadata_only else None
            request = Request("GET", f"{path}?{words}", self.connection.server, headers=headers)
            response = self._answered(request, "reads")
            if response.status == 410:
                return None
            if answers.is_missing(response.status, response.data):
                return []
            page = self._content(request, response, "reads")
            found = _items(request, page)
            items += map(keep, found) if keep else found
            token = page.get("metadata", {}).get("continue") or ""
            if not token:
                return items

    def _answered(self, request: Request, kind: str) -> BaseHTTPResponse:
        """The answer to ``request``, sent again as often as that is safe and useful; its status may be an error."""
        patience: Patience | None = None
        renewed = False
        while True:
            at_least = 0.0
            try:
                response = self._sent(request, kind)
            except urllib3.exceptions.HTTPError as error:
                reason = self._reason(request, error)
            else:
                if response.status == 401 and not renewed and self._transport.renew():
                    renewed = True
                    continue
                reason = _retry_reason(request, response)
                if not reason:
                    return response
                at_least = _retry_after(response)
            patience = patience or Patience(self._clock, self._keep_going, self._budget)
            if not patience.wait(at_least):
                raise answers.unreachable(request, f"{reason}, for {self._budget:.0f} s")

    def _sent(self, request: Request, kind: str) -> BaseHTTPResponse:
        with self._lock:
            self._counts[kind] += 1
        started = self._clock.monotonic()
        response = self._transport.send(request.method, request.path, body=request.body, headers=request.headers)
        if kind == "reads":
            self._latencies.append(self._clock.monotonic() - started)
        if date := response.headers.get("Date"):
            self._date, self._date_seen = date, self._clock.wall()
        return response

    def _reason(self, request: Request, error: Exception) -> str:
        """Why to try again; raises when trying again is useless or not safe."""
        reason = faults.words(error)
        if faults.untrusted(error):
            raise Unreachable(
                f"{request} was not sent: {reason}.", "Give the authority that signed it: ca_cert, or in the kubeconfig."
            ) from None
        if request.persists and not faults.nothing_was_sent(error):
            raise answers.unknown(request, reason) from None
        return reason

    def _content(self, request: Request, response: BaseHTTPResponse, kind: str) -> Object:
        """The JSON object of a good answer; raises what a bad one stands for."""
        if response.status >= 400:
            raise answers.error_of(request, response.status, response.data)
        try:
            content = json.loads(response.data)
        except ValueError:
            content = None
        if response.status < 300 and isinstance(content, dict):
            return content
        if request.persists:
            raise answers.unknown(request, "the answer is not a JSON object")
        raise answers.not_an_api_server(request, f"HTTP {response.status}, {response.headers.get('Content-Type')}")

    def _raw(self, path: str) -> Answer:
        request = self._request("GET", path)
        with self._lock:
            self._counts["reads"] += 1
        try:
            response = self._transport.send("GET", path, stream=True)
            body = response.read(LONGEST_RAW_BODY, decode_content=True)
            response.drain_conn() if len(body) < LONGEST_RAW_BODY else response.close()
        except urllib3.exceptions.HTTPError as error:
            raise answers.unreachable(request, faults.words(error)) from None
        return Answer(response.status, {name.lower(): value for name, value in response.headers.items()}, body)


def _retry_reason(request: Request, response: BaseHTTPResponse) -> str:
    """Why an answer is worth another try, empty when it is final."""
    status = response.status
    if status == 429:  # refused before anything was done, so a write may be sent again too
        return f"HTTP 429: {answers.message_of(response.data) or 'too many requests'}"
    if status >= 500 and not request.persists and not answers.is_webhook_failure(response.data):
        return answers.message_of(response.data) or f"HTTP {status}"
    return ""


def _retry_after(response: BaseHTTPResponse) -> float:
    seconds = response.headers.get("Retry-After", "")
    return float(seconds) if seconds.isdigit() else 0.0


def _items(request: Request, page: Object) -> Objects:
    """The items of a page, each with the type that lists leave out."""
    kind = str(page.get("kind") or "")
    if not kind.endswith("List") or "items" not in page:
        raise answers.not_an_api_server(request, f"the answer's kind is {kind or 'missing'}")
    items: Objects = page["items"] or []
    version, single = page.get("apiVersion"), kind.removesuffix("List")
    for item in items:
        item.setdefault("apiVersion", version)
        item.setdefault("kind", single)
    return items
