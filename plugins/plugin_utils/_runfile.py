# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The run file: one JSON line a record, appended by every worker. PRIVATE: can change at any time.

What a worker knows is on disk before anybody else hears of it, so a report can be made even when the controller died.
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from datetime import datetime, timezone
from typing import Any

from ..module_utils._files import write_whole


def run_file(report_dir: str, run: str) -> str:
    """Where the records of a run are."""
    return os.path.join(report_dir, f"{run}.jsonl")


def report_file(report_dir: str, run: str) -> str:
    """Where the report of a run is."""
    return os.path.join(report_dir, f"{run}.json")


def append(path: str, record: Mapping[str, Any]) -> None:
    """Add one record with the time of now. One write to a file opened for appending is not torn by other workers."""
    stamp = datetime.now(timezone.utc).isoformat(timespec="milliseconds")
    line = json.dumps({"at": stamp, **record}, default=str, separators=(",", ":")).encode() + b"\n"
    os.makedirs(os.path.dirname(path), mode=0o700, exist_ok=True)
    handle = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        os.write(handle, line)
    finally:
        os.close(handle)


def records(path: str) -> list[dict[str, Any]]:
    """All records that can be read; the line that a dying machine left half written is passed over."""
    try:
        with open(path, encoding="utf-8", errors="replace") as lines:
            found = [_parsed(line) for line in lines]
    except (FileNotFoundError, NotADirectoryError):
        return []
    return [record for record in found if record]


def replace(path: str, text: str) -> None:
    """Write a file whole or not at all. Raises OSError."""
    write_whole(path, text.encode())


def _parsed(line: str) -> dict[str, Any]:
    try:
        record = json.loads(line)
    except ValueError:
        return {}
    return record if isinstance(record, dict) else {}
