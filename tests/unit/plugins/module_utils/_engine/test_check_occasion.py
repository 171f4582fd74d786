# SPDX-License-Identifier: GPL-3.0-or-later
"""SA-04, SA-05 and SA-06."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

from ansible_collections.weaveworks.wge.plugins.module_utils._engine.checks import registry
from ansible_collections.weaveworks.wge.plugins.module_utils._engine.model import Answer
from ansible_collections.weaveworks.wge.plugins.module_utils._engine.settings import settings_from
from ansible_collections.weaveworks.wge.plugins.module_utils._errors import InvalidSettings, Unreachable
from ansible_collections.weaveworks.wge.tests.unit.plugins.module_utils._engine.standin_world import World

PAST = "2026-11-22T20:00Z/2026-11-22T23:00Z"
NOW = "2026-11-23T11:00+00:00/2026-11-23T14:00+01:00"
COMING = "2026-11-28T20:00Z/2026-11-29T02:00Z"


def found(world: World, check: str, *, climbing: bool = False, ask: Callable[[str], Answer] | None = None) -> tuple[str, str]:
    """Status and evidence of one check, at noon of 2026-11-23."""
    evidence = world.evidence()
    evidence.climbing, evidence.ask = climbing, ask
    finding = next(finding for finding in registry.run_all(evidence) if finding.id == check)
    return finding.status, finding.evidence


class TestWindow:
    """SA-04."""

    def test_without_windows_there_is_no_question(self, world: World) -> None:
        assert found(world, "SA-04") == ("skip", "No change window is set.")

    @pytest.mark.parametrize("climbing", [True, False])
    def test_within_a_window_an_upgrade_may_begin(self, world: World, climbing: bool) -> None:
        world.set(change_windows=(COMING, NOW))
        assert found(world, "SA-04", climbing=climbing) == (
            "pass",
            "This is within the change window 2026-11-23 11:00 to 2026-11-23 13:00 UTC.",
        )

    def test_before_a_window_a_preflight_passes_and_an_upgrade_is_blocked(self, world: World) -> None:
        world.set(change_windows=(PAST, COMING))
        words = "2026-11-28 20:00 to 2026-11-29 02:00 UTC"
        assert found(world, "SA-04") == ("pass", f"The next change window is {words}.")
        assert found(world, "SA-04", climbing=True) == ("fail", f"This is outside of every change window; the next one is {words}.")

    def test_when_all_are_past_even_a_preflight_fails(self, world: World) -> None:
        world.set(change_windows=(PAST,))
        assert found(world, "SA-04") == ("fail", "All change windows are past; the last one was 2026-11-22 20:00 to 2026-11-22 23:00 UTC.")

    def test_a_window_that_ends_too_soon_warns(self, world: World) -> None:
        world.set(change_windows=(NOW,), soak_seconds=7200)
        status, evidence = found(world, "SA-04")
        assert (status, evidence.endswith("ends sooner than an upgrade may take (121 min).")) == ("warn", True)

    def test_an_upgrade_that_has_begun_goes_on_outside(self, world: World) -> None:
        world.climb("prepared")
        world.set(change_windows=(PAST,))
        assert found(world, "SA-04", climbing=True)[0] == "skip"

    @pytest.mark.parametrize(
        ("text", "sentence"),
        [
            ("tonight", "The change window 'tonight' is not an interval with time zones."),
            (
                "2026-11-28T20:00/2026-11-29T02:00",
                "The change window '2026-11-28T20:00/2026-11-29T02:00' is not an interval with time zones.",
            ),
            ("2026-11-28T20:00Z", "The change window '2026-11-28T20:00Z' is not an interval with time zones."),
            (
                "2026-11-29T02:00Z/2026-11-28T20:00Z",
                "The change window '2026-11-29T02:00Z/2026-11-28T20:00Z' ends before it begins.",
            ),
        ],
    )
    def test_what_is_no_window_is_refused(self, text: str, sentence: str) -> None:
        with pytest.raises(InvalidSettings) as problem:
            settings_from({"change_windows": [COMING, text]})
        assert problem.value.what == sentence


class TestPlan:
    """SA-05."""

    def test_without_a_hash_there_is_no_question(self, world: World) -> None:
        assert found(world, "SA-05") == ("skip", "No hash of a reviewed plan was given.")

    def test_the_plan_that_was_reviewed_passes_on_a_later_look(self, world: World) -> None:
        reviewed = world.evidence().plan.hash
        world.set(plan_hash=reviewed)
        assert found(world, "SA-05") == ("pass", f"The plan is the one that was reviewed ({reviewed}).")

    def test_another_plan_blocks(self, world: World) -> None:
        world.set(plan_hash="0123")
        status, evidence = found(world, "SA-05")
        assert status == "fail"
        assert evidence == f"The plan is not the one that was reviewed: its hash is {world.evidence().plan.hash}, not 0123."


class TestAlerts:
    """SA-06: a warning, whatever comes back."""

    def judged(self, world: World, content: Any) -> tuple[str, str]:
        world.set(alerts_url="https://alerts.example.org/")
        asked: list[str] = []

        def ask(url: str) -> Answer:
            asked.append(url)
            if isinstance(content, Exception):
                raise content
            return Answer(200, {}, content if isinstance(content, bytes) else json.dumps(content).encode())

        status, evidence = found(world, "SA-06", ask=ask)
        assert "https://alerts.example.org/api/v2/alerts?active=true&silenced=false&inhibited=false" in asked
        return status, evidence

    def test_without_an_address_there_is_no_question(self, world: World) -> None:
        assert found(world, "SA-06") == ("skip", "No Alertmanager was named.")

    def test_where_nothing_may_be_asked_it_is_skipped(self, world: World) -> None:
        world.set(alerts_url="https://alerts.example.org")
        assert found(world, "SA-06") == ("skip", "Nothing but the API server may be asked here.")

    def test_quiet_passes(self, world: World) -> None:
        assert self.judged(world, []) == ("pass", "No alert is firing.")

    def test_what_fires_is_named(self, world: World) -> None:
        firing = [{"labels": {"alertname": name}} for name in "gfedcba"]
        assert self.judged(world, firing) == ("warn", "7 alerts are firing: a, b, c, d, e and 2 more.")

    @pytest.mark.parametrize("content", [b"<html>", {"status": "error"}, [1], [{"labels": None}]])
    def test_what_is_no_list_of_alerts_warns(self, world: World, content: Any) -> None:
        assert self.judged(world, content) == ("warn", "What the Alertmanager answers (200) is not a list of alerts that can be read.")

    def test_an_alertmanager_that_does_not_answer_warns_and_the_rest_is_looked_at(self, world: World) -> None:
        assert self.judged(world, Unreachable("alerts.example.org does not answer.")) == ("warn", "alerts.example.org does not answer.")
        assert world.findings()["SA-07"].status == "pass"

    def test_an_address_that_is_none_is_refused(self) -> None:
        with pytest.raises(InvalidSettings, match="Alertmanager's address does not begin with"):
            settings_from({"alerts_url": "alerts.example.org"})
