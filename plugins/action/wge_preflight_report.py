# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from datetime import datetime, timezone
from typing import Any

from ..module_utils._argspec import PREFLIGHT_REPORT_SPEC
from ..module_utils._engine.preflight_report.document import Document, build, by_host, hosts_by_verdict
from ..module_utils._engine.preflight_report.junit import junit
from ..module_utils._engine.preflight_report.markdown import markdown
from ..module_utils._engine.preflight_report.page import page
from ..module_utils._engine.preflight_report.terminal import summary
from ..module_utils._errors import WgeError
from ..module_utils._files import write_private
from ..plugin_utils._action import Result, WgeAction
from ..plugin_utils._paint import show


class ActionModule(WgeAction):
    """The preflight of a fleet: a summary on the terminal, and its files on disk."""

    name = "wge_preflight_report"
    spec = PREFLIGHT_REPORT_SPEC
    controller_only = True

    def answer(self, params: dict[str, Any], variables: Mapping[str, Any], secrets: set[str]) -> Result:
        """Write the files (not in check mode) and print."""
        now = datetime.now(timezone.utc)
        run = params["run"] or f"{now:%Y%m%dT%H%M%SZ}"
        base = os.path.join(os.path.abspath(params["report_dir"]), f"preflight-{run}")
        paths = {"path": f"{base}.json", "junit": f"{base}.xml", "markdown": f"{base}.md", "html": f"{base}.html"}
        try:
            document = build(by_host(params["results"]), run, now.isoformat(timespec="seconds"))
            if not self._task.check_mode:
                for name, text in _texts(document).items():
                    write_private(paths[name], text.encode())
        except WgeError as problem:
            return {"failed": True, "changed": False, "verdict": problem.verdict, "msg": str(problem)}
        written = [] if self._task.check_mode else [paths["html"]]
        show(lambda paint: summary(document, written, paint))
        fleet = document["fleet"]
        told = {"verdicts": fleet["verdicts"], "sentence": fleet["sentence"], "hosts": hosts_by_verdict(document)}
        twins = {cluster["host"]: cluster["message"] for cluster in document["clusters"] if cluster["twin"]}
        return {"changed": False, **paths, **told, "twins": twins}


def _texts(document: Document) -> dict[str, str]:
    return {
        "path": json.dumps(document, indent=2, ensure_ascii=False) + "\n",
        "junit": junit(document),
        "markdown": markdown(document),
        "html": page(document),
    }
