# SPDX-License-Identifier: GPL-3.0-or-later
"""The name of each question, by which its answer is found again. PRIVATE.

A dry run is named by where it is sent and what it makes, never by its content: that holds Secrets, and the run's own id.
"""

from __future__ import annotations

import base64
import json
from typing import Any

from ..model import Answer, Object

DROPPED_HEADERS = ("set-cookie", "authorization", "proxy-authorization", "cookie")
RENDERING = "RENDER"
HELM_VERSION = "HELM VERSION"
_LIST, _RAW, _ENTRY = "LIST", "RAW", "ENTRY"


def get(path: str) -> str:
    """One object."""
    return f"GET {path}"


def listing(path: str, labels: str, fields: str, metadata_only: bool) -> str:
    """A collection."""
    words = [f"labels={labels}" if labels else "", f"fields={fields}" if fields else "", "metadata only" if metadata_only else ""]
    return " ".join([_LIST, path, *filter(None, words)])


def creation(path: str, body: Object) -> str:
    """A create that persists nothing."""
    meta = body.get("metadata") or {}
    return f"DRY-RUN create {path} {body.get('kind')} {meta.get('name') or meta.get('generateName') or ''}"


def change(path: str) -> str:
    """A patch that persists nothing."""
    return f"DRY-RUN patch {path}"


def review(path: str, body: Object) -> str:
    """An access review."""
    return f"REVIEW {path} {json.dumps(body.get('spec') or {}, sort_keys=True)}"


def raw(path: str) -> str:
    """A path as it is."""
    return f"{_RAW} {path}"


def entry(url: str) -> str:
    """An entry URL."""
    return f"{_ENTRY} {url}"


def answer_as(answer: Answer) -> Object:
    """A raw answer as plain data, without what a browser would be logged in by."""
    headers = {name: value for name, value in answer.headers.items() if name.lower() not in DROPPED_HEADERS}
    try:
        return {"status": answer.status, "headers": headers, "body": answer.body.decode()}
    except UnicodeDecodeError:
        return {"status": answer.status, "headers": headers, "base64": base64.b64encode(answer.body).decode()}


def answer_of(found: Object) -> Answer:
    """The answer again."""
    body = base64.b64decode(found["base64"]) if "base64" in found else str(found["body"]).encode()
    return Answer(int(found["status"]), dict(found["headers"]), body)


def fits(question: str, answer: Any) -> bool:
    """Whether an answer out of a file has the shape that answers to this question have."""
    verb = question.partition(" ")[0]
    if verb in (_RAW, _ENTRY):
        body = isinstance(answer, dict) and (answer.get("body") or answer.get("base64") or "")
        return isinstance(body, str) and isinstance(answer["status"], int) and isinstance(answer["headers"], dict)
    if verb in (_LIST, RENDERING):
        return isinstance(answer, list) and all(isinstance(item, dict) for item in answer)
    return isinstance(answer, str) if question == HELM_VERSION else answer is None or isinstance(answer, dict)
