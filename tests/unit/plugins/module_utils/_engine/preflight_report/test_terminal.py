# SPDX-License-Identifier: GPL-3.0-or-later
"""The table on the terminal: a person reads it, and nothing in it moves the cursor."""

from __future__ import annotations

import pytest

from ansible_collections.weaveworks.wge.plugins.module_utils._engine.preflight_report.terminal import summary, table

from .fleet import document, result, results

FOUND = results()


def test_what_is_not_green_is_shown_with_group_id_state_sentence_and_remedy_and_then_the_counts() -> None:
    assert table("prod-1", FOUND["warned"], 100) == [
        "  permissions  PE-03  waived  rights to roll back: Missing. (Waived by ann@example.com until",
        "                              2027-01-31: known.)",
        "                              → Apply.",
        "  network      NE-02  warn    routes: One route is of an unknown kind.",
        "                              → Name it.",
        "prod-1: ready with warnings (1 warns, 1 waived, 3 passed)",
    ]


def test_a_cluster_where_all_is_green_has_one_line() -> None:
    assert table("prod-1", FOUND["ready"], 100) == ["prod-1: ready (1 skipped, 4 passed)"]


def test_everything_is_shown_when_it_is_asked_for() -> None:
    lines = table("prod-1", FOUND["ready"], 100, everything=True)
    assert [line.split()[-4:-3] and line.split()[:3] for line in lines[:2]] == [
        ["cluster", "CL-01", "pass"],
        ["permissions", "PE-02", "pass"],
    ]
    assert len(lines) == 6


def test_a_group_is_named_once() -> None:
    lines = table("prod-1", FOUND["ready"], 100, everything=True)
    assert lines[2].split()[0] == "PE-03"


def test_a_role_to_apply_keeps_its_lines_and_their_indentation() -> None:
    lines = table("prod-1", FOUND["blocked"], 100)
    at = next(number for number, line in enumerate(lines) if "→ Apply this:" in line)
    margin = lines[at].index("→") + 2
    assert [line[margin:] for line in lines[at + 1 : at + 5]] == ["kind: Role", "rules:", '  - apiGroups: [""]', '    verbs: ["patch"]']


@pytest.mark.parametrize("width", [79, 100, 200])
def test_lines_fit_the_terminal(width: int) -> None:
    assert max(map(len, table("prod-1", FOUND["warned"], width))) <= min(width, 140)


def test_a_very_narrow_terminal_still_gets_words() -> None:
    assert len(table("prod-1", FOUND["warned"], 20)) < 20


def test_nothing_of_a_cluster_reaches_the_terminal_as_a_control_character() -> None:
    assert all(line.isprintable() for host in FOUND for line in table(f"\x1b{host}", FOUND[host], 100))


def test_a_cluster_without_findings_has_no_table() -> None:
    assert table("prod-1", FOUND["lost"], 100) == []


def test_id_state_and_verdict_are_painted_and_painting_does_not_move_the_columns() -> None:
    painted = table("prod-1", FOUND["warned"], 100, paint=lambda text, tone: f"<{tone}:{text}>")
    assert painted[3] == "  network      <warn:NE-02>  <warn:warn  >  routes: One route is of an unknown kind."
    assert painted[-1] == "prod-1: <warn:ready with warnings> (1 warns, 1 waived, 3 passed)"


def test_the_fleet_is_who_is_not_ready_and_why_then_the_sentence_and_the_files() -> None:
    assert summary(document(), ["/r/p.html"]) == [
        "  blocked      blocked   PE-02",
        "  error        mistaken  A mistake of ours.",
        "  error        never     It gave no answer.",
        "  error        unsure    SA-03",
        "  unreachable  lost      The API server does not answer.",
        "  unreachable  silent    No route to host.",
        "8 clusters: 1 ready, 1 ready with warnings, 2 unreachable, 3 not judged, 1 blocked",
        "  /r/p.html",
    ]


def test_hosts_that_are_one_cluster_are_named_in_the_summary() -> None:
    assert any("again and ready are one cluster" in line for line in summary(document(again=result("pass", uid="u1"))))
