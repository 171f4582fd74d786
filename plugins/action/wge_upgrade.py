# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)

from __future__ import annotations

from ..module_utils._argspec import UPGRADE_SPEC
from ..plugin_utils._question import QuestionAction


class ActionModule(QuestionAction):
    """The climb of one cluster."""

    name = "wge_upgrade"
    question = "upgrade"
    spec = UPGRADE_SPEC
    recorded = True
