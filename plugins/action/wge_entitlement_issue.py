# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ..module_utils._argspec import ISSUE_SPEC
from ..plugin_utils._action import Result
from ..plugin_utils._question import QuestionAction
from ..plugin_utils._settings import unknown_variables


class ActionModule(QuestionAction):
    """One customer's entitlement, from the ledger or new. The key and the ledger are the controller's."""

    name = "wge_entitlement_issue"
    question = "issue"
    spec = ISSUE_SPEC
    controller_only = True

    def answer(self, params: dict[str, Any], variables: Mapping[str, Any], secrets: set[str]) -> Result:
        """Ask the engine. A date under a mistyped name would be overlooked in silence, so such names are warned of."""
        result = super().answer(params, variables, secrets)
        mistyped = unknown_variables([str(name) for name in variables])
        return {**result, "warnings": [*result.get("warnings", []), *mistyped]}
