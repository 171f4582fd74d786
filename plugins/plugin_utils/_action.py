# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What every action plugin of the collection does around its one call. PRIVATE: can change at any time.

This is the only place that knows it runs in a worker that Ansible forked.
"""

from __future__ import annotations

import gc
import json
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any, ClassVar

from ansible.errors import AnsibleActionFail
from ansible.plugins.action import ActionBase

from ..module_utils._argspec import Spec, canonical
from ..module_utils._redact import secrets_of, without_secrets

Result = dict[str, Any]

_LOADED_IN = os.getpid()


def controller_process() -> int:
    """The process whose end ends us.

    Ansible loads this file in the parent, before it forks. Asking for the parent only now would take the system's first
    process for the controller when the controller has just been killed.
    """
    return os.getppid() if os.getpid() == _LOADED_IN else _LOADED_IN


class WgeAction(ActionBase):
    """The base of all actions: refuses what cannot work, reads the options, cleans the result."""

    name: ClassVar[str]
    spec: ClassVar[Spec]
    controller_only: ClassVar[bool] = False

    def run(self, tmp: str | None = None, task_vars: dict[str, Any] | None = None) -> Result:
        """Ansible's entry."""
        gc.freeze()  # else each collection walks, and so copies, all that this worker shares with the controller
        super().run(tmp, task_vars)
        variables = task_vars or {}
        secrets = secrets_of(self.spec, self._task.args)
        refusal = self._refusal(secrets)
        if refusal:
            return {"failed": True, "changed": False, "verdict": "blocked", "msg": refusal}
        if not self._is_local():
            return self.hand_over(variables)
        with self._environment():
            return self._answered(variables, secrets)

    def answer(self, params: dict[str, Any], variables: Mapping[str, Any], secrets: set[str]) -> Result:
        """Do what the action is for. ``params`` are plain data; the result need not be free of secrets yet."""
        raise NotImplementedError

    def hand_over(self, variables: dict[str, Any]) -> Result:
        """Let the module of the same name do it where the connection leads."""
        result: Result = self._execute_module(f"weaveworks.wge.{self.name}", task_vars=variables)
        return result

    def _answered(self, variables: Mapping[str, Any], secrets: set[str]) -> Result:
        try:
            _result, validated = self.validate_argument_spec(self.spec)
        except AnsibleActionFail as error:
            failure = {"failed": True, "changed": False, "verdict": "blocked", "msg": str(error.message)}
            return without_secrets(failure, secrets)
        # Strings in this process carry tags that e.g. yaml.safe_dump refuses; a module would get plain ones.
        params = canonical(self.spec, json.loads(json.dumps(validated, default=str)))
        secrets = secrets | secrets_of(self.spec, params)
        result = without_secrets(self.answer(params, variables, secrets), secrets)
        result.pop("invocation", None)  # Ansible would print it, and it holds the options
        return result

    def _refusal(self, secrets: set[str]) -> str:
        """Why this task cannot be done here; nothing when it can."""
        if self._is_local():
            if self._play_context.become:
                return (
                    f"{self.name} runs in the controller's own process, where become has no effect; "
                    "remove become from this task, its play and its host."
                )
            return ""
        if self.controller_only:
            return f"{self.name} runs on the controller only; give the task delegate_to: localhost."
        if secrets and not self._is_pipelining_enabled("new"):
            return (
                "The options hold secrets, and without pipelining they would lie in a file on the remote host; "
                "set ansible_pipelining: true for it (or ANSIBLE_PIPELINING=true)."
            )
        return ""

    def _is_local(self) -> bool:
        return bool(self._connection.transport == "local")

    @contextmanager
    def _environment(self) -> Iterator[None]:
        """The task's ``environment:`` for the length of the call.

        Ansible hands it to modules only. Programs that we start (helm, a kubeconfig's exec plugin) need it as well.
        """
        wanted: dict[str, Any] = {}
        self._compute_environment_string(wanted)
        before = {name: os.environ.get(name) for name in wanted}
        os.environ.update({str(name): str(value) for name, value in wanted.items()})
        try:
            yield
        finally:
            for name, value in before.items():
                if value is None:
                    os.environ.pop(name, None)
                else:
                    os.environ[name] = value
