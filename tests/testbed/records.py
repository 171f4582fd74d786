# SPDX-License-Identifier: GPL-3.0-or-later
"""Which processes are ours: pid with start time, so that a number used again by the kernel is never mistaken."""

from __future__ import annotations

import json
import os
import signal
import time
from pathlib import Path
from typing import Any, TypeGuard

PROC = Path(os.sep, "proc")


def start_time(pid: int) -> int | None:
    """Clock ticks since boot at which `pid` began, or None when it is gone (or a zombie)."""
    try:
        text = (PROC / str(pid) / "stat").read_text(encoding="utf-8", errors="replace")
    except OSError:
        return None
    fields = text.rpartition(")")[2].split()
    return None if fields[0] in "ZX" else int(fields[19])


def identity(pid: int) -> dict[str, int]:
    """What is written down about a running process."""
    return {"pid": pid, "start": start_time(pid) or 0}


def alive(record: dict[str, int] | None) -> TypeGuard[dict[str, int]]:
    """True when exactly the recorded process still runs."""
    return record is not None and start_time(record["pid"]) == record["start"]


def send(record: dict[str, int] | None, number: int) -> None:
    """Signal the recorded process, if it is still that one."""
    if alive(record):
        try:
            os.kill(record["pid"], number)
        except ProcessLookupError:
            pass


def wait_gone(record: dict[str, int] | None, seconds: float) -> bool:
    """True as soon as the recorded process is gone, False after `seconds`."""
    end = time.monotonic() + seconds
    while alive(record):
        if time.monotonic() > end:
            return False
        time.sleep(0.02)
    return True


def end(record: dict[str, int] | None, patience: float = 5) -> None:
    """SIGTERM, and SIGKILL after `patience` seconds."""
    send(record, signal.SIGTERM)
    if not wait_gone(record, patience):
        send(record, signal.SIGKILL)
        wait_gone(record, patience)


def write_json(path: Path, value: Any, mode: int = 0o644) -> None:
    """Whole file or nothing: written beside and renamed."""
    path.parent.mkdir(parents=True, exist_ok=True)
    beside = path.with_name(f".{path.name}.{os.getpid()}")
    descriptor = os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, mode)
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        json.dump(value, file, indent=1, sort_keys=True)
        file.write("\n")
    os.replace(beside, path)


def read_json(path: Path) -> Any:
    """The value, or None when there is no such file."""
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return None
