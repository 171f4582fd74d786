# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)

from __future__ import annotations

from ..module_utils._argspec import EXPORT_SPEC
from ..plugin_utils._question import QuestionAction


class ActionModule(QuestionAction):
    """An archive of one cluster, on the controller."""

    name = "wge_state_export"
    question = "export"
    spec = EXPORT_SPEC
    controller_only = True
