# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from datetime import datetime, timezone
from typing import Any

from ansible.utils.display import Display

from ..module_utils._argspec import ENTITLEMENT_REPORT_SPEC
from ..module_utils._engine.entitlement import table
from ..module_utils._errors import WgeError
from ..module_utils._files import write_private
from ..plugin_utils._action import Result, WgeAction


class ActionModule(WgeAction):
    """The fleet's entitlements: a table on the terminal, a document and a JUnit file on disk."""

    name = "wge_entitlement_report"
    spec = ENTITLEMENT_REPORT_SPEC
    controller_only = True

    def answer(self, params: dict[str, Any], variables: Mapping[str, Any], secrets: set[str]) -> Result:
        """Print and warn, then write both files (not in check mode)."""
        now = datetime.now(timezone.utc)
        run = params["run"] or f"{now:%Y%m%dT%H%M%SZ}"
        base = os.path.join(os.path.abspath(params["report_dir"]), f"entitlements-{run}")
        try:
            document = table.build(params["entitlements"], run, now.isoformat(timespec="seconds"), params["warn_days"])
            for line in table.lines(document):
                Display().display(line)
            if not self._task.check_mode:
                write_private(f"{base}.json", (json.dumps(document, indent=2, ensure_ascii=False) + "\n").encode())
                write_private(f"{base}.xml", table.junit(document, fail_if_expired=params["fail_if_expired"]).encode())
        except WgeError as problem:
            return {"failed": True, "changed": False, "verdict": problem.verdict, "msg": str(problem)}
        told = {name: document[name] for name in ("levels", "sentence")}
        return {"changed": False, "path": f"{base}.json", "junit": f"{base}.xml", **told, "warnings": table.warnings(document)}
