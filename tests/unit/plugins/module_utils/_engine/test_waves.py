# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

from ansible_collections.weaveworks.wge.plugins.module_utils._engine.waves import plan_waves, wave_numbers


def test_the_canaries_are_the_first_wave_and_all_others_the_second() -> None:
    assert plan_waves(["a", "b", "c", "d"], ["c", "a"]) == [("a", "c"), ("b", "d")]


def test_without_canaries_the_first_cluster_goes_ahead() -> None:
    assert plan_waves(["a", "b", "c"]) == [("a",), ("b", "c")]


def test_canaries_that_are_not_candidates_do_not_let_the_rest_go_unwarned() -> None:
    assert plan_waves(["b", "c"], ["a"]) == [("b",), ("c",)]


def test_no_wave_is_empty() -> None:
    assert plan_waves([]) == []
    assert plan_waves(["a"], ["a"]) == [("a",)]


def test_each_cluster_has_the_number_of_its_wave() -> None:
    assert wave_numbers(plan_waves(["a", "b", "c"])) == {"a": 0, "b": 1, "c": 1}
