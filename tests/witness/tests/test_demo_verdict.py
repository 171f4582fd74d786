# SPDX-License-Identifier: GPL-3.0-or-later
"""What the demo makes of the witness and the report."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from demo.verdict import Seen, judge, last_line, table
from witness.endpoints import Replay

SERVICE = {"uid": "u1", "clusterIP": "10.96.0.7", "ports": {"http": [9001, 30901]}}
QUIET = Replay(events=4, gaps=0, gap_seconds=0, blind=0, blind_seconds=0, ready_at_end=True)


def stream(**changes: Any) -> dict[str, Any]:
    products = {"WG": {"requests": 5, "first": "T1", "last": "T2"}, "WGE": {"requests": 5, "first": "T2", "last": "T3"}}
    usual = {"target": "node", "reused": False, "requests": 10, "lost": 0, "slowest_seconds": 0.1, "losses": [], "products": products}
    return {**usual, **changes}


def seen(**changes: Any) -> Seen:
    identity = [{"service": "dash", "before": {"uid": "u1"}, "after": {"uid": "u1"}, "same": True}]
    traffic = {"requests": 99, "lost": 0, "endpoint_gaps": 0}
    report = {"verdict": "upgraded", "message": "", "traffic": traffic, "identity": identity, "seconds": {"flipped": 4.0}}
    return replace(Seen("c1", report, [stream()], QUIET, {"dash": SERVICE}, {"dash": SERVICE, "more": SERVICE}, "WGE"), **changes)


def reported(**changes: Any) -> Seen:
    one = seen()
    one.report.update(changes)
    return one


def test_nothing_to_complain_about() -> None:
    assert judge(seen()) == []


@pytest.mark.parametrize(
    ("one", "words"),
    [
        (seen(report={}), "no entry"),
        (reported(verdict="rolled_back", message="WGE died."), "rolled_back: WGE died."),
        (reported(traffic={"lost": 2, "endpoint_gaps": 0}), "counts 2 lost requests, the witness 0"),
        (reported(traffic={"lost": 0, "endpoint_gaps": 1}), "counts 1 instants without an endpoint, the witness 0"),
        (reported(identity=[]), "does not name Service dash"),
        (reported(identity=[{"service": "dash", "before": {"uid": "u2"}, "same": True}]), "otherwise than the witness"),
        (reported(identity=[{"service": "dash", "before": {"uid": "u1"}, "same": False}]), "otherwise than the witness"),
        (seen(answers="WG"), "old address is answered by WG"),
        (seen(streams=[stream(products={"WG": {"first": "T1"}})]), "WG answered instead of WG, then WGE"),
        (seen(streams=[stream(products={})]), "nobody answered"),
        (seen(streams=[stream(products={"WGE": {"first": "T1"}, "WG": {"first": "T2"}})]), "WGE, then WG answered"),
        (seen(after={"dash": {**SERVICE, "uid": "u2"}}), "Service dash was"),
        (seen(after={}), "is gone"),
        (seen(endpoints=replace(QUIET, gaps=1, gap_seconds=0.2)), "no ready endpoint 1 times, for 0.2 s"),
        (seen(endpoints=replace(QUIET, blind=1, blind_seconds=3)), "could not see the endpoints for 3 s"),
        (seen(endpoints=replace(QUIET, ready_at_end=False)), "no ready endpoint now"),
    ],
)
def test_every_difference_is_said(one: Seen, words: str) -> None:
    assert any(words in sentence for sentence in judge(one))


def test_a_loss_is_told_with_its_times() -> None:
    losses = [{"at": "T5", "why": "HTTP 503"}]
    lossy = stream(lost=2, losses=losses, first_loss="T5", last_loss="T6", longest_outage_seconds=0.3)
    sentences = judge(seen(streams=[lossy]))
    assert "node, new connections: 2 of 10 lost, T5 to T6, longest outage 0.3 s: HTTP 503." in sentences
    assert any("counts 0 lost requests, the witness 2" in sentence for sentence in sentences)


def test_the_last_line_is_the_witness_s_count() -> None:
    assert last_line([seen(), seen(), seen()]) == "3 clusters upgraded, 30 requests, 0 lost"
    assert last_line([seen(streams=[stream(lost=3)])]) == "1 cluster upgraded, 10 requests, 3 lost"
    assert last_line([]) == "0 clusters upgraded, 0 requests, 0 lost"


def test_a_cluster_without_a_report_has_a_row_too() -> None:
    header, row = table([seen(report={}, streams=[])])
    assert header.split()[:2] == ["cluster", "verdict"]
    assert row.split()[:4] == ["c1", "?", "0", "0"]
