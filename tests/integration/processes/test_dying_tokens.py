# SPDX-License-Identifier: GPL-3.0-or-later
"""Credentials from a kubeconfig's exec program that die while a cluster is upgraded."""

from __future__ import annotations

import pytest

from .tokens import SOAK_SECONDS, Tokens

pytestmark = [pytest.mark.bed, pytest.mark.slow]


def test_the_climb_goes_on_to_its_end(token_story: Tokens) -> None:
    verdicts = {name: (answer.get("verdict"), answer.get("msg")) for name, answer in token_story.answers.items()}
    assert verdicts == {"rehearsed": ("upgraded", None), "parked": ("upgraded", None)}


def test_a_token_whose_end_is_told_is_replaced_in_time(token_story: Tokens) -> None:
    assert len({call["token"] for call in token_story.told}) > 1


def test_a_token_whose_end_is_not_told_is_replaced_when_it_is_refused(token_story: Tokens) -> None:
    assert token_story.answers["parked"]["seconds"]["soaked"] >= SOAK_SECONDS
    assert 1 < len({call["token"] for call in token_story.untold}) < SOAK_SECONDS


def test_helm_asks_the_program_by_itself(token_story: Tokens) -> None:
    assert any("helm" in call["caller"] and " install " in call["caller"] for call in token_story.told)


def test_no_token_is_in_a_file_or_in_the_output(token_story: Tokens) -> None:
    assert token_story.leaks == []


def test_the_dashboards_visitors_lose_nothing(token_story: Tokens) -> None:
    assert [loss for stream in token_story.visitors["streams"] for loss in stream["losses"]] == []
