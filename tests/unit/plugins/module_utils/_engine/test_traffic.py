# SPDX-License-Identifier: GPL-3.0-or-later
"""What the probes saw, judged."""

from __future__ import annotations

from ansible_collections.weaveworks.wge.plugins.module_utils._engine import traffic
from ansible_collections.weaveworks.wge.plugins.module_utils._engine.model import EndpointEvent, Sample

HTTP = (("http", 9001),)


def good(at: float, vantage: str = "entry", *, reused: bool = False, seconds: float = 0.01) -> Sample:
    return Sample(at, vantage, reused, seconds, 200)


def bad(at: float, vantage: str = "entry", *, reused: bool = False) -> Sample:
    return Sample(at, vantage, reused, 0.01, 0, "connection refused")


def event(at: float, *ready: str, slice_: str = "a", ports: tuple[tuple[str, int], ...] = HTTP, deleted: bool = False) -> EndpointEvent:
    return EndpointEvent(at, "s", slice_, ready, ports, deleted)


def test_good_answers_are_not_red() -> None:
    assert traffic.red([good(t / 10) for t in range(100)], 10) == ""


def test_nothing_heard_is_not_red() -> None:
    assert traffic.red([], 10) == ""


def test_four_faults_among_good_answers_are_not_red() -> None:
    samples = [bad(9 + t / 10) if t % 2 else good(9 + t / 10) for t in range(8)]
    assert traffic.red(samples, 10) == ""


def test_five_faults_in_five_seconds_are_red() -> None:
    samples = [bad(9 + t / 10) if t % 2 else good(9 + t / 10) for t in range(10)]
    assert traffic.red(samples, 10) == "5 of 10 requests in 5 s failed, the last at entry: connection refused"


def test_five_faults_spread_over_a_minute_are_not_red() -> None:
    samples = sorted([good(t / 10) for t in range(600)] + [bad(t) for t in range(0, 60, 12)], key=lambda s: s.at)
    assert traffic.red(samples, 60) == ""


def test_one_vantage_that_no_longer_answers_is_red_though_others_are_good() -> None:
    samples = [good(t / 10) for t in range(100)] + [good(6.9, "proxy"), bad(7.0, "proxy"), bad(9.0, "proxy")]
    assert traffic.red(samples, 10) == "proxy has not answered for 3.1 s: connection refused"


def test_a_reused_connection_that_hangs_is_red_though_new_ones_are_good() -> None:
    samples = [good(t / 10) for t in range(100)] + [bad(7.0, reused=True)]
    assert traffic.red(samples, 10).startswith("entry has not answered for 3.0 s")


def test_one_fault_with_a_good_answer_after_it_is_not_red() -> None:
    assert traffic.red([bad(1), good(1.5)], 10) == ""


def test_a_service_sends_to_the_pods_of_the_newest_event_of_each_slice() -> None:
    events = [event(0, "wg-1"), event(0, "wg-2", slice_="b"), event(1, "wge-1")]
    assert traffic.ready_now(events, "s") == {"wge-1", "wg-2"}
    assert traffic.ready_now(events, "other") == set()


def test_a_slice_without_ports_or_deleted_sends_to_nobody() -> None:
    assert traffic.ready_now([event(0, "wg-1", ports=())], "s") == set()
    assert traffic.ready_now([event(0, "wg-1"), event(1, "wg-1", deleted=True)], "s") == set()


def test_a_clean_flip_has_no_gap() -> None:
    assert traffic.gaps([event(0, "wg-1"), event(5, "wge-1")], 10) == []


def test_the_time_between_the_last_endpoint_and_the_next_is_a_gap() -> None:
    events = [event(0, "wg-1"), event(5), event(5.5, "wge-1"), event(8, "wge-1", ports=()), event(8.25, "wge-1")]
    assert traffic.gaps(events, 10) == [traffic.Gap("s", 5, 0.5), traffic.Gap("s", 8, 0.25)]


def test_a_gap_that_does_not_end_lasts_until_now() -> None:
    assert traffic.gaps([event(0, "wg-1"), event(5)], 10) == [traffic.Gap("s", 5, 5)]


def test_a_service_that_never_had_an_endpoint_has_no_gap() -> None:
    assert traffic.gaps([event(0), event(3, "wge-1")], 10) == []


def test_another_slice_with_an_endpoint_bridges_the_gap() -> None:
    assert traffic.gaps([event(0, "wg-1"), event(0, "wg-2", slice_="b"), event(5)], 10) == []


def test_the_summary_counts_requests_and_losses_by_vantage_and_connection() -> None:
    samples = [good(0), good(1), bad(1.5), bad(2.0), good(2.5, seconds=0.4), good(0, reused=True)]
    summary = traffic.summary(samples, [event(0, "wg-1"), event(1), event(1.5, "wge-1")], 10)
    assert (summary["requests"], summary["lost"]) == (6, 2)
    assert (summary["endpoint_gaps"], summary["endpoint_gap_seconds"], summary["endpoint_events"]) == (1, 0.5, 3)
    new, reused = summary["vantages"]
    assert (new["name"], new["reused"], new["requests"], new["lost"]) == ("entry", False, 5, 2)
    assert (new["first_fault"], new["longest_fault_seconds"], new["slowest_seconds"]) == ("connection refused", 0.51, 0.4)
    assert (reused["reused"], reused["lost"], reused["first_fault"]) == (True, 0, "")


def test_lost_requests_are_listed_with_their_time_after_the_flip() -> None:
    faults = traffic.summary([good(0), bad(1.5), bad(2.0)], [], 10, flip=1.75)["faults"]
    assert [fault["seconds"] for fault in faults] == [-0.25, 0.25]
    assert faults[0] == {"vantage": "entry", "reused": False, "seconds": -0.25, "fault": "connection refused"}


def test_of_many_lost_requests_the_first_twenty_are_listed() -> None:
    summary = traffic.summary([bad(float(second)) for second in range(50)], [], 100)
    assert (summary["lost"], len(summary["faults"])) == (50, 20)


def test_the_summary_of_nothing_is_all_noughts() -> None:
    summary = traffic.summary([], [], 0)
    assert (summary["requests"], summary["lost"], summary["vantages"], summary["endpoint_gaps"]) == (0, 0, [], 0)
