# SPDX-License-Identifier: GPL-3.0-or-later
"""What both front ends do around one call of the engine. PRIVATE: can change at any time."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Mapping
from types import FrameType, TracebackType
from typing import TYPE_CHECKING, Any

from ._argspec import Spec, canonical
from ._front import Surroundings, call
from ._redact import secrets_of, without_secrets

if TYPE_CHECKING:
    from ansible.module_utils.basic import AnsibleModule

_SIGNALS = (signal.SIGINT, signal.SIGTERM)


class Watch:
    """Says whether the engine may go on. Inside the ``with``, SIGINT and SIGTERM only set a flag.

    Ansible's own handlers end a worker at once, between any two requests; the engine wants to finish its step.
    """

    def __init__(self, controller: int, deadline_seconds: float | None) -> None:
        self._controller = controller
        self._deadline = None if deadline_seconds is None else time.monotonic() + deadline_seconds
        self._signalled = False
        self._handlers: dict[int, Any] = {}

    def __enter__(self) -> Watch:
        for number in _SIGNALS:
            self._handlers[number] = signal.signal(number, self._note)
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        for number, handler in self._handlers.items():
            # None: the handler was not set from Python, which can be put back as the default only.
            signal.signal(number, signal.SIG_DFL if handler is None else handler)

    @property
    def controller_gone(self) -> bool:
        """A parent that was killed with -9 tells nobody; its orphans only see that they have another one."""
        return os.getppid() != self._controller

    def keep_going(self) -> str:
        """Nothing, or the reason to stop."""
        if self._signalled:
            return "signal"
        if self.controller_gone:
            return "controller gone"
        if self._deadline is not None and time.monotonic() > self._deadline:
            return "deadline"
        return ""

    def _note(self, _number: int, _frame: FrameType | None) -> None:
        self._signalled = True


def answer(module: AnsibleModule, question: str, spec: Spec) -> None:
    """Ask the engine from a module that Ansible shipped somewhere; ends the process."""
    params = canonical(spec, module.params)
    secrets = secrets_of(spec, params)
    module.no_log_values.update(secrets)  # what Ansible itself adds to the result shows the options
    with Watch(os.getppid(), params.get("deadline_seconds")) as watch:
        result = call(question, params, Surroundings(watch.keep_going, _silent, module.check_mode, module._diff))
    result = without_secrets(result, secrets)
    for warning in result.pop("warnings", []):
        module.warn(warning)  # given as a part of the result they are deprecated
    if result.pop("failed", False):
        module.fail_json(**result)
    module.exit_json(**result)


def refuse(module: AnsibleModule, name: str) -> None:
    """What a module answers that only makes sense on the controller."""
    module.fail_json(msg=f"{name} runs on the controller only; give the task delegate_to: localhost.", verdict="blocked")


def _silent(_event: Mapping[str, Any]) -> None:
    """A shipped module has no way back before its result."""
