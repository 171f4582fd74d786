# SPDX-License-Identifier: GPL-3.0-or-later
"""CU-06: does WGE inherit every setting of WG, and who decides about those it cannot? PRIVATE."""

from __future__ import annotations

from ..carried import LOST, TOLD, Fate, fates, is_answered
from ..forms.helm import defaults_of, given_of, newest
from ..model import Object, Rung
from .check import BLOCK, Check
from .evidence import Evidence, Judged, failed, passed, warned
from .versions import wge_version


def settings_inherited(evidence: Evidence) -> Judged:
    """CU-06. No request. The values that people gave, the arguments that run, the variables of the release."""
    now = evidence.now
    wg = now.snapshot.installed
    last = newest(wg.revisions)
    stored: Object = last.decoded() if last else {}
    found = fates(wg, defaults_of(stored), given_of(stored), wge_version(now))
    open_ones = [fate for fate in found if not is_answered(fate, now.settings.values)]
    lost, told = [f for f in open_ones if f.kind == LOST], [f for f in open_ones if f.kind == TOLD]
    if lost:
        places = sorted({fate.equivalent for fate in lost if fate.equivalent})
        here = f"Set {', '.join(places)} in wge_values" if places else "Decide whether WGE may do without"
        return failed(
            f"WGE does not inherit {_listed(lost)}.",
            f"{here}; who accepts the loss waives this check{', as for what has no value in WGE' if places else ''}.",
        )
    if told:
        return warned(f"WGE does not inherit {_listed(told)}.", "Nothing of it keeps WGE from serving; see whether you miss it.")
    return passed(f"{len(found)} settings of WG were looked at, and each is carried over, kept, or not needed.")


def _listed(found: list[Fate]) -> str:
    return "; ".join(f"{fate.name} ({fate.words})" for fate in found)


CHECKS = (
    Check(
        "CU-06",
        "install",
        "settings inherited",
        BLOCK,
        settings_inherited,
        "the values, arguments and variables of WG, against what WGE has for them",
        "Give the equivalent in wge_values, or waive what may be lost.",
        until=Rung.PARKED,
    ),
)
