# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)

from __future__ import annotations

from ..module_utils._argspec import RESTORE_SPEC
from ..plugin_utils._question import QuestionAction


class ActionModule(QuestionAction):
    """An archive on the controller, put back."""

    name = "wge_state_restore"
    question = "restore"
    spec = RESTORE_SPEC
    controller_only = True
