# SPDX-License-Identifier: GPL-3.0-or-later
"""The one door with stand-ins behind it: options in, result out."""

from __future__ import annotations

from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import pytest

from ansible_collections.weaveworks.wge.plugins.module_utils._argspec import Spec
from ansible_collections.weaveworks.wge.plugins.module_utils._front import Surroundings, call, session
from ansible_collections.weaveworks.wge.tests.unit.plugins.module_utils._engine.standin_running import Running
from ansible_collections.weaveworks.wge.tests.unit.plugins.module_utils._engine.standin_vendor import PUBLIC_KEY

Ask = Callable[..., dict[str, Any]]


def door(monkeypatch: pytest.MonkeyPatch, question: str, spec: Spec, running: Running, stop: Callable[[], str] = lambda: "") -> Ask:
    """Asks ``question`` with options by name; ``check`` and ``diff`` are Ansible's modes."""
    monkeypatch.setattr(session, "connection_from", lambda _params, _environment: SimpleNamespace(server="https://api"))
    monkeypatch.setattr(session, "KubeCluster", lambda _connection, **_more: running.cluster)
    monkeypatch.setattr(session, "SystemClock", lambda: running.clock)
    monkeypatch.setattr(session.Session, "tools", property(lambda self: _tools(self)))

    def ask(*, check: bool = False, diff: bool = False, **given: Any) -> dict[str, Any]:
        params = {name: given.get(name, option.get("default")) for name, option in spec.items()}
        params["public_keys"] = given.get("public_keys", [PUBLIC_KEY])
        return call(question, params, Surroundings(stop, lambda _event: None, check_mode=check, diff=diff))

    return ask


def _tools(this: Any) -> Any:
    around = this.surroundings
    return SimpleNamespace(cluster=this.cluster, clock=this.clock, keep_going=around.keep_going, tell=around.tell)
