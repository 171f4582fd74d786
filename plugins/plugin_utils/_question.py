# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The base of the actions that ask the engine about one cluster. PRIVATE: can change at any time."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Any, ClassVar

from ansible.errors import AnsibleConnectionFailure
from ansible.utils.display import Display

from ..module_utils._front import Surroundings, call
from ..module_utils._redact import without_secrets
from ..module_utils._surroundings import Watch
from . import _progress, _runfile
from ._action import Result, WgeAction, controller_process
from ._shared import CACHE
from ._vault import ControllerVault

_CONTROLLER_GONE = 1


class QuestionAction(WgeAction):
    """One question to the engine, asked in the worker itself, watched, told, recorded."""

    question: ClassVar[str]
    recorded: ClassVar[bool] = False

    def answer(self, params: dict[str, Any], variables: Mapping[str, Any], secrets: set[str]) -> Result:
        """Ask the engine. Without a controller nobody waits for the answer, and its queue would block us."""
        with Watch(controller_process(), params.get("deadline_seconds")) as watch:
            teller = _Teller(watch, self._scribe(variables), secrets)
            try:
                result = call(self.question, params, self._surroundings(watch, teller))
                teller.record({"record": "verdict", "result": {**result, "diff": None, "plan": None}})
            finally:
                if watch.controller_gone:
                    os._exit(_CONTROLLER_GONE)
        return result

    def hand_over(self, variables: dict[str, Any]) -> Result:
        """As in the base, and the answer goes into the run file too."""
        scribe = self._scribe(variables)
        try:
            result = super().hand_over(variables)
        except AnsibleConnectionFailure as error:
            scribe.write({"record": "verdict", "result": {"verdict": "unreachable", "msg": str(error)}})
            raise
        scribe.write({"record": "verdict", "result": {**result, "diff": None, "plan": None, "invocation": None}})
        return result

    def _surroundings(self, watch: Watch, teller: _Teller) -> Surroundings:
        return Surroundings(
            keep_going=watch.keep_going,
            tell=teller.tell,
            check_mode=self._task.check_mode,
            diff=self._task.diff,
            controller=True,
            cache=CACHE,
            vault=ControllerVault(self._loader),
        )

    def _scribe(self, variables: Mapping[str, Any]) -> _Scribe:
        """Writes to the run file when validate_settings names one, and never in check mode."""
        host = str(variables.get("inventory_hostname", "?"))
        settings = variables.get("validate_settings")
        if not self.recorded or self._task.check_mode or not isinstance(settings, Mapping):
            return _Scribe(host, "")
        return _Scribe(host, _runfile.run_file(str(settings["report_dir"]), str(settings["run"])))


class _Scribe:
    """Appends one host's records to the run file, if there is one."""

    def __init__(self, host: str, path: str) -> None:
        self.host = host
        self._path = path

    def write(self, record: Mapping[str, Any]) -> None:
        """A full disk must not end a climb, so it is only said."""
        if not self._path:
            return
        try:
            _runfile.append(self._path, {"host": self.host, **record})
        except OSError as error:
            Display().warning(f"The run file {self._path} cannot be written: {error.strerror}.")


class _Teller:
    """Passes the engine's events on: to the run file, and to the callback or the terminal."""

    def __init__(self, watch: Watch, scribe: _Scribe, secrets: set[str]) -> None:
        self._watch = watch
        self._scribe = scribe
        self._secrets = secrets

    def tell(self, event: dict[str, Any]) -> None:
        """One event of the engine."""
        cleaned = {"host": self._scribe.host, **without_secrets(event, self._secrets)}
        if event.get("event") == "step":
            self._scribe.write({"record": "step", **cleaned})
        if self._watch.controller_gone:
            return  # Display would wait for a reader that is dead
        if not _progress.tell(cleaned):
            Display().display(_progress.line_of(cleaned))

    def record(self, record: Mapping[str, Any]) -> None:
        """One record for the run file alone."""
        self._scribe.write(without_secrets(dict(record), self._secrets))
