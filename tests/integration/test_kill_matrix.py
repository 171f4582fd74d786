# SPDX-License-Identifier: GPL-3.0-or-later
"""A sample of the kill matrix: killed at two writes of each journey, a cluster ends where it was told to (all: `make chaos`)."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from chaos.beside import FLIP, LOCK, RIVAL, SCALE, WG_DEPLOYMENT
from chaos.field import Field
from chaos.forms import FORMS
from chaos.matrix import BACK, CLIMB, FINAL
from chaos.points import AFTER, BEFORE, EVERYTHING, HELM, MIDDLE, Point, Sent
from chaos.result import Result

from integration.lab import Lab

pytestmark = [pytest.mark.bed, pytest.mark.slow]
SAMPLE = (
    (CLIMB, Point(Sent(HELM, "create", "deployments"), MIDDLE, EVERYTHING)),
    (CLIMB, Point(FLIP, AFTER)),
    (BACK, Point(SCALE, BEFORE)),
    (BACK, Point(FLIP, MIDDLE)),
    (FINAL, Point(Sent("wge", "delete", WG_DEPLOYMENT), AFTER)),
    (FINAL, Point(Sent("wge", "delete", "leases/wge-upgrade"), BEFORE)),
)
"""The same ones each time: Helm in its middle, both flips, WG's removal, the last write of all."""
HAND_OVER = Sent("wge", "patch", "helmreleases/ww-gitops (postRenderers, forceAt, requestedAt, handed-over)")
SUSPEND = Sent("wge", "patch", "helmreleases/ww-gitops (suspend, suspended)")
SHIELD = Sent("wge", "patch", "helmreleases/ww-gitops (annotations)")
UNSHIELD = Sent("wge", "patch", "helmreleases/ww-gitops (reconcile, shielded)")
DELIVERY = Sent("wge", "create", "helmreleases/weave-gitops-enterprise")
CREDENTIALS = Sent("wge", "create", "secrets/cluster-user-auth")
OLD_FLIP = Sent("wge", "patch", "services/wego-app (selector, targetPort)")
OTHERS = {
    "B": (
        (CLIMB, Point(HAND_OVER, MIDDLE)),
        (CLIMB, Point(SUSPEND, AFTER)),
        (FINAL, Point(Sent("wge", "delete", "helmreleases/ww-gitops"), AFTER)),
    ),
    "C": (
        (CLIMB, Point(SHIELD, AFTER)),
        (CLIMB, Point(DELIVERY, MIDDLE)),
        (BACK, Point(HAND_OVER, BEFORE)),
        (BACK, Point(UNSHIELD, AFTER)),
    ),
    "D": (
        (CLIMB, Point(CREDENTIALS, AFTER)),
        (CLIMB, Point(OLD_FLIP, MIDDLE)),
        (BACK, Point(OLD_FLIP, AFTER)),
    ),
}
"""Of the other forms what they alone write: the hand-over, the suspend, the end of the owner; the shield, there and back; the login."""
TWO_AT_ONCE = (CLIMB, Point(LOCK, BEFORE, RIVAL))


@pytest.fixture(scope="module", name="result")
def _result(lab: Lab, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Result]:
    with Field(Path(tmp_path_factory.mktemp("chaos")), clusters=1, lab=lab) as field:
        field.sample(SAMPLE)
        yield field.result()


@pytest.fixture(scope="module", name="of_others")
def _of_others(lab: Lab, tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Result]]:
    """A cluster of each form, all at once: a run waits most of its time."""
    with contextlib.ExitStack() as stack:
        fields = {
            letter: stack.enter_context(Field(Path(tmp_path_factory.mktemp(f"chaos-{letter}")), 1, lab=lab, form=FORMS[letter]))
            for letter in OTHERS
        }
        threads = [threading.Thread(target=field.brief, args=(OTHERS[letter],), daemon=True) for letter, field in fields.items()]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        yield {letter: field.result() for letter, field in fields.items()}


@pytest.mark.parametrize("form", OTHERS)
def test_every_form_ends_where_it_was_told_to_wherever_it_is_killed(of_others: dict[str, Result], form: str) -> None:
    result = of_others[form]
    assert [(case.journey, case.point) for case in result.cases] == list(OTHERS[form]), result.notes
    assert [f"{case.journey} {case.point}: {case.outcome} {case.wrong}" for case in result.cases if not case.safe] == []
    assert result.asked > 0
    assert result.lost == 0, result.notes


def test_every_point_of_the_sample_was_hit(result: Result) -> None:
    assert [(case.journey, case.point) for case in result.cases] == [TWO_AT_ONCE, *SAMPLE], result.notes


def test_every_journey_ends_where_it_was_to_or_stops_safely_and_then_does(result: Result) -> None:
    assert [f"{case.journey} {case.point}: {case.outcome} {case.wrong}" for case in result.cases if not case.safe] == []
    assert all(case.further <= 2 for case in result.cases)


def test_no_request_is_lost(result: Result) -> None:
    assert result.asked > 0
    assert result.lost == 0, result.notes
