# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The way of progress from a worker to the terminal. PRIVATE: can change at any time.

The callback opens a pipe before Ansible forks its first worker, so that every worker has the writing end. One event is
one JSON line of at most 4,096 bytes, which a pipe takes whole or not at all. A worker never waits: what does not fit
into a full pipe is dropped, for progress must not slow down a climb.
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from typing import Any

LINE_BYTES = 4096
_SHORT_TEXT = 200

_STATE_WORDS = {"begin": "…", "done": "done", "skip": "nothing to do", "undo": "taken back", "fail": "failed"}

_writing_end: int | None = None


def open_channel() -> int:
    """Make the pipe of this process; the reading end is the caller's."""
    global _writing_end
    reading_end, _writing_end = os.pipe()
    os.set_blocking(_writing_end, False)
    return reading_end


def close_channel() -> None:
    """Forget the writing end; later events are not taken any more."""
    global _writing_end
    if _writing_end is not None:
        os.close(_writing_end)
        _writing_end = None


def wake() -> None:
    """Let a waiting reader look up. When the pipe is full it is awake already."""
    _write(b"\n")


def tell(event: Mapping[str, Any]) -> bool:
    """Send one event; False when nobody opened a channel, so that the caller shows it in another way."""
    if _writing_end is None:
        return False
    _write(_packed(event))
    return True


def line_of(event: Mapping[str, Any]) -> str:
    """One event for a person, e.g. ``[prod-eu-1] S12 flip: done (0.1 s)``."""
    host = event.get("host", "?")
    if event.get("event") != "step":
        return f"[{host}] {event.get('text', '')}"
    state = str(event.get("state", ""))
    name = " ".join(str(event[key]) for key in ("step", "title") if event.get(key))
    seconds = event.get("seconds")
    took = f" ({seconds:.1f} s)" if isinstance(seconds, (int, float)) else ""
    return f"[{host}] {name}: {_STATE_WORDS.get(state, state)}{took}"


def _write(line: bytes) -> None:
    if _writing_end is None:
        return
    try:
        os.write(_writing_end, line)
    except OSError:
        pass  # full, or nobody reads any more


def _packed(event: Mapping[str, Any]) -> bytes:
    line = _line(event)
    if len(line) > LINE_BYTES:
        line = _line({key: _shortened(value) for key, value in event.items()})
    if len(line) > LINE_BYTES:
        kept = ("host", "event", "step", "state", "text")
        line = _line({key: _shortened(event[key]) for key in kept if key in event})
    return line


def _line(event: Mapping[str, Any]) -> bytes:
    return json.dumps(event, default=str, separators=(",", ":")).encode() + b"\n"


def _shortened(value: Any) -> Any:
    if value is None or isinstance(value, (bool, int, float)):
        return value
    text = str(value)
    return text if len(text) <= _SHORT_TEXT else text[: _SHORT_TEXT - 1] + "…"
