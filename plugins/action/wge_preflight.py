# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ansible.utils.display import Display

from ..module_utils._argspec import PREFLIGHT_SPEC
from ..module_utils._engine.report import check_lines
from ..module_utils._redact import without_secrets
from ..plugin_utils._action import Result
from ..plugin_utils._question import QuestionAction


class ActionModule(QuestionAction):
    """May one cluster be upgraded."""

    name = "wge_preflight"
    question = "preflight"
    spec = PREFLIGHT_SPEC

    def answer(self, params: dict[str, Any], variables: Mapping[str, Any], secrets: set[str]) -> Result:
        """As in the base, and the checks that did not pass are shown."""
        result = super().answer(params, variables, secrets)
        host = str(variables.get("inventory_hostname", "?"))
        for line in check_lines(host, without_secrets(result, secrets).get("checks") or []):
            Display().display(line)
        return result
