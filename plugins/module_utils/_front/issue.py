# SPDX-License-Identifier: GPL-3.0-or-later
"""The question ``issue``: the entitlement of one customer, from the ledger or new. PRIVATE.

The ledger first, the file second: whatever stops us in between, the next call gives the same entitlement.
"""

from __future__ import annotations

import os
import uuid
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import Any

from .._engine.entitlement.features import KNOWN
from .._engine.entitlement.keys import LONGEST_PEM, PrivateKey, private_key
from .._engine.entitlement.ledger import UNCHANGED, Decision, decide
from .._engine.entitlement.manifest import LONGEST, check_names, secret_manifest
from .._engine.entitlement.request import DAY, Request, request_from
from .._errors import InvalidSettings
from .._files import dies_with_the_job, is_exposed, read_if_there, read_limited, write_private
from .._ledger import ledger_place
from .session import Session


def answer(session: Session) -> dict[str, Any]:
    """Issue, renew, or find what was issued before; in check mode say which it would be."""
    params, now = session.params, session.clock.wall()
    request = request_from(params, now)
    check_names(params["secret_name"], params["secret_namespace"])
    key, warnings = _signing_key(params)
    place = ledger_place(params, lambda: session.cluster, session.clock)
    choose = partial(decide, request=request, now=now, key=key, jti=str(uuid.uuid4()), place=str(place))
    decision = place.ask(choose) if session.surroundings.check_mode else place.enter(choose)
    output = _Output.of(params, decision.token)
    differs = output.differs()
    if differs and not session.surroundings.check_mode:
        write_private(output.path, output.content)
    result = _result(decision, now, planned=session.surroundings.check_mode and decision.status != UNCHANGED)
    result["changed"] = differs or decision.status != UNCHANGED
    result["path"] = output.path
    result["warnings"] = [*warnings, *_unknown(request), *decision.warnings, *output.warnings()]
    if params["return_token"] and result["jti"]:
        result["token"] = decision.token
    return result


@dataclass(frozen=True, slots=True)
class _Output:
    """The file that is handed to the customer; none when ``path`` is empty."""

    path: str
    content: bytes

    @classmethod
    def of(cls, params: dict[str, Any], token: str) -> _Output:
        if params["format"] == "token":
            return cls(str(params.get("path") or ""), f"{token}\n".encode())
        return cls(str(params.get("path") or ""), secret_manifest(token, params["secret_name"], params["secret_namespace"]).encode())

    def differs(self) -> bool:
        """Whether the file has another content, or others may read it. What is far longer is not ours, and not replaced."""
        return bool(self.path) and (read_if_there(self.path, LONGEST) != self.content or is_exposed(self.path))

    def warnings(self) -> list[str]:
        """What a person should know of the place."""
        if self.path and dies_with_the_job(self.path, os.environ):
            return [f"The file {self.path} is in this job's private folder, which is removed when the job ends."]
        return []


def _unknown(request: Request) -> list[str]:
    """A name that is granted cannot be taken back."""
    names = [name for name in request.features or () if name not in KNOWN]
    return [f"This collection knows no feature called {', '.join(names)}; it is granted nevertheless."] if names else []


def _signing_key(params: dict[str, Any]) -> tuple[PrivateKey, list[str]]:
    text, path = str(params.get("private_key") or ""), str(params.get("private_key_path") or "")
    if bool(text) == bool(path):
        problem = "Two private keys were given, private_key and private_key_path." if path else "No private key was given."
        raise InvalidSettings(problem, "Give private_key_path, or private_key from a vault; wge_entitlement_keypair makes a key.")
    passphrase = str(params.get("private_key_passphrase") or "")
    if text:
        return private_key(text, passphrase, "private_key"), []
    content = read_limited(path, LONGEST_PEM).decode("utf-8", "replace")
    exposed = f"The private key {path} can be read by others than its owner; make its mode 0600."
    return private_key(content, passphrase, path), [exposed] if is_exposed(path) else []


def _result(decision: Decision, now: datetime, *, planned: bool) -> dict[str, Any]:
    """What is planned has no identifier yet."""
    row = decision.row.as_dict()
    if planned:
        row.update(jti="", sha256="")
    return {**row, "status": decision.status, "days_left": int((decision.row.expires - now.timestamp()) // DAY)}
