# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ansible.utils.display import Display

from ..module_utils._argspec import PREFLIGHT_SPEC
from ..module_utils._engine.preflight_report.short import short
from ..module_utils._engine.preflight_report.terminal import table
from ..module_utils._redact import without_secrets
from ..plugin_utils._action import Result
from ..plugin_utils._paint import show
from ..plugin_utils._question import QuestionAction

_OUTPUT = PREFLIGHT_SPEC["output"]["default"]
_SHOW = PREFLIGHT_SPEC["show"]["default"]


class ActionModule(QuestionAction):
    """May one cluster be upgraded. Every finding is asked for, since the table may show more than the result holds."""

    name = "wge_preflight"
    question = "preflight"
    spec = PREFLIGHT_SPEC

    def answer(self, params: dict[str, Any], variables: Mapping[str, Any], secrets: set[str]) -> Result:
        """As in the base, and the table is shown."""
        result = super().answer({**params, "output": "full"}, variables, secrets)
        return _shown(without_secrets(result, secrets), params, variables)

    def hand_over(self, variables: dict[str, Any]) -> Result:
        """As in the base, and the table is shown here."""
        params = {"output": _OUTPUT, "show": _SHOW, **self._task.args}
        if params["output"] == "summary":
            self._task.args = {**self._task.args, "output": "full"}
        return _shown(super().hand_over(variables), params, variables)


def _shown(result: Result, params: Mapping[str, Any], variables: Mapping[str, Any]) -> Result:
    host, width = str(variables.get("inventory_hostname", "?")), Display().columns
    show(lambda paint: table(host, result, width, everything=params["show"] == "all", paint=paint))
    return short(result) if params["output"] == "summary" else result
