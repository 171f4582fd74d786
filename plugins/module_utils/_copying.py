# SPDX-License-Identifier: GPL-3.0-or-later
"""A command of the user's that copies an archive elsewhere, and so says that the copy is there. PRIVATE: can change at any time."""

from __future__ import annotations

import os
import signal
import subprocess
from collections.abc import Callable, Sequence
from contextlib import suppress

from ._errors import Interrupted, InvalidSettings

PLACE = "{path}"
_LOOK_SECONDS = 0.1
_TOLD = 300


def copy(command: Sequence[str], path: str, keep_going: Callable[[], str]) -> None:
    """Run ``command``, in which ``{path}`` stands for the archive; without it the path is the last argument.

    Raises InvalidSettings when it cannot be run or fails, Interrupted when ``keep_going`` says so: then there is no copy.
    """
    named = any(PLACE in word for word in command)
    words = [word.replace(PLACE, path) for word in command] + ([] if named else [path])
    advice = f"The archive is {path}; copy it yourself, or correct copy_command and export again."
    try:
        # A session of its own: what ends us with Ctrl-C must not cut a copy in two without our knowing.
        process = subprocess.Popen(  # noqa: S603 - what to run is the user's own choice, and no shell reads it
            words, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, start_new_session=True
        )
    except (OSError, ValueError) as problem:
        reason = getattr(problem, "strerror", None) or "it holds a NUL byte"
        raise InvalidSettings(f"copy_command {words[0]!r} cannot be run: {reason}.", advice) from None
    said = _ended(process, keep_going, advice)
    if process.returncode:
        raise InvalidSettings(f"copy_command {words[0]!r} ended with {process.returncode}: {said or 'it said nothing'}.", advice)


def _ended(process: subprocess.Popen[bytes], keep_going: Callable[[], str], advice: str) -> str:
    """Its last line on stderr, when it has ended."""
    while True:
        try:
            _out, said = process.communicate(timeout=_LOOK_SECONDS)
        except subprocess.TimeoutExpired:
            if reason := keep_going():
                _end(process)
                raise Interrupted(f"Stopped on request ({reason}); the archive was not copied.", advice) from None
            continue
        lines = said.decode(errors="replace").strip().splitlines()
        return lines[-1][:_TOLD].rstrip(".") if lines else ""


def _end(process: subprocess.Popen[bytes]) -> None:
    with suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    process.communicate()
