# SPDX-License-Identifier: GPL-3.0-or-later
"""Renewing where WGE refuses what is new, and where the call is killed at any of its writes: the cluster ends well."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from ansible_collections.weaveworks.wge.plugins.module_utils._argspec import ENTITLE_SPEC
from ansible_collections.weaveworks.wge.tests.unit.plugins.module_utils._engine.standin_faults import Killed
from ansible_collections.weaveworks.wge.tests.unit.plugins.module_utils._engine.standin_running import Running
from ansible_collections.weaveworks.wge.tests.unit.plugins.module_utils._engine.standin_vendor import STRANGER, TOKEN, token
from ansible_collections.weaveworks.wge.tests.unit.plugins.module_utils.front_door import Ask, door

NEW = token(customer="new@example.com", days=700)
STRANGERS = token(STRANGER)
RESTARTED = "kubectl.kubernetes.io/restartedAt"
BOTH = ["create secrets", "patch deployments"]
RENEWED = ["patch secrets", "patch deployments"]


def asking(monkeypatch: pytest.MonkeyPatch, running: Running, **more: Any) -> Ask:
    return door(monkeypatch, "entitle", ENTITLE_SPEC, running, **more)


@pytest.fixture
def running() -> Running:
    """WGE runs with a valid entitlement."""
    return Running(TOKEN)


@pytest.fixture
def install(monkeypatch: pytest.MonkeyPatch, running: Running) -> Ask:
    return asking(monkeypatch, running)


def template(running: Running) -> dict[str, Any]:
    return dict(running.server()["spec"]["template"])


def unchanged(running: Running) -> bool:
    return running.cluster.count("create", "patch", "delete") == 0


# WGE that trusts another key


def test_what_wge_does_not_accept_is_taken_back(install: Ask, running: Running) -> None:
    found = install(token=STRANGERS, replace=True, public_keys=[STRANGER.public.pem])
    assert found["verdict"] == "rolled_back" and "it trusts another public key" in found["message"]
    assert (running.token(), running.shows(), found["effect"], found["changed"]) == (TOKEN, "entitled", "entitled", True)
    assert running.writes() == ["create secrets", *RENEWED, *RENEWED, "delete secrets"]


def test_a_secret_that_was_created_for_it_is_deleted_again(monkeypatch: pytest.MonkeyPatch) -> None:
    running = Running()
    found = asking(monkeypatch, running)(token=STRANGERS, public_keys=[STRANGER.public.pem])
    assert found["verdict"] == "rolled_back" and running.writes() == [*BOTH, "delete secrets"]
    assert found["reason"] == "no_secret"


def test_what_was_stored_already_is_not_touched(monkeypatch: pytest.MonkeyPatch) -> None:
    running = Running(STRANGERS)
    found = asking(monkeypatch, running)(token=STRANGERS, public_keys=[STRANGER.public.pem])
    assert found["verdict"] == "safe_stop" and "was not changed" in found["next_step"] and running.token() == STRANGERS


# Killed, stopped


def deadly(running: Running, monkeypatch: pytest.MonkeyPatch, at: int, *, after: bool) -> None:
    """The write number ``at`` is the last: the process dies before it is sent, or before its answer comes."""
    sent: list[str] = []

    def mortal(real: Callable[..., Any]) -> Callable[..., Any]:
        def send(path: str, *words: Any, **more: Any) -> Any:
            sent.append(path)
            if len(sent) == at + 1 and not after:
                raise Killed
            made = real(path, *words, **more)
            if len(sent) == at + 1:
                raise Killed
            return made

        return send

    for verb in ("create", "patch", "delete"):
        monkeypatch.setattr(running.cluster, verb, mortal(getattr(running.cluster, verb)))


@pytest.mark.parametrize("at", range(4))
@pytest.mark.parametrize("after", [True, False])
def test_a_killed_call_is_finished_by_the_next_one(monkeypatch: pytest.MonkeyPatch, running: Running, at: int, after: bool) -> None:
    install = asking(monkeypatch, running)
    with monkeypatch.context() as patched:
        deadly(running, patched, at, after=after)
        with pytest.raises(Killed):
            install(token=NEW, replace=True)
    running.later()
    found = install(token=NEW, replace=True)
    assert found["verdict"] in ("installed", "unchanged")
    assert (running.token(), running.shows(), former(running)) == (NEW, "entitled", None)
    running.later()
    before = running.writes()
    assert install(token=NEW, replace=True)["verdict"] == "unchanged" and running.writes() == before


@pytest.mark.parametrize("at", range(6))
@pytest.mark.parametrize("after", [True, False])
def test_what_wge_does_not_accept_is_taken_back_after_a_kill_too(
    monkeypatch: pytest.MonkeyPatch, running: Running, at: int, after: bool
) -> None:
    install = asking(monkeypatch, running)
    with monkeypatch.context() as patched:
        deadly(running, patched, at, after=after)
        with pytest.raises(Killed):
            install(token=STRANGERS, replace=True, public_keys=[STRANGER.public.pem])
    running.later()
    install(token=STRANGERS, replace=True, public_keys=[STRANGER.public.pem])
    assert (running.token(), running.shows(), former(running)) == (TOKEN, "entitled", None)


def former(running: Running) -> Any:
    """What is kept of the content that was replaced."""
    return running.cluster.get("/api/v1/namespaces/flux-system/secrets/weave-gitops-enterprise-credentials-former")


def test_a_restart_that_is_rolling_out_is_waited_for(install: Ask, running: Running) -> None:
    running.store(NEW)
    running.later()
    metadata = template(running)["metadata"]
    metadata["annotations"] = {RESTARTED: "2026-11-23T12:00:30Z"}
    running.server()["metadata"]["generation"] += 1
    running.later(60)

    def rolled() -> None:
        running.controllers.settle()

    running.clock.on_sleep.append(lambda _seconds: rolled())
    found = install(token=NEW)
    assert (found["verdict"], found["restarted"], found["effect"]) == ("unchanged", False, "entitled") and unchanged(running)


def test_it_stops_between_two_writes_when_told(monkeypatch: pytest.MonkeyPatch, running: Running) -> None:
    found = asking(monkeypatch, running, stop=lambda: "signal" if running.cluster.count("patch") else "")(token=NEW, replace=True)
    assert found["changed"] and "Stopped on request (signal)" in found["message"]
    assert running.writes() == ["create secrets", "patch secrets"]


def test_taking_back_is_not_stopped(monkeypatch: pytest.MonkeyPatch, running: Running) -> None:
    stop = lambda: "signal" if running.cluster.count("patch") > 2 else ""  # noqa: E731
    found = asking(monkeypatch, running, stop=stop)(token=STRANGERS, replace=True, public_keys=[STRANGER.public.pem])
    assert found["verdict"] == "rolled_back" and running.shows() == "entitled"
