# SPDX-License-Identifier: GPL-3.0-or-later
"""What a run leaves on the machine: processes and files. Read from the system itself, by a mark in the environment."""

from __future__ import annotations

import os
import re
import signal
import tempfile
import time
from pathlib import Path

MARK = "WGE_TEST_MARK"
"""A variable that every process of a run inherits, whatever it calls itself and whoever its parent is by now."""

_PROC = Path(os.sep) / "proc"
_OUR_NAMES = re.compile(r"^(wge|weave|helm|kube|ansible-local|ansible-tmp|ansible_wge|ansible_weaveworks)", re.IGNORECASE)


def _read(pid: int | str, name: str) -> bytes:
    """Nothing for a process that has gone, is a zombie, or is somebody else's."""
    try:
        return (_PROC / str(pid) / name).read_bytes()
    except OSError:
        return b""


def _pids() -> list[int]:
    return [int(entry) for entry in os.listdir(_PROC) if entry.isdigit()]


def command_line(pid: int) -> str:
    """As ps shows it; nothing when it has ended."""
    return _read(pid, "cmdline").replace(b"\0", b" ").decode(errors="replace").strip()


def processes(*words: str) -> dict[int, str]:
    """Command lines of the processes that have one of ``words`` in their environment or in their command line, but us."""
    found = {}
    for pid in _pids():
        text = _read(pid, "environ") + _read(pid, "cmdline")
        if pid != os.getpid() and any(word.encode() in text for word in words):
            found[pid] = command_line(pid)
    return found


def kill(word: str) -> bool:
    """Kill with -9 what ``processes`` finds; none of them lives then."""
    for pid in processes(word):
        os.kill(pid, signal.SIGKILL)
    return False


def parent(pid: int) -> int:
    """0 when it has ended."""
    stat = _read(pid, "stat").rpartition(b")")[2].split()
    return int(stat[1]) if len(stat) > 1 else 0


def children(pid: int) -> list[int]:
    """The living ones."""
    return [child for child in _pids() if parent(child) == pid and command_line(child)]


def lingering(*words: str, seconds: float) -> dict[int, str]:
    """What ``processes`` still finds after at most ``seconds``; empty as soon as all have ended."""
    end = time.monotonic() + seconds
    while (left := processes(*words)) and time.monotonic() < end:
        time.sleep(0.1)
    return left


def files(*folders: Path) -> list[str]:
    """Every file (no folder) below ``folders``; Ansible leaves an empty folder when it is killed."""
    return sorted(str(path) for folder in folders for path in folder.rglob("*") if not path.is_dir())


def machine_temp() -> set[str]:
    """Entries of the machine's own temporary folder that could be ours by their name."""
    here = Path(tempfile.gettempdir())
    return {str(path) for path in here.iterdir() if _OUR_NAMES.match(path.name)}
