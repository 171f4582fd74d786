# SPDX-License-Identifier: GPL-3.0-or-later
"""When credentials end that nobody renews."""

from __future__ import annotations

import base64
import json
from datetime import datetime, timezone
from typing import Any

import pytest

from ansible_collections.weaveworks.wge.plugins.module_utils._kube.connection import ExecPlugin, User
from ansible_collections.weaveworks.wge.plugins.module_utils._kube.credentials import Identity
from ansible_collections.weaveworks.wge.plugins.module_utils._kube.lifetimes import end_of

END = datetime(2026, 11, 23, 13, 0, tzinfo=timezone.utc)
PROGRAM = ExecPlugin(command="login", arguments=(), api_version="v1", environment={})


def token(claims: Any) -> str:
    middle = base64.urlsafe_b64encode(json.dumps(claims).encode()).decode().rstrip("=")
    return f"e30.{middle}.c2ln"


EXPIRING = token({"exp": END.timestamp()})


def test_a_token_ends_when_it_says() -> None:
    assert end_of(User(token="given"), Identity(token=EXPIRING)) == END


@pytest.mark.parametrize("text", ["", "opaque", "a.b.c", token({}), token([]), token({"exp": "soon"}), token({"exp": 1e300}), "a.%%%.c"])
def test_a_token_that_does_not_say_has_no_end(text: str) -> None:
    assert end_of(User(token="given"), Identity(token=text)) is None


@pytest.mark.parametrize("user", [User(token_file="/token"), User(plugin=PROGRAM)])
def test_what_is_renewed_has_no_end(user: User) -> None:
    assert end_of(user, Identity(token=EXPIRING)) is None


def test_a_token_that_was_given_wins_over_a_program() -> None:
    assert end_of(User(token="given", plugin=PROGRAM), Identity(token=EXPIRING)) == END


def test_a_certificate_that_cannot_be_read_has_no_end() -> None:
    assert end_of(User(certificate="given"), Identity(certificate="no certificate")) is None
