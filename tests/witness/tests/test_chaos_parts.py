# SPDX-License-Identifier: GPL-3.0-or-later
"""What `make chaos` says of its cases: which loss is whose, when a matrix is whole, and what it puts on its page."""

from __future__ import annotations

from pathlib import Path

import pytest
from chaos import beside, page, table
from chaos.cases import Case
from chaos.points import AFTER, BEFORE, CONTROLLER, Point, Sent
from chaos.result import Result, read, together
from integration.witness import Seen

FLIP = Sent("wge", "patch", "services/dashboard (selector)")


def case(journey: str = "parked", moment: str = BEFORE, began: float = 0.0, ended: float = 0.0, **more: str) -> Case:
    return Case(journey, Point(FLIP, moment), outcome="reached", further=1, began=began, ended=ended, lane="k1", **more)  # type: ignore[arg-type]


def seen(*seconds: int) -> Seen:
    losses = [{"at": f"1970-01-01T00:00:{second:02}.000+00:00", "why": "HTTP 503"} for second in seconds]
    return Seen([{"target": "proxy", "requests": 9, "lost": len(losses), "longest_outage_seconds": 0, "losses": losses}], {})


def test_a_loss_belongs_to_the_case_during_which_it_happened() -> None:
    first, second = case(began=10, ended=20), case(began=20.5, ended=30)
    told = list(table.attribute([first, second], "k1", [seen(15, 25, 26), seen(50)]))
    assert (first.lost, second.lost) == (1, 2)
    assert told[0] == "Lost on k1 at 1970-01-01T00:00:15.000+00:00, proxy: HTTP 503 (parked, before patch services/dashboard (selector))."
    assert told[-1].endswith("(outside of every case).")
    assert list(table.attribute([first], "k2", [seen(15)]))[-1].endswith("(outside of every case).")


@pytest.mark.parametrize(
    ("result", "safe"),
    [
        (Result([case()]), True),
        (Result(), False),
        (Result([case()], lost=1), False),
        (Result([case(), case(wrong=["Lease wge-upgrade is left over"])]), False),  # type: ignore[arg-type]
        (Result([Case("parked", Point(FLIP, BEFORE))]), False),
    ],
)
def test_one_loss_or_one_unsafe_case_is_a_failure_and_so_is_nothing_at_all(result: Result, safe: bool) -> None:
    assert result.safe == safe


def test_parts_put_together_are_whole_when_none_is_missing(tmp_path: Path) -> None:
    parts = [
        Result([case()], asked=5, parts=["A 1/2"]),
        Result([case()], asked=6, parts=["A 2/2"]),
        Result(others=list(beside.chosen("all"))),
    ]
    for number, part in enumerate(parts):
        part.write(tmp_path / f"{number}.json")
    kept = [read(tmp_path / f"{number}.json") for number in range(3)]
    assert kept == parts
    assert together(kept).whole("A")
    assert (together(kept).asked, table.last_line(together(kept))) == (11, "2 cases, 2 safe, 0 unsafe, 0 requests lost")
    assert not any(together([one for one in kept if one is not missing]).whole("A") for missing in kept)


def test_each_form_s_matrix_is_whole_for_itself_and_only_the_first_s_has_cases_beside_it() -> None:
    both = Result(parts=["A 1/1", "B 1/2"])
    assert (both.whole("A"), both.whole("B")) == (False, False)
    both.parts.append("B 2/2")
    assert (both.whole("A"), both.whole("B"), both.whole("C")) == (False, True, False)


def test_requests_are_counted_by_form_when_parts_are_put_together() -> None:
    parts = [Result([case()], counted={"A": (5, 1)}), Result([case(form="B")], counted={"A": (2, 0), "B": (9, 0)})]
    assert together(parts).counted == {"A": (7, 1), "B": (9, 0)}
    assert table.last_line(together(parts).of_form("B")) == "1 cases, 1 safe, 0 unsafe, 0 requests lost"


def place_for(form: str, text: str) -> str:
    """What a page leaves for a form."""
    return f"{page.BEGIN.format(form=form)}{text}\n{page.END.format(form=form)}"


def test_the_page_has_a_row_for_a_write_and_a_column_for_a_moment_in_the_form_s_own_place(tmp_path: Path) -> None:
    place = tmp_path / "page.rst"
    place.write_text(f"Before\n\n{place_for('A', 'old')}Between\n{place_for('B', 'other')}After\n")
    stopped = Case("parked", Point(FLIP, AFTER, CONTROLLER), outcome="not reached", further=2, wrong=["Pod x is missing"], lost=3)
    steps = {"A parked patch services/dashboard (selector)": "S12 flip"}
    result = Result([case(), stopped, case(beside="late_requests"), case(form="B")], steps=steps)
    page.write(place, result, "A")
    page.write(place, result, "A")
    text = place.read_text()
    row = ["   * - S12 flip", "     - ``patch services/dashboard``", "     - worker 1", "     -"]
    assert "\n".join([*row, r"     - controller 2: \*\*not reached: Pod x is missing\*\*", "     - 3"]) in text
    assert "A write that was on its way when its run fell asleep" in text
    assert (text.startswith("Before"), text.endswith("After\n"), "old" in text) == (True, True, False)
    assert text.endswith(f"Between\n{place_for('B', 'other')}After\n")


def test_a_page_without_a_place_is_left_alone(tmp_path: Path) -> None:
    place = tmp_path / "page.rst"
    place.write_text(place_for("A", "kept"))
    with pytest.raises(ValueError, match="has no place for the tables of form B"):
        page.write(place, Result(), "B")
    assert place.read_text() == place_for("A", "kept")
