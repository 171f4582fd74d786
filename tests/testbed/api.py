# SPDX-License-Identifier: GPL-3.0-or-later
"""A plain blocking client of a cluster's API server, for the bed itself and for tests."""

from __future__ import annotations

import base64
import http.client
import json
import os
import ssl
import time
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

JSON = "application/json"
MERGE_PATCH = "application/merge-patch+json"
JSON_PATCH = "application/json-patch+json"
APPLY = "application/apply-patch+yaml"
LONGEST_REFUSAL_SECONDS = 60


class ApiError(Exception):
    """An answer other than 2xx."""

    def __init__(self, status: int, answer: Any) -> None:
        self.status = status
        self.answer = answer
        super().__init__(f"{status} {answer.get('message', '') if isinstance(answer, dict) else answer}")


def _load_pair(context: ssl.SSLContext, certificate: bytes, key: bytes) -> None:
    """Python wants a file; this one exists in memory only."""
    descriptor = os.memfd_create("client")
    try:
        os.write(descriptor, key + b"\n" + certificate)
        context.load_cert_chain(f"{os.sep}proc/self/fd/{descriptor}")
    finally:
        os.close(descriptor)


class Api:
    """One kept connection; not for several threads."""

    def __init__(self, kubeconfig: Path, timeout: float = 30) -> None:
        content = json.loads(kubeconfig.read_text(encoding="utf-8"))
        cluster, user = content["clusters"][0]["cluster"], content["users"][0]["user"]
        context = ssl.create_default_context(cadata=base64.b64decode(cluster["certificate-authority-data"]).decode("ascii"))
        if "client-key-data" in user:
            _load_pair(context, *(base64.b64decode(user[f"client-{part}-data"]) for part in ("certificate", "key")))
        self._headers = {"Accept": JSON, "User-Agent": "testbed"}
        if "token" in user:
            self._headers["Authorization"] = f"Bearer {user['token']}"
        parts = urlsplit(cluster["server"])
        self._connection = http.client.HTTPSConnection(parts.hostname or "", parts.port, context=context, timeout=timeout)

    def raw(self, method: str, path: str, value: Any = None, kind: str = JSON) -> tuple[int, http.client.HTTPMessage, bytes]:
        """Status, headers and body, whatever they are; a connection closed meanwhile is opened once more."""
        body = None if value is None else json.dumps(value).encode("utf-8")
        headers = {**self._headers, **({"Content-Type": kind} if body else {})}
        try:
            self._connection.request(method, path, body, headers)
            answer = self._connection.getresponse()
        except (http.client.RemoteDisconnected, ConnectionResetError, BrokenPipeError, http.client.CannotSendRequest):
            self._connection.close()
            self._connection.request(method, path, body, headers)
            answer = self._connection.getresponse()
        return answer.status, answer.headers, answer.read()

    def request(self, method: str, path: str, value: Any = None, kind: str = JSON) -> Any:
        """The decoded answer; ApiError for anything but 2xx. What the server refused for the moment is asked again."""
        status, headers, raw = self.raw(method, path, value, kind)
        deadline = time.monotonic() + LONGEST_REFUSAL_SECONDS
        while status == 429 and time.monotonic() < deadline:  # a kind is listed for the first time: storage is (re)initializing
            time.sleep(float(headers.get("Retry-After") or 1))
            status, headers, raw = self.raw(method, path, value, kind)
        try:
            answer = json.loads(raw) if raw else {}
        except ValueError:
            answer = raw.decode("utf-8", "replace")
        if not 200 <= status < 300:
            raise ApiError(status, answer)
        return answer

    def get(self, path: str) -> Any:
        return self.request("GET", path)

    def find(self, path: str) -> Any | None:
        """None for 404."""
        try:
            return self.get(path)
        except ApiError as error:
            if error.status == 404:
                return None
            raise

    def create(self, path: str, value: Any) -> Any:
        return self.request("POST", path, value)

    def patch(self, path: str, value: Any, kind: str = MERGE_PATCH) -> Any:
        return self.request("PATCH", path, value, kind)

    def delete(self, path: str, value: Any = None) -> Any:
        return self.request("DELETE", path, value)

    def close(self) -> None:
        self._connection.close()
