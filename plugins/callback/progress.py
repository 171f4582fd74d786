# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)

from __future__ import annotations

DOCUMENTATION = r"""
name: progress
type: notification
short_description: Shows what an upgrade is doing on each cluster
version_added: 0.1.0
author:
  - The weaveworks.wge authors (@weaveworks)
description:
  - Prints one line for each step that M(weaveworks.wge.wge_upgrade), M(weaveworks.wge.wge_preflight) and
    M(weaveworks.wge.wge_info) begin or end, while the task still runs.
  - Clusters that are reached through another machine (a connection other than V(local)) have no progress.
requirements:
  - Enable it with C(callbacks_enabled=weaveworks.wge.progress) in the section C([defaults]) of C(ansible.cfg).
"""

import json
import os
import threading
from typing import Any

from ansible.plugins.callback import CallbackBase

from ..plugin_utils import _progress

_CHUNK = 65536


class CallbackModule(CallbackBase):
    """Reads the workers' events from a pipe and prints each as a line."""

    CALLBACK_VERSION = 2.0
    CALLBACK_TYPE = "notification"
    CALLBACK_NAME = "weaveworks.wge.progress"
    CALLBACK_NEEDS_ENABLED = True

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._stopping = False
        self._reading_end = _progress.open_channel()  # before the first fork: workers inherit the writing end
        self._thread = threading.Thread(target=self._read, name="wge-progress", daemon=True)
        self._thread.start()

    def v2_playbook_on_stats(self, stats: Any) -> None:
        """Print what is left; the run is over."""
        self._stopping = True
        while self._thread.is_alive():
            _progress.wake()
            self._thread.join(timeout=0.1)
        _progress.close_channel()
        os.close(self._reading_end)

    def _read(self) -> None:
        rest = b""
        while True:
            stopping = self._stopping  # looked at before the read: what was told until then is in the pipe now
            chunk = self._chunk()
            *lines, rest = (rest + chunk).split(b"\n")
            for line in lines:
                self._show(line)
            if stopping and len(chunk) < _CHUNK:
                return

    def _chunk(self) -> bytes:
        try:
            return os.read(self._reading_end, _CHUNK)
        except OSError:
            self._stopping = True
            return b""

    def _show(self, line: bytes) -> None:
        """Only through Display: its lock is the one that Ansible holds while it forks."""
        try:
            event = json.loads(line)
        except ValueError:
            return
        if isinstance(event, dict):
            self._display.display(_progress.line_of(event))
