# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)

from __future__ import annotations

from ..module_utils._argspec import GIT_CHANGES_SPEC
from ..plugin_utils._question import QuestionAction


class ActionModule(QuestionAction):
    """What git has to say after an upgrade, on the controller."""

    name = "wge_git_changes"
    question = "git_changes"
    spec = GIT_CHANGES_SPEC
    controller_only = True
