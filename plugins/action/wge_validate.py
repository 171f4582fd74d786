# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)

from __future__ import annotations

import json
import secrets as randomness
from collections.abc import Mapping
from datetime import datetime, timezone
from typing import Any

from ..module_utils._argspec import VALIDATE_SPEC
from ..module_utils._engine.waves import plan_waves, wave_numbers
from ..plugin_utils._action import Result, WgeAction
from ..plugin_utils._fleet import examine, fleet_of, size_problem


class ActionModule(WgeAction):
    """The settings of a whole fleet, checked before any cluster is touched, and its waves."""

    name = "wge_validate"
    spec = VALIDATE_SPEC
    controller_only = True

    def answer(self, params: dict[str, Any], variables: Mapping[str, Any], secrets: set[str]) -> Result:
        """Read the inventory of all hosts; no cluster is asked."""
        groups = variables["groups"]
        fleet = [str(host) for host in fleet_of(groups)]
        candidates = fleet if params["candidates"] is None else params["candidates"]
        numbers = wave_numbers(plan_waves(candidates, groups.get("wge_canary", ())))
        result: Result = {"changed": False, "fleet": fleet, "waves": numbers}
        if params["settings"]:
            result.update(self._settings(fleet, variables, sliceable=params["sliceable"]))
        return result

    def _settings(self, fleet: list[str], variables: Mapping[str, Any], *, sliceable: bool) -> Result:
        settings, problems = examine(fleet, variables["hostvars"])
        if not sliceable:
            problems += size_problem(settings)
        if problems:
            return {"failed": True, "verdict": "blocked", "problems": problems, "msg": _message(problems)}
        run = _run_id()
        plain = json.loads(json.dumps(settings, default=str))
        return {"run": run, "settings": {host: {**values, "run": run} for host, values in plain.items()}}


def _message(problems: list[str]) -> str:
    if len(problems) == 1:
        return problems[0]
    return f"{len(problems)} settings cannot be used. " + " ".join(problems)


def _run_id() -> str:
    """Sorts by time; two runs begun in one second differ."""
    return f"{datetime.now(timezone.utc):%Y%m%dT%H%M%SZ}-{randomness.token_hex(3)}"
