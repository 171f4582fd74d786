# SPDX-License-Identifier: GPL-3.0-or-later
"""A person may overrule a check: by name, with a reason, until a day."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest

from ansible_collections.weaveworks.wge.plugins.module_utils._engine.checks import registry
from ansible_collections.weaveworks.wge.plugins.module_utils._engine.checks.waivers import Waiver, waivers_from
from ansible_collections.weaveworks.wge.plugins.module_utils._errors import InvalidSettings
from ansible_collections.weaveworks.wge.tests.unit.plugins.module_utils._engine.standin_vendor import token
from ansible_collections.weaveworks.wge.tests.unit.plugins.module_utils._engine.standin_world import World

GIVEN = {"id": "EN-04", "who": "ada", "reason": "renewal is under way", "expires": "2026-12-31"}


def expired(world: World, *waivers: Waiver) -> registry.Finding:
    """What EN-04 says of an expired entitlement, where that blocks."""
    world.set(entitlement=token(days=-1), fail_if_expired=True)
    return next(finding for finding in registry.run_all(world.evidence(), waivers) if finding.id == "EN-04")


def test_a_waived_failure_is_a_warning_with_the_name_of_who_waived_it(world: World) -> None:
    finding = expired(world, *waivers_from([GIVEN], registry.CHECKS))
    assert (finding.status, finding.blocks) == ("warn", False)
    assert finding.evidence.endswith("(Waived by ada until 2026-12-31: renewal is under way.)")
    assert finding.waiver == {"who": "ada", "reason": "renewal is under way", "expires": "2026-12-31"}


def test_it_counts_to_the_end_of_its_day(world: World) -> None:
    assert expired(world, Waiver("EN-04", "ada", "x", date(2026, 11, 23))).status == "warn"


def test_one_that_has_ended_counts_no_more_and_is_named(world: World) -> None:
    finding = expired(world, Waiver("EN-04", "ada", "x", date(2026, 11, 22)))
    assert finding.blocks
    assert finding.evidence.endswith("(ada's waiver ended on 2026-11-22.)")


def test_a_check_that_passes_has_no_waiver(world: World) -> None:
    findings = registry.run_all(world.evidence(), waivers_from([GIVEN], registry.CHECKS))
    assert not [finding for finding in findings if finding.waiver]


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"id": "XX-99"}, "wge_waivers names check XX-99, which there is not."),
        ({"id": ""}, "wge_waivers names check (none), which there is not."),
        ({"id": "CL-02"}, "Check CL-02 (right cluster) cannot be waived."),
        ({"who": " "}, "The waiver of EN-04 has no who."),
        ({"reason": ""}, "The waiver of EN-04 has no reason."),
        ({"expires": ""}, "The waiver of EN-04 has no expires."),
        ({"expires": "tomorrow"}, "The waiver of EN-04 expires on 'tomorrow', which is no date."),
        ({"expires": "2026-02-30"}, "The waiver of EN-04 expires on '2026-02-30', which is no date."),
    ],
)
def test_a_waiver_that_cannot_be_is_refused(change: dict[str, Any], sentence: str) -> None:
    with pytest.raises(InvalidSettings) as problem:
        waivers_from([{**GIVEN, **change}], registry.CHECKS)
    assert problem.value.what == sentence
    assert problem.value.next_step


def test_two_waivers_of_one_check_are_refused() -> None:
    with pytest.raises(InvalidSettings, match=r"wge_waivers waives EN-04 more than once\."):
        waivers_from([GIVEN, GIVEN], registry.CHECKS)
