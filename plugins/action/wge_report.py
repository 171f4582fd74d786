# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from datetime import datetime, timezone
from typing import Any

from ansible.utils.display import Display

from ..module_utils._argspec import REPORT_SPEC
from ..module_utils._engine.report import build, summary
from ..plugin_utils import _runfile
from ..plugin_utils._action import Result, WgeAction


class ActionModule(WgeAction):
    """The report of one run: a document on disk and a summary on the terminal."""

    name = "wge_report"
    spec = REPORT_SPEC
    controller_only = True

    def answer(self, params: dict[str, Any], variables: Mapping[str, Any], secrets: set[str]) -> Result:
        """Read the run file, write the document beside it (not in check mode), print the summary."""
        folder, run = os.path.abspath(params["report_dir"]), params["run"]
        made = datetime.now(timezone.utc).isoformat(timespec="seconds")
        records = [] if self._task.check_mode else _runfile.records(_runfile.run_file(folder, run))
        document = build(run, made, records, params["outcomes"])
        path = _runfile.report_file(folder, run)
        for line in summary(document):  # first: it is all there is when the disk is full
            Display().display(line)
        if not self._task.check_mode:
            try:
                _runfile.replace(path, json.dumps(document, indent=2, ensure_ascii=False) + "\n")
            except OSError as error:
                msg = f"The report {path} cannot be written: {error.strerror}; set wge_report_dir to a folder of yours."
                return {"failed": True, "changed": False, "msg": msg}
        return {"changed": False, "path": path, "fleet": document["fleet"]}
