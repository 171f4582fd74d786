# SPDX-License-Identifier: GPL-3.0-or-later
"""Lost answers, kills, stops: the next call puts back the rest."""

from __future__ import annotations

from typing import Any

import pytest

from ansible_collections.weaveworks.wge.plugins.module_utils._errors import UnknownOutcome
from ansible_collections.weaveworks.wge.tests.unit.plugins.module_utils._engine.restore.archived import DEPLOYMENT, Archived, clean, stored
from ansible_collections.weaveworks.wge.tests.unit.plugins.module_utils._engine.standin_faults import Killed


@pytest.mark.parametrize("carried_out", [True, False])
@pytest.mark.parametrize("verb", ["create", "patch"])
def test_a_lost_answer_is_looked_up(archived: Archived, verb: str, carried_out: bool) -> None:
    archived.lose("Service")
    archived.change(DEPLOYMENT, manager="weaveworks-wge", spec={**archived.cluster.objects[DEPLOYMENT]["spec"], "replicas": 0})
    real = getattr(archived.cluster, verb)

    def lossy(path: str, *words: Any, **more: Any) -> Any:
        if more.get("dry_run") or "/leases" in path:
            return real(path, *words, **more)
        setattr(archived.cluster, verb, real)
        if carried_out:
            real(path, *words, **more)
        raise UnknownOutcome("The answer was lost.")

    setattr(archived.cluster, verb, lossy)
    assert archived.restore().verdict == "restored" and stored(archived) == clean(archived)


@pytest.mark.parametrize("after", [True, False])
@pytest.mark.parametrize("at", range(17))
def test_a_killed_run_is_finished_by_the_next(archived: Archived, monkeypatch: pytest.MonkeyPatch, at: int, after: bool) -> None:
    archived.lose()
    with monkeypatch.context() as patched:
        deadly(archived, patched, at, after=after)
        with pytest.raises(Killed):
            archived.restore()
    outcome = archived.restore()
    assert outcome.verdict in ("restored", "unchanged") and stored(archived) == clean(archived)
    assert archived.again().verdict == "unchanged"


def deadly(archived: Archived, monkeypatch: pytest.MonkeyPatch, at: int, *, after: bool) -> None:
    """The write number ``at`` is the last: the process dies before it is sent, or before its answer comes."""
    sent: list[str] = []

    def mortal(real: Any) -> Any:
        def send(path: str, *words: Any, **more: Any) -> Any:
            if more.get("dry_run"):
                return real(path, *words, **more)
            if len(sent) > at:
                raise Killed  # the lock is not given back either
            sent.append(path)
            if len(sent) > at and not after:
                raise Killed
            made = real(path, *words, **more)
            if len(sent) > at:
                raise Killed
            return made

        return send

    for verb in ("create", "patch", "delete"):
        monkeypatch.setattr(archived.cluster, verb, mortal(getattr(archived.cluster, verb)))


def test_it_stops_between_two_writes_when_told(archived: Archived) -> None:
    archived.lose()
    archived.world.tools.keep_going = lambda: "signal" if len(archived.writes()) > 4 else ""
    outcome = archived.restore()
    assert "Stopped on request (signal)" in str(outcome.error) and outcome.changed and len(archived.writes()) == 5
    archived.world.tools.keep_going = lambda: ""
    assert archived.restore().verdict == "restored" and stored(archived) == clean(archived)
