# SPDX-License-Identifier: GPL-3.0-or-later
"""The API that WG's command line tools and its UI call, and what WG 0.38.0 answers there. PRIVATE.

Data, seen on a running server: the status, and the members of a JSON answer with their types, two levels deep (docs/facts.md). Path
parameters are ``x``, bodies ``{}``, so that no call changes anything.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from ..model import Object

NOBODY, USER, TOKEN = "nobody", "user", "token"
"""As whom a call is made: not logged in, with a session, with a bearer token."""

SIGN_IN = "/oauth2/sign_in"
SIGN_OUT = "/oauth2/logout"
FLAGS = "/v1/featureflags"
RECORDED_VERSION = "0.38.0"
"""The version of WG whose answers are recorded here."""

_REFUSED: Object = {"code": "int", "message": "str"}
_FAULT: Object = {"code": "int", "details": "list", "message": "str"}


@dataclass(frozen=True, slots=True)
class Call:
    """One request. ``nobody`` and ``signed`` are what WG answers: status and shape; None: it is not made in that way."""

    method: str
    path: str
    nobody: tuple[int, Any] | None
    signed: tuple[int, Any] | None

    def __str__(self) -> str:
        return f"{self.method} {self.path}"


def _protected(method: str, path: str, status: int, shape: Any) -> Call:
    return Call(method, path, (401, _REFUSED), (status, shape))


CALLS: tuple[Call, ...] = (
    Call("GET", "/", (200, None), None),
    Call("GET", "/applications", (200, None), None),
    Call("GET", "/health/", (200, None), None),
    Call("GET", "/oauth2", (400, _REFUSED), None),
    Call("GET", "/oauth2/userinfo", (400, None), (200, {"email": "str", "groups": "null", "id": "str"})),
    Call("GET", FLAGS, (200, {"flags": "dict"}), (200, {"flags": "dict"})),
    _protected("GET", "/v1/crd/is_available", 200, {"clusters": {"Default": "bool"}}),
    _protected("GET", "/v1/events", 400, _FAULT),
    _protected("GET", "/v1/flux_crds", 200, {"crds": "list", "errors": "list"}),
    _protected("GET", "/v1/flux_runtime_objects", 200, {"deployments": "list", "errors": "list"}),
    _protected("GET", "/v1/inventory", 500, _FAULT),
    _protected("GET", "/v1/namespaces", 501, _FAULT),
    _protected("GET", "/v1/object/x", 500, _FAULT),
    # Scripts and bookmarks name the cluster; a server that knows another name drops the connection.
    _protected("GET", "/v1/object/x?clusterName=Default", 500, _FAULT),
    _protected("GET", "/v1/policies", 200, {"errors": "list", "nextPageToken": "str", "policies": "list", "total": "int"}),
    _protected("GET", "/v1/policies/x", 500, _FAULT),
    _protected("GET", "/v1/policyvalidations/x", 500, _FAULT),
    _protected("GET", "/v1/runtime_crds", 404, _FAULT),
    _protected("GET", "/v1/runtime_objects", 404, _FAULT),
    _protected("GET", "/v1/version", 200, {"branch": "str", "buildTime": "str", "commit": "str", "kubeVersion": "str", "semver": "str"}),
    Call("POST", "/v1/child_objects", (401, _REFUSED), None),  # logged in, both products drop the connection at an empty body
    _protected("POST", "/v1/namespace/flux", 501, _FAULT),
    _protected("POST", "/v1/objects", 500, _FAULT),
    _protected("POST", "/v1/policyvalidations", 200, {"errors": "list", "nextPageToken": "str", "total": "int", "violations": "list"}),
    _protected("POST", "/v1/reconciled_objects", 500, _FAULT),
    _protected("POST", "/v1/session_logs", 500, _FAULT),
    _protected("POST", "/v1/suspend", 200, {}),
    _protected("POST", "/v1/sync", 200, {}),
)
