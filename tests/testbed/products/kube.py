# SPDX-License-Identifier: GPL-3.0-or-later
"""What a stand-in product reads from its API server, with the token of its pod's ServiceAccount and no other right."""

from __future__ import annotations

import base64
import hashlib
import os
import time
from pathlib import Path

from ..agent.client import ApiError, Client, Unreachable, context_from

REVIEW_KEPT = 10.0


class Kube:
    """RBAC matters: a Secret that may not be read is as good as missing."""

    def __init__(self) -> None:
        self._api = Client(os.environ["TESTBED_API"], context_from(os.environ["TESTBED_CA"]), Path(os.environ["TESTBED_TOKEN"]))
        self._reviewed: dict[bytes, tuple[float, bool]] = {}

    async def secret(self, namespace: str, name: str) -> dict[str, bytes] | None:
        """Keys and bytes of a Secret, or None."""
        try:
            found = await self._api.get(f"/api/v1/namespaces/{namespace}/secrets/{name}")
        except (ApiError, Unreachable) as error:
            print(f"secret {namespace}/{name}: {error}", flush=True)
            return None
        return {key: base64.b64decode(value) for key, value in (found.get("data") or {}).items()}

    async def token_is_good(self, token: str) -> bool:
        """A TokenReview, remembered for a few seconds."""
        mark = hashlib.sha256(token.encode()).digest()
        until, good = self._reviewed.get(mark, (0.0, False))
        if until > time.monotonic():
            return good
        body = {"apiVersion": "authentication.k8s.io/v1", "kind": "TokenReview", "spec": {"token": token}}
        try:
            answer = await self._api.request("POST", "/apis/authentication.k8s.io/v1/tokenreviews", body)
        except (ApiError, Unreachable) as error:
            print(f"token review: {error}", flush=True)
            return False
        good = bool(answer["status"].get("authenticated"))
        self._reviewed[mark] = (time.monotonic() + REVIEW_KEPT, good)
        return good
