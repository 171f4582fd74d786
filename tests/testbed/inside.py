# SPDX-License-Identifier: GPL-3.0-or-later
"""HTTP requests made inside a cluster's network: a list of them on stdin, their answers on stdout, both JSON.

For tests: `Cluster.ask` runs `python -m testbed.inside` there.
"""

from __future__ import annotations

import http.client
import json
import ssl
import sys
from typing import Any
from urllib.parse import urlsplit


def _connection(url: str, timeout: float) -> http.client.HTTPConnection:
    parts = urlsplit(url)
    if parts.scheme == "https":
        return http.client.HTTPSConnection(parts.hostname or "", parts.port, timeout=timeout, context=ssl._create_unverified_context())
    return http.client.HTTPConnection(parts.hostname or "", parts.port, timeout=timeout)


def ask(item: dict[str, Any]) -> dict[str, Any]:
    """One request; `error` instead of an answer when there was none."""
    parts = urlsplit(item["url"])
    connection = _connection(item["url"], item.get("timeout", 5))
    try:
        target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
        connection.request(item.get("method", "GET"), target, item.get("body"), item.get("headers") or {})
        answer = connection.getresponse()
        headers = [[name, value] for name, value in answer.getheaders()]
        return {"status": answer.status, "headers": headers, "body": answer.read().decode("utf-8", "replace")}
    except (OSError, http.client.HTTPException) as error:
        return {"error": type(error).__name__, "text": str(error)}
    finally:
        connection.close()


if __name__ == "__main__":
    json.dump([ask(entry) for entry in json.load(sys.stdin)], sys.stdout)
