# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)

from __future__ import annotations

from ..module_utils._argspec import VERIFY_CLUSTER_SPEC
from ..plugin_utils._question import QuestionAction


class ActionModule(QuestionAction):
    """Whether one cluster is what it was."""

    name = "wge_verify"
    question = "verify_cluster"
    spec = VERIFY_CLUSTER_SPEC
